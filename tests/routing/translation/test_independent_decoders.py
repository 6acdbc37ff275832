"""Somebody else's types, generated from the specification, read every translated object, and read all of it."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ocpi_types import v2_1_1, v2_2_1, v2_3_0  # type: ignore[import-untyped]  # generated, without stubs

from routing.errors import Untranslatable
from routing.translation import numbers
from routing.translation.kinds import Kind
from routing.vocabulary import Version
from tests.routing.translation.generated import JOURNEYS, Sent, class_of, kinds_of, meant, objects, sent

DECODERS: Final[dict[Version, ModuleType]] = {
    Version.V2_1_1: v2_1_1,
    Version.V2_2_1: v2_2_1,
    Version.V2_3_0: v2_3_0,
}
"""All versions that the package knows; it has no 2.2."""
SPELLED: Final = {Kind.CDR: "Cdr", Kind.EVSE: "Evse"}
"""Its names for classes that it spells in its own way."""
NOT_DECODED: Final = {
    Version.V2_1_1: {
        *(Kind.AUTHORIZATION_INFO, Kind.LOCATION_REFERENCES),
        *(Kind.COMMAND_RESPONSE, Kind.COMMAND_RESULT),
        *(Kind.RESERVE_NOW, Kind.START_SESSION, Kind.STOP_SESSION, Kind.UNLOCK_CONNECTOR),
    }
}
"""Kinds that a version has and the package does not."""


@pytest.mark.parametrize(
    ("source", "target"),
    [pytest.param(*journey, id=" to ".join(journey)) for journey in JOURNEYS if journey[1] in DECODERS],
)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_translated_object_is_read_completely(source: Version, target: Version, data: st.DataObject) -> None:
    kinds = [kind for kind in kinds_of(source, target) if kind not in NOT_DECODED.get(target, ())]
    message = data.draw(sent(source, target, [*kinds, Kind.CDR, Kind.SESSION, Kind.LOCATION, Kind.TARIFF]))
    after = arrived(message)

    assert meant(decoded(after, target, message.kind)) == meant(after)


@pytest.mark.parametrize("version", DECODERS)
def test_the_package_lacks_the_kinds_that_are_not_tried(version: Version) -> None:
    kinds = set(kinds_of(version, Version.V2_3_0 if version is not Version.V2_3_0 else Version.V2_2_1))

    assert {kind for kind in kinds if not hasattr(DECODERS[version], name_of(version, kind))} == (
        NOT_DECODED.get(version, set())
    )


def arrived(message: Sent) -> Any:  # noqa: ANN401 - any JSON
    """What a receiver reads of a message that can be said."""
    try:
        after = message.translated()
    except Untranslatable:
        assume(False)
        raise
    read = json.loads(numbers.write(after))
    # A CDR of 2.3.0 has to arrive with its connector, also one that is in no list of older versions; see M-36.
    assume(message.kind is not Kind.CDR or message.body.get("cdr_location", {}).get("connector_standard") != "MCS")
    return read


def decoded(value: Any, version: Version, kind: Kind) -> Any:  # noqa: ANN401 - any JSON
    """What the package makes of an object, written again."""
    again = getattr(DECODERS[version], name_of(version, kind)).from_dict(value).to_dict()
    for _, part in objects(again):
        for day in ("start_date", "end_date") if version is Version.V2_1_1 else ():
            if part.get(day):
                part[day] = part[day].removesuffix("T00:00:00")  # it takes the days of 2.1.1 Tariffs for moments
    return again


def name_of(version: Version, kind: Kind) -> str:
    """The package's class for what travels as this kind."""
    return SPELLED.get(kind, class_of(version, kind))
