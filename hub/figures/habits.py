"""What partners do that OCPI does not, or not so: how often each did it within a day.

A habit is counted where the hub deals with it anyway, which costs one number in a dictionary. What is counted goes the
way of all figures: it is told every few seconds, and whoever shows it has the sum of all processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from hub.figures.cells import Cell
from hub.figures.series import add_to_series, forget_before, sum_since


class Habit(StrEnum):
    """What a partner did."""

    NO_MESSAGE_IDS = "no_message_ids"
    """A message without X-Request-ID or X-Correlation-ID."""
    NO_SENDER = "no_sender"
    """A message without OCPI-from."""
    ROUTING_HEADERS_211 = "routing_headers_211"
    """A message of 2.1.1 with routing headers."""
    LOWER_CASE = "lower_case"
    """A message whose OCPI-from is in lower case."""
    CUSTOM_MODULE = "custom_module"
    """A message to a module that OCPI does not have, and that was refused."""
    FOREIGN_HOST = "foreign_host"
    """A link to a host that is not its own."""
    PATCH_REFUSED = "patch_refused"
    """HTTP 405 or 501 to a PATCH."""
    REDIRECTED = "redirected"
    """A redirect in place of an answer."""
    PUT_NOT_FOUND = "put_not_found"
    """HTTP 404 to an object that was put, of 2.1.1."""
    NO_SLOT = "no_slot"
    """A message that was not sent to it because too many were under way."""
    NO_ZONE = "no_zone"
    """A moment without a zone."""


Counted: TypeAlias = list[tuple[str, str, int]]
"""Platform, habit, and how often."""

DAY_S: Final = 86_400
_SLOT_S: Final = 3600
_SLOTS: Final = DAY_S // _SLOT_S
_MOST_PLATFORMS: Final = 50_000
_AT_ONCE: Final = 200
"""Numbers between which other work gets its turn."""
_HABITS: Final = tuple(Habit)
_CODE_OF: Final[Mapping[str, int]] = {str(habit): code for code, habit in enumerate(_HABITS)}


class Habits:
    """Counts in one process."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Habit], int] = {}

    def saw(self, platform_id: str, habit: Habit, times: int = 1) -> None:
        """A partner did this."""
        key = (platform_id, habit)
        self._counts[key] = self._counts.get(key, 0) + times

    def take(self) -> Counted:
        """What was counted since this was asked last."""
        counts, self._counts = self._counts, {}
        return [(platform_id, str(habit), times) for (platform_id, habit), times in counts.items()]


class Seen(NamedTuple):
    """How often a partner did something."""

    times: int
    last_at: float
    """Right to a few seconds. Seconds since 1970."""


class _Platform:
    """Of one platform."""

    __slots__ = ("last_at", "series")

    def __init__(self) -> None:
        self.series = bytearray()
        """By the hour."""
        self.last_at: dict[Habit, float] = {}


class Days:
    """What each platform did within a day, and up to an hour more. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._platforms: dict[str, _Platform] = {}
        self._slot = 0

    async def merge(self, counted: Iterable[tuple[str, str, int]], at: float) -> None:
        """Add what one process counted up to a moment."""
        for number, (platform_id, habit, times) in enumerate(counted, 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            code = _CODE_OF.get(habit)
            if code is None:
                continue  # of a newer hub, during an upgrade
            platform = self._platforms.get(platform_id)
            if platform is None:
                if len(self._platforms) >= _MOST_PLATFORMS:
                    continue
                platform = self._platforms[platform_id] = _Platform()
            add_to_series(platform.series, int(at) // _SLOT_S, {code: times})
            known = _HABITS[code]
            platform.last_at[known] = max(at, platform.last_at.get(known, 0.0))

    async def settle(self, now: float) -> None:
        """Drop what is too old, once in an hour."""
        slot = int(now) // _SLOT_S
        if slot == self._slot:
            return
        self._slot = slot
        for number, (platform_id, platform) in enumerate(list(self._platforms.items()), 1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            forget_before(platform.series, slot - _SLOTS)
            if not platform.series:
                del self._platforms[platform_id]

    def of(self, platform_id: str, now: float) -> dict[Habit, Seen]:
        """What a platform did within a day."""
        platform, cell = self._platforms.get(platform_id), Cell()
        if platform is None:
            return {}
        sum_since(platform.series, int(now) // _SLOT_S - _SLOTS, cell)
        return {_HABITS[code]: Seen(count, platform.last_at[_HABITS[code]]) for code, count in cell.items()}
