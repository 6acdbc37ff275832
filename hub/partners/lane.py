"""What the hub has open at one platform: calls under way and idle connections. Nothing of it is shared."""

from __future__ import annotations

from hub.partners.bulkhead import Bulkhead
from hub.partners.connection import Connection
from hub.partners.urls import Server


class Lane:
    """The way to one platform."""

    IDLE_S = 15.0
    """How long a connection is kept without use."""
    AGE_S = 300.0
    """How long it is kept at all, so that a partner that moves to another address is followed."""

    def __init__(self) -> None:
        self.bulkhead = Bulkhead()
        self._idle: dict[Server, list[Connection]] = {}
        self._idle_count = 0

    def take(self, server: Server, now: float) -> Connection | None:
        """The connection used most recently that can still be used."""
        stack = self._idle.get(server)
        while stack:
            self._idle_count -= 1
            connection = stack.pop()
            if connection.usable(now):
                return connection
            connection.abort()
        return None

    def put(self, server: Server, connection: Connection, most: int) -> None:
        """Keep a connection for the next call, `most` of them."""
        now = connection.idle_since
        if not connection.usable(now):
            return
        if self._idle_count >= most or now - connection.opened_at > self.AGE_S:
            connection.abort()
            return
        self._idle.setdefault(server, []).append(connection)
        self._idle_count += 1

    def close_idle(self, before: float) -> None:
        """Close the connections nobody has used since `before`."""
        for server, stack in list(self._idle.items()):
            old = [connection for connection in stack if connection.idle_since < before]
            for connection in old:
                connection.abort()
            self._idle_count -= len(old)
            del stack[: len(old)]  # the stack is in the order of last use
            if not stack:
                del self._idle[server]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remember."""
        return not self._idle and not self.bulkhead.active
