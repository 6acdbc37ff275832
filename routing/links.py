"""URLs in answers that must lead back through the hub. OCPI 2.2.1, "Transport and format", Pagination.

A partner's link to the next page is its own URL, which the requester has no token for. Where the link
is the endpoint with the parameters everybody knows, the hub's endpoint takes them just as well. Any
other link is handed out sealed, as the value of one parameter, and opened again when it comes back.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, urljoin, urlsplit

from msgspec import Struct

from routing.message import RawHeaders
from routing.vocabulary import Party

HUB_NEXT: Final = "hub_next"
"""The parameter that carries a sealed link."""
_OFFSET_AND_LIMIT: Final = frozenset({"offset", "limit"})
_PAGING: Final = _OFFSET_AND_LIMIT | {"date_from", "date_to"}
_LINK: Final = re.compile(
    r"""<(?P<target>[^<>]*)>(?P<parameters>(?:\s*;\s*[^\s;,="]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)"""
)
_VISIBLE: Final = re.compile(r"""[!#-;=?-~]+""")
_PARAMETER: Final = re.compile(
    r""";\s*(?P<name>[^\s;,="]+)\s*(?:=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s;,"]*)))?"""
)


class NextPage(Struct, frozen=True):
    """What a sealed link says: where the next page of which conversation is, and until when it may be asked for."""

    url: str
    receiver: Party
    requester: Party
    expires: int
    """Seconds since 1970."""


def next_link(headers: RawHeaders, url: str) -> str | None:
    """The absolute URL of the link with relation `next` in the answer from `url`, if it has one. RFC 8288.

    Raises:
        ValueError: it has one that is no URL.
    """
    for name, value in headers:
        if name == b"link":
            for link in _LINK.finditer(value.decode("latin-1")):
                if "next" in _relations(link["parameters"]):
                    return urljoin(url, str(link["target"]).strip())
    return None


def _relations(parameters: str) -> list[str]:
    """The relation types of a link; of several `rel` the first counts."""
    for parameter in _PARAMETER.finditer(parameters):
        if parameter["name"].lower() == "rel":
            return (parameter["quoted"] or parameter["plain"] or "").lower().split()
    return []


def host_of(url: str) -> str:
    """The host of a URL, with its port where the URL names one, in lower case."""
    return urlsplit(url).netloc.lower()


def standard_query(link: str, endpoint_url: str) -> str | None:
    """The query of a link to the endpoint itself with standard parameters; None for any other link.

    `endpoint_url` has the query of the requester, whose parameters are as good as standard ones.
    """
    query, before = urlsplit(link), urlsplit(endpoint_url)
    if _place(query) != _place(before):
        return None
    asked = {name for name, _ in parse_qsl(before.query, keep_blank_values=True)} - {HUB_NEXT}
    said = {name for name, _ in parse_qsl(query.query, keep_blank_values=True)}
    plain = said and said <= asked | _PAGING and _VISIBLE.fullmatch(query.query)
    return query.query if plain else None


def in_terms_of(asked: str, sent: str, following: str) -> str | None:
    """The next page in the requester's own words: its query, with the offset and limit of the query `following`.

    None when `following` differs in more from the query `sent`, which is what the receiver made of `asked`.
    """
    if _filters(sent) != _filters(following):
        return None
    paging = [part for part in following.split("&") if part.partition("=")[0] in _OFFSET_AND_LIMIT]
    return "&".join(filter(None, (without_paging(asked), *paging)))


def _filters(query: str) -> list[tuple[str, str]]:
    parameters = parse_qsl(query, keep_blank_values=True)
    return sorted((name, value) for name, value in parameters if name not in _OFFSET_AND_LIMIT)


def _place(url: SplitResult) -> tuple[str, str, str]:
    return url.scheme, url.netloc.lower(), url.path.rstrip("/")


def without_paging(query: str) -> str:
    """The query without the parameters that a sealed link replaces."""
    parts = [part for part in query.split("&") if part]
    return "&".join(part for part in parts if part.partition("=")[0] not in _OFFSET_AND_LIMIT | {HUB_NEXT})


def parameter(query: str, name: str) -> str | None:
    """The first value of this parameter, decoded."""
    if not query:
        return None
    return next((value for key, value in parse_qsl(query, keep_blank_values=True) if key == name), None)


def link_header(url: str, query: str) -> tuple[bytes, bytes]:
    """A Link header to the next page at this URL."""
    return b"link", f'<{url}?{query}>; rel="next"'.encode("ascii")


def with_sealed(query: str, sealed: str) -> str:
    """The query of a link that carries a sealed one."""
    return "&".join(filter(None, (without_paging(query), f"{HUB_NEXT}={quote(sealed)}")))


_RESPONSE_URL: Final = "response_url="
_DURATION: Final = re.compile(r"duration=[0-9]+")
_UNENCODED: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
"""An encoded URL has no colon behind its scheme; one that has was never encoded."""


def response_url_in(query: str) -> tuple[str, str] | None:
    """(the response_url in a query, the rest of the query), or None when there is none.

    The chapter's own examples leave the URL unencoded, so that parameters of its own spill over: what follows
    such a one belongs to it, except `duration`. OCPI 2.2.1, "ChargingProfiles".
    """
    parts = query.split("&")
    start = next((index for index, part in enumerate(parts) if part.startswith(_RESPONSE_URL)), None)
    if start is None:
        return None
    before, value, after = parts[:start], parts[start].removeprefix(_RESPONSE_URL), parts[start + 1 :]
    if _UNENCODED.match(value) is None:
        return parameter(f"url={value}", "url") or "", "&".join(before + after)
    inside = [part for part in after if not _DURATION.fullmatch(part)]
    rest = [part for part in after if _DURATION.fullmatch(part)]
    return "&".join([value, *inside]), "&".join(before + rest)


def with_response_url(rest: str, url: str) -> str:
    """A query with this response_url, percent-encoded."""
    return "&".join(filter(None, (rest, _RESPONSE_URL + quote(url, safe=""))))
