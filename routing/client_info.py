"""Whom a platform is told about: the ClientInfo list, and the roles in a hub's 2.3.0 credentials.

OCPI 2.2.1, "HubClientInfo"; OCPI 2.3.0, "Credentials".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from routing.dialects import Dialect
from routing.directory import CredentialsRole, PartyDirectory, PartyEntry, Platform
from routing.errors import InvalidParameters
from routing.timestamps import read_timestamp, write_timestamp
from routing.vocabulary import ModuleID, Role

MAX_OFFSET: Final = 2**63 - 1
_PAGING: Final = frozenset({"offset", "limit"})


class PageRequest(Struct, frozen=True):
    """Which part of a list is wanted. OCPI 2.2.1, "Transport and format", Paginated Request."""

    offset: int
    limit: int
    date_from: datetime | None
    """Inclusive."""
    date_to: datetime | None
    """Exclusive."""
    filters: tuple[tuple[str, str], ...]
    """Every parameter except offset and limit, to be repeated in the link to the next page."""


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


def visible_entries(directory: PartyDirectory, viewer: Platform) -> list[PartyEntry]:
    """The parties of other platforms that this one may know of, the oldest first."""
    entries = [
        entry
        for entry in directory.parties.values()
        if entry.platform_id != viewer.id and any(directory.visible_to(own, entry.party) for own in viewer.parties)
    ]
    return sorted(entries, key=lambda entry: (entry.created_at, entry.party))


def publishes_payments(viewer: Platform) -> bool:
    """Whether the platform registered the Payments module, and so knows the role PTP."""
    return any(module == ModuleID.PAYMENTS for link in viewer.connections for module, _ in link.endpoints)


def shown_roles(
    roles: Iterable[CredentialsRole], dialect: Dialect, *, payments: bool
) -> list[tuple[Role, dict[str, Any]]]:
    """The roles of one party in words this version has, each once, with their business details.

    2.3.0 has no HUB. No version's list of roles has PTP: it is said only to those who publish `payments`.
    """
    knows_ptp = payments and Role.PTP in dialect.roles
    shown: dict[Role, dict[str, Any]] = {}
    for entry in roles:
        role = Role.OTHER if entry.role is Role.PTP and not knows_ptp else entry.role
        if role in dialect.roles:
            shown.setdefault(role, entry.business_details)
    return list(shown.items())


def client_infos(directory: PartyDirectory, viewer: Platform, dialect: Dialect) -> list[tuple[PartyEntry, Role]]:
    """One row for each role of each party this platform may communicate with, the oldest first."""
    payments = publishes_payments(viewer)
    return [
        (entry, role)
        for entry in visible_entries(directory, viewer)
        for role, _ in sorted(shown_roles(entry.roles, dialect, payments=payments), key=lambda shown: shown[0])
    ]


def read_page_request(query: str, page_max: int) -> PageRequest:
    """What the query of a list asks for. A limit above `page_max` is taken for `page_max`.

    Raises:
        InvalidParameters: an offset, limit or date that cannot be read, or one given twice.
    """
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=None)
    values = {name: value for name, value in pairs if name in {"offset", "limit", "date_from", "date_to"}}
    for name in values:
        if sum(given == name for given, _ in pairs) > 1:
            raise InvalidParameters(f"The parameter {name} is given more than once")
    return PageRequest(
        offset=_number(values, "offset", least=0, default=0),
        limit=min(page_max, _number(values, "limit", least=1, default=page_max)),
        date_from=_moment(values, "date_from"),
        date_to=_moment(values, "date_to"),
        filters=tuple(pair for pair in pairs if pair[0] not in _PAGING),
    )


def page_of(rows: list[tuple[PartyEntry, Role]], wanted: PageRequest, url: str) -> Page:
    """The wanted part of the rows, as ClientInfo objects. `url` is that of the list, without a query."""
    everything = wanted.date_from is None and wanted.date_to is None
    matching = rows if everything else [row for row in rows if _in_range(row[0].last_updated, wanted)]
    end = wanted.offset + wanted.limit
    link = None
    if end < len(matching):
        query = urlencode([("offset", str(end)), ("limit", str(wanted.limit)), *wanted.filters])
        link = f'<{url}?{query}>; rel="next"'
    items = [_client_info(entry, role) for entry, role in matching[wanted.offset : end]]
    return Page(items, len(matching), wanted.limit, link)


def _client_info(entry: PartyEntry, role: Role) -> dict[str, Any]:
    return {
        "party_id": entry.party.party_id,
        "country_code": entry.party.country_code,
        "role": role,
        "status": entry.status,
        "last_updated": write_timestamp(entry.last_updated),
    }


def _in_range(moment: datetime, wanted: PageRequest) -> bool:
    # What a partner was shown is what it can compare with, so the written precision decides.
    shown = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return (wanted.date_from is None or shown >= wanted.date_from) and (
        wanted.date_to is None or shown < wanted.date_to
    )


def _number(values: dict[str, str], name: str, *, least: int, default: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_OFFSET)) and int(text) >= least):
        raise InvalidParameters(f"The parameter {name} must be a whole number of at least {least}")
    return min(int(text), MAX_OFFSET)


def _moment(values: dict[str, str], name: str) -> datetime | None:
    text = values.get(name)
    if text is None:
        return None
    try:
        # An unencoded + of an offset has become a blank in the query.
        return read_timestamp(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameters(f"The parameter {name} must be a DateTime such as 2026-01-31T12:00:00Z") from error
