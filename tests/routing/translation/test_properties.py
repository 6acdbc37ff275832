"""What is true of every translation of an object its version has nothing against."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec import structs

from routing.bodies import Members, read_members
from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import numbers
from routing.translation.crossing import Crossing, Json
from routing.translation.kinds import Kind
from routing.translation.messages import request_body
from routing.translation.steps import looked_at, translate
from routing.vocabulary import Version
from tests.ocpi import Problem, check
from tests.routing.translation.generated import (
    JOURNEYS,
    Path,
    Sent,
    changed,
    class_of,
    leaves,
    objects,
    patches,
    sent,
)

SOME: Final = settings(max_examples=30, deadline=None)
all_journeys = pytest.mark.parametrize(
    ("source", "target"), [pytest.param(*journey, id=" to ".join(journey)) for journey in JOURNEYS]
)


@all_journeys
@SOME
@given(data=st.data())
def test_what_arrives_is_valid_in_its_version(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    crossing = message.crossing()

    after = said(message, crossing)

    if after is not None and not crossing.nothing_left:
        problems = check(
            target.value,
            class_of(target, message.kind),
            as_json(after),
            message.patch and not crossing.put,
            strict=True,
        )
        assert [problem for problem in problems if not is_tolerated(problem, message)] == []


@all_journeys
@SOME
@given(data=st.data())
def test_what_is_valid_is_never_called_defective(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target))

    refusal = refused(message)

    assert refusal is None or (refusal.ocpi_status, refusal.http_status) == (4000, 200), str(refusal)


@all_journeys
@SOME
@given(data=st.data())
def test_the_object_that_was_sent_is_not_touched(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    before = deepcopy(message.body)

    said(message)

    assert numbers.write(message.body) == numbers.write(before)


@all_journeys
@SOME
@given(data=st.data())
def test_the_same_object_always_becomes_the_same_bytes(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    first, second = message.crossing(), message.crossing()

    assert numbers.write(said(message, first)) == numbers.write(said(message, second))
    assert first.losses == second.losses
    assert first.asked == second.asked


@all_journeys
@SOME
@given(data=st.data())
def test_a_member_nobody_knows_goes_only_with_what_is_said_to_be_lost(
    source: Version, target: Version, data: st.DataObject
) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    marked = changed(message.body, put_marks)
    crossing = message.crossing()

    after = said(structs.replace(message, body=marked), crossing)

    if after is not None:
        arrived = {body[MARK]["path"] for _, body in objects(after) if MARK in body}
        lost = [tuple(loss.pointer.split("/")[1:]) for loss in crossing.losses]
        for path, _ in objects(message.body):
            names = tuple(map(str, path))
            gone = any(names[: len(pointer)] == pointer for pointer in lost if pointer)
            assert "/".join(names) in arrived or gone or is_replaced(path, message), (path, lost)


@all_journeys
@SOME
@given(data=st.data())
def test_a_number_keeps_its_digits(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))

    after = said(message)

    if after is not None:
        had = {str(value) for _, value in leaves(message.body) if isinstance(value, Decimal)}
        made = {
            str(value) for path, value in leaves(after) if isinstance(value, Decimal) and not is_computed(path, message)
        }
        assert made <= had


@all_journeys
@SOME
@given(data=st.data())
def test_the_time_of_an_objects_last_update_is_never_changed(
    source: Version, target: Version, data: st.DataObject
) -> None:
    message = data.draw(sent(source, target) | patches(source, target))

    after = said(message)

    if after is not None and "last_updated" in message.body:
        assert after["last_updated"] == message.body["last_updated"]


@all_journeys
@SOME
@given(data=st.data())
def test_a_patch_is_about_what_it_was_about(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(patches(source, target))
    crossing = message.crossing()

    after = said(message, crossing)

    if after is not None and not crossing.put:
        gained = after.keys() - message.body.keys() - {new for old in message.body for new in RENAMED.get(old, ())}
        assert gained <= ({"last_updated"} if source is Version.V2_1_1 else set())


@all_journeys
@SOME
@given(data=st.data())
def test_a_journey_is_one_through_2_2_1(source: Version, target: Version, data: st.DataObject) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    whole, halves = message.crossing(), message.crossing()

    assert said(message, whole) == said_in_two_steps(message, halves)


@pytest.mark.parametrize(
    ("source", "target"),
    [(Version.V2_3_0, Version.V2_2_1), (Version.V2_2_1, Version.V2_2), (Version.V2_3_0, Version.V2_2)],
)
@SOME
@given(data=st.data())
def test_what_is_only_added_is_kept_for_a_partner_that_wants_it(
    source: Version, target: Version, data: st.DataObject
) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    crossing = structs.replace(message, quirks=Quirks(additive="keep")).crossing()

    said(message, crossing)

    assert {loss.id for loss in crossing.losses}.isdisjoint(OF_WHAT_IS_ONLY_ADDED)


@pytest.mark.parametrize("version", Version)
@SOME
@given(data=st.data())
def test_between_equal_versions_nothing_happens(version: Version, data: st.DataObject) -> None:
    message = data.draw(sent(version, version) | patches(version, version))
    crossing = message.crossing()

    assert said(message, crossing) is message.body
    assert (crossing.losses, crossing.asked) == ([], [])


@all_journeys
@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99_999))
def test_whatever_json_comes_is_translated_or_refused(
    source: Version, target: Version, data: st.DataObject, seed: int
) -> None:
    message = data.draw(sent(source, target) | patches(source, target))
    spoilt = changed(message.body, partial(spoil, rng=Random(seed)))

    after = said(structs.replace(message, body=spoilt))

    if after is not None:
        assert type(after) is dict
        numbers.write(after)


UNEXPECTED: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 10**30, Decimal("0.10"), Decimal("1e400"), "", "#NA", "x" * 300, "\x00", "ÄÖ"),
    *([], [None], [[]], [{}], ["x"], [1, "x", None]),
    *({}, {"x": 1}, {"id": None}, {"excl_vat": "1"}, {"before_taxes": True}),
)
"""Values that no rule reckons with, wherever they stand."""

MARK: Final = "x_where_from"

OF_WHAT_IS_ONLY_ADDED: Final = {
    *("M-10", "M-20", "M-21", "M-22", "M-23", "M-24", "M-50", "M-82", "M-83", "M-85", "M-87"),
}

RENAMED: Final = {
    "auth_id": ("cdr_token", "contract_id"),
    "cdr_token": ("auth_id",),
    "connector_id": ("location",),
    "contract_id": ("auth_id",),
    "end_date_time": ("end_datetime",),
    "end_datetime": ("end_date_time",),
    "evse_uid": ("location",),
    "location": ("location_id", "evse_uid", "connector_id"),
    "location_id": ("location",),
    "max_amperage": ("amperage",),
    "max_voltage": ("voltage",),
    "amperage": ("max_amperage",),
    "voltage": ("max_voltage",),
    "parking_type": ("type",),
    "start_date_time": ("start_datetime",),
    "start_datetime": ("start_date_time",),
    "tariff_id": ("tariff_ids",),
    "tariff_ids": ("tariff_id",),
    "type": ("parking_type",),
}
"""What else a member of an object that can be patched may be called in another version."""


def is_tolerated(problem: Problem, message: Sent) -> bool:
    """Whether a receiver gets what its version objects to on purpose."""
    if message.target is Version.V2_1_1 and problem.kind == "charset":
        return True  # texts stay as they are: 2.1.1 says ASCII, and its partners send and read UTF-8
    # A CDR has to arrive, and with the connector that was used.
    return message.kind is Kind.CDR and problem.kind == "enum" and problem.path.endswith("standard")


def is_replaced(path: Path, message: Sent) -> bool:
    """Whether something of another shape stands in the place of this object, and says all of it that can be said."""
    return Version.V2_1_1 in (message.source, message.target) and path[-1] == "total_cost"


def is_computed(path: Path, message: Sent) -> bool:
    """Whether this number is a sum, a difference or a quotient of those that were sent."""
    return Version.V2_3_0 in (message.source, message.target) and path[-1] in ("incl_vat", "amount", "price")


def as_json(value: Json) -> Json:
    """The value as a receiver reads it."""
    read: Json = json.loads(numbers.write(value))
    return read


def said_in_two_steps(message: Sent, crossing: Crossing) -> Json | None:
    """What becomes of a message that is first translated to 2.2.1, and then on."""
    there, then = crossing.origin, crossing.destination
    crossing.destination = structs.replace(then, version=Version.V2_2_1)
    body = said(message, crossing)
    if body is None:
        return None
    crossing.origin, crossing.destination = structs.replace(there, version=Version.V2_2_1), then
    return said(structs.replace(message, body=body), crossing)


def put_marks(body: Json) -> None:
    """Give every object in a body a member that no version has."""
    for path, part in list(objects(body)):
        part[MARK] = {"path": "/".join(map(str, path))}


def spoil(body: Json, rng: Random) -> None:
    """Put unexpected values in one to three places of a body."""
    for _ in range(rng.randint(1, 3)):
        holders = [part for _, part in objects(body) if part] or [body]
        holder = rng.choice(holders)
        holder[rng.choice([*holder, "id"])] = deepcopy(rng.choice(UNEXPECTED))


def refused(message: Sent) -> Untranslatable | None:
    """Why a message is refused, if it is."""
    try:
        message.translated()
    except Untranslatable as refusal:
        return refusal
    return None


def said(message: Sent, crossing: Crossing | None = None) -> Json | None:
    """What becomes of a message; None when it is refused."""
    try:
        return translate(message.body, message.kind, crossing or message.crossing())
    except Untranslatable as refusal:
        event(refusal.rule)
        return None


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        pytest.param(*journey, kind, id=f"{kind} from {journey[0]} to {journey[1]}")
        for journey in JOURNEYS
        for kind in (Kind.LOCATION, Kind.SESSION)
        if looked_at(*journey, kind) is not None
    ],
)
@SOME
@given(data=st.data())
def test_a_step_looks_at_no_member_that_is_not_read_for_it(
    source: Version, target: Version, kind: Kind, data: st.DataObject
) -> None:
    message = data.draw(sent(source, target, [kind]) | patches(source, target, [kind]))
    whole, partly = message.crossing(), message.crossing()
    whole.whole = True
    body = numbers.write(message.body)

    assert became(body, message, partly) == became(body, message, whole)
    assert partly.losses == whole.losses
    apart = message.crossing()
    assert became(body, message, apart, read_members(body)) == became(body, message, message.crossing())
    assert apart.losses == whole.losses


def became(body: bytes, message: Sent, crossing: Crossing, members: Members | None = None) -> bytes | str:
    try:
        return request_body(body, message.kind, crossing, members).body
    except Untranslatable as refusal:
        return str(refusal)
