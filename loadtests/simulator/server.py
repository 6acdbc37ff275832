"""A real HTTP server on a loopback port, with an event loop and a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from itertools import cycle
from typing import Any, TypeVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
_BACKLOG = 4096
"""Connections that may come at the same moment: one of each partner's."""


class Loop:
    """An event loop in a thread of its own, usable from synchronous and asynchronous code alike."""

    def __init__(self, name: str, *, make: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self._loop = make()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` on the loop and wait for it."""
        return self.start(work).result()

    def close(self) -> None:
        """Cancel what is still running and end the thread."""
        self.run(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_TURNS = 5
"""Of the event loop, in which a connection that was just accepted gets its protocol, and one that is cut notices."""


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(_TURNS):  # who was in the middle of a TLS handshake
        await asyncio.sleep(0)


class Listener:
    """uvicorn's httptools protocol on a port that stays the same when it is closed and opened again."""

    def __init__(
        self, app: Callable[..., Awaitable[None]], tls: ssl.SSLContext | None, *, host: str = LOOPBACK, port: int = 0
    ) -> None:
        """Without a `port` it takes a free one when it is opened."""
        self._config = uvicorn.Config(
            app=app,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        self._config.load()
        self._state = ServerState()
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._host = host
        self.port = port

    async def open(self) -> None:
        """Listen; the first time on a free port. Raises OSError when the port is taken."""
        listening = _listening(self.port, self._host)
        self.port = listening.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(self._protocol, sock=listening, ssl=self._tls)

    async def close(self) -> None:
        """Close the port and break every connection."""
        if self._server is not None:
            for listening in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listening)
            await asyncio.sleep(0)  # a closed server would leave what it has just accepted open
            self._server.close()
            self._server = None
        for _ in range(_TURNS):
            for connection in self._connections():
                connection.transport.abort()
            await asyncio.sleep(0)

    def transport_of(self, scope: object) -> asyncio.Transport | None:
        """The connection a request came on; none when it is gone."""
        return next((found.transport for found in self._connections() if found.scope is scope), None)

    def _protocol(self) -> HttpToolsProtocol:
        return HttpToolsProtocol(self._config, self._state, {}, asyncio.get_running_loop())

    def _connections(self) -> list[HttpToolsProtocol]:
        return [found for found in self._state.connections if isinstance(found, HttpToolsProtocol)]


class _Ports:
    """Ports below those that the system gives to outgoing connections, one after the other.

    So no client takes one while its owner has closed it for a while, and who is told of a free one has time to open it.
    """

    def __init__(self) -> None:
        self._ports: Iterator[int] = iter(())
        self.share(0, 1)

    def share(self, number: int, among: int) -> None:
        """Give out only every so many-th of them from now on."""
        ports = range(10_000, 32_000)[number::among]
        begin = random.SystemRandom().randrange(len(ports))
        self._ports = cycle([*ports[begin:], *ports[:begin]])

    def next(self) -> int:
        """One that was not given out for long."""
        return next(self._ports)


_ports = _Ports()


def share_ports(number: int, among: int) -> None:
    """Take from now on no port that another of these processes may take, each of which has a number from 0."""
    _ports.share(number, among)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with _listening(0) as found:
        return int(found.getsockname()[1])


def _listening(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket; for port 0 on a free one."""
    while True:
        try:
            found = socket.create_server((host, port or _ports.next()), backlog=_BACKLOG)
        except OSError as error:
            if port or error.errno != errno.EADDRINUSE:
                raise
        else:
            # asyncio only sees to this where the socket names its protocol; head and body are two writes.
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found
