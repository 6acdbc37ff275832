"""What a translation does to every member and every value, found out by leaving it out and by putting it in.

What is expected is in `differences/`, one file per pair of neighbours, by the names of the specification:

- `identical`: members whose definitions differ, in a type or a length, and that are handed on as they are
- `members`: what becomes of the others. A text is the new name of the same value. `into` are members that say it in
  another way, `lost` are the ids named at this member, `refused` is what happens when it is there,
  `needed` what happens when it is not there as it was
- `made`: what comes of no member, with the losses that tell so
- `never`: what the other version could say and the translation never does, with those that tell so
- `values`: by enum, values that are not handed on. Without `becomes` they are gone; `in` are kinds or members
- `long`: what becomes of the longest text of a member that has less room in the other version
- `plain`: values that other members can be tried with

`EVSE as CdrLocation.uid` is the member of an EVSE whose place is taken by a CdrLocation, `.*` are all that have no row,
and `CDR/Tariff.id` is that of a Tariff in a CDR. What is inside of a member that is gone is gone with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path as File
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field

from routing.errors import Untranslatable
from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.translation.numbers import read, write
from routing.translation.steps import translate
from routing.vocabulary import Version
from tests.ocpi import Schema, example, load
from tests.ocpi.schema import Enum, Field
from tests.routing.translation.generated import Path, Sent, class_of, leaves

CUSTOM: Final = "X_OF_OUR_OWN"
"""A value that no enum has; it stands for all that open ones take."""
_DIFFERENCES: Final = File(__file__).with_name("differences")
_WITH_OPTIONAL_MODULES: Final = {Version.V2_3_0: "2.3.0+bookings+payments"}


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of one member."""

    into: tuple[str, ...] = ()
    lost: frozenset[str] = frozenset()
    refused: str | None = None
    needed: str | None = None
    same: bool = False


class ValueRow(Struct, frozen=True, forbid_unknown_fields=True, rename={"where": "in"}):
    """What becomes of some values of an enum."""

    values: str
    where: tuple[str, ...] = ()
    becomes: str | None = None
    stays: bool = False
    lost: frozenset[str] = frozenset()
    refused: str | None = None


class Way(Struct, frozen=True, eq=False, forbid_unknown_fields=True):
    """All that is different on the way from one version to a neighbour."""

    source: Version
    target: Version
    identical: frozenset[str]
    members: dict[str, str | Row]
    made: dict[str, frozenset[str]] = field(default_factory=dict)
    never: dict[str, frozenset[str]] = field(default_factory=dict)
    values: dict[str, tuple[ValueRow, ...]] = field(default_factory=dict)
    long: dict[str, Row] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"

    def row(self, kind: Kind, name: str, source: Field, target: Field | None) -> Row | None:
        """What is expected of a member; None when nobody said anything."""
        every = f"{name.partition('.')[0]}.*"
        for key in (f"{kind}/{name}", name, every):
            if (row := self.members.get(key)) is not None:
                return Row((row,), same=True) if isinstance(row, str) else row
        if name in self.identical or source == target:
            return Row((source.name,), same=True)
        return None

    def value(self, enum: str, value: str, spot: Spot) -> ValueRow | None:
        """What is expected of a value of an enum, in this place; None when it is handed on."""
        for row in self.values.get(enum, ()):
            if value in row.values.split() and (not row.where or {spot.name, spot.kind} & set(row.where)):
                return row
        return None


class Spot(NamedTuple):
    """One member of one body: where it is, what is expected of it, and where its object is afterwards."""

    kind: Kind
    name: str
    field: Field
    path: Path
    row: Row | None
    home: Path
    home_class: str

    @property
    def targets(self) -> list[Path]:
        """Where it is found again."""
        assert self.row is not None
        return [_joined(self.home, into) for into in self.row.into]


class Outcome(NamedTuple):
    """What comes out: the object, or why there is none."""

    after: Json | None
    losses: list[tuple[str, str]]
    refused: str | None

    @property
    def ids(self) -> set[str]:
        """The ids of what was lost."""
        return {loss for loss, _ in self.losses}


def _joined(home: Path, into: str) -> Path:
    path = home
    for part in into.split("/"):
        path = path[:-1] if part == ".." else (*path, 0 if part == "*" else part)
    return path


def ways() -> list[Way]:
    """All pairs of neighbours, there and back."""
    found = []
    for path in sorted(_DIFFERENCES.glob("*.json")):
        pair = json.loads(path.read_text(encoding="utf-8"))
        identical = pair.pop("identical")
        for name, facts in pair.items():
            source, _, target = name.split()
            found.append(msgspec.convert({"source": source, "target": target, "identical": identical, **facts}, Way))
    return found


@cache
def schema_of(version: Version) -> Schema:
    """All there is in a version, its optional modules included."""
    return load(_WITH_OPTIONAL_MODULES.get(version, version.value))


def outcome(body: Json, kind: Kind, way: Way) -> Outcome:
    """What a body becomes when nothing is known beyond it."""
    crossing = Sent(kind, way.source, way.target, body, path_ids=("LOC1", "1001", "1")).crossing()
    try:
        after = translate(body, kind, crossing)
    except Untranslatable as refusal:
        return Outcome(None, [], refusal.rule)
    return Outcome(read(write(after)), [(loss.id, loss.pointer) for loss in crossing.losses], None)


