"""EVSEs between versions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import evses
from routing.translation.crossing import Crossing, Step
from routing.translation.enums import VALUES
from routing.translation.questions import Published, Question
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, crossing, losses_of

UPDATED = "2024-02-05T00:00:00Z"
CAPABILITIES = VALUES["Capability"]


def upwards(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_1_1, Version.V2_2_1, **more)


def to_2_2(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_2, **more)


def from_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_3_0, Version.V2_2_1, **more)


def evse(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of an EVSE
    return {"uid": "G1", "status": "AVAILABLE", **more, "last_updated": UPDATED}


def test_an_evse_of_2_1_1_goes_up_with_its_connectors_and_what_is_not_of_ocpi() -> None:
    body = evse(evse_id="NL*CPO*G1", colour="red", connectors=[{"id": "1", "voltage": 230, "tariff_id": None}])
    over = upwards()
    expected = evse(evse_id="NL*CPO*G1", colour="red", connectors=[{"id": "1", "max_voltage": 230}])
    assert evses.from_2_1_1(body, over) == expected
    assert over.losses == []


def test_a_patch_of_an_evse_has_whole_connectors_in_it() -> None:
    over = upwards(patch=True)
    body = {"connectors": [{"id": "1", "tariff_id": None}]}
    assert evses.from_2_1_1(body, over) == {"connectors": [{"id": "1"}], "last_updated": "2024-06-01T12:00:00Z"}
    assert losses_of(over) == [("L-07", "/last_updated")]


def test_a_status_goes_up_as_it_is() -> None:
    body = {"status": "CHARGING", "last_updated": "2024-03-01T08:59:58Z"}
    assert evses.from_2_1_1(body, upwards(patch=True)) == body


def test_a_uid_of_38_characters_cannot_go_up() -> None:
    with pytest.raises(Untranslatable, match="RF-01: uid has 38 characters"):
        evses.from_2_1_1({"uid": "x" * 38}, upwards())


def test_a_moment_too_long_for_ocpi_loses_digits_also_in_a_schedule() -> None:
    over = upwards()
    body = {"status_schedule": [{"period_begin": "2024-03-01T08:59:58.123456789Z", "status": "CLOSED"}]}
    assert evses.from_2_1_1(body, over)["status_schedule"][0]["period_begin"] == "2024-03-01T08:59:58.1234Z"
    assert losses_of(over) == [("L-02", "/status_schedule/0/period_begin")]


@pytest.mark.parametrize("capability", [*sorted(CAPABILITIES[Version.V2_1_1]), "TELEPATHY"])
def test_a_capability_of_both_versions_or_of_none_passes_to_2_1_1(capability: str) -> None:
    body = {"capabilities": [capability]}
    assert evses.to_2_1_1(body, crossing()) == body


@pytest.mark.parametrize("capability", sorted(CAPABILITIES[Version.V2_2_1] - CAPABILITIES[Version.V2_1_1]))
def test_a_capability_that_2_1_1_does_not_have_goes_and_may_leave_an_empty_list(capability: str) -> None:
    over = crossing(patch=True)
    assert evses.to_2_1_1({"capabilities": [capability]}, over) == {"capabilities": []}
    assert losses_of(over) == [("L-20", "/capabilities/0")]


def test_the_capability_that_2_2_does_not_have_goes() -> None:
    over = to_2_2(patch=True)
    body = {"capabilities": ["REMOTE_START_STOP_CAPABLE", "START_SESSION_CONNECTOR_REQUIRED", "PED_TERMINAL"]}
    assert evses.to_2_2(body, over) == {"capabilities": ["REMOTE_START_STOP_CAPABLE", "PED_TERMINAL"]}
    assert losses_of(over) == [("M-89", "/capabilities/1")]


def test_a_capability_that_2_2_1_does_not_have_goes() -> None:
    over = from_2_3_0(patch=True)
    body = {"capabilities": ["BIDIRECTIONAL_CAPABLE"], "last_updated": UPDATED}
    assert evses.from_2_3_0(body, over) == {"capabilities": [], "last_updated": UPDATED}
    assert losses_of(over) == [("M-27", "/capabilities/0")]


def test_capabilities_that_the_receiver_agreed_to_stay() -> None:
    agreed = Quirks(extra_enum_values={"Capability": ("BIDIRECTIONAL_CAPABLE", "PED_TERMINAL")})
    body = {"capabilities": ["BIDIRECTIONAL_CAPABLE", "PED_TERMINAL"]}
    assert evses.from_2_3_0(body, from_2_3_0(destination=agreed)) == body
    assert evses.to_2_1_1(body, crossing(destination=agreed)) == body


@pytest.mark.parametrize("patch", [False, True])
@pytest.mark.parametrize(
    ("step", "make", "plug", "loss"),
    [
        (evses.to_2_1_1, crossing, "GBT_DC", "L-21"),
        (evses.to_2_2, to_2_2, "GBT_DC", "M-33"),
        (evses.from_2_3_0, from_2_3_0, "MCS", "M-33"),
    ],
)
def test_a_connector_with_a_plug_that_cannot_be_said_is_left_out(
    step: Step, make: Callable[..., Crossing], plug: str, loss: str, patch: bool
) -> None:
    over = make(patch=patch)
    body = {"connectors": [{"id": "1", "standard": plug}, {"id": "2", "standard": "CHADEMO"}, {"id": "3"}, "?"]}
    assert step(body, over) == {"connectors": [{"id": "2", "standard": "CHADEMO"}, {"id": "3"}, "?"]}
    assert losses_of(over) == [(loss, "/connectors/0")]


@pytest.mark.parametrize("patch", [False, True])
@pytest.mark.parametrize(
    ("step", "make", "plug", "refusal"),
    [
        (evses.to_2_1_1, crossing, "PANTOGRAPH_TOP_DOWN", "RF-04: no connector of this EVSE can be expressed"),
        (evses.to_2_2, to_2_2, "NEMA_5_20", "M-35: no connector of this EVSE can be expressed in OCPI 2.2"),
        (evses.from_2_3_0, from_2_3_0, "MCS", "M-35: no connector of this EVSE can be expressed in OCPI 2.2.1"),
    ],
)
def test_an_evse_without_any_plug_that_can_be_said_is_refused(
    step: Step, make: Callable[..., Crossing], plug: str, refusal: str, patch: bool
) -> None:
    with pytest.raises(Untranslatable, match=refusal) as refused:
        step({"connectors": [{"id": "1", "standard": plug}]}, make(patch=patch))
    assert refused.value.ocpi_status == 4000


@pytest.mark.parametrize("connectors", [[], None, "?"])
def test_an_evse_that_came_without_connectors_is_for_the_receiver_to_judge(connectors: object) -> None:
    body = {"connectors": connectors}
    assert evses.to_2_1_1(body, crossing()) == body
    assert evses.to_2_2(body, to_2_2()) == body
    assert evses.from_2_3_0(body, from_2_3_0()) == body


def test_losses_inside_of_a_connector_are_told_where_it_was() -> None:
    over = crossing()
    body = {"connectors": [{"standard": "GBT_AC"}, {"standard": "CHADEMO", "max_electric_power": 50000}]}
    assert evses.to_2_1_1(body, over) == {"connectors": [{"standard": "CHADEMO"}]}
    assert losses_of(over) == [("L-21", "/connectors/0"), ("L-23", "/connectors/1/max_electric_power")]


def test_the_connectors_in_a_patch_are_whole() -> None:
    over = crossing(patch=True)
    assert evses.to_2_1_1({"connectors": [{"id": "1", "tariff_ids": []}]}, over) == {"connectors": [{"id": "1"}]}
    assert over.patch


def test_coordinates_and_moments_suit_2_1_1() -> None:
    over = crossing(destination=Quirks(no_fraction=True))
    body = {"coordinates": {"latitude": "52.1234567"}, "last_updated": "2024-02-05T00:00:00.5Z"}
    assert evses.to_2_1_1(body, over) == {"coordinates": {"latitude": "52.123457"}, "last_updated": UPDATED}
    assert losses_of(over) == [("L-15", "/coordinates/latitude"), ("L-02", "/last_updated")]


def test_texts_are_spelled_in_ascii_for_a_receiver_that_wants_it() -> None:
    over = crossing(destination=Quirks(ascii_only=True))
    body = evse(
        evse_id="É", floor_level="1é", physical_reference="Tür 2", directions=[{"language": "de", "text": "Süd"}]
    )
    assert evses.to_2_1_1(body, over) == evse(
        evse_id="É", floor_level="1e", physical_reference="Tur 2", directions=[{"language": "de", "text": "Sud"}]
    )


def test_parking_and_providers_are_new_in_2_3_0() -> None:
    body = evse(parking=[{"parking_id": "P1"}], accepted_service_providers=["Voltfare"])
    over = from_2_3_0()
    assert evses.from_2_3_0(body, over) == evse()
    assert losses_of(over) == [("M-22", "/parking"), ("M-23", "/accepted_service_providers")]
    assert evses.from_2_3_0(body, from_2_3_0(destination=Quirks(additive="keep"))) == body


def test_a_patch_of_nothing_but_parking_still_says_when() -> None:
    over = from_2_3_0(patch=True)
    body = {"parking": [{"parking_id": "P2"}], "last_updated": UPDATED}
    assert evses.from_2_3_0(body, over) == {"last_updated": UPDATED}


@pytest.mark.parametrize(
    ("restrictions", "expected", "losses"),
    [
        (["TENANTS", "PLUGGED", "EMPLOYEES", "TAXIS"], ["CUSTOMERS", "PLUGGED"], ["M-25/0", "M-25/2", "M-26/3"]),
        (["PLUGGED", "CUSTOMERS", "TENANTS"], ["PLUGGED", "CUSTOMERS"], ["M-25/2"]),
        (["TENANTS", "CUSTOMERS"], ["CUSTOMERS"], ["M-25/0"]),
        (["POETS"], [], ["M-26/0"]),
        (["PLUGGED", "TAXIS", "PLUGGED"], ["PLUGGED", "PLUGGED"], ["M-26/1"]),
        (
            ["EV_ONLY", "PLUGGED", "DISABLED", "MOTORCYCLES", 7],
            ["EV_ONLY", "PLUGGED", "DISABLED", "MOTORCYCLES", 7],
            [],
        ),
    ],
)
def test_places_for_some_people_are_for_customers_and_other_restrictions_go(
    restrictions: list[Any], expected: list[Any], losses: list[str]
) -> None:
    over = from_2_3_0()
    assert evses.from_2_3_0({"parking_restrictions": restrictions}, over) == {"parking_restrictions": expected}
    assert [loss.id + loss.pointer.removeprefix("/parking_restrictions") for loss in over.losses] == losses


def test_restrictions_that_the_receiver_agreed_to_stay() -> None:
    over = from_2_3_0(destination=Quirks(extra_enum_values={"ParkingRestriction": ("TAXIS",)}))
    assert evses.from_2_3_0({"parking_restrictions": ["TAXIS", "TENANTS"]}, over) == {
        "parking_restrictions": ["TAXIS", "CUSTOMERS"]
    }


def test_images_of_an_evse_keep_to_the_kinds_of_2_2_1() -> None:
    over = from_2_3_0()
    assert evses.from_2_3_0({"images": [{"category": "MAP"}]}, over) == {"images": [{"category": "OTHER"}]}
    assert losses_of(over) == [("M-30", "/images/0/category")]


def test_what_happens_at_a_location_that_is_not_published_stays_from_2_1_1() -> None:
    body, ids = {"status": "CHARGING"}, ("L1", "E1")
    hidden: dict[Question[Any], Any] = {Published(CPO, "L1"): False}
    with pytest.raises(Untranslatable, match="RF-03"):
        evses.to_2_1_1(body, crossing(object_ids=ids, known=hidden, patch=True))
    allowed = crossing(object_ids=ids, known=hidden, patch=True, destination=Quirks(forward_unpublished=True))
    assert evses.to_2_1_1(body, allowed) == body


def test_a_session_has_a_plug_that_2_1_1_knows() -> None:
    over = crossing()
    body = {"connectors": [{"standard": "GBT_DC", "power_type": "DC"}, {"standard": "CHADEMO"}]}
    assert evses.folded(body, over) == {
        "connectors": [{"standard": "IEC_62196_T2_COMBO", "power_type": "DC"}, {"standard": "CHADEMO"}]
    }
    assert losses_of(over) == [("L-58", "/connectors/0/standard")]


def test_a_step_leaves_its_input_as_it_is() -> None:
    body = evse(
        capabilities=["PED_TERMINAL", "BIDIRECTIONAL_CAPABLE"],
        parking_restrictions=["TENANTS"],
        parking=[{"parking_id": "P1"}],
        coordinates={"latitude": "52.1", "longitude": "4.1"},
        connectors=[{"standard": "CHADEMO", "max_voltage": 1, "power_type": "AC_2_PHASE"}, {"standard": "GBT_DC"}],
    )
    before = copy.deepcopy(body)
    evses.to_2_1_1(body, crossing())
    evses.to_2_2(body, to_2_2())
    evses.from_2_3_0(body, from_2_3_0())
    evses.from_2_1_1(body, upwards())
    assert body == before
