"""The simulator in a process of its own, and how to talk to it.

locust patches its process for gevent: sockets, threads and selectors. An asyncio loop there would run on what is left
of these, share one core with the users, and be measured with them. A process has neither trouble, and another core.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Collection
from typing import Any, NamedTuple, Self

import httpx
import msgspec

from loadtests.hub_process import HubFailed
from loadtests.simulator import Json
from routing.vocabulary import InterfaceRole, Party, Role, Version

_END_WITHIN_S = 20.0
_REGISTER_WITHIN_S = 60.0


class Platform(NamedTuple):
    """One that the simulator plays."""

    number: int
    base: str
    """What the URLs of its endpoints begin with."""


class Step(NamedTuple):
    """One request of a handshake."""

    method: str
    url: str
    ms: float
    ocpi_status: int | None


class Connection(NamedTuple):
    """What a platform knows of the hub it is registered at."""

    token: str
    endpoints: dict[tuple[str, InterfaceRole | None], str]
    steps: list[Step]
    """How it came to know."""


class NotRegistered(Exception):
    """The hub refused; the message is one line."""


class SimulatorProcess:
    """`python -m loadtests.simulator`, which ends when this process does. Usable from many greenlets or threads."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, token: str) -> None:
        self._process = process
        self.is_closed = False
        self._http = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=_REGISTER_WITHIN_S,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    @classmethod
    def started(cls, **order: Any) -> Self:  # noqa: ANN401 - see `loadtests.simulator.__main__.Order`
        """Start one, on a free loopback port unless the order says otherwise. Raises HubFailed."""
        token = secrets.token_urlsafe(24)
        command = [sys.executable, "-m", "loadtests.simulator"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
        if process.stdin is None or process.stdout is None:
            raise HubFailed("the simulator cannot be talked to")
        process.stdin.write(msgspec.json.encode({"token": token, **order}) + b"\n")
        process.stdin.flush()
        said = process.stdout.readline()
        if not said:
            raise HubFailed("the simulator does not start; it says why above")
        return cls(process, msgspec.json.decode(said)["url"], token)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self.is_closed = True
        self._http.close()
        self._process.communicate(timeout=_END_WITHIN_S)

    def add(self, name: str, party: Party, role: Role, version: Version) -> Platform:
        """Play one more platform, with one party."""
        parties = [(party.country_code, party.party_id, role)]
        made = self._ask("POST", "/platforms", {"name": name, "parties": parties, "version": version})
        return Platform(made["number"], made["base"])

    def register(self, number: int, versions_url: str, token_a: str) -> Connection:
        """Have a platform register at a hub. Raises NotRegistered."""
        where = {"versions_url": versions_url, "token_a": token_a}
        return _connection(self._ask("POST", f"/platforms/{number}/register", where))

    def update(self, number: int) -> Connection:
        """Have a platform read the hub's versions anew and give it new credentials. Raises NotRegistered."""
        return _connection(self._ask("POST", f"/platforms/{number}/update", {}))

    def result(self, number: int, command: str, within_s: float) -> tuple[float, Json] | None:
        """When the result of a command came, as `time.monotonic` has it, and what it is; None when it did not."""
        response = self._http.get(
            f"/platforms/{number}/result",
            params={"command": command, "within_s": str(within_s)},
            timeout=within_s + _END_WITHIN_S,
        )
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        found = response.raise_for_status().json()
        return found["at"], found["result"]

    def become(self, profile: str, numbers: Collection[int] | None = None) -> None:
        """Have these platforms, or all there are and will be, be like this, such as `slow`."""
        self._ask("POST", "/profile", {"profile": profile, "numbers": None if numbers is None else list(numbers)})

    def tallies(self) -> dict[str, Json]:
        """What came to each so far, by the platforms' names; see `loadtests.simulator.tally.Tally`."""
        return self._ask("GET", "/tallies")

    def _ask(self, method: str, path: str, body: object = None) -> Json:
        content = None if body is None else msgspec.json.encode(body)
        response = self._http.request(method, path, content=content)
        answer: Json = response.json()
        if response.status_code == httpx.codes.BAD_GATEWAY:
            raise NotRegistered(answer["detail"])
        if not response.is_success:
            raise HubFailed(f"the simulator: {answer['detail']}")
        return answer


def _connection(answer: Json) -> Connection:
    endpoints = {
        (module, None if interface is None else InterfaceRole(interface)): url
        for module, interface, url in answer["endpoints"]
    }
    steps = [Step(each["method"], each["url"], each["ms"], each["ocpi_status"]) for each in answer["steps"]]
    return Connection(answer["token"], endpoints, steps)
