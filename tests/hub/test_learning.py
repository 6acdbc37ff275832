from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.learning import Heard, facts_in, said_of_session
from hub.store.facts import (
    Fact,
    LocationSeen,
    ObjectShown,
    OwnPush,
    ReferenceGiven,
    ReservationSeen,
    SessionSeen,
    TariffSeen,
    TokenChanged,
    TokenSeen,
    TokenUsed,
)
from hub.store.shelves import KnownSession, KnownToken, Reference, UsedToken
from hub.way_parts import SessionPart
from routing.translation.kinds import Kind
from routing.translation.questions import TariffFacts, TokenFacts
from routing.vocabulary import Party, Version

CPO, EMSP, STRANGER = Party("NL", "CPO"), Party("DE", "MSP"), Party("FR", "OTH")
NOW = datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC)
V211, V221 = Version.V2_1_1, Version.V2_2_1

TOKEN = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "04A1",
    "type": "APP_USER",
    "contract_id": "DE-MSP-C1",
    "issuer": "Example",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2024-01-01T00:00:00Z",
}
LEGACY_TOKEN = {
    "uid": "04A1",
    "type": "RFID",
    "auth_id": "DE-MSP-C1",
    "issuer": "Example",
    "valid": False,
    "whitelist": "NEVER",
    "last_updated": "2024-01-01T00:00:00Z",
}
FACTS = TokenFacts(EMSP, "04A1", "APP_USER", "DE-MSP-C1", True, "2024-01-01T00:00:00Z", "Example")


def heard(kind: Kind, mode: Any = "put", **more: Any) -> Heard:  # noqa: ANN401 - a Mode; members of Heard
    """A body of the eMSP's, or of the CPO's if it is one of theirs."""
    owner = CPO if kind in (Kind.LOCATION, Kind.EVSE, Kind.CONNECTOR, Kind.SESSION, Kind.TARIFF) else EMSP
    members: dict[str, Any] = {"version": V221, "teller": (owner,), "owner": owner, "at": NOW, "cpo": CPO, "emsp": EMSP}
    return Heard(kind, mode, **{**members, **more})


def facts(what: Heard, body: dict[str, Any], translated: dict[str, Any] | None = None) -> list[Fact]:
    return list(facts_in(what, body, translated))


# Tokens


@pytest.mark.parametrize("mode", ["put", "list", "object"])
def test_a_token_is_learned_from_whatever_way_its_owner_gives_it(mode: str) -> None:
    assert facts(heard(Kind.TOKEN, mode), TOKEN) == [TokenSeen(KnownToken(FACTS))]


def test_a_token_of_2_1_1_has_the_owner_of_its_path_whatever_it_says_itself() -> None:
    body = {**LEGACY_TOKEN, "country_code": "FR", "party_id": "OTH"}

    [fact, _] = facts(heard(Kind.TOKEN, version=V211, ids=("04A1",)), body)

    expected = TokenFacts(EMSP, "04A1", "RFID", "DE-MSP-C1", False, "2024-01-01T00:00:00Z", "Example")
    assert fact == TokenSeen(KnownToken(expected))


def test_a_token_has_the_type_of_its_body_then_that_of_its_url_then_rfid() -> None:
    untyped = {name: value for name, value in TOKEN.items() if name != "type"}

    def learned_type(body: dict[str, Any], in_url: str | None) -> str:
        [fact] = facts(heard(Kind.TOKEN, token_type=in_url), body)
        assert isinstance(fact, TokenSeen)
        return fact.token.facts.type

    assert learned_type(TOKEN, "OTHER") == "APP_USER"
    assert learned_type(untyped, "OTHER") == "OTHER"
    assert learned_type(untyped, None) == "RFID"


@pytest.mark.parametrize(
    "wrong",
    [
        {"uid": None},
        {"uid": 4},
        {"uid": ""},
        {"uid": "#NA"},
        {"uid": "x" * 81},
        {"uid": "nul\0"},
        {"uid": "\ud800"},
        {"contract_id": []},
        {"valid": "true"},
    ],
    ids=repr,
)
def test_a_token_that_is_none_is_not_learned(wrong: dict[str, Any]) -> None:
    assert facts(heard(Kind.TOKEN), {**TOKEN, **wrong}) == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        (heard(Kind.TOKEN, teller=(STRANGER,)), TOKEN),
        (heard(Kind.TOKEN, teller=(STRANGER,), owner=STRANGER), TOKEN),
        (heard(Kind.TOKEN), {**TOKEN, "country_code": "FR", "party_id": "OTH"}),
        (heard(Kind.START_SESSION, "post", teller=(STRANGER,), owner=STRANGER), {"token": TOKEN}),
        (heard(Kind.AUTHORIZATION_INFO, "post", teller=(STRANGER,)), {"allowed": "ALLOWED", "token": TOKEN}),
        (heard(Kind.SESSION, teller=(EMSP,)), {"id": "S1"}),
        (heard(Kind.LOCATION, teller=(EMSP,), viewer=EMSP), {"id": "LOC1", "publish": True}),
        (heard(Kind.TARIFF, teller=(EMSP,)), {"id": "T1"}),
    ],
    ids=[
        "a stranger tells of a Token",
        "a stranger pushes a Token",
        "the Token names a stranger",
        "a command with another's Token",
        "an authorization with another's Token",
        "Session",
        "Location",
        "Tariff",
    ],
)
def test_nobody_teaches_anything_about_objects_of_others(what: Heard, body: dict[str, Any]) -> None:
    assert facts(what, body) == []


