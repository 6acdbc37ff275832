from __future__ import annotations

import json
from datetime import timedelta

from msgspec.structs import replace

from hub.store.telling_marks import Subject, Told
from hub.telling.receivers import Changed, Receivers
from routing.directory import CredentialsRole, FormerRole, PartyDirectory, PlatformPart
from routing.telling import TOLD_AT
from routing.vocabulary import ConnectionStatus, Party, Role
from tests.routing.directories import LONG_AGO, connection, part

CPO, VIEWER = Party("NL", "CPO"), Party("DE", "MSP")
_CONNECTION = connection("viewer", endpoints={TOLD_AT: "https://viewer.example/info"})


def changed_to(
    revision: int, *roles: Role, status: ConnectionStatus = ConnectionStatus.CONNECTED, **former: int
) -> PlatformPart:
    """A party as it is since this revision, with the roles that ended, each with the revision of its end."""
    plain = part("cpo", CPO, status=status)
    ended = (FormerRole(Role(role), LONG_AGO + timedelta(days=at), at) for role, at in former.items())
    entry = replace(
        plain.parties[0],
        roles=tuple(CredentialsRole(role, {}) for role in roles),
        former_roles=tuple(ended),
        last_updated=LONG_AGO + timedelta(days=revision),
        shown_revision=revision,
    )
    return replace(plain, parties=(entry,))


class Telling:
    """One platform, told of one party."""

    def __init__(self, first: PlatformPart) -> None:
        self.directory = PartyDirectory.of(1, [part("viewer", VIEWER, connections=(_CONNECTION,)), first])
        self.receivers = Receivers(Told(dict.fromkeys(Subject, 1), {}), self.directory)

    def changes(self, now: PlatformPart) -> None:
        former = self.directory
        self.directory = former.replacing(now.parties[0].shown_revision, [now])
        self.receivers.take_in(self.directory, Changed.between(former, self.directory))

    def tells(self, at_most: int = 10) -> list[str]:
        [receiver] = self.receivers.everybody()
        told: list[str] = []
        while len(told) < at_most and (push := self.receivers.next_for(receiver)) is not None:
            told += [f"{info['role']} {info['status']}" for info in map(json.loads, push.bodies)]
        return told


def test_a_role_that_ended_is_told_once() -> None:
    telling = Telling(changed_to(1, Role.CPO, Role.EMSP))
    telling.changes(changed_to(2, Role.CPO, EMSP=2))
    assert telling.tells() == ["EMSP SUSPENDED", "CPO CONNECTED"]

    telling.changes(changed_to(3, Role.CPO, status=ConnectionStatus.OFFLINE, EMSP=2))
    assert telling.tells() == ["CPO OFFLINE"]


def test_roles_that_ended_are_told_also_when_the_party_has_changed_since() -> None:
    telling = Telling(changed_to(1, Role.CPO, Role.EMSP, Role.NSP, Role.SCSP))
    telling.changes(changed_to(2, Role.CPO, Role.EMSP, Role.NSP, SCSP=2))
    assert telling.tells() == ["SCSP SUSPENDED", "CPO CONNECTED", "EMSP CONNECTED", "NSP CONNECTED"]

    telling.changes(changed_to(3, Role.CPO, Role.NSP, SCSP=2, EMSP=3))
    telling.changes(changed_to(4, Role.CPO, SCSP=2, EMSP=3, NSP=4))
    telling.changes(changed_to(5, Role.CPO, SCSP=2, EMSP=3, NSP=4))
    assert telling.tells() == ["EMSP SUSPENDED", "NSP SUSPENDED", "CPO CONNECTED"]


def test_nothing_is_left_out_when_the_party_changes_while_it_is_told_of() -> None:
    telling = Telling(changed_to(1, Role.CPO, Role.EMSP, Role.NSP))
    telling.changes(changed_to(2, Role.CPO, EMSP=2, NSP=2))
    assert telling.tells(at_most=1) == ["EMSP SUSPENDED"]

    telling.changes(changed_to(3, Role.CPO, EMSP=2, NSP=2))
    assert "NSP SUSPENDED" in telling.tells()
