"""Which platforms a list shows, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from hub.figures import Figures
from hub.figures.cells import COUNT, FAILED, PARTNER_TIME, time_step
from hub.figures.flows import Flow
from hub.operator.platform_rows import Known, Order, Rows, Wanted, rows
from routing.directory import Connection, CredentialsRole, PartyDirectory, PartyEntry, Platform, PlatformPart
from routing.errors import InvalidParameters
from routing.quirks import Quirks
from routing.vocabulary import ConnectionStatus, Party, Role, Secret, Version
from tests.hub.figures.rows import NOON, Clock

pytestmark = pytest.mark.anyio

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def part(
    platform_id: str,
    name: str = "Volt",
    *,
    status: ConnectionStatus = ConnectionStatus.CONNECTED,
    role: Role = Role.CPO,
    version: Version = Version.V2_2_1,
    party: Party = Party("NL", "VLT"),  # noqa: B008 - a value
) -> PlatformPart:
    connection = Connection(
        "c", platform_id, name, version, None, "x", MappingProxyType({}), frozenset(), Secret("t"), Quirks()
    )
    platform = Platform(platform_id, name, status, (party,), (connection,), Quirks(), is_hub=False)
    entry = PartyEntry(party, platform_id, status, (CredentialsRole(role, {}),), LONG_AGO, LONG_AGO)
    return PlatformPart(platform, (entry,), {})


async def known(events: dict[str, int] | None = None, /, **messages: tuple[int, int, float]) -> Known:
    """Figures of platforms: messages, how many failed, and milliseconds."""
    figures = Figures("w", clock=Clock())
    for platform_id, (number, failed, milliseconds) in messages.items():
        flow = Flow("", platform_id, "", "", "sessions", "PUT", False)
        cell = {COUNT: number, FAILED: failed, PARTNER_TIME + time_step(int(milliseconds * 1000)): number}
        await figures.rings.merge({flow: cell}, int(NOON) // 60, NOON)
    return Known(figures, events or {}, {each: LONG_AGO + timedelta(days=at) for at, each in enumerate("cab")})


def listed(directory: PartyDirectory, known: Known, order: str = "name", **choices: Any) -> Rows:  # noqa: ANN401 - members
    return rows(directory, Wanted(**choices), order, known, limit=100, cursor=None)


async def test_the_worst_come_first_events_before_failures_before_messages() -> None:
    directory = PartyDirectory.of(1, [part(each) for each in "abcd"])
    facts = await known({"b": 1}, a=(100, 0, 5), c=(50, 9, 5), d=(2, 0, 5))

    assert listed(directory, facts, "worst").ids == ["b", "c", "a", "d"]
    assert listed(directory, facts, "-worst").ids == ["d", "a", "c", "b"]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("created", "cab"),
        ("-created", "bac"),
        ("last_seen", "cab"),
        ("token_age", "bac"),
        ("name", "bca"),
        ("messages", "bca"),
        ("ok_share", "acb"),
        ("-p95_ms", "cab"),
        ("version", "abc"),
        ("status", "bac"),
    ],
)
async def test_every_order_is_one(order: str, ids: str) -> None:
    directory = PartyDirectory.of(
        1,
        [
            part("a", "Zap", version=Version.V2_1_1),
            part("b", "amp", status=ConnectionStatus.OFFLINE),
            part("c", "Mid", version=Version.V2_3_0),
        ],
    )
    facts = await known(a=(30, 3, 40), c=(20, 1, 900))

    assert "".join(listed(directory, facts, order).ids) == ids
    assert order.removeprefix("-") in set(Order)


async def test_what_is_wanted_is_shown_and_counted_by_status() -> None:
    directory = PartyDirectory.of(
        1,
        [
            part("a", "Zap", role=Role.EMSP),
            part("b", "Amp", status=ConnectionStatus.OFFLINE, party=Party("DE", "AMP")),
            part("c", "Mid", version=Version.V2_1_1),
        ],
    )
    facts = await known()

    assert listed(directory, facts, role=Role.EMSP).ids == ["a"]
    assert listed(directory, facts, version=Version.V2_1_1).ids == ["c"]
    assert listed(directory, facts, words="de*a").ids == listed(directory, facts, words="AM").ids == ["b"]
    offline = listed(directory, facts, status=ConnectionStatus.OFFLINE)
    assert (offline.ids, offline.matched) == (["b"], 1)
    assert offline.counts == {ConnectionStatus.CONNECTED: 2, ConnectionStatus.OFFLINE: 1}


@pytest.mark.parametrize("order", [*Order, *(f"-{each}" for each in Order)])
async def test_pages_have_everybody_once(order: str) -> None:
    everybody = [f"{number:02}" for number in range(25)]
    directory = PartyDirectory.of(1, [part(each, party=Party("NL", f"A{each}")) for each in everybody])
    facts = await known(None, **{each: (int(each) % 3, 0, 5.0) for each in everybody})
    seen: list[str] = []
    cursor = None
    while True:
        page = rows(directory, Wanted(), order, facts, limit=7, cursor=cursor)
        seen += page.ids
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(seen) == everybody
    with pytest.raises(InvalidParameters):
        rows(directory, Wanted(), order, facts, limit=7, cursor="x")
    other = rows(directory, Wanted(), "name" if order.endswith("worst") else "worst", facts, limit=7, cursor=None)
    if order.removeprefix("-") in {"worst", "name"}:
        with pytest.raises(InvalidParameters):
            rows(directory, Wanted(), order, facts, limit=7, cursor=other.next_cursor)
