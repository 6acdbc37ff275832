"""When messages notice that something changed, and whether they have to wait meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final

import httpx

from loadtests.arrivals import precise_loop
from loadtests.hub_process import HubFailed, HubProcess
from loadtests.latency import send_at_rate
from loadtests.scenarios import Scenario
from loadtests.simulator.messages import header_lines

_CHANGES: Final = 10
_CALM_S: Final = 10.0
_WITHIN_S: Final = 60.0
_PAUSE_S: Final = 0.25
"""Between two changes."""


class _Watch:
    """Sends a message to one hub over and over, and notes since when the answers are of a kind."""

    def __init__(self, url: str, scenario: Scenario) -> None:
        self._url = url + scenario.path
        self._scenario = scenario
        self._http = httpx.Client(trust_env=False, timeout=10)

    def first(self, *, delivered: bool) -> float:
        """When the first message was begun whose answer is 1000, or is not. Raises HubFailed."""
        deadline = time.monotonic() + _WITHIN_S
        while time.monotonic() < deadline:
            began = time.monotonic()
            if (self._status() == 1000) is delivered:
                return began
            time.sleep(0.001)
        raise HubFailed("a change is not seen")

    def close(self) -> None:
        """Close its connection."""
        self._http.close()

    def _status(self) -> int:
        headers = list(header_lines(self._scenario.headers))
        answer = self._http.request("PUT", self._url, headers=headers, content=self._scenario.body)
        status: int = answer.json()["status_code"]
        return status


def seen_after(here: HubProcess, there: HubProcess, put: Scenario) -> tuple[list[float], list[float]]:
    """Suspend the receiver and have it back, over and over: how long until a message notices, at either hub."""
    [roam] = here.operator.ask("GET", "/api/v1/parties?q=DE*ROM")["items"]
    platform_id = roam["platform_id"]
    watches = [_Watch(here.url, put), _Watch(there.url, put)]
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(_CHANGES):
        delivered = bool(number % 2)
        for each in watches:
            each.first(delivered=not delivered)
        began = time.monotonic()
        found = [_Found(each, delivered) for each in watches]
        here.operator.ask("POST", f"/api/v1/platforms/{platform_id}/{'resume' if delivered else 'suspend'}")
        for some, one in zip(took, found, strict=True):
            some.append(max(0.0, one.at() - began))
    for each in watches:
        each.close()
    return took


class _Found(threading.Thread):
    """Looks at one hub while others look at another."""

    def __init__(self, watch: _Watch, delivered: bool) -> None:
        super().__init__(name="watch")
        self._watch = watch
        self._delivered = delivered
        self._at: float | None = None
        self.start()

    def run(self) -> None:
        """Look."""
        self._at = self._watch.first(delivered=self._delivered)

    def at(self) -> float:
        """When it was seen. Raises HubFailed."""
        self.join()
        if self._at is None:
            raise HubFailed("a change is not seen")
        return self._at


class _Changing(threading.Thread):
    """Changes the name of one platform of the network after the other."""

    def __init__(self, hub: HubProcess) -> None:
        super().__init__(name="changes")
        self._hub = hub
        self._ends = threading.Event()
        self.start()

    def run(self) -> None:
        """Change them four times a second."""
        number = 0
        while not self._ends.wait(_PAUSE_S):
            number += 1
            self._hub.operator.ask("PATCH", f"/api/v1/platforms/{number:032x}", json={"name": f"Renamed {number}"})

    def end(self) -> None:
        """Change no more."""
        self._ends.set()
        self.join()


def stalls(hub: HubProcess, put: Scenario) -> tuple[list[float], list[float]]:
    """How long messages take, 200 a second: while nothing changes, and while platforms do."""

    def sent(seed: int) -> list[float]:
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            return [took.seconds for took in runner.run(send_at_rate(hub.url, put, 0, _CALM_S, seed))]

    calm = sent(1)
    changing = _Changing(hub)
    found = sent(2)
    changing.end()
    return calm, found
