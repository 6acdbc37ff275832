"""Who may handle objects that are not its own: a NAP, and an eMSP towards an SCSP."""

from __future__ import annotations

import msgspec
import pytest

from routing.errors import (
    NoSuchPath,
)
from routing.message import Message
from routing.routes import Broadcast
from routing.vocabulary import ConnectionStatus, Party, Role
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    HUB,
    NAP,
    NSP,
    OTHER,
    RECEIVER,
    SCSP,
    SIBLING,
    Known,
    away,
    market,
    message,
    receiver,
    session,
    way,
)


def test_an_emsp_tells_an_scsp_of_the_sessions_of_its_customers() -> None:
    for method, body in (("PUT", {}), ("PATCH", {"last_updated": "x"})):
        sent = message(E1, "sessions", RECEIVER, method, "NL/CP1/S1", body=body, to=SCSP)
        assert receiver(sent, session(C1, "S1", E1)) == SCSP


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (message(E1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=SCSP), session(C1, "S1", E2)),
        (message(E1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=SCSP), {}),
        (message(E1, "sessions", RECEIVER, "GET", "NL/CP1/S1", to=SCSP), session(C1, "S1", E1)),
        (message(E1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=E2), session(C1, "S1", E1)),
        (message(E1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}), session(C1, "S1", E1)),
        (message(E1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=HUB), session(C1, "S1", E1)),
        (message(C2, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=SCSP), session(C1, "S1", C2)),
        (message(E1, "locations", RECEIVER, "PUT", "NL/CP1/S1", body={}, to=SCSP), session(C1, "S1", E1)),
    ],
    ids=["another's session", "unknown", "GET", "to an eMSP", "to nobody", "to the hub", "by a CPO", "a location"],
)
def test_nobody_else_pushes_what_is_not_its_own(sent: Message, known: Known) -> None:
    with pytest.raises(NoSuchPath):
        way(sent, known)


@pytest.mark.parametrize("owner", ["ZZ/EXT", "DE/PLA"])
def test_a_nap_pushes_objects_of_owners_who_do_not_speak_here_themselves(owner: str) -> None:
    directory = market(away("planned", Party("DE", "PLA"), Role.CPO, ConnectionStatus.PLANNED))
    sent = message(NAP, "locations", RECEIVER, "PUT", f"{owner}/L1", body={}, to=HUB)

    route = way(sent, {}, directory)

    assert isinstance(route, Broadcast)
    assert "/".join(route.owner) == owner
    assert {each.receiver for each in route.receivers} == {E1, E2, NSP, OTHER, SIBLING}
    assert receiver(msgspec.structs.replace(sent, receiver=E1), {}, directory) == E1


@pytest.mark.parametrize(
    ("sender", "module", "path"),
    [
        (NAP, "locations", "NL/CP1/L1"),
        (NAP, "tariffs", "NL/CP1/T1"),
        (NAP, "locations", "EU/HUB/L1"),
        (NAP, "sessions", "ZZ/EXT/S1"),
        (NAP, "tokens", "ZZ/EXT/U1"),
        (C1, "locations", "ZZ/EXT/L1"),
    ],
)
def test_owners_who_speak_here_speak_for_themselves_and_only_a_nap_for_others(
    sender: Party, module: str, path: str
) -> None:
    with pytest.raises(NoSuchPath):
        way(message(sender, module, RECEIVER, "PUT", path, body={}, to=E1))
