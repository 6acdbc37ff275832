"""Connectors between versions."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import connectors
from routing.translation.crossing import Crossing
from routing.translation.enums import VALUES
from routing.translation.questions import Published, TariffFacts, TariffSeen
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, crossing, losses_of

UPDATED = "2024-02-04T00:00:00Z"
ADH = TariffFacts("AD_HOC_PAYMENT", None, None)
GRN = TariffFacts("PROFILE_GREEN", None, None)
REG = TariffFacts("REGULAR", None, "2024-12-31T00:00:00Z")
OLD = TariffFacts(None, None, "2024-01-31T00:00:00Z")
LATER = TariffFacts(None, "2024-06-01T12:00:01Z", None)
PLUGS = VALUES["ConnectorType"]


def upwards(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_1_1, Version.V2_2_1, **more)


def to_2_2(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_2, **more)


def from_2_3_0(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_3_0, Version.V2_2_1, **more)


def seen(**tariffs: TariffFacts) -> dict[Any, Any]:
    return {TariffSeen(CPO, name): facts for name, facts in tariffs.items()}


def test_a_connector_of_2_1_1_gets_the_newer_names_in_their_places() -> None:
    body = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "voltage": 230,
        "amperage": 16,
        "tariff_id": "T-A",
        "sticker": "blue",
        "last_updated": UPDATED,
    }
    over = upwards()
    connector = connectors.from_2_1_1(body, over)
    assert connector == {
        "id": "1",
        "standard": "IEC_62196_T2",
        "max_voltage": 230,
        "max_amperage": 16,
        "tariff_ids": ["T-A"],
        "sticker": "blue",
        "last_updated": UPDATED,
    }
    assert list(connector) == ["id", "standard", "max_voltage", "max_amperage", "tariff_ids", "sticker", "last_updated"]
    assert over.losses == []
    assert connectors.to_2_1_1(connector, crossing()) == body


def test_no_tariff_is_nothing_in_a_whole_connector_and_an_empty_list_in_a_patch() -> None:
    assert connectors.from_2_1_1({"tariff_id": None}, upwards()) == {}
    over = upwards(patch=True)
    assert connectors.from_2_1_1({"tariff_id": None}, over) == {
        "tariff_ids": [],
        "last_updated": "2024-06-01T12:00:00Z",
    }
    assert losses_of(over) == [("L-07", "/last_updated")]


def test_a_patch_of_2_1_1_keeps_its_own_last_updated_and_an_empty_one_gets_none() -> None:
    over = upwards(patch=True)
    assert connectors.from_2_1_1({"last_updated": UPDATED}, over) == {"last_updated": UPDATED}
    assert connectors.from_2_1_1({}, over) == {}
    assert over.losses == []


def test_a_2_1_1_sender_that_is_ahead_keeps_its_newer_members_if_they_are_valid() -> None:
    over = upwards()
    body = {"max_voltage": 400, "max_amperage": "many", "tariff_ids": ["A", "B"], "max_electric_power": 22000}
    assert connectors.from_2_1_1(body, over) == {
        "max_voltage": 400,
        "tariff_ids": ["A", "B"],
        "max_electric_power": 22000,
    }
    assert losses_of(over) == [("L-01", "/max_amperage")]


def test_where_2_1_1_sends_both_names_its_own_one_counts() -> None:
    assert connectors.from_2_1_1({"max_voltage": 400, "voltage": 230}, upwards()) == {"max_voltage": 230}


def test_2_1_1_gets_its_names_and_no_power() -> None:
    over = crossing()
    body = {"max_voltage": 240, "max_amperage": 40, "max_electric_power": 7200, "last_updated": UPDATED}
    assert connectors.to_2_1_1(body, over) == {"voltage": 240, "amperage": 40, "last_updated": UPDATED}
    assert losses_of(over) == [("L-23", "/max_electric_power")]


def test_2_1_1_gets_the_power_where_it_wants_it() -> None:
    over = crossing(destination=Quirks(keep_fields=("connector.max_electric_power",)))
    assert connectors.to_2_1_1({"max_electric_power": 7200}, over) == {"max_electric_power": 7200}
    assert over.losses == []


def test_a_newer_sender_that_is_behind_keeps_its_older_members_if_they_are_valid() -> None:
    over = crossing()
    assert connectors.to_2_1_1({"voltage": 230, "amperage": None, "tariff_id": 11}, over) == {
        "voltage": 230,
        "amperage": None,
    }
    assert losses_of(over) == [("L-01", "/tariff_id")]


@pytest.mark.parametrize("power_type", ["AC_2_PHASE", "AC_2_PHASE_SPLIT"])
def test_two_phases_are_understated_before_2_2_1(power_type: str) -> None:
    body = {"power_type": power_type}
    over, older = crossing(), to_2_2()
    assert connectors.to_2_1_1(body, over) == connectors.to_2_2(body, older) == {"power_type": "AC_1_PHASE"}
    assert (losses_of(over), losses_of(older)) == ([("L-22", "/power_type")], [("M-90", "/power_type")])


@pytest.mark.parametrize("power_type", ["AC_1_PHASE", "AC_3_PHASE", "DC", "SOLAR", None, ["DC"]])
def test_other_power_types_pass(power_type: object) -> None:
    body = {"power_type": power_type}
    assert connectors.to_2_1_1(body, crossing()) == body
    assert connectors.to_2_2(body, to_2_2()) == body


def test_a_receiver_that_agreed_to_two_phases_gets_them() -> None:
    agreed = Quirks(extra_enum_values={"PowerType": ("AC_2_PHASE",)})
    assert connectors.to_2_2({"power_type": "AC_2_PHASE"}, to_2_2(destination=agreed)) == {"power_type": "AC_2_PHASE"}


@pytest.mark.parametrize(
    ("ids", "known", "chosen"),
    [
        (["ADH", "GRN", "REG"], {"ADH": ADH, "GRN": GRN, "REG": REG}, "REG"),
        (["ADH", "GRN"], {}, "ADH"),
        (["ADH", "GRN"], {"ADH": ADH}, "GRN"),
        (["GRN", "NEW"], {"GRN": GRN}, "NEW"),
        (["OLD", "GRN"], {"OLD": OLD, "GRN": GRN}, "GRN"),
        (["LATER", "REG"], {"LATER": LATER, "REG": REG}, "REG"),
        (["OLD", "LATER"], {"OLD": OLD, "LATER": LATER}, "OLD"),
        (["ODD", "GRN"], {"ODD": TariffFacts(None, "long ago", None), "GRN": GRN}, "ODD"),
        (["ADH", 7, "GRN"], {"ADH": ADH}, "GRN"),
    ],
)
def test_of_several_tariffs_2_1_1_gets_that_of_a_driver_without_wishes(
    ids: list[Any], known: dict[str, TariffFacts], chosen: str
) -> None:
    over = crossing(known=seen(**known))
    assert connectors.to_2_1_1({"tariff_ids": ids}, over) == {"tariff_id": chosen}
    assert losses_of(over) == [("L-24", "/tariff_ids")]


def test_one_tariff_is_no_loss() -> None:
    over = crossing(known=seen(OLD=OLD))
    assert connectors.to_2_1_1({"tariff_ids": ["OLD"]}, over) == {"tariff_id": "OLD"}
    assert over.losses == []


def test_the_price_of_a_card_terminal_is_never_shown_not_even_alone() -> None:
    over = crossing(known=seen(ADH=ADH))
    assert connectors.to_2_1_1({"tariff_ids": ["ADH"]}, over) == {}
    assert losses_of(over) == [("L-24", "/tariff_ids")]
    patch = crossing(known=seen(ADH=ADH), patch=True)
    assert connectors.to_2_1_1({"tariff_ids": ["ADH"]}, patch) == {"tariff_id": None}


@pytest.mark.parametrize("nothing", [None, []])
def test_an_empty_list_of_tariffs_asks_nothing_and_clears_in_a_patch(nothing: object) -> None:
    over, patch = crossing(), crossing(patch=True)
    assert connectors.to_2_1_1({"tariff_ids": nothing}, over) == {}
    assert connectors.to_2_1_1({"tariff_ids": nothing}, patch) == {"tariff_id": None}
    assert over.losses == patch.losses == []
    assert over.asked == []


def test_what_is_known_of_every_tariff_is_asked_for() -> None:
    over = crossing()
    connectors.to_2_1_1({"tariff_ids": ["A", "B"]}, over)
    assert over.asked == [TariffSeen(CPO, "A"), TariffSeen(CPO, "B")]


@pytest.mark.parametrize("standard", [*sorted(PLUGS[Version.V2_1_1]), "HOME_MADE"])
def test_a_plug_of_both_versions_or_of_none_passes_to_2_1_1(standard: str) -> None:
    assert connectors.to_2_1_1({"standard": standard}, crossing()) == {"standard": standard}


@pytest.mark.parametrize("standard", sorted(PLUGS[Version.V2_2_1] - PLUGS[Version.V2_1_1]))
@pytest.mark.parametrize("patch", [False, True])
def test_a_connector_with_a_plug_that_2_1_1_does_not_have_is_refused(standard: str, patch: bool) -> None:
    with pytest.raises(Untranslatable, match=f"RF-04: the connector standard {standard} cannot be") as refused:
        connectors.to_2_1_1({"standard": standard}, crossing(patch=patch))
    assert refused.value.ocpi_status == 4000


@pytest.mark.parametrize("standard", sorted(PLUGS[Version.V2_2_1] - PLUGS[Version.V2_2]))
def test_a_connector_with_a_plug_that_2_2_does_not_have_is_refused(standard: str) -> None:
    with pytest.raises(Untranslatable, match="M-35"):
        connectors.to_2_2({"standard": standard}, to_2_2())


@pytest.mark.parametrize("standard", ["PANTOGRAPH_TOP_DOWN", "MCS", None])
def test_other_plugs_pass_to_2_2(standard: str | None) -> None:
    assert connectors.to_2_2({"standard": standard}, to_2_2()) == {"standard": standard}


@pytest.mark.parametrize("standard", ["MCS", "HOME_MADE"])
def test_a_connector_with_a_plug_that_2_2_1_does_not_have_is_refused(standard: str) -> None:
    with pytest.raises(Untranslatable, match=f"M-35: the connector standard {standard} has no value in OCPI 2.2.1"):
        connectors.from_2_3_0({"standard": standard}, from_2_3_0())


def test_j3400_goes_by_the_name_it_had_before() -> None:
    over = from_2_3_0()
    assert connectors.from_2_3_0({"standard": "SAE_J3400"}, over) == {"standard": "TESLA_S"}
    assert losses_of(over) == [("M-32", "/standard")]


@pytest.mark.parametrize(
    "agreed",
    [Quirks(enum_passthrough=True), Quirks(extra_enum_values={"ConnectorType": ("MCS", "SAE_J3400", "GBT_DC")})],
)
def test_a_receiver_that_agreed_to_a_plug_gets_it(agreed: Quirks) -> None:
    for standard in ("MCS", "SAE_J3400"):
        over = from_2_3_0(destination=agreed)
        assert connectors.from_2_3_0({"standard": standard}, over) == {"standard": standard}
        assert over.losses == []
    assert connectors.to_2_1_1({"standard": "GBT_DC"}, crossing(destination=agreed)) == {"standard": "GBT_DC"}
    assert connectors.to_2_2({"standard": "GBT_DC"}, to_2_2(destination=agreed)) == {"standard": "GBT_DC"}


def test_capabilities_of_a_connector_are_new_in_2_3_0() -> None:
    body = {"id": "1", "capabilities": ["ISO_15118_2_PLUG_AND_CHARGE"]}
    over = from_2_3_0()
    assert connectors.from_2_3_0(body, over) == {"id": "1"}
    assert losses_of(over) == [("M-24", "/capabilities")]
    assert connectors.from_2_3_0(body, from_2_3_0(destination=Quirks(additive="keep"))) == body
    assert connectors.from_2_3_0(body, from_2_3_0(destination=Quirks(keep_fields=("connector.capabilities",)))) == body


@pytest.mark.parametrize(
    ("standard", "power_type", "folded"),
    [
        ("GBT_DC", "DC", "IEC_62196_T2_COMBO"),
        ("NEMA_14_50", "AC_2_PHASE_SPLIT", "IEC_62196_T2"),
        ("CHAOJI", None, "IEC_62196_T2"),
        ("CHADEMO", "DC", "CHADEMO"),
        ("HOME_MADE", "DC", "HOME_MADE"),
    ],
)
def test_a_record_names_the_likeliest_plug_that_2_1_1_has(standard: str, power_type: object, folded: str) -> None:
    assert connectors.folded_standard(standard, power_type) == folded


@pytest.mark.parametrize(("answer", "ocpi", "http"), [(False, 4000, 200), (True, 2003, 404)])
def test_what_happens_at_a_location_that_is_not_published_stays_from_2_1_1(answer: bool, ocpi: int, http: int) -> None:
    over = crossing(object_ids=("L1", "E1", "1"), known={Published(CPO, "L1"): False}, answer=answer)
    with pytest.raises(Untranslatable, match="RF-03") as refused:
        connectors.to_2_1_1({"id": "1"}, over)
    assert (refused.value.ocpi_status, refused.value.http_status) == (ocpi, http)


@pytest.mark.parametrize("known", [{}, {Published(CPO, "L1"): True}, {Published(CPO, "L1"): None}])
def test_what_is_not_known_to_be_unpublished_goes_on(known: dict[Any, Any]) -> None:
    over = crossing(object_ids=("L1", "E1", "1"), known=known)
    assert connectors.to_2_1_1({"id": "1"}, over) == {"id": "1"}
    assert over.asked == ([] if known else [Published(CPO, "L1")])


def test_a_step_leaves_its_input_as_it_is() -> None:
    body = {"max_voltage": 230, "standard": "SAE_J3400", "tariff_ids": ["A", "B"], "power_type": "AC_2_PHASE"}
    before = {**body}
    connectors.to_2_1_1(body, crossing())
    connectors.to_2_2(body, to_2_2())
    connectors.from_2_3_0(body, from_2_3_0())
    assert body == before
