"""Every metric of the hub. Labels come from small closed sets; names end in their unit."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import values as prometheus_values

from hub.event_kinds import EventKind
from hub.observability.shared_metrics import SharedMetrics, are_shared
from hub.observability.vitals import Vitals
from routing.translation.losses import CATALOGUE
from routing.vocabulary import ConnectionStatus, ModuleID, Version

ROUTES = frozenset({"direct", "open", "broadcast", "get_all", "callback", "hub", "refused"})
"""How a message was routed; `hub`: answered by the hub itself, `refused`: not routed at all."""
OUTCOMES = frozenset(
    {"delivered", "refused", "unneeded", "untranslatable", "timeout", "unreachable", "failed"}
    | {"offline", "merged", "stale", "taken_over"}
)
"""What can become of a broadcast at one receiver; the second line: before it was called."""
PUSH_OUTCOMES = frozenset({"delivered", "refused", "timeout", "unreachable", "failed", "offline"})
"""What can become of a ClientInfo object at one platform."""
FAILURES = frozenset({"timeout", "unreachable", "not_tried", "gateway"})
"""Why a call at a partner got no answer; `not_tried`: too many others wait for this partner."""
_MODULES = frozenset(map(str, ModuleID)) | {"versions"}
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_STATUSES = frozenset({1000, 2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003})
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_TRANSLATION_BUCKETS_S = (1e-05, 2.5e-05, 5e-05, 1e-04, 2.5e-04, 5e-04, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
"""From one small object to a long page."""
_CHILDREN_LIMIT = 20_000
_TELL_EVERY_S = 1.0
PLATFORM_LABELS = 1_000


def _status_label(status: int | None) -> str:
    """A status of the specification, the hundreds of another one, `unread` when the hub did not look."""
    if status is None:
        return "unread"
    if status in _STATUSES:
        return str(status)
    return f"{status // 1000}xxx" if 1000 <= status < 5000 else "other"


class _Tally:
    """Durations of one kind, and how many there were, since the library was last told.

    To tell it each time would cost a message five times as much.
    """

    __slots__ = ("_buckets", "_counter", "_histogram", "_limits", "_sum", "times")

    def __init__(
        self, histogram: Histogram, counter: Counter | None = None, limits: tuple[float, ...] = _BUCKETS_S
    ) -> None:
        self._histogram = histogram
        self._counter = counter
        self._limits = limits
        self._clear()

    def _clear(self) -> None:
        self.times = 0
        self._sum = 0.0
        self._buckets = [0] * (len(self._limits) + 1)

    def observe(self, seconds: float) -> bool:
        """Whether it is the first one since the library was told."""
        self._sum += seconds
        self._buckets[bisect_left(self._limits, seconds)] += 1
        self.times += 1
        return self.times == 1

    def tell(self) -> None:
        """Hand over what has come together; to a histogram bucket by bucket, as its `observe` takes one at a time."""
        if self._counter is not None:
            self._counter.inc(self.times)
        self._histogram._sum.inc(self._sum)  # noqa: SLF001 - see above
        for bucket, times in zip(self._histogram._buckets, self._buckets, strict=True):  # noqa: SLF001 - see above
            if times:
                bucket.inc(times)
        self._clear()


class _Count:
    """How often something happened since the library was last told; see `_Tally`."""

    __slots__ = ("_counter", "_times")

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._times = 0

    def add(self) -> bool:
        """Whether it is the first time since the library was told."""
        self._times += 1
        return self._times == 1

    def tell(self) -> None:
        self._counter.inc(self._times)
        self._times = 0


class Metrics:
    """Every metric of the hub, with one method for each thing that happens.

    In one process the figures live in a registry of their own. Where PROMETHEUS_MULTIPROC_DIR is set, they live
    in files of that directory, and any of the processes shows the sum of all, of messages a second late.
    """

    content_type = "text/plain; version=0.0.4"

    def __init__(self) -> None:
        self._multiprocess = are_shared()
        if self._multiprocess and prometheus_values.ValueClass is prometheus_values.MutexValue:
            # The library looked before the command line had set the variable.
            prometheus_values.ValueClass = prometheus_values.MultiProcessValue()  # type: ignore[no-untyped-call]  # the library lacks types here
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks types here
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # not seen where there are several processes
        self.vitals = Vitals(registry)
        self._messages = Counter(
            "ocpi_hub_messages",
            "Messages answered, by how they were routed and the OCPI status of the answer.",
            ["route", "module", "method", "source_version", "target_version", "ocpi_status"],
            registry=registry,
        )
        self._message_seconds = Histogram(
            "ocpi_hub_message_seconds",
            "Whole time of a message in the hub, the partner's part included.",
            ["route", "module"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._upstream_seconds = Histogram(
            "ocpi_hub_upstream_seconds",
            "Time a partner took to answer a call of the hub.",
            ["module", "platform"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._upstream_failures = Counter(
            "ocpi_hub_upstream_failures",
            "Calls at a partner that got no answer, or only a gateway's.",
            ["platform", "reason"],
            registry=registry,
        )
        self._platform_requests = Counter(
            "ocpi_hub_platform_requests",
            "Messages a platform has sent.",
            ["platform"],
            registry=registry,
        )
        self._platform_calls = Counter(
            "ocpi_hub_platform_calls",
            "Calls of the hub at partners that messages of a platform led to.",
            ["platform"],
            registry=registry,
        )
        self._translation_seconds = Histogram(
            "ocpi_hub_translation_seconds",
            "Time it took to turn a body of one version into one of another, without what was asked elsewhere for it.",
            ["module", "source_version", "target_version"],
            buckets=_TRANSLATION_BUCKETS_S,
            registry=registry,
        )
        self._losses = Counter(
            "ocpi_hub_translation_losses",
            "What translation lost, replaced, assumed or refused, by the id it has in the catalogue.",
            ["loss"],
            registry=registry,
        )
        self._broadcast_deliveries = Counter(
            "ocpi_hub_broadcast_deliveries",
            "What became of broadcasts, at each of their receivers.",
            ["module", "outcome"],
            registry=registry,
        )
        self._client_info_pushes = Counter(
            "ocpi_hub_client_info_pushes",
            "What became of ClientInfo objects, at each platform that was told.",
            ["outcome"],
            registry=registry,
        )
        self._broadcasts_in_flight = Gauge(
            "ocpi_hub_broadcast_inflight",
            "Deliveries of broadcasts under way.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._platforms = Gauge(
            "ocpi_hub_platforms",
            "Platforms, by status.",
            ["status"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._leads = Gauge(
            "ocpi_hub_leads",
            "1 in the process that does what happens once in the whole hub.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._parties = Gauge(
            "ocpi_hub_parties",
            "Parties, by status.",
            ["status"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._snapshot_age = Gauge(
            "ocpi_hub_directory_snapshot_age_seconds",
            "Time since the directory was last known to be current.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._reloads = Counter(
            "ocpi_hub_directory_reloads",
            "Times the directory was renewed because platforms changed.",
            registry=registry,
        )
        self._events_open = Gauge(
            "ocpi_hub_events_open",
            "Events whose cause is still there, by kind.",
            ["kind"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._reloads_counted = 0
        self._journal_written = Counter(
            "ocpi_hub_journal_written",
            "Entries of the journal that were written.",
            registry=registry,
        )
        self._journal_dropped = Counter(
            "ocpi_hub_journal_dropped",
            "Entries of the journal that there was no room for, because they could not be written.",
            registry=registry,
        )
        self._journal_waiting = Gauge(
            "ocpi_hub_journal_waiting",
            "Entries of the journal that are not written yet.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._circuit_open = Gauge(
            "ocpi_hub_circuit_open",
            "Whether a partner is not called at present, because it does not answer.",
            ["platform"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._message_children: dict[tuple[object, ...], _Tally] = {}
        self._upstream_children: dict[tuple[str, str], _Tally] = {}
        self._delivery_children: dict[tuple[str, str], _Count] = {}
        self._untold: list[_Tally | _Count] = []
        self._timer: asyncio.TimerHandle | None = None
        self._platform_labels: set[str] = set()
        self._translation_children: dict[tuple[str, Version, Version], _Tally] = {}

    def message(
        self,
        *,
        route: str,
        module: str,
        method: str,
        source_version: Version | None,
        target_version: Version | None,
        ocpi_status: int | None,
        seconds: float,
    ) -> None:
        """Count one answered message. `ocpi_status` is None when an answer went on unread."""
        key = (route, module, method, source_version, target_version, ocpi_status)
        child = self._message_children.get(key)
        if child is None:
            child = self._new_message_child(*key)
            if len(self._message_children) < _CHILDREN_LIMIT:
                self._message_children[key] = child
        if child.observe(seconds):
            self._to_be_told(child)

    def upstream(self, module: str, platform_id: str, seconds: float) -> None:
        """Count one call at a partner."""
        key = (module, platform_id)
        child = self._upstream_children.get(key)
        if child is None:
            child = _Tally(self._upstream_seconds.labels(_module_label(module), self._platform_label(platform_id)))
            if len(self._upstream_children) < _CHILDREN_LIMIT:
                self._upstream_children[key] = child
        if child.observe(seconds):
            self._to_be_told(child)

    def upstream_failed(self, platform_id: str, reason: str) -> None:
        """Count a call that got no answer of a partner, or none that is its own."""
        reason = reason if reason in FAILURES else "other"
        self._upstream_failures.labels(self._platform_label(platform_id), reason).inc()

    def _to_be_told(self, child: _Tally | _Count) -> None:
        """See that other processes hear of it soon, and that what nobody asks for is no more and more."""
        self._untold.append(child)
        if self._multiprocess and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TELL_EVERY_S, self._tell)
        elif len(self._untold) >= _CHILDREN_LIMIT:
            self._tell()

    def _tell(self) -> None:
        self._timer = None
        untold, self._untold = self._untold, []
        for child in untold:
            child.tell()

    def close(self) -> None:
        """Leave the last of it to the other processes."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell()

    def amplified(self, platform_id: str, requests: int, calls: int) -> None:
        """Count messages of a platform, and the calls they led to."""
        platform = self._platform_label(platform_id)
        self._platform_requests.labels(platform).inc(requests)
        self._platform_calls.labels(platform).inc(calls)

    def _platform_label(self, platform_id: str) -> str:
        if len(self._platform_labels) < PLATFORM_LABELS:
            self._platform_labels.add(platform_id)
        return platform_id if platform_id in self._platform_labels else "other"

    def translated(self, module: str, source_version: Version, target_version: Version, seconds: float) -> None:
        """Time one body that changed its version, a request's or an answer's."""
        key = (module, source_version, target_version)
        child = self._translation_children.get(key)
        if child is None:
            labels = (_module_label(module), source_version.value, target_version.value)
            child = _Tally(self._translation_seconds.labels(*labels), limits=_TRANSLATION_BUCKETS_S)
            if len(self._translation_children) < _CHILDREN_LIMIT:
                self._translation_children[key] = child
        if child.observe(seconds):
            self._to_be_told(child)

    def losses(self, ids: Iterable[str] | Mapping[str, int]) -> None:
        """Count what translations lost: an id of the catalogue for each time, or how often each."""
        for loss, times in Tally(ids).items():
            self._losses.labels(loss if loss in CATALOGUE else "other").inc(times)

    def broadcast_delivery(self, module: str, outcome: str) -> None:
        """Count what became of a broadcast at one receiver."""
        key = (_module_label(module), outcome if outcome in OUTCOMES else "other")
        child = self._delivery_children.get(key)
        if child is None:
            child = self._delivery_children[key] = _Count(self._broadcast_deliveries.labels(*key))
        if child.add():
            self._to_be_told(child)

    def client_info_push(self, outcome: str) -> None:
        """Count what became of a ClientInfo object at one platform."""
        self._client_info_pushes.labels(outcome if outcome in PUSH_OUTCOMES else "other").inc()

    @contextmanager
    def broadcast_in_flight(self) -> Iterator[None]:
        """Count a delivery as under way while the block lasts."""
        self._broadcasts_in_flight.inc()
        try:
            yield
        finally:
            self._broadcasts_in_flight.dec()

    def circuit(self, platform_id: str, *, is_open: bool) -> None:
        """Say that the circuit of a platform has opened or closed."""
        gauge = self._circuit_open.labels(self._platform_label(platform_id))
        if is_open:  # not `set`: several platforms may share a label
            gauge.inc()
        else:
            gauge.dec()

    def directory(
        self,
        platforms: Mapping[ConnectionStatus, int],
        parties: Mapping[ConnectionStatus, int],
        *,
        age_s: float,
        reloads: int,
    ) -> None:
        """Say what the directory holds, how long ago it was known to be current, and how often it was renewed."""
        for status in ConnectionStatus:
            self._platforms.labels(status.value).set(platforms.get(status, 0))
            self._parties.labels(status.value).set(parties.get(status, 0))
        self._snapshot_age.set(age_s)
        self._reloads.inc(reloads - self._reloads_counted)
        self._reloads_counted = reloads

    def leads(self, *, leads: bool) -> None:
        """Say whether this process leads the hub."""
        self._leads.set(leads)

    def journal_written(self, entries: int) -> None:
        """Count entries that were written."""
        self._journal_written.inc(entries)

    def journal_dropped(self, entries: int) -> None:
        """Count entries that were not kept."""
        self._journal_dropped.inc(entries)

    def journal_waiting(self, entries: int) -> None:
        """Say how many are not written yet."""
        self._journal_waiting.set(entries)

    def events_open(self, by_kind: Mapping[EventKind, int]) -> None:
        """Say how many events of each kind are open."""
        for kind in EventKind:
            self._events_open.labels(kind.value).set(by_kind.get(kind, 0))

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format, see `content_type`."""
        self._tell()
        return self._written()

    async def exposed(self) -> bytes:
        """The same, written in a thread: with hundreds of partners it takes a tenth of a second, and messages go on."""
        self._tell()
        return await asyncio.to_thread(self._written)

    def _written(self) -> bytes:
        if not self._multiprocess:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        registry.register(SharedMetrics())
        return generate_latest(registry)

    def _new_message_child(
        self,
        route: str,
        module: str,
        method: str,
        source: Version | None,
        target: Version | None,
        status: int | None,
    ) -> _Tally:
        route = route if route in ROUTES else "other"
        module = _module_label(module)
        method = method if method in _METHODS else "other"
        labels = (route, module, method, _version_label(source), _version_label(target), _status_label(status))
        return _Tally(self._message_seconds.labels(route, module), self._messages.labels(*labels))


def _module_label(module: str) -> str:
    return str(module) if module in _MODULES else "custom"


def _version_label(version: Version | None) -> str:
    return "none" if version is None else version.value
