"""What each kind of exchange says about who ids lead to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from structlog.testing import capture_logs

from hub import way_rows
from hub.lessons import learn_broadcast, learn_kept, learn_unit, learn_ways
from hub.store.facts import Fact, OwnPush, SessionSeen, TariffSeen, TokenNamed, TokenSeen
from hub.store.way_facts import WayLearned, WayLost
from routing.clues import Index, SessionFacts, SessionKnown, Way, WaysOf
from routing.directory import Connection, Invited
from routing.errors import NoSuchPath, WrongMethod
from routing.message import Answer, Message
from routing.modules import operation_at
from routing.routes import Forward, Unit
from routing.vocabulary import Face, InterfaceRole, Party, Role, Version
from tests.hub.running_hub import RunningHub
from tests.hub.store.learned_stores import PATIENT_S
from tests.hub.store.opened import registration

CPO, SUB_CPO, OTHER_CPO = Party("NL", "CPO"), Party("NL", "SUB"), Party("FR", "CPO")
EMSP, OTHER_EMSP, PTP, SCSP = Party("DE", "MSP"), Party("FR", "MSP"), Party("BE", "PTP"), Party("CH", "SCS")
OLD_CPO = Party("IT", "OLD")
DAY: Final = timedelta(days=1)
_COMPANIES: Final[Sequence[tuple[tuple[Party, ...], Role, Version]]] = (
    ((CPO, SUB_CPO), Role.CPO, Version.V2_3_0),
    ((OTHER_CPO,), Role.CPO, Version.V2_3_0),
    ((EMSP,), Role.EMSP, Version.V2_3_0),
    ((OTHER_EMSP,), Role.EMSP, Version.V2_3_0),
    ((PTP,), Role.PTP, Version.V2_3_0),
    ((SCSP,), Role.SCSP, Version.V2_3_0),
    ((OLD_CPO,), Role.CPO, Version.V2_1_1),
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub at which all of these are registered."""
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        for parties, role, version in _COMPANIES:
            face = Face.EMSP if version is Version.V2_1_1 else None
            token = running.invite(face=face).token_a
            caller = running.hub.directory.snapshot.caller(running.hub.vault.token_hash(token))
            assert isinstance(caller, Invited)
            details = registration(*parties, role=role, version=version, face=face)
            running.do(running.hub.platforms.register(caller.invitation, details))
        running.hub.knowledge._learned._soon_s = PATIENT_S
        yield running


class Case(NamedTuple):
    """One exchange. `where` is the module, the side that is called, and the path."""

    method: str
    where: str
    by: Party
    to: Party
    body: Any = None
    data: Any = None
    learned: tuple[str, ...] = ()
    http_status: int = 200
    ocpi_status: int = 1000


def _connection(party: Party, hub: RunningHub) -> Connection:
    platform = hub.hub.directory.snapshot.platform_of(party)
    assert platform is not None
    return platform.connections[0]


def _message(case: Case, hub: RunningHub) -> Message:
    module, side, *path = case.where.split("/")
    interface = InterfaceRole.SENDER if side == "S" else InterfaceRole.RECEIVER
    version = _connection(case.by, hub).version
    operation = operation_at(version, module, interface, case.method, tuple(path))
    body = None if case.body is None else msgspec.json.encode(case.body)
    return Message(version, operation, tuple(path), "", case.by, case.to, body)


def _answer(case: Case) -> Answer:
    envelope = {"status_code": case.ocpi_status, "timestamp": "2026-11-22T08:00:00Z", "data": case.data}
    return Answer(case.http_status, case.ocpi_status, msgspec.json.encode(envelope), case.to)


def facts_of(case: Case, hub: RunningHub) -> list[Fact]:
    """What this exchange teaches, beyond what stands in Tokens and Tariffs."""
    facts: list[Fact] = []
    learning = replace(hub.hub, knowledge=hub.hub.knowledge.on_trial(facts))
    learn_ways(_message(case, hub), Forward(case.to, _connection(case.to, hub), ""), _answer(case), learning)
    return facts


def told(fact: Fact) -> str:
    """A fact as these tests write it."""
    match fact:
        case WayLearned():
            details = f" ({', '.join(fact.details)})" if fact.details != ("",) else ""
            return f"{fact.index} {'/'.join(fact.key)} -> {fact.party}{details}"
        case WayLost():
            return f"no {fact.index} {'/'.join(fact.key)} -> {fact.party}"
        case SessionSeen():
            return f"Session {fact.said.session_id} of {fact.owner} for {fact.said.emsp}, {fact.said.status}"
        case TokenNamed():
            return f"Token {fact.token.facts.uid} of {fact.token.facts.owner}"
        case _:
            return type(fact).__name__


