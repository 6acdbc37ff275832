"""A hub to talk to: the real command in a process and a folder of its own, and its operator API."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Protocol, Self

import httpx

from loadtests.simulator import Json, Partner
from loadtests.simulator.server import free_port
from loadtests.simulator.trust import usual_authorities
from routing.vocabulary import Party, Role, Version

START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
_CALM_WITHIN_S = 120.0
_LOOK_EVERY_S = 2.0
_BUSY_TICKS = 16
"""Of processor time between two looks: 8 %."""
_PROJECT = Path(__file__).resolve().parent.parent


class HubFailed(Exception):
    """The hub does not start, stop or do as it should; the message is one line, and may quote its log."""


class Invitation(NamedTuple):
    """What an operator sends to a partner that shall register."""

    platform_id: str
    token_a: str
    versions_url: str


class Operator:
    """The operator API of one hub. `api` is the HTTP client behind it, with the token set."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.api = httpx.Client(
            base_url=url,
            headers={"authorization": f"Bearer {token}"},
            verify=usual_authorities(),
            trust_env=False,
            timeout=40,
        )

    def invite(
        self,
        name: str,
        *,
        parties: Mapping[Party, Sequence[Role]] | None = None,
        face: Role | None = None,
        **choices: Any,  # noqa: ANN401 - any member of the request body
    ) -> Invitation:
        """Create a platform. `face` is the partner's role, which 2.1.1 needs. Raises HubFailed."""
        body: Json = {"name": name, **choices}
        if face is not None:
            body["face"] = face.value
        if parties is not None:
            body["parties"] = [
                {"country_code": party.country_code, "party_id": party.party_id, "role": role.value}
                for party, roles in parties.items()
                for role in roles
            ]
        platform = self.ask("POST", "/api/v1/platforms", json=body)
        return Invitation(platform["id"], platform["token_a"], platform["versions_url"])

    def registered(self, partner: Partner, **choices: Any) -> str:  # noqa: ANN401 - as for `invite`
        """Invite a partner, which registers; returns the platform's id. Raises HubFailed or HubRefused."""
        if partner.version is Version.V2_1_1:
            choices = {"face": partner.parties[partner.party][0], **choices}
        invitation = self.invite(partner.name, **choices)
        partner.register(invitation.versions_url, invitation.token_a)
        return invitation.platform_id

    def connected(self, partner: Partner, **choices: Any) -> str:  # noqa: ANN401 - as for `invite`
        """Let the hub register at the partner; returns the platform's id. Raises HubFailed."""
        invitation = self.invite(partner.name, **choices)
        token_a = partner.invite(secrets.token_urlsafe(24))
        body = {"versions_url": partner.versions_url, "token_a": token_a}
        self.ask("POST", f"/api/v1/platforms/{invitation.platform_id}/connect", json=body)
        return invitation.platform_id

    def platform(self, platform_id: str) -> Json:
        """One platform as the API shows it."""
        return self.ask("GET", f"/api/v1/platforms/{platform_id}")

    def platforms(self) -> list[Json]:
        """All platforms as the API lists them, up to its longest page."""
        found: list[Json] = self.ask("GET", "/api/v1/platforms?limit=100")["items"]
        return found

    def losses(self, platform_id: str, *, of: str, within_s: float) -> list[Json]:
        """What this platform loses, as soon as losses of this kind of object are counted, or else in the end."""
        deadline = time.monotonic() + within_s
        while True:
            found: list[Json] = self.ask("GET", f"/api/v1/platforms/{platform_id}/losses")["items"]
            if any(each["object"] == of for each in found) or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def event(self, kind: str, *, within_s: float) -> Json | None:
        """The open event of this kind, as soon as there is one."""
        deadline = time.monotonic() + within_s
        while True:
            found: list[Json] = self.ask("GET", "/api/v1/events", params={"state": "open", "kind": kind})["items"]
            if found or time.monotonic() > deadline:
                return found[0] if found else None
            time.sleep(0.1)

    def change(self, platform_id: str, **settings: Any) -> Json:  # noqa: ANN401 - any setting
        """Change settings of one platform, such as `timeout_s=1`."""
        return self.ask("PATCH", f"/api/v1/platforms/{platform_id}", json={"settings": settings})

    def metric(self, name: str) -> float:
        """A figure without labels, as `/metrics` has it now. Raises HubFailed."""
        for line in self.api.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        raise HubFailed(f"the hub at {self.url} has no metric {name}")

    def ask(self, method: str, path: str, **request: Any) -> Json:  # noqa: ANN401 - httpx's own arguments
        """One request that has to succeed; its JSON, or {} without a body. Raises HubFailed."""
        try:
            response = self.api.request(method, path, **request)
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise HubFailed(
                f"no hub answers {method} {path} at {self.url}: {said}; start it, or give the operator URL it printed"
            ) from error
        if not response.is_success:
            raise HubFailed(f"{method} {path}: {response.status_code} {response.text}")
        answer: Json = response.json() if response.content else {}
        return answer


