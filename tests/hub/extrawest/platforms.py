"""One platform made of `extrawest_ocpi`, as a process in an environment of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json
from loadtests.simulator.messages import routing_headers
from loadtests.simulator.server import free_port
from routing.vocabulary import Party, Role, Version

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[2] / ".cache"
_START_WITHIN_S = 60.0


def environment() -> Path:
    """The interpreter of an environment with the library in it; made when it is needed for the first time."""
    requirements = _HERE / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = _CACHE / f"extrawest-{key}"
    if not folder.exists():
        _CACHE.mkdir(exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="extrawest-", dir=_CACHE))
        subprocess.run([sys.executable, "-m", "venv", made], check=True)
        pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", requirements], check=True)
        try:
            made.rename(folder)
        except OSError:  # another process of this test run was faster
            shutil.rmtree(made)
    return folder / "bin" / "python"


class Pushed(NamedTuple):
    """What came back for a push."""

    http_status: int
    answer: Json
    """The body of the answer; for a CDR the library gives its headers instead."""


class ExtrawestPlatform:
    """A party of this role on this version, with these objects to show and to push.

    `command_results` says what becomes of commands, by their names; of others ACCEPTED.
    """

    def __init__(
        self,
        folder: Path,
        party: Party,
        role: Role,
        version: Version,
        objects: Json,
        command_results: Mapping[str, str] | None = None,
    ) -> None:
        self.party, self.role, self.version = party, role, version
        self.token_a = secrets.token_urlsafe(24)
        self._token_c = secrets.token_urlsafe(24)
        self._port = free_port()
        self._folder = folder
        self._objects = objects
        self._command_results = dict(command_results or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [environment(), _HERE / "launcher.py"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self._variables(), cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"extrawest_ocpi does not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    @property
    def versions_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/ocpi/versions"

    @property
    def stored(self) -> Json:
        """What it has in its store: `objects` by module and id, and `registration`."""
        content: Json = json.loads((self._folder / "store.json").read_text())
        return content

    def push(self, hub: HubProcess, module: str, object_id: str, to: Party) -> Pushed:
        """Let it push one of its objects through the hub; returns how that went."""
        receiver = {
            "endpoints_url": f"{hub.url}/ocpi/{self.version}",
            "auth_token": self.stored["registration"]["credentials"]["token"],
        }
        content = {"module_id": module, "object_id": object_id, "receivers": [receiver]}
        pushed = self._ask("POST", f"/push/{self.version}", to, json=content)
        assert "receiver_responses" in pushed, (pushed, self._log.read_text()[-2000:])
        [answer] = pushed["receiver_responses"]
        return Pushed(answer["status_code"], answer["response"])

    def pull(self, module: str, url: str, to: Party) -> list[Json]:
        """Let it read a list of another party through the hub; returns what it understands of it."""
        found = self._ask("GET", f"/pull/{module}", to, params={"url": url})
        assert isinstance(found, list), (found, self._log.read_text()[-2000:])
        return found

    def _ask(self, method: str, path: str, to: Party, **request: Any) -> Any:  # noqa: ANN401 - httpx's own arguments, any JSON
        response = httpx.request(
            method,
            f"http://127.0.0.1:{self._port}{path}",
            headers={"authorization": self._authorization, **dict(routing_headers(to, self.party))},
            trust_env=False,
            timeout=30,
            **request,
        )
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def _authorization(self) -> str:
        if self.version is Version.V2_1_1:
            return f"Token {self._token_c}"
        return f"Token {base64.b64encode(self._token_c.encode()).decode()}"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _variables(self) -> dict[str, str]:
        config = {
            "port": self._port,
            "version": self.version.value,
            "role": self.role.value,
            "token_a": self.token_a,
            "credentials": self._credentials(),
            "objects": self._objects,
            "command_results": self._command_results,
            "store": str(self._folder / "store.json"),
        }
        own = {
            "EXTRAWEST": json.dumps(config),
            "ENVIRONMENT": "testing",
            "PROTOCOL": "http",
            "OCPI_HOST": f"127.0.0.1:{self._port}",
            # It joins the endpoint and this without a slash, as if every endpoint ended in one.
            "COUNTRY_CODE": f"/{self.party.country_code}",
            "PARTY_ID": self.party.party_id,
        }
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        return kept | own

    def _credentials(self) -> Json:
        named: dict[str, Any] = {
            "country_code": self.party.country_code,
            "party_id": self.party.party_id,
            "business_details": {"name": "Extrawest"},
        }
        common = {"token": self._token_c, "url": self.versions_url}
        if self.version is Version.V2_1_1:
            return common | named
        return common | {"roles": [named | {"role": self.role.value}]}

    def _answers(self) -> bool:
        try:
            httpx.get(self.versions_url, trust_env=False)
        except httpx.TransportError:
            return False
        return True


def connect(hub: HubProcess, platform: ExtrawestPlatform, face: Role | None = None) -> str:
    """Let the hub register at the platform, and return the platform's id."""
    invitation = hub.operator.invite(f"Extrawest {platform.role}", face=face)
    body = {"versions_url": platform.versions_url, "token_a": platform.token_a}
    connected = hub.operator.ask("POST", f"/api/v1/platforms/{invitation.platform_id}/connect", json=body)
    assert (connected["status"], connected["version"]) == ("CONNECTED", platform.version)
    return invitation.platform_id