EVSE = {"uid": "Evse1", "connectors": [{"id": "1", "tariff_ids": ["T1", "t2"]}, {"id": "2"}]}
LOCATION = {"country_code": "NL", "party_id": "CPO", "id": "Loc1", "evses": [EVSE, {"uid": "E2", "connectors": []}]}
PLACE_AND_TARIFFS = ("location LOC1 -> NL*CPO (EVSE1, E2)", "tariff T1 -> NL*CPO", "tariff T2 -> NL*CPO")
OLD_LOCATION = {"id": "Loc1", "evses": [{"uid": "E1", "connectors": [{"id": "1", "tariff_id": "T1"}]}]}
SESSION = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "s1",
    "status": "ACTIVE",
    "location_id": "Loc1",
    "evse_uid": "E1",
    "authorization_reference": "Ref-1",
    "cdr_token": {"country_code": "FR", "party_id": "MSP", "uid": "04A1"},
}
OF_SESSION = (
    "Session s1 of NL*CPO for DE*MSP, ACTIVE",
    "session_shown DE/MSP/S1 -> NL*CPO",
    "location LOC1 -> NL*CPO (E1)",
    "customer_at DE/MSP/LOC1 -> NL*CPO",
    "contact NL/CPO/DE*MSP -> DE*MSP",
    "authorization NL/CPO/REF-1 -> DE*MSP",
)
CDR = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "Cdr1",
    "session_id": "s1",
    "cdr_location": {"id": "Loc1", "evse_uid": "E1"},
}
OF_CDR = (
    "cdr NL/CPO/CDR1 -> DE*MSP",
    "cdr_got DE/MSP/CDR1 -> NL*CPO",
    "Session s1 of NL*CPO for DE*MSP, None",
    "session_shown DE/MSP/S1 -> NL*CPO",
    "location LOC1 -> NL*CPO (E1)",
    "customer_at DE/MSP/LOC1 -> NL*CPO",
    "contact NL/CPO/DE*MSP -> DE*MSP",
)
AUTHORIZATION = {
    "allowed": "ALLOWED",
    "authorization_reference": "Ref-1",
    "token": {"country_code": "DE", "party_id": "MSP", "uid": "04A1"},
}
OF_REFERENCE = (
    "authorization DE/MSP/REF-1 -> NL*CPO",
    "authorization NL/CPO/REF-1 -> DE*MSP",
    "contact NL/CPO/DE*MSP -> DE*MSP",
)
ACCEPTED = {"result": "ACCEPTED", "timeout": 30}
RESERVATION = {"reservation_id": "Res1", "location_id": "Loc1", "expiry_date": "2026-01-01T00:00:00Z"}
BOOKING_LOCATION = {"country_code": "NL", "party_id": "CPO", "id": "Bl1", "location_id": "Loc1"}
OF_BOOKING_LOCATION = ("booking_location BL1 -> NL*CPO", "location LOC1 -> NL*CPO")
BOOKING = {"country_code": "NL", "party_id": "CPO", "id": "Bk1", "request_id": "Rq1"}
OF_BOOKING = ("booking NL/CPO/BK1 -> DE*MSP", "booking NL/CPO/RQ1 -> DE*MSP")
REQUEST = {
    "country_code": "DE",
    "party_id": "MSP",
    "request_id": "Rq1",
    "authorization_reference": "Ref-1",
    "tokens": [
        {"country_code": "DE", "party_id": "MSP", "uid": "04A1", "type": "RFID", "contract_id": "C1"},
        {"country_code": "FR", "party_id": "MSP", "uid": "04A2", "type": "RFID", "contract_id": "C2"},
    ],
}
TERMINAL = {"terminal_id": "Tm1", "reference": "Serial1", "country_code": "FR", "party_id": "CPO"}
OF_TERMINAL = (
    "terminal NL/CPO/TM1 -> BE*PTP",
    "terminal BE/PTP/TM1 -> NL*CPO",
    "terminal NL/CPO/SERIAL1 -> BE*PTP",
    "terminal BE/PTP/SERIAL1 -> NL*CPO",
)
CONFIRMATION = {"id": "Fac1", "authorization_reference": "Ref-1"}
OF_CONFIRMATION = ("confirmation NL/CPO/FAC1 -> BE*PTP", "confirmation BE/PTP/FAC1 -> NL*CPO")
RECORD = {"country_code": "NL", "party_id": "CPO", "id": "Rec1", "cdrs": ["Cdr1"]}

WRONG: Final[Sequence[Any]] = (None, [], {}, "nonsense", 7, [[]], [None])

