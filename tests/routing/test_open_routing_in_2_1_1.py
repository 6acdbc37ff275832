"""Where a message of a 2.1.1 peer goes, whose version has no word for a receiver."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from routing.clues import Index, Way
from routing.errors import (
    HubError,
    NoSuchPath,
    UnknownLocation,
    UnknownReceiver,
    Untranslatable,
)
from routing.message import Message
from routing.open_routing import Rules
from routing.routes import Broadcast, ReadBack
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import Party, Role, Version
from tests.routing.directories import company
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    HUB,
    OLD_CPO,
    OLD_EMSP,
    RECEIVER,
    SENDER,
    Known,
    leads,
    market,
    message,
    of,
    receiver,
    session,
    way,
)

OLD = Version.V2_1_1
PEERS = market(
    company("old-cpo", {OLD_CPO: [Role.CPO]}, OLD),
    company("old-emsp", {OLD_EMSP: [Role.EMSP]}, OLD),
)
"""With a CPO and an eMSP of 2.1.1."""
BOOKING_REQUEST = {"request_id": "r1", "booking_location_id": "bl1", "location_id": "loc1"}
LOCATION_OF_C1 = leads(Index.LOCATION, "LOC1", to=C1)


def named_hub(sent: Message) -> Message:
    return msgspec.structs.replace(sent, receiver=HUB)


def old(sender: Party, module: str, method: str, path: str = "", body: dict[str, Any] | None = None) -> Message:
    interface = SENDER if (sender == OLD_EMSP) == (module not in ("tokens", "commands")) else RECEIVER
    return message(sender, module, interface, method, path, body=body, version=OLD)


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        (old(OLD_EMSP, "locations", "GET", "LOC1"), LOCATION_OF_C1, C1),
        (old(OLD_EMSP, "locations", "GET", "LOC1/EV1/1"), LOCATION_OF_C1, C1),
        (old(OLD_EMSP, "commands", "POST", "START_SESSION", {"location_id": "LOC1"}), LOCATION_OF_C1, C1),
        (
            old(OLD_EMSP, "commands", "POST", "STOP_SESSION", {"session_id": "S1"}),
            leads(Index.SESSION_SHOWN, *of(OLD_EMSP, "S1"), to=C2),
            C2,
        ),
        (old(OLD_CPO, "sessions", "GET", "DE/OLC/S1"), session(OLD_CPO, "S1", E1), E1),
        (old(OLD_CPO, "sessions", "PUT", "DE/OLC/S1", {}), session(OLD_CPO, "S1", E1), E1),
        (old(OLD_CPO, "sessions", "PATCH", "DE/OLC/S1", {}), session(OLD_CPO, "S1", E1), E1),
    ],
)
def test_what_a_2_1_1_peer_means_is_found_in_what_was_shown_to_it(sent: Message, known: Known, expected: Party) -> None:
    assert receiver(sent, known, PEERS) == expected


@pytest.mark.parametrize(
    ("sent", "error", "http_status", "ocpi_status"),
    [
        (old(OLD_EMSP, "locations", "GET", "LOC9"), UnknownLocation, 404, 2003),
        (old(OLD_EMSP, "locations", "GET", "LOC9/EV1"), UnknownLocation, 404, 2003),
        (old(OLD_EMSP, "commands", "POST", "START_SESSION", {"location_id": "LOC9"}), UnknownLocation, 200, 2003),
        (old(OLD_EMSP, "commands", "POST", "RESERVE_NOW", {"location_id": "LOC9"}), UnknownLocation, 200, 2003),
        (old(OLD_EMSP, "commands", "POST", "UNLOCK_CONNECTOR", {}), UnknownLocation, 200, 2003),
        (old(OLD_CPO, "sessions", "GET", "DE/OLC/S9"), NoSuchPath, 404, 2000),
        (old(OLD_CPO, "sessions", "PATCH", "DE/OLC/S9", {}), NoSuchPath, 404, 2000),
        (old(OLD_CPO, "sessions", "PUT", "DE/OLC/S9", {}), UnknownReceiver, 200, 4001),
        (old(OLD_CPO, "cdrs", "POST", "", {"id": "D9"}), UnknownReceiver, 200, 4001),
    ],
)
def test_what_a_2_1_1_peer_cannot_mean_has_the_answer_of_its_version(
    sent: Message, error: type[HubError], http_status: int, ocpi_status: int
) -> None:
    alone = market(
        *PEERS.parts.values(), company("c2", {C2: [Role.NSP]}), company("e2", {E2: [Role.NSP]})
    )  # C1 and E1 are no answer just because there is no other

    with pytest.raises(error) as caught:
        way(sent, {}, alone)

    assert (caught.value.http_status, caught.value.ocpi_status) == (http_status, ocpi_status)


def test_a_location_of_two_cpos_is_unknown_to_a_2_1_1_peer() -> None:
    known = leads(Index.LOCATION, "LOC1", to=[Way(C1), Way(C2)])

    with pytest.raises(UnknownLocation) as caught:
        way(old(OLD_EMSP, "commands", "POST", "START_SESSION", {"location_id": "LOC1"}), known, PEERS)
    assert "More than one" in str(caught.value)


def test_stopping_a_session_that_a_2_1_1_peer_was_never_shown_is_answered_by_the_hub() -> None:
    with pytest.raises(AnsweredByHub) as answered:
        way(old(OLD_EMSP, "commands", "POST", "STOP_SESSION", {"session_id": "S9"}), {}, PEERS)

    assert (answered.value.data, answered.value.rule) == ({"result": "UNKNOWN_SESSION"}, None)


@pytest.mark.parametrize(
    "sent",
    [
        old(OLD_CPO, "locations", "GET", "DE/OLC/L1"),
        old(OLD_CPO, "locations", "GET", "DE/OLC/L1/E1/1"),
        old(OLD_CPO, "tariffs", "GET", "DE/OLC/T1"),
        old(OLD_EMSP, "tokens", "GET", "DE/OLM/U1"),
    ],
    ids=lambda sent: "/".join(sent.segments),
)
def test_a_2_1_1_owner_reads_back_what_it_pushed(sent: Message) -> None:
    for each in (sent, named_hub(sent)):
        route = way(each, {}, PEERS)
        assert isinstance(route, ReadBack)
        assert route.owner == sent.sender


@pytest.mark.parametrize(
    "sent",
    [
        old(OLD_CPO, "locations", "PUT", "DE/OLC/L1", {}),
        old(OLD_CPO, "locations", "PATCH", "DE/OLC/L1/E1", {}),
        old(OLD_CPO, "tariffs", "PUT", "DE/OLC/T1", {}),
        old(OLD_CPO, "tariffs", "PATCH", "DE/OLC/T1", {}),
        old(OLD_CPO, "tariffs", "DELETE", "DE/OLC/T1"),
        old(OLD_EMSP, "tokens", "PUT", "DE/OLM/U1", {}),
        old(OLD_EMSP, "tokens", "PATCH", "DE/OLM/U1", {}),
    ],
    ids=lambda sent: f"{sent.operation.method} {sent.operation.module}",
)
def test_a_2_1_1_peer_pushes_to_everybody_whatever_an_operator_wants_of_others(sent: Message) -> None:
    assert isinstance(way(sent, {}, PEERS, Rules(open_broadcast=False)), Broadcast)


def test_charging_profiles_of_a_2_1_1_cpo_are_refused_by_the_hub_also_when_it_was_found() -> None:
    sent = message(E1, "chargingprofiles", RECEIVER, "PUT", "S1", body={})

    with pytest.raises(AnsweredByHub) as answered:
        way(sent, leads(Index.SESSION_SHOWN, *of(E1, "S1"), to=OLD_CPO), PEERS)
    assert answered.value.data["result"] == "NOT_SUPPORTED"


def test_a_booking_at_a_2_1_1_cpo_is_not_possible() -> None:
    with pytest.raises(Untranslatable) as caught:
        way(
            message(E1, "bookings", SENDER, "POST", body=BOOKING_REQUEST),
            leads(Index.LOCATION, "LOC1", to=OLD_CPO),
            PEERS,
        )
    assert caught.value.ocpi_status == 4000
