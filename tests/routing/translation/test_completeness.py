"""No member and no value of any version is without a rule: each is tried, and compared with what is expected of it.

A member of two versions with one definition, and a value that both have, are handed on as they are. All else is said
in `differences/`, and what is said there and is not so is found as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest

from routing.translation.kinds import Kind
from routing.vocabulary import Version
from tests.ocpi.schema import Enum, Field
from tests.routing.translation.generated import Path, class_of, kinds_of
from tests.routing.translation.probes import (
    CUSTOM,
    Outcome,
    Spot,
    Tried,
    Way,
    another,
    at,
    differing,
    losses_at,
    members_of,
    outcome,
    schema_of,
    target_field,
    tried,
    ways,
    with_value,
    without,
)

SEEDS: Final = range(6)
"""Some members exclude each other: in so many objects, each is there at least once."""
WAYS: Final = ways()
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


@every_way
def test_every_member_has_a_rule(way: Way) -> None:
    assert {spot.name for _, spot in each_member(way) if spot.row is None} == set()


@every_way
def test_every_member_becomes_what_it_should(way: Way) -> None:
    assert [problem for one, spot in each_member(way) for problem in against_its_row(way, one, spot)] == []


@every_way
def test_every_value_becomes_what_it_should(way: Way) -> None:
    assert [problem for one, spot in each_member(way) for problem in against_its_values(way, one, spot)] == []


@every_way
def test_every_loss_is_named_where_it_is(way: Way) -> None:
    for one in everything_to_try(way):
        rows = {spot: spot.row.lost for spot in one.spots if spot.row}
        assert {spot.name: losses_at(spot.path, one.whole) for spot in rows} == {
            spot.name: lost for spot, lost in rows.items()
        }
        said = {loss for lost in (*rows.values(), *way.made.values(), *way.never.values()) for loss in lost}
        assert one.whole.ids <= said


@every_way
def test_every_text_finds_less_room_as_it_should(way: Way) -> None:
    for one, spot in each_member(way):
        if room := less_room(way, spot):
            row, longest = way.long[spot.name], "x" * (spot.field.max_length or 0)
            found = outcome(with_value(one.body, spot, longest), one.kind, way)
            assert (spot, found.refused) == (spot, row.refused)
            assert row.lost <= found.ids
            if row.refused is None:
                assert len(at(found.after, spot.targets[0]) or "") == (room if row.into else 0)


@every_way
def test_a_member_that_is_refused_is_left_out_only_with_what_it_is_in(way: Way) -> None:
    for one in everything_to_try(way):
        for spot, value in one.left_out:
            found = outcome(with_value(one.body, spot, value), one.kind, way)
            assert spot.row
            assert found.refused == spot.row.refused or (found.refused, at(found.after, spot.home)) == (None, None)


@every_way
def test_every_member_is_tried_and_every_rule_is_about_one(way: Way) -> None:
    names = {spot.name for one in everything_to_try(way) for spot in (*one.spots, *(left for left, _ in one.left_out))}
    classes = {name.partition(".")[0] for name in names}
    members = {f"{one}.{name}" for one in classes for name in schema_of(way.source).objects[one.split()[0]].fields}
    rows = {name.rpartition("/")[2] for name in way.members if not name.endswith(".*")}

    assert members == names
    assert rows | way.long.keys() | way.plain.keys() <= names


@every_way
def test_nothing_is_made_but_what_is_said_to_be(way: Way) -> None:
    made = {name for one in everything_to_try(way) for name in names_after(way, one)}
    of_members = {name for one in everything_to_try(way) for spot in one.spots for name in names_of(way, spot)}
    possible = {
        f"{one}.{name}"
        for one in {name.partition(".")[0] for name in made}
        for name in schema_of(way.target).objects[one].fields
    }

    assert made - of_members == way.made.keys() - of_members
    assert possible - made == way.never.keys()


@pytest.mark.parametrize("version", Version)
def test_every_class_and_enum_is_translated_or_known_not_to_be(version: Version) -> None:
    schema = schema_of(version)
    possible = schema.objects.keys() | schema.enums.keys()
    untouched = {name for names in NOT_TRANSLATED.values() for name in names.split() if name in possible}

    assert possible - set(reached(version)) == untouched


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_3_0])
def test_what_needs_no_rule_is_the_same_in_all_versions_that_have_it(version: Version) -> None:
    for name in NOT_TRANSLATED[SAME].split():
        one, other = (
            schema.objects.get(name) or schema.enums[name] for schema in map(schema_of, (version, Version.V2_2_1))
        )
        assert one == other


def test_every_kind_of_object_is_there_in_2_1_1_or_refused_before() -> None:
    assert {kind.value for kind in Kind} - {kind.value for kind in kinds_of(Version.V2_1_1, Version.V2_2_1)} == {
        *("ActiveChargingProfile", "CancelReservation", "ChargingPreferences", "ChargingPreferencesResponse"),
        *("ChargingProfileResponse", "ChargingProfileResult", "SetChargingProfile"),
    }


SAME: Final = "no step, and the same in 2.2, 2.2.1 and 2.3.0"
NOT_TRANSLATED: Final = {
    SAME: "ActiveChargingProfileResult ChargingPreferencesResponse ClearProfileResult",
    "written and read by the hub itself": "ClientInfo ConnectionStatus Credentials CredentialsRole Endpoint"
    " InterfaceRole ModuleID Response Role Version VersionDetails VersionNumber",
    "in the path": "CommandType",
    "of a module that other versions lack": "AccessInformation AccessMethod Booking BookingLocation BookingOption"
    " BookingRequest BookingRequestStatus BookingTerms BookingToken Calendar CanceledReason Cancellation"
    " CaptureStatusCode FinancialAdviceConfirmation InvoiceCreator InvoiceReconciliationRecord Period Policy"
    " ReservationRequestStatus ReservationStatus Terminal Timeslot",
}
"""What no step ever meets, by the reason."""


def reached(version: Version) -> Iterator[str]:
    """The classes and enums of a version that are in some object that travels to another."""
    schema = schema_of(version)
    found = {class_of(version, kind) for way in WAYS if way.source is version for kind in kinds_of(version, way.target)}
    while found:
        yield from found
        types = {
            member.type for name in found if name in schema.objects for member in schema.objects[name].fields.values()
        }
        found = types & (schema.objects.keys() | schema.enums.keys()) - found


@cache
def everything_to_try(way: Way) -> list[Tried]:
    """Objects of every kind that are not refused, with everything in them that their version has."""
    return [tried(way, kind, seed) for kind in kinds_of(way.source, way.target) for seed in SEEDS]


@cache
def each_member(way: Way) -> list[tuple[Tried, Spot]]:
    """Every member there is in objects of each kind, in the first object that has it."""
    spots = [(one, spot) for one in everything_to_try(way) for spot in one.spots]
    return list({(one.kind, spot.name): (one, spot) for one, spot in reversed(spots)}.values())


def against_its_row(way: Way, one: Tried, spot: Spot) -> Iterator[str]:
    """Where a member is found again and should not be, and where it is not and should be."""
    assert spot.row
    value = at(one.body, spot.path)
    nested = isinstance(value[0] if isinstance(value, list) and value else value, dict)
    others = [without(one.body, spot)]
    if (other := another(value)) is not None and not nested:
        others.append(with_value(one.body, spot, other))
    outcomes = [outcome(body, one.kind, way) for body in others]
    usable = [found for found in outcomes if found.refused is None and at(found.after, spot.home) is not None]
    changed = {path for found in usable for path in differing(one.whole.after, found.after)}
    heard = [any(under(path, target) for path in changed) for target in spot.targets]
    if not usable and not nested and spot.row.needed not in {found.refused for found in outcomes}:
        yield f"{spot.name} cannot be tried"
    if usable and not (any(heard) or not heard if nested else all(heard)):
        yield f"{spot.name} does not become {spot.row.into}"
    if beyond := {path for path in changed if not any(under(path, target) for target in spot.targets)}:
        yield f"{spot.name} becomes {sorted(map(str, beyond))}"
    if spot.row.same and not nested and at(one.whole.after, spot.targets[0]) != value:
        yield f"{spot.name} is not what it was"


def under(path: Path, target: Path) -> bool:
    """Whether something is at a place or in what is there."""
    return path[: len(target)] == target


def against_its_values(way: Way, one: Tried, spot: Spot) -> Iterator[str]:
    """Which values of an enum are not handed on, and nobody said so; or are not what was said."""
    enum = schema_of(way.source).enums.get(spot.field.type)
    if not enum or not spot.row or len(spot.row.into) != 1:
        return
    theirs = schema_of(way.target).enums[heir(way, spot).type]
    for value in (*enum.values, *((CUSTOM,) if enum.open else ())):
        if one.kind is Kind.CDR and value in enum.session_only:
            continue
        found = outcome(with_value(one.body, spot, value), one.kind, way)
        if (got := seen(found, spot, one)) != expected(way, spot, enum, theirs, value):
            yield f"{enum.name} {value} in {spot.name} becomes {got}"


def heir(way: Way, spot: Spot) -> Field:
    """The member of the other version that has the value."""
    return target_field(way, spot.kind, spot.targets[0])[-1][1]


def seen(found: Outcome, spot: Spot, one: Tried) -> tuple[Any, set[str], str | None]:
    """What became of a value: the one in its place, what was lost because of it, and whether all was refused."""
    value = at(found.after, spot.targets[0])
    return (value[0] if value else None) if isinstance(value, list) else value, found.ids - one.whole.ids, found.refused


def expected(way: Way, spot: Spot, enum: Enum, theirs: Enum, value: str) -> tuple[Any, set[str], str | None] | None:
    """The same, as it should be; None where no rule is about a value that the other version does not have."""
    if row := way.value(enum.name, value, spot):
        return value if row.stays else row.becomes, set(row.lost), row.refused
    return (value, set(), None) if theirs.open or value in theirs.values else None


def less_room(way: Way, spot: Spot) -> int | None:
    """How long a text may be in the other version, if that is less than in its own."""
    if not spot.row or len(spot.row.into) != 1 or not spot.field.max_length:
        return None
    room = heir(way, spot).max_length
    return room if room and room < spot.field.max_length else None


def names_after(way: Way, one: Tried) -> Iterator[str]:
    """What there is after a translation, by class and name."""
    return members_of(schema_of(way.target), class_of(way.target, one.kind), one.whole.after or {})


def names_of(way: Way, spot: Spot) -> Iterator[str]:
    """The same, for what comes of one member."""
    home = len(target_field(way, spot.kind, spot.home))
    for target in spot.targets:
        for class_name, member in target_field(way, spot.kind, target)[
            home if spot.home == target[: len(spot.home)] else 0 :
        ]:
            yield f"{class_name}.{member.name}"
