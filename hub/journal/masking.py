"""What of paths, queries and headers the journal may show. Everything else becomes `MASK`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from hub.store.journal_entries import HeaderTexts
from routing.vocabulary import ModuleID

MASK: Final = "••••"
LONGEST: Final = 1000
"""Characters of a text that are kept."""

_SHOWN: Final = frozenset({"offset", "limit", "date_from", "date_to", "type", "duration", "connector"})
"""Parameters of queries whose values say nothing about a person, and open nothing."""
_PARAMETER: Final = re.compile(r"([^=&?<>;]+)=([^&>;]*)")
_IN_URL: Final = re.compile(r"(?<=[?&;])([^=&?<>; ]+)=([^&>;]*)")
_SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"})
_URL_HEADERS: Final = frozenset({"link", "location", "referer"})
_SHOWN_SEGMENTS: Final = frozenset({"", "authorize", *ModuleID})
"""Of paths where nobody has looked what the others are."""


def clean(text: str, most: int = LONGEST) -> str:
    """A text that any database takes: of this length at most, without zero characters and halves of characters."""
    if len(text) > most:
        text = text[: most - 1] + "…"
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def masked_query(query: str) -> str:
    """A query, with a question mark in front if there is one."""
    return f"?{_PARAMETER.sub(_parameter, query)}" if query else ""


def _parameter(match: re.Match[str]) -> str:
    return match[0] if match[1].lower() in _SHOWN else f"{match[1]}={MASK}"


def masked_path(path: str, hidden: Sequence[int]) -> str:
    """A path without the segments at these places, counted from its end: -1 is the last."""
    parts = path.removesuffix("/").split("/")
    for place in hidden:
        if -place < len(parts):
            parts[place] = MASK
    return "/".join(parts)


def masked_unread_path(path: str) -> str:
    """A path below an entrance, of which nobody knows what it means: the module, if it is one, and how long it is."""
    return "/".join(part if part in _SHOWN_SEGMENTS else MASK for part in path.split("/"))


def path_of_url(url: str) -> tuple[str, str]:
    """Path and query of an absolute URL."""
    start = url.find("/", url.find("//") + 2)
    path, _, query = ("/" if start < 0 else url[start:]).partition("?")
    return path, query


def masked_headers(headers: Iterable[tuple[bytes, bytes]]) -> HeaderTexts:
    """The header lines as text."""
    return tuple(_header(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)


def _header(name: str, value: str) -> tuple[str, str]:
    if name in _SECRET_HEADERS:
        return name, MASK
    if name in _URL_HEADERS:
        value = _IN_URL.sub(_parameter, value)
    return name, clean(value)