def test_one_platform_can_speak_for_each_of_its_parties() -> None:
    [fact] = facts(heard(Kind.TOKEN, teller=(EMSP, STRANGER)), {**TOKEN, "country_code": "fr", "party_id": "oth"})

    assert isinstance(fact, TokenSeen)
    assert fact.token.facts.owner == STRANGER


def test_a_patch_changes_the_members_it_has() -> None:
    change = {"valid": False, "last_updated": "2024-02-01T00:00:00Z", "whitelist": "NEVER"}

    [high] = facts(heard(Kind.TOKEN, "patch", ids=("04A1",), token_type="APP_USER"), change)
    [untyped] = facts(heard(Kind.TOKEN, "patch", ids=("04A1",)), change)
    [legacy, _] = facts(heard(Kind.TOKEN, "patch", version=V211, ids=("04A1",)), {"auth_id": "DE-MSP-C2"})

    said = {"valid": False, "last_updated": "2024-02-01T00:00:00Z"}
    assert high == TokenChanged(EMSP, "04A1", "APP_USER", said)
    assert untyped == TokenChanged(EMSP, "04A1", "RFID", said)
    assert legacy == TokenChanged(EMSP, "04A1", None, {"contract_id": "DE-MSP-C2"})


# Commands and authorizations


def test_a_command_teaches_its_token_for_a_month_the_last_use_and_the_reference() -> None:
    body = {"token": TOKEN, "location_id": "Loc1", "authorization_reference": "REF-1"}

    assert facts(heard(Kind.START_SESSION, "post", ids=("START_SESSION",)), body) == [
        TokenSeen(KnownToken(FACTS, NOW + timedelta(days=30))),
        TokenUsed(CPO, EMSP, UsedToken(FACTS, NOW)),
        ReferenceGiven(CPO, EMSP, "04A1", Reference("REF-1", "APP_USER", NOW, "LOC1")),
    ]


def test_a_command_of_2_1_1_teaches_as_much_as_it_says() -> None:
    [seen, used] = facts(heard(Kind.START_SESSION, "post", version=V211), {"token": LEGACY_TOKEN, "location_id": "L"})

    assert isinstance(seen, TokenSeen)
    assert isinstance(used, TokenUsed)
    assert seen.token.facts == used.used.token


@pytest.mark.parametrize(
    ("version", "reservation_id", "number"), [(V221, "R-1", None), (V211, 77, 77), (V221, "77", None)]
)
def test_a_reservation_is_remembered_for_a_month_after_it_expires(
    version: Version, reservation_id: object, number: int | None
) -> None:
    body = {"token": {}, "reservation_id": reservation_id, "expiry_date": "2024-06-02T12:00:00Z"}

    [fact] = facts(heard(Kind.RESERVE_NOW, "post", version=version), body)

    assert fact == ReservationSeen(CPO, EMSP, str(reservation_id), number, NOW + timedelta(days=31))


