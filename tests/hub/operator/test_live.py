"""`/api/v1/messages/live`: what is followed is what is listed, nobody waits for who follows, and it has an end."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner

from hub.live import MOST_VIEWERS
from hub.message_commands import messages
from hub.operator.client import OperatorClient, Refused
from hub.operator.story_text import event_line
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import Secret
from tests.console.test_sign_in import posted
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.operator.following import Following
from tests.hub.operator.people import client_from_elsewhere, new_token
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import V211
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token
from tests.servers import Redis

LIVE = "/api/v1/messages/live"
STREAM = {"accept": "text/event-stream"}


def push(cpo: Partner, emsp: Partner, times: int = 1) -> None:
    for _ in range(times):
        cpo.put("locations", path_of(cpo.party, "L1"), to=emsp.party, json=location(cpo.party, "L1"))


def listed(hub: HubProcess, since: datetime, **query: str) -> list[Json]:
    asked = {**query, "since": since.isoformat(), "limit": 200}
    found: list[Json] = hub.operator.ask("GET", "/api/v1/messages", params=asked)["items"]
    return found


def traffic(cpo: Partner, emsp: Partner, older: Partner) -> int:
    """Messages of many kinds; returns how many entries of the journal that makes."""
    push(cpo, emsp)
    emsp.put("tokens", path_of(emsp.party, "UID1"), to=cpo.party, json=token(emsp.party, "UID1"))
    emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": "followed", "x-request-id": "asked"})
    cpo.get("tokens", to=new_party())
    push(cpo, older)
    return 5


def test_what_is_followed_is_what_is_listed_with_every_filter(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    with registered(hub, partner(EMSP, V211)) as [older], ExitStack() as stack:
        cpo_id, emsp_id = platform_of(hub, cpo), platform_of(hub, emsp)
        filters: list[Json] = [
            {},
            {"correlation_id": "followed"},
            {"request_id": "asked"},
            {"party": str(cpo.party)},
            {"party": str(cpo.party), "peer": str(older.party)},
            {"platform": emsp_id, "peer": cpo_id, "module": "tokens"},
            {"outcome": "failed"},
            {"outcome": "ok"},
            {"outcome": "unknown_receiver"},
            {"object_type": "location", "object_id": "L1"},
            {"token_uid": "UID1"},
            {"ocpi_status": "4xxx"},
            {"lossy": "true"},
            {"lossy": "false", "route": "direct"},
            {"source_version": "2.2.1", "target_version": "2.1.1"},
            {"min_ms": "0.001"},
            {"min_ms": "100000"},
        ]
        followed = [stack.enter_context(Following(hub, **each)) for each in filters]
        time.sleep(0.3)  # until nothing of the registrations is left to be written
        since = datetime.now(UTC)
        number = traffic(cpo, emsp, older)
        followed[0].has(number)
        eventually(lambda: len(listed(hub, since)) == number)

        some = 0
        for each, query in zip(followed, filters, strict=True):
            there = listed(hub, since, **query)
            seen = sorted(each.has(len(there)), key=lambda message: message["time"], reverse=True)
            assert seen == there, query
            some += bool(there)
        assert some >= len(filters) - 1
        assert "UID1" not in str([event for event in followed[0].events if event.data["module"] == "tokens"])


def test_an_engineer_sees_the_own_side_of_own_messages(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    own = new_token(hub, "partner", platform=platform_of(hub, emsp))["token"]
    with registered(hub, partner(EMSP)) as [other], Following(hub, own) as follower, Following(hub) as everybody:
        push(cpo, other)
        push(cpo, emsp)
        everybody.has(2)
        [message] = follower.has(1)

    assert message["to"] == str(emsp.party)
    assert (message["from_name"], message["to_name"]) == (None, emsp.name)
    assert (message["path"], message["hub_ms"], message["http_status"]) == (None, None, None)
    assert message["upstream_path"]


def test_who_comes_back_goes_on_where_it_was_or_is_told_of_the_gap(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    party = str(cpo.party)
    with Following(hub, party=party) as follower:
        push(cpo, emsp)
        follower.has(1)
    last = follower.ids[-1]
    push(cpo, emsp, 3)
    with Following(hub, party=party, after=last) as back:
        assert len(back.has(3)) == 3
        assert {each.name for each in back.events} == {"message"}
    with Following(hub, party=party, module="locations", after=last) as late:
        eventually(lambda: late.events)
        [gap] = late.events
        assert gap.name == "gap"
        assert gap.data["since"] == follower.events[0].data["time"]
        assert gap.data["until"] > gap.data["since"]


def test_more_than_anybody_reads_is_left_out_and_counted(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    with Following(hub, party=str(cpo.party)) as follower:
        push(cpo, emsp, 150)
        eventually(
            lambda: (
                len(follower.ids) + sum(each.data["count"] for each in follower.events if each.name == "dropped") == 150
            )
        )
    assert 50 <= len(follower.ids) < 150


_Event: TypeAlias = tuple[str, Json]


def _followed(client: OperatorClient, party: str) -> tuple[Generator[_Event, None, None], _Event]:
    """What a terminal follows, and the first of it, once the hub has noticed that those before are gone."""
    while True:
        events = client.follow("/messages/live", {"party": party, "module": None})
        try:
            return events, next(events)
        except Refused:
            time.sleep(0.1)


def test_a_terminal_follows_a_line_for_each_message(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    with closing(OperatorClient(hub.operator.url, Secret(hub.operator.token))) as client, ThreadPoolExecutor(1) as pool:
        with Following(hub, party=str(cpo.party)) as other:
            following = pool.submit(_followed, client, str(cpo.party))
            while not following.done():  # only from when it follows
                push(cpo, emsp)
            events, (name, data) = following.result()
            other.has(1)
        line = event_line(name, data)
        events.close()

    assert f"{cpo.party} -> {emsp.party}  PUT locations  2.2.1  1000  " in line
    assert line.endswith(data["correlation_id"])


def test_a_terminal_says_what_it_does_not_show() -> None:
    gap = {"since": "2026-11-22T14:02:11.482Z", "until": "2026-11-22T14:02:23Z"}

    assert event_line("dropped", {"count": 12}) == "... 12 more, left out"
    assert event_line("gap", gap) == "... not followed from 2026-11-22 14:02:11.482 to 2026-11-22 14:02:23.000"
    assert event_line("reach", {"everywhere": False}).startswith("... Redis does not answer")


def test_what_is_followed_has_no_beginning_and_no_end() -> None:
    found = CliRunner().invoke(messages, ["--follow", "--since", "2026-11-22T08:00:00Z"])

    assert found.exit_code == 2
    assert "--since is for a list" in found.output


@pytest.mark.parametrize(
    ("query", "headers", "status", "words"),
    [
        ({}, {}, 406, "Accept: text/event-stream"),
        ({"outcome": "bad"}, STREAM, 422, "outcome is one of"),
        ({"peer": "NL*ABC"}, STREAM, 422, "peer is the other side"),
        ({"party": "NLABC"}, STREAM, 400, "party"),
    ],
)
def test_what_cannot_be_followed_is_a_problem(
    hub: HubProcess, query: dict[str, str], headers: dict[str, str], status: int, words: str
) -> None:
    answer = hub.operator.api.get(LIVE, params=query, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_messages_of_workers_are_followed_and_a_hub_that_goes_sends_all_away(
    database_url: str, redis_server: Redis, tmp_path: Path
) -> None:
    settings = {"database_url": database_url, "redis_url": redis_server.url, "workers": "2", "rate_limit": "off"}
    with (
        ForkedHub(tmp_path, settings) as hub,
        registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp],
        ExitStack() as stack,
    ):
        followers = [stack.enter_context(Following(hub)) for _ in range(MOST_VIEWERS)]
        full = hub.operator.api.get(LIVE, headers=STREAM)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        assert "20 are watching" in full.json()["detail"]
        with client_from_elsewhere(hub) as browser:
            posted(browser, hub.operator.token)
            assert browser.get("/live/rows", headers=STREAM).text.startswith("event: refused\ndata: 20 are watching")
        time.sleep(0.5)  # by when every worker has heard
        push(cpo, emsp, 5)
        emsp.get("locations", "NOWHERE", to=cpo.party)
        assert len(followers[0].has(6)) == 6
        followers[1].has(6)
        assert not followers[0].is_over

        began = time.monotonic()
        hub.operator.ask("POST", "/api/v1/drain")
        eventually(lambda: all(each.is_over for each in followers))
        gone = hub.operator.api.get(LIVE, headers=STREAM)
        assert gone.status_code == 503
        hub.stop()
        assert time.monotonic() - began < 5
