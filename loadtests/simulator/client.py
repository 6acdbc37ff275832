"""The partner's calls at the hub."""

from __future__ import annotations

import base64
import uuid
from collections import deque
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypedDict

import httpx
import msgspec
from msgspec import Struct

from loadtests.simulator.messages import Answer, HeaderLines, Headers, Json, Sent, header_lines, routing_headers
from loadtests.simulator.shapes import Modules
from routing.vocabulary import CONFIGURATION_MODULES, InterfaceRole, Party, Version

Endpoints: TypeAlias = Mapping[tuple[str, InterfaceRole | None], str]
"""URL of each (module, interface); the interface is None where the version has none."""


class HubConnection(Struct, frozen=True):
    """What a registered partner knows of its hub."""

    version: Version
    versions_url: str
    our_token: str
    endpoints: Endpoints
    credentials: Json
    """As the hub gave them."""

    def url(self, module: str, interface: InterfaceRole) -> str:
        """URL of one of the hub's endpoints.

        Raises:
            KeyError: the hub does not offer it.
        """
        for key in ((module, interface), (module, None), (module, InterfaceRole.SENDER)):
            if key in self.endpoints and (key[1] is not InterfaceRole.SENDER or key[1] is interface):
                return self.endpoints[key]
        raise KeyError(f"the hub offers no {module} {interface} in {self.version}")


class Options(TypedDict, total=False):
    """How a message differs from the usual one."""

    to: Party | None
    """OCPI-to; none unless given."""
    sender: Party | None
    """OCPI-from; the partner's first party unless given, none with None."""
    json: Any
    body: bytes
    """Sent as it is, instead of `json`."""
    params: Mapping[str, str]
    headers: Headers
    """Instead of the usual ones of the same name."""
    without: Collection[str]
    """Usual headers to leave out, in lower case."""
    interface: InterfaceRole
    """The hub's interface, where it is not the one opposite to the partner's own."""
    token: str
    """Presented instead of the partner's own."""
    version: Version
    """For the spelling of the token and whether there are routing headers, while not registered."""
    timeout_s: float


def authorization(token: str, version: Version, *, plain: bool = False) -> str:
    """OCPI 2.2.1, "Authorization header": Base64 from 2.2 on, the plain token in 2.1.1."""
    if plain or version is Version.V2_1_1:
        return f"Token {token}"
    return f"Token {base64.b64encode(token.encode()).decode()}"


class HubClient:
    """One partner's HTTP client."""

    def __init__(self, http: httpx.AsyncClient, *, remembers: int = 1000) -> None:
        """`http` may be shared, and is closed by its owner."""
        self._http = http
        self.sent: deque[Sent] = deque(maxlen=remembers)
        """The latest requests that were answered."""
        self.plain_tokens = False
        """Send every token as it is, also where the version wants Base64."""
        self.routing_headers_211 = False
        """Name sender and receiver also in 2.1.1, which does not know that."""

    async def call(self, method: str, url: str, version: Version, options: Options) -> Answer:
        """One request and its complete answer, whatever its status."""
        body = options.get("body")
        if body is None and "json" in options:
            body = msgspec.json.encode(options["json"])
        headers, begun = self._headers(version, body, options), datetime.now(UTC)
        response = await self._http.request(
            method,
            url,
            content=body,
            params=options.get("params"),
            headers=list(headers),
            timeout=options.get("timeout_s", 30),
        )
        answer = Answer(response.status_code, header_lines(response.headers.multi_items()), response.content)
        self.sent.append(
            Sent(method, str(response.url), headers, body or b"", begun, answer, answered_at=datetime.now(UTC))
        )
        return answer

    def _headers(self, version: Version, body: bytes | None, options: Options) -> HeaderLines:
        usual: HeaderLines = (
            ("x-request-id", str(uuid.uuid4())),
            ("x-correlation-id", str(uuid.uuid4())),
            ("authorization", authorization(options.get("token", ""), version, plain=self.plain_tokens)),
        )
        if body is not None:
            usual += (("content-type", "application/json"),)
        if version is not Version.V2_1_1 or self.routing_headers_211:
            usual += routing_headers(options.get("to"), options.get("sender"))
        given = header_lines(options.get("headers", ()))
        left_out = {name for name, _ in given} | set(options.get("without", ()))
        return tuple(line for line in usual if line[0] not in left_out) + given


def interface_for(method: str, module: str, ours: Modules) -> InterfaceRole:
    """The hub's interface this partner means: the one opposite to its own, else the one the method suits."""
    sides = {side for name, side in ours if name == module}
    if sides == {InterfaceRole.SENDER}:
        return InterfaceRole.RECEIVER
    if sides == {InterfaceRole.RECEIVER} or method == "GET" or module in CONFIGURATION_MODULES:
        return InterfaceRole.SENDER
    return InterfaceRole.RECEIVER