LEARNED: dict[str, Case] = {
    # Locations
    "a list of Locations": Case("GET", "locations/S", EMSP, CPO, None, [LOCATION], PLACE_AND_TARIFFS),
    "a Location that is read": Case("GET", "locations/S/LOC1", EMSP, CPO, None, LOCATION, PLACE_AND_TARIFFS),
    "a Location in a list of one": Case("GET", "locations/S/LOC1", EMSP, CPO, None, [LOCATION], PLACE_AND_TARIFFS),
    "an EVSE that is read": Case(
        "GET", "locations/S/Loc1/E%31", EMSP, CPO, None, EVSE, ("location LOC1 -> NL*CPO (E1)",)
    ),
    "a Connector that is read": Case("GET", "locations/S/LOC1/E1/1", EMSP, CPO, None, {"id": "1"}),
    "a Location the eMSP has": Case("GET", "locations/R/NL/CPO/LOC1", CPO, EMSP, None, LOCATION),
    "a Location that is pushed": Case("PUT", "locations/R/NL/CPO/Loc1", CPO, EMSP, LOCATION, None, PLACE_AND_TARIFFS),
    "a Location without EVSEs": Case(
        "PUT", "locations/R/NL/CPO/Loc1", CPO, EMSP, {"id": "Loc1"}, None, ("location LOC1 -> NL*CPO",)
    ),
    "an EVSE that is pushed": Case(
        "PUT",
        "locations/R/NL/CPO/Loc1/Evse1",
        CPO,
        EMSP,
        EVSE,
        None,
        ("location LOC1 -> NL*CPO (EVSE1)", "tariff T1 -> NL*CPO", "tariff T2 -> NL*CPO"),
    ),
    "a Connector that is pushed": Case(
        "PUT",
        "locations/R/NL/CPO/Loc1/E1/1",
        CPO,
        EMSP,
        {"id": "1", "tariff_ids": ["T1"]},
        None,
        ("location LOC1 -> NL*CPO (E1)", "tariff T1 -> NL*CPO"),
    ),
    "a Location that changes": Case(
        "PATCH", "locations/R/NL/CPO/Loc1", CPO, EMSP, {"name": "x"}, None, ("location LOC1 -> NL*CPO",)
    ),
    "an EVSE that changes": Case(
        "PATCH", "locations/R/NL/CPO/Loc1/E1", CPO, EMSP, {"status": "x"}, None, ("location LOC1 -> NL*CPO (E1)",)
    ),
    "a Connector that changes": Case(
        "PATCH", "locations/R/NL/CPO/Loc1/E1/1", CPO, EMSP, {"x": 1}, None, ("location LOC1 -> NL*CPO (E1)",)
    ),
    "a Location of another party of the platform": Case(
        "GET",
        "locations/S",
        EMSP,
        CPO,
        None,
        [{"country_code": "nl", "party_id": "sub", "id": "L9"}],
        ("location L9 -> NL*SUB",),
    ),
    "a Location of 2.1.1": Case(
        "GET",
        "locations/S",
        EMSP,
        OLD_CPO,
        None,
        [OLD_LOCATION],
        ("location LOC1 -> IT*OLD (E1)", "tariff T1 -> IT*OLD"),
    ),
    # Tariffs
    "a list of Tariffs": Case(
        "GET",
        "tariffs/S",
        EMSP,
        CPO,
        None,
        [{"id": "T1"}, {"id": "T2"}],
        ("tariff T1 -> NL*CPO", "tariff T2 -> NL*CPO"),
    ),
    "a Tariff the eMSP has": Case("GET", "tariffs/R/NL/CPO/T1", CPO, EMSP, None, {"id": "T1"}),
    "a Tariff that is pushed": Case(
        "PUT", "tariffs/R/NL/CPO/T1", CPO, EMSP, {"id": "T1"}, None, ("tariff T1 -> NL*CPO",)
    ),
    "a Tariff that is deleted": Case("DELETE", "tariffs/R/NL/CPO/T1", CPO, EMSP, learned=("no tariff T1 -> NL*CPO",)),
    # Sessions
    "a list of Sessions": Case("GET", "sessions/S", EMSP, CPO, None, [SESSION], OF_SESSION),
    "charging preferences": Case("PUT", "sessions/S/s1/charging_preferences", EMSP, CPO, {"x": 1}, "ACCEPTED"),
    "a Session the eMSP has": Case("GET", "sessions/R/NL/CPO/s1", CPO, EMSP, None, SESSION),
    "a Session that is pushed": Case("PUT", "sessions/R/NL/CPO/s1", CPO, EMSP, SESSION, None, OF_SESSION),
    "a Session that changes": Case(
        "PATCH",
        "sessions/R/NL/CPO/s1",
        CPO,
        EMSP,
        {"status": "COMPLETED"},
        None,
        (
            "Session s1 of NL*CPO for DE*MSP, COMPLETED",
            "session_shown DE/MSP/S1 -> NL*CPO",
            "contact NL/CPO/DE*MSP -> DE*MSP",
        ),
    ),
    "a Session that is shown to a smart charging provider, whose it is not": Case(
        "PUT",
        "sessions/R/NL/CPO/s1",
        CPO,
        SCSP,
        SESSION,
        None,
        (
            "Session s1 of NL*CPO for None, ACTIVE",
            "session_shown CH/SCS/S1 -> NL*CPO",
            "location LOC1 -> NL*CPO (E1)",
        ),
    ),
    "a Session that its eMSP forwards": Case(
        "PUT", "sessions/R/NL/CPO/s1", EMSP, SCSP, SESSION, None, ("session_shown CH/SCS/S1 -> DE*MSP",)
    ),
    "a Session of 2.1.1": Case(
        "PUT",
        "sessions/R/IT/OLD/s1",
        OLD_CPO,
        EMSP,
        {"id": "s1", "status": "ACTIVE", "location": {"id": "Loc1", "evses": [{"uid": "E1"}]}},
        None,
        (
            "Session s1 of IT*OLD for DE*MSP, ACTIVE",
            "session_shown DE/MSP/S1 -> IT*OLD",
            "location LOC1 -> IT*OLD (E1)",
            "customer_at DE/MSP/LOC1 -> IT*OLD",
            "contact IT/OLD/DE*MSP -> DE*MSP",
        ),
    ),
    # CDRs
    "a list of CDRs": Case("GET", "cdrs/S", EMSP, CPO, None, [CDR], OF_CDR),
    "a CDR that is posted": Case("POST", "cdrs/R", CPO, EMSP, CDR, None, OF_CDR),
    "a CDR of 2.1.1": Case(
        "POST",
        "cdrs/R",
        OLD_CPO,
        EMSP,
        {"id": "Cdr1", "location": {"id": "Loc1", "evses": [{"uid": "E1"}]}},
        None,
        (
            "cdr IT/OLD/CDR1 -> DE*MSP",
            "cdr_got DE/MSP/CDR1 -> IT*OLD",
            "location LOC1 -> IT*OLD (E1)",
            "customer_at DE/MSP/LOC1 -> IT*OLD",
            "contact IT/OLD/DE*MSP -> DE*MSP",
        ),
    ),
    # Authorizations and commands
    "an authorization": Case("POST", "tokens/S/04A1/authorize", CPO, EMSP, {}, AUTHORIZATION, OF_REFERENCE),
    "an authorization that was not given": Case(
        "POST", "tokens/S/04A1/authorize", CPO, EMSP, {}, {**AUTHORIZATION, "allowed": "BLOCKED"}
    ),
    "a StartSession": Case(
        "POST",
        "commands/R/START_SESSION",
        EMSP,
        CPO,
        {"location_id": "Loc1", "authorization_reference": "Ref-1"},
        ACCEPTED,
        OF_REFERENCE,
    ),
    "a StartSession that was rejected": Case(
        "POST", "commands/R/START_SESSION", EMSP, CPO, {"authorization_reference": "Ref-1"}, {"result": "REJECTED"}
    ),
    "a ReserveNow": Case(
        "POST",
        "commands/R/RESERVE_NOW",
        EMSP,
        CPO,
        {**RESERVATION, "authorization_reference": "Ref-1"},
        ACCEPTED,
        (*OF_REFERENCE, "reservation DE/MSP/RES1 -> NL*CPO (LOC1)", "customer_at DE/MSP/LOC1 -> NL*CPO"),
    ),
    "a ReserveNow with a number": Case(
        "POST",
        "commands/R/RESERVE_NOW",
        EMSP,
        CPO,
        {"reservation_id": 77},
        ACCEPTED,
        ("reservation DE/MSP/77 -> NL*CPO",),
    ),
    "a StopSession": Case("POST", "commands/R/STOP_SESSION", EMSP, CPO, {"session_id": "s1"}, ACCEPTED),
    "a charging profile": Case(
        "PUT", "chargingprofiles/R/s1", SCSP, CPO, {"x": 1}, ACCEPTED, ("profile NL/CPO/S1 -> CH*SCS",)
    ),
    "a charging profile that was rejected": Case(
        "PUT", "chargingprofiles/R/s1", SCSP, CPO, {"x": 1}, {"result": "REJECTED"}
    ),
    # Bookings
    "a list of BookingLocations": Case(
        "GET", "bookings/S/booking_locations", EMSP, CPO, None, [BOOKING_LOCATION], OF_BOOKING_LOCATION
    ),
    "a BookingLocation that is read": Case(
        "GET", "bookings/S/booking_locations/bl1", EMSP, CPO, None, BOOKING_LOCATION, OF_BOOKING_LOCATION
    ),
    "a BookingLocation that is pushed": Case(
        "PUT", "bookings/R/NL/CPO/booking_locations/bl1", CPO, EMSP, BOOKING_LOCATION, None, OF_BOOKING_LOCATION
    ),
    "a Calendar that changes": Case(
        "PATCH",
        "bookings/R/NL/CPO/booking_locations/bl1/7",
        CPO,
        EMSP,
        {"id": "7"},
        None,
        ("booking_location BL1 -> NL*CPO",),
    ),
    "a list of Bookings": Case("GET", "bookings/S", EMSP, CPO, None, [BOOKING], OF_BOOKING),
    "a BookingRequest": Case(
        "POST",
        "bookings/S",
        EMSP,
        CPO,
        REQUEST,
        BOOKING,
        (
            "booking DE/MSP/RQ1 -> NL*CPO",
            "booking NL/CPO/RQ1 -> DE*MSP",
            "booking NL/CPO/BK1 -> DE*MSP",
            *OF_REFERENCE,
            "Token 04A1 of DE*MSP",
        ),
    ),
    "a Booking that is pushed": Case("PUT", "bookings/R/NL/CPO/bk1", CPO, EMSP, BOOKING, None, OF_BOOKING),
    "a Booking that changes": Case(
        "PATCH", "bookings/R/NL/CPO/rq1", CPO, EMSP, {"x": 1}, None, ("booking NL/CPO/RQ1 -> DE*MSP",)
    ),
    # Payments
    "a list of Terminals": Case("GET", "payments/S/terminals", CPO, PTP, None, [TERMINAL], OF_TERMINAL),
    "a Terminal that is read": Case("GET", "payments/S/terminals/tm1", CPO, PTP, None, TERMINAL, OF_TERMINAL),
    "a Terminal that is activated by its reference": Case(
        "POST", "payments/S/terminals/activate", CPO, PTP, {"reference": "Serial1"}, None, OF_TERMINAL[2:]
    ),
    "a Terminal that gets its id with the answer": Case(
        "POST", "payments/S/terminals/activate", CPO, PTP, {"reference": "Serial1"}, TERMINAL, OF_TERMINAL
    ),
    "a Terminal that is deactivated": Case("POST", "payments/S/terminals/tm1/deactivate", CPO, PTP),
    "a Terminal that is put": Case(
        "PUT", "payments/S/terminals/tm1", CPO, PTP, {"terminal_id": "Tm1"}, None, OF_TERMINAL[:2]
    ),
    "a Terminal that is posted": Case("POST", "payments/R/terminals", PTP, CPO, TERMINAL, None, OF_TERMINAL),
    "a list of FinancialAdviceConfirmations": Case(
        "GET", "payments/S/financial-advice-confirmations", CPO, PTP, None, [CONFIRMATION], OF_CONFIRMATION
    ),
    "a FinancialAdviceConfirmation that is read": Case(
        "GET", "payments/S/financial-advice-confirmations/fac1", CPO, PTP, None, CONFIRMATION, OF_CONFIRMATION
    ),
    "a FinancialAdviceConfirmation that is posted": Case(
        "POST", "payments/R/financial-advice-confirmations", PTP, CPO, CONFIRMATION, None, OF_CONFIRMATION
    ),
    # InvoiceReconciliation
    "a list of InvoiceReconciliationRecords": Case(
        "GET", "invoicereconciliation/S", EMSP, CPO, None, [RECORD], ("reconciliation NL/CPO/REC1 -> DE*MSP",)
    ),
    "an InvoiceReconciliationRecord that is posted": Case(
        "POST", "invoicereconciliation/R", CPO, EMSP, RECORD, None, ("reconciliation NL/CPO/REC1 -> DE*MSP",)
    ),
    "an InvoiceReconciliationRecord that is put": Case(
        "PUT", "invoicereconciliation/R/NL/CPO/rec1", CPO, EMSP, RECORD, None, ("reconciliation NL/CPO/REC1 -> DE*MSP",)
    ),
    "an InvoiceReconciliationRecord of an eMSP": Case(
        "PUT",
        "invoicereconciliation/R/DE/MSP/r2",
        EMSP,
        CPO,
        {"id": "r2"},
        None,
        ("reconciliation DE/MSP/R2 -> NL*CPO",),
    ),
    "an InvoiceReconciliationRecord that is deleted": Case(
        "DELETE", "invoicereconciliation/R/NL/CPO/rec1", CPO, EMSP, learned=("no reconciliation NL/CPO/REC1 -> DE*MSP",)
    ),
}


