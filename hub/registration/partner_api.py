"""The configuration modules of a partner, as the hub calls them. OCPI 2.2.1, "Versions" and "Credentials"."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from hub.ids import new_ids
from hub.partners.client import CallLimits, PartnerClient
from hub.partners.urls import check_partner_url
from hub.plain_text import readable
from hub.registration.causes import PartnerAnswered
from hub.registration.steps import Progress
from hub.registration.terms import Terms
from hub.store.records import LearnedEncoding, PartnerEndpoint
from hub.store.registration_steps import Step, StepFacts
from routing.authorization import Spelling, authorization_value, spellings
from routing.bodies import without_bom
from routing.dialects import DIALECTS
from routing.directory import EndpointKey
from routing.envelope import SUCCESS, read_envelope
from routing.errors import CannotUsePartnerAPI, InvalidParameters, RegistrationError, RoutingError
from routing.message import Call, Reply, id_headers
from routing.versions import check_endpoints, choose_version, read_endpoints, read_versions
from routing.vocabulary import Secret, Version

MAX_ANSWER_BYTES: Final = 1024 * 1024
_JSON: Final = (b"content-type", b"application/json")
_OK: Final = frozenset({200, 201})
_UNAUTHORIZED: Final = 401
_METHOD_NOT_ALLOWED: Final = 405


class PartnerRefused(RegistrationError):
    """The partner did not do what the hub asked; the text tells the operator why."""


class Discovery(Struct, frozen=True):
    """What a partner's versions and details say."""

    version: Version
    endpoints: dict[EndpointKey, str]
    learned: LearnedEncoding | None

    def as_records(self) -> tuple[PartnerEndpoint, ...]:
        """The endpoints as the store keeps them."""
        return tuple(PartnerEndpoint(module, interface, url) for (module, interface), url in self.endpoints.items())


class PartnerAPI:
    """Calls one partner with one token in the course of one exchange of credentials.

    Every URL a partner names is checked before a token goes there, and used exactly as it wrote it.
    """

    def __init__(
        self, partners: PartnerClient, terms: Terms, token: Secret, limits: CallLimits, own_origin: str
    ) -> None:
        self._partners = partners
        self._terms = terms
        self._token = token
        self._limits = limits
        self._own_origin = own_origin
        self._learned = terms.learned

    async def discover(self, versions_url: str, progress: Progress) -> Discovery:
        """Find the newest version of the terms that the partner has too, and its endpoints there.

        Raises:
            CannotUsePartnerAPI: a call failed, or its answer is not what OCPI says.
            NoCommonVersion: the partner does not have any of these versions.
            MissingEndpoints: it lacks an endpoint that is needed.
        """
        progress.tries(Step.PARTNER_VERSIONS, StepFacts(url=versions_url))
        listed = await self._versions(versions_url)
        version = choose_version(listed, self._terms.versions)
        progress.tries(Step.PARTNER_DETAILS, StepFacts(version=version, url=listed[version]))
        reply = await self._get(listed[version], "version details URL", self._spelling(version))
        details = _data(reply, "GET of the version details URL")
        custom = self._terms.quirks.custom_modules
        endpoints = read_endpoints(details, DIALECTS[version], self._terms.face, custom)
        for url in endpoints.values():
            self._check_url(url)
        check_endpoints(endpoints, self._terms.require_modules)
        return Discovery(version, endpoints, self._learned)

    async def exchange(self, method: str, url: str, version: Version, credentials: dict[str, Any]) -> bytes:
        """POST or PUT the hub's credentials; returns the partner's.

        Raises:
            PartnerRefused: the answer is anything but success.
            ReceiverTimeout: sent, and no complete answer in time.
            ReceiverUnreachable, NotRoutable: no connection, or an unreadable answer.
            CannotUsePartnerAPI: the URL is not one the hub may call.
        """
        reply = await self._send(method, url, self._spelling(version), msgspec.json.encode(credentials))
        if reply.http_status == _METHOD_NOT_ALLOWED:
            known = "is registered there already" if method == "POST" else "is not registered there"
            raise PartnerRefused(
                f"The partner answered {method} credentials with HTTP 405: to it, this hub {known}. "
                "Agree on a new registration with it, which takes a new TOKEN_A"
            )
        try:
            return bytes(_data(reply, f"{method} credentials"))
        except CannotUsePartnerAPI as error:
            said = _said(reply, [self._token.reveal(), str(credentials["token"])])
            raise PartnerRefused(f"{error}{said}") from error

    async def leave(self, url: str, version: Version) -> Reply:
        """DELETE the hub's credentials there. Whatever the partner answers is an answer.

        Raises:
            ReceiverTimeout, ReceiverUnreachable, NotRoutable: there is none.
            CannotUsePartnerAPI: the URL is not one the hub may call.
        """
        return await self._send("DELETE", url, self._spelling(version), None)

    async def _versions(self, url: str) -> dict[Version, str]:
        """The versions list. When the token is refused, its other spelling gets one chance."""
        first, *others = self._spellings(max(self._terms.versions, key=lambda version: DIALECTS[version].order))
        reply = await self._get(url, "versions URL", first)
        if reply.http_status == _UNAUTHORIZED and others:
            reply = await self._get(url, "versions URL", others[0])
            if reply.http_status != _UNAUTHORIZED:
                self._learned = others[0]
        return read_versions(_data(reply, "GET of the versions URL"))

    async def _get(self, url: str, what: str, spelling: Spelling) -> Reply:
        try:
            return await self._send("GET", url, spelling, None)
        except RoutingError as error:
            raise CannotUsePartnerAPI(f"The {what} cannot be used: {error}") from error

    async def _send(self, method: str, url: str, spelling: Spelling, body: bytes | None) -> Reply:
        self._check_url(url)
        value = authorization_value(self._token, spelling).reveal().encode("ascii")
        headers = [(b"authorization", value), *id_headers(new_ids())]
        if body is not None:
            headers.append(_JSON)
        return await self._partners.call(Call(method, url, headers, body), self._limits)

    def _check_url(self, url: str) -> None:
        try:
            check_partner_url(url, allow_private=self._limits.allow_private, own_origins=(self._own_origin,))
        except InvalidParameters as error:
            raise CannotUsePartnerAPI(f"A URL of the partner cannot be used: {error}") from error

    def _spelling(self, version: Version) -> Spelling:
        return self._spellings(version)[0]

    def _spellings(self, version: Version) -> tuple[Spelling, ...]:
        return spellings(DIALECTS[version], self._terms.quirks.auth_encoding, self._learned)


def _data(reply: Reply, what: str) -> Raw:
    """The data of a successful answer.

    Raises:
        CannotUsePartnerAPI: it is anything else.
    """
    if reply.http_status not in _OK:
        raise PartnerAnswered(f"The {what} was answered with HTTP {reply.http_status}", reply.http_status)
    head = read_envelope(without_bom(reply.body))
    if head is None:
        text = f"The {what} was answered with something that is no OCPI envelope"
        raise PartnerAnswered(text, reply.http_status)
    if head.status_code // 1000 != SUCCESS // 1000:
        text = f"The {what} was answered with status code {head.status_code}"
        raise PartnerAnswered(text, reply.http_status, head.status_code)
    return head.data


def _said(reply: Reply, tokens: Collection[str]) -> str:
    """What the partner gave as its reason, for the operator: cut, and without the tokens it may have repeated."""
    head = read_envelope(without_bom(reply.body))
    text = head.status_message if head is not None else None
    for token in tokens:
        text = text and text.replace(token, "***")
    return f": {readable(text)}" if text else ""
