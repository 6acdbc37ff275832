"""The partner's side of versions and credentials: it registers itself, and it lets itself be registered.

OCPI 2.2.1, "Versions module" and "Credentials module".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Literal, TypeAlias

import httpx
import msgspec

from loadtests.simulator.client import Endpoints, HubClient, HubConnection
from loadtests.simulator.messages import Answer, Envelope, Json, Received, Sent, envelope
from loadtests.simulator.shapes import Modules, Roles, credentials_object, version_details, versions_list
from routing.vocabulary import InterfaceRole, Version

TokenSpelling: TypeAlias = Literal["by_version", "plain", "base64"]


class HubRefused(Exception):
    """The hub did not do what the partner asked; `answer` is what it said instead."""

    def __init__(self, step: str, answer: Answer) -> None:
        super().__init__(f"{step}: {_said(answer)}")
        self.answer = answer


def _said(answer: Answer) -> str:
    """The OCPI status and its message; of anything else, how it begins."""
    try:
        found = msgspec.json.decode(answer.body, type=Envelope)
    except msgspec.MsgspecError:
        return f"HTTP {answer.http_status} {answer.body[:200].decode(errors='replace')}".strip()
    return f"HTTP {answer.http_status}, {found.status_code} {found.status_message or ''}".strip()


class Identity:
    """Who the partner is and what it offers; may be changed, and told to the hub by `Registration.update`."""

    def __init__(
        self, name: str, parties: Roles, versions: tuple[Version, ...], modules: Callable[[], Modules]
    ) -> None:
        self.name = name
        self.parties = parties
        self.versions = versions
        self.modules = modules
        self.base = ""
        self.website = "https://example.org"
        self.trailing_slash = False
        """End every advertised endpoint URL in a slash."""


class Registration:
    """The tokens both ways, and how they come about."""

    def __init__(self, identity: Identity, client: HubClient) -> None:
        self.connection: HubConnection | None = None
        self.their_tokens: set[str] = set()
        """Tokens the hub may present on every module."""
        self.invitations: set[str] = set()
        """Tokens it may present on versions, details and credentials."""
        self.spelling: TokenSpelling = "by_version"
        """How the hub has to write its token."""
        self.grace_s = 0.0
        """For how long both tokens are good when a new one is agreed on: messages are under way with either."""
        self.handshake: list[Sent] = []
        """The requests of the latest introduction that we began and the hub took."""
        self._introducing = asyncio.Lock()
        self._identity = identity
        self._client = client

    # --- asking the hub

    async def register(self, versions_url: str, token_a: str, version: Version) -> Answer:
        """Register at a hub. Raises HubRefused, and leaves everything as it was."""
        return await self._introduce("POST", versions_url, token_a, version)

    async def update(self, version: Version) -> Answer:
        """Tell the hub our credentials anew, maybe on another version. Raises HubRefused."""
        hub = self._registered()
        return await self._introduce("PUT", hub.versions_url, hub.our_token, version)

    async def unregister(self) -> Answer:
        """Leave the hub. Raises HubRefused."""
        hub = self._registered()
        url = hub.url("credentials", InterfaceRole.SENDER)
        answer = await self._client.call("DELETE", url, hub.version, {"token": hub.our_token})
        _expect(answer, "DELETE credentials")
        self.forget()
        return answer

    async def has_replaced(self, token: str) -> bool:
        """Whether we have another token for the hub now than this; an introduction under way is waited for."""
        async with self._introducing:
            return self.connection is not None and self.connection.our_token != token

    def forget(self) -> None:
        """Behave as if never registered."""
        self.connection = None
        self.their_tokens = set()

    def credentials(self, version: Version, token: str) -> Json:
        """Our credentials object of this version."""
        identity = self._identity
        url = f"{identity.base}/versions"
        return credentials_object(version, token, url, identity.name, identity.parties, website=identity.website)

    async def _introduce(self, method: str, versions_url: str, token: str, version: Version) -> Answer:
        async with self._introducing:
            return await self._introduced(method, versions_url, token, version)

    async def _introduced(self, method: str, versions_url: str, token: str, version: Version) -> Answer:
        handshake: list[Sent] = []
        endpoints = await self._discover(versions_url, token, version, handshake)
        token_b = secrets.token_urlsafe(24)
        self.invitations.add(token_b)  # the hub calls back while its answer is pending
        before = self.their_tokens
        if self.grace_s:
            self.their_tokens = before | {token_b}
        try:
            url = next(url for (module, _), url in endpoints.items() if module == "credentials")
            credentials = self.credentials(version, token_b)
            answer = await self._client.call(method, url, version, {"token": token, "json": credentials})
            handshake.append(self._client.sent[-1])
            _expect(answer, f"{method} credentials")
        except BaseException:
            self.their_tokens = before
            raise
        finally:
            self.invitations.discard(token_b)
        if self.grace_s:
            asyncio.get_running_loop().call_later(self.grace_s, self._end, before)
        else:
            self.their_tokens = {token_b}
        self.connection = HubConnection(version, versions_url, answer.data["token"], endpoints, answer.data)
        self.handshake = handshake
        return answer

    def _end(self, tokens: AbstractSet[str]) -> None:
        self.their_tokens = self.their_tokens - tokens

    async def _discover(self, versions_url: str, token: str, version: Version, handshake: list[Sent]) -> Endpoints:
        """The hub's endpoints: its versions, then the details of ours. Adds both requests to the handshake."""
        answer = await self._client.call("GET", versions_url, version, {"token": token})
        handshake.append(self._client.sent[-1])
        _expect(answer, "GET versions")
        url = next((entry["url"] for entry in answer.data if entry["version"] == version), None)
        if url is None:
            raise HubRefused(f"no version {version}", answer)
        answer = await self._client.call("GET", url, version, {"token": token})
        handshake.append(self._client.sent[-1])
        _expect(answer, "GET version details")
        return {
            (entry["identifier"], InterfaceRole(entry["role"]) if "role" in entry else None): entry["url"]
            for entry in answer.data["endpoints"]
        }

    def _registered(self) -> HubConnection:
        if self.connection is None:
            raise RuntimeError(f"{self._identity.name} is not registered at a hub")
        return self.connection

    # --- being asked by the hub

    def admits(self, request: Received) -> bool:
        """Whether the request carries a token that is good for this module."""
        tokens = self.their_tokens
        if request.module in {"versions", "details", "credentials"}:
            tokens = tokens | self.invitations
        return self._token(request) in tokens

    async def answer(self, request: Received) -> Answer:
        """Versions, details and credentials."""
        identity, version = self._identity, request.place.version
        match request.module, request.method:
            case "versions", "GET":
                return envelope(versions_list(identity.base, identity.versions))
            case "details", "GET" if version in identity.versions:
                return envelope(
                    version_details(identity.base, version, identity.modules(), slash=identity.trailing_slash)
                )
            case "credentials", "GET" | "POST" | "PUT" | "DELETE" if version in identity.versions:
                return await self._credentials(request, version)
            case _:
                return envelope(status_code=2000, status_message="Not found", http_status=404)

    async def _credentials(self, request: Received, version: Version) -> Answer:
        token = self._token(request) or ""
        if request.method == "GET":
            return envelope(self.credentials(version, token))
        if (request.method == "POST") is (token in self.their_tokens):
            return envelope(status_code=2000, status_message="Method not allowed", http_status=405)
        if request.method == "DELETE":
            self.forget()
            return envelope()
        return await self._accept(request, version, token)

    async def _accept(self, request: Received, version: Version, token: str) -> Answer:
        """Take the credentials a hub gives us, look at its endpoints, and give it ours."""
        try:
            theirs: Json = request.json()
            endpoints = await self._discover(theirs["url"], theirs["token"], version, [])
        except (KeyError, msgspec.MsgspecError) as error:
            return envelope(status_code=2001, status_message=str(error))
        except (HubRefused, httpx.HTTPError) as error:
            return envelope(status_code=3001, status_message=str(error))
        self.invitations.discard(token)
        token_c = secrets.token_urlsafe(24)
        self.their_tokens = {token_c}
        self.connection = HubConnection(version, theirs["url"], theirs["token"], endpoints, theirs)
        return envelope(self.credentials(version, token_c))

    def _token(self, request: Received) -> str | None:
        """The token presented, if it is spelled as we want it."""
        scheme, _, value = (request.header("authorization") or "").partition(" ")
        if scheme != "Token":
            return None
        if self.spelling == "plain" or (self.spelling == "by_version" and request.place.version is Version.V2_1_1):
            return value
        decoded = _decoded(value)
        if self.spelling == "by_version" and request.module == "versions" and decoded is None:
            return value  # only the version of the endpoint called next would tell
        return decoded


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _expect(answer: Answer, step: str) -> None:
    """Raise HubRefused unless this is success."""
    try:
        if answer.http_status < 300 and answer.status_code == 1000:
            return
    except msgspec.MsgspecError:
        pass
    raise HubRefused(step, answer)