class Running(Protocol):
    """A process as `subprocess.Popen` shows it."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal, if it still runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its exit code. Raises subprocess.TimeoutExpired."""

    def kill(self) -> None:
        """Send it SIGKILL."""


class HubProcess:
    """`python -m hub serve` on free loopback ports, with SQLite in `folder` unless `settings` say otherwise.

    `settings` are named as the hub's variables without `HUB_`, in lower case; None leaves one unset.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str | None] | None = None,
        *,
        command: Sequence[str] = (),
        program: Sequence[str] = ("hub",),
    ) -> None:
        """`command` stands in front of the hub's own, such as `taskset -c 0`.

        `program` is another module than the hub's, with arguments, that runs the hub's `serve` in its own way.
        """
        self.port, self.operator_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.log = folder / "hub.log"
        token = secrets.token_urlsafe(24)
        self.operator = Operator(f"http://127.0.0.1:{self.operator_port}", token)
        self._folder = folder
        self._command = [*command, sys.executable, "-m", *program, "serve"]
        self._environment = _environment(
            {
                "public_url": self.url,
                "port": str(self.port),
                "operator_port": str(self.operator_port),
                "operator_token": token,
                "secret_key": secrets.token_urlsafe(32),
                "database_url": f"sqlite+aiosqlite:///{folder}/hub.db",
                "log_format": "json",
                **(settings or {}),
            }
        )
        self._process: Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the hub."""
        if self._process is None:
            raise HubFailed("the hub is not running")
        return self._process.pid

    def start(self) -> None:
        """Start, or start again with the same data; returns when it is ready. Raises HubFailed."""
        with self.log.open("ab") as log:
            self._process = self._launch(log)
        deadline = time.monotonic() + START_WITHIN_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise HubFailed(f"the hub does not start: {self.last_words()}")
            time.sleep(0.02)

    def _launch(self, log: IO[bytes]) -> Running:
        return subprocess.Popen(  # noqa: S603 - our own command
            self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
        )

    def stop(self) -> int:
        """Ask it to end, and wait; returns the exit code. Raises HubFailed when it does not end."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise HubFailed(f"the hub does not end within {STOP_WITHIN_S} s: {self.last_words()}") from error

    def kill(self) -> None:
        """End it as `kill -9` does; returns when its workers have noticed and ended, too."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        deadline = time.monotonic() + STOP_WITHIN_S
        while self._is_listening() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _is_listening(self) -> bool:
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def calm(self) -> None:
        """Wait until it has next to nothing to do in the background, for some time at most."""
        deadline, before = time.monotonic() + _CALM_WITHIN_S, -_BUSY_TICKS
        while time.monotonic() < deadline:
            now = cpu_ticks(self.pid)
            if now - before < _BUSY_TICKS:
                return
            before = now
            time.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        """Stop it and the client of its operator API."""
        self.operator.api.close()
        self.stop()

    def last_words(self) -> str:
        """The end of its log, on one line."""
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])[-1500:]

    def _is_ready(self) -> bool:
        try:
            return self.operator.api.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


def cpu_ticks(pid: int) -> int:
    """CPU time of a process and its descendants so far, in ticks of the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return int(fields[11]) + int(fields[12]) + sum(cpu_ticks(int(child)) for child in children.split())


def _environment(settings: Mapping[str, str | None]) -> dict[str, str]:
    """This process's environment without settings of a hub, and with these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    given = {f"HUB_{name.upper()}": value for name, value in settings.items() if value is not None}
    path = os.pathsep.join(filter(None, (str(_PROJECT), os.environ.get("PYTHONPATH"))))
    return {**inherited, **given, "PYTHONPATH": path}
