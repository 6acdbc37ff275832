"""`GET /api/v1/platforms/{id}/quirks`: how a platform is set, and how often the hub saw what each setting is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import get
from msgspec import Struct

from hub.figures import Direction, Figures, Habit
from hub.figures.cells import failures_in
from hub.figures.habits import DAY_S, Seen
from hub.operator.figure_views import CoversView, Window, covers, moment, total, up_to_date
from hub.operator.platforms import PlatformID, TheHub
from hub.operator.problems import documented
from hub.operator.quirk_signs import SIGNS, UNSEEN, Sign
from hub.operator.resources import effective_settings
from hub.operator.roles import FOR_AUDITORS
from hub.store.journal_entries import Failure
from hub.store.losses import LossSum
from routing.quirks import Quirks
from routing.vocabulary import Version

_NEVER: Final = (0.0, "")


class SeenView(Struct, frozen=True):
    """What the hub saw of a habit."""

    what: str
    """What was counted."""
    count: int
    window: Window | None
    """Within which it was counted, or up to an hour more; null for what is counted for good, as losses are."""
    last_at: datetime | None
    """Right to a few seconds; null where there was nothing."""
    losses: tuple[str, ...]
    """Which ones they were, for `GET /platforms/{id}/losses`; empty for what is no loss."""


class PlatformQuirkView(Struct, frozen=True):
    """One of the settings of a platform."""

    id: str
    value: bool | float | str | tuple[str, ...] | dict[str, tuple[str, ...]] | None
    is_default: bool
    seen: SeenView | None
    """Null where the hub cannot see such a thing."""
    unseen: str | None
    """Why it cannot; null where it can."""


class PlatformQuirksView(Struct, frozen=True):
    """All of them."""

    items: tuple[PlatformQuirkView, ...]
    next_cursor: str | None
    """Always null: the list is whole."""
    covers: CoversView
    """What is counted within a window begins anew where this does."""


class _Sights(Struct, frozen=True):
    """Everything that was seen of one platform."""

    versions: frozenset[Version]
    """Those it is registered with."""
    habits: Mapping[Habit, Seen]
    failures: Mapping[Failure, Seen]
    losses: tuple[LossSum, ...]


@get("/platforms/{platform_id:str}/quirks", tags=["platforms"], responses=documented(404, 503), opt=FOR_AUDITORS)
async def list_platform_quirks(hub: TheHub, platform_id: PlatformID) -> PlatformQuirksView:
    """Every setting of a platform, and how often the hub saw the platform do what the setting is for."""
    record = await hub.platforms.get(platform_id)
    figures = await up_to_date(hub)
    sights = _Sights(
        versions=frozenset(each.version for each in record.connections),
        habits=figures.days.of(platform_id, figures.now),
        failures=_failures(platform_id, figures),
        losses=await hub.loss_counts.sums(platform_id),
    )
    values, defaults = (
        msgspec.to_builtins(effective_settings(each, hub.settings)) for each in (record.quirks, Quirks())
    )
    items = (_view(name, value, value == defaults[name], sights) for name, value in values.items())
    return PlatformQuirksView(tuple(items), None, covers(hub))


def _failures(platform_id: str, figures: Figures) -> dict[Failure, Seen]:
    """Why calls at a platform failed."""
    kinds = figures.rings.detailed(platform_id, DAY_S, figures.now)
    counts = failures_in(total(cell for kind, cell in kinds.items() if kind.direction is Direction.OUT))
    platform = figures.rings.platforms.get(platform_id)
    last = {} if platform is None else platform.examples
    return {failure: Seen(count, last.get((Direction.OUT, failure), _NEVER)[0]) for failure, count in counts.items()}


def _view(name: str, value: Any, is_default: bool, sights: _Sights) -> PlatformQuirkView:  # noqa: ANN401 - any setting
    sign = SIGNS.get(name)
    if sign is None:
        return PlatformQuirkView(name, value, is_default, None, UNSEEN[name])
    seen, unseen = _seen(sign, sights), _why_unseen(sign, value, sights)
    if unseen is not None and not seen.count:
        return PlatformQuirkView(name, value, is_default, None, unseen)
    return PlatformQuirkView(name, value, is_default, seen, None)


def _why_unseen(sign: Sign, value: Any, sights: _Sights) -> str | None:  # noqa: ANN401 - any setting
    if not sights.versions:
        return "It is not registered"
    if sign.versions.isdisjoint(sights.versions):
        return "There is no such thing in its version of OCPI"
    if value in sign.hidden_at:
        return "It does not show while the setting has this value"
    return None


def _seen(sign: Sign, sights: _Sights) -> SeenView:
    if sign.rules:
        return _of_losses(sign, sights.losses)
    found = sights.habits.get(sign.habit) if sign.habit is not None else None
    if sign.failure is not None:
        found = sights.failures.get(sign.failure)
    count, last_at = (0, 0.0) if found is None else found
    return SeenView(sign.what, count, Window.DAY, moment(last_at) if last_at else None, ())


def _of_losses(sign: Sign, losses: Iterable[LossSum]) -> SeenView:
    found = [each for each in losses if each.loss in sign.rules and each.direction in sign.directions]
    return SeenView(
        what=sign.what,
        count=sum(each.times for each in found),
        window=None,
        last_at=max((each.last_at for each in found), default=None),
        losses=tuple(sorted({each.loss for each in found})),
    )
