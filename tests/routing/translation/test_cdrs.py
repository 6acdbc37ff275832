"""CDRs between versions. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "CDRs"."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import cdrs
from routing.translation.crossing import Crossing, Json
from routing.translation.questions import (
    AuthorizationReference,
    ChosenToken,
    CreditedSession,
    Question,
    SessionOfCdr,
    TokenFacts,
    TokensOfUid,
)
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, EMSP, crossing, losses_of, lost

V211, V22, V221, V230 = Version.V2_1_1, Version.V2_2, Version.V2_2_1, Version.V2_3_0
START, END, SENT = "2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z", "2024-05-01T11:05:00Z"
PLUG: Json = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "CABLE",
    "power_type": "AC_3_PHASE",
    "voltage": 0,
    "amperage": 0,
    "tariff_id": "T1",
    "last_updated": START,
}
LOCATION: Json = {
    "id": "L1",
    "address": "Kade 7",
    "city": "Zwolle",
    "postal_code": "8011 AB",
    "country": "NLD",
    "coordinates": {"latitude": "52.512345", "longitude": "6.090001"},
    "type": "UNKNOWN",
    "evses": [{"uid": "E1", "evse_id": "NL*CPO*E1", "status": "UNKNOWN", "connectors": [PLUG], "last_updated": START}],
    "last_updated": START,
}
PLACE: Json = {
    "id": "L1",
    "address": "Kade 7",
    "city": "Zwolle",
    "postal_code": "8011 AB",
    "country": "NLD",
    "coordinates": {"latitude": "52.512345", "longitude": "6.090001"},
    "evse_uid": "E1",
    "evse_id": "NL*CPO*E1",
    "connector_id": "1",
    "connector_standard": "IEC_62196_T2",
    "connector_format": "CABLE",
    "connector_power_type": "AC_3_PHASE",
}
TOKEN: Json = {"country_code": "DE", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "DE-MSP-C1"}
PERIOD: Json = {"start_date_time": START, "dimensions": [{"type": "ENERGY", "volume": Decimal("8.5")}]}
TOTALS: Json = {"currency": "EUR", "total_energy": Decimal("8.5"), "total_time": 1, "last_updated": SENT}
OLDER: Json = {
    "id": "C1",
    "start_date_time": START,
    "stop_date_time": END,
    "auth_id": "DE-MSP-C1",
    "auth_method": "WHITELIST",
    "location": LOCATION,
    "charging_periods": [PERIOD],
    "total_cost": Decimal("4.00"),
    **TOTALS,
}
NEWER: Json = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "C1",
    "start_date_time": START,
    "end_date_time": END,
    "session_id": "S1",
    "cdr_token": TOKEN,
    "auth_method": "WHITELIST",
    "cdr_location": PLACE,
    "charging_periods": [{**PERIOD, "tariff_id": "T1"}],
    "total_cost": {"excl_vat": Decimal("4.00")},
    **TOTALS,
}
SESSION = SessionOfCdr(CPO, START, "DE-MSP-C1", "L1")
FACTS = TokenFacts(EMSP, "04A1", "RFID", "DE-MSP-C1", valid=True, last_updated=START)
KNOWN: dict[Question[Any], Any] = {SESSION: "S1", ChosenToken(CPO, "S1"): FACTS}


def tariff(**members: Any) -> Json:  # noqa: ANN401 - any JSON
    elements = [{"price_components": [{"type": "ENERGY", "price": Decimal("0.25"), "vat": 21, "step_size": 1}]}]
    return {"id": "T1", "currency": "EUR", "elements": elements, "last_updated": START, **members}


def from_2_1_1(body: Json, over: Crossing | None = None) -> Json:
    return cdrs.from_2_1_1(body, over or crossing(V211, V221, known=KNOWN))


def to_2_1_1(body: Json, over: Crossing | None = None) -> Json:
    return cdrs.to_2_1_1(body, over or crossing())


def to_2_2(body: Json, **quirks: Any) -> Json:  # noqa: ANN401 - the settings of each test
    return cdrs.to_2_2(body, crossing(V221, V22, destination=Quirks(**quirks)))


def from_2_3_0(body: Json, **quirks: Any) -> Json:  # noqa: ANN401 - the settings of each test
    return cdrs.from_2_3_0(body, crossing(V230, V221, destination=Quirks(**quirks)))


def without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def told(over: Crossing) -> set[tuple[str, str]]:
    return set(losses_of(over))


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def test_a_cdr_of_2_1_1_becomes_one_of_2_2_1() -> None:
    over = crossing(V211, V221, known=KNOWN)

    assert from_2_1_1(OLDER, over) == NEWER
    assert told(over) == {("L-57", "/location"), ("L-31", "/auth_id"), ("L-42", "/charging_periods/0/tariff_id")}


def test_the_digits_of_a_total_stay() -> None:
    assert str(from_2_1_1(OLDER)["total_cost"]["excl_vat"]) == "4.00"


def test_the_session_is_absent_where_none_is_known() -> None:
    over = crossing(V211, V221)

    assert "session_id" not in from_2_1_1(OLDER, over)
    assert SESSION in over.asked
    assert ("L-50", "/session_id") in told(over)


@pytest.mark.parametrize("missing", ["start_date_time", "location.id"])
def test_no_session_is_looked_for_without_start_and_location(missing: str) -> None:
    body = {**without(OLDER, missing), "location": without(LOCATION, missing.removeprefix("location."))}
    over = crossing(V211, V221)

    from_2_1_1(body, over)

    assert not any(isinstance(question, SessionOfCdr) for question in over.asked)


def test_a_sender_ahead_of_its_version_names_the_session_itself() -> None:
    over = crossing(V211, V221)

    assert from_2_1_1({**OLDER, "session_id": "S9"}, over)["session_id"] == "S9"
    assert ChosenToken(CPO, "S9") in over.asked
    assert SESSION not in over.asked


def test_the_authorization_of_the_session_is_referred_to() -> None:
    given = AuthorizationReference(CPO, EMSP, "04A1", "RFID", "S1", START, "L1")
    over = crossing(V211, V221, known={**KNOWN, given: "ref-1"})

    assert from_2_1_1(OLDER, over)["authorization_reference"] == "ref-1"


@pytest.mark.parametrize(
    ("tariffs", "connector", "tariff_id"),
    [
        ([tariff(id="T9")], "T1", "T9"),
        ([tariff(id="T1"), tariff(id="T9")], "t9", "t9"),
        ([tariff(id="T1"), tariff(id="T9")], "T5", None),
        ([], "T1", "T1"),
        (None, None, None),
    ],
)
def test_the_tariff_of_the_periods_is_derived(
    tariffs: list[Json] | None, connector: str | None, tariff_id: str | None
) -> None:
    [evse] = LOCATION["evses"]
    there = {**LOCATION, "evses": [{**evse, "connectors": [{**PLUG, "tariff_id": connector}]}]}

    [period] = from_2_1_1({**OLDER, "tariffs": tariffs, "location": there})["charging_periods"]

    assert period.get("tariff_id") == tariff_id


def test_the_tariffs_of_a_cdr_have_its_owner() -> None:
    [translated] = from_2_1_1({**OLDER, "tariffs": [tariff()]})["tariffs"]

    assert translated == tariff(country_code="NL", party_id="CPO")


@pytest.mark.parametrize(
    "bad",
    [
        {"location": None},
        {"auth_id": None},
        {"total_cost": None},
        {"total_cost": "free"},
        {"total_cost": {"incl_vat": 1}},
    ],
)
def test_a_bill_says_who_pays_where_and_how_much(bad: Json) -> None:
    with pytest.raises(Untranslatable) as refused:
        from_2_1_1({**OLDER, **bad})

    assert (refused.value.rule, refused.value.ocpi_status) == ("RF-02", 2001)


def test_a_total_may_be_a_text_that_is_a_number() -> None:
    assert from_2_1_1({**OLDER, "total_cost": "4.00"}) == NEWER


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("signed_data", {"encoding_method": "OCMF", "signed_values": [{}]}, {"encoding_method": "OCMF"}),
        ("total_energy_cost", {"excl_vat": 1}, 1),
        ("invoice_reference_id", "I" * 39, "I" * 40),
        ("credit", True, "true"),
        ("credit_reference_id", "C0", 7),
        ("home_charging_compensation", False, 0),
    ],
)
def test_members_of_2_2_1_in_a_cdr_of_2_1_1_stay_when_they_are_valid(name: str, good: object, bad: object) -> None:
    over = crossing(V211, V221, known=KNOWN)

    assert from_2_1_1({**OLDER, name: good})[name] == good
    assert name not in from_2_1_1({**OLDER, name: bad}, over)
    assert ("L-01", f"/{name}") in told(over)


def test_a_session_id_that_cannot_be_one_is_left_out() -> None:
    assert from_2_1_1({**OLDER, "session_id": "x" * 37})["session_id"] == "S1"


def test_moments_that_are_too_long_lose_digits() -> None:
    over = crossing(V211, V221, known=KNOWN)

    assert from_2_1_1({**OLDER, "stop_date_time": "2024-05-01T11:00:00.123456Z"}, over)["end_date_time"] == (
        "2024-05-01T11:00:00.1234Z"
    )
    assert ("L-02", "/stop_date_time") in told(over)


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def test_a_cdr_of_2_2_1_becomes_one_of_2_1_1() -> None:
    over = crossing()

    assert to_2_1_1(NEWER, over) == OLDER
    assert told(over) == {
        ("L-06", "/country_code"),
        ("L-06", "/party_id"),
        ("L-50", "/session_id"),
        ("L-30", "/cdr_token"),
        ("L-56", "/cdr_location"),
        ("L-42", "/charging_periods/0/tariff_id"),
    }


def test_members_unknown_to_2_1_1_are_left_out_of_a_cdr() -> None:
    more: Json = {
        "authorization_reference": "ref-1",
        "signed_data": {"encoding_method": "OCMF"},
        "total_fixed_cost": {"excl_vat": 1},
        "total_energy_cost": {"excl_vat": 1},
        "total_time_cost": {"excl_vat": 1},
        "total_parking_cost": {"excl_vat": 1},
        "total_reservation_cost": {"excl_vat": 1},
        "invoice_reference_id": "I1",
        "home_charging_compensation": True,
        "credit": False,
    }
    over = crossing()

    assert to_2_1_1({**NEWER, **more}, over) == OLDER
    assert told(over) >= {
        ("L-33", "/authorization_reference"),
        ("L-51", "/signed_data"),
        ("L-52", "/total_fixed_cost"),
        ("L-52", "/total_energy_cost"),
        ("L-52", "/total_time_cost"),
        ("L-52", "/total_parking_cost"),
        ("L-52", "/total_reservation_cost"),
        ("L-53", "/invoice_reference_id"),
        ("L-54", "/home_charging_compensation"),
        ("L-55", "/credit"),
    }


def test_a_partner_may_keep_members_that_2_1_1_does_not_have() -> None:
    over = crossing(destination=Quirks(keep_fields=("cdr.signed_data", "cdr.cdr_token", "*.party_id")))

    kept = to_2_1_1({**NEWER, "signed_data": {"encoding_method": "OCMF"}}, over)

    assert kept == {**OLDER, "signed_data": {"encoding_method": "OCMF"}, "cdr_token": TOKEN, "party_id": "CPO"}
    assert ("L-51", "/signed_data") not in told(over)


def test_a_command_looks_like_a_question() -> None:
    assert to_2_1_1({**NEWER, "auth_method": "COMMAND"})["auth_method"] == "AUTH_REQUEST"
    assert ("L-32", "/auth_method") in lost(cdrs.to_2_1_1, {**NEWER, "auth_method": "COMMAND"}, crossing())


def test_a_total_loses_its_vat() -> None:
    body = {**NEWER, "total_cost": {"excl_vat": Decimal("4.00"), "incl_vat": 5}}

    assert to_2_1_1(body) == OLDER
    assert ("L-37", "/total_cost/incl_vat") in lost(cdrs.to_2_1_1, body, crossing())


def test_the_tariff_of_the_first_period_that_has_one_is_that_of_the_connector() -> None:
    periods = [PERIOD, {**PERIOD, "tariff_id": "T7"}, {**PERIOD, "tariff_id": "T8"}]

    [evse] = to_2_1_1({**NEWER, "charging_periods": periods})["location"]["evses"]

    assert evse["connectors"][0]["tariff_id"] == "T7"


def test_a_tariff_that_2_1_1_cannot_express_is_left_out_of_a_cdr() -> None:
    current = tariff(id="T2", elements=[{"price_components": [], "restrictions": {"max_current": 16}}])
    over = crossing()

    translated = to_2_1_1({**NEWER, "tariffs": [current, tariff(type="REGULAR")]}, over)["tariffs"]

    assert [each["id"] for each in translated] == ["T1"]
    assert told(over) >= {("L-66", "/tariffs/0"), ("L-60", "/tariffs/1/type")}
    assert not any(pointer.startswith("/tariffs/0/") for _, pointer in told(over))


def test_what_is_no_list_of_tariffs_is_left_to_the_receiver() -> None:
    assert to_2_1_1({**NEWER, "tariffs": "none"})["tariffs"] == "none"
    assert to_2_1_1({**NEWER, "tariffs": [7]})["tariffs"] == [7]


@pytest.mark.parametrize("bad", [{"cdr_token": None}, {"cdr_location": None}, {"total_cost": None}])
def test_a_bill_of_2_2_1_says_who_pays_where_and_how_much(bad: Json) -> None:
    with pytest.raises(Untranslatable, match="RF-02"):
        to_2_1_1({**NEWER, **bad})


def test_an_id_that_2_1_1_cannot_hold_is_refused() -> None:
    with pytest.raises(Untranslatable, match="RF-01"):
        to_2_1_1({**NEWER, "id": "x" * 37})

    assert len(to_2_1_1({**NEWER, "id": "x" * 37}, crossing(destination=Quirks(id_alias=True)))["id"]) == 36


def test_a_remark_is_in_ascii_where_a_partner_wants_it() -> None:
    over = crossing(destination=Quirks(ascii_only=True))

    assert to_2_1_1({**NEWER, "remark": "Câble"}, over)["remark"] == "Cable"


def test_moments_for_2_1_1_lose_digits_under_their_own_names() -> None:
    over = crossing(destination=Quirks(no_fraction=True))

    assert to_2_1_1({**NEWER, "end_date_time": "2024-05-01T11:00:00.5Z"}, over) == OLDER
    assert ("L-02", "/end_date_time") in told(over)


# ------------------------------------------------------------------------------------------------ credits


CREDIT = {**NEWER, "id": "C1-C", "credit": True, "credit_reference_id": "C1", "total_cost": {"excl_vat": -4}}


@pytest.mark.parametrize(
    "marks",
    [{"credit": True}, {"credit": None, "credit_reference_id": "C1"}, {"credit_reference_id": "C1"}, {"credit": "yes"}],
)
def test_a_credit_is_refused_since_2_1_1_would_bill_it_once_more(marks: Json) -> None:
    with pytest.raises(Untranslatable) as refused:
        to_2_1_1({**NEWER, **marks})

    assert (refused.value.rule, refused.value.ocpi_status) == ("RF-05", 4000)
    assert str(refused.value) == "RF-05: credit CDR cannot be expressed in OCPI 2.1.1"


def test_a_cdr_that_is_said_to_be_no_credit_is_none() -> None:
    assert to_2_1_1({**NEWER, "credit": False, "credit_reference_id": "C1"}) == OLDER


@pytest.mark.parametrize(
    ("members", "remark"),
    [
        ({}, "CREDIT C1"),
        ({"remark": "wrong meter"}, "CREDIT C1; wrong meter"),
        ({"remark": "r" * 255}, "CREDIT C1; " + "r" * 244),
        ({"credit_reference_id": None}, "CREDIT"),
    ],
)
def test_a_credit_is_a_negative_total_and_a_remark_by_agreement(members: Json, remark: str) -> None:
    over = crossing(destination=Quirks(credit_as_negative=True))

    body = to_2_1_1({**CREDIT, **members}, over)

    assert (body["id"], body["total_cost"], body["remark"]) == ("C1-C", -4, remark)
    assert ("L-55", "/credit") in told(over)
    assert "credit" not in body


CREDITED = CreditedSession(CPO, EMSP, "C1", "S1", START, "04A1", "E1")


def test_every_cdr_for_2_1_1_asks_whether_its_session_was_credited() -> None:
    over = crossing()

    to_2_1_1(NEWER, over)

    assert CREDITED in over.asked


def test_a_correction_is_refused_after_a_credit_that_was_not_delivered() -> None:
    with pytest.raises(Untranslatable) as refused:
        to_2_1_1(NEWER, crossing(known={CREDITED: True}))

    assert str(refused.value) == "RF-18: session S1 has a credit CDR that OCPI 2.1.1 cannot express"
    assert refused.value.ocpi_status == 4000


def test_a_session_without_id_is_the_one_of_its_start() -> None:
    unnamed = CreditedSession(CPO, EMSP, "C1", None, START, "04A1", "E1")

    with pytest.raises(Untranslatable, match=f"RF-18: the session of {START} has"):
        to_2_1_1(without(NEWER, "session_id"), crossing(known={unnamed: True}))


# ------------------------------------------------------------------------------------------------ 2.2 and 2.2.1


def test_a_cdr_of_2_2_is_one_of_2_2_1_with_an_owner_of_its_token() -> None:
    older = {**NEWER, "cdr_token": without(TOKEN, "country_code", "party_id")}

    assert cdrs.from_2_2(older, crossing(V22, V221)) == NEWER
    assert to_2_2(NEWER) == older


def test_the_place_of_a_cdr_is_translated_for_2_2() -> None:
    assert to_2_2({**NEWER, "cdr_location": {"state": "OV"}})["cdr_location"] == {"postal_code": "#NA"}
    assert cdrs.from_2_2({**NEWER, "cdr_location": {"postal_code": "#NA"}}, crossing(V22, V221))["cdr_location"] == {}


@pytest.mark.parametrize(("value", "is_told"), [(True, True), (False, False), (None, False)])
def test_the_mark_of_a_compensation_is_left_out_for_2_2(value: bool | None, is_told: bool) -> None:
    body = {**NEWER, "home_charging_compensation": value}

    assert "home_charging_compensation" not in to_2_2(body)
    assert (("M-83", "/home_charging_compensation") in lost(cdrs.to_2_2, body, crossing(V221, V22))) is is_told


def test_a_partner_of_2_2_may_refuse_compensations() -> None:
    with pytest.raises(Untranslatable) as refused:
        to_2_2({**NEWER, "home_charging_compensation": True}, home_compensation="refuse")

    assert (refused.value.rule, refused.value.ocpi_status) == ("M-83", 4000)
    assert to_2_2({**NEWER, "home_charging_compensation": False}, home_compensation="refuse")["id"] == "C1"


def test_a_partner_of_2_2_that_takes_new_members_gets_the_mark() -> None:
    body = {**NEWER, "home_charging_compensation": True}

    assert to_2_2(body, additive="keep", home_compensation="refuse") == body


def test_signed_data_fits_2_2_or_is_left_out() -> None:
    signed = {"encoding_method": "OCMF", "signed_values": [{"plain_data": "x" * 513}]}

    assert "signed_data" not in to_2_2({**NEWER, "signed_data": signed})
    assert "signed_data" in to_2_2({**NEWER, "signed_data": signed}, lengths="errata")


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


COSTS = (
    "total_cost",
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)


def test_all_costs_are_translated_both_ways() -> None:
    older = {**NEWER, **{name: {"excl_vat": 2, "incl_vat": 3} for name in COSTS}}
    newer = {**NEWER, **{name: {"before_taxes": 2, "taxes": [{"name": "VAT", "amount": 1}]} for name in COSTS}}

    assert cdrs.to_2_3_0(older, crossing(V221, V230)) == newer
    assert from_2_3_0(newer) == older


def test_a_cost_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(Untranslatable, match="M-03"):
        cdrs.to_2_3_0({**NEWER, "total_time_cost": {}}, crossing(V221, V230))


def test_the_type_of_the_token_is_translated_both_ways() -> None:
    emaid = {**NEWER, "cdr_token": {**TOKEN, "type": "EMAID"}, "total_cost": None}
    other = {**NEWER, "cdr_token": {**TOKEN, "type": "OTHER"}, "total_cost": None}
    facts = TokenFacts(EMSP, "04A1", "EMAID", "DE-MSP-C1", valid=True, last_updated=START)
    over = crossing(V221, V230, known={TokensOfUid(EMSP, "04A1"): (facts,)})

    assert from_2_3_0(emaid) == other
    assert cdrs.to_2_3_0(other, over) == emaid


def test_a_connector_of_2_3_0_passes() -> None:
    body = {**NEWER, "cdr_location": {**PLACE, "connector_standard": "MCS"}, "total_cost": None}

    assert from_2_3_0(body) == body
    assert lost(cdrs.from_2_3_0, body, crossing(V230, V221)) == {("M-36", "/cdr_location/connector_standard")}


def test_a_booking_is_named_to_those_who_want_it() -> None:
    body = {**NEWER, "total_cost": None, "booking_id": "B1"}

    assert "booking_id" not in from_2_3_0(body)
    assert lost(cdrs.from_2_3_0, body, crossing(V230, V221)) == {("M-50", "/booking_id")}
    assert from_2_3_0(body, additive="keep")["booking_id"] == "B1"


def test_the_dimensions_of_bookings_are_translated() -> None:
    period = {"start_date_time": START, "dimensions": [{"type": "RESERVATION_OVERTIME", "volume": 1}]}

    [translated] = from_2_3_0({**NEWER, "total_cost": None, "charging_periods": [period]})["charging_periods"]

    assert translated["dimensions"] == [{"type": "TIME", "volume": 0}]


def test_a_tariff_that_cannot_be_said_is_left_out_and_the_cdr_arrives() -> None:
    bookings = tariff(tax_included="NO", elements=[{"restrictions": {"booking": "BOOKING"}}])
    body = {**NEWER, "total_cost": None, "tariffs": [tariff(tax_included="?"), bookings, tariff(tax_included="NO")]}
    over = crossing(V230, V221)

    assert cdrs.from_2_3_0(body, over)["tariffs"] == [tariff()]
    assert told(over) == {("M-09", "/tariffs/0"), ("M-12", "/tariffs/1")}


def test_a_tariff_with_an_unusable_limit_is_left_out_for_2_3_0() -> None:
    over = crossing(V221, V230)
    body = {**NEWER, "tariffs": [tariff(max_price={}), tariff()]}

    assert cdrs.to_2_3_0(body, over)["tariffs"] == [tariff(tax_included="NO")]
    assert told(over) >= {("M-03", "/tariffs/0"), ("M-04", "/tariffs/1/tax_included")}


@pytest.mark.parametrize("target", [V221, V22, V211])
def test_lengths_are_for_the_last_step_of_a_journey(target: Version) -> None:
    signed = {"encoding_method": "OCMF", "signed_values": [{"plain_data": "x" * 513}]}
    over = crossing(V230, target, destination=Quirks(lengths="original"))

    body = cdrs.from_2_3_0({**NEWER, "total_cost": None, "signed_data": signed}, over)

    assert ("signed_data" in body) is (target is not V221)


def test_signed_data_fits_2_3_0_or_is_left_out() -> None:
    signed = {"encoding_method": "OCMF", "signed_values": [{"plain_data": "x" * 513}]}
    over = crossing(V221, V230, destination=Quirks(lengths="original"))

    assert "signed_data" not in cdrs.to_2_3_0({**NEWER, "signed_data": signed}, over)


def test_the_cdr_that_came_in_is_not_changed() -> None:
    more = {"tariffs": [tariff()], "signed_data": {"signed_values": [{"plain_data": "ü"}]}, "remark": "é"}
    older, newer = {**OLDER, **more}, {**CREDIT, **more, "total_cost": {"excl_vat": 1, "incl_vat": 2}}
    newest = {**NEWER, **more, "total_cost": {"before_taxes": 1, "taxes": [{"name": "BTW", "amount": 1}]}}
    before = copy.deepcopy((older, newer, newest))

    from_2_1_1(older)
    to_2_1_1(newer, crossing(destination=Quirks(credit_as_negative=True, ascii_only=True)))
    to_2_2(newer)
    cdrs.to_2_3_0(newer, crossing(V221, V230))
    from_2_3_0(newest)

    assert (older, newer, newest) == before