@pytest.mark.parametrize("case", LEARNED.values(), ids=LEARNED)
def test_each_exchange_teaches_who_its_ids_lead_to(case: Case, hub: RunningHub) -> None:
    assert sorted(map(told, facts_of(case, hub))) == sorted(case.learned)


@pytest.mark.parametrize("name", [name for name, case in LEARNED.items() if case.learned])
def test_what_was_refused_teaches_nothing(name: str, hub: RunningHub) -> None:
    for http_status, ocpi_status in ((200, 2000), (200, 3001), (404, 1000)):
        refused = LEARNED[name]._replace(http_status=http_status, ocpi_status=ocpi_status)
        assert facts_of(refused, hub) == []


def _lies() -> dict[str, Case]:
    foreign = {"country_code": "FR", "party_id": "CPO"}
    return {
        "a Location of another CPO in a list": Case("GET", "locations/S", EMSP, CPO, None, [{**LOCATION, **foreign}]),
        "a Location of another CPO that is read": Case(
            "GET", "locations/S/L1", EMSP, CPO, None, {**LOCATION, **foreign}
        ),
        "a Location pushed as another's": Case("PUT", "locations/R/FR/CPO/L1", CPO, EMSP, LOCATION),
        "an EVSE pushed as another's": Case("PUT", "locations/R/FR/CPO/L1/E1", CPO, EMSP, EVSE),
        "a Connector pushed as another's": Case("PUT", "locations/R/FR/CPO/L1/E1/1", CPO, EMSP, EVSE["connectors"]),
        "a Tariff of another CPO": Case("GET", "tariffs/S", EMSP, CPO, None, [{"id": "T1", **foreign}]),
        "a Tariff deleted as another's": Case("DELETE", "tariffs/R/FR/CPO/T1", CPO, EMSP),
        "a Session of another CPO": Case("GET", "sessions/S", EMSP, CPO, None, [{**SESSION, **foreign}]),
        "a CDR of another CPO": Case("GET", "cdrs/S", EMSP, CPO, None, [{**CDR, **foreign}]),
        "a CDR posted as another's": Case("POST", "cdrs/R", CPO, EMSP, {**CDR, **foreign}),
        "a BookingLocation of another CPO": Case(
            "GET", "bookings/S/booking_locations", EMSP, CPO, None, [{**BOOKING_LOCATION, **foreign}]
        ),
        "a Booking of another CPO": Case("GET", "bookings/S", EMSP, CPO, None, [{**BOOKING, **foreign}]),
        "a record of another issuer": Case("GET", "invoicereconciliation/S", EMSP, CPO, None, [{**RECORD, **foreign}]),
        "a record deleted as another's": Case("DELETE", "invoicereconciliation/R/FR/CPO/R1", CPO, EMSP),
    }


