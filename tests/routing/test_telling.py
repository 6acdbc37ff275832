from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from routing.client_info import publishes_payments
from routing.dialects import DIALECTS
from routing.directory import CredentialsRole, PartyDirectory, PartyEntry
from routing.telling import TOLD_AT, roles_to_tell, told_through, views_to_tell
from routing.vocabulary import ConnectionStatus, ModuleID, Party, Role, Version
from tests.routing.directories import LONG_AGO, connection, hub_part, part

CPO, EMSP = Party("NL", "CPO"), Party("DE", "MSP")
CONNECTED, OFFLINE = ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE
PLANNED, SUSPENDED = ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED


def changed(status: ConnectionStatus) -> PartyEntry:
    """A party that is not new."""
    later = LONG_AGO + timedelta(days=1)
    return PartyEntry(CPO, "cpo", status, (CredentialsRole(Role.CPO, {}),), LONG_AGO, later)


def directory(status: ConnectionStatus = CONNECTED) -> PartyDirectory:
    return PartyDirectory.of(1, [part("cpo", CPO, status=status), part("emsp", EMSP)])


@pytest.mark.parametrize("status", ConnectionStatus)
def test_a_platform_is_told_how_a_party_is(status: ConnectionStatus) -> None:
    there, entry = directory(status), changed(status)

    assert views_to_tell(there, there.platform("emsp"), entry, knew_before=True) == (entry,)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (PLANNED, [PLANNED]),
        (CONNECTED, [CONNECTED]),
        (SUSPENDED, [SUSPENDED]),
        (OFFLINE, [CONNECTED, OFFLINE]),
    ],
)
def test_who_did_not_hear_that_a_party_came_hears_it_before_it_goes_offline(
    status: ConnectionStatus, told: list[ConnectionStatus]
) -> None:
    there = directory(status)
    views = views_to_tell(there, there.platform("emsp"), changed(status), knew_before=False)

    assert [view.status for view in views] == told


def test_a_platform_is_not_told_of_its_own_parties() -> None:
    there = directory()

    assert views_to_tell(there, there.platform("cpo"), changed(CONNECTED), knew_before=True) == ()


def test_a_hub_is_not_told_of_who_is_behind_another_hub() -> None:
    behind, (one, other) = Party("BE", "BHD"), (Party("BE", "ONE"), Party("BE", "TWO"))
    there = PartyDirectory.of(1, [hub_part("one", one, behind), hub_part("two", other), part("emsp", EMSP)])
    entry = there.remote[behind]

    assert views_to_tell(there, there.platform("two"), entry, knew_before=True) == ()
    assert views_to_tell(there, there.platform("emsp"), entry, knew_before=True) == (entry,)


def test_a_platform_is_told_through_the_connection_that_offers_it() -> None:
    offering = connection("emsp", endpoints={TOLD_AT: "https://emsp.example/info"})
    other = connection("cpo")
    parts = [part("emsp", EMSP, connections=(offering,)), part("cpo", CPO, connections=(other,))]
    there = PartyDirectory.of(1, parts)

    assert told_through(there.platform("emsp"), there) is offering
    assert told_through(there.platform("cpo"), there) is None


@pytest.mark.parametrize("status", [OFFLINE, PLANNED, SUSPENDED])
def test_who_is_not_connected_is_told_nothing(status: ConnectionStatus) -> None:
    offering = connection("emsp", endpoints={TOLD_AT: "https://emsp.example/info"})
    there = PartyDirectory.of(1, [part("emsp", EMSP, status=status, connections=(offering,))])

    assert told_through(there.platform("emsp"), there) is None


def test_a_2_1_1_partner_that_names_such_an_endpoint_is_told_nothing() -> None:
    older = connection("emsp", Version.V2_1_1, {TOLD_AT: "https://emsp.example/info"})
    there = PartyDirectory.of(1, [part("emsp", EMSP, connections=(older,))])

    assert told_through(there.platform("emsp"), there) is None


def test_roles_are_said_in_words_of_the_version() -> None:
    entry = replace(
        changed(CONNECTED), roles=tuple(CredentialsRole(role, {}) for role in (Role.PTP, Role.HUB, Role.CPO))
    )
    payments = connection("emsp", Version.V2_3_0, {(ModuleID.PAYMENTS, TOLD_AT[1]): "https://emsp.example/payments"})
    plain = part("emsp", EMSP).platform
    paying = part("emsp", EMSP, connections=(payments,)).platform

    assert roles_to_tell(entry, DIALECTS[Version.V2_2_1], payments=publishes_payments(plain)) == [
        Role.CPO,
        Role.HUB,
        Role.OTHER,
    ]
    assert roles_to_tell(entry, DIALECTS[Version.V2_3_0], payments=publishes_payments(plain)) == [Role.CPO, Role.OTHER]
    assert roles_to_tell(entry, DIALECTS[Version.V2_3_0], payments=publishes_payments(paying)) == [Role.CPO, Role.PTP]
