"""Which platforms a list shows, and in which order: decided in memory, from the directory and the figures.

Of ten thousand platforms nothing is asked of the database but what the fifty that are shown need, and the times by
which platforms are put in order where only the database has these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from heapq import nlargest, nsmallest
from typing import Final, TypeAlias

from msgspec import Struct

from hub.figures import Direction, Figures
from hub.figures.cells import FAILED
from hub.figures.rings import messages_in
from hub.store.lists import PlatformMoment, cursor_to, place_of
from routing.directory import PartyDirectory, PlatformPart
from routing.vocabulary import ConnectionStatus, Role, Version

Key: TypeAlias = tuple[float | str, ...]
"""By what a platform has its place in the list; the id is the last part, so that no two have the same."""


class Order(StrEnum):
    """Of a list of platforms. A minus in front turns it round."""

    CREATED = "created"
    WORST = "worst"
    """Open events, then failed messages of the last hour, then messages; most first."""
    NAME = "name"
    STATUS = "status"
    VERSION = "version"
    MESSAGES = "messages"
    OK_SHARE = "ok_share"
    P95 = "p95_ms"
    LAST_SEEN = "last_seen"
    TOKEN_AGE = "token_age"  # noqa: S105  the name of a column


MOMENTS: Final[Mapping[Order, PlatformMoment]] = {
    Order.CREATED: PlatformMoment.CREATED,
    Order.LAST_SEEN: PlatformMoment.LAST_SEEN,
    Order.TOKEN_AGE: PlatformMoment.TOKENS_SINCE,
}
"""What has to be asked of the truth."""
_STATUSES: Final = (
    ConnectionStatus.OFFLINE,
    ConnectionStatus.SUSPENDED,
    ConnectionStatus.PLANNED,
    ConnectionStatus.CONNECTED,
)


class Wanted(Struct, frozen=True):
    """Which platforms; None for any."""

    status: ConnectionStatus | None = None
    role: Role | None = None
    version: Version | None = None
    words: str | None = None
    """Part of its name, its id, or the name of one of its parties; in any case."""


class Known(Struct, frozen=True):
    """What decides about places beside the directory."""

    figures: Figures
    open_events: Mapping[str, int]
    moments: Mapping[str, datetime]


class Rows(Struct, frozen=True):
    """One page of the list."""

    ids: list[str]
    next_cursor: str | None
    matched: int
    counts: dict[ConnectionStatus, int]
    """Of all platforms that match but for their status."""


def rows(
    directory: PartyDirectory, wanted: Wanted, order: str, known: Known, *, limit: int, cursor: str | None
) -> Rows:
    """The platforms of one page. `order` is an `Order`, perhaps with a minus in front.

    Raises:
        InvalidParameters: the cursor is none of ours.
    """
    backwards = order.startswith("-")
    by = Order(order.removeprefix("-"))
    key_of = _KEYS[by]
    found = list(directory.parts.values())
    if (wanted.version, wanted.role, wanted.words) != (None, None, None):
        found = [part for part in found if _is_wanted(part, wanted)]
    counts = Counter(part.platform.status for part in found)
    shown = [part for part in found if wanted.status in (None, part.platform.status)]
    keys: Iterable[Key] = [(*key_of(part, known), part.platform.id) for part in shown]
    if cursor is not None:
        after = _place(cursor, by)
        keys = [key for key in keys if (key < after if backwards else key > after)]
    first = (nlargest if backwards else nsmallest)(limit + 1, keys)  # of ten thousand, sorting all takes twice as long
    page = first[:limit]
    following = cursor_to(page[-1]) if len(first) > limit else None
    return Rows([str(key[-1]) for key in page], following, len(shown), dict(counts))


def _place(cursor: str, order: Order) -> Key:
    """Where the page before ended. A place in another order is none of ours."""
    match order:
        case Order.WORST:
            return place_of(cursor, tuple[float, float, float, str])
        case Order.NAME | Order.VERSION:
            return place_of(cursor, tuple[str, str])
        case _:
            return place_of(cursor, tuple[float, str])


def _is_wanted(part: PlatformPart, wanted: Wanted) -> bool:
    """Whatever its status."""
    platform = part.platform
    if wanted.version is not None and all(each.version is not wanted.version for each in platform.connections):
        return False
    if wanted.role is not None and not any(role.role is wanted.role for party in part.parties for role in party.roles):
        return False
    words = wanted.words
    if words is None:
        return True
    words = words.lower()
    return (
        words in platform.name.lower()
        or words in platform.id
        or any(words in str(party).lower() for party in platform.parties)
    )


def _worst(part: PlatformPart, known: Known) -> Key:
    platform_id = part.platform.id
    open_events = -known.open_events.get(platform_id, 0)
    platform = known.figures.rings.platforms.get(platform_id)
    if platform is None:  # as most are, of ten thousand
        return open_events, 0, 0.0
    failed = sum(cell.get(FAILED, 0) for cell in platform.last_hour.values())
    return open_events, -failed, -_messages(part, known)[0]


def _messages(part: PlatformPart, known: Known) -> tuple[float]:
    platform = known.figures.rings.platforms.get(part.platform.id)
    if platform is None:
        return (0.0,)
    hour = platform.last_hour
    return (float(messages_in(hour[Direction.IN]) + messages_in(hour[Direction.OUT])),)


def _ok_share(part: PlatformPart, known: Known) -> Key:
    [number] = _messages(part, known)
    hour = known.figures.rings.last_hour(part.platform.id)
    return (1 - sum(cell.get(FAILED, 0) for cell in hour.values()) / number if number else 2.0,)


def _p95(part: PlatformPart, known: Known) -> Key:
    platform = known.figures.rings.platforms.get(part.platform.id)
    return ((platform and platform.p95_ms()) or -1.0,)


def _version(part: PlatformPart, _: Known) -> Key:
    return (min((each.version.value for each in part.platform.connections), default=""),)


def _moment(part: PlatformPart, known: Known) -> Key:
    at = known.moments.get(part.platform.id)
    return (0.0 if at is None else at.timestamp(),)


_KEYS: Final[Mapping[Order, Callable[[PlatformPart, Known], Key]]] = {
    Order.WORST: _worst,
    Order.NAME: lambda part, _: (part.platform.name.casefold(),),
    Order.STATUS: lambda part, _: (_STATUSES.index(part.platform.status),),
    Order.VERSION: _version,
    Order.MESSAGES: _messages,
    Order.OK_SHARE: _ok_share,
    Order.P95: _p95,
    Order.CREATED: _moment,
    Order.LAST_SEEN: _moment,
    Order.TOKEN_AGE: lambda part, known: tuple(-each for each in _moment(part, known) if not isinstance(each, str)),
}