@pytest.mark.parametrize("expiry", [None, "soon", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00Z"])
def test_a_reservation_that_does_not_say_when_it_expires_is_remembered_for_a_year(expiry: str | None) -> None:
    [fact] = facts(heard(Kind.RESERVE_NOW, "post"), {"reservation_id": "R-1", "expiry_date": expiry})

    assert fact == ReservationSeen(CPO, EMSP, "R-1", None, NOW + timedelta(days=400))


def test_an_authorization_teaches_its_token_and_what_was_allowed() -> None:
    body = {
        "allowed": "ALLOWED",
        "token": TOKEN,
        "location": {"location_id": "LOC1", "evse_uids": ["E1"]},
        "authorization_reference": "REF-1",
    }
    what = heard(Kind.AUTHORIZATION_INFO, "post", ids=("04A1",))

    assert facts(what, body) == [
        TokenSeen(KnownToken(FACTS)),
        TokenUsed(CPO, EMSP, UsedToken(FACTS, NOW)),
        ReferenceGiven(CPO, EMSP, "04A1", Reference("REF-1", "APP_USER", NOW, "LOC1")),
    ]
    assert facts(what, {**body, "allowed": "BLOCKED"}) == [TokenSeen(KnownToken(FACTS))]
    assert facts(heard(Kind.AUTHORIZATION_INFO, "post", version=V211), {"allowed": "ALLOWED"}) == []


# Sessions

SESSION = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "S1",
    "start_date_time": "2024-06-01T10:00:00Z",
    "kwh": 4.2,
    "cdr_token": {"uid": "04A1", "type": "RFID", "contract_id": "DE-MSP-C1"},
    "location_id": "Loc1",
    "evse_uid": "E1",
    "meter_id": "M1",
    "charging_periods": [{"start_date_time": "2024-06-01T10:00:00Z", "dimensions": []}],
    "status": "ACTIVE",
    "last_updated": "2024-06-01T11:00:00Z",
}
LEGACY_SESSION = {
    "id": "S1",
    "start_datetime": "2024-06-01T10:00:00Z",
    "kwh": 4.2,
    "auth_id": "DE*MSP*C1",
    "location": {"id": "Loc1", "address": "Somewhere 1"},
    "meter_id": "M1",
    "status": "ACTIVE",
    "last_updated": "2024-06-01T11:00:00Z",
}
START = datetime(2024, 6, 1, 10, 0, 0, tzinfo=UTC)


def known_session(token: TokenFacts | None = None, **more: Any) -> SessionSeen:  # noqa: ANN401 - members of KnownSession
    members = {"emsp": EMSP, "status": "ACTIVE", "start": START, "auth_key": "DEMSPC1", "location_key": "LOC1"}
    return SessionSeen(CPO, KnownSession("S1", **{**members, **more}, token=token, at=NOW))


def test_a_session_teaches_who_when_and_where_and_nothing_of_what_it_measured() -> None:
    assert facts(heard(Kind.SESSION, ids=("S1",)), SESSION) == [known_session()]
    assert facts(heard(Kind.SESSION, version=V211, ids=("S1",)), LEGACY_SESSION) == [known_session()]


def test_the_token_a_2_1_1_session_was_translated_with_is_the_one_that_was_chosen() -> None:
    became = {
        "cdr_token": {"country_code": "DE", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "C1"}
    }
    without_owner = {"cdr_token": {"uid": "04A1", "type": "RFID", "contract_id": "C1"}}
    nobody_knew = {"cdr_token": {**became["cdr_token"], "uid": "#NA"}}
    chosen = TokenFacts(EMSP, "04A1", "RFID", "C1", True, "")
    what = heard(Kind.SESSION, version=V211)

    assert facts(what, LEGACY_SESSION, became) == [known_session(chosen)]
    assert facts(what, LEGACY_SESSION, without_owner) == [known_session(chosen)]
    assert facts(what, LEGACY_SESSION, nobody_knew) == [known_session()]
    assert facts(heard(Kind.SESSION), SESSION, became) == [known_session()]


def test_a_patch_of_a_session_teaches_what_it_names() -> None:
    what = heard(Kind.SESSION, "patch", version=V211, ids=("S1",))

    assert facts(what, {"status": "COMPLETED", "kwh": 5}) == [
        known_session(status="COMPLETED", start=None, auth_key=None, location_key=None)
    ]


def test_who_a_session_leads_to_is_not_looked_into_again_where_it_says_the_same() -> None:
    """Every member that says who it leads to is one of those that are compared."""
    what = heard(Kind.SESSION, version=V211, ids=("S1",))
    first = said_of_session(what, LEGACY_SESSION, None)
    other = {
        "id": "S2",
        "status": "COMPLETED",
        "location_id": "Loc2",
        "evse_uid": "E2",
        "authorization_reference": "R2",
        "location": {"id": "Loc1", "evses": [{"uid": "E2"}]},
    }

    assert first is not None
    assert other.keys() | {"country_code", "party_id"} == set(SessionPart.__struct_fields__)
    for name, value in other.items():
        if name != "id":  # that of the path counts
            assert said_of_session(what, {**LEGACY_SESSION, name: value}, None) != first, name


def test_a_session_that_only_went_on_says_the_same_and_one_that_teaches_something_does_not() -> None:
    became = {"cdr_token": {"uid": "04A1", "type": "RFID", "contract_id": "C1"}}
    what = heard(Kind.SESSION, version=V211, ids=("S1",))
    went_on = {**LEGACY_SESSION, "kwh": 9.9, "last_updated": "2024-06-01T11:30:00Z"}
    first = said_of_session(what, LEGACY_SESSION, became)

    assert first is not None
    assert said_of_session(what, went_on, became) == first
    for change in ({"status": "COMPLETED"}, {"auth_id": "C2"}, {"location": {"id": "L2"}}, {"start_datetime": "x"}):
        assert said_of_session(what, {**went_on, **change}, became) != first
    assert said_of_session(what, went_on, {"cdr_token": {**became["cdr_token"], "type": "APP_USER"}}) != first
    assert said_of_session(msgspec.structs.replace(what, emsp=None), went_on, became) != first
    assert said_of_session(msgspec.structs.replace(what, teller=()), went_on, became) is None
    assert said_of_session(heard(Kind.LOCATION), went_on, None) is None


@pytest.mark.parametrize("start", ["yesterday", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 5, None])
def test_a_start_that_is_none_is_not_remembered(start: object) -> None:
    assert facts(heard(Kind.SESSION), {**SESSION, "start_date_time": start}) == [known_session(start=None)]


def test_a_cdr_teaches_nothing() -> None:
    assert facts(heard(Kind.CDR, "post", teller=(CPO,), owner=CPO), {"id": "CDR1"}) == []


# Locations and Tariffs


def test_a_location_teaches_whether_it_is_published() -> None:
    what = heard(Kind.LOCATION, ids=("LOC1",))

    assert facts(what, {"id": "LOC1", "publish": False}) == [LocationSeen(CPO, "LOC1", publish=False)]
    assert facts(heard(Kind.LOCATION, "patch", ids=("LOC1",)), {"publish": True}) == [LocationSeen(CPO, "LOC1", True)]
    assert facts(what, {"id": "LOC1", "publish": "false"}) == [LocationSeen(CPO, "LOC1", None)]
    assert facts(heard(Kind.EVSE, ids=("LOC1", "E1")), {"uid": "E1", "publish": False}) == []


def test_a_tariff_teaches_what_it_is_for_until_it_is_deleted() -> None:
    body = {"id": "T1", "type": "REGULAR", "end_date_time": "2024-12-31T00:00:00Z", "currency": "EUR"}

    assert facts(heard(Kind.TARIFF, ids=("T1",)), body) == [
        TariffSeen(CPO, "T1", TariffFacts("REGULAR", None, "2024-12-31T00:00:00Z"))
    ]
    assert facts(heard(Kind.TARIFF, "delete", ids=("T1",)), {}) == [TariffSeen(CPO, "T1", None)]


@pytest.mark.parametrize(("kind", "module"), [(Kind.LOCATION, "locations"), (Kind.TARIFF, "tariffs")])
def test_what_a_viewer_was_given_is_remembered(kind: Kind, module: str) -> None:
    for mode in ("put", "list", "object"):
        *_, last = facts(heard(kind, mode, viewer=EMSP), {"id": "X1"})
        assert last == ObjectShown(EMSP, module, CPO, "X1")
    *_, last = facts(heard(kind, "delete", viewer=EMSP, ids=("X1",)), {})
    assert not isinstance(last, ObjectShown)


# What 2.1.1 owners pushed themselves


@pytest.mark.parametrize(
    ("kind", "ids", "module"),
    [
        (Kind.LOCATION, ("LOC1",), "locations"),
        (Kind.EVSE, ("LOC1", "E1"), "locations"),
        (Kind.CONNECTOR, ("LOC1", "E1", "1"), "locations"),
        (Kind.TARIFF, ("T1",), "tariffs"),
        (Kind.TOKEN, ("04A1",), "tokens"),
    ],
    ids=["Location", "EVSE", "Connector", "Tariff", "Token"],
)
def test_what_a_2_1_1_owner_pushes_is_kept_as_it_is(kind: Kind, ids: tuple[str, ...], module: str) -> None:
    what = heard(kind, version=V211, ids=ids)
    owner = what.owner

    assert facts(what, {"x": 1})[-1] == OwnPush(module, owner, ids, False, b'{"x":1}', NOW)
    patch = heard(kind, "patch", version=V211, ids=ids)
    assert facts(patch, {"x": 1})[-1] == OwnPush(module, owner, ids, True, b'{"x":1}', NOW)
    for other in (
        heard(kind, ids=ids),
        heard(kind, "object", version=V211, ids=ids),
        heard(kind, "list", version=V211),
    ):
        assert not any(isinstance(fact, OwnPush) for fact in facts(other, {"id": "X1"}))


def test_sessions_and_cdrs_are_never_kept() -> None:
    for kind in (Kind.SESSION, Kind.CDR):
        what = heard(kind, version=V211, ids=("S1",), teller=(CPO,), owner=CPO)
        assert not any(isinstance(fact, OwnPush) for fact in facts(what, LEGACY_SESSION))
