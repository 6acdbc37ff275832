"""A crowd of receivers in one thread: a platform each for the hub, and as little as can be for this process.

For load: each takes every push and notes when it came. Some may be slow, or never answer. For everything else there is
`loadtests.simulator`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Self, cast

import httptools
import httpx

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.simulator import Json, envelope
from loadtests.simulator.client import authorization
from loadtests.simulator.messages import HeaderLines
from loadtests.simulator.server import Loop, free_port
from loadtests.simulator.shapes import credentials_object, version_details, versions_list
from loadtests.simulator.stock import numbered_party
from routing.vocabulary import InterfaceRole, ModuleID, Role, Version

_AT_ONCE = 4
"""Registrations under way."""
_ANSWER = envelope().body


class Arrival(NamedTuple):
    """One push at one of the crowd."""

    number: int
    """Whose it is."""
    at: float
    """When it was complete, as `time.monotonic` has it."""
    method: str
    path: str
    body: bytes


class Crowd:
    """So many eMSPs on 2.2.1, each a platform of its own with one party, behind one port.

    `slow` are those who answer after `slow_s` seconds, `dead` those who never do, by number.
    """

    def __init__(
        self,
        size: int,
        *,
        country_code: str = "DE",
        slow_s: float = 2.0,
        modules: Collection[str] = (ModuleID.LOCATIONS,),
    ) -> None:
        """`modules` are those they take pushes of."""
        self.parties = [numbered_party(country_code, number) for number in range(size)]
        self.slow: Collection[int] = ()
        self.dead: Collection[int] = ()
        self.slow_s = slow_s
        self._offered = frozenset((module, InterfaceRole.RECEIVER) for module in modules)
        self.arrivals: list[Arrival] = []
        self.connections: set[asyncio.Transport] = set()
        """Those that are open."""
        self._came = threading.Condition()
        self._awaited = 0
        """How many have to have come before somebody is woken: who waits would look at all of them each time."""
        self._port = free_port()
        self._loop = Loop("crowd")

    @property
    def base(self) -> str:
        """Origin of all URLs."""
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve while the block lasts."""
        self._loop.run(self._open())
        try:
            yield self
        finally:
            self._loop.run(self._close())
            self._loop.close()

    def register(self, hub: HubProcess) -> float:
        """Have the hub know all of them. Returns the seconds it took. Raises HubFailed."""
        began = time.monotonic()
        self._loop.run(self._register_all(hub))
        return time.monotonic() - began

    def wait_for(self, count: int, *, but: Collection[int] = (), within_s: float = 60) -> list[Arrival]:
        """Wait until so many pushes came to others than `but`, and return these. One thread may wait at a time.

        Raises:
            HubFailed: they did not come.
        """
        with self._came:
            self._awaited = count
            if self._came.wait_for(lambda: sum(each.number not in but for each in self.arrivals) >= count, within_s):
                return [each for each in self.arrivals if each.number not in but]
        raise HubFailed(f"only {len(self.arrivals)} pushes came within {within_s} s, and not {count}")

    def forget(self) -> None:
        """Forget what came so far."""
        with self._came:
            self.arrivals.clear()

    def note(self, arrival: Arrival) -> None:
        """Write down what came."""
        with self._came:
            self.arrivals.append(arrival)
            if len(self.arrivals) >= self._awaited:
                self._came.notify_all()

    def document(self, number: int, path: Sequence[str]) -> Json | list[Json] | None:
        """What one of them answers when it is asked who it is."""
        base = f"{self.base}/{number}"
        if list(path) == ["versions"]:
            return versions_list(base, [Version.V2_2_1])
        if list(path) == [Version.V2_2_1]:
            return version_details(base, Version.V2_2_1, self._offered)
        return None

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Protocol(self), "127.0.0.1", self._port, backlog=4096)

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # lets each protocol notice

    async def _register_all(self, hub: HubProcess) -> None:
        limits = httpx.Limits(max_connections=_AT_ONCE)
        numbers = iter(range(len(self.parties)))
        async with httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as http:

            async def register_some() -> None:
                for number in numbers:
                    await self._register(number, hub, http)

            await asyncio.gather(*(register_some() for _ in range(_AT_ONCE)))

    async def _register(self, number: int, hub: HubProcess, http: httpx.AsyncClient) -> None:
        operator, party = hub.operator, self.parties[number]
        invited = await http.post(
            f"{operator.url}/api/v1/platforms", headers=operator.api.headers, json={"name": f"crowd {number}"}
        )
        if invited.status_code != 201:
            raise HubFailed(f"{party} is not invited: {invited.text}")
        url, name = f"{self.base}/{number}/versions", f"Crowd {number}"
        body = credentials_object(Version.V2_2_1, f"token-of-{number}", url, name, {party: [Role.EMSP]})
        headers: HeaderLines = (("authorization", authorization(invited.json()["token_a"], Version.V2_2_1)),)
        answer = await http.post(f"{hub.url}/ocpi/2.2.1/credentials", headers=list(headers), json=body)
        if answer.json().get("status_code") != 1000:
            raise HubFailed(f"{party} cannot register: {answer.text}")


class _Protocol(asyncio.Protocol):
    """One connection of the hub to one of the crowd."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._crowd.connections.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._crowd.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # --- called by the parser

    def on_message_begin(self) -> None:
        self._url = b""
        self._body.clear()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        crowd, path = self._crowd, self._url.decode().split("/")
        number = int(path[1])
        document = crowd.document(number, path[2:])
        if document is not None:
            self._answer(envelope(document).body)
            return
        method = self._parser.get_method().decode()
        crowd.note(Arrival(number, time.monotonic(), method, "/".join(path[2:]), b"".join(self._body)))
        if number in crowd.slow:
            asyncio.get_running_loop().call_later(crowd.slow_s, self._answer, _ANSWER)
        elif number not in crowd.dead:
            self._answer(_ANSWER)

    def _answer(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)
        if not self._parser.should_keep_alive():
            self._transport.close()
