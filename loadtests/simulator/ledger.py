"""Everything a partner received, to look at and to wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, overload

from loadtests.simulator.messages import Received

Wanted: TypeAlias = Callable[[Received], bool]


class Ledger(Sequence[Received]):
    """Requests in the order of their arrival; written by the partner's thread, read from any."""

    def __init__(self, keep: Wanted = lambda _: True) -> None:
        self._keep = keep
        self._requests: list[Received] = []
        self._changed = threading.Condition()

    def record(self, request: Received) -> None:
        """Write one request down and wake whoever waits."""
        if self._keep(request):
            with self._changed:
                self._requests.append(request)
                self._changed.notify_all()

    def of(self, module: str | None = None, method: str | None = None) -> list[Received]:
        """The requests to this module with this method so far."""
        return [
            request
            for request in self
            if (module is None or request.module == module) and (method is None or request.method == method)
        ]

    def wait_for(self, wanted: Wanted | str, *, count: int = 1, timeout_s: float = 10) -> list[Received]:
        """Wait until `count` requests are there that are `wanted` (a test, or a module), and return these.

        Raises:
            TimeoutError: they did not come in time; the message lists what came instead.
        """
        fits = wanted if callable(wanted) else lambda request: request.module == wanted
        with self._changed:
            if self._changed.wait_for(lambda: sum(map(fits, self._requests)) >= count, timeout_s):
                return [request for request in self._requests if fits(request)]
            seen = [f"{request.method} {request.raw_path}" for request in self._requests]
        raise TimeoutError(f"{count} expected within {timeout_s} s, but there is only {seen}")

    async def arrival(self, wanted: Wanted | str, *, count: int = 1, timeout_s: float = 10) -> list[Received]:
        """Like `wait_for`, without holding up the event loop of the one who waits."""
        return await asyncio.to_thread(self.wait_for, wanted, count=count, timeout_s=timeout_s)

    def clear(self) -> None:
        """Forget everything so far."""
        with self._changed:
            self._requests.clear()

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Received]:
        with self._changed:
            return iter(list(self._requests))

    @overload
    def __getitem__(self, index: int) -> Received: ...
    @overload
    def __getitem__(self, index: slice) -> list[Received]: ...
    def __getitem__(self, index: int | slice) -> Received | list[Received]:
        with self._changed:
            return self._requests[index]

    def __repr__(self) -> str:
        return f"Ledger({[f'{request.method} {request.raw_path}' for request in self]})"
