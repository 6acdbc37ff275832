"""The store as one process of a hub has it, and what tests register in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from hub.store.agreements import KeptAgreements
from hub.store.database import Database
from hub.store.live_directory import LiveDirectory
from hub.store.migrations import migrate
from hub.store.parties import Parties
from hub.store.platforms import Platforms
from hub.store.records import PartnerEndpoint, RegisteredParty, Registration
from hub.store.redis import open_redis
from hub.store.return_addresses import ReturnAddresses
from hub.store.vault import Vault
from routing.agreements import AgreementRules
from routing.directory import Caller, CredentialsRole, Invitation, Invited, PartyDirectory, Registered
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, ModuleID, Party, Role, Secret, Version
from tests.conftest import StoreUrls

HUB = Party("EU", "HUB")
CPO = Party("NL", "CPO")
EMSP = Party("DE", "MSP")
KEY = Secret("the key of the tests")
OPEN = AgreementRules()

SOON_S = 3.0
"""How long a change may take to be known everywhere. The hub promises a second; a machine full of tests gets more."""
OUTAGE_S = 15.0
"""How long an outage, or its end, may take to be noticed by all."""


class Process(NamedTuple):
    """What one process has."""

    database: Database
    vault: Vault
    directory: LiveDirectory
    platforms: Platforms
    parties: Parties
    return_addresses: ReturnAddresses
    agreements: KeptAgreements

    @property
    def snapshot(self) -> PartyDirectory:
        return self.directory.snapshot

    def caller(self, token: Secret) -> Caller | None:
        """Who presents this token."""
        return self.snapshot.caller(self.vault.token_hash(token.reveal()))

    def invitation(self, token: Secret) -> Invitation:
        """The invitation of this TOKEN_A."""
        caller = self.caller(token)
        assert isinstance(caller, Invited)
        return caller.invitation

    def registered(self, token: Secret) -> Registered:
        """The registered platform that presents this token."""
        caller = self.caller(token)
        assert isinstance(caller, Registered)
        return caller

    def status(self, party: Party) -> ConnectionStatus | None:
        """The status of this party; none if it is not listed."""
        entry = self.snapshot.entry(party)
        return None if entry is None else entry.status

    async def connected(self, *parties: Party, role: Role = Role.CPO, name: str = "A partner") -> Secret:
        """Invite and register a platform with these parties; returns the token it uses."""
        _, token_a = await self.platforms.create(name)
        return await self.platforms.register(self.invitation(token_a), registration(*parties, role=role))


@asynccontextmanager
async def process(
    urls: StoreUrls, *, key: Secret = KEY, hub_party: Party = HUB, rules: AgreementRules = OPEN
) -> AsyncIterator[Process]:
    """One process on these stores, which exist already."""
    database, vault = Database(urls.database_url), Vault(key)
    redis = None if urls.redis_url is None else open_redis(urls.redis_url)
    directory = LiveDirectory(database, vault, redis, rules=rules)
    try:
        await directory.start()
        platforms = Platforms(database, vault, directory, hub_party)
        parties = Parties(database, directory)
        agreements = KeptAgreements(database, directory)
        yield Process(database, vault, directory, platforms, parties, ReturnAddresses(database), agreements)
    finally:
        await directory.stop()
        await database.close()
        if redis is not None:
            await redis.aclose()


@asynccontextmanager
async def first_process(urls: StoreUrls) -> AsyncIterator[Process]:
    """The first process on these stores, which makes the tables."""
    await migrate(urls.database_url)
    async with process(urls) as one:
        yield one


def registration(
    *parties: Party,
    role: Role = Role.CPO,
    version: Version = Version.V2_2_1,
    face: Face | None = None,
    our_token: str = "a token of the partner's",  # noqa: S107 - nobody's token
    url: str = "https://partner.example.com/ocpi",
    is_hub: bool = False,
) -> Registration:
    """What a partner with these parties registers."""
    details = {"name": "Example"}
    return Registration(
        version=version,
        face=face,
        versions_url=f"{url}/versions",
        endpoints=(
            PartnerEndpoint(ModuleID.CREDENTIALS, InterfaceRole.SENDER, f"{url}/credentials"),
            PartnerEndpoint(ModuleID.LOCATIONS, InterfaceRole.SENDER, f"{url}/locations/"),
        ),
        parties=tuple(RegisteredParty(party, (CredentialsRole(role, details),)) for party in parties),
        our_token=Secret(our_token),
        auth_encoding=None,
        is_hub=is_hub,
        shown=b"details",
    )


async def eventually(holds: Callable[[], bool], *, within_s: float) -> None:
    """Wait until something holds, looking often."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in several processes and has no event
            await asyncio.sleep(0.01)
