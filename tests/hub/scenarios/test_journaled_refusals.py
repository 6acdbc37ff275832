"""Whatever the reason why a message did not get through, the journal says it; here those that take some doing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from hub.circuits import Patience
from hub.store.journal_entries import Failure
from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.test_journal import FAILING_RECEIVERS, REFUSED, entries, push, story_id
from tests.hub.scenarios.test_peer_hubs import PeerHub
from tests.hub.scenarios.translated import new_id
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

BURST = 30
MOST_BYTES = 20_000
BEHIND = new_party("BE")


class Everybody(NamedTuple):
    """A hub where nobody talks without an agreement, and partners of it."""

    hub: HubProcess
    folder: Path
    cpo: Partner
    emsp: Partner
    """Agreed with the CPO on everything."""
    stranger: Partner
    """Agreed with nobody but the other hub."""
    older: Partner
    """Agreed with the CPO on everything, on 2.1.1."""
    reader: Partner
    """Agreed with the CPO on its Tariffs."""
    peer: Partner
    """Another hub; its party agreed with the CPO on everything."""


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    folder = tmp_path_factory.mktemp("hub")
    settings = {"agreements": "required", "rate_limit": f"{BURST}/s burst {BURST}", "max_body_bytes": str(MOST_BYTES)}
    peer = PeerHub("Knot", (BEHIND, Role.EMSP))
    with (
        ForkedHub(folder, {**settings, "forward_timeout_s": "3"}) as hub,
        registered(hub, partner(CPO), *map(partner, [EMSP] * 3), partner(EMSP, Version.V2_1_1)) as all_of_them,
        peer.running(),
    ):
        hub.operator.registered(peer, allow_hub=True)
        cpo, emsp, stranger, reader, older = all_of_them
        for other in (emsp.party, older.party, BEHIND):
            agree(hub, cpo.party, other)
        agree(hub, cpo.party, reader.party, modules=["tariffs"])
        agree(hub, stranger.party, BEHIND, modules=["tariffs"])
        eventually(lambda: stranger.get("tariffs", to=BEHIND).status_code == 1000)  # the CPO saves what it may send
        yield Everybody(hub, folder, cpo, emsp, stranger, older, reader, peer)


def agree(hub: HubProcess, a: Party, b: Party, **terms: object) -> None:
    hub.operator.ask("POST", "/api/v1/agreements", json={"a": str(a), "b": str(b), **terms})


@contextmanager
def suspended(at: Everybody, party: Party) -> Iterator[None]:
    """The operator has suspended this one party meanwhile."""
    at.hub.operator.ask("POST", f"/api/v1/parties/{party}/suspend")
    yield
    at.hub.operator.ask("POST", f"/api/v1/parties/{party}/resume")


@contextmanager
def broken(at: Everybody, table: str) -> Iterator[None]:
    """The hub does not find this table in its database meanwhile."""
    with closing(sqlite3.connect(at.folder / "hub.db", isolation_level=None, timeout=10)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
        yield
        database.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")


# --- one message each that is refused


def _too_many(at: Everybody) -> Answer:
    with registered(at.hub, partner(CPO)) as [greedy]:
        under_way = [greedy.start("GET", "tokens", to=new_party()) for _ in range(5 * BURST)]
        answers = [each.result() for each in under_way]
    refused = [each for each in answers if each.http_status == 429]
    assert refused[0].header("retry-after") == "1"
    return refused[0]


def _too_large(at: Everybody) -> Answer:
    card = token(at.emsp.party) | {"visual_number": "9" * MOST_BYTES}
    answer = at.emsp.put("tokens", path_of(at.emsp.party, card["uid"]), to=at.cpo.party, json=card)
    assert answer.http_status == 413
    return answer


def _from_suspended(at: Everybody) -> Answer:
    with suspended(at, at.cpo.party):
        answer = push(at.cpo, at.emsp)
    assert (answer.http_status, answer.status_code) == (403, 2001)
    return answer


def _without_agreement(at: Everybody) -> Answer:
    answer = push(at.cpo, at.stranger)
    assert answer.status_code == 4001
    return answer


def _beside_the_agreement(at: Everybody) -> Answer:
    answer = push(at.cpo, at.reader)
    assert answer.status_code == 4000
    return answer


def _unsayable(at: Everybody) -> Answer:
    hidden = location(at.cpo.party, "HIDDEN") | {"publish": False}
    return at.cpo.put("locations", path_of(at.cpo.party, "HIDDEN"), to=at.older.party, json=hidden)


def _of_another_owner(at: Everybody) -> Answer:
    place = location(at.reader.party)
    answer = at.cpo.put("locations", path_of(at.reader.party, "LOC1"), to=at.emsp.party, json=place)
    assert answer.http_status == 404
    return answer


def _with_another_method(at: Everybody) -> Answer:
    answer = at.cpo.post("locations", path_of(at.cpo.party, "LOC1"), to=at.emsp.party, json=location(at.cpo.party))
    assert answer.http_status == 405
    return answer


def _of_nobody(at: Everybody) -> Answer:
    answer = at.cpo.post("tokens", f"{new_id('UID')}/authorize", json={})
    assert (answer.http_status, answer.status_code) == (404, 2004)
    return answer


def _of_half_an_address(at: Everybody) -> Answer:
    url, halved = at.cpo.connection.url("tokens", InterfaceRole.SENDER), {"ocpi-to-country-code": "DE"}
    answer = at.cpo.start("GET", url, headers=halved).result()
    assert (answer.http_status, answer.status_code) == (200, 2001)
    return answer


def _hub_failed(at: Everybody) -> Answer:
    command: Json = {"response_url": at.emsp.url("commands", InterfaceRole.SENDER, "1"), "session_id": "S1"}
    with broken(at, "callbacks"):
        answer = at.emsp.post("commands", "STOP_SESSION", to=at.cpo.party, json=command)
    assert answer.status_code == 3000
    return answer


MORE_REFUSED: Final = (
    (_too_many, "limited"),
    (_too_large, "unreadable"),
    (_from_suspended, "refused"),
    (_without_agreement, "no_agreement"),
    (_beside_the_agreement, "no_agreement"),
    (_unsayable, "untranslatable"),
    (_of_another_owner, "refused"),
    (_with_another_method, "refused"),
    (_of_half_an_address, "refused"),
    (_of_nobody, "unknown_receiver"),
    (_hub_failed, "hub_error"),
)


@pytest.mark.parametrize(("send", "failure"), MORE_REFUSED)
def test_the_journal_says_why(at: Everybody, send: Callable[[Everybody], Answer], failure: str) -> None:
    answer = send(at)

    [entry] = entries(at.hub, story_id(answer), hop="message")
    assert (entry["failure"], entry["reason"]) == (failure, answer.json()["status_message"])
    assert (entry["http_status"], entry["ocpi_status"]) == (answer.http_status, answer.status_code)
    assert entry["upstream_http_status"] is None


def test_a_message_that_came_back_is_a_loop(at: Everybody) -> None:
    same = {"x-correlation-id": new_id("circle")}
    at.peer.received.clear()
    with at.peer.pausing(module="tokens"):
        first = at.cpo.start("GET", "tokens", to=BEHIND, headers=same)
        at.peer.received.wait_for("tokens")
        again = at.peer.get("tokens", to=BEHIND, sender=at.cpo.party, headers=same)

    assert again.status_code == 4000
    assert first.result().status_code == 1000
    [entry] = entries(at.hub, story_id(again), request_id=again.header("x-request-id") or "")
    assert (entry["failure"], entry["reason"]) == ("loop", again.json()["status_message"])


def test_a_receiver_that_failed_too_often_was_spared_and_then_it_was_offline(at: Everybody) -> None:
    with registered(at.hub, partner(EMSP)) as [dead]:
        agree(at.hub, at.cpo.party, dead.party)
        eventually(lambda: push(at.cpo, dead).status_code == 1000)
        platform_id = platform_of(at.hub, dead)
        with dead.port_closed():
            answers = [push(at.cpo, dead) for _ in range(Patience().failures)]
            assert {each.status_code for each in answers} == {4003}

            def failure() -> str | None:
                answer = push(at.cpo, dead)
                [entry] = entries(at.hub, story_id(answer))
                assert entry["reason"] == answer.json()["status_message"]
                found: str = entry["failure"]
                return found

            eventually(lambda: failure() == "circuit_open")
            for _ in range(2):
                at.hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/probe")
            eventually(lambda: failure() == "receiver_offline")


def test_no_reason_there_is_was_left_out() -> None:
    shown = {failure for _, failure in (*REFUSED, *MORE_REFUSED)} | {failure for _, failure, _ in FAILING_RECEIVERS}

    assert set(Failure) == shown | {"partner_error", "loop", "circuit_open", "receiver_offline"}
