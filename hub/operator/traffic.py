"""`/api/v1/traffic/…`: how many messages there were when, and between whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from litestar import get
from litestar.params import FromQuery, QueryParameter
from msgspec import Struct

from hub.figures import WHOLE_HUB, Cell, Direction
from hub.figures.cells import COUNT, add, failures_in
from hub.figures.pairs import Pair
from hub.figures.rings import TOTALS
from hub.hub import Hub
from hub.operator.figure_views import (
    CoversView,
    FailedView,
    Window,
    Within,
    covers,
    failed_view,
    moment,
    total,
    up_to_date,
)
from hub.operator.message_filters import PartyName
from hub.operator.platforms import TheHub
from hub.operator.problems import Unacceptable, documented
from hub.operator.roles import FOR_AUDITORS
from hub.store.journal_entries import Failure
from routing.vocabulary import Party, Role

Names: TypeAlias = tuple[str, str]

MOST_PARTIES: Final = 24
_MOST_PAIRS: Final = 12
_USUAL_STEPS: Final = {Window.HOUR: 60, Window.DAY: 900, Window.WEEK: 7200}
_MOST_STEPS: Final = 400


class By(StrEnum):
    """What is one row and one column of the matrix."""

    PARTY = "party"
    PLATFORM = "platform"
    COUNTRY = "country"


class Chosen(StrEnum):
    """Which parties are in the matrix."""

    TRAFFIC = "traffic"
    """Those with the most messages."""
    ERRORS = "errors"
    """Those with the most messages that failed."""


Step = Annotated[
    int | None,
    QueryParameter(
        ge=60,
        le=86_400,
        description="Seconds: whole minutes in 1h, a multiple of 300 in 24h, of 3600 in 7d; at most 400 in a window.",
    ),
]
Top = Annotated[int, QueryParameter(ge=1, le=MOST_PARTIES, description="So many parties.")]


class PointView(Struct, frozen=True):
    """One length of time."""

    at: datetime
    """When it began; the last one is not over."""
    messages: int
    """That came to the hub; of a platform, that it sent."""
    failed: FailedView
    calls: int
    """That the hub made, or would have; of a platform, at it."""
    calls_failed: int


class SeriesView(Struct, frozen=True):
    """Messages over time."""

    window: Window
    step: int
    """Seconds."""
    covers: CoversView
    points: tuple[PointView, ...]
    """The oldest first."""


class Agreed(StrEnum):
    """How two parties stand to each other."""

    IN_FORCE = "in_force"
    ENDED = "ended"
    NONE = "none"


class RowView(Struct, frozen=True):
    """Who stands behind the name of a row."""

    platform: str | None
    """Null where nobody of that name is known, and for countries."""
    name: str
    """Of the platform."""
    roles: tuple[Role, ...]
    """Of the party."""


class CellView(Struct, frozen=True):
    """Messages from one to another."""

    sender: str
    receiver: str
    n: int
    errors: int
    mostly: Failure | None
    """The commonest reason; null without errors."""


class PairView(CellView, frozen=True):
    """Messages from one to another, and whether they may."""

    agreement: Agreed | None
    """Null where rows are no parties."""


class RestView(Struct, frozen=True):
    """Messages of all pairs that are not in the matrix."""

    n: int
    errors: int


class MatrixView(Struct, frozen=True):
    """Who talks to whom. Of each length of time the hub keeps the 1,000 busiest pairs, and of the others the sum."""

    window: Window
    covers: CoversView
    parties: tuple[str, ...]
    """The rows and the columns."""
    about: dict[str, RowView]
    """Of each name in this answer."""
    of: int
    """Among so many they were chosen."""
    cells: tuple[CellView, ...]
    """Those in which there is anything, the busiest first."""
    rest: RestView
    worst: tuple[PairView, ...]
    """Of all pairs, in the matrix or not, the 12 with the most errors."""
    kept_apart: tuple[PairView, ...]
    """The 12 with the most messages that were refused for want of an agreement; `n` and `errors` are of these."""


@get("/traffic/series", tags=["traffic"], responses=documented(422, 503), opt=FOR_AUDITORS)
async def show_series(
    hub: TheHub,
    window: Within = Window.HOUR,
    step: Step = None,
    platform: FromQuery[str | None] = None,
) -> SeriesView:
    """Messages over time, of the whole hub or of one platform."""
    step_s = _step(window, step)
    figures = await up_to_date(hub)
    found = figures.rings.steps(platform or WHOLE_HUB, window.seconds, step_s, figures.now)
    first = (int(figures.now) // step_s - window.seconds // step_s + 1) * step_s
    points = (
        PointView(
            moment(first + at * step_s),
            came.get(COUNT, 0),
            failed_view(came),
            called.get(COUNT, 0),
            sum(failures_in(called).values()),
        )
        for at, (came, called) in enumerate(zip(found[Direction.IN], found[Direction.OUT], strict=True))
    )
    return SeriesView(window, step_s, covers(hub), tuple(points))


@get("/traffic/matrix", tags=["traffic"], responses=documented(422, 503), opt=FOR_AUDITORS)
async def show_matrix(
    hub: TheHub,
    window: Within = Window.HOUR,
    module: Annotated[str | None, QueryParameter(max_length=100)] = None,
    top: Top = 12,
    by: FromQuery[By] = By.PARTY,
    order: FromQuery[Chosen] = Chosen.TRAFFIC,
    party: PartyName = None,
) -> MatrixView:
    """Who talks to whom, and where it fails. With `party` it is that party and those it talks to most."""
    if party is not None and by is not By.PARTY:
        raise Unacceptable(detail="party is for a matrix by party; leave out by")
    figures = await up_to_date(hub)
    name = _names(by, hub)
    pairs: dict[Names, Cell] = {}
    for pair, cell in figures.pairs.since(window.seconds, figures.now, module).items():
        add(cell, pairs.setdefault(_between(pair, name), {}))
    everybody = _chosen(pairs, order, party and party.upper())
    chosen = everybody[:top]
    agreed = _agreed(by, hub)
    views = [_cell_view(pair, cell) for pair, cell in pairs.items() if pair[0]]
    shown = [each for each in views if {each.sender, each.receiver} <= set(chosen)]
    between = {(each.sender, each.receiver) for each in shown}
    rest = total(cell for pair, cell in pairs.items() if pair not in between)
    worst = [_pair_view(each, agreed) for each in _worst(views)]
    apart = [_pair_view(each, agreed) for each in _worst(_kept_apart(pairs))]
    named = {*chosen, *(name for each in (*worst, *apart) for name in (each.sender, each.receiver))}
    return MatrixView(
        window=window,
        covers=covers(hub),
        parties=chosen,
        about={name: _row_view(name, by, hub) for name in sorted(named)},
        of=len(everybody),
        cells=tuple(sorted(shown, key=lambda each: -each.n)),
        rest=RestView(rest.get(COUNT, 0), sum(failures_in(rest).values())),
        worst=tuple(worst),
        kept_apart=tuple(apart),
    )


def _step(window: Window, step: int | None) -> int:
    step_s = step or _USUAL_STEPS[window]
    level = next(level for level in TOTALS if level.step_s * level.slots >= window.seconds)
    if step_s % level.step_s or window.seconds % step_s or window.seconds // step_s > _MOST_STEPS:
        raise Unacceptable(
            detail=f"step: within {window} it is a multiple of {level.step_s} seconds that divides the window "
            f"into at most {_MOST_STEPS} parts, such as {_USUAL_STEPS[window]}"
        )
    return step_s


def _names(by: By, hub: Hub) -> Callable[[str], str]:
    """What a party counts as."""
    parties = hub.directory.snapshot.parties
    match by:
        case By.PARTY:
            return lambda party: party
        case By.COUNTRY:
            return lambda party: party[:2]
        case By.PLATFORM:

            def platform(party: str) -> str:
                entry = parties.get(Party.read(party[:2], party[3:]))
                return party if entry is None else entry.platform_id

            return platform


def _between(pair: Pair, name: Callable[[str], str]) -> Names:
    return (name(pair.sender), name(pair.receiver)) if pair.sender else ("", "")


def _agreed(by: By, hub: Hub) -> Callable[[str, str], Agreed | None]:
    """What two rows have agreed."""
    agreements = hub.directory.snapshot.agreements

    def between(one: str, other: str) -> Agreed | None:
        if by is not By.PARTY:
            return None
        agreement = agreements.between(*(Party.read(each[:2], each[3:]) for each in (one, other)))
        if agreement is None:
            return Agreed.NONE
        return Agreed.IN_FORCE if agreement.ended_at is None else Agreed.ENDED

    return between


def _row_view(name: str, by: By, hub: Hub) -> RowView:
    directory = hub.directory.snapshot
    if by is By.PARTY:
        entry = directory.entry(Party.read(name[:2], name[3:]))
        if entry is not None:
            roles = tuple(dict.fromkeys(each.role for each in entry.roles))
            return RowView(entry.platform_id, directory.platform(entry.platform_id).name, roles)
    part = directory.parts.get(name) if by is By.PLATFORM else None
    return RowView(None, name, ()) if part is None else RowView(name, part.platform.name, ())


def _worst(views: Iterable[CellView]) -> list[CellView]:
    failed = (each for each in views if each.errors)
    return sorted(failed, key=lambda each: (-each.errors, each.n, each.sender, each.receiver))[:_MOST_PAIRS]


def _kept_apart(pairs: Mapping[Names, Cell]) -> Iterator[CellView]:
    """Of each pair what was refused for want of an agreement."""
    for pair, cell in pairs.items():
        number = failures_in(cell).get(Failure.NO_AGREEMENT)
        if number and pair[0]:
            yield CellView(*pair, number, number, Failure.NO_AGREEMENT)


def _pair_view(cell: CellView, agreed: Callable[[str, str], Agreed | None]) -> PairView:
    return PairView(cell.sender, cell.receiver, cell.n, cell.errors, cell.mostly, agreed(cell.sender, cell.receiver))


def _chosen(pairs: Mapping[Names, Cell], order: Chosen, party: str | None) -> tuple[str, ...]:
    weights: dict[str, int] = {} if party is None else {party: 1 << 62}
    for pair, cell in pairs.items():
        weight = cell.get(COUNT, 0) if order is Chosen.TRAFFIC else sum(failures_in(cell).values())
        for each in set(pair) - {""} if weight and (party is None or party in pair) else ():
            weights[each] = weights.get(each, 0) + weight
    return tuple(sorted(weights, key=lambda each: (-weights[each], each)))


def _cell_view(pair: Names, cell: Mapping[int, int]) -> CellView:
    failures = failures_in(cell)
    return CellView(*pair, cell.get(COUNT, 0), sum(failures.values()), next(iter(failures), None))
