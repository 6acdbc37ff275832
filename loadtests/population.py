"""Platforms that a hub finds in its database, as if they had registered.

So many are not registered one by one, which would take longer than what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlmodel import insert

from hub.store.columns import Row
from hub.store.database import open_engine
from hub.store.migrations import migrate
from hub.store.tables import ConnectionRow, DirectoryRow, EndpointRow, PartyRoleRow, PartyRow, PlatformRow
from hub.store.vault import Vault
from routing.quirks import Quirks
from routing.versions import mark_of_details, version_details
from routing.vocabulary import ConnectionStatus, InterfaceRole, Party, Role, Secret, Version

KEY: Final = Secret("key-of-a-hub-that-is-measured")
_PATIENCE_S: Final = 60.0
_AT_ONCE: Final = 20_000
"""Rows of one statement."""

_Rows = Iterable[tuple[type[Row], dict[str, Any]]]


class Settler(NamedTuple):
    """One platform on 2.2.1, with one connection; each of its parties has this role."""

    name: str
    parties: Sequence[Party]
    role: Role
    base: str
    """Its versions are at `/versions` below this URL, its endpoints at `/{module}`."""
    modules: Sequence[tuple[str, InterfaceRole]]
    heard_of: datetime | None = None
    """When it called last: the hub looks soon after those it has not heard of."""


async def settle(database_url: str, hub_url: str, settlers: Sequence[Settler], *, first: int = 0) -> None:
    """Make a database in which all of these are registered.

    `first` is how many platforms are in it already. The hub that is started on it has to be at `hub_url`, or it would
    soon tell them all where it is, and its secret key has to be `KEY`.
    """
    await migrate(database_url)
    vault = Vault(KEY)
    shown = mark_of_details(version_details(hub_url, Version.V2_2_1, None))
    rows: dict[type[Row], list[dict[str, Any]]] = {}
    for number, settler in enumerate(settlers, first):
        for table, row in _rows(number, settler, shown, vault):
            rows.setdefault(table, []).append(row)
    engine = open_engine(database_url, patience_s=_PATIENCE_S)
    async with engine.begin() as connection:
        for table, some in rows.items():
            for start in range(0, len(some), _AT_ONCE):
                await connection.execute(insert(table), some[start : start + _AT_ONCE])
        await connection.execute(DirectoryRow.__table__.update().values(revision=first + len(settlers)))  # type: ignore[attr-defined] # SQLModel does not declare it
    await engine.dispose()


def token_of(number: int) -> str:
    """The token that this one of those who settled presents to the hub."""
    return f"token-at-the-hub-of-{number}"


def _rows(number: int, settler: Settler, shown: bytes, vault: Vault) -> _Rows:
    """What the hub would have stored of one platform."""
    now, id_ = datetime.now(UTC), f"{number:032x}"
    yield PlatformRow, _platform(id_, number, settler, now)
    connection = {
        "id": id_,
        "platform_id": id_,
        "version": Version.V2_2_1,
        "face": None,
        "versions_url": f"{settler.base}/versions",
        "token_hash": vault.token_hash(token_of(number)),
        "our_token": vault.seal(Secret(f"token-of-{number}"), id_),
        "auth_encoding": None,
        "tokens_since": now,
        "shown": shown,
        "created_at": now,
    }
    yield ConnectionRow, connection
    status = {"status": ConnectionStatus.CONNECTED, "suspended": False, "created_at": now, "last_updated": now}
    for party in settler.parties:
        named = {"country_code": party.country_code, "party_id": party.party_id}
        details = {"name": f"{settler.name}, {party}"}
        yield PartyRow, {**named, "platform_id": id_, **status}
        yield PartyRoleRow, {**named, "connection_id": id_, "role": settler.role, "business_details": details}
    for module, interface in settler.modules:
        url = f"{settler.base}/{module}"
        yield EndpointRow, {"connection_id": id_, "module": module, "interface": interface, "url": url}


def _platform(id_: str, number: int, settler: Settler, now: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "name": settler.name,
        "revision": number + 1,
        "planned": False,
        "suspended": False,
        "allow_hub": False,
        "is_hub": False,
        "version": None,
        "quirks": Quirks(),
        "require_modules": (),
        "invited_parties": (),
        "created_at": now,
        "last_seen": settler.heard_of,
    }
