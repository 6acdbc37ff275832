"""Two hubs side by side on the same PostgreSQL and Redis: what happens once in the whole hub goes on whoever dies."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import NamedTuple, Self

import pytest
import redis

from hub.store.leases import LEASE_S
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner, misbehaviour
from tests.hub.failures.waiting import eventually
from tests.partners import CPO, EMSP, partner, registered
from tests.servers import PostgresServer, RedisServer

TAKES_OVER_WITHIN_S = LEASE_S + 2
EVERY_S = 0.5
AHEAD = timedelta(minutes=5)
_NOT_YET = datetime.max.replace(tzinfo=UTC)
_CLOCK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && clock == CLOCK_REALTIME) now->tv_sec += AHEAD_S;
    return failed;
}
"""
"""What a process has instead of the C library's clock, to be wrong about the time of day."""


class Reign(NamedTuple):
    """One term of one process."""

    term: int
    began: datetime
    ended: datetime
    """Far away while it goes on; when it was killed, of one that was."""


class Replicas:
    """Two hubs, of which the second has a clock that is five minutes ahead."""

    def __init__(self, folder: Path) -> None:
        self.postgres, self.redis = PostgresServer(), RedisServer()
        settings = {
            "database_url": self.postgres.url,
            "redis_url": self.redis.url,
            "secret_key": "k" * 32,
            "alive_after_s": "1",
            "offline_probe_every_s": str(EVERY_S),
            "rate_limit": "off",
        }
        self.folder, self._kills = folder, list[tuple[HubProcess, datetime]]()
        self.hubs = [self._hub(name, settings) for name in ("one", "other")]
        self.ahead = self._set_clock(self.hubs[1])
        self._running = ExitStack()

    def _set_clock(self, hub: HubProcess) -> timedelta:
        """Put the clock of one hub forward, where there is a C compiler to do so."""
        compiler = shutil.which("cc")
        if compiler is None:
            return timedelta()
        source, library = self.folder / "clock.c", self.folder / "clock.so"
        source.write_text(_CLOCK.replace("AHEAD_S", str(int(AHEAD.total_seconds()))))
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        hub._environment["LD_PRELOAD"] = str(library)
        return AHEAD

    def _hub(self, name: str, settings: dict[str, str]) -> HubProcess:
        (self.folder / name).mkdir()
        return HubProcess(self.folder / name, settings)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.postgres)
            stack.enter_context(self.redis)
            for each in self.hubs:
                stack.enter_context(each)
            self._running = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    # --- who leads

    def leader(self) -> HubProcess | None:
        """The one that leads now, as its log says."""
        return next((hub for hub in self.hubs for each in self._reigns_of(hub) if each.ended == _NOT_YET), None)

    def leads(self, *, other_than: HubProcess | None = None, within_s: float = 15) -> HubProcess:
        """Wait until one leads, and a certain one does not."""
        eventually(lambda: self.leader() not in (None, other_than), within_s=within_s)
        found = self.leader()
        assert found is not None
        return found

    def reigns(self) -> list[Reign]:
        """All terms so far, in their order, by the clock of this machine."""
        return sorted(each for hub in self.hubs for each in self._reigns_of(hub))

    def _reigns_of(self, hub: HubProcess) -> Iterator[Reign]:
        said = [(line, _moment(line) - (self.ahead if hub is self.hubs[1] else timedelta())) for line in _said(hub)]
        for (line, at), (_, ended) in zip_longest(said, said[1:], fillvalue=({}, _NOT_YET)):
            if line["event"] == "term_begins":
                killed = (when for which, when in self._kills if which is hub and when > at)
                yield Reign(line["term"], at, min(ended, *killed, _NOT_YET))

    def check_that_reigns_never_overlap(self) -> None:
        """No two processes lead at once, and no number is used twice."""
        reigns = self.reigns()
        assert len({each.term for each in reigns}) == len(reigns)
        for earlier, later in pairwise(reigns):
            assert earlier.ended <= later.began, (earlier, later)

    def kill(self, hub: HubProcess) -> None:
        """As an out-of-memory killer ends it."""
        hub.kill()
        self._kills.append((hub, datetime.now(UTC)))


def _said(hub: HubProcess) -> list[Json]:
    lines = hub.log.read_text().splitlines() if hub.log.exists() else []
    said = [json.loads(text) for text in lines if '"term_' in text]
    return [line for line in said if line["event"] in {"term_begins", "term_ends"}]