@pytest.mark.parametrize("case", _lies().values(), ids=_lies())
def test_who_lies_about_an_owner_teaches_nothing(case: Case, hub: RunningHub) -> None:
    assert facts_of(case, hub) == []


def test_the_owner_of_a_token_that_somebody_else_authorizes_is_not_believed(hub: RunningHub) -> None:
    token = {"country_code": "FR", "party_id": "MSP", "uid": "04A1"}
    case = LEARNED["an authorization"]._replace(data={**AUTHORIZATION, "token": token})
    assert sorted(map(told, facts_of(case, hub))) == sorted(OF_REFERENCE)


def test_a_cpo_cannot_say_where_the_references_and_requests_of_an_emsp_lead(hub: RunningHub) -> None:
    facts = [*facts_of(LEARNED["a Session that is pushed"], hub), *facts_of(LEARNED["a Booking that is pushed"], hub)]
    ways = [each for each in facts if isinstance(each, WayLearned)]
    by_emsp = [each for each in ways if each.key[:2] == EMSP and each.index in (Index.AUTHORIZATION, Index.BOOKING)]
    assert by_emsp == []


@pytest.mark.parametrize(
    "case",
    [
        Case("GET", "locations/S", EMSP, CPO, None, [{"id": "#NA", "evses": []}]),
        Case("PUT", "locations/R/NL/CPO/%23NA", CPO, EMSP, {"id": "#NA"}),
        Case("PUT", "locations/R/NL/CPO/%23NA/E1", CPO, EMSP, {"uid": "E1"}),
        Case("GET", "cdrs/S", EMSP, CPO, None, [{"id": "#NA", "session_id": "#NA", "cdr_location": {"id": "#NA"}}]),
        Case("GET", "sessions/S", EMSP, CPO, None, [{**SESSION, "id": "#NA"}]),
        Case("POST", "tokens/S/04A1/authorize", CPO, EMSP, {}, {**AUTHORIZATION, "authorization_reference": "#NA"}),
        Case("POST", "commands/R/RESERVE_NOW", EMSP, CPO, {"reservation_id": "#NA"}, ACCEPTED),
        Case("GET", "payments/S/terminals", CPO, PTP, None, [{"terminal_id": "#NA", "reference": ""}]),
        Case("GET", "bookings/S", EMSP, CPO, None, [{"id": "#NA", "request_id": "x" * 81}]),
    ],
    ids=lambda case: case.where,
)
def test_ids_that_are_none_are_not_learned(case: Case, hub: RunningHub) -> None:
    assert [told(fact) for fact in facts_of(case, hub) if not told(fact).startswith("contact")] == []


