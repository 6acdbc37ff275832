"""Parties behind other hubs: who counts, who may speak for whom, and who is nothing to whom."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from routing.decision import check_sender
from routing.directory import PartyDirectory, PlatformPart
from routing.errors import ForeignSender, SuspendedSender
from routing.message import RoutingHeaders
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Party
from tests.routing.directories import connection, hub_part, part

HERE, ALSO_HERE = Party("NL", "AAA"), Party("NL", "BBB")
THERE, ALSO_THERE, BEYOND = Party("BE", "CCC"), Party("BE", "DDD"), Party("FR", "EEE")
KNOT, LOOP = Party("BE", "KNO"), Party("FR", "LOO")


def knot(*behind: Party, status: ConnectionStatus = ConnectionStatus.CONNECTED, priority: int = 100) -> PlatformPart:
    way = connection("knot")
    quirks = Quirks(hub_priority=priority)
    return hub_part("knot", KNOT, *behind, status=status, connections=(way,), quirks=quirks)


def loop(*behind: Party, status: ConnectionStatus = ConnectionStatus.CONNECTED) -> PlatformPart:
    return hub_part("loop", LOOP, *behind, status=status)


def via(directory: PartyDirectory, party: Party) -> str | None:
    platform = directory.platform_of(party)
    return None if platform is None else platform.id


def test_a_party_behind_a_hub_is_called_through_that_hub() -> None:
    directory = PartyDirectory.of(1, [part("one", HERE), knot(THERE)])

    assert via(directory, THERE) == "knot"
    assert {entry.party for entry in directory.everybody()} == {HERE, KNOT, THERE}


def test_a_platform_here_comes_before_any_hub() -> None:
    directory = PartyDirectory.of(1, [knot(HERE), part("one", HERE)])

    assert via(directory, HERE) == "one"
    assert [entry.platform_id for entry in directory.everybody() if entry.party == HERE] == ["one"]
    rival = directory.also_claimed(HERE, "knot")
    assert rival is not None
    assert rival.platform_id == "one"


@pytest.mark.parametrize("status", [ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE])
def test_a_hub_that_took_another_party_goes_by_that_one_whether_it_answers_or_not(status: ConnectionStatus) -> None:
    hub = knot()
    former, current = hub.parties[0], replace(hub.parties[0], party=THERE, status=status)
    parties = (replace(former, status=ConnectionStatus.SUSPENDED), current)
    platform = replace(hub.platform, parties=(KNOT, THERE), status=status)

    directory = PartyDirectory.of(1, [replace(hub, platform=platform, parties=parties)])

    assert directory.own_party(platform) == THERE


@pytest.mark.parametrize(("priority", "counts"), [(99, "knot"), (100, "knot"), (101, "loop")])
def test_of_two_hubs_the_one_with_the_lower_number_counts_and_then_the_first_by_id(priority: int, counts: str) -> None:
    directory = PartyDirectory.of(1, [loop(THERE), knot(THERE, priority=priority)])

    assert via(directory, THERE) == counts
    assert directory.also_claimed(THERE, "knot") is not None


@pytest.mark.parametrize("status", [ConnectionStatus.SUSPENDED, ConnectionStatus.PLANNED])
def test_a_hub_where_the_party_is_comes_before_one_where_it_is_not(status: ConnectionStatus) -> None:
    directory = PartyDirectory.of(1, [knot(THERE, status=status, priority=1), loop(THERE)])

    assert via(directory, THERE) == "loop"


def test_what_a_hub_announces_anew_takes_the_place_of_what_it_announced() -> None:
    directory = PartyDirectory.of(1, [part("one", HERE), knot(THERE), loop(BEYOND, THERE)])

    directory = directory.replacing(2, [knot(ALSO_THERE)])

    assert (via(directory, THERE), via(directory, ALSO_THERE), via(directory, BEYOND)) == ("loop", "knot", "loop")
    directory = directory.replacing(3, [part("loop", LOOP)])
    assert (via(directory, THERE), via(directory, ALSO_THERE), via(directory, BEYOND)) == (None, "knot", None)


def test_a_party_that_registers_here_is_called_here_and_behind_the_hub_again_once_it_is_unknown_here() -> None:
    directory = PartyDirectory.of(1, [knot(THERE)])

    directory = directory.replacing(2, [part("one", THERE)])
    assert via(directory, THERE) == "one"
    directory = directory.replacing(3, [part("one", HERE)])
    assert via(directory, THERE) == "knot"


def test_who_is_only_invited_here_is_still_called_through_the_hub() -> None:
    directory = PartyDirectory.of(1, [knot(THERE), part("one", THERE, status=ConnectionStatus.PLANNED)])

    assert via(directory, THERE) == "knot"
    assert [entry.platform_id for entry in directory.everybody()] == ["knot", "knot"]
    assert THERE in directory.voices_of(directory.platform("knot"))
    assert directory.also_claimed(THERE, "knot") is None
    without = directory.replacing(2, [knot()])
    assert via(without, THERE) == "one"


def test_hubs_and_who_is_behind_them_are_nothing_to_each_other() -> None:
    directory = PartyDirectory.of(1, [part("one", HERE, ALSO_HERE), knot(THERE, ALSO_THERE), loop(BEYOND)])
    beyond = (KNOT, THERE, ALSO_THERE, LOOP, BEYOND)

    for other in beyond:
        assert directory.visible_to(HERE, other)
        assert directory.visible_to(other, HERE)
        assert not any(directory.visible_to(other, another) for another in beyond)
    assert directory.visible_to(HERE, ALSO_HERE)


def test_a_hub_speaks_for_itself_and_for_who_is_behind_it() -> None:
    directory = PartyDirectory.of(1, [part("one", HERE), knot(THERE, HERE), loop(BEYOND, THERE)])
    voices = directory.voices_of(directory.platform("loop"))

    assert [party in voices for party in (LOOP, BEYOND, THERE, KNOT, HERE, None)] == [True, True, True] + [False] * 3
    assert HERE not in directory.voices_of(directory.platform("knot"))
    assert HERE in directory.voices_of(directory.platform("one"))


def test_a_message_of_a_hub_is_from_a_party_it_announced() -> None:
    directory = PartyDirectory.of(1, [part("one", HERE), knot(THERE, HERE), loop(BEYOND)])
    way = directory.platform("knot").connections[0]

    assert check_sender(RoutingHeaders(HERE, THERE), way, directory) == THERE
    assert check_sender(RoutingHeaders(HERE, KNOT), way, directory) == KNOT
    for foreign in (BEYOND, HERE, LOOP):
        with pytest.raises(ForeignSender):
            check_sender(RoutingHeaders(HERE, foreign), way, directory)


def test_a_message_from_a_party_that_the_hub_withdrew_is_refused() -> None:
    directory = PartyDirectory.of(1, [knot(THERE, status=ConnectionStatus.SUSPENDED)])

    with pytest.raises(SuspendedSender):
        check_sender(RoutingHeaders(HERE, THERE), directory.platform("knot").connections[0], directory)
