"""Who is asked about a Token: the table of `routing.authorizing`."""

from __future__ import annotations

import pytest

from routing.directory import PartyDirectory
from routing.errors import ReceiverUnreachable, UnknownReceiver, UnknownToken
from routing.message import Message
from routing.open_routing import Rules
from routing.routes import FanOut, Forward
from routing.vocabulary import ConnectionStatus, Party, Role, Version
from tests.routing.directories import company
from tests.routing.open_messages import (
    C1,
    E1,
    E2,
    HUB,
    NOBODY,
    OLD_CPO,
    OTHER,
    SENDER,
    SIBLING,
    asked,
    away,
    market,
    message,
    of_uid,
    receiver,
    token,
    way,
)

QUIET = Rules(authorize_fanout=False)


def authorize(
    query: str = "", *, uid: str = "U1", to: Party | None = None, sender: Party = C1, version: Version = Version.V2_3_0
) -> Message:
    return message(sender, "tokens", SENDER, "POST", f"{uid}/authorize", query=query, to=to, version=version)


@pytest.mark.parametrize("to", [None, HUB])
def test_whose_token_it_is_is_asked_alone(to: Party | None) -> None:
    assert receiver(authorize(to=to), of_uid("U1", token(E2))) == E2


@pytest.mark.parametrize(
    ("query", "token_type", "is_known"),
    [
        ("", "RFID", True),
        ("", "APP_USER", False),
        ("type=RFID", "RFID", True),
        ("type=APP_USER", "APP_USER", True),
        ("type=APP_USER", "RFID", False),
        ("type=OTHER", "APP_USER", True),
        ("type=APP_USER", "OTHER", True),
        ("token_type=APP_USER", "APP_USER", True),
    ],
)
def test_a_token_is_known_by_its_uid_and_its_type(query: str, token_type: str, is_known: bool) -> None:
    route = way(authorize(query), of_uid("U1", token(E2, token_type=token_type)))

    assert isinstance(route, Forward if is_known else FanOut)


def test_the_uid_is_that_of_the_path_decoded() -> None:
    assert receiver(authorize(uid="a%2Fb"), of_uid("a/b", token(E2))) == E2


def test_several_owners_are_asked_one_after_the_other_the_likeliest_first() -> None:
    known = of_uid(
        "U1",
        token(E1, valid=False, last_updated="2026-03-01T00:00:00Z"),
        token(E2, last_updated="2026-01-01T00:00:00Z"),
        token(OTHER, last_updated="2026-02-01T00:00:00"),
        token(OTHER, last_updated="whenever"),
    )

    route = way(authorize(), known)

    assert isinstance(route, FanOut)
    assert route.in_turn
    assert [each.receiver for each in route.asked] == [OTHER, E2, E1]


def test_owners_who_are_away_are_not_asked_beside_one_who_is_there() -> None:
    directory = market(away("e1", E1, Role.EMSP, ConnectionStatus.OFFLINE))

    assert receiver(authorize(), of_uid("U1", token(E1), token(E2)), directory) == E2
    with pytest.raises(ReceiverUnreachable):
        way(authorize(), of_uid("U1", token(E1)), directory)


def test_an_owner_the_sender_may_not_know_does_not_count() -> None:
    assert receiver(authorize(), of_uid("U1", token(NOBODY), token(E2))) == E2


def test_an_emaid_says_whose_it_is() -> None:
    emaid = authorize("type=EMAID", uid="NLMS1C12345678")

    assert receiver(emaid) == E1
    assert receiver(emaid, of_uid("NLMS1C12345678", token(E2, token_type="EMAID"))) == E2
    assert isinstance(way(authorize(uid="NLMS1C12345678")), FanOut), "an RFID card's uid says nothing"
    assert isinstance(way(authorize("type=EMAID", uid="NLCP2C12345678")), FanOut), "a CPO has no Tokens"


def test_everybody_who_may_have_it_is_asked_when_nobody_is_known_to() -> None:
    route = way(authorize())

    assert isinstance(route, FanOut)
    assert not route.in_turn
    assert [each.receiver for each in route.asked] == [E1, E2, OTHER], "and not the sender's own platform"


def test_who_is_away_is_not_asked() -> None:
    directory = market(
        away("e1", E1, Role.EMSP, ConnectionStatus.OFFLINE),
        away("o", OTHER, Role.OTHER, ConnectionStatus.SUSPENDED),
    )

    assert receiver(authorize(), {}, directory) == E2


def test_who_has_no_such_interface_is_not_asked() -> None:
    directory = market(company("e1", {E1: [Role.EMSP]}, modules=["locations"]))

    assert asked(authorize(), {}, directory) == [E2, OTHER]


def test_at_most_twenty_are_asked() -> None:
    crowd = [company(f"m{number}", {Party("FR", f"M{number:02}"): [Role.EMSP]}) for number in range(30)]

    found = asked(authorize(), {}, market(*crowd))

    assert found == [Party("FR", f"M{number:02}") for number in range(20)]


def test_nobody_is_asked_where_an_operator_does_not_want_it() -> None:
    with pytest.raises(UnknownReceiver):
        way(authorize(), rules=QUIET)

    assert receiver(authorize(), of_uid("U1", token(E2)), rules=QUIET) == E2


def test_the_only_emsp_is_asked_all_the_same() -> None:
    few = PartyDirectory.of(1, [company("c1", {C1: [Role.CPO]}), company("e1", {E1: [Role.EMSP]})])

    assert receiver(authorize(version=Version.V2_2_1), {}, few, QUIET) == E1
    assert receiver(authorize(version=Version.V2_2_1), {}, few) == E1


def test_a_2_1_1_cpo_asks_everybody_and_never_one_only_because_there_is_no_other() -> None:
    peer = company("old-cpo", {OLD_CPO: [Role.CPO]}, Version.V2_1_1)
    sent = authorize(sender=OLD_CPO, version=Version.V2_1_1)

    assert asked(sent, {}, market(peer)) == [E1, E2, OTHER, SIBLING]
    with pytest.raises(UnknownToken):
        way(sent, {}, PartyDirectory.of(1, [peer, company("e1", {E1: [Role.EMSP]})]), QUIET)


def test_a_token_that_is_nobodys_is_unknown_and_not_the_receiver() -> None:
    few = PartyDirectory.of(1, [company("c1", {C1: [Role.CPO]})])

    with pytest.raises(UnknownToken) as caught:
        way(authorize(version=Version.V2_2_1), {}, few)
    assert not isinstance(caught.value, UnknownReceiver)
    assert (caught.value.http_status, caught.value.ocpi_status) == (404, 2004)
