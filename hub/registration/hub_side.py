"""The hub's side of an exchange of credentials, whoever begins it. OCPI 2.2.1, "Credentials", Use cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from hub.events import EventKind, Events
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits, PartnerClient
from hub.partners.urls import check_partner_url
from hub.registration.partner_api import MAX_ANSWER_BYTES, Discovery, PartnerAPI
from hub.registration.steps import Noting, Progress, Unnoted
from hub.registration.terms import Terms
from hub.settings import Settings
from hub.store.live_directory import LiveDirectory
from hub.store.platforms import Platforms
from hub.store.records import PlatformRecord, RegisteredParty, Registration
from hub.store.registration_steps import Step
from hub.store.vault import Vault
from routing.client_info import publishes_payments, visible_entries
from routing.credentials import PartnerCredentials, check_parties, hub_credentials, mark_of_roles, reachable_roles
from routing.dialects import DIALECTS
from routing.directory import CredentialsRole
from routing.errors import HubError, HubFault
from routing.quirks import Quirks
from routing.versions import VERSIONS_PATH, mark_of_details, version_details
from routing.vocabulary import Face, Party, Secret, Version

log: FilteringBoundLogger = structlog.get_logger()

_STEPS: Final = {
    Step.HUB_VERSIONS: "they read the hub's versions",
    Step.HUB_DETAILS: "they read the hub's endpoints",
    Step.CREDENTIALS_RECEIVED: "the hub read the credentials they sent",
    Step.PARTNER_VERSIONS: "the hub read their versions",
    Step.PARTNER_DETAILS: "the hub read their endpoints",
    Step.CREDENTIALS_SENT: "the hub sent them its credentials",
    Step.CONNECTED: "the hub wanted to register what they said",
}
"""When it failed, in an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSide:
    """What the hub says of itself to a partner, and what it takes from one."""

    settings: Settings
    directory: LiveDirectory
    platforms: Platforms
    partners: PartnerClient
    vault: Vault
    events: Events
    steps: Noting = field(default_factory=Unnoted)
    """Where it is noted how an exchange gets along."""

    def credentials_for(self, platform_id: str, version: Version, token: Secret) -> dict[str, Any]:
        """The hub's Credentials object for this platform, with the token it is to use at the hub."""
        dialect, snapshot = DIALECTS[version], self.directory.snapshot
        viewer = snapshot.platform(platform_id)
        entries = visible_entries(snapshot, viewer)
        roles = reachable_roles(entries, dialect, payments=publishes_payments(viewer))
        settings = self.settings
        url = settings.public_url + VERSIONS_PATH
        return hub_credentials(dialect, token, url, settings.hub_party, settings.name, roles)

    async def note_told(self, token: Secret, credentials: dict[str, Any]) -> None:
        """Note which roles a partner was told. When that fails, it is told the same again some time."""
        mark = mark_of_roles(credentials)
        if mark is None:
            return
        try:
            await self.platforms.note_told_roles(token, mark)
        except HubError as error:
            log.warning("told_roles_not_noted", reason=str(error))

    @contextmanager
    def noted(self, record: PlatformRecord, method: str, progress: Progress) -> Iterator[None]:
        """Make it an event that a partner cannot be registered, and the end of that event that it can.

        `method` says who tries, and what for: it ends the words "last tried".
        """
        try:
            yield
        except HubFault:
            raise  # no fault of the partner's, and known otherwise
        except HubError as error:
            step = {} if progress.tried is None else {"step": _STEPS[progress.tried]}
            self.events.happened(
                EventKind.REGISTRATION_FAILING, platform_id=record.id, method=method, reason=str(error), **step
            )
            raise
        else:
            self.events.over(EventKind.REGISTRATION_FAILING, platform_id=record.id)

    def api(self, terms: Terms, token: Secret, within_s: float) -> PartnerAPI:
        """Calls the partner with this token, which may take so long."""
        settings = self.settings
        limits = CallLimits(
            total_s=within_s,
            connect_s=min(settings.connect_timeout_s, within_s),
            max_answer_bytes=MAX_ANSWER_BYTES,
            concurrency=terms.quirks.concurrency,
            platform_id=terms.platform_id,
            allow_private=settings.allow_private_partners,
        )
        return PartnerAPI(self.partners, terms, token, limits, settings.public_url)

    def check_url(self, url: str) -> None:
        """Refuse a URL that the hub may not call.

        Raises:
            InvalidParameters: it is one.
        """
        settings = self.settings
        check_partner_url(url, allow_private=settings.allow_private_partners, own_origins=(settings.public_url,))

    def registration(
        self, credentials: PartnerCredentials, versions_url: str, found: Discovery, terms: Terms
    ) -> Registration:
        """What the store keeps of a partner that said this, and was found to have that."""
        return Registration(
            version=found.version,
            face=terms.face,
            versions_url=versions_url,
            endpoints=found.as_records(),
            parties=_registered(credentials.parties),
            our_token=credentials.token,
            auth_encoding=found.learned,
            is_hub=credentials.is_hub,
            shown=self.shown(found.version, terms.face, terms.quirks, is_hub=credentials.is_hub),
            remote=None if credentials.remote is None else _registered(credentials.remote),
        )

    def shown(self, version: Version, face: Face | None, quirks: Quirks, *, is_hub: bool) -> bytes:
        """Mark of the version details the hub has for a partner now."""
        base, custom_modules = self.settings.public_url, quirks.custom_modules
        return mark_of_details(version_details(base, version, face, custom_modules, is_hub=is_hub))

    def check_claims(self, theirs: PartnerCredentials, record: PlatformRecord, allowed: tuple[Party, ...]) -> None:
        """Refuse credentials of parties that are not this platform's to claim.

        Raises:
            InvalidParameters: they are.
        """
        check_parties(theirs, hub_party=self.settings.hub_party, allowed=allowed, allow_hub=record.allow_hub)


def named(record: PlatformRecord) -> dict[str, str]:
    """Which platform it is, for the log."""
    return {"platform_id": record.id, "platform": record.name}


def _registered(parties: Mapping[Party, tuple[CredentialsRole, ...]]) -> tuple[RegisteredParty, ...]:
    return tuple(RegisteredParty(party, roles) for party, roles in parties.items())
