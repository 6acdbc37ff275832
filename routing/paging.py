"""Which part of a list is wanted. OCPI 2.2.1, "Transport and format", Paginated Request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from routing.errors import InvalidParameters
from routing.timestamps import read_timestamp
from routing.vocabulary import ModuleID

MAX_OFFSET: Final = 2**63 - 1
_PAGE_MAX: Final = 100
_PAGE_MAX_OF: Final[Mapping[str, int]] = {ModuleID.TOKENS: 500, ModuleID.CDRS: 50}
_PAGING: Final = ("offset", "limit")


class PageRequest(Struct, frozen=True):
    """What the query of a list says."""

    offset: int
    limit: int
    date_from: datetime | None
    """Inclusive."""
    date_to: datetime | None
    """Exclusive."""
    filters: tuple[tuple[str, str], ...]
    """Every parameter except offset and limit, to be repeated in the link to the next page."""

    def spans(self, moment: datetime) -> bool:
        """Whether what was updated at this moment is wanted."""
        return (self.date_from is None or moment >= self.date_from) and (self.date_to is None or moment < self.date_to)


def page_max(module: str, of_all: int | None) -> int:
    """The longest page of a module's lists. `of_all` is one for all modules, if there is."""
    return of_all or _PAGE_MAX_OF.get(module, _PAGE_MAX)


def read_page_request(query: str, most: int) -> PageRequest:
    """What the query of a list asks for. A limit above `most` is taken for `most`.

    Raises:
        InvalidParameters: an offset, limit or date that cannot be read, or one given twice.
    """
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=None)
    values = _single(pairs, (*_PAGING, "date_from", "date_to"))
    return PageRequest(
        offset=_number(values, "offset", least=0, default=0),
        limit=min(most, _number(values, "limit", least=1, default=most)),
        date_from=_moment(values, "date_from"),
        date_to=_moment(values, "date_to"),
        filters=tuple(pair for pair in pairs if pair[0] not in _PAGING),
    )


def read_limit(query: str) -> int | None:
    """The limit in the query of a list that goes to one party; None when there is none.

    Raises:
        InvalidParameters: an offset or a limit that cannot be read, or one given twice.
    """
    if "offset" not in query and "limit" not in query:
        return None
    values = _single(parse_qsl(query, keep_blank_values=True), _PAGING)
    _number(values, "offset", least=0, default=0)
    return _number(values, "limit", least=1, default=0) or None


def with_limit(query: str, limit: int) -> str:
    """The query with this limit in the place of the one it has."""
    return "&".join(f"limit={limit}" if part.partition("=")[0] == "limit" else part for part in query.split("&"))


def _single(pairs: list[tuple[str, str]], names: tuple[str, ...]) -> dict[str, str]:
    values = {name: value for name, value in pairs if name in names}
    for name in values:
        if sum(given == name for given, _ in pairs) > 1:
            raise InvalidParameters(f"The parameter {name} is given more than once")
    return values


def _number(values: Mapping[str, str], name: str, *, least: int, default: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_OFFSET)) and int(text) >= least):
        raise InvalidParameters(f"The parameter {name} must be a whole number of at least {least}")
    return min(int(text), MAX_OFFSET)


def _moment(values: Mapping[str, str], name: str) -> datetime | None:
    text = values.get(name)
    if text is None:
        return None
    try:
        # An unencoded + of an offset has become a blank in the query.
        return read_timestamp(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameters(f"The parameter {name} must be a DateTime such as 2026-01-31T12:00:00Z") from error
