"""Somebody who follows messages live, in a thread, and what that one has been told."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from loadtests.hub_process import HubProcess
from tests.hub.failures.waiting import eventually


class Event(NamedTuple):
    name: str
    id: str
    data: Any


class Following:
    """A stream of messages that fit `query`. The block begins when it is open, and ends it."""

    def __init__(self, hub: HubProcess, token: str | None = None, *, after: str | None = None, **query: str) -> None:
        self.events: list[Event] = []
        self._headers = {"accept": "text/event-stream", "authorization": f"Bearer {token or hub.operator.token}"}
        if after is not None:
            self._headers["last-event-id"] = after
        self._target = f"/api/v1/messages/live?{urlencode(query)}"
        self._connection = http.client.HTTPConnection("127.0.0.1", hub.operator_port, timeout=20)
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._open.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.leave()

    def leave(self) -> None:
        """Cut the connection."""
        if not self.is_over:
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.events if each.name == "message"]

    def has(self, number: int) -> list[Any]:
        """The messages, once there are so many."""
        eventually(lambda: len(self.ids) >= number)
        return [each.data for each in self.events if each.name == "message"]

    def _follow(self) -> None:
        answer = self._asked()
        while answer.status == 503:  # until it was noticed that those before are gone
            answer.read()
            time.sleep(0.1)
            answer = self._asked()
        assert answer.status == 200, answer.read()
        lines: dict[str, str] = {}
        try:
            for each in answer:
                line = each.decode().rstrip("\n")
                name, _, value = line.partition(": ")
                lines[name] = value
                self._take(line, lines)
        except http.client.IncompleteRead:
            return

    def _asked(self) -> http.client.HTTPResponse:
        self._connection.request("GET", self._target, headers=self._headers)
        self._socket = self._connection.sock
        return self._connection.getresponse()

    def _take(self, line: str, lines: dict[str, str]) -> None:
        if line:
            return
        if "retry" in lines:
            self._open.set()
        if "data" in lines:
            self.events.append(Event(lines.get("event", "message"), lines.get("id", ""), json.loads(lines["data"])))
        lines.clear()