def _moment(line: Json) -> datetime:
    return datetime.fromisoformat(line["time"])


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with Replicas(tmp_path_factory.mktemp("replicas")) as replicas:
        yield replicas


@contextmanager
def members(hub: HubProcess, count: int) -> Iterator[dict[str, Partner]]:
    """So many CPOs, running and registered, by the ids of their platforms."""
    with ExitStack() as stack:
        running = [stack.enter_context(partner(CPO).running()) for _ in range(count)]
        yield {hub.operator.registered(each): each for each in running}


def open_events(hub: HubProcess, kind: str) -> list[Json]:
    items: list[Json] = hub.operator.ask("GET", f"/api/v1/events?state=open&kind={kind}")["items"]
    return items


def statuses(hub: HubProcess, platform_ids: Iterable[str]) -> list[str]:
    return [hub.operator.platform(each)["status"] for each in platform_ids]


def test_the_other_one_leads_soon_when_the_leader_is_killed_in_the_middle_of_its_work(replicas: Replicas) -> None:
    leader = replicas.leads()
    survivor = next(hub for hub in replicas.hubs if hub is not leader)
    with members(survivor, 12) as cpos:
        for each in cpos.values():
            each.behaves(misbehaviour.RESETTING)
        eventually(lambda: "OFFLINE" in statuses(survivor, cpos))  # not all of them, probably

        replicas.kill(leader)
        killed_at = datetime.now(UTC)

        assert replicas.leads(other_than=leader) is survivor
        assert replicas.reigns()[-1].began - killed_at < timedelta(seconds=TAKES_OVER_WITHIN_S)
        eventually(lambda: set(statuses(survivor, cpos)) == {"OFFLINE"})
        for each in cpos.values():
            each.behaves()
        eventually(lambda: set(statuses(survivor, cpos)) == {"CONNECTED"})
        for platform_id in cpos:
            history = survivor.operator.ask("GET", f"/api/v1/platforms/{platform_id}/status-history")["items"]
            assert [entry["cause"] for entry in history] == ["answered", "no_answer", "registered"]
    leader.start()
    replicas.check_that_reigns_never_overlap()


def test_a_redis_that_is_killed_and_forgets_everything_leaves_one_leader(replicas: Replicas) -> None:
    replicas.leads()
    terms = len(replicas.reigns())

    replicas.redis.kill()
    replicas.redis.start()
    with redis.Redis.from_url(replicas.redis.url) as client:
        client.flushall()

    eventually(lambda: len(replicas.reigns()) > terms and replicas.leader() is not None, within_s=20)
    replicas.check_that_reigns_never_overlap()


def test_nobody_leads_without_redis_and_messages_go_on(replicas: Replicas) -> None:
    replicas.leads()
    hub = replicas.hubs[0]
    cpo, emsp = partner(CPO), partner(EMSP)
    with registered(hub, cpo, emsp):
        replicas.redis.kill()
        eventually(lambda: replicas.leader() is None)
        assert emsp.get("locations", to=cpo.party).status_code == 1000
        eventually(lambda: open_events(hub, "no_leader"))
        assert "ocpi_hub_leads 0.0" in hub.operator.api.get("/metrics").text
        replicas.redis.start()
        replicas.leads()
        eventually(lambda: not open_events(hub, "no_leader"))
    replicas.check_that_reigns_never_overlap()


def test_clocks_may_differ_by_minutes_and_a_leader_that_ends_gives_way_at_once(replicas: Replicas) -> None:
    """Whoever leads knows what the other process hears, and when."""
    emsp, quiet = partner(EMSP), partner(EMSP)
    with registered(replicas.hubs[0], emsp, quiet):
        for _ in replicas.hubs:
            leader = replicas.leads()
            other = next(hub for hub in replicas.hubs if hub is not leader)
            emsp.ledger.clear()
            quiet.ledger.clear()
            while len(quiet.ledger.of("versions")) < 3:
                assert emsp.get(f"{other.url}/ocpi/2.2.1/hubclientinfo").status_code == 1000
            assert len(emsp.ledger.of("versions")) <= 1  # one that was under way
            stopped_at = datetime.now(UTC)
            leader.stop()
            assert replicas.leads(other_than=leader) is other
            assert replicas.reigns()[-1].began - stopped_at < timedelta(seconds=2.5)
            leader.start()
    replicas.check_that_reigns_never_overlap()
