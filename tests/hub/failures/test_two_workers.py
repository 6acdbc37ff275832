"""What one worker begins the other goes on with, on PostgreSQL and one Redis, and on a Redis Cluster of three nodes.

Each `Line` stays with one worker, so that it is no chance which of them does what.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import pytest

from hub.event_kinds import EventKind
from loadtests.crowd import Crowd
from loadtests.simulator import Partner
from loadtests.simulator.client import Endpoints, HubConnection, authorization
from loadtests.simulator.registration import HubRefused
from routing.translation.identifiers import alias_of
from routing.vocabulary import InterfaceRole, Party
from tests.hub.event_waiting import event_of
from tests.hub.failures.cluster import EVERYWHERE_WITHIN_S, Cluster, reaches
from tests.hub.failures.lines import Line
from tests.hub.failures.test_circuits import platform_of, shown, spared_by
from tests.hub.failures.test_lists import first_page, ids, page
from tests.hub.failures.traffic import unharmed
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.test_client_info import all_told, pushes
from tests.hub.scenarios.test_open_routing import cdr, session
from tests.hub.scenarios.translated import new_id, status
from tests.hub.test_id_aliases import LONG_ID, older, place
from tests.partners import CPO, EMSP, location, partner, path_of, token
from tests.servers import RedisClusterServer

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
HUB = Party("EU", "HUB")
RECEIVERS = 20
BROADCASTS = 5

ON_A_CLUSTER = pytest.mark.parametrize("scene_of_all", ["Redis Cluster"], indirect=True)
"""Of what other tests of this folder prove on one Redis."""


class Scene(NamedTuple):
    """A hub of two workers and who is registered there."""

    cluster: Cluster
    cpo: Partner
    other_cpo: Partner
    emsp: Partner
    other_emsp: Partner
    older_cpo: Partner


@pytest.fixture(scope="module", params=["Redis", "Redis Cluster"])
def scene_of_all(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack:
        if request.param == "Redis":
            cluster: Cluster = request.getfixturevalue("cluster_of_all")
        else:
            cluster = stack.enter_context(Cluster(tmp_path_factory.mktemp("cluster"), redis=RedisClusterServer()))
        known = stack.enter_context(cluster.registered(*map(partner, (CPO, CPO, EMSP, EMSP))))
        cpo, other_cpo, emsp, other_emsp = known
        older_cpo = stack.enter_context(older(cluster.hub, CPO, id_alias=True))
        yield Scene(cluster, cpo, other_cpo, emsp, other_emsp, older_cpo)


@pytest.fixture
def at(scene_of_all: Scene) -> Scene:
    """Everybody well-behaved, and nothing wrong."""
    scene_of_all.cluster.heals()
    for each in scene_of_all[1:]:
        each.script.clear()
        each.shelf.own.clear()
        each.ledger.clear()
        each.received.clear()
        each.command_result = None
    return scene_of_all


@pytest.fixture
def lines(at: Scene) -> Iterator[list[Line]]:
    """A connection to each worker."""
    with at.cluster.lines() as lines:
        yield lines


def introduce(newcomer: Partner, at: Scene, one: Line, other: Line) -> None:
    """Register: the versions are asked at one worker, what they have at the other, and the first gets credentials."""
    invitation = at.cluster.hub.operator.invite(newcomer.name)
    headers = (("authorization", authorization(invitation.token_a, newcomer.version)),)
    versions = one.ask("GET", invitation.versions_url, headers).data
    details = other.ask("GET", next(each["url"] for each in versions if each["version"] == newcomer.version), headers)
    endpoints: Endpoints = {
        (each["identifier"], InterfaceRole(each["role"])): each["url"] for each in details.data["endpoints"]
    }
    registration, version, token_b = newcomer.registration, newcomer.version, new_id("token-b-")
    registration.invitations.add(token_b)
    credentials = registration.credentials(version, token_b)
    answer = one.ask_json("POST", endpoints["credentials", SENDER], headers, credentials)
    if answer.status_code != 1000:
        raise HubRefused("POST credentials", answer)
    registration.their_tokens = {token_b}
    registration.connection = HubConnection(
        version, invitation.versions_url, answer.data["token"], endpoints, answer.data
    )


def test_a_registration_its_new_tokens_and_its_end_count_at_the_other_worker(at: Scene, lines: list[Line]) -> None:
    one, other = lines
    with partner(EMSP).running() as newcomer:
        introduce(newcomer, at, one, other)
        assert other.push_token(newcomer, at.cpo.party).status_code == 1000
        for line, elsewhere in ((other, one), (one, other)):
            old = newcomer.authorization
            line.renew(newcomer)
            assert elsewhere.knows(newcomer.authorization)
            eventually(partial(elsewhere.refuses, old), within_s=EVERYWHERE_WITHIN_S)
        [listed] = at.cluster.hub.operator.ask("GET", "/api/v1/parties", params={"q": str(newcomer.party)})["items"]
        old = newcomer.authorization
        at.cluster.hub.operator.ask("POST", f"/api/v1/platforms/{listed['platform_id']}/rotate")
        for line in lines:
            assert line.knows(newcomer.authorization)
            eventually(partial(line.refuses, old), within_s=EVERYWHERE_WITHIN_S)
        last = newcomer.authorization
        assert other.say(newcomer, "DELETE", "credentials").status_code == 1000
        eventually(partial(one.refuses, last), within_s=EVERYWHERE_WITHIN_S)


def test_what_an_operator_suspends_and_what_parties_agree_on_counts_at_both_workers_within_a_second(
    at: Scene, lines: list[Line]
) -> None:
    ask, receiver, sender = at.cluster.hub.operator.ask, at.other_cpo, at.emsp

    def counts(*, lets_through: bool) -> None:
        began = time.monotonic()
        for line in lines:
            eventually(lambda line=line: reaches(line, sender, receiver.party) is lets_through)  # type: ignore[misc]  # mypy cannot type a lambda's default
        assert time.monotonic() - began < EVERYWHERE_WITHIN_S

    ask("POST", f"/api/v1/parties/{receiver.party}/suspend")
    counts(lets_through=False)
    ask("POST", f"/api/v1/parties/{receiver.party}/resume")
    counts(lets_through=True)
    terms = {"a": str(receiver.party), "b": str(sender.party), "direction": "a_to_b"}
    agreement = ask("POST", "/api/v1/agreements", json=terms)
    counts(lets_through=False)
    ask("DELETE", f"/api/v1/agreements/{agreement['id']}")
    counts(lets_through=True)


def test_a_list_of_everybodys_is_begun_at_one_worker_and_read_on_at_the_other(at: Scene, lines: list[Line]) -> None:
    one, other = lines
    held = []
    for owner in sorted((at.cpo, at.other_cpo), key=lambda each: each.party):
        places = [location(owner.party, new_id("L")) for _ in range(3)]
        owner.hold("locations", *places)
        held += [each["id"] for each in places]

    pages = [first_page(at.emsp, one)]
    while pages[-1].next_url:
        pages.append(page(at.emsp, (other, one)[len(pages) % 2 == 0], pages[-1].next_url))

    found = [each for each in ids(pages) if each in held]
    assert found == held
    assert b"anew" not in b"".join(answer.body for answer in pages)


def test_a_result_comes_back_through_the_other_worker_and_all_of_it_is_one_story(at: Scene, lines: list[Line]) -> None:
    one, other = lines
    correlation_id, response_url = new_id("conversation-"), at.emsp.url("commands", SENDER, "result", new_id())
    body = {"response_url": response_url, "token": token(at.emsp.party), "location_id": "LOC1"}
    headers = (("x-correlation-id", correlation_id), ("x-request-id", new_id()))
    answer = one.say(at.emsp, "POST", "commands", "START_SESSION", to=at.cpo.party, json=body, headers=headers)
    assert answer.data["result"] == "ACCEPTED"
    [command] = at.cpo.received

    posted = [line.post_result(at.cpo, command.json()["response_url"], "ACCEPTED") for line in (other, one)]

    assert [status(each) for each in posted] == [(200, 1000), (429, 2000)], "the second came at once"
    [result] = at.emsp.received
    assert (result.raw_path, result.json()) == (response_url.removeprefix(at.emsp.base), {"result": "ACCEPTED"})
    told = story(at.cluster.hub, correlation_id, messages=1)
    assert [each["module"] for each in told["messages"]] == ["commands"] * len(told["messages"])


def test_a_cdr_is_read_at_the_worker_that_did_not_take_it(at: Scene, lines: list[Line]) -> None:
    one, other = lines
    body = cdr(at.cpo, token(at.emsp.party, new_id("UID")))
    posted = one.say(at.cpo, "POST", "cdrs", to=at.emsp.party, json=body)
    assert posted.status_code == 1000
    headers = (("authorization", at.cpo.authorization),)

    read = other.ask("GET", posted.header("location") or "", headers)

    assert read.data["id"] == body["id"]


def test_what_one_worker_learned_the_other_goes_by(at: Scene, lines: list[Line]) -> None:
    one, other = lines
    card, session_id = token(at.emsp.party, new_id("UID")), new_id("S")
    path = path_of(at.emsp.party, card["uid"])
    assert one.say(at.emsp, "PUT", "tokens", path, to=at.cpo.party, json=card).status_code == 1000
    where = path_of(at.cpo.party, session_id)
    body = session(at.cpo, card, session_id)

    def put_without_a_receiver() -> bool:
        return other.say(at.cpo, "PUT", "sessions", where, json=body).status_code == 1000

    eventually(put_without_a_receiver, within_s=5)
    assert {each.place.path[-1] for each in at.emsp.received.of("sessions")} == {session_id}
    assert not at.other_emsp.received.of("sessions")
    stop = {"response_url": f"{at.emsp.base}/results/{new_id()}", "session_id": session_id}
    eventually(lambda: one.say(at.emsp, "POST", "commands", "STOP_SESSION", json=stop).status_code == 1000, within_s=5)
    assert at.cpo.received.of("commands")
    assert status(other.say(at.other_emsp, "POST", "commands", "STOP_SESSION", json=stop)) == (200, 4001)


def test_what_an_older_partner_pushed_is_read_back_at_the_other_worker_under_its_own_id(
    at: Scene, lines: list[Line]
) -> None:
    one, other = lines
    where, pushed = path_of(at.older_cpo.party, LONG_ID), place(at.older_cpo.party)
    put = one.say(at.older_cpo, "PUT", "locations", where, to=at.emsp.party, json=pushed)
    assert put.status_code == 1000
    assert at.emsp.received[-1].place.path == (*at.older_cpo.party, alias_of(LONG_ID))

    read = other.say(at.older_cpo, "GET", "locations", where, to=at.emsp.party, interface=RECEIVER)
    assert read.data["id"] == LONG_ID
    at.older_cpo.hold("locations", pushed)
    asked = other.say(at.emsp, "GET", "locations", alias_of(LONG_ID), to=at.older_cpo.party)
    assert asked.data["id"] == alias_of(LONG_ID)
    assert at.older_cpo.received[-1].place.path == (LONG_ID,)


def test_pushes_of_one_object_reach_everybody_in_order_through_both_workers(at: Scene, lines: list[Line]) -> None:
    object_id, names = new_id("L"), [f"{number}" for number in range(10)]
    where = path_of(at.cpo.party, object_id)
    assert lines[0].broadcast(at.cpo, HUB, "PUT", where, location(at.cpo.party, object_id)).status_code == 1000
    for number, name in enumerate(names, 1):
        patch = {"name": name, "last_updated": "2026-11-22T08:00:00Z"}
        assert lines[number % 2].broadcast(at.cpo, HUB, "PATCH", where, patch).status_code == 1000

    def arrived(one: Partner) -> list[str]:
        return [each.json()["name"] for each in one.received.of("locations") if each.method == "PATCH"]

    for receiver in (at.emsp, at.other_emsp):
        eventually(lambda receiver=receiver: len(arrived(receiver)) == len(names))  # type: ignore[misc]  # as above
        assert arrived(receiver) == names


def test_wrong_tokens_of_one_address_count_at_both_workers_together(at: Scene) -> None:
    cluster, source = at.cluster, "127.2.3.5"
    with ExitStack() as stack:
        lines = [stack.enter_context(cluster.line_to(worker, source)) for worker in cluster.workers]
        answers = [
            lines[number % 2].ask("GET", cluster.hub.versions_url, (("authorization", f"Token guess{number}"),))
            for number in range(40)
        ]
    statuses = [each.http_status for each in answers]
    assert set(statuses) == {401, 429}
    assert 10 <= statuses.count(401) <= 14
    assert statuses[-1] == 429


@ON_A_CLUSTER
def test_who_is_away_costs_neither_worker_anything_and_others_are_told_once(at: Scene, lines: list[Line]) -> None:
    operator, away = at.cluster.hub.operator, at.other_cpo
    platform_id = platform_of(at.cluster, away)
    all_told(at.cluster.hub, at.emsp)
    at.emsp.ledger.clear()

    def is_told(status: str) -> bool:
        return ("CPO", status) in pushes(at.emsp, away.party)

    with away.port_closed():
        for line in lines:
            eventually(lambda line=line: spared_by(line, at.emsp, away))  # type: ignore[misc]  # as above
        eventually(lambda: shown(at.cluster, platform_id)["state"] in {"open", "probing"})
        eventually(lambda: is_told("OFFLINE"))
    for action in ("probe", "circuit/close"):
        operator.ask("POST", f"/api/v1/platforms/{platform_id}/{action}")
    eventually(lambda: is_told("CONNECTED"))
    for line in lines:
        eventually(lambda line=line: line.push_token(at.emsp, away.party).status_code == 1000)  # type: ignore[misc]  # as above
    assert pushes(at.emsp, away.party) == [("CPO", "OFFLINE"), ("CPO", "CONNECTED")]
    assert "\nocpi_hub_leads 1.0\n" in operator.api.get("/metrics").text


def test_what_both_workers_notice_is_one_event_and_is_counted_once(at: Scene, lines: list[Line]) -> None:
    [listed] = at.cluster.hub.operator.ask("GET", "/api/v1/parties", params={"q": str(at.cpo.party)})["items"]
    for line in lines:
        foreign = location(at.other_cpo.party, new_id("L"))
        where = path_of(at.other_cpo.party, foreign["id"])
        assert line.say(at.cpo, "PUT", "locations", where, to=at.emsp.party, json=foreign).status_code != 3000
    about = partial(event_of, at.cluster.hub, EventKind.FOREIGN_OWNER, listed["platform_id"])
    eventually(lambda: about()["count"] == len(lines))
    assert at.cluster.hub.operator.ask("GET", "/api/v1/audit/verification")["verifies"]


def _announced(line: Line, cpo: Partner, location_id: str) -> int:
    """Push a Location to everybody; says how many that is."""
    answer = line.broadcast(cpo, HUB, "PUT", path_of(cpo.party, location_id), location(cpo.party, location_id))
    assert answer.status_code == 1000
    return int(str(answer.envelope.status_message).split()[2])


def _last(path: str) -> str:
    return path.rpartition("/")[2]


@ON_A_CLUSTER
def test_broadcasts_and_figures_outlive_the_worker_that_had_them(at: Scene) -> None:
    with Crowd(RECEIVERS, country_code="BE", slow_s=0.2).running() as crowd:
        crowd.register(at.cluster.hub)
        crowd.slow = range(RECEIVERS)
        doomed, survivor = at.cluster.workers
        sent = [f"B{number}" for number in range(BROADCASTS)]
        with at.cluster.line_to(doomed) as line:
            eventually(lambda: _announced(line, at.cpo, "HELLO") >= RECEIVERS)
            crowd.wait_for(RECEIVERS)
            crowd.forget()
            figures = counted_messages(at.cluster)
            for name in sent:
                _announced(line, at.cpo, name)
            doomed.kill()
        wanted = {(number, name) for number in range(RECEIVERS) for name in sent}
        eventually(lambda: {(each.number, _last(each.path)) for each in crowd.arrivals} >= wanted, within_s=30)
        assert counted_messages(at.cluster) >= figures
    at.cluster.heals(within_s=30)
    assert survivor in at.cluster.workers


@ON_A_CLUSTER
def test_a_reload_loses_neither_a_message_nor_a_figure(at: Scene) -> None:
    hub, partners = at.cluster.hub, (at.cpo, at.other_cpo, at.emsp, at.other_emsp)
    old, before, seen = set(at.cluster.workers), all_counted(at.cluster), 0.0
    with unharmed(partners) as traffic:
        assert hub.operator.ask("POST", "/api/v1/reload")["state"] == "under_way"
        assert hub.operator.api.post("/api/v1/reload").status_code == 409
        while hub.operator.ask("GET", "/api/v1/reload")["state"] == "under_way":
            figure = counted_messages(at.cluster)
            assert figure >= seen
            seen = figure
            assert hub.operator.api.get("/readyz").status_code == 200
    done = hub.operator.ask("GET", "/api/v1/reload")
    assert (done["state"], done["replaced"]) == ("done", 2)
    assert not old & set(at.cluster.workers)
    eventually(lambda: counted_messages(at.cluster) == before + len(traffic.sendings))
    files = list((hub.log.parent / "var" / "metrics").glob("counter_*.db"))
    assert len(files) <= 1 + len(old) + 1, "of the parent, of its workers, and of all that have ended"
    [noted] = hub.operator.ask("GET", "/api/v1/audit", params={"action": "reload", "limit": "1"})["items"]
    assert noted["action"] == "reload"


def all_counted(cluster: Cluster) -> float:
    """The same, when no worker has anything to add, which takes it a second."""
    figure, before = counted_messages(cluster), -1.0
    while figure != before:
        time.sleep(1.2)
        figure, before = counted_messages(cluster), figure
    return figure


def counted_messages(cluster: Cluster) -> float:
    """How many direct messages the hub has counted since its start."""
    exposition = cluster.hub.operator.api.get("/metrics").text
    lines = [line for line in exposition.splitlines() if line.startswith("ocpi_hub_messages_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'route="direct"' in line)
