"""The directory: replaced, never edited, and always of one piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from routing.directory import PartyDirectory, PlatformPart, Registered
from routing.vocabulary import ConnectionStatus, Party
from tests.routing.directories import connection, part

A, B, C, D = (Party("NL", name) for name in ("AAA", "BBB", "CCC", "DDD"))
CONNECTED, SUSPENDED = ConnectionStatus.CONNECTED, ConnectionStatus.SUSPENDED


def registered(platform_id: str, *parties: Party, token: bytes) -> PlatformPart:
    """A platform that calls with this token."""
    way = connection(platform_id)
    plain = part(platform_id, *parties, connections=(way,))
    return PlatformPart(plain.platform, plain.parties, {token: Registered(plain.platform, way)})


def owners(directory: PartyDirectory) -> dict[Party, str]:
    """Which platform each party belongs to; every way to ask has to agree."""
    for party, entry in directory.parties.items():
        assert directory.entry(party) is entry
        platform = directory.platform_of(party)
        assert platform is directory.platform(entry.platform_id)
        assert platform is not None
        assert party in platform.parties
    return {party: entry.platform_id for party, entry in directory.parties.items()}


def test_an_empty_directory_knows_nobody() -> None:
    directory = PartyDirectory.of(0, [])

    assert directory.entry(A) is None
    assert directory.platform_of(A) is None
    assert directory.caller(b"hash") is None
    assert not directory.visible_to(A, A)


def test_a_directory_knows_its_platforms_their_parties_and_their_tokens() -> None:
    directory = PartyDirectory.of(7, [registered("one", A, B, token=b"1"), registered("two", C, token=b"2")])

    assert directory.revision == 7
    assert owners(directory) == {A: "one", B: "one", C: "two"}
    caller = directory.caller(b"2")
    assert isinstance(caller, Registered)
    assert caller.platform is directory.platform("two")
    assert directory.caller(b"3") is None


def test_replacing_changes_the_named_platforms_and_shares_the_rest() -> None:
    one, two = registered("one", A, B, token=b"1"), registered("two", C, token=b"2")
    before = PartyDirectory.of(1, [one, two])

    after = before.replacing(2, [registered("one", A, D, token=b"3")])

    assert (after.revision, owners(after)) == (2, {A: "one", D: "one", C: "two"})
    assert after.parts["two"] is two
    assert after.callers.keys() == {b"2", b"3"}


def test_the_former_directory_stays_as_it_was() -> None:
    before = PartyDirectory.of(1, [registered("one", A, B, token=b"1")])
    parts, parties, callers = dict(before.parts), dict(before.parties), dict(before.callers)

    before.replacing(2, [registered("one", C, token=b"2"), registered("two", A, token=b"3")])

    assert (before.revision, dict(before.parts), dict(before.parties), dict(before.callers)) == (
        1,
        parts,
        parties,
        callers,
    )


def test_nobody_can_edit_a_directory() -> None:
    directory = PartyDirectory.of(1, [registered("one", A, token=b"1")])

    for mapping in (directory.parts, directory.parties, directory.callers):
        with pytest.raises(TypeError):
            cast("dict[Any, Any]", mapping)[A] = None


def test_the_tokens_of_a_replaced_platform_are_gone_at_once() -> None:
    before = PartyDirectory.of(1, [registered("one", A, token=b"old"), registered("two", B, token=b"2")])

    after = before.replacing(2, [registered("one", A, token=b"new")])
    left = after.replacing(3, [part("one", A, status=SUSPENDED)])

    assert (after.caller(b"old"), after.caller(b"new") is not None) == (None, True)
    assert left.callers.keys() == {b"2"}
    entry = left.entry(A)
    assert entry is not None
    assert entry.status is SUSPENDED


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_a_party_moves_between_two_platforms_that_change_together(order: tuple[str, str]) -> None:
    before = PartyDirectory.of(1, [registered("one", A, B, token=b"1"), registered("two", C, token=b"2")])
    changed = {"one": registered("one", A, token=b"1"), "two": registered("two", C, B, token=b"2")}

    after = before.replacing(2, [changed[name] for name in order])

    assert owners(after) == {A: "one", B: "two", C: "two"}


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_a_party_moves_between_two_platforms_that_change_one_after_the_other(order: tuple[str, str]) -> None:
    directory = PartyDirectory.of(1, [registered("one", A, B, token=b"1"), registered("two", C, token=b"2")])
    changed = {"one": registered("one", A, token=b"1"), "two": registered("two", C, B, token=b"2")}

    for name in order:
        directory = directory.replacing(directory.revision + 1, [changed[name]])

    assert owners(directory) == {A: "one", B: "two", C: "two"}


def test_the_parties_of_two_platforms_are_exchanged() -> None:
    before = PartyDirectory.of(1, [registered("one", A, token=b"1"), registered("two", B, token=b"2")])

    after = before.replacing(2, [registered("one", B, token=b"1"), registered("two", A, token=b"2")])

    assert owners(after) == {A: "two", B: "one"}


def test_replacing_one_by_one_leads_to_the_same_directory_as_all_at_once() -> None:
    parts = [registered(f"p{n}", Party("NL", f"A{n}"), Party("DE", f"B{n}"), token=b"%d" % n) for n in range(9)]
    at_once = PartyDirectory.of(9, parts)
    one_by_one = PartyDirectory.of(0, [])
    for revision, each in enumerate(parts, start=1):
        one_by_one = one_by_one.replacing(revision, [each])

    def content(directory: PartyDirectory) -> tuple[Mapping[Any, Any], ...]:
        return dict(directory.parts), dict(directory.parties), dict(directory.callers)

    assert content(one_by_one) == content(at_once)


def test_only_parties_that_are_in_the_directory_see_each_other() -> None:
    directory = PartyDirectory.of(1, [part("one", A, B), part("two", C, status=SUSPENDED)])

    assert directory.visible_to(A, C)
    assert directory.visible_to(C, A)
    assert directory.visible_to(A, B)
    assert not directory.visible_to(A, D)
    assert not directory.visible_to(D, A)
