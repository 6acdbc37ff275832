"""Both directions of the credentials exchange. OCPI 2.2.1, "Credentials", Use cases."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec import Struct

from hub.events import EventKind, Events
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits, PartnerClient
from hub.partners.urls import check_partner_url
from hub.registration.partner_api import MAX_ANSWER_BYTES, Discovery, PartnerAPI, PartnerRefused
from hub.registration.terms import Terms, only, terms_of, terms_to_connect
from hub.settings import Settings
from hub.store.live_directory import LiveDirectory
from hub.store.platforms import Platforms
from hub.store.records import ConnectionRecord, PlatformRecord, RegisteredParty, Registration
from hub.store.vault import Vault, VaultError
from routing.client_info import publishes_payments, visible_entries
from routing.credentials import (
    PartnerCredentials,
    check_parties,
    checked_token,
    hub_credentials,
    mark_of_roles,
    reachable_roles,
    read_credentials,
)
from routing.dialects import DIALECTS, CredentialsShape
from routing.directory import CredentialsRole, Invited, Registered
from routing.errors import (
    CannotUsePartnerAPI,
    HubError,
    HubFault,
    InvalidParameters,
    ReceiverTimeout,
    RoutingError,
    Unauthorized,
)
from routing.quirks import Quirks
from routing.versions import (
    CREDENTIALS,
    VERSIONS_PATH,
    mark_of_details,
    offered_versions,
    version_details,
    versions_for,
)
from routing.vocabulary import ConnectionStatus, Face, Party, Secret, Version

log: FilteringBoundLogger = structlog.get_logger()

CALLBACKS_WITHIN_S: Final = 25.0
"""Everything the hub asks of a partner while that waits for the answer to its POST or PUT."""
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


class Registrar:
    """Registers platforms, and takes them out again.

    As receiver: `register`, `update` and `leave` serve the hub's credentials endpoint. As initiator: `connect`,
    `rotate` and `remove` call the partner's. Nothing is stored of an exchange that fails, and only the exchange
    itself waits for the partner.

    When the hub's own endpoints for a partner change, by a new release or another public URL or a custom module,
    `rotate_due` tells the partner so.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        directory: LiveDirectory,
        platforms: Platforms,
        partners: PartnerClient,
        vault: Vault,
        events: Events,
        callbacks_within_s: float = CALLBACKS_WITHIN_S,
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._platforms = platforms
        self._partners = partners
        self._vault = vault
        self._events = events
        self._callbacks_within_s = callbacks_within_s
        self._initiating: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def credentials_for(self, platform_id: str, version: Version, token: Secret) -> dict[str, Any]:
        """The hub's Credentials object for this platform, with the token it is to use at the hub."""
        dialect, snapshot = DIALECTS[version], self._directory.snapshot
        viewer = snapshot.platform(platform_id)
        entries = visible_entries(snapshot, viewer)
        roles = reachable_roles(entries, dialect, payments=publishes_payments(viewer))
        settings = self._settings
        url = settings.public_url + VERSIONS_PATH
        return hub_credentials(dialect, token, url, settings.hub_party, settings.name, roles)

    async def show(self, platform_id: str, version: Version, token: Secret) -> dict[str, Any]:
        """The same, for an answer: the partner is told the roles in it."""
        credentials = self.credentials_for(platform_id, version, token)
        await self._note_told(token, credentials)
        return credentials

    async def _note_told(self, token: Secret, credentials: dict[str, Any]) -> None:
        """Note which roles a partner was told. When that fails, it is told the same again some time."""
        mark = mark_of_roles(credentials)
        if mark is None:
            return
        try:
            await self._platforms.note_told_roles(token, mark)
        except HubError as error:
            log.warning("told_roles_not_noted", reason=str(error))

    # --- as receiver

    async def register(self, caller: Invited, version: Version, body: bytes) -> dict[str, Any]:
        """POST credentials with a TOKEN_A: look at the partner, store it, and answer with its TOKEN_C.

        Raises:
            UnreadableBody, InvalidParameters: the body, or what it claims, is not acceptable.
            RegistrationError: the partner's versions or details are not.
            AlreadyRegistered: another POST with this TOKEN_A was faster.
            HubFault: the store cannot be used now.
        """
        invitation = caller.invitation
        record = await self._platforms.get(invitation.platform_id)
        terms = Terms(
            platform_id=record.id,
            versions=only(versions_for(caller), version),
            face=invitation.face,
            quirks=record.quirks,
            require_modules=invitation.require_modules,
        )
        registration = await self._look_at(body, version, terms, record, invitation.parties)
        token = await self._platforms.register(invitation, registration)
        log.info("platform_registered", **_named(record), version=version, parties=_parties(registration))
        return await self.show(record.id, version, token)

    async def update(self, caller: Registered, version: Version, body: bytes) -> dict[str, Any]:
        """PUT credentials of a registered partner: look at it anew, and answer with a fresh token for it.

        Raises:
            UnreadableBody, InvalidParameters, RegistrationError, HubFault: as `register`; everything stays as it was.
        """
        record = await self._platforms.get(caller.platform.id)
        connection = _connection(record, caller.connection.id)
        terms = terms_of(record, connection, only(versions_for(caller), version))
        registration = await self._look_at(body, version, terms, record, ())
        token = await self._platforms.reregister(connection.id, registration)
        log.info("platform_updated", **_named(record), version=version, parties=_parties(registration))
        return await self.show(record.id, version, token)

    async def leave(self, caller: Registered) -> None:
        """DELETE credentials of a registered partner."""
        await self._platforms.leave(caller.connection.id)
        log.info("platform_left", platform_id=caller.platform.id, platform=caller.platform.name)

    async def _look_at(
        self, body: bytes, version: Version, terms: Terms, record: PlatformRecord, allowed: tuple[Party, ...]
    ) -> Registration:
        """What the partner says of itself, in the body and behind the URL that the body names."""
        with self._noted(record, "by the partner"):
            credentials = read_credentials(body, DIALECTS[version], terms.face)
            self._check_claims(credentials, record, allowed)
            self._check_url(credentials.versions_url)
            api = self._api(terms, credentials.token, self._callbacks_within_s)
            try:
                async with asyncio.timeout(self._callbacks_within_s):
                    found = await api.discover(credentials.versions_url)
            except TimeoutError as error:
                text = f"The versions and version details were not answered within {self._callbacks_within_s:g} seconds"
                raise CannotUsePartnerAPI(text) from error
            return self._registration(credentials, credentials.versions_url, found, terms)

    @contextmanager
    def _noted(self, record: PlatformRecord, method: str) -> Iterator[None]:
        """Make it an event that a partner cannot be registered, and the end of that event that it can."""
        try:
            yield
        except HubFault:
            raise  # no fault of the partner's, and known otherwise
        except HubError as error:
            self._events.happened(
                EventKind.REGISTRATION_FAILING, platform_id=record.id, method=method, reason=str(error)
            )
            raise
        else:
            self._events.over(EventKind.REGISTRATION_FAILING, platform_id=record.id)

    # --- as initiator

    async def connect(self, platform_id: str, versions_url: str, token_a: Secret) -> PlatformRecord:
        """Register the hub at a partner: versions, choice of version, details, POST credentials.

        Raises:
            InvalidParameters: the URL is not one the hub may call, or the token cannot be one.
            AlreadyRegistered: the platform has its connection, and is not invited to a second one.
            RegistrationError: the partner refused, or cannot be used; `PartnerRefused` after the POST was sent.
            HubFault: the store cannot be used now.
        """
        async with self._initiating[platform_id]:
            record = await self._platforms.get(platform_id)
            terms, parties = terms_to_connect(record)
            self._check_url(versions_url)
            api = self._api(terms, checked_token(token_a), self._settings.forward_timeout_s)
            with self._noted(record, "POST credentials"):
                found = await api.discover(versions_url)
                introduction = _Introduction("POST", api, found, terms, record, versions_url, None, parties)
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
            return await self._rotate(record, connection, connection.version)
        except HubError as error:  # the hub is registered; the next rotation names them
            log.warning("parties_not_named_to_hub", **_named(record), reason=str(error))
            return await self._platforms.get(record.id)

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
            record = await self._platforms.get(platform_id)
            if not record.connections:
                raise InvalidParameters("This platform is not registered; there is no token to replace")
            for connection in record.connections:
                with self._noted(record, "PUT credentials"):
                    record = await self._rotate(record, connection, version or connection.version)
            return record

    async def refresh_roles(self, platform_id: str, connection_id: str) -> bool:
        """Name whom the hub reaches to a partner that was told otherwise: PUT credentials. Whether it was needed.

        The partner's old token counts for `REFRESH_GRACE_S` seconds more: it did not ask for another.

        Raises:
            RegistrationError: the partner refused, or cannot be used; all stays as it was.
            HubFault: the store cannot be used now, or the tokens are being replaced already.
        """
        async with self._initiating[platform_id]:
            record = await self._platforms.get(platform_id)
            connection = record.connection(connection_id)
            if connection is None:
                return False
            now = await asyncio.to_thread(self.credentials_for, platform_id, connection.version, Secret(""))
            mark = mark_of_roles(now)
            if mark is None or mark == await self._platforms.told_roles(connection_id):
                return False
            await self._rotate(record, connection, connection.version, grace_s=REFRESH_GRACE_S)
            return True

    async def _rotate(
        self, record: PlatformRecord, connection: ConnectionRecord, version: Version, *, grace_s: float = 0.0
    ) -> PlatformRecord:
        if version not in offered_versions(connection.face_in_2_1_1):
            raise InvalidParameters(f"OCPI {version} takes an invitation that says which role the partner has")
        terms = terms_of(record, connection, (version,))
        api = self._api(terms, self._our_token(connection), self._settings.forward_timeout_s)
        found = await api.discover(connection.versions_url)
        url = connection.versions_url
        introduction = _Introduction("PUT", api, found, terms, record, url, connection.id, (), grace_s)
        return await _to_its_end(self._introduce(introduction))

    async def _introduce(self, to: _Introduction) -> PlatformRecord:
        """Send the hub's credentials with a fresh token, which already opens what the partner looks at meanwhile."""
        handshake_id, token = await self._platforms.open_handshake(
            to.record.id, face=to.terms.face, connection_id=to.connection_id
        )
        try:
            record = await self._exchange(to, handshake_id, token)
        except BaseException as error:
            grace_s = GRACE_S if isinstance(error, ReceiverTimeout) else 0.0
            await self._platforms.abandon_handshake(handshake_id, grace_s=grace_s)
            log.warning("partner_refused_registration", **_named(to.record), method=to.method, reason=str(error))
            if isinstance(error, RoutingError):
                raise PartnerRefused(f"{to.method} credentials: {error}") from error
            raise
        log.info("partner_registered_hub", **_named(record), method=to.method, version=to.found.version)
        return record

    async def _exchange(self, to: _Introduction, handshake_id: str, token: Secret) -> PlatformRecord:
        version, url = to.found.version, to.found.endpoints[CREDENTIALS]
        ours = await asyncio.to_thread(self.credentials_for, to.record.id, version, token)
        answer = await to.api.exchange(to.method, url, version, ours)
        try:
            theirs = read_credentials(answer, DIALECTS[version], to.terms.face)
        except HubError as error:
            raise PartnerRefused(f"The partner's answer is no Credentials object: {error}") from error
        try:
            self._check_claims(theirs, to.record, to.parties)
            # The URL that has just been used is known to work; what the answer names need not be.
            registration = self._registration(theirs, to.versions_url, to.found, to.terms)
            record = await self._platforms.close_handshake(handshake_id, registration, grace_s=to.grace_s)
        except HubError as error:
            await self._take_back(to, theirs.token)
            if isinstance(error, InvalidParameters):
                raise PartnerRefused(f"The partner's credentials cannot be accepted: {error}") from error
            raise
        await self._note_told(token, ours)
        return record

    async def _take_back(self, to: _Introduction, token: Secret) -> None:
        """Undo a POST whose answer cannot be accepted, so that the partner does not believe in a registration."""
        if to.method == "POST":
            api = self._api(to.terms, token, self._settings.connect_timeout_s)
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
            if self._is_due(record, now) and self._is_due(await self._platforms.get(record.id), now):
                try:
                    await self.rotate(record.id)
                except HubError as error:
                    log.warning("rotation_failed", **_named(record), reason=str(error))

    async def remove(self, platform_id: str) -> None:
        """Take a platform out of the hub, then tell the partner so: DELETE credentials.

        The hub forgets it first, so that nothing the partner does or fails to do can keep it.

        Raises:
            HubFault: the store cannot be used now, and nothing has changed.
        """
        async with self._initiating[platform_id]:
            record = await self._platforms.get(platform_id)
            farewells = list(self._farewells(record))
            await self._platforms.remove(platform_id)
            log.info("platform_removed", **_named(record))
            self._events.over(EventKind.REGISTRATION_FAILING, platform_id=platform_id)
            await asyncio.gather(*(self._say_goodbye(*farewell) for farewell in farewells))

    def _farewells(self, record: PlatformRecord) -> Iterator[tuple[PartnerAPI, str, Version, PlatformRecord]]:
        for connection in record.connections:
            try:
                token = self._our_token(connection)
            except VaultError as error:
                log.warning("partner_not_told_of_removal", **_named(record), reason=str(error))
                continue
            api = self._api(
                terms_of(record, connection, (connection.version,)), token, self._settings.connect_timeout_s
            )
            for each in connection.endpoints:
                if (each.module, each.interface) == CREDENTIALS:
                    yield api, each.url, connection.version, record

    async def _say_goodbye(self, api: PartnerAPI, url: str, version: Version, record: PlatformRecord) -> None:
        try:
            reply = await api.leave(url, version)
        except HubError as error:
            log.warning("partner_not_told_of_removal", **_named(record), reason=str(error))
        else:
            log.info("partner_told_of_removal", **_named(record), http_status=reply.http_status)

    # --- both

    async def _everybody(self) -> AsyncIterator[PlatformRecord]:
        cursor = None
        while True:
            page = await self._platforms.list(limit=_AT_ONCE, cursor=cursor)
            for record in page.items:
                yield record
            cursor = page.next_cursor
            if cursor is None:
                return

    def _api(self, terms: Terms, token: Secret, within_s: float) -> PartnerAPI:
        settings = self._settings
        limits = CallLimits(
            total_s=within_s,
            connect_s=min(settings.connect_timeout_s, within_s),
            max_answer_bytes=MAX_ANSWER_BYTES,
            concurrency=terms.quirks.concurrency,
            platform_id=terms.platform_id,
            allow_private=settings.allow_private_partners,
        )
        return PartnerAPI(self._partners, terms, token, limits, settings.public_url)

    def _our_token(self, connection: ConnectionRecord) -> Secret:
        return self._vault.unseal(connection.our_token, connection.id)

    def _check_url(self, url: str) -> None:
        settings = self._settings
        check_partner_url(url, allow_private=settings.allow_private_partners, own_origins=(settings.public_url,))

    def _registration(
        self, credentials: PartnerCredentials, versions_url: str, found: Discovery, terms: Terms
    ) -> Registration:
        return Registration(
            version=found.version,
            face=terms.face,
            versions_url=versions_url,
            endpoints=found.as_records(),
            parties=_registered(credentials.parties),
            our_token=credentials.token,
            auth_encoding=found.learned,
            is_hub=credentials.is_hub,
            shown=self._shown(found.version, terms.face, terms.quirks, is_hub=credentials.is_hub),
            remote=None if credentials.remote is None else _registered(credentials.remote),
        )

    def _shown(self, version: Version, face: Face | None, quirks: Quirks, *, is_hub: bool) -> bytes:
        base, custom_modules = self._settings.public_url, quirks.custom_modules
        return mark_of_details(version_details(base, version, face, custom_modules, is_hub=is_hub))

    def _is_due(self, record: PlatformRecord, now: datetime) -> bool:
        """Whether a connection has old tokens, or its partner has not been told of the hub's present endpoints."""
        return record.status is ConnectionStatus.CONNECTED and any(
            now - each.tokens_since >= TOKENS_LAST
            or each.shown != self._shown(each.version, each.face, record.quirks, is_hub=record.is_hub)
            for each in record.connections
        )

    def _check_claims(self, theirs: PartnerCredentials, record: PlatformRecord, allowed: tuple[Party, ...]) -> None:
        check_parties(theirs, hub_party=self._settings.hub_party, allowed=allowed, allow_hub=record.allow_hub)


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


def _connection(record: PlatformRecord, connection_id: str) -> ConnectionRecord:
    connection = record.connection(connection_id)
    if connection is None:
        raise Unauthorized  # it has left since this request was authenticated
    return connection


def _named(record: PlatformRecord) -> dict[str, str]:
    return {"platform_id": record.id, "platform": record.name}


def _registered(parties: Mapping[Party, tuple[CredentialsRole, ...]]) -> tuple[RegisteredParty, ...]:
    return tuple(RegisteredParty(party, roles) for party, roles in parties.items())


def _parties(registration: Registration) -> list[str]:
    return [str(each.party) for each in registration.parties]
