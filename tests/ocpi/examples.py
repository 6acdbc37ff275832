"""Random objects that the specification has nothing against."""

from __future__ import annotations

import json
import unicodedata
from random import Random
from typing import Any, Final

from tests.ocpi.checking import applies
from tests.ocpi.finishing import FINISHERS
from tests.ocpi.ingredients import Ingredients
from tests.ocpi.recipes import RECIPES
from tests.ocpi.schema import Enum, Field, ObjectType, Schema, load

_PAIRS: Final = (("min_", "max_"), ("start_", "end_"), ("_begin", "_end"), ("begin_from", "end_before"))


def example(version: str, class_name: str, rng: Random, optional: float = 0.5, partial: bool = False) -> Any:
    """A random valid `class_name` of `version`; for an enum, one of its values.

    The same `rng` state gives the same object. `optional` is the chance of each optional field to be there, so 0
    makes minimal objects and 1 complete ones. With `partial` it is the body of a PATCH: a few whole fields, and
    `last_updated` where the version demands it. Values within one object fit together: one country, one currency,
    times that follow each other, prices that add up.
    """
    schema = load(version)
    if not schema.has(class_name):
        raise KeyError(f"OCPI {version} has no class {class_name!r}")
    return _Maker(schema, rng, optional, in_cdr=class_name == "CDR").value(class_name, partial)


class _Maker:
    """Makes one object tree."""

    def __init__(self, schema: Schema, rng: Random, optional: float, in_cdr: bool) -> None:
        self.schema = schema
        self.rng = rng
        self.ingredients = Ingredients(schema, rng)
        self.optional = optional
        self.in_cdr = in_cdr

    def value(self, type_name: str, partial: bool = False) -> Any:
        if type_name in self.schema.enums:
            return self.enum(self.schema.enums[type_name])
        return self.object(self.schema.objects[type_name], partial)

    def object(self, cls: ObjectType, partial: bool = False) -> dict[str, Any]:
        wanted = set(cls.patch_required) if partial else {field.name for field in cls.fields.values() if field.required}
        free = [name for name in cls.fields if name not in wanted]
        chosen = [name for name in free if self.rng.random() < self.optional]
        if partial and not chosen and free:
            chosen = [self.rng.choice(free)]
        wanted.update(chosen)
        made = {name: self.field(cls, field) for name, field in cls.fields.items() if name in wanted}
        self.order_pairs(made)
        if not partial and (finish := FINISHERS.get(cls.name)):
            finish(self.ingredients, made)
        self.keep_rules(cls, made)
        return {name: made[name] for name in cls.fields if name in made}

    def field(self, cls: ObjectType, field: Field) -> Any:
        if not field.many:
            return self.item(cls, field)
        count = self.rng.choice((1, 1, 2, 3))
        items = [self.item(cls, field) for _ in range(count)]
        return list({_identity(item): item for item in items}.values())

    def item(self, cls: ObjectType, field: Field) -> Any:
        if field.type not in self.schema.scalars:
            return self.value(field.type)
        recipe = RECIPES.get(f"{cls.name}.{field.name}") or RECIPES.get(field.name)
        if field.known and recipe is None:
            return self.rng.choice(field.known)
        match field.type:
            case "CiString" | "string":
                return self.fit(str(recipe(self.ingredients)) if recipe else self.ingredients.uuid(), field)
            case "DateTime":
                return recipe(self.ingredients) if recipe else self.ingredients.later()
            case "URL":
                return (
                    recipe(self.ingredients)
                    if recipe
                    else self.ingredients.url(field.name.removesuffix("_url"), self.ingredients.digits(6))
                )
            case "boolean":
                return self.rng.random() < 0.5
            case "int":
                return (
                    recipe(self.ingredients) if recipe else self.rng.randrange(1, 10 ** min(field.max_digits or 3, 3))
                )
            case "number":
                return recipe(self.ingredients) if recipe else self.ingredients.amount(0, 100, field.decimals or 2)
            case _:
                return {}

    def fit(self, text: str, field: Field) -> str:
        if self.schema.scalars[field.type]["charset"] == "ascii":
            plain = text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O")
            text = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        return text if field.max_length is None or field.pattern else text[: field.max_length].strip()

    def enum(self, enum: Enum) -> str:
        return self.rng.choice([value for value in enum.values if not (self.in_cdr and value in enum.session_only)])

    def order_pairs(self, made: dict[str, Any]) -> None:
        """Swap what is the wrong way round: min and max, start and end, begin and end of the same thing."""
        for low in list(made):
            for first, second in _PAIRS:
                high = low.replace(first, second, 1)
                if first in low and high != low and high in made and _size(made[high]) < _size(made[low]):
                    made[low], made[high] = made[high], made[low]

    def keep_rules(self, cls: ObjectType, made: dict[str, Any]) -> None:
        for rule in cls.rules:
            if "at_least_one" in rule:
                needed = [] if any(name in made for name in rule["at_least_one"]) else rule["at_least_one"][:1]
            elif applies(rule, made):
                needed = rule.get("needs", [])
                for name in rule.get("without", ()):
                    made.pop(name, None)
            else:
                needed = []
            for name in needed:
                if name not in made:
                    made[name] = self.field(cls, cls.fields[name])


def _identity(item: Any) -> Any:
    """What may not occur twice in one list."""
    if not isinstance(item, dict):
        return item
    for name in ("uid", "id", "category", "source", "type", "weekday", "language", "start_date_time", "period_begin"):
        if name in item:
            return item[name]
    return json.dumps(item)


def _size(value: Any) -> Any:
    """What two ends of a range are compared by: a price by its amount, the rest as it is."""
    return value.get("excl_vat", value.get("before_taxes")) if isinstance(value, dict) else value
