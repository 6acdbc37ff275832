"""The hub as initiator: it registers at partners. OCPI 2.2.1, "Credentials", Use cases."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec import Struct

from hub.events import EventKind
from hub.observability import FilteringBoundLogger
from hub.registration.hub_side import HubSide, named
from hub.registration.partner_api import Discovery, PartnerAPI, PartnerRefused
from hub.registration.steps import Progress, unnoted
from hub.registration.terms import Terms, terms_of, terms_to_connect
from hub.store.records import ConnectionRecord, PlatformRecord
from hub.store.registration_steps import Begun, Step, StepFacts
from hub.store.vault import VaultError
from routing.credentials import checked_token, mark_of_roles, read_credentials
from routing.dialects import DIALECTS, CredentialsShape
from routing.errors import HubError, InvalidParameters, ReceiverTimeout, RoutingError
from routing.versions import CREDENTIALS, offered_versions
from routing.vocabulary import ConnectionStatus, Party, Secret, Version

log: FilteringBoundLogger = structlog.get_logger()

GRACE_S: Final = 300.0
"""How long TOKEN_B still opens versions, details and credentials to a partner that did not answer in time: it
may have accepted, and be about to look."""

REFRESH_GRACE_S: Final = 60.0
"""How long a partner that was told other roles may go on with its former token: requests are in flight."""
TOKENS_LAST: Final = timedelta(days=30)
"""The advice is to renew tokens at least once a month ("Updating the credentials and resetting the token")."""
_AT_ONCE: Final = 100
_LAST_S: Final = 4.0
"""How long the end of this process waits for an exchange under way."""


class Initiator:
    """Registers the hub at platforms, keeps that up to date, and takes platforms out again: calls their endpoints.

    Nothing is stored of an exchange that fails, and only the exchange itself waits for the partner.

    When the hub's own endpoints for a partner change, by a new release or another public URL or a custom module,
    `rotate_due` tells the partner so.
    """

    def __init__(self, side: HubSide) -> None:
        self._side = side
        self._initiating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def connect(self, platform_id: str, versions_url: str, token_a: Secret) -> PlatformRecord:
        """Register the hub at a partner: versions, choice of version, details, POST credentials.

        Raises:
            InvalidParameters: the URL is not one the hub may call, or the token cannot be one.
            AlreadyRegistered: the platform has its connection, and is not invited to a second one.
            RegistrationError: the partner refused, or cannot be used; `PartnerRefused` after the POST was sent.
            HubFault: the store cannot be used now.
        """
        async with self._initiating[platform_id]:
            record = await self._side.platforms.get(platform_id)
            terms, parties = terms_to_connect(record)
            self._side.check_url(versions_url)
            api = self._side.api(terms, checked_token(token_a), self._side.settings.forward_timeout_s)
            progress = self._progress(record)
            with self._side.noted(record, "by the hub, for POST credentials", progress), progress.watched():
                found = await api.discover(versions_url, progress)
                introduction = _Introduction("POST", api, found, terms, record, versions_url, None, parties, progress)
                record = await _to_its_end(self._introduce(introduction))
            return await self._named_to_hub(record)

    async def _named_to_hub(self, record: PlatformRecord) -> PlatformRecord:
        """Tell a hub who is behind this one, in the versions where its credentials do: PUT them.

        The POST named nobody: who may be known to a party is not decided before the party is known.
        """
        connection = record.connections[0]
        if not record.is_hub or DIALECTS[connection.version].credentials is not CredentialsShape.HUB_PARTY:
            return record
        try:
            return await self._rotate(record, connection, connection.version, unnoted())
        except HubError as error:  # the hub is registered; the next rotation names them
            log.warning("parties_not_named_to_hub", **named(record), reason=str(error))
            return await self._side.platforms.get(record.id)

    async def rotate(self, platform_id: str, version: Version | None = None) -> PlatformRecord:
        """Give the partner a fresh token for each connection, and look at its endpoints again: PUT credentials.

        With a version, switch to it. Until the partner has answered the present tokens stay valid both ways.

        Raises:
            InvalidParameters: the platform is not registered, or cannot have this version.
            RegistrationError: the partner refused, or cannot be used. That it knows nothing of a registration is
                reported and not healed with a POST, which would take a TOKEN_A.
            HubFault: the store cannot be used now.
        """
        async with self._initiating[platform_id]:
            record = await self._side.platforms.get(platform_id)
            if not record.connections:
                raise InvalidParameters("This platform is not registered; there is no token to replace")
            for connection in record.connections:
                progress = self._progress(record)
                with self._side.noted(record, "by the hub, for PUT credentials", progress), progress.watched():
                    record = await self._rotate(record, connection, version or connection.version, progress)
            return record

    async def refresh_roles(self, platform_id: str, connection_id: str) -> bool:
        """Name whom the hub reaches to a partner that was told otherwise: PUT credentials. Whether it was needed.

        The partner's old token counts for `REFRESH_GRACE_S` seconds more: it did not ask for another.

        Raises:
            RegistrationError: the partner refused, or cannot be used; all stays as it was.
            HubFault: the store cannot be used now, or the tokens are being replaced already.
        """
        async with self._initiating[platform_id]:
            record = await self._side.platforms.get(platform_id)
            connection = record.connection(connection_id)
            if connection is None:
                return False
            now = await asyncio.to_thread(self._side.credentials_for, platform_id, connection.version, Secret(""))
            mark = mark_of_roles(now)
            if mark is None or mark == await self._side.platforms.told_roles(connection_id):
                return False
            await self._rotate(record, connection, connection.version, unnoted(), grace_s=REFRESH_GRACE_S)
            return True

    def _progress(self, record: PlatformRecord) -> Progress:
        return Progress(self._side.steps, record.id, Begun.HUB)

    async def _rotate(
        self,
        record: PlatformRecord,
        connection: ConnectionRecord,
        version: Version,
        progress: Progress,
        *,
        grace_s: float = 0.0,
    ) -> PlatformRecord:
        if version not in offered_versions(connection.face_in_2_1_1):
            raise InvalidParameters(f"OCPI {version} takes an invitation that says which role the partner has")
        terms = terms_of(record, connection, (version,))
        api = self._side.api(terms, self._our_token(connection), self._side.settings.forward_timeout_s)
        found = await api.discover(connection.versions_url, progress)
        url = connection.versions_url
        introduction = _Introduction("PUT", api, found, terms, record, url, connection.id, (), progress, grace_s)
        return await _to_its_end(self._introduce(introduction))

    async def _introduce(self, to: _Introduction) -> PlatformRecord:
        """Send the hub's credentials with a fresh token, which already opens what the partner looks at meanwhile."""
        handshake_id, token = await self._side.platforms.open_handshake(
            to.record.id, face=to.terms.face, connection_id=to.connection_id
        )
        try:
            record = await self._exchange(to, handshake_id, token)
        except BaseException as error:
            grace_s = GRACE_S if isinstance(error, ReceiverTimeout) else 0.0
            await self._side.platforms.abandon_handshake(handshake_id, grace_s=grace_s)
            log.warning("partner_refused_registration", **named(to.record), method=to.method, reason=str(error))
            if isinstance(error, RoutingError):
                raise PartnerRefused(f"{to.method} credentials: {error}") from error
            raise
        log.info("partner_registered_hub", **named(record), method=to.method, version=to.found.version)
        return record

    async def _exchange(self, to: _Introduction, handshake_id: str, token: Secret) -> PlatformRecord:
        version, url = to.found.version, to.found.endpoints[CREDENTIALS]
        to.progress.tries(Step.CREDENTIALS_SENT, StepFacts(version=version, method=to.method, url=url))
        ours = await asyncio.to_thread(self._side.credentials_for, to.record.id, version, token)
        answer = await to.api.exchange(to.method, url, version, ours)
        try:
            theirs = read_credentials(answer, DIALECTS[version], to.terms.face)
        except HubError as error:
            raise PartnerRefused(f"The partner's answer is no Credentials object: {error}") from error
        to.progress.tries(Step.CONNECTED, StepFacts(version=version))
        try:
            self._side.check_claims(theirs, to.record, to.parties)
            # The URL that has just been used is known to work; what the answer names need not be.
            registration = self._side.registration(theirs, to.versions_url, to.found, to.terms)
            record = await self._side.platforms.close_handshake(handshake_id, registration, grace_s=to.grace_s)
        except HubError as error:
            await self._take_back(to, theirs.token)
            if isinstance(error, InvalidParameters):
                raise PartnerRefused(f"The partner's credentials cannot be accepted: {error}") from error
            raise
        await self._side.note_told(token, ours)
        return record

    async def _take_back(self, to: _Introduction, token: Secret) -> None:
        """Undo a POST whose answer cannot be accepted, so that the partner does not believe in a registration."""
        if to.method == "POST":
            api = self._side.api(to.terms, token, self._side.settings.connect_timeout_s)
            await self._say_goodbye(api, to.found.endpoints[CREDENTIALS], to.found.version, to.record)

    async def rotate_due(self, now: datetime) -> None:
        """Rotate the tokens of every connected platform that is due for it.

        A platform is due when it has had its tokens for a month, and when it knows other endpoints of the hub than
        there are now: PUT credentials is the only way to tell it so ("Credentials", Changing endpoints for the
        current version).

        To be called now and then. A partner is asked only when it answers a look at its versions; one that is down
        or refuses keeps its tokens, and is asked again the next time. Several processes may be at it at once: the
        store lets only one exchange with a partner be under way.

        Raises:
            HubFault: the store cannot be used now.
        """
        async for record in self._everybody():
            # The list may be old by now, and another process may have been here.
            if self._is_due(record, now) and self._is_due(await self._side.platforms.get(record.id), now):
                try:
                    await self.rotate(record.id)
                except HubError as error:
                    log.warning("rotation_failed", **named(record), reason=str(error))

    async def remove(self, platform_id: str) -> None:
        """Take a platform out of the hub, then tell the partner so: DELETE credentials.

        The hub forgets it first, so that nothing the partner does or fails to do can keep it.

        Raises:
            HubFault: the store cannot be used now, and nothing has changed.
        """
        async with self._initiating[platform_id]:
            record = await self._side.platforms.get(platform_id)
            farewells = list(self._farewells(record))
            await self._side.platforms.remove(platform_id)
            log.info("platform_removed", **named(record))
            self._side.events.over(EventKind.REGISTRATION_FAILING, platform_id=platform_id)
            await asyncio.gather(*(self._say_goodbye(*farewell) for farewell in farewells))

    def _farewells(self, record: PlatformRecord) -> Iterator[tuple[PartnerAPI, str, Version, PlatformRecord]]:
        for connection in record.connections:
            try:
                token = self._our_token(connection)
            except VaultError as error:
                log.warning("partner_not_told_of_removal", **named(record), reason=str(error))
                continue
            api = self._side.api(
                terms_of(record, connection, (connection.version,)), token, self._side.settings.connect_timeout_s
            )
            for each in connection.endpoints:
                if (each.module, each.interface) == CREDENTIALS:
                    yield api, each.url, connection.version, record

    async def _say_goodbye(self, api: PartnerAPI, url: str, version: Version, record: PlatformRecord) -> None:
        try:
            reply = await api.leave(url, version)
        except HubError as error:
            log.warning("partner_not_told_of_removal", **named(record), reason=str(error))
        else:
            log.info("partner_told_of_removal", **named(record), http_status=reply.http_status)

    async def _everybody(self) -> AsyncIterator[PlatformRecord]:
        cursor = None
        while True:
            page = await self._side.platforms.list(limit=_AT_ONCE, cursor=cursor)
            for record in page.items:
                yield record
            cursor = page.next_cursor
            if cursor is None:
                return

    def _is_due(self, record: PlatformRecord, now: datetime) -> bool:
        """Whether a connection has old tokens, or its partner has not been told of the hub's present endpoints."""
        return record.status is ConnectionStatus.CONNECTED and any(
            now - each.tokens_since >= TOKENS_LAST
            or each.shown != self._side.shown(each.version, each.face, record.quirks, is_hub=record.is_hub)
            for each in record.connections
        )

    def _our_token(self, connection: ConnectionRecord) -> Secret:
        return self._side.vault.unseal(connection.our_token, connection.id)


class _Introduction(Struct, frozen=True):
    """One POST or PUT of the hub's credentials, prepared."""

    method: str
    api: PartnerAPI
    found: Discovery
    terms: Terms
    record: PlatformRecord
    versions_url: str
    connection_id: str | None
    parties: tuple[Party, ...]
    """The parties that may be named in the answer; any when empty."""
    progress: Progress
    grace_s: float = 0.0
    """How long the partner's former token counts, once it has accepted."""


async def _to_its_end(introducing: Coroutine[Any, Any, PlatformRecord]) -> PlatformRecord:
    """Finish an exchange although whoever waits for it gives up: the partner may have its new tokens already."""
    task = asyncio.ensure_future(introducing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_LAST_S)
        raise
