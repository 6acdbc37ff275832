"""What came to partners under load: counted, and maybe written to a file, so that loss and doubles can be proven."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final, TextIO

import msgspec
from msgspec import Struct, field

from loadtests.simulator.messages import Received
from routing.vocabulary import CONFIGURATION_MODULES

_REMEMBERED: Final = 200_000
"""The latest messages, in which a double is noticed."""
_QUIET: Final = CONFIGURATION_MODULES | {"versions", "details"}


class Tally(Struct):
    """What came to one partner."""

    messages: int = 0
    duplicates: int = 0
    """Of these: came before, to the same party, with the same X-Correlation-ID, method and URL."""
    by_kind: dict[str, int] = field(default_factory=dict)
    """Such as `locations.PATCH`."""


class Arrival(Struct, frozen=True):
    """One message, as a line of the ledger."""

    at: str
    platform: str
    method: str
    path: str
    sender: str | None
    receiver: str | None
    correlation_id: str | None
    request_id: str | None


class Register:
    """Where all partners of one process write down what comes."""

    def __init__(self, ledger: Path | None = None) -> None:
        """`ledger` gets a line of JSON for every message. Raises OSError when it cannot be written."""
        self._known: set[int] = set()
        self._latest: deque[int] = deque()
        self._ledger: TextIO | None = None if ledger is None else ledger.open("w", encoding="utf-8")

    def note(self, platform: str, tally: Tally, request: Received) -> None:
        """Count one request, unless it is about registration."""
        if request.module in _QUIET:
            return
        kind = f"{request.module}.{request.method}"
        tally.messages += 1
        tally.by_kind[kind] = tally.by_kind.get(kind, 0) + 1
        tally.duplicates += self._came_before(platform, request)
        if self._ledger is not None:
            self._ledger.write(msgspec.json.encode(_arrival(platform, request)).decode() + "\n")

    def close(self) -> None:
        """Write the last lines."""
        if self._ledger is not None:
            self._ledger.close()

    def _came_before(self, platform: str, request: Received) -> bool:
        correlation_id = request.header("x-correlation-id")
        if correlation_id is None:
            return False
        key = hash((platform, correlation_id, request.method, request.raw_path, request.query, request.receiver))
        if key in self._known:
            return True
        self._known.add(key)
        self._latest.append(key)
        if len(self._latest) > _REMEMBERED:
            self._known.discard(self._latest.popleft())
        return False


def _arrival(platform: str, request: Received) -> Arrival:
    sender, receiver = request.sender, request.receiver
    return Arrival(
        request.at.isoformat(),
        platform,
        request.method,
        f"{request.raw_path}?{request.query}" if request.query else request.raw_path,
        None if sender is None else str(sender),
        None if receiver is None else str(receiver),
        request.header("x-correlation-id"),
        request.header("x-request-id"),
    )
