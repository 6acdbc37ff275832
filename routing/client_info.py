"""Whom a platform is told about: the ClientInfo list, and the roles in a hub's 2.3.0 credentials. What a hub tells.

OCPI 2.2.1, "HubClientInfo"; OCPI 2.3.0, "Credentials".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from routing.dialects import Dialect
from routing.directory import CredentialsRole, FormerRole, PartyDirectory, PartyEntry, Platform
from routing.errors import InvalidParameters
from routing.paging import PageRequest
from routing.timestamps import read_timestamp, write_timestamp
from routing.vocabulary import ConnectionStatus, ModuleID, Party, Role

COUNTRY_CODE: Final = re.compile(r"[A-Za-z]{2}")
PARTY_ID: Final = re.compile(r"[!-.0-~]{1,3}")
"""Printable, and good for one segment of a URL."""


class Page(Struct, frozen=True):
    """One page of a list, and what its headers say."""

    items: list[dict[str, Any]]
    total: int
    limit: int
    link: str | None
    """The value of Link; absent on the last page."""

    def headers(self) -> dict[str, str]:
        """Link, X-Total-Count, X-Limit. OCPI 2.2.1, "Transport and format", Paginated Response."""
        headers = {"X-Total-Count": str(self.total), "X-Limit": str(self.limit)}
        return headers if self.link is None else headers | {"Link": self.link}


class ClientInfo(Struct, frozen=True):
    """What another hub says of one role of one party behind it."""

    party: Party
    role: Role
    status: ConnectionStatus


def read_client_info(fields: object) -> ClientInfo:
    """Read a ClientInfo object. OCPI 2.2.1, "HubClientInfo", ClientInfo Object.

    Raises:
        InvalidParameters: it is none.
    """
    if not isinstance(fields, dict):
        raise InvalidParameters("The ClientInfo is not an object")
    role, status = fields.get("role"), fields.get("status")
    if not isinstance(role, str) or role not in Role.__members__:
        raise InvalidParameters("role is missing, or is none that this hub knows")
    if not isinstance(status, str) or status not in ConnectionStatus.__members__:
        raise InvalidParameters("status is missing, or is none that this hub knows")
    _check_last_updated(fields)
    return ClientInfo(read_party(fields, ""), Role(role), ConnectionStatus(status))


def read_party(fields: Mapping[str, Any], where: str) -> Party:
    """The party that `country_code` and `party_id` name; `where` says which object they are of.

    Raises:
        InvalidParameters: they are missing, or no party can be called so.
    """
    country_code, party_id = fields.get("country_code"), fields.get("party_id")
    for name, value in (("country_code", country_code), ("party_id", party_id)):
        if not isinstance(value, str) or not value:
            raise InvalidParameters(f"{where}{name} is missing")
    if not COUNTRY_CODE.fullmatch(str(country_code)):
        raise InvalidParameters(f"{where}country_code is not two letters")
    if not PARTY_ID.fullmatch(str(party_id)) or party_id in {".", ".."}:
        raise InvalidParameters(f"{where}party_id is not one to three printable characters")
    return Party.read(str(country_code), str(party_id))


def _check_last_updated(fields: Mapping[str, Any]) -> None:
    last_updated = fields.get("last_updated")
    try:
        read_timestamp(last_updated if isinstance(last_updated, str) else "")
    except ValueError as error:
        raise InvalidParameters("last_updated is missing, or is no DateTime") from error


def visible_entries(directory: PartyDirectory, viewer: Platform) -> list[PartyEntry]:
    """The parties that are not this platform's and that it may know of, as it is shown them, the oldest first."""
    shown = (directory.as_shown_to(viewer, entry) for entry in directory.everybody())
    return sorted((entry for entry in shown if entry is not None), key=lambda entry: (entry.created_at, entry.party))


