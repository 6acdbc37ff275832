"""The hub as receiver: partners register here. OCPI 2.2.1, "Credentials", Use cases."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from hub.observability import FilteringBoundLogger
from hub.registration.hub_side import HubSide, named
from hub.registration.steps import Progress
from hub.registration.terms import Terms, only, terms_of
from hub.store.records import ConnectionRecord, PlatformRecord, Registration
from hub.store.registration_steps import Begun, Step, StepFacts
from routing.credentials import read_credentials
from routing.dialects import DIALECTS
from routing.directory import Invited, Registered
from routing.errors import CannotUsePartnerAPI, Unauthorized
from routing.versions import versions_for
from routing.vocabulary import Party, Secret, Version

log: FilteringBoundLogger = structlog.get_logger()

CALLBACKS_WITHIN_S: Final = 25.0
"""Everything the hub asks of a partner while that waits for the answer to its POST or PUT."""


class Registrar:
    """Registers platforms that ask for it, and lets them go: serves the hub's credentials endpoint.

    Nothing is stored of an exchange that fails, and only the exchange itself waits for the partner.
    """

    def __init__(self, side: HubSide, *, callbacks_within_s: float = CALLBACKS_WITHIN_S) -> None:
        self._side = side
        self._callbacks_within_s = callbacks_within_s

    async def show(self, platform_id: str, version: Version, token: Secret) -> dict[str, Any]:
        """The hub's Credentials object, for an answer: the partner is told the roles in it."""
        credentials = self._side.credentials_for(platform_id, version, token)
        await self._side.note_told(token, credentials)
        return credentials

    async def register(self, caller: Invited, version: Version, body: bytes) -> dict[str, Any]:
        """POST credentials with a TOKEN_A: look at the partner, store it, and answer with its TOKEN_C.

        Raises:
            UnreadableBody, InvalidParameters: the body, or what it claims, is not acceptable.
            RegistrationError: the partner's versions or details are not.
            AlreadyRegistered: another POST with this TOKEN_A was faster.
            HubFault: the store cannot be used now.
        """
        invitation = caller.invitation
        record = await self._side.platforms.get(invitation.platform_id)
        with self._progress(record).watched() as progress:
            progress.tries(Step.CREDENTIALS_RECEIVED, StepFacts(method="POST", version=version))
            terms = Terms(
                platform_id=record.id,
                versions=only(versions_for(caller), version),
                face=invitation.face,
                quirks=record.quirks,
                require_modules=invitation.require_modules,
            )
            registration = await self._look_at(body, version, terms, record, invitation.parties, progress)
            progress.tries(Step.CONNECTED, StepFacts(version=version))
            token = await self._side.platforms.register(invitation, registration)
        log.info("platform_registered", **named(record), version=version, parties=_parties(registration))
        return await self.show(record.id, version, token)

    async def update(self, caller: Registered, version: Version, body: bytes) -> dict[str, Any]:
        """PUT credentials of a registered partner: look at it anew, and answer with a fresh token for it.

        Raises:
            UnreadableBody, InvalidParameters, RegistrationError, HubFault: as `register`; everything stays as it was.
        """
        record = await self._side.platforms.get(caller.platform.id)
        connection = _connection(record, caller.connection.id)
        with self._progress(record).watched() as progress:
            progress.tries(Step.CREDENTIALS_RECEIVED, StepFacts(method="PUT", version=version))
            terms = terms_of(record, connection, only(versions_for(caller), version))
            registration = await self._look_at(body, version, terms, record, (), progress)
            progress.tries(Step.CONNECTED, StepFacts(version=version))
            token = await self._side.platforms.reregister(connection.id, registration)
        log.info("platform_updated", **named(record), version=version, parties=_parties(registration))
        return await self.show(record.id, version, token)

    async def leave(self, caller: Registered) -> None:
        """DELETE credentials of a registered partner."""
        await self._side.platforms.leave(caller.connection.id)
        log.info("platform_left", platform_id=caller.platform.id, platform=caller.platform.name)

    def _progress(self, record: PlatformRecord) -> Progress:
        return Progress(self._side.steps, record.id, Begun.PARTNER)

    async def _look_at(
        self,
        body: bytes,
        version: Version,
        terms: Terms,
        record: PlatformRecord,
        allowed: tuple[Party, ...],
        progress: Progress,
    ) -> Registration:
        """What the partner says of itself, in the body and behind the URL that the body names."""
        with self._side.noted(record, "by the partner", progress):
            credentials = read_credentials(body, DIALECTS[version], terms.face)
            self._side.check_claims(credentials, record, allowed)
            progress.tries(Step.PARTNER_VERSIONS, StepFacts(url=credentials.versions_url))
            self._side.check_url(credentials.versions_url)
            api = self._side.api(terms, credentials.token, self._callbacks_within_s)
            try:
                async with asyncio.timeout(self._callbacks_within_s):
                    found = await api.discover(credentials.versions_url, progress)
            except TimeoutError as error:
                text = f"The versions and version details were not answered within {self._callbacks_within_s:g} seconds"
                raise CannotUsePartnerAPI(text) from error
            return self._side.registration(credentials, credentials.versions_url, found, terms)


def _connection(record: PlatformRecord, connection_id: str) -> ConnectionRecord:
    connection = record.connection(connection_id)
    if connection is None:
        raise Unauthorized  # it has left since this request was authenticated
    return connection


def _parties(registration: Registration) -> list[str]:
    return [str(each.party) for each in registration.parties]
