"""Who gets what is pushed to everybody, and whose lists make a list of everybody's."""

from __future__ import annotations

import pytest

from routing.directory import PartyDirectory
from routing.errors import NoSuchPath, NotShared
from routing.message import Message
from routing.quirks import Quirks
from routing.roles import LISTED_TO, PUSHED_TO
from routing.routes import Broadcast, GetAll
from routing.vocabulary import ConnectionStatus, Face, ModuleID, Party, Role, Version
from tests.routing.directories import company, connection, hub_part, offering
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    HUB,
    MARKET,
    NAP,
    NSP,
    OLD_CPO,
    OLD_EMSP,
    OTHER,
    PTP,
    RECEIVER,
    SCSP,
    SENDER,
    SIBLING,
    away,
    market,
    message,
    way,
)

OF_ROLE = {
    Role.CPO: C1,
    Role.EMSP: E1,
    Role.NAP: NAP,
    Role.NSP: NSP,
    Role.OTHER: OTHER,
    Role.PTP: PTP,
    Role.SCSP: SCSP,
}
PATHS = {
    ModuleID.LOCATIONS: "L1",
    ModuleID.TARIFFS: "T1",
    ModuleID.TOKENS: "U1",
    ModuleID.BOOKINGS: "booking_locations/B1",
}
LISTS = {
    ModuleID.BOOKINGS: ["", "booking_locations"],
    ModuleID.PAYMENTS: ["terminals", "financial-advice-confirmations"],
}


def push(owner: Party, module: str = "locations", *, sender: Party | None = None, to: Party | None = HUB) -> Message:
    path = f"{'/'.join(owner)}/{PATHS[ModuleID(module)]}"
    return message(sender or owner, module, RECEIVER, "PUT", path, body={}, to=to)


def pushed_to(sent: Message, directory: PartyDirectory = MARKET) -> list[Party]:
    """Who gets it, each with the hub as the speaker."""
    route = way(sent, {}, directory)
    assert isinstance(route, Broadcast)
    assert {each.speaker for each in route.receivers} <= {HUB}
    return [each.receiver for each in route.receivers]


def listed(
    sender: Party, module: str = "locations", path: str = "", directory: PartyDirectory = MARKET
) -> list[tuple[Party, bool]]:
    """Whose lists it is made of, and whether they are away."""
    route = way(message(sender, module, SENDER, "GET", path, to=HUB), {}, directory)
    assert isinstance(route, GetAll)
    return [(unit.party, unit.is_offline) for unit in route.units]


# --------------------------------------------------------------------------------------------------------- broadcasts


@pytest.mark.parametrize("module", PUSHED_TO)
@pytest.mark.parametrize("role", OF_ROLE)
def test_a_push_reaches_the_roles_of_the_table_and_no_other(module: str, role: Role) -> None:
    sent = push(OF_ROLE[role], module)
    wanted = PUSHED_TO[module].get(role)

    if wanted is None:
        with pytest.raises(NotShared):
            way(sent)
    else:
        roles = {party: {each.role for each in entry.roles} for party, entry in MARKET.parties.items()}
        own = MARKET.platform_of(sent.sender)
        assert own is not None
        expected = {party for party in roles if roles[party] & wanted and party not in own.parties}
        assert set(pushed_to(sent)) == expected


def test_a_push_of_a_cpo_reaches_everybody_who_reads_locations() -> None:
    assert set(pushed_to(push(C2))) == {E1, E2, NSP, NAP, OTHER, PTP, SIBLING}


def test_the_platform_of_the_sender_gets_no_echo() -> None:
    assert SIBLING not in pushed_to(push(C1))


def test_whose_object_it_is_counts_and_not_who_sends_it() -> None:
    assert set(pushed_to(push(C1, sender=SIBLING))) == set(pushed_to(push(C1)))
    with pytest.raises(NotShared):
        way(push(SIBLING, sender=C1))


def test_a_party_of_several_roles_pushes_and_receives_in_each_of_them() -> None:
    both = Party("NL", "BOT")
    directory = market(company("both", {both: [Role.EMSP, Role.CPO]}))

    assert both in pushed_to(push(C1), directory)
    assert both in pushed_to(push(E1, "tokens"), directory)
    assert set(pushed_to(push(both), directory)) >= {E1, E2}
    assert set(pushed_to(push(both, "tokens"), directory)) == {C1, C2}


