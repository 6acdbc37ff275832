"""Sessions between versions. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "Sessions"."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import sessions
from routing.translation.crossing import Crossing
from routing.translation.questions import (
    AuthorizationReference,
    ChosenToken,
    RecentToken,
    SessionAtReceiver,
    TokenFacts,
    TokensOfContract,
)
from routing.vocabulary import Version
from tests.routing.translation.crossings import CPO, EMSP, crossing, losses_of, lost

UP = (Version.V2_1_1, Version.V2_2_1)
DOWN = (Version.V2_2_1, Version.V2_1_1)
TEN, HALF_PAST, ELEVEN = "2024-06-01T10:00:00Z", "2024-06-01T10:30:00Z", "2024-06-01T11:00:00Z"
AUTH_ID = "DE-MSP-C1"
OF_CONTRACT = TokensOfContract(EMSP, AUTH_ID)
CARD = TokenFacts(
    owner=EMSP, uid="AA11", type="RFID", contract_id=AUTH_ID, valid=True, last_updated="2024-01-01T00:00:00Z"
)
AT_HIGH = SessionAtReceiver(CPO, "S1", Version.V2_2_1)
AT_LOW = SessionAtReceiver(CPO, "S1", Version.V2_1_1)


def period(start: str, volume: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"start_date_time": start, "dimensions": [{"type": "ENERGY", "volume": Decimal(volume)}]} | more


def location(**of_connector: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    connector = {"id": "1", "standard": "IEC_62196_T2"} | of_connector
    return {"id": "L1", "city": "Zwolle", "evses": [{"uid": "E1", "connectors": [connector]}]}


def of_2_1_1(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "id": "S1",
        "start_datetime": TEN,
        "end_datetime": ELEVEN,
        "kwh": Decimal("4.20"),
        "auth_id": AUTH_ID,
        "auth_method": "WHITELIST",
        "location": location(),
        "meter_id": "M1",
        "currency": "EUR",
        "total_cost": Decimal("1.50"),
        "status": "ACTIVE",
        "last_updated": ELEVEN,
        "invoice_hint": {"kept": True},
    } | more


def of_2_2_1(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "country_code": "NL",
        "party_id": "CPO",
        "id": "S1",
        "start_date_time": TEN,
        "end_date_time": ELEVEN,
        "kwh": Decimal("4.20"),
        "cdr_token": {
            "country_code": "DE",
            "party_id": "MSP",
            "uid": "AA11",
            "type": "RFID",
            "contract_id": AUTH_ID,
        },
        "auth_method": "WHITELIST",
        "location_id": "L1",
        "evse_uid": "E1",
        "connector_id": "1",
        "meter_id": "M1",
        "currency": "EUR",
        "total_cost": {"excl_vat": Decimal("1.50")},
        "status": "ACTIVE",
        "last_updated": ELEVEN,
        "invoice_hint": {"kept": True},
    } | more


def ids(over: Crossing) -> set[str]:
    return {loss.id for loss in over.losses}


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def test_a_session_of_2_1_1_is_one_of_2_2_1() -> None:
    body = of_2_1_1()
    over = crossing(*UP, known={OF_CONTRACT: (CARD,)})

    assert sessions.from_2_1_1(body, over) == of_2_2_1()
    assert set(losses_of(over)) == {("L-31", "/auth_id"), ("L-34", "/location")}
    assert body == of_2_1_1()


def test_nobody_can_send_a_session_in_anothers_name() -> None:
    session = sessions.from_2_1_1(of_2_1_1(country_code="BE", party_id="XYZ"), crossing(*UP))

    assert (session["country_code"], session["party_id"]) == CPO


def test_the_periods_have_the_tariff_of_the_connector() -> None:
    body = of_2_1_1(location=location(tariff_id="T1"), charging_periods=[period(TEN, "4.2")])

    assert sessions.from_2_1_1(body, crossing(*UP))["charging_periods"] == [period(TEN, "4.2", tariff_id="T1")]
    assert ("L-42", "/charging_periods/0/tariff_id") in lost(sessions.from_2_1_1, body, crossing(*UP))


def test_the_times_of_the_newer_spelling_do_not_count_beside_those_of_the_older() -> None:
    session = sessions.from_2_1_1(of_2_1_1(start_date_time=ELEVEN), crossing(*UP))

    assert session["start_date_time"] == TEN


@pytest.mark.parametrize("cost", [None, {"excl_vat": 3}])
def test_a_cost_that_is_no_number_stays(cost: Any) -> None:  # noqa: ANN401 - any JSON
    assert sessions.from_2_1_1(of_2_1_1(total_cost=cost), crossing(*UP))["total_cost"] == cost


def reference(**more: Any) -> AuthorizationReference:  # noqa: ANN401 - the fields that differ
    fields: dict[str, Any] = {
        "cpo": CPO,
        "emsp": EMSP,
        "token_uid": "AA11",
        "token_type": "RFID",
        "session_id": "S1",
        "start_date_time": TEN,
        "location_id": "L1",
    }
    return AuthorizationReference(**{**fields, **more})


def test_the_emsp_gets_its_reference_back() -> None:
    over = crossing(*UP, known={OF_CONTRACT: (CARD,), reference(): "REF-1"})

    assert sessions.from_2_1_1(of_2_1_1(), over)["authorization_reference"] == "REF-1"


def test_a_token_nobody_has_seen_has_no_reference() -> None:
    over = crossing(*UP)

    assert "authorization_reference" not in sessions.from_2_1_1(of_2_1_1(), over)
    assert not any(isinstance(question, AuthorizationReference) for question in over.asked)


def test_a_sender_ahead_of_its_version_gives_the_reference_itself() -> None:
    over = crossing(*UP, known={OF_CONTRACT: (CARD,), reference(): "REF-1"})

    session = sessions.from_2_1_1(of_2_1_1(authorization_reference="REF-2"), over)

    assert session["authorization_reference"] == "REF-2"


def test_a_reference_that_is_too_long_is_none() -> None:
    over = crossing(*UP)

    assert "authorization_reference" not in sessions.from_2_1_1(of_2_1_1(authorization_reference="R" * 37), over)
    assert "L-01" in ids(over)


@pytest.mark.parametrize("missing", ["auth_id", "location"])
def test_what_2_2_1_demands_must_be_there(missing: str) -> None:
    body = of_2_1_1()
    del body[missing]

    with pytest.raises(Untranslatable, match="RF-02"):
        sessions.from_2_1_1(body, crossing(*UP))


def test_too_many_digits_of_a_second_are_cut() -> None:
    body = of_2_1_1(start_datetime="2024-06-01T10:00:00.123456789Z")

    assert sessions.from_2_1_1(body, crossing(*UP))["start_date_time"] == "2024-06-01T10:00:00.1234Z"


# ------------------------------------------------------------------------------------------------ PATCH of 2.1.1


def patch(body: dict[str, Any], known: dict[Any, Any], **more: Any) -> tuple[dict[str, Any], Crossing]:  # noqa: ANN401
    over = crossing(*UP, known=known, patch=True, object_ids=("S1",), **more)
    return sessions.from_2_1_1(body, over), over


def held(*periods: dict[str, Any]) -> dict[Any, Any]:
    """The receiver has these periods."""
    return {AT_HIGH: of_2_2_1(charging_periods=list(periods))}


def test_a_patch_gets_nothing_but_the_time_of_its_arrival() -> None:
    session, over = patch({"kwh": Decimal(5), "total_cost": Decimal(2), "end_datetime": ELEVEN}, {})

    assert session == {
        "kwh": Decimal(5),
        "total_cost": {"excl_vat": Decimal(2)},
        "end_date_time": ELEVEN,
        "last_updated": "2024-06-01T12:00:00Z",
    }
    assert losses_of(over) == [("L-07", "/last_updated")]
    assert over.asked == []


def test_a_patch_of_auth_id_and_place_names_all_of_both() -> None:
    session, over = patch({"auth_id": AUTH_ID, "location": location(), "last_updated": ELEVEN}, {OF_CONTRACT: (CARD,)})

    full = of_2_2_1()
    assert session == {
        name: full[name] for name in ("cdr_token", "location_id", "evse_uid", "connector_id", "last_updated")
    }
    assert over.asked == [ChosenToken(CPO, "S1"), RecentToken(CPO, EMSP, AUTH_ID)]


def test_a_patch_names_no_owner() -> None:
    session, over = patch({"country_code": "NL", "party_id": "CPO", "last_updated": ELEVEN}, {})

    assert session == {"last_updated": ELEVEN}
    assert ids(over) == {"L-01"}


def test_an_empty_patch_stays_empty() -> None:
    assert patch({}, {})[0] == {}


ALL = [period(TEN, "4.2"), period(HALF_PAST, "1.8")]


@pytest.mark.parametrize("sent", [ALL, ALL[1:]], ids=["all periods", "the new one"])
def test_only_new_periods_go_to_a_receiver_that_appends(sent: list[dict[str, Any]]) -> None:
    known = held(period("2024-06-01T10:00:00.000Z", "4.20", tariff_id="T1"))

    session, over = patch({"charging_periods": sent, "last_updated": ELEVEN}, known)

    assert session == {"charging_periods": [period(HALF_PAST, "1.8", tariff_id="T1")], "last_updated": ELEVEN}
    assert not over.put
    assert ids(over) == {"L-42"}


def test_periods_the_receiver_has_are_not_sent_again() -> None:
    session, over = patch({"charging_periods": ALL, "last_updated": ELEVEN}, held(*ALL))

    assert session == {"last_updated": ELEVEN}
    assert not over.put


def test_nothing_new_makes_no_message() -> None:
    assert patch({"charging_periods": ALL}, held(*ALL))[0] == {}


@pytest.mark.parametrize(
    ("old", "sent", "result"),
    [
        (ALL[:1], [period(TEN, "5"), ALL[1]], [period(TEN, "5"), ALL[1]]),
        (ALL, [period(HALF_PAST, "2.0")], [ALL[0], period(HALF_PAST, "2.0")]),
        (ALL, ALL[:1], ALL[:1]),
        (ALL, [], []),
        (ALL, None, []),
        (ALL, [{"dimensions": []}], [{"dimensions": []}]),
    ],
    ids=["another first", "the last one grown", "fewer", "none", "null", "without a start"],
)
def test_a_receiver_that_has_to_forget_periods_gets_the_whole_session(
    old: list[dict[str, Any]],
    sent: list[dict[str, Any]] | None,
    result: list[dict[str, Any]],
) -> None:
    session, over = patch({"charging_periods": sent, "kwh": Decimal(7)}, held(*old))

    assert over.put
    expected = of_2_2_1(charging_periods=result, kwh=Decimal(7), last_updated="2024-06-01T12:00:00Z")
    assert session == expected


def test_periods_from_before_a_start_that_has_moved_are_forgotten() -> None:
    session, over = patch({"start_datetime": HALF_PAST, "charging_periods": [period(ELEVEN, "1")]}, held(*ALL))

    assert over.put
    assert session["charging_periods"] == [ALL[1], period(ELEVEN, "1")]


def test_no_periods_instead_of_none_change_nothing() -> None:
    session, over = patch({"charging_periods": [], "last_updated": ELEVEN}, held())

    assert session == {"last_updated": ELEVEN}
    assert not over.put


def test_dimensions_are_the_same_in_any_order() -> None:
    both = [{"type": "ENERGY", "volume": Decimal("1.0")}, {"type": "TIME", "volume": 1}]
    old = {"start_date_time": TEN, "dimensions": both[::-1]}

    session, _ = patch({"charging_periods": [{"start_date_time": TEN, "dimensions": both}]}, held(old))

    assert session == {}


def test_periods_that_replace_what_nobody_can_read_are_refused() -> None:
    with pytest.raises(Untranslatable, match="RF-17") as refusal:
        patch({"charging_periods": ALL}, {})

    assert (refusal.value.ocpi_status, refusal.value.http_status) == (2000, 404)


def test_the_periods_of_a_cpo_that_appends_are_appended() -> None:
    session, over = patch(
        {"charging_periods": ALL[1:], "last_updated": ELEVEN}, {}, origin=Quirks(patch_periods="append")
    )

    assert session == {"charging_periods": ALL[1:], "last_updated": ELEVEN}
    assert over.asked == []


def test_a_connector_in_the_patch_says_which_tariff_holds() -> None:
    body = {"location": location(tariff_id="T2"), "charging_periods": ALL[1:]}

    session, _ = patch(body, held(period(TEN, "4.2", tariff_id="T1")))

    assert session["charging_periods"] == [period(HALF_PAST, "1.8", tariff_id="T2")]


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def test_a_session_of_2_2_1_is_one_of_2_1_1() -> None:
    body = of_2_2_1(authorization_reference="REF-1")

    session = sessions.to_2_1_1(body, crossing(*DOWN))

    assert session.pop("location")["id"] == "L1"
    expected = of_2_1_1()
    del expected["location"]
    assert session == expected
    assert body == of_2_2_1(authorization_reference="REF-1")
    assert lost(sessions.to_2_1_1, body, crossing(*DOWN)) == {
        ("L-05", "/location_id"),
        ("L-06", "/country_code"),
        ("L-06", "/party_id"),
        ("L-30", "/cdr_token"),
        ("L-33", "/authorization_reference"),
        ("L-36", "/location_id"),
    }


def test_a_command_is_a_request_in_2_1_1() -> None:
    body = of_2_2_1(auth_method="COMMAND")

    assert sessions.to_2_1_1(body, crossing(*DOWN))["auth_method"] == "AUTH_REQUEST"
    assert ("L-32", "/auth_method") in lost(sessions.to_2_1_1, body, crossing(*DOWN))


@pytest.mark.parametrize("status", ["RESERVATION", "RESERVED"])
def test_a_reservation_is_pending_in_2_1_1(status: str) -> None:
    body = of_2_2_1(status=status)

    assert sessions.to_2_1_1(body, crossing(*DOWN))["status"] == "PENDING"
    assert ("L-38", "/status") in lost(sessions.to_2_1_1, body, crossing(*DOWN))


@pytest.mark.parametrize("status", ["ACTIVE", "COMPLETED", "INVALID", "PENDING", "PAUSED"])
def test_a_status_of_both_versions_or_of_neither_stays(status: str) -> None:
    assert sessions.to_2_1_1(of_2_2_1(status=status), crossing(*DOWN))["status"] == status


def test_a_partner_of_2_1_1_may_take_newer_members() -> None:
    wanted = ("session.cdr_token", "session.evse_uid", "*.party_id")
    over = crossing(*DOWN, destination=Quirks(keep_fields=wanted))

    session = sessions.to_2_1_1(of_2_2_1(), over)

    assert session["cdr_token"] == of_2_2_1()["cdr_token"]
    assert (session["evse_uid"], session["party_id"], session["auth_id"]) == ("E1", "CPO", AUTH_ID)
    assert "country_code" not in session
    assert "location_id" not in session


def test_the_periods_of_a_session_are_those_of_2_1_1() -> None:
    body = of_2_2_1(charging_periods=[period(TEN, "4.2", tariff_id="T1")])

    assert sessions.to_2_1_1(body, crossing(*DOWN))["charging_periods"] == [period(TEN, "4.2")]
    assert ("L-42", "/charging_periods/0/tariff_id") in lost(sessions.to_2_1_1, body, crossing(*DOWN))


def older_patch(body: dict[str, Any], known: dict[Any, Any]) -> tuple[dict[str, Any], Crossing]:
    over = crossing(*DOWN, known=known, patch=True, object_ids=("S1",))
    return sessions.to_2_1_1(body, over), over


def test_new_periods_follow_those_that_the_receiver_has() -> None:
    known = {AT_LOW: {"charging_periods": [period(TEN, "10")]}}
    body = {"charging_periods": [period(HALF_PAST, "4", tariff_id="T1")], "last_updated": ELEVEN}

    session, over = older_patch(body, known)

    assert session == {"charging_periods": [period(TEN, "10"), period(HALF_PAST, "4")], "last_updated": ELEVEN}
    assert ids(over) == {"L-42"}
    assert known[AT_LOW] == {"charging_periods": [period(TEN, "10")]}


def test_new_periods_never_go_alone_to_a_receiver_that_replaces() -> None:
    body = {"charging_periods": [period(HALF_PAST, "4", tariff_id="T1")], "last_updated": ELEVEN}

    session, over = older_patch(body, {})

    assert session == {"last_updated": ELEVEN}
    assert losses_of(over) == [("L-43", "/charging_periods")]
    assert over.asked == [AT_LOW]


@pytest.mark.parametrize("none", [[], None])
def test_no_new_periods_change_nothing(none: Any) -> None:  # noqa: ANN401 - any JSON
    session, over = older_patch({"charging_periods": none, "last_updated": ELEVEN}, {})

    assert session == {"last_updated": ELEVEN}
    assert over.losses == []
    assert over.asked == []


def test_a_patch_for_2_1_1_has_just_what_was_sent() -> None:
    body = {
        "kwh": Decimal(5),
        "total_cost": {"excl_vat": Decimal(2), "incl_vat": Decimal("2.4")},
        "end_date_time": None,
    }

    session, over = older_patch(body, {})

    assert session == {"kwh": Decimal(5), "total_cost": Decimal(2), "end_datetime": None}
    assert ids(over) == {"L-37"}


# ------------------------------------------------------------------------------------------------ 2.2, 2.2.1, 2.3.0


def test_between_2_2_and_2_2_1_only_the_owner_of_the_token_differs() -> None:
    older = of_2_2_1(cdr_token={"uid": "AA11", "type": "RFID", "contract_id": AUTH_ID})

    assert sessions.to_2_2(of_2_2_1(), crossing(Version.V2_2_1, Version.V2_2)) == older
    assert sessions.from_2_2(older, crossing(Version.V2_2, Version.V2_2_1)) == of_2_2_1()
    assert lost(sessions.from_2_2, older, crossing(Version.V2_2, Version.V2_2_1)) == {("M-80", "/cdr_token")}


def test_a_patch_without_a_token_is_the_same_in_2_2() -> None:
    body = {"kwh": 5, "last_updated": ELEVEN}
    over = crossing(Version.V2_2, Version.V2_2_1, patch=True, emsp=None)

    assert sessions.from_2_2(body, over) == body


def test_in_2_3_0_the_cost_has_taxes() -> None:
    body = of_2_2_1(total_cost={"excl_vat": Decimal("1.50"), "incl_vat": Decimal("1.80")})
    newer = sessions.to_2_3_0(body, crossing(Version.V2_2_1, Version.V2_3_0))

    assert newer["total_cost"] == {
        "before_taxes": Decimal("1.50"),
        "taxes": [{"name": "VAT", "amount": Decimal("0.30")}],
    }
    assert sessions.from_2_3_0(newer, crossing(Version.V2_3_0, Version.V2_2_1)) == body


def test_what_2_3_0_says_of_token_and_reservation_has_older_words() -> None:
    token = of_2_2_1()["cdr_token"] | {"type": "EMAID"}
    body = of_2_2_1(
        total_cost=None,
        cdr_token=token,
        charging_periods=[{"start_date_time": TEN, "dimensions": [{"type": "RESERVATION_EXPIRES", "volume": 1}]}],
    )
    over = crossing(Version.V2_3_0, Version.V2_2_1)

    session = sessions.from_2_3_0(body, over)

    assert session["cdr_token"]["type"] == "OTHER"
    assert session["charging_periods"][0]["dimensions"] == [{"type": "RESERVATION_TIME", "volume": 1}]
    assert set(losses_of(over)) == {
        ("M-40", "/cdr_token/type"),
        ("M-51", "/charging_periods/0/dimensions/0"),
    }


@pytest.mark.parametrize("odd", [None, "x", 7, [1], {}, [{}], True])
@pytest.mark.parametrize("name", sorted(of_2_1_1(charging_periods=[]).keys() | of_2_2_1().keys()))
def test_members_of_a_form_nobody_expects_end_in_an_answer(name: str, odd: Any) -> None:  # noqa: ANN401 - any JSON
    ways = [
        (sessions.from_2_1_1, *UP, of_2_1_1()),
        (sessions.to_2_1_1, *DOWN, of_2_2_1()),
        (sessions.from_2_2, Version.V2_2, Version.V2_2_1, of_2_2_1()),
        (sessions.to_2_2, Version.V2_2_1, Version.V2_2, of_2_2_1()),
        (sessions.from_2_3_0, Version.V2_3_0, Version.V2_2_1, of_2_2_1(total_cost={"before_taxes": 1})),
        (sessions.to_2_3_0, Version.V2_2_1, Version.V2_3_0, of_2_2_1()),
    ]
    rules = set()
    for step, source, target, body in ways:
        for is_patch in (False, True):
            over = crossing(source, target, patch=is_patch, object_ids=("S1",), known=held(*ALL))
            try:
                step(body | {name: odd}, over)
            except Untranslatable as refusal:
                rules.add(refusal.rule)
    assert rules <= {"RF-02", "M-03"}
