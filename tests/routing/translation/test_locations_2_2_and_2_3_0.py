"""Locations between 2.2.1 and its neighbours 2.2 and 2.3.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing.quirks import Quirks
from routing.translation import locations
from routing.translation.crossing import Crossing, Step
from routing.vocabulary import Version
from tests.routing.translation.crossings import crossing, losses_of

UPDATED = "2024-02-01T00:00:00Z"
ADDRESS = "Carretera de la Universitat Autonoma de Barcelona 118, nau B"


def to_2_2(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_2, **more)


def to_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_3_0, **more)


def from_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_3_0, Version.V2_2_1, **more)


def losses(over: Crossing) -> set[tuple[str, str]]:
    return set(losses_of(over))


@pytest.mark.parametrize(
    ("step", "make", "quirks"),
    [
        (locations.to_2_2, to_2_2, {}),
        (locations.to_2_2, to_2_2, {"lengths": "original"}),
        (locations.to_2_3_0, to_2_3_0, {"lengths": "original"}),
        (locations.from_2_3_0, from_2_3_0, {"lengths": "original"}),
    ],
)
def test_texts_are_cut_for_a_receiver_that_holds_to_the_first_lengths(
    step: Step, make: Callable[..., Crossing], quirks: dict[str, Any]
) -> None:
    over = make(patch=True, destination=Quirks(**quirks))
    body = {"address": ADDRESS, "state": "Barcelona, Catalunya, Espanya", "last_updated": UPDATED}
    assert step(body, over) == {
        "address": "Carretera de la Universitat Autonoma de Barce",
        "state": "Barcelona, Catalunya",
        "last_updated": UPDATED,
    }
    assert losses(over) == {("M-76", "/address"), ("M-76", "/state")}


@pytest.mark.parametrize(
    ("step", "over"),
    [
        (locations.to_2_2, to_2_2(destination=Quirks(lengths="errata"))),
        (locations.to_2_3_0, to_2_3_0()),
        (locations.from_2_3_0, from_2_3_0()),
        (locations.from_2_3_0, crossing(Version.V2_3_0, Version.V2_2)),
        (locations.from_2_3_0, crossing(Version.V2_3_0, Version.V2_1_1, destination=Quirks(lengths="original"))),
    ],
)
def test_other_texts_are_not_cut_and_none_halfway(step: Step, over: Crossing) -> None:
    body = {"address": ADDRESS, "state": "Barcelona, Catalunya, Espanya"}
    assert step(body, over) == body
    assert over.losses == []


def test_nothing_else_changes_on_the_way_to_2_3_0() -> None:
    body = {"id": "PK3", "publish": False, "publish_allowed_to": [{"type": "RFID"}], "facilities": ["WIFI"]}
    assert locations.to_2_3_0(body, to_2_3_0()) == body


def test_an_unpublished_location_goes_to_2_2_and_2_2_1_as_it_is() -> None:
    body = {"id": "P1", "publish": False}
    assert locations.to_2_2(body, to_2_2()) == locations.from_2_3_0(body, from_2_3_0()) == body


@pytest.mark.parametrize(
    ("step", "make", "plug"), [(locations.to_2_2, to_2_2, "GBT_AC"), (locations.from_2_3_0, from_2_3_0, "MCS")]
)
def test_an_evse_without_a_plug_of_the_receiver_is_left_out(
    step: Step, make: Callable[..., Crossing], plug: str
) -> None:
    over = make()
    assert step({"id": "PK5", "evses": [{"uid": "H1", "connectors": [{"standard": plug}]}]}, over) == {
        "id": "PK5",
        "evses": [],
    }
    assert losses(over) == {("M-33", "/evses/0/connectors/0"), ("M-34", "/evses/0")}


def test_what_2_3_0_added_goes_and_stays_for_a_receiver_that_wants_it() -> None:
    body = {"id": "PK9", "help_phone": "+3225550101", "parking_places": [{"id": "P1"}], "what3words": "a.b.c"}
    over = from_2_3_0()
    assert locations.from_2_3_0(body, over) == {"id": "PK9", "what3words": "a.b.c"}
    assert losses(over) == {("M-20", "/parking_places"), ("M-21", "/help_phone")}
    assert locations.from_2_3_0(body, from_2_3_0(destination=Quirks(additive="keep"))) == body


def test_a_kind_of_place_that_2_2_1_does_not_have_goes_and_is_cleared_in_a_patch() -> None:
    over = from_2_3_0()
    assert locations.from_2_3_0({"parking_type": "ROOFTOP"}, over) == {}
    assert locations.from_2_3_0({"parking_type": "ROOFTOP"}, from_2_3_0(patch=True)) == {"parking_type": None}
    assert losses(over) == {("M-29", "/parking_type")}


def test_a_facility_that_2_2_1_does_not_have_goes() -> None:
    over = from_2_3_0()
    assert locations.from_2_3_0({"facilities": ["SAUNA", "WIFI"]}, over) == {"facilities": ["WIFI"]}
    assert losses(over) == {("M-28", "/facilities/0")}


def test_images_logos_impacts_and_tokens_keep_to_the_values_of_2_2_1() -> None:
    over = from_2_3_0()
    body = {
        "images": [{"category": "MAP"}],
        "operator": {"logo": {"category": "MASCOT"}},
        "suboperator": {"logo": {"category": "OPERATOR"}},
        "energy_mix": {"environ_impact": [{"category": "METHANE"}]},
        "publish_allowed_to": [{"type": "EMAID"}, {"type": "FACE"}, {"group_id": "staff"}],
    }
    assert locations.from_2_3_0(body, over) == {
        "images": [{"category": "OTHER"}],
        "operator": {"logo": {"category": "OTHER"}},
        "suboperator": {"logo": {"category": "OPERATOR"}},
        "energy_mix": {"environ_impact": []},
        "publish_allowed_to": [{"type": "OTHER"}, {"type": "OTHER"}, {"group_id": "staff"}],
    }
    assert losses(over) == {
        ("M-30", "/images/0/category"),
        ("M-30", "/operator/logo/category"),
        ("M-31", "/energy_mix/environ_impact/0"),
        ("M-40", "/publish_allowed_to/0/type"),
        ("M-41", "/publish_allowed_to/1/type"),
    }