@pytest.mark.parametrize("status", [each for each in ConnectionStatus if each is not ConnectionStatus.CONNECTED])
def test_who_is_not_there_gets_no_push(status: ConnectionStatus) -> None:
    assert E1 not in pushed_to(push(C1), market(away("e1", E1, Role.EMSP, status)))


def test_who_does_not_offer_the_interface_gets_no_push() -> None:
    directory = market(company("e1", {E1: [Role.EMSP]}, modules=["tokens"]))

    assert E1 not in pushed_to(push(C1), directory)


def test_a_booking_location_goes_to_nobody_of_an_older_version() -> None:
    older = company("e1", {E1: [Role.EMSP]}, Version.V2_2_1)

    assert set(pushed_to(push(C1, "bookings"), market(older))) == {E2, OTHER}


def test_each_receiver_is_called_in_the_version_it_speaks_and_the_senders_if_it_has_two() -> None:
    newer, older = Version.V2_3_0, Version.V2_2_1
    two = company("e1", {E1: [Role.EMSP]}, newer)
    ways = (connection("e1", older, offering("old", older)), *two.platform.connections)
    platform = type(two.platform)("e1", "E1", two.platform.status, (E1,), ways, Quirks(), is_hub=False)

    route = way(push(C1), {}, market(type(two)(platform, two.parties, {})))

    assert isinstance(route, Broadcast)
    [found] = [each for each in route.receivers if each.receiver == E1]
    assert found.connection.version is newer
    assert found.url == "https://e1.example/receiver/locations/NL/CP1/L1"


def test_a_2_1_1_company_of_both_roles_gets_each_push_where_it_expects_it() -> None:
    both = company("both", {OLD_CPO: [Role.CPO, Role.EMSP]}, Version.V2_1_1)

    for sent, face in ((push(C1), Face.CPO), (push(E1, "tokens"), Face.EMSP)):
        route = way(sent, {}, market(both))
        assert isinstance(route, Broadcast)
        assert [each.connection.face for each in route.receivers if each.receiver == OLD_CPO] == [face]


def test_a_2_1_1_peer_pushes_to_all_versions() -> None:
    directory = market(
        company("old-cpo", {OLD_CPO: [Role.CPO]}, Version.V2_1_1),
        company("old-emsp", {OLD_EMSP: [Role.EMSP]}, Version.V2_1_1),
    )
    sent = message(OLD_CPO, "locations", RECEIVER, "PUT", "DE/OLC/L1", body={}, version=Version.V2_1_1)

    assert set(pushed_to(sent, directory)) == {E1, E2, NSP, NAP, OTHER, PTP, SIBLING, OLD_EMSP}


def test_a_partner_may_want_one_push_for_all_of_its_parties() -> None:
    parties = {Party("NL", name): [Role.EMSP] for name in ("ZZZ", "AAA", "MMM")} | {Party("AA", "CPO"): [Role.CPO]}
    once = company("many", parties, quirks=Quirks(broadcast_per="platform"))

    assert [each for each in pushed_to(push(C1), market(once)) if each in parties] == [Party("NL", "AAA")]
    assert len([each for each in pushed_to(push(C1), market(company("many", parties))) if each in parties]) == 3


# -------------------------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize("module", LISTED_TO)
@pytest.mark.parametrize("role", OF_ROLE)
def test_a_list_is_made_of_those_of_the_table(module: str, role: Role) -> None:
    sender = OF_ROLE[role]
    own = MARKET.platform_of(sender)
    assert own is not None
    asked = {each for each, readers in LISTED_TO[module].items() if role in readers}
    expected = sorted(
        party
        for party, entry in MARKET.parties.items()
        if asked & {each.role for each in entry.roles} and party not in own.parties
    )

    for path in LISTS.get(ModuleID(module), [""]):
        assert listed(sender, module, path) == [(party, False) for party in expected]


def test_a_cpo_has_no_list_of_locations_to_read() -> None:
    assert listed(C1) == []