def test_what_has_a_member_of_the_wrong_kind_still_teaches_the_rest(hub: RunningHub) -> None:
    evses = [
        {"uid": 7},
        {"uid": "E2", "connectors": "none"},
        None,
        {"uid": "E3", "connectors": [{"tariff_ids": ["T1", 5]}]},
    ]
    page = [{"id": "L1", "evses": evses, "country_code": None}, "nonsense", {"id": 5}, {"id": "L2", "evses": {}}]
    listed = Case("GET", "locations/S", EMSP, CPO, None, page)
    session = {**SESSION, "status": 5, "evse_uid": [], "location": "somewhere"}

    assert [told(fact) for fact in facts_of(listed, hub)] == [
        "location L1 -> NL*CPO (E2, E3)",
        "tariff T1 -> NL*CPO",
        "location L2 -> NL*CPO",
    ]
    pushed = facts_of(LEARNED["a Session that is pushed"]._replace(body=session), hub)
    assert "Session s1 of NL*CPO for DE*MSP, None" in map(told, pushed)
    assert "location LOC1 -> NL*CPO" in map(told, pushed)


@pytest.mark.parametrize("name", [name for name, case in LEARNED.items() if case.data])
def test_an_answer_that_is_none_fails_nothing(name: str, hub: RunningHub) -> None:
    with capture_logs() as logs:
        for data in WRONG:
            facts_of(LEARNED[name]._replace(data=data), hub)
    assert logs == []


