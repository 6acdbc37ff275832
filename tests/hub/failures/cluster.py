"""A hub of two workers, with a PostgreSQL and a Redis of its own that tests may hurt."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import psutil
import redis

from loadtests.hub_process import Invitation
from loadtests.simulator import Partner
from loadtests.simulator.client import authorization
from routing.vocabulary import Party
from tests.hub.failures.lines import Line
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.partners import CPO, new_party, registered
from tests.servers import PostgresServer, RedisServer

WORKERS = 2
EVERYWHERE_WITHIN_S = 3.0
"""How soon every worker acts on a change made through one of them. The hub promises a second; a machine full of tests
gets more."""

Server: TypeAlias = PostgresServer | RedisServer
End: TypeAlias = Callable[[Server], None]


def killed(server: Server) -> None:
    """As an out-of-memory killer ends it, without a chance to say so."""
    server.kill()


def stopped(server: Server) -> None:
    """In good order."""
    server.stop()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server keeps its connections and answers nothing while the block lasts."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


class Cluster:
    """Runs while the block lasts."""

    def __init__(self, folder: Path, *, redis: RedisServer | None = None, rate_limit: str = "off") -> None:
        self.postgres, self.redis = PostgresServer(), redis or RedisServer()
        settings = {
            "database_url": self.postgres.url,
            "redis_url": self.redis.url,
            "workers": str(WORKERS),
            "rate_limit": rate_limit,
        }
        self.hub = ForkedHub(folder, settings)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for each in (self.postgres, self.redis, self.hub):
                stack.enter_context(each)
            self._running = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._running.close()

    # --- its health

    @property
    def problems(self) -> list[str]:
        """What /readyz says is wrong."""
        answer = self.hub.operator.api.get("/readyz")
        reasons: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if reasons else 200)
        return reasons

    def heals(self, *, within_s: float = 15) -> float:
        """Wait until nothing is wrong; returns the seconds it took."""
        return eventually(lambda: not self.problems, within_s=within_s)

    def says(self, problem: str, *, within_s: float = 10) -> float:
        """Wait until this is wrong; returns the seconds it took."""
        return eventually(lambda: problem in self.problems, within_s=within_s)

    @contextmanager
    def without(self, *servers: Server, end: End = killed) -> Iterator[None]:
        """Servers are gone while the block lasts, and start again."""
        for each in servers:
            end(each)
        try:
            yield
        finally:
            for each in servers:
                each.start()

    # --- its workers

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that serve partners, the oldest first."""
        return [each for each in psutil.Process(self.hub.pid).children() if _is_worker(each)]

    def replaces_worker(self) -> psutil.Process:
        """Wait until the worker that was just killed has a successor that serves, and return that."""
        self.says(f"{WORKERS - 1} of {WORKERS} workers are serving")
        self.heals()
        return max(self.workers, key=psutil.Process.create_time)

    def line_to(self, worker: psutil.Process, source: str | None = None) -> Line:
        """A connection to this worker, from this address. It alone can take it: all others are held for that moment."""
        with _held([each for each in self.workers if each != worker]):
            line = Line(self.hub.port, source)
            line.ask("GET", f"{self.hub.url}/nowhere")
        return line

    @contextmanager
    def lines(self, each: int = 1) -> Iterator[list[Line]]:
        """Connections to every worker, so many to each."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.line_to(worker)) for worker in self.workers for _ in range(each)]

    # --- what changes

    @contextmanager
    def registered(self, *partners: Partner) -> Iterator[list[Partner]]:
        """These partners, running and registered, and known to every worker."""
        with registered(self.hub, *partners):
            with self.lines() as lines:  # a worker that does not know a token looks whether it is a new one
                assert all(line.knows(each.authorization) for line in lines for each in partners)
            yield list(partners)

    def invites(self, newcomer: Partner) -> Invitation:
        """An invitation, known to every worker."""
        invitation = self.hub.operator.invite(newcomer.name)
        with self.lines() as lines:
            assert all(line.knows(authorization(invitation.token_a, newcomer.version)) for line in lines)
        return invitation

    def spreads_changes(self, guest: Partner, emsp: Partner, *, within_s: float = EVERYWHERE_WITHIN_S) -> float:
        """Change the guest through each worker in turn; all must act on it in time. Returns the longest it took.

        What it takes to ask all workers does not count.

        The guest, a CPO, renews its credentials and names one party more. So its old token dies on every worker,
        and the eMSP reaches the new party through every worker.
        """
        with self.lines() as lines:
            return max(self._spreads_one(line, lines, guest, emsp, within_s) for line in lines)

    def _spreads_one(
        self, through: Line, lines: Sequence[Line], guest: Partner, emsp: Partner, within_s: float
    ) -> float:
        party, old = new_party(), guest.authorization
        begun = time.monotonic()
        assert {line.push_token(emsp, party).status_code for line in lines} == {4001}
        assert not any(line.refuses(old) for line in lines)
        asking = time.monotonic() - begun
        through.renew(guest, {**guest.parties, party: CPO})
        done = time.monotonic()
        assert through.push_token(emsp, party).status_code == 1000
        for line in lines:
            eventually(partial(reaches, line, emsp, party))
            eventually(partial(line.refuses, old))
        took = time.monotonic() - done - asking
        assert took < within_s, f"{took:.2f} s, and {asking:.2f} s for the questions"
        return took


def reaches(line: Line, emsp: Partner, party: Party) -> bool:
    """Whether a message gets through to the party; if not, the hub must not know it, or say that it is suspended."""
    status = line.push_token(emsp, party).status_code
    assert status in {1000, 4001, 4003}, status
    return status == 1000


def lose_listeners(server: RedisServer) -> None:
    """Cut the connections on which notices would arrive."""
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "hub.listener.worker" in process.cmdline()
    except psutil.NoSuchProcess:  # it has just ended
        return False


@contextmanager
def _held(workers: Sequence[psutil.Process]) -> Iterator[None]:
    for each in workers:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in workers:
            each.send_signal(signal.SIGCONT)