def target_field(way: Way, kind: Kind, path: Path) -> list[tuple[str, Field]]:
    """The members on a path in the other version, each with the class it is of."""
    class_name, found = class_of(way.target, kind), []
    for part in path:
        if isinstance(part, str):
            one = schema_of(way.target).objects[class_name].fields[part]
            found.append((class_name, one))
            class_name = one.type
    return found


def spots(way: Way, kind: Kind, body: Json) -> Iterator[Spot]:
    """Every member of a body, the outer ones first. Of lists, the first element counts."""
    return _spots(way, kind, (class_of(way.source, kind), class_of(way.target, kind)), body, (), ())


def _spots(way: Way, kind: Kind, classes: tuple[str, str], body: Json, path: Path, home: Path) -> Iterator[Spot]:
    source, target = classes
    theirs = schema_of(way.target).objects[target].fields
    for one in schema_of(way.source).objects[source].fields.values():
        value = body.get(one.name)
        if value is None:
            continue
        name = f"{source}.{one.name}" if source == target else f"{source} as {target}.{one.name}"
        row = way.row(kind, name, one, theirs.get(one.name) if source == target else None)
        yield Spot(kind, name, one, (*path, one.name), row, home, target)
        place: Path = (*path, one.name)
        if isinstance(value, list) and value:
            value, place = value[0], (*place, 0)
        if row and row.into and one.type in schema_of(way.source).objects and isinstance(value, dict):
            heir = theirs.get(row.into[0])
            if heir and heir.type in schema_of(way.target).objects:
                new_home: Path = (*home, heir.name, 0) if heir.many else (*home, heir.name)
                yield from _spots(way, kind, (one.type, heir.type), value, place, new_home)
            else:
                yield from _spots(way, kind, (one.type, target), value, place, home)


class Tried(NamedTuple):
    """An object to try members and values with, and what had to be left out of it: it would be refused."""

    kind: Kind
    body: Json
    left_out: list[tuple[Spot, Any]]
    whole: Outcome
    """What becomes of it."""
    spots: list[Spot]


def tried(way: Way, kind: Kind, seed: int) -> Tried:
    """An object with everything that is not refused, with lists of one element, and with values that are handed on."""
    schema = schema_of(way.source)
    body: Json = read(write(example(schema.version, class_of(way.source, kind), Random(seed), 1)))
    left_out: list[tuple[Spot, Any]] = []
    for spot in list(spots(way, kind, body)):
        holder = at(body, spot.path[:-1])
        if holder is None or spot.field.name not in holder:
            continue
        if isinstance(value := holder[spot.field.name], list):
            holder[spot.field.name] = value[:1]
        if spot.row and spot.row.refused:
            left_out.append((spot, holder.pop(spot.field.name)))
        elif spot.name in way.plain:
            holder[spot.field.name] = way.plain[spot.name]
        elif enum := schema.enums.get(spot.field.type):
            holder[spot.field.name] = [_plain(way, spot, enum)] if spot.field.many else _plain(way, spot, enum)
    return Tried(kind, body, left_out, outcome(body, kind, way), list(spots(way, kind, body)))


def _plain(way: Way, spot: Spot, enum: Enum) -> str:
    handed_on = (one for one in enum.values if one not in enum.session_only and not way.value(enum.name, one, spot))
    return next(handed_on)


def at(body: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON
    """What is at a place; None when there is nothing."""
    for step in path:
        try:
            body = body[step]
        except (LookupError, TypeError):
            return None
    return body


def without(body: Json, spot: Spot) -> Json:
    """The body without a member."""
    changed = deepcopy(body)
    del at(changed, spot.path[:-1])[spot.field.name]
    return changed


def with_value(body: Json, spot: Spot, value: Any) -> Json:  # noqa: ANN401 - any JSON
    """The body with another value of a member, or of the first element of that list."""
    changed = deepcopy(body)
    at(changed, spot.path[:-1])[spot.field.name] = [value] if spot.field.many else value
    return changed


def differing(one: Any, other: Any) -> set[Path]:  # noqa: ANN401 - any JSON
    """Where two values are not the same."""
    first, second = dict(leaves(one)), dict(leaves(other))
    paths = (first.keys() | second.keys()) - {()}
    return {path for path in paths if first.get(path, _NOTHING) != second.get(path, _NOTHING)}


def another(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A value that is as valid and not the same; None when there is none so simple."""
    if isinstance(value, list) and len(value) == 1:
        return another(value[0])
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, Decimal)):
        return value + 1
    return f"{value[:-1]}{'2' if value[-1:] == '1' else '1'}" if isinstance(value, str) else None


def losses_at(path: Path, result: Outcome) -> set[str]:
    """The ids of what was lost at a member, or at the first element of that list."""
    pointer = "".join(f"/{part}" for part in path)
    return {loss for loss, at_pointer in result.losses if at_pointer in (pointer, f"{pointer}/0")}


def members_of(schema: Schema, class_name: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The members of an object and of all that is in it, as `Class.member`."""
    for one in schema.objects[class_name].fields.values():
        value = body.get(one.name)
        if value is None:
            continue
        yield f"{class_name}.{one.name}"
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and one.type in schema.objects:
                yield from members_of(schema, one.type, part)


_NOTHING: Final = object()