def test_a_bug_in_learning_costs_no_message_its_answer(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.hub.knowledge._learned, "note_once", None)
    case = LEARNED["a Location that is pushed"]
    with capture_logs() as logs:
        learn_ways(_message(case, hub), Forward(case.to, _connection(case.to, hub), ""), _answer(case), hub.hub)
    assert [each["event"] for each in logs] == ["nothing_learned"]


def test_every_row_is_that_of_an_operation_there_is() -> None:
    for key, row in way_rows._ROWS.items():
        assert any(found is row for found in _rows_at(*key)), key


def _rows_at(module: str, interface: InterfaceRole, method: str, path: str) -> Iterator[way_rows.Row | None]:
    segments = tuple(path.split("/")) if path else ()
    for version in Version:
        for owner in ((), ("NL", "CPO")):
            with suppress(NoSuchPath, WrongMethod):
                yield way_rows.row_of(operation_at(version, module, interface, method, (*owner, *segments)))


# How long


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("a CDR that is posted", {"cdr": 400, "session_shown": 180, "customer_at": 30, "contact": 30}),
        ("a Location that is pushed", {"location": None, "tariff": None}),
        ("an authorization", {"authorization": 180, "contact": 30}),
        ("a charging profile", {"profile": 180}),
        ("a list of BookingLocations", {"booking_location": None}),
        ("a list of Bookings", {"booking": 400}),
        ("a Terminal that is posted", {"terminal": None}),
        ("a FinancialAdviceConfirmation that is posted", {"confirmation": 400}),
        ("an InvoiceReconciliationRecord that is posted", {"reconciliation": 400}),
    ],
)
def test_each_way_is_kept_for_its_time(name: str, days: dict[str, int | None], hub: RunningHub) -> None:
    ways = [fact for fact in facts_of(LEARNED[name], hub) if isinstance(fact, WayLearned)]
    kept = {way.index: None if way.until is None else (way.until - way.at) / DAY for way in ways}
    assert {index: kept[Index(index)] for index in days} == days


@pytest.mark.parametrize(
    ("ends", "days"), [(None, 400), ("2000-01-01T00:00:00Z", 30), ("2999-01-01T00:00:00Z", 400), ("soon", 400)]
)
def test_a_reservation_is_kept_for_a_month_after_it_ends(ends: str | None, days: int, hub: RunningHub) -> None:
    case = LEARNED["a ReserveNow"]._replace(body={**RESERVATION, "expiry_date": ends})
    [way] = [fact for fact in facts_of(case, hub) if isinstance(fact, WayLearned) and fact.index is Index.RESERVATION]
    assert way.until == way.at + days * DAY


@pytest.mark.parametrize(("ends", "days"), [("2000-01-01T00:00:00Z", 180), ("2999-01-01T00:00:00Z", 400)])
def test_a_booking_is_kept_for_half_a_year_after_it_ends(ends: str, days: int, hub: RunningHub) -> None:
    case = LEARNED["a list of Bookings"]._replace(data=[{**BOOKING, "period": {"end_date_time": ends}}])
    for way in facts_of(case, hub):
        assert isinstance(way, WayLearned)
        assert way.until == way.at + days * DAY


# Lists of everybody's, broadcasts, lists of 2.1.1


def learned_from(hub: RunningHub) -> tuple[list[Fact], Any]:
    """Facts that will be learned, and the hub that learns them."""
    facts: list[Fact] = []
    return facts, replace(hub.hub, knowledge=hub.hub.knowledge.on_trial(facts))


