from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.event_kinds import KINDS, EventKind, sentence
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.event_waiting import event_of
from tests.hub.operator.people import somebody
from tests.hub.scenarios.conftest import platform_of
from tests.partners import location, new_party

DOCUMENT = Path(__file__).parents[3] / "docs" / "events.md"


def foreign(hub: HubProcess, cpo: Partner, emsp: Partner) -> dict[str, Any]:
    """The open event of a message in the name of somebody else."""
    cpo.put("locations", f"{'/'.join(cpo.party)}/LOC1", to=emsp.party, sender=new_party(), json=location(cpo.party))
    return event_of(hub, EventKind.FOREIGN_SENDER, platform_of(hub, cpo))


def test_an_event_says_what_happened_and_what_to_do(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    event = foreign(hub, cpo, emsp)

    assert event["platform"] == cpo.name
    assert event["sentence"].startswith(f"{cpo.name} writes in the name of a party that is not its own: 1 so far, last")
    assert (event["state"], event["severity"], event["do"]) == ("open", "warning", KINDS[EventKind.FOREIGN_SENDER].do)
    assert event["last_correlation_id"]
    assert hub.operator.ask("GET", f"/api/v1/events/{event['id']}") == event
    assert 'ocpi_hub_events_open{kind="foreign_sender"}' in hub.operator.api.get("/metrics").text


def test_who_acknowledges_an_event_is_in_it_and_in_the_audit_log(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    path = f"/api/v1/events/{foreign(hub, cpo, emsp)['id']}"
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    event = hub.operator.ask("POST", f"{path}/acknowledge", json={"reason": "they know", "until": until})

    known = event["acknowledged"]
    assert (known["by"], known["reason"]) == ("operator", "they know")
    assert datetime.fromisoformat(known["until"]) == datetime.fromisoformat(until)
    assert event["state"] == "open"
    entry = hub.operator.ask("GET", "/api/v1/audit")["items"][0]
    assert (entry["action"], entry["reason"], entry["before"]) == (
        "event.acknowledge",
        "they know",
        {"acknowledged": None},
    )


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "until": "tomorrow"}])
def test_an_acknowledgement_needs_a_reason(hub: HubProcess, body: dict[str, str]) -> None:
    assert hub.operator.api.post("/api/v1/events/x/acknowledge", json=body).status_code == 400


def test_an_acknowledgement_does_not_end_in_the_past(hub: HubProcess) -> None:
    body = {"reason": "x", "until": "2020-01-01T00:00:00Z"}
    assert hub.operator.api.post("/api/v1/events/x/acknowledge", json=body).status_code == 422
    assert hub.operator.api.post("/api/v1/events/x/acknowledge", json={"reason": "x"}).status_code == 404


def test_a_partners_engineer_sees_events_of_the_own_platform_only(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    event = foreign(hub, cpo, emsp)
    own, other = platform_of(hub, cpo), platform_of(hub, emsp)
    with somebody(hub, "partner", platform=own) as paul, somebody(hub, "partner", platform=other) as petra:
        assert event["id"] in [each["id"] for each in paul.get("/api/v1/events").json()["items"]]
        assert event["id"] not in [each["id"] for each in petra.get("/api/v1/events").json()["items"]]
        assert petra.get("/api/v1/events", params={"platform": own}).json()["items"] == []
        assert petra.get(f"/api/v1/events/{event['id']}").status_code == 404
        assert paul.post(f"/api/v1/events/{event['id']}/acknowledge", json={"reason": "x"}).status_code == 403


def test_events_are_found_by_state_and_kind(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    event = foreign(hub, cpo, emsp)

    def found(**search: str) -> bool:
        items = hub.operator.ask("GET", "/api/v1/events", params={"limit": 200, **search})["items"]
        return event["id"] in [each["id"] for each in items]

    assert found(state="open")
    assert found(kind="foreign_sender", platform=platform_of(hub, cpo))
    assert not found(state="closed")
    assert not found(kind="id_clash")
    assert hub.operator.api.get("/api/v1/events", params={"kind": "nothing"}).status_code == 400


# ------------------------------------------------------------ sentences


def test_every_kind_is_explained() -> None:
    assert set(KINDS) == set(EventKind)
    for kind, each in KINDS.items():
        assert each.title, kind
        assert each.sentence.endswith("."), kind
        assert each.do.endswith("."), kind


@pytest.mark.parametrize("kind", EventKind)
def test_a_sentence_is_whole_without_any_fact(kind: EventKind) -> None:
    said = sentence(kind, platform="Volt", subject="NL*VLT", count=3, facts={})

    assert "[" not in said
    assert "{" not in said


def test_text_of_partners_can_neither_break_a_line_nor_fill_one() -> None:
    nasty = "\n\u202eevil {count} [x] " + "y" * 10_000
    said = sentence(EventKind.ID_CLASH, platform=nasty, subject=nasty, count=1, facts={"reason": nasty})

    assert said.isprintable()
    assert len(said) < 1000
    assert "{" not in said
    assert "[" not in said


def test_the_document_has_every_kind_as_the_hub_explains_it() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for kind, each in KINDS.items():
        rows = (f"### `{kind}`", f"{each.title} ({each.severity}). Closed {each.ends}.", each.do)
        for row in rows:
            assert row in text, f"docs/events.md lacks {row!r}"
    assert text.count("### `") == len(KINDS)
