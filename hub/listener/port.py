"""One listening socket with its connections."""

from __future__ import annotations

import asyncio
import socket
import time
from email.utils import formatdate
from typing import cast

from uvicorn import Config
from uvicorn.server import ServerState

from hub.listener.lifespan import App, StartFailed
from hub.listener.protocol import Connection, connection_class
from hub.listener.rules import Rules

_BACKLOG = 2048


def bind(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket, whose connections wait until somebody accepts them. Port 0 is any free one.

    Raises:
        StartFailed: the address is taken or not ours; `variable` names the setting to change.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise StartFailed(
            f"{variable}: cannot listen on {host} port {port}: {error.strerror}; for example {variable}={port + 10}"
        ) from None
    listening.setblocking(False)
    return listening


class Port:
    """Accepts connections on one socket and sees that none of them stays too long."""

    def __init__(self, app: App, listening: socket.socket, rules: Rules, *, tick_s: float = 0.1) -> None:
        self._listening = listening
        self._rules = rules
        self._tick_s = tick_s
        self._state = ServerState()
        self._connection_class = connection_class(rules)
        self._config = Config(
            app,
            interface="asgi3",
            http=self._connection_class,  # never by name: uvicorn would quietly take another parser
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # see `forwarded`
        )
        self._config.load()
        self._dated = 0
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        self._tick(loop)
        self._server = await loop.create_server(self._connection, sock=self._listening, backlog=_BACKLOG)

    async def retire(self, within_s: float) -> None:
        """Leave new connections to others that listen on this socket. Those there are get their answers, and end."""
        if self._server is not None:
            self._server.close()
        self._rules.drain.is_retiring = True
        for connection in self._connections():
            connection.retire()
        await self._wait_until_gone(within_s)

    async def stop(self, within_s: float) -> None:
        """Accept nothing more, let connections end on their own for a while, then cut the rest."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections():
            connection.shutdown()
        await self._wait_until_gone(within_s)
        for connection in self._connections():
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        await self._wait_until_gone(within_s)
        if self._ticking is not None:
            self._ticking.cancel()

    def _connection(self) -> Connection:
        return self._connection_class(self._config, self._state, {})

    def _connections(self) -> list[Connection]:
        return cast("list[Connection]", list(self._state.connections))

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ticking = loop.call_later(self._tick_s, self._tick, loop)
        now = loop.time()
        for connection in self._connections():
            connection.expire(now)
        self._date()

    def _date(self) -> None:
        seconds = int(time.time())
        if seconds != self._dated:
            self._dated = seconds
            self._state.default_headers = [(b"date", formatdate(seconds, usegmt=True).encode())]

    async def _wait_until_gone(self, within_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + within_s
        while (self._state.connections or self._state.tasks) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - these are uvicorn's sets, which tell nobody
            await asyncio.sleep(min(self._tick_s, 0.02))
