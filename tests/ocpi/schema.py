"""One version of OCPI as data: its objects, enums, interfaces and status codes, read from `schemas/`.

A version is "2.1.1", "2.2", "2.2.1" or "2.3.0"; the optional modules of 2.3.0 are switched on by name, as in
"2.3.0+bookings+payments".

Keys of a file keep the order of the specification's tables; class names are unique within a version.

- object: `{kind, fields, rules?}`; field: `type`, `card` (`1` `?` `*` `+`, as in the tables) and, where stated,
  lengths, ranges, `pattern` of the whole value, `known` values of a free string, `owner` (this field names that role)
- enum: `{open, values, session_only?}`; an open one takes any other string too
- rules between fields: `{at_least_one: [..]}`, `{when: f, is?: v, needs: [..]}`, `{when: f, is?: v, without: [..]}`;
  null and an empty list count as not set
- interface: one entry per module, interface, method and path. `path` follows the endpoint's URL; null means that the
  URL was handed over. `request_required`: fields every PATCH carries. A null `response` means no defined `data`
- status codes: `{code, kind, name}` or `{from, to, kind, name: "custom"}`; the names are ours

Where the specification's tables contradict its text, its examples or each other, the text won: ModuleID and
VersionNumber are open in every version; 2.1.1 Hours.twentyfourseven is optional; the times and dates that are "the same
as" another field have its pattern; chargingprofiles `duration` and `response_url` and tokens `type` are query
parameters; bookings' class names are spelled one way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

VERSIONS: Final = ("2.1.1", "2.2", "2.2.1", "2.3.0")

_SCHEMAS: Final = Path(__file__).resolve().parent / "schemas"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a property table. `type` names a scalar, an enum or an object type of the same version."""

    name: str
    type: str
    card: Literal["1", "?", "*", "+"]
    max_length: int | None = None
    min_length: int | None = None
    max_digits: int | None = None
    min: float | None = None
    max: float | None = None
    decimals: int | None = None
    pattern: str | None = None
    default: Any = None
    known: tuple[str, ...] = ()
    owner: str | None = None

    @property
    def required(self) -> bool:
        return self.card in "1+"

    @property
    def many(self) -> bool:
        return self.card in "*+"


@dataclass(frozen=True, slots=True)
class Enum:
    """A value list; an open one accepts any other string as well. `session_only` values never occur in a CDR."""

    name: str
    module: str
    open: bool
    values: tuple[str, ...]
    session_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A class of the specification; `patch_required` are the fields every PATCH of it has to carry."""

    name: str
    module: str
    fields: Mapping[str, Field]
    rules: tuple[Mapping[str, Any], ...] = ()
    patch_required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything one version says: `objects` and `enums` by name, the rest as in the file."""

    version: str
    scalars: Mapping[str, Mapping[str, Any]]
    objects: Mapping[str, ObjectType]
    enums: Mapping[str, Enum]
    parameters: Mapping[str, Mapping[str, Any]]
    interfaces: tuple[Mapping[str, Any], ...]
    status_codes: tuple[Mapping[str, Any], ...]

    def has(self, class_name: str) -> bool:
        return class_name in self.objects or class_name in self.enums


@cache
def load(version: str) -> Schema:
    """The description of `version`, with the extensions named after `+` merged into it."""
    number, *extensions = version.split("+")
    if number not in VERSIONS:
        raise KeyError(f"unknown OCPI version {number!r}")
    document = json.loads((_SCHEMAS / f"{number}.json").read_text(encoding="utf-8"))
    parts = [(name, part["objects"], part["enums"]) for name, part in document["modules"].items()]
    parts.append(("types", document["types"]["objects"], document["types"]["enums"]))
    parameters = dict(document["parameters"])
    interfaces = list(document["interfaces"])
    for extension in extensions:
        if extension not in document.get("extensions", {}):
            raise KeyError(f"OCPI {number} has no extension {extension!r}")
        addition = document["extensions"][extension]
        parts += [(name, part["objects"], part["enums"]) for name, part in addition["modules"].items()]
        parameters |= addition["parameters"]
        interfaces += addition["interfaces"]
        _extend(parts, addition["additions"])
    patch_required: dict[str, frozenset[str]] = {}
    for interface in interfaces:
        if interface["request_partial"]:
            patch_required[interface["request"]] = frozenset(interface.get("request_required", ()))
    return Schema(
        version=version,
        scalars=document["types"]["scalars"],
        objects={
            name: ObjectType(
                name=name,
                module=module,
                fields={field: Field(name=field, **_tuples(facts)) for field, facts in body["fields"].items()},
                rules=tuple(body.get("rules", ())),
                patch_required=patch_required.get(name, frozenset()),
            )
            for module, objects, _ in parts
            for name, body in objects.items()
        },
        enums={
            name: Enum(name=name, module=module, **_tuples(body))
            for module, _, enums in parts
            for name, body in enums.items()
        },
        parameters=parameters,
        interfaces=tuple(interfaces),
        status_codes=tuple(document["status_codes"]),
    )


def _extend(parts: list[tuple[str, dict[str, Any], dict[str, Any]]], additions: Mapping[str, Any]) -> None:
    """Put an extension's extra fields where they belong in the order of the table, and its extra values at the end."""
    for _, objects, enums in parts:
        for name, fields in additions["fields"].items():
            if name in objects:
                for field, facts in fields.items():
                    rest = list(objects[name]["fields"].items())
                    place = 1 + [key for key, _ in rest].index(facts["after"])
                    rest.insert(place, (field, {key: fact for key, fact in facts.items() if key != "after"}))
                    objects[name]["fields"] = dict(rest)
        for name, values in additions["values"].items():
            if name in enums:
                enums[name]["values"] = [*enums[name]["values"], *values]


def _tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(fact) if isinstance(fact, list) else fact for key, fact in facts.items()}
