from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.console.help_words import WORDS
from hub.console.troubles import needs_somebody, troubles_of, worst_first
from hub.console.words import event_heading, event_predicate
from hub.event_kinds import KINDS, EventKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(kind: EventKind, platform_id: str | None = "roam", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any member of an event
    about = {"severity": KINDS[kind].severity, "title": KINDS[kind].title, "platform": platform_id}
    known = {"id": f"{platform_id} {kind}", "state": "open", "acknowledged": None}
    return {"kind": str(kind), "platform_id": platform_id} | about | known | more


def told(*events: dict[str, Any]) -> list[list[str]]:
    """Each trouble by the kinds of its events."""
    return [[each.event["kind"], *(one["kind"] for one in each.follows)] for each in troubles_of(events)]


def test_what_comes_of_one_cause_is_one_trouble_in_the_place_of_its_newest_event() -> None:
    missed, offline = event(EventKind.CLIENT_INFO_MISSED), event(EventKind.PARTNER_OFFLINE)
    foreign, refuses = event(EventKind.FOREIGN_SENDER), event(EventKind.PARTNER_REFUSES_TOKEN)

    assert told(missed, foreign, offline, refuses) == [
        ["partner_refuses_token", "client_info_missed", "partner_offline"],
        ["foreign_sender"],
    ]


def test_of_those_that_are_there_the_deepest_cause_stands_first() -> None:
    missed, circuit = event(EventKind.BROADCAST_MISSED), event(EventKind.CIRCUIT_OPEN)

    assert told(missed, circuit) == [["circuit_open", "broadcast_missed"]]
    assert told(missed) == [["broadcast_missed"]]
    assert told(missed, circuit, event(EventKind.PARTNER_OFFLINE)) == [
        ["partner_offline", "broadcast_missed", "circuit_open"]
    ]


def test_another_partner_or_what_is_over_is_no_cause() -> None:
    offline = event(EventKind.PARTNER_OFFLINE)

    assert len(told(offline, event(EventKind.PARTNER_REFUSES_TOKEN, "volt"))) == 2
    assert len(told(offline, event(EventKind.PARTNER_REFUSES_TOKEN, state="closed"))) == 2
    assert len(told(event(EventKind.REDIS_AWAY, None), event(EventKind.DATABASE_AWAY, None))) == 2


def test_what_cannot_wait_stands_before_what_can() -> None:
    found = worst_first(troubles_of([event(EventKind.UNTRANSLATABLE), event(EventKind.PARTNER_OFFLINE, "volt")]))

    assert [each.event["kind"] for each in found] == ["partner_offline", "untranslatable"]


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ({}, True),
        ({"state": "closed"}, False),
        ({"acknowledged": {"until": None}}, False),
        ({"acknowledged": {"until": "2026-11-23T12:00:01Z"}}, False),
        ({"acknowledged": {"until": "2026-11-23T11:59:59Z"}}, True),
    ],
)
def test_an_event_needs_somebody_while_it_is_open_and_nobody_knows_of_it(more: dict[str, Any], needs: bool) -> None:
    assert needs_somebody(event(EventKind.PARTNER_OFFLINE, **more), NOW) is needs


def test_beside_the_name_of_a_partner_its_trouble_begins_with_a_verb() -> None:
    offline = event(EventKind.PARTNER_OFFLINE)

    assert event_heading(offline) == "<bdi>roam</bdi> is offline"
    assert event_predicate(offline) == "is offline"


def test_help_has_the_words_of_the_pages() -> None:
    words = "Circuit, Quirk, p95, In flight, Capture, Planned, 1xxx, L-24, Route, Lossy, Fingerprint, Client info, "
    words += "Directory, Agreement, What it sees, Leader, burst, Draining, Correlation id"
    explained = " ".join(part for pair in WORDS for part in pair)

    assert [each for each in words.split(", ") if each not in explained] == []
