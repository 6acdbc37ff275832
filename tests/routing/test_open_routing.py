"""Where a message goes that names no receiver: the table of `routing.open_routing`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from routing.clues import Index, Way
from routing.errors import (
    HubError,
    InvalidParameters,
    NoSuchPath,
    NotRoutable,
    NotShared,
    ReceiverUnreachable,
    UnknownReceiver,
    UnknownToken,
)
from routing.message import Message
from routing.modules import custom_operation
from routing.open_routing import Rules
from routing.routes import Broadcast, Forward, GetAll
from routing.vocabulary import ConnectionStatus, Party, Role, Version
from tests.routing.directories import company
from tests.routing.open_messages import (
    C1,
    C2,
    C3,
    E1,
    E2,
    HUB,
    NAP,
    NOBODY,
    PTP,
    RECEIVER,
    SENDER,
    SIBLING,
    away,
    leads,
    market,
    message,
    of,
    receiver,
    session,
    way,
)

START = message(E1, "commands", RECEIVER, "POST", "START_SESSION", body={"location_id": "loc1", "evse_uid": "ev1"})
READ_LOCATION = message(E1, "locations", SENDER, "GET", "Loc1")
LOCATION_OF_C1 = leads(Index.LOCATION, "LOC1", to=C1)


def named_hub(sent: Message) -> Message:
    return msgspec.structs.replace(sent, receiver=HUB)


BOOKING_REQUEST = {"request_id": "r1", "booking_location_id": "bl1", "location_id": "loc1"}
TERMINAL = {"terminal_id": "t1", "reference": "serial1", "location_ids": ["loc1", "loc2"]}


def test_who_was_found_is_called_as_if_it_had_been_named() -> None:
    route = way(READ_LOCATION, LOCATION_OF_C1)

    assert isinstance(route, Forward)
    assert (route.url, route.speaker) == ("https://c1.example/sender/locations/Loc1", None)


def test_a_party_that_was_found_and_is_away_is_unreachable() -> None:
    directory = market(away("c2", C2, Role.CPO, ConnectionStatus.OFFLINE))

    with pytest.raises(ReceiverUnreachable):
        way(READ_LOCATION, leads(Index.LOCATION, "LOC1", to=C2), directory)


def test_a_sibling_that_was_found_gets_it_like_anybody() -> None:
    sent = message(SIBLING, "locations", SENDER, "GET", "LOC1")

    assert receiver(sent, LOCATION_OF_C1) == C1


def test_what_leads_to_the_sender_itself_leads_nowhere() -> None:
    sent = message(C1, "commands", RECEIVER, "POST", "START_SESSION", body={"location_id": "LOC1"})

    assert receiver(sent, LOCATION_OF_C1) == C2, "the only other one"


@pytest.mark.parametrize("hidden", [NOBODY, Party("NL", "GON")])
def test_what_leads_to_nobody_the_sender_may_know_leads_nowhere(hidden: Party) -> None:
    with pytest.raises(UnknownReceiver) as caught:
        way(READ_LOCATION, leads(Index.LOCATION, "LOC1", to=hidden))

    with pytest.raises(UnknownReceiver) as unknown:
        way(READ_LOCATION)
    assert str(caught.value) == str(unknown.value)


def test_a_party_that_cannot_be_asked_such_a_thing_does_not_count_beside_one_that_can() -> None:
    directory = market(company("c2", {C2: [Role.CPO]}, Version.V2_3_0, modules=["tokens"]))
    known = leads(Index.LOCATION, "LOC1", to=[Way(C2), Way(C1)])

    assert receiver(READ_LOCATION, known, directory) == C1
    with pytest.raises(UnknownReceiver):
        way(
            READ_LOCATION,
            leads(Index.LOCATION, "LOC1", to=C2),
            market(*directory.parts.values(), company("c3", {C3: [Role.CPO]})),
        )


# ------------------------------------------------------------------------------------------------------------- nobody

ONE_CPO = market(company("c2", {C2: [Role.NSP]}))
"""C1 is the only CPO."""


def test_the_only_party_that_may_be_meant_gets_what_leads_nowhere() -> None:
    assert receiver(START, {}, ONE_CPO) == C1
    assert receiver(named_hub(START), {}, ONE_CPO) == C1
    assert receiver(message(E1, "tokens", RECEIVER, "GET", "NL/MS1/U1"), {}, ONE_CPO) == C1


def test_the_only_party_need_not_be_there() -> None:
    directory = market(away("c1", C1, Role.CPO, ConnectionStatus.OFFLINE), company("c2", {C2: [Role.NSP]}))

    with pytest.raises(ReceiverUnreachable):
        way(START, {}, directory)


@pytest.mark.parametrize("status", [ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED])
def test_a_party_that_never_came_or_is_gone_does_not_count(status: ConnectionStatus) -> None:
    assert receiver(START, {}, market(away("c2", C2, Role.CPO, status))) == C1


def test_a_sibling_is_not_the_only_party() -> None:
    sent = message(SIBLING, "commands", RECEIVER, "POST", "UNLOCK_CONNECTOR", body={"location_id": "X"})

    assert receiver(sent) == C2


def test_of_two_that_may_be_meant_neither_gets_it() -> None:
    with pytest.raises(UnknownReceiver) as caught:
        way(START)

    assert (caught.value.http_status, caught.value.ocpi_status) == (200, 4001)


@pytest.mark.parametrize(
    "sent",
    [
        message(C1, "sessions", RECEIVER, "GET", "NL/CP1/s1"),
        message(C1, "sessions", RECEIVER, "PUT", "NL/CP1/s1", body={}),
        message(C1, "cdrs", RECEIVER, "POST", body={}),
        message(C1, "invoicereconciliation", RECEIVER, "GET", "NL/CP1/i1"),
        message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": []}),
        message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": "d1"}),
        message(C1, "invoicereconciliation", RECEIVER, "PUT", "NL/CP1/i1", body={"cdrs": ["d1"]}),
        message(C1, "invoicereconciliation", RECEIVER, "DELETE", "NL/CP1/i1"),
        message(C1, "chargingprofiles", SENDER, "PUT", "s1", body={}),
        message(E1, "commands", RECEIVER, "POST", "WASH_CAR", body={"location_id": "LOC1"}),
        message(C1, "bookings", RECEIVER, "GET", "NL/CP1/b1"),
        message(C1, "bookings", RECEIVER, "PUT", "NL/CP1/b1", body={}),
        message(
            PTP, "payments", RECEIVER, "POST", "financial-advice-confirmations", body={"authorization_reference": "a"}
        ),
    ],
)
def test_nobody_gets_it_only_because_there_is_no_other(sent: Message) -> None:
    roles = {"c1": {C1: [Role.CPO]}, "e1": {E1: [Role.EMSP]}, "p": {PTP: [Role.PTP]}}
    few = [company(name, parties, Version.V2_3_0) for name, parties in roles.items()]

    with pytest.raises(UnknownReceiver):
        way(sent, {}, type(ONE_CPO).of(1, few))


@pytest.mark.parametrize(
    "sent",
    [
        message(C1, "sessions", RECEIVER, "PATCH", "NL/CP1/s1", body={"last_updated": "x"}),
        message(C1, "bookings", RECEIVER, "PATCH", "NL/CP1/b1", body={"last_updated": "x"}),
    ],
    ids=["session", "booking"],
)
def test_a_patch_of_what_nobody_knows_is_not_found_so_that_it_is_put(sent: Message) -> None:
    with pytest.raises(NoSuchPath):
        way(sent)


@pytest.mark.parametrize(
    "named",
    [{"country_code": "XX", "party_id": "XXX"}, {"country_code": "NL", "party_id": "MS1"}],
    ids=["nobody", "no CPO"],
)
def test_a_terminal_that_names_the_wrong_cpo_goes_to_no_other(named: dict[str, Any]) -> None:
    with pytest.raises(UnknownReceiver):
        way(
            message(PTP, "payments", RECEIVER, "POST", "terminals", body=TERMINAL | named),
            leads(Index.TERMINAL, *of(PTP, "SERIAL1"), to=C1),
        )


def test_a_booking_that_names_a_stranger_goes_to_nobody() -> None:
    body = {"booking_tokens": [{"country_code": "NL", "party_id": "MS1"}, {"country_code": "XX", "party_id": "XXX"}]}

    with pytest.raises(UnknownReceiver):
        way(message(C1, "bookings", RECEIVER, "PUT", "NL/CP1/b1", body=body))


def test_one_cdr_that_nobody_is_known_to_have_keeps_an_invoice_back() -> None:
    sent = message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ["d1", "d2"]})

    with pytest.raises(UnknownReceiver):
        way(sent, leads(Index.CDR, *of(C1, "D1"), to=E1))


def test_an_invoice_of_very_many_cdrs_has_to_name_its_receiver() -> None:
    ids = [f"D{number}" for number in range(1001)]
    known: dict[Any, Any] = {}
    for each in ids:
        known |= leads(Index.CDR, *of(C1, each), to=E1)

    assert receiver(message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ids[:1000]}), known) == E1
    with pytest.raises(UnknownReceiver):
        way(message(C1, "invoicereconciliation", RECEIVER, "POST", body={"cdrs": ids}), known)


def test_a_custom_module_goes_to_nobody_who_is_not_named() -> None:
    operation = custom_operation("nltnm-tokens", SENDER, "GET")
    sent = Message(Version.V2_3_0, operation, ("x",), "", E1, None, None)

    for each in (sent, named_hub(sent)):
        with pytest.raises(UnknownReceiver):
            way(each)


# ----------------------------------------------------------------------------------------------------------- the hub

HUBS = [
    message(C1, "locations", RECEIVER, "GET", "NL/CP1/L1"),
    message(C1, "tariffs", RECEIVER, "GET", "NL/CP1/T1"),
    message(C1, "sessions", RECEIVER, "GET", "NL/CP1/S1"),
    message(E1, "tokens", RECEIVER, "GET", "NL/MS1/U1"),
]


@pytest.mark.parametrize("sent", HUBS, ids=lambda sent: str(sent.operation.module))
def test_a_get_on_a_receiver_interface_is_never_for_the_hub(sent: Message) -> None:
    with pytest.raises(InvalidParameters):
        way(named_hub(sent), session(C1, "S1", E1))


def test_a_list_is_everybodys_whether_the_hub_is_named_or_nobody() -> None:
    sent = message(E1, "locations", SENDER, "GET")

    for each in (sent, named_hub(sent)):
        route = way(each)
        assert isinstance(route, GetAll)
        assert [unit.party for unit in route.units] == [C1, C2, NAP]


@pytest.mark.parametrize("named", [True, False])
def test_a_push_of_what_everybody_may_know_goes_to_everybody(named: bool) -> None:
    sent = message(C1, "locations", RECEIVER, "PUT", "NL/CP1/L1", body={})

    route = way(named_hub(sent) if named else sent)

    assert isinstance(route, Broadcast)
    assert len(route.receivers) == 6


def test_an_operator_may_want_the_hub_to_be_named_for_that() -> None:
    sent = message(C1, "locations", RECEIVER, "PUT", "NL/CP1/L1", body={})
    strict = Rules(open_broadcast=False)

    assert isinstance(way(named_hub(sent), rules=strict), Broadcast)
    with pytest.raises(UnknownReceiver):
        way(sent, rules=strict)


@pytest.mark.parametrize(
    "sent",
    [
        message(C1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}),
        message(C1, "sessions", RECEIVER, "PATCH", "NL/CP1/S1", body={"last_updated": "x"}),
        message(C1, "cdrs", RECEIVER, "POST", body={"id": "D1", "session_id": "S1"}),
    ],
    ids=lambda sent: f"{sent.operation.method} {sent.operation.module}",
)
def test_what_tells_of_a_person_goes_to_one_party_also_when_the_hub_is_named(sent: Message) -> None:
    assert receiver(named_hub(sent), session(C1, "S1", E2)) == E2
    with pytest.raises(HubError):
        way(named_hub(sent))


def test_a_role_that_has_nothing_to_push_is_told_so() -> None:
    with pytest.raises(NotShared) as caught:
        way(message(C1, "tokens", RECEIVER, "PUT", "NL/CP1/U1", body={}))

    assert (caught.value.http_status, caught.value.ocpi_status) == (200, 2000)


def test_a_party_without_the_interface_is_not_routable_once_it_is_certain_to_be_meant() -> None:
    directory = market(company("e1", {E1: [Role.EMSP]}, modules=["tokens"]))

    with pytest.raises(NotRoutable):
        way(message(C1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}), session(C1, "S1", E1), directory)


def test_an_unknown_token_is_unknown_when_nobody_can_be_asked() -> None:
    few = type(ONE_CPO).of(1, [company("c1", {C1: [Role.CPO]})])

    with pytest.raises(UnknownToken):
        way(message(C1, "tokens", SENDER, "POST", "U1/authorize", version=Version.V2_2_1), {}, few)