def test_a_page_of_one_party_teaches_as_if_it_had_been_asked_for_directly(hub: RunningHub) -> None:
    facts, learning = learned_from(hub)
    case = Case("GET", "tariffs/S", EMSP, CPO, None, [{"id": "T1", "type": "REGULAR"}])
    unit = Unit(CPO, _connection(CPO, hub))
    learn_unit(_message(case, hub), unit, _connection(EMSP, hub), _answer(case), learning)

    assert [type(fact) for fact in facts] == [WayLearned, TariffSeen]


def test_what_2_1_1_lists_of_sessions_teaches_only_what_is_the_requesters(hub: RunningHub) -> None:
    facts, learning = learned_from(hub)
    case = Case("GET", "sessions/S", EMSP, OLD_CPO, None, [{"id": "s1"}, {"id": "s2"}])
    route = Forward(OLD_CPO, _connection(OLD_CPO, hub), "")
    learn_ways(_message(case, hub), route, _answer(case), learning)
    assert facts == []

    learn_kept(_message(case, hub), route, [{"id": "s2"}], learning)

    assert "session_shown DE/MSP/S2 -> IT*OLD" in map(told, facts)
    assert not any("S1" in told(fact) for fact in facts)


def test_a_broadcast_teaches_what_its_sender_says(hub: RunningHub) -> None:
    def facts_of_broadcast(method: str, where: str, by: Party, body: Any = None) -> list[Fact]:  # noqa: ANN401 - any JSON
        facts, learning = learned_from(hub)
        message = _message(Case(method, where, by, hub.hub.party, body), hub)
        learn_broadcast(message, _connection(by, hub), learning)
        return facts

    token = {"uid": "04A1", "type": "RFID", "contract_id": "C1", "valid": True, "last_updated": ""}
    pushed = facts_of_broadcast("PUT", "locations/R/NL/CPO/Loc1", CPO, LOCATION)
    assert [told(fact) for fact in pushed] == ["LocationSeen", *PLACE_AND_TARIFFS]
    assert [type(fact) for fact in facts_of_broadcast("PUT", "tokens/R/DE/MSP/04A1", EMSP, token)] == [TokenSeen]
    deleted = facts_of_broadcast("DELETE", "tariffs/R/NL/CPO/T1", CPO)
    assert [told(fact) for fact in deleted] == ["TariffSeen", "no tariff T1 -> NL*CPO"]
    old = facts_of_broadcast("PUT", "locations/R/IT/OLD/Loc1", OLD_CPO, OLD_LOCATION)
    assert any(isinstance(fact, OwnPush) for fact in old)
    booking = facts_of_broadcast("PUT", "bookings/R/NL/CPO/booking_locations/bl1", CPO, BOOKING_LOCATION)
    assert [told(fact) for fact in booking] == [*OF_BOOKING_LOCATION]


# What is known then


def test_what_was_learned_answers_the_questions_of_open_routing(hub: RunningHub) -> None:
    for name in ("a Location that is pushed", "a Session that is pushed"):
        case = LEARNED[name]
        learn_ways(_message(case, hub), Forward(case.to, _connection(case.to, hub), ""), _answer(case), hub.hub)
    places = WaysOf(Index.LOCATION, ("LOC1",))
    shown = WaysOf(Index.SESSION_SHOWN, (*EMSP, "S1"))
    nothing = WaysOf(Index.CDR, (*CPO, "NONE"))
    session, unknown = SessionKnown(CPO, "S1"), SessionKnown(OTHER_CPO, "S1")

    answers = hub.do(hub.hub.knowledge.answers([places, shown, nothing, session, unknown]))

    assert {(way.party, way.detail) for way in answers[places]} == {(CPO, "EVSE1"), (CPO, "E2"), (CPO, "E1")}
    assert [way.party for way in answers[shown]] == [CPO]
    assert answers[nothing] == ()
    assert answers[session] == SessionFacts(EMSP, "ACTIVE")
    assert answers[unknown] is None
    assert all(hub.hub.knowledge.known[each] == answer for each, answer in answers.items())


def test_what_has_ended_is_no_answer_even_before_it_is_deleted(hub: RunningHub) -> None:
    knowledge, question = hub.hub.knowledge, WaysOf(Index.CONTACT, (*CPO, "FR*MSP"))
    at = hub.hub.directory.snapshot.parties[CPO].created_at
    knowledge.note(WayLearned(Index.CONTACT, question.key, OTHER_EMSP, at - 40 * DAY, at - 10 * DAY))
    assert hub.do(knowledge.answers([question])) == {question: ()}

    knowledge.note(WayLearned(Index.CONTACT, question.key, OTHER_EMSP, at, at + DAY))
    assert hub.do(knowledge.answers([question])) == {question: (Way(OTHER_EMSP, "", at),)}