def test_who_is_away_is_missing_from_a_list_and_who_is_gone_no_part_of_it() -> None:
    directory = market(
        away("c1", C1, Role.CPO, ConnectionStatus.OFFLINE), away("c2", C2, Role.CPO, ConnectionStatus.SUSPENDED)
    )

    assert listed(E1, directory=directory) == [(C1, True), (NAP, False)]
    planned = market(away("c1", C1, Role.CPO, ConnectionStatus.PLANNED))
    assert listed(E1, directory=planned) == [(C2, False), (NAP, False)]


def test_the_platform_of_who_asks_is_no_part_of_the_list() -> None:
    assert listed(SIBLING) == [(C2, False), (NAP, False)]


def test_what_an_older_version_does_not_have_is_no_part_of_a_list() -> None:
    older = company("c1", {C1: [Role.CPO]}, Version.V2_2_1)

    assert listed(E1, "bookings", directory=market(older)) == [(C2, False)]


def test_a_list_is_in_the_order_of_the_parties() -> None:
    more = company("b", {Party("DE", "ZZZ"): [Role.CPO], Party("BE", "ZZZ"): [Role.CPO]})

    found = [party for party, _ in listed(E1, directory=market(more))]

    assert found == sorted(found)
    assert len(found) == 5


# --------------------------------------------------------------------------------------------------------- other hubs

K, K_CPO, K_EMSP = Party("XK", "HUB"), Party("XK", "CPO"), Party("XK", "MSP")
PEER_WAYS = (connection("k", Version.V2_3_0, offering("k", Version.V2_3_0)),)


def with_peer(*behind: Party, role: Role, status: ConnectionStatus = ConnectionStatus.CONNECTED) -> PartyDirectory:
    return market(hub_part("k", K, *behind, role=role, status=status, connections=PEER_WAYS))


def test_what_is_for_parties_behind_another_hub_is_pushed_to_that_hub_once() -> None:
    directory = with_peer(K_EMSP, Party("XK", "MS2"), role=Role.EMSP)

    found = pushed_to(push(C1), directory)

    assert found.count(K) == 1
    assert not {K_EMSP, Party("XK", "MS2")} & set(found)


def test_a_hub_without_anybody_it_is_for_gets_no_push() -> None:
    assert K not in pushed_to(push(C1), with_peer(K_CPO, role=Role.CPO))
    assert K not in pushed_to(push(C1), with_peer(K_EMSP, role=Role.EMSP, status=ConnectionStatus.OFFLINE))


def test_a_party_that_is_here_and_behind_another_hub_gets_the_direct_push_only() -> None:
    found = pushed_to(push(C1), with_peer(E1, role=Role.EMSP))

    assert E1 in found
    assert K not in found


def test_a_push_from_another_hub_goes_by_the_role_of_the_owner_and_stays_here() -> None:
    other = hub_part("k2", Party("XL", "HUB"), Party("XL", "MSP"), role=Role.EMSP, connections=PEER_WAYS)
    directory = market(hub_part("k", K, K_CPO, role=Role.CPO, connections=PEER_WAYS), other)

    assert set(pushed_to(push(K_CPO, sender=K), directory)) == {E1, E2, NSP, NAP, OTHER, PTP, SIBLING}
    with pytest.raises(NotShared):
        way(push(K_CPO, "tokens", sender=K), {}, directory)
    with pytest.raises(NoSuchPath):
        way(push(C1, sender=K), {}, directory)


def test_each_party_behind_another_hub_has_a_list_and_comes_after_those_here() -> None:
    behind = (Party("AA", "ZZZ"), Party("AA", "AAA"))

    found = listed(E1, directory=with_peer(*behind, role=Role.CPO))

    assert [party for party, _ in found] == [C1, C2, NAP, Party("AA", "AAA"), Party("AA", "ZZZ")]


def test_a_list_for_another_hub_is_of_the_parties_here() -> None:
    directory = market(
        hub_part("k", K, K_EMSP, role=Role.EMSP, connections=PEER_WAYS),
        hub_part("k2", Party("XL", "HUB"), Party("XL", "CPO"), connections=PEER_WAYS),
    )

    assert [party for party, _ in listed(K_EMSP, directory=directory)] == [C1, C2, NAP]
