"""The operator API from the other end: what the command line calls."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from pydantic import Field

from hub.plain_text import readable
from hub.secret_files import read_secret_file
from hub.setting_types import SecretText
from hub.settings import VAR_DIR, Settings, SettingsError
from hub.version import VERSION
from routing.vocabulary import Secret

Json = dict[str, Any]

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a listener on all addresses is met
CLI_AGENT = "ocpi-hub-cli"
"""How the command line says that it is asking."""
_TIMEOUT_S = 90.0
"""Longer than a whole registration at a partner that answers slowly."""
_AGAIN_S = 1.0


class Refused(Exception):
    """It was not done. The message is one line: what is wrong, and what to do."""


def _operator_token() -> Secret:
    path = VAR_DIR / "operator-token"
    if not path.exists():
        raise SettingsError(
            f"HUB_OPERATOR_TOKEN is not set and there is no {path} in {Path.cwd()}; "
            "go where the hub was started, or set HUB_OPERATOR_TOKEN"
        )
    return Secret(read_secret_file(path, "HUB_OPERATOR_TOKEN"))


class ClientSettings(Settings):
    """The settings of the hub, as far as one needs them to talk to it. Nothing is generated."""

    # A factory with an argument is asked last, and only when every other setting is right.
    operator_token: SecretText = Field(default_factory=lambda _: _operator_token())
    secret_key: SecretText = Secret("never used by a client")

    @property
    def operator_url(self) -> str:
        """Where the operator listener is."""
        host = _ANYWHERE.get(self.operator_host, self.operator_host)
        return f"http://[{host}]:{self.operator_port}" if ":" in host else f"http://{host}:{self.operator_port}"


class OperatorClient:
    """Calls the operator API of one hub. `reason` is why, for the audit log."""

    def __init__(self, url: str, token: Secret, *, reason: str | None = None) -> None:
        self._url = url
        self._reason = {} if reason is None else {"reason": reason}
        self._http = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {token.reveal()}", "User-Agent": f"{CLI_AGENT}/{VERSION}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    def call(self, method: str, path: str, *, body: Json | None = None, query: Mapping[str, Any] | None = None) -> Json:
        """The answer to one call; empty when there is none.

        Raises:
            Refused: the hub refused, or there is no hub.
        """
        return self._read(self._asked(method, path, json=body, params=_said(query or {})))

    def download(self, path: str) -> bytes:
        """A file.

        Raises:
            Refused: as `call`.
        """
        response = self._asked("GET", path)
        if not response.is_success:
            self._read(response)
        return response.content

    def upload(self, path: str, content: bytes, media_type: str, query: Mapping[str, str]) -> Json:
        """The answer to a file.

        Raises:
            Refused: as `call`.
        """
        headers = {"Content-Type": media_type}
        return self._read(self._asked("POST", path, content=content, headers=headers, params=query))

    def _asked(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        if method != "GET":
            request["params"] = {**request.get("params", {}), **self._reason}
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: httpx.HTTPError) -> Refused:
        if isinstance(error, httpx.ConnectError):
            return Refused(
                f"no hub answers at {self._url}; start it with `ocpi-hub serve`, "
                "or set HUB_OPERATOR_HOST and HUB_OPERATOR_PORT"
            )
        return Refused(f"the hub at {self._url} did not complete its answer ({type(error).__name__}); see its log")

    def follow(self, path: str, query: Mapping[str, Any]) -> Generator[tuple[str, Json], None, None]:
        """Each event of a stream that does not end: its name, `message` where it has none, and its data.

        A stream that ended goes on where it was, also after a while without a hub.

        Raises:
            Refused: as `call`, at the beginning.
        """
        last_id, has_begun = None, False
        while True:
            headers = {"Accept": "text/event-stream"} | ({} if last_id is None else {"Last-Event-ID": last_id})
            try:
                with self._http.stream("GET", path, params=_said(query), headers=headers) as response:
                    if not response.is_success:
                        response.read()
                        self._read(response)
                    has_begun = True
                    for name, event_id, data in _events(response.iter_lines()):
                        last_id = event_id or last_id
                        yield name, data
            except httpx.HTTPError as error:
                if not has_begun:
                    raise self._no_answer(error) from error
            except Refused:
                if not has_begun:
                    raise
            time.sleep(_AGAIN_S)

    def pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Json]:
        """Every item of a list, from the first page to the last."""
        cursor = query.get("cursor")
        while True:
            page = self.call("GET", path, query={**query, "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def _read(self, response: httpx.Response) -> Json:
        if response.status_code == HTTPStatus.NO_CONTENT:
            return {}
        try:
            answer = response.json()
        except ValueError:
            answer = None
        is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
        if not isinstance(answer, dict) or response.is_success == is_problem:
            raise Refused(
                f"{self._url} answered {response.status_code} and is no operator listener of a hub; "
                "check HUB_OPERATOR_HOST and HUB_OPERATOR_PORT"
            )
        if response.is_success:
            return answer
        raise Refused(readable(str(answer.get("detail")), 1000))


def _said(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _events(lines: Iterable[str]) -> Iterator[tuple[str, str | None, Json]]:
    """The name, the id and the data of each event that has some. WHATWG HTML, "Interpreting an event stream"."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name] = value
        if not line:
            if "data" in fields:
                yield fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])
            fields = {}