def publishes_payments(viewer: Platform) -> bool:
    """Whether the platform registered the Payments module, and so knows the role PTP."""
    return any(module == ModuleID.PAYMENTS for link in viewer.connections for module, _ in link.endpoints)


def shown_roles(
    roles: Iterable[CredentialsRole], dialect: Dialect, *, payments: bool
) -> list[tuple[Role, dict[str, Any]]]:
    """The roles of one party in words this version has, each once, with their business details.

    2.3.0 has no HUB. No version's list of roles has PTP: it is said only to those who publish `payments`.
    """
    shown: dict[Role, dict[str, Any]] = {}
    for entry in roles:
        role = _word_for(entry.role, dialect, payments=payments)
        if role in dialect.roles:
            shown.setdefault(role, entry.business_details)
    return list(shown.items())


def shown_former_roles(entry: PartyEntry, dialect: Dialect, *, payments: bool) -> list[tuple[Role, FormerRole]]:
    """The roles that a party has no longer, in the words of `shown_roles` and in the order in which they ended.

    One that it has in the same words is left out.
    """
    current = {role for role, _ in shown_roles(entry.roles, dialect, payments=payments)}
    words = {_word_for(former.role, dialect, payments=payments): former for former in entry.former_roles}
    shown = [(role, former) for role, former in words.items() if role in dialect.roles and role not in current]
    return sorted(shown, key=lambda each: (each[1].revision, each[0]))


def in_former_role(entry: PartyEntry, former: FormerRole) -> PartyEntry:
    """A party as it is in a role that it has no longer. OCPI 2.2.1, "HubClientInfo", Push model."""
    return replace(entry, status=ConnectionStatus.SUSPENDED, last_updated=former.since)


def _word_for(role: Role, dialect: Dialect, *, payments: bool) -> Role:
    return Role.OTHER if role is Role.PTP and not (payments and Role.PTP in dialect.roles) else role


def client_infos(directory: PartyDirectory, viewer: Platform, dialect: Dialect) -> list[tuple[PartyEntry, Role]]:
    """One row for each role of each party this platform may communicate with, the oldest first, former roles last."""
    payments = publishes_payments(viewer)
    rows: list[tuple[PartyEntry, Role]] = []
    for entry in visible_entries(directory, viewer):
        roles = shown_roles(entry.roles, dialect, payments=payments)
        rows += [(entry, role) for role, _ in sorted(roles, key=lambda shown: shown[0])]
        if entry.former_roles:
            for role, former in shown_former_roles(entry, dialect, payments=payments):
                view = directory.as_shown_to(viewer, in_former_role(entry, former))
                rows += [] if view is None else [(view, role)]
    return rows


def page_of(rows: list[tuple[PartyEntry, Role]], wanted: PageRequest, url: str) -> Page:
    """The wanted part of the rows, as ClientInfo objects. `url` is that of the list, without a query."""
    everything = wanted.date_from is None and wanted.date_to is None
    matching = rows if everything else [row for row in rows if _in_range(row[0].last_updated, wanted)]
    end = wanted.offset + wanted.limit
    link = None
    if end < len(matching):
        query = urlencode([("offset", str(end)), ("limit", str(wanted.limit)), *wanted.filters])
        link = f'<{url}?{query}>; rel="next"'
    items = [client_info(entry, role) for entry, role in matching[wanted.offset : end]]
    return Page(items, len(matching), wanted.limit, link)


def client_info(entry: PartyEntry, role: Role) -> dict[str, Any]:
    """The ClientInfo object of one role of a party."""
    return {
        "party_id": entry.party.party_id,
        "country_code": entry.party.country_code,
        "role": role,
        "status": entry.status,
        "last_updated": write_timestamp(entry.last_updated),
    }


def _in_range(moment: datetime, wanted: PageRequest) -> bool:
    # What a partner was shown is what it can compare with, so the written precision decides.
    return wanted.spans(moment.replace(microsecond=moment.microsecond // 1000 * 1000))
