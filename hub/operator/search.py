"""`/api/v1/resolve`: what an id is that somebody has pasted, whatever it is the id of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.platforms import TheHub
from hub.operator.problems import documented
from hub.operator.roles import FOR_PARTNERS
from hub.search import ReadingKind, Readings, readings_of, spellings
from hub.settings import Settings
from routing.directory import Platform
from routing.errors import HubError
from routing.translation.losses import CATALOGUE
from routing.vocabulary import Party

EACH_S: Final = 1.0
"""What one look-up may take."""
_API: Final = "/api/v1"
_MOST_PLATFORMS: Final = 20
_MOST_ALIKE: Final = 5
_LEAST_OF_A_NAME: Final = 2

Pasted = Annotated[str, QueryParameter(min_length=1, max_length=1000, description="Whatever was pasted.")]


class Candidate(Struct, frozen=True):
    """One thing that it is. `messages` and `stories` are null where they were not counted; 1000 means more, too."""

    kind: ReadingKind
    id: str
    label: str
    url: str
    """Where this API has more of it."""
    messages: int | None = None
    stories: int | None = None


class Resolved(Struct, frozen=True):
    """All it may be, the likeliest first."""

    candidates: tuple[Candidate, ...]
    unfinished: tuple[ReadingKind, ...]
    """Look-ups that took too long: it may be one of these as well."""
    similar: tuple[Candidate, ...]
    """Where it is nothing: what it is in another spelling, and the platforms that have it in their names."""
    searched_from: datetime | None
    """How far back messages were looked at; null while there are none."""


LookUp: TypeAlias = Callable[[], Awaitable[list[Candidate]]]


@get("/resolve", tags=["messages"], responses=documented(503), opt=FOR_PARTNERS)
async def resolve(hub: TheHub, me: TheCaller, q: Pasted) -> Resolved:
    """What an id is: of a message, a party, a platform, an object, a Token, a rule of translation, or a status."""
    readings = readings_of(q, _hosts(hub.settings))
    look_ups = _LookUps(hub, readings, me.only_platform).all()
    found = await asyncio.gather(*(_in_time(look_up) for look_up in look_ups.values()))
    named = dict(zip(look_ups, found, strict=True))
    candidates = [candidate for answer in found for candidate in answer or ()]
    unfinished = tuple(kind for kind, answer in named.items() if answer is None)
    is_found = candidates or unfinished
    similar = [] if is_found else await _similar(hub, readings, me.only_platform)
    return Resolved(tuple(candidates), unfinished, tuple(similar), await hub.journal_reads.oldest())


async def _similar(hub: Hub, readings: Readings, scope: str | None) -> list[Candidate]:
    """What somebody may have meant who wrote it a little differently. Each spelling is looked for as it is."""
    if not readings.is_id or readings.object_type is not None:
        return []

    async def in_other_spellings() -> list[Candidate]:
        ways = [_LookUps(hub, Readings(each), scope) for each in spellings(readings.text)]
        return [found for way in ways for look_up in way.by_id() for found in await look_up()]

    found = await asyncio.gather(_in_time(_LookUps(hub, readings, scope).named_alike), _in_time(in_other_spellings))
    return [candidate for answer in found for candidate in answer or ()]


async def _in_time(look_up: LookUp) -> list[Candidate] | None:
    try:
        async with asyncio.timeout(EACH_S):
            return await look_up()
    except (HubError, TimeoutError):
        return None


class _LookUps:
    """One for each thing that a text may be, as far as its form goes."""

    def __init__(self, hub: Hub, readings: Readings, scope: str | None) -> None:
        self._hub = hub
        self._reads = hub.journal_reads
        self._text = readings.text
        self._readings = readings
        self._scope = scope

    def all(self) -> Mapping[ReadingKind, LookUp]:
        """In the order in which candidates are listed."""
        readings = self._readings
        if readings.object_type is not None:
            return (
                {ReadingKind.TOKEN: self._token}
                if readings.object_type == "token"
                else {ReadingKind.OBJECT: self._object}
            )
        by_form: dict[ReadingKind, LookUp] = {}
        if readings.rule is not None:
            by_form[ReadingKind.RULE] = self._rule
        if readings.status is not None:
            by_form[ReadingKind.STATUS] = self._status
        if readings.is_id:
            by_form |= {
                ReadingKind.CORRELATION: self._correlation,
                ReadingKind.REQUEST: self._request,
                ReadingKind.PARTY: self._party,
                ReadingKind.PLATFORM: self._platform,
                ReadingKind.OBJECT: self._object,
                ReadingKind.TOKEN: self._token,
            }
        if readings.evse_owner is not None:
            by_form[ReadingKind.EVSE] = self._evse
        return by_form

    def by_id(self) -> tuple[LookUp, ...]:
        """Those for which upper and lower case are two different texts."""
        return self._correlation, self._request, self._object

    async def named_alike(self) -> list[Candidate]:
        """Platforms that have the text within their names."""
        text = self._text.casefold()
        if len(text) < _LEAST_OF_A_NAME:
            return []
        parts = self._hub.directory.snapshot.parts.values()
        seen = (each.platform for each in parts if self._scope in (None, each.platform.id))
        return [*map(_platform_found, islice((each for each in seen if text in each.name.casefold()), _MOST_ALIKE))]

    async def _correlation(self) -> list[Candidate]:
        count = await self._reads.with_correlation_id(self._text, scope=self._scope)
        if not count:
            return []
        url = _url("/stories", correlation_id=self._text)
        return [Candidate(ReadingKind.CORRELATION, self._text, "a correlation id", url, count)]

    async def _request(self) -> list[Candidate]:
        entry = await self._reads.of_request(self._text, scope=self._scope)
        if entry is None:
            return []
        which = "a request id of the sender" if entry.request_id == self._text else "a request id of the hub"
        url = _url("/stories", correlation_id=entry.correlation_id, use=entry.id)
        return [Candidate(ReadingKind.REQUEST, self._text, which, url, 1, 1)]

    async def _party(self) -> list[Candidate]:
        party = self._readings.party
        entry = None if party is None else self._hub.directory.snapshot.entry(party)
        if party is None:
            return []
        url = _url("/messages", party=str(party))
        if entry is None or self._scope not in (None, entry.platform_id):
            return []
        roles = ", ".join(role.role for role in entry.roles)
        return [Candidate(ReadingKind.PARTY, str(party), f"a party ({roles}), {entry.status}", url)]

    async def _platform(self) -> list[Candidate]:
        text = self._text.casefold()
        found: list[Platform] = []
        for part in self._hub.directory.snapshot.parts.values():
            platform = part.platform
            if (platform.id == self._text or platform.name.casefold() == text) and self._scope in (None, platform.id):
                found.append(platform)
        return [*map(_platform_found, found[:_MOST_PLATFORMS])]

    async def _evse(self) -> list[Candidate]:
        owner = self._readings.evse_owner
        entry = None if owner is None else self._hub.directory.snapshot.entry(owner)
        if owner is None or entry is None or self._scope not in (None, entry.platform_id):
            return []
        url = _url("/messages", party=str(owner), object_type="location")
        return [Candidate(ReadingKind.EVSE, self._text, f"by its form an EVSE of {owner}", url)]

    async def _object(self) -> list[Candidate]:
        wanted = self._readings.object_type
        found = await self._reads.with_object(self._text, scope=self._scope)
        return [
            Candidate(
                ReadingKind.OBJECT,
                self._text,
                f"{each.object_type or 'an object'} in messages between {_who(each.sender)} and {_who(each.receiver)}",
                _url("/messages", object_type=each.object_type, object_id=self._text),
                each.messages,
                each.stories,
            )
            for each in found
            if wanted in (None, each.object_type)
        ]

    async def _token(self) -> list[Candidate]:
        hashed = self._hub.vault.uid_hash(self._text)
        count = await self._reads.with_token(hashed, scope=self._scope)
        url = _url("/messages", token_hash=hashed.hex())
        return [Candidate(ReadingKind.TOKEN, "••••", "the uid of a Token", url, count)] if count else []

    async def _rule(self) -> list[Candidate]:
        rule = CATALOGUE.get(self._readings.rule or "")
        if rule is None:
            return []
        return [Candidate(ReadingKind.RULE, rule.id, rule.happens, f"{_API}/rules/{rule.id}")]

    async def _status(self) -> list[Candidate]:
        status = str(self._readings.status)
        return [Candidate(ReadingKind.STATUS, status, "a status code of OCPI", _url("/messages", ocpi_status=status))]


def _platform_found(platform: Platform) -> Candidate:
    label = f"{platform.name}, {platform.status}"
    return Candidate(ReadingKind.PLATFORM, platform.id, label, f"{_API}/platforms/{platform.id}")


def _url(path: str, **query: str | None) -> str:
    return f"{_API}{path}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def _who(party: Party | None) -> str:
    return "somebody" if party is None else str(party)


def _hosts(settings: Settings) -> frozenset[str]:
    return frozenset({urlsplit(settings.public_url).netloc.lower()})
