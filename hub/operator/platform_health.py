"""`/api/v1/platforms/{id}/health` and `/errors`: how messages with a platform go, and what to do where they fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from litestar import get
from msgspec import Struct, field

from hub.advice import Advice, advice_about_sent, general_advice
from hub.circuits import Patience, State
from hub.figures import Cell, Direction, Figures, Kind
from hub.figures.cells import COUNT, HUB_TIME, PARTNER_TIME, failures_in
from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.figure_views import (
    BY_HUB,
    CoversView,
    TimesView,
    TrafficView,
    Window,
    Within,
    covers,
    moment,
    times_view,
    total,
    traffic_view,
    up_to_date,
    usual_ms,
)
from hub.operator.platforms import PlatformID, TheHub
from hub.operator.problems import documented
from hub.operator.resources import CircuitView, circuit_view
from hub.operator.roles import FOR_PARTNERS, Me
from hub.store.journal_entries import Failure
from hub.store.truth import UnknownPlatform
from hub.story_words import BY_RECEIVER
from routing.directory import Platform
from routing.vocabulary import Party

_MINUTE_S: Final = 60
_RECEIVERS: Final = 3
_NOT_MEASURED: Final = {
    "clock_difference_s": "The hub does not compare the clocks of partners with its own",
    "certificate_end": "The hub checks certificates when it connects, and does not keep when they end",
}


class UsualView(Struct, frozen=True):
    """What is usual: the median of the last seven whole days, by UTC; null where no day had 20 messages."""

    hub_p50_ms: float | None
    hub_p95_ms: float | None
    partner_p50_ms: float | None
    partner_p95_ms: float | None


class KindView(Struct, frozen=True):
    """Messages of one method of one module, in one direction."""

    id: str
    direction: Direction
    module: str
    """`custom` stands for all modules that OCPI does not have."""
    method: str
    messages: int
    failed: int
    hub: TimesView
    partner: TimesView | None
    """Null for who may not see what others took."""
    usual: UsualView


class CircuitHealthView(Struct, frozen=True):
    """Whether the hub calls the platform."""

    state: State
    failures: int
    """In a row."""
    opens_at: int
    """So many failures in a row make the hub look whether the platform is there, and open the circuit if it is not."""
    since: datetime | None


class RateLimitView(Struct, frozen=True):
    """What the platform may send."""

    per_second: float
    burst: int
    used: float
    """The share of it that it used in the last whole minute; above 1 it used up its burst, too."""


class HealthView(Struct, frozen=True):
    """How messages with one platform went in a window, and how things are now."""

    window: Window
    covers: CoversView
    incoming: TrafficView = field(name="in")
    """What it sent. The time of the partner is that of the receivers."""
    outgoing: TrafficView = field(name="out")
    """What it was called for, or would have been."""
    usual: UsualView
    """Of all calls at it."""
    kinds: tuple[KindView, ...]
    in_flight: int
    """Calls at it under way, in all processes, a few seconds ago."""
    concurrency: int
    """How many there may be in each process."""
    circuit: CircuitHealthView | None
    """Null while Redis does not answer and other processes cannot be asked."""
    rate_limit: RateLimitView | None
    """Null where there is none."""
    clock_difference_s: float | None
    certificate_end: datetime | None
    unknown: dict[str, str]
    """Of members that are null because it is not known: why."""


class ReceiverView(Struct, frozen=True):
    """Somebody whom messages were for."""

    party: str
    platform_id: str | None
    """Null for parties that are not here."""
    name: str
    """Of the platform, or of the party where there is none."""


class ErrorView(Struct, frozen=True):
    """Messages that failed for one reason, in one direction."""

    id: str
    direction: Direction
    reason: Failure
    by: str
    """Whose failure it is: `hub`, `sender` where the hub refused the message, or `partner`: the one that was called,
    which is another one where the direction is `in`."""
    count: int
    last_at: datetime | None
    """Of the last one that is known."""
    example: str | None
    """Its id, for `GET /messages/{id}`."""
    modules: tuple[str, ...]
    """Where it happened, the most affected first."""
    receivers: tuple[ReceiverView, ...]
    """Where the direction is `in`: whom such messages were for, as far as the hub counts them apart, three at most."""
    advice: str
    commands: tuple[str, ...]
    """The same for a shell, as far as a command helps."""


class ErrorsView(Struct, frozen=True):
    """All reasons there were in a window, the commonest first."""

    items: tuple[ErrorView, ...]
    next_cursor: str | None
    """Always null: the list of reasons is short."""
    covers: CoversView


@get("/platforms/{platform_id:str}/health", tags=["platforms"], responses=documented(404, 422, 503), opt=FOR_PARTNERS)
async def show_health(hub: TheHub, me: TheCaller, platform_id: PlatformID, window: Within = Window.HOUR) -> HealthView:
    """How messages with a platform go: numbers, failures, and times of the hub and the partner apart."""
    platform = _platform(platform_id, hub)
    figures = await up_to_date(hub)
    kinds = figures.rings.detailed(platform_id, window.seconds, figures.now)
    days = figures.rings.days(platform_id, figures.now)
    circuits = await hub.circuits.now()
    circuit = None if circuits is None else circuit_view(circuits.get(platform_id))
    return HealthView(
        window=window,
        covers=covers(hub),
        incoming=traffic_view(_sum(kinds, Direction.IN), partner=me.only_platform is None),
        outgoing=traffic_view(_sum(kinds, Direction.OUT)),
        usual=_usual([_sum(day, Direction.OUT) for day in days], partner=True),
        kinds=tuple(_kind_views(kinds, days, me)),
        in_flight=figures.in_flight(platform_id),
        concurrency=platform.quirks.concurrency,
        circuit=None if circuit is None else _circuit(circuit),
        rate_limit=_rate_limit(platform_id, hub),
        clock_difference_s=None,
        certificate_end=None,
        unknown=_NOT_MEASURED,
    )


@get("/platforms/{platform_id:str}/errors", tags=["platforms"], responses=documented(404, 422, 503), opt=FOR_PARTNERS)
async def list_errors(hub: TheHub, platform_id: PlatformID, window: Within = Window.DAY) -> ErrorsView:
    """Why messages with a platform failed, how often, when last, and what to do about it."""
    platform = _platform(platform_id, hub)
    figures = await up_to_date(hub)
    kinds = figures.rings.detailed(platform_id, window.seconds, figures.now)
    receivers = _receivers(platform_id, window, hub)
    found = [
        _error_view(platform, direction, failure, count, kinds, figures, receivers.get(failure, ()))
        for direction in Direction
        for failure, count in failures_in(_sum(kinds, direction)).items()
    ]
    return ErrorsView(tuple(sorted(found, key=lambda each: -each.count)), None, covers(hub))


def _platform(platform_id: str, hub: Hub) -> Platform:
    part = hub.directory.snapshot.parts.get(platform_id)
    if part is None:
        raise UnknownPlatform
    return part.platform


def _sum(kinds: Mapping[Kind, Cell], direction: Direction) -> Cell:
    return total(cell for kind, cell in kinds.items() if kind.direction is direction)


def _usual(days: Sequence[Mapping[int, int]], *, partner: bool) -> UsualView:
    return UsualView(
        usual_ms(days, 0.5, HUB_TIME),
        usual_ms(days, 0.95, HUB_TIME),
        usual_ms(days, 0.5) if partner else None,
        usual_ms(days, 0.95) if partner else None,
    )


def _kind_views(kinds: Mapping[Kind, Cell], days: Sequence[Mapping[Kind, Cell]], me: Me) -> list[KindView]:
    def view(kind: Kind, cell: Cell) -> KindView:
        sees_partner = me.only_platform is None or kind.direction is Direction.OUT
        return KindView(
            id="/".join(kind),
            direction=kind.direction,
            module=kind.module,
            method=kind.method,
            messages=cell.get(COUNT, 0),
            failed=sum(failures_in(cell).values()),
            hub=times_view(cell, HUB_TIME),
            partner=times_view(cell, PARTNER_TIME) if sees_partner else None,
            usual=_usual([day.get(kind, {}) for day in days], partner=sees_partner),
        )

    return [view(*each) for each in sorted(kinds.items(), key=lambda each: -each[1].get(COUNT, 0))]


def _circuit(circuit: CircuitView) -> CircuitHealthView:
    return CircuitHealthView(circuit.state, circuit.failures, Patience().failures, circuit.since)


def _rate_limit(platform_id: str, hub: Hub) -> RateLimitView | None:
    limit, figures = hub.settings.rate_limit, hub.figures
    if limit is None:
        return None
    cells = figures.rings.steps(platform_id, 2 * _MINUTE_S, _MINUTE_S, figures.now)[Direction.IN]
    used = cells[0].get(COUNT, 0) / (limit.per_second * _MINUTE_S)
    return RateLimitView(limit.per_second, limit.burst, round(used, 4))


def _error_view(
    platform: Platform,
    direction: Direction,
    failure: Failure,
    count: int,
    kinds: Mapping[Kind, Cell],
    figures: Figures,
    receivers: Sequence[ReceiverView],
) -> ErrorView:
    of_kinds = {
        kind.module: failures_in(cell).get(failure, 0) for kind, cell in kinds.items() if kind.direction is direction
    }
    modules = sorted((module for module, number in of_kinds.items() if number), key=lambda each: -of_kinds[each])
    of_platform = figures.rings.platforms.get(platform.id)
    last = None if of_platform is None else of_platform.examples.get((direction, failure))
    receivers = receivers if direction is Direction.IN else ()
    advice = _advice(platform, direction, failure, receivers)
    return ErrorView(
        id=f"{direction}/{failure}",
        direction=direction,
        reason=failure,
        by="partner" if failure in BY_RECEIVER else "hub" if failure in BY_HUB else "sender",
        count=count,
        last_at=None if last is None else moment(last[0]),
        example=None if last is None else last[1],
        modules=tuple(modules),
        receivers=tuple(receivers),
        advice=advice.text,
        commands=advice.commands,
    )


def _advice(platform: Platform, direction: Direction, failure: Failure, receivers: Sequence[ReceiverView]) -> Advice:
    if direction is Direction.OUT:
        return general_advice(failure, platform.name, platform.id)
    return advice_about_sent(failure, platform.name, tuple(dict.fromkeys(each.name for each in receivers)))


def _receivers(platform_id: str, window: Window, hub: Hub) -> dict[Failure, list[ReceiverView]]:
    """For each failure whom such messages of a platform were for, the most frequent first."""
    directory, figures = hub.directory.snapshot, hub.figures
    counted: dict[Failure, Counter[str]] = {}
    for pair, cell in figures.pairs.since(window.seconds, figures.now).items():
        sender = directory.platform_of(_party(pair.sender)) if pair.sender else None
        if sender is not None and sender.id == platform_id:
            for failure, number in failures_in(cell).items():
                counted.setdefault(failure, Counter())[pair.receiver] += number

    def view(party: str) -> ReceiverView:
        at = directory.platform_of(_party(party))
        return ReceiverView(party, None, party) if at is None else ReceiverView(party, at.id, at.name)

    return {failure: [view(party) for party, _ in each.most_common(_RECEIVERS)] for failure, each in counted.items()}


def _party(name: str) -> Party:
    return Party.read(name[:2], name[3:])
