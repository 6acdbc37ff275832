"""Every call at a partner for a message passes that partner's circuit, see `hub.circuits.circuit`.

Registration does not, nor does what finds out whether partners are there: that has to get through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import SystemRandom
from time import monotonic
from typing import Final

import structlog
from msgspec import Struct

from hub.circuits.circuit import Circuit, Patience
from hub.circuits.sharing import CircuitNow, Sharing, worst
from hub.events import EventKind, Events
from hub.ids import new_ids
from hub.observability import FilteringBoundLogger, Metrics
from hub.partners.bulkhead import NotTried
from hub.partners.client import CallLimits, PartnerClient
from hub.store.live_directory import LiveDirectory
from hub.store.redis import CacheUnreachable
from hub.store.single_flight import cancelled
from routing.directory import Connection
from routing.errors import HubError, HubFault, NotRoutable, ReceiverTimeout, ReceiverUnreachable, Refusal
from routing.message import Call, Reply, id_headers
from routing.vocabulary import ConnectionStatus

log: FilteringBoundLogger = structlog.get_logger()

_FAIR_S: Final = 0.5
"""A call that was given less than this says nothing about the partner when it fails."""
_LOOK_BYTES: Final = 1024 * 1024
_GLANCE_S: Final = 0.5
"""How soon a circuit is forgotten whose partner has left, or is known to be offline."""
_GATEWAY: Final = range(502, 505)
"""Statuses by which a gateway says that nobody is behind it."""
_JITTER: Final = (0.9, 1.1)
_PATIENCE: Final = Patience()
_random = SystemRandom()


class Guarded(Struct, eq=False):
    """A circuit, the connection whose call failed last, and why it did."""

    circuit: Circuit
    connection: Connection
    reason: str = ""


class Circuits:
    """The circuits of all partners in this process. One whose last call was answered has none.

    `check_soon` is told of a partner whose circuit opens. `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        partners: PartnerClient,
        directory: LiveDirectory,
        events: Events,
        metrics: Metrics,
        check_soon: Callable[[Connection], None],
        connect_timeout_s: float,
        allow_private: bool,
        sharing: Sharing,
        patience: Patience = _PATIENCE,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._partners = partners
        self._directory = directory
        self._events = events
        self._metrics = metrics
        self._check_soon = check_soon
        self._connect_timeout_s = connect_timeout_s
        self._allow_private = allow_private
        self._sharing = sharing
        self._patience = patience
        self._clock = clock
        self._guarded: dict[str, Guarded] = {}
        self._looking: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to share with other processes."""
        self._sharing.start(self._own, self._close_here)

    async def stop(self) -> None:
        """Look no more."""
        await cancelled(self._looking)
        await self._sharing.stop()

    # ------------------------------------------------------------ calls

    def check(self, connection: Connection) -> None:
        """Let a call begin.

        Raises:
            ReceiverUnreachable: the circuit is open.
        """
        guarded = self._guarded.get(connection.platform_id)
        if guarded is not None and guarded.circuit.is_open:
            text = "The receiver has not answered for some time; the hub calls it again when it is back"
            raise ReceiverUnreachable(text, Refusal.CIRCUIT_OPEN)

    async def call(self, connection: Connection, call: Call, limits: CallLimits) -> Reply:
        """Make a call that `check` let begin, and learn from what becomes of it.

        Raises:
            ReceiverTimeout, ReceiverUnreachable, NotRoutable: see `PartnerClient.call`.
        """
        try:
            reply = await self._partners.call(call, limits)
        except (ReceiverTimeout, ReceiverUnreachable) as error:
            self._metrics.upstream_failed(connection.platform_id, _why(error))
            if limits.total_s >= _FAIR_S and not isinstance(error, NotTried):
                self._failed(connection, str(error))
            raise
        if reply.http_status in _GATEWAY:
            self._metrics.upstream_failed(connection.platform_id, "gateway")
            self._failed(connection, f"A gateway answers {reply.http_status}")
        elif self._guarded:
            self._answered(connection.platform_id)
        return reply

    def _failed(self, connection: Connection, reason: str) -> None:
        platform_id, now = connection.platform_id, self._clock()
        guarded = self._guarded.get(platform_id)
        if guarded is None:
            guarded = self._guarded[platform_id] = Guarded(Circuit(self._patience), connection)
        guarded.connection, guarded.reason = connection, reason
        guarded.circuit.failed(now)
        self._sharing.changed()
        if not guarded.circuit.is_open and guarded.circuit.wants_look(now):
            guarded.circuit.begin_look()
            name = f"circuit of {connection.platform_name}"
            task = asyncio.create_task(self._look_after(platform_id, guarded), name=name)
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    def _answered(self, platform_id: str) -> None:
        guarded = self._guarded.get(platform_id)
        if guarded is not None:
            self._end(platform_id, guarded, "answered")

    # ------------------------------------------------------------ looks

    async def _look_after(self, platform_id: str, guarded: Guarded) -> None:
        """Look once, as the hub doubts, and while the circuit is open again and again."""
        circuit = guarded.circuit
        await self._look(platform_id, guarded)
        while circuit.is_open:
            await asyncio.sleep(min(_GLANCE_S, max(circuit.due_at - self._clock(), 0.0)))
            if not self._is_connected(guarded):
                self._end(platform_id, guarded, "not connected any more")
            elif circuit.wants_look(self._clock()):
                circuit.begin_look()
                await self._look(platform_id, guarded)

    async def _look(self, platform_id: str, guarded: Guarded) -> None:
        circuit = guarded.circuit
        self._sharing.changed()
        try:
            found = await self._finds_somebody(guarded)
        except Exception:  # a bug here must neither open a circuit nor keep it open
            log.exception("circuit_look_failed")
            found = True
        if found:
            circuit.end_look()
            self._end(platform_id, guarded, "probe")
        elif circuit.end_look_in_vain(self._clock(), _random.uniform(*_JITTER)):
            self._opened(platform_id, guarded)
        self._sharing.changed()

    async def _finds_somebody(self, guarded: Guarded) -> bool:
        """Whether anything answers at the versions endpoint of this partner. OCPI 2.2.1, "Version information"."""
        connection = guarded.connection
        authorization = (b"authorization", connection.authorization.reveal().encode())
        call = Call("GET", connection.versions_url, [authorization, *id_headers(new_ids())])
        limits = CallLimits(
            total_s=self._patience.look_s,
            connect_s=min(self._connect_timeout_s, self._patience.look_s),
            max_answer_bytes=_LOOK_BYTES,
            concurrency=1,
            platform_id=f"{connection.platform_id}/circuit",  # a lane of its own: the messages' may be full
            allow_private=self._allow_private,
        )
        try:
            reply = await self._partners.call(call, limits)
        except NotRoutable:  # it answers, if not well
            return True
        except HubError as error:
            guarded.reason = str(error)
            return False
        return reply.http_status not in _GATEWAY

    def _is_connected(self, guarded: Guarded) -> bool:
        """Whether messages go to this partner at all; keeps the connection up to date."""
        part = self._directory.snapshot.parts.get(guarded.connection.platform_id)
        if part is None or part.platform.status is not ConnectionStatus.CONNECTED:
            return False
        own = (each for each in part.platform.connections if each.id == guarded.connection.id)
        current = next(own, None)
        if current is not None:
            guarded.connection = current
        return current is not None

    # ------------------------------------------------------------ what changes

    def _opened(self, platform_id: str, guarded: Guarded) -> None:
        failures, reason = guarded.circuit.failures, guarded.reason
        name = guarded.connection.platform_name
        log.warning("circuit_opened", platform=name, platform_id=platform_id, failures=failures, reason=reason)
        self._metrics.circuit(platform_id, is_open=True)
        self._events.happened(EventKind.CIRCUIT_OPEN, platform_id=platform_id, failures=failures, reason=reason)
        self._check_soon(guarded.connection)

    def _end(self, platform_id: str, guarded: Guarded, why: str) -> None:
        """The circuit is closed, if it was open, and its failures are forgotten."""
        if self._guarded.get(platform_id) is guarded:
            del self._guarded[platform_id]
        self._sharing.changed()
        open_s = self._clock() - guarded.circuit.since
        if guarded.circuit.answered():
            log.info("circuit_closed", platform_id=platform_id, because=why, open_s=round(open_s, 1))
            self._metrics.circuit(platform_id, is_open=False)
            self._events.over(EventKind.CIRCUIT_OPEN, platform_id=platform_id)

    def _close_here(self, platform_id: str) -> None:
        guarded = self._guarded.get(platform_id)
        if guarded is not None:
            self._end(platform_id, guarded, "operator")

    # ------------------------------------------------------------ what an operator does

    async def close(self, platform_id: str) -> None:
        """Close the circuit of a platform in every process.

        Raises:
            HubFault: the other processes cannot be told now.
        """
        self._close_here(platform_id)
        try:
            await self._sharing.order_closed(platform_id)
        except CacheUnreachable as error:
            raise HubFault("Redis does not answer, so other processes cannot be told; try again soon") from error

    async def now(self) -> dict[str, CircuitNow] | None:
        """The circuits of all processes whose last call failed, by platform; None when they cannot be known."""
        every = list(self._own().items())
        try:
            every += await self._sharing.others()
        except CacheUnreachable:
            return None
        by_platform: dict[str, list[CircuitNow]] = {}
        for platform_id, circuit in every:
            by_platform.setdefault(platform_id, []).append(circuit)
        return {platform_id: worst(circuits) for platform_id, circuits in by_platform.items()}

    def _own(self) -> dict[str, CircuitNow]:
        now = self._clock()
        return {
            platform_id: CircuitNow(each.circuit.state, each.circuit.failures, now - each.circuit.since)
            for platform_id, each in self._guarded.items()
        }


def _why(error: ReceiverTimeout | ReceiverUnreachable) -> str:
    """The failure as a label of the metrics."""
    if isinstance(error, ReceiverTimeout):
        return "timeout"
    return "not_tried" if isinstance(error, NotTried) else "unreachable"
