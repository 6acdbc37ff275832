"""A push to everybody: accepted at once, and then brought to each receiver in the hub's own name.

OCPI 2.2.1, "Transport and format", Broadcast Push. The sender hears that the hub has it, and nothing of receivers. Each
of these gets one attempt, in its own version and behind earlier pushes of the same object; see `hub.delivery_line` for
when, and `hub.store.accepted_broadcasts` for what happens when this process ends before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
from msgspec import UNSET, Struct

from hub.hub import Hub
from hub.ids import new_id
from hub.lessons import learn_broadcast
from hub.observability import FilteringBoundLogger
from hub.pushes import Push, about, take_up
from hub.store.accepted_broadcasts import Orphan
from hub.store.broadcast_stream import Kept
from hub.store.journal_entries import Receivers
from hub.store.single_flight import cancelled
from hub.trace import Trace
from routing.directory import Connection, PartyDirectory
from routing.errors import HubError
from routing.message import Answer, Message, MessageIds
from routing.modules import operation_at
from routing.outcome import success
from routing.receivers import forward
from routing.routes import Broadcast, Forward
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import InterfaceRole, Party, Version

log: FilteringBoundLogger = structlog.get_logger()

BEGIN_WITHIN_S: Final = 30.0
"""A delivery that could not begin so long after the broadcast was accepted is dropped."""
LOOK_EVERY_S: Final = 1.0


class _Written(Struct, frozen=True):
    """One accepted broadcast, for the process that will have to finish it."""

    version: Version
    module: str
    interface: InterfaceRole
    method: str
    segments: tuple[str, ...]
    query: str
    sender: Party
    receiver: Party | None
    body: bytes | None
    platform_id: str
    connection_id: str
    ids: MessageIds
    receivers: tuple[Party, ...]


_read_written = msgspec.json.Decoder(_Written).decode


async def broadcast(message: Message, route: Broadcast, source: Connection, trace: Trace, hub: Hub) -> Answer:
    """Accept a push for all of its receivers, or for none.

    Raises:
        TooManyRequests: its sender broadcasts more than it may.
        Overloaded: there is no room for all of them.
    """
    receivers, room = route.receivers, hub.line.room
    trace.receivers = Receivers(told=len(receivers), ok=0, failed=0, skipped=0)
    hub.limits.broadcast_of(source.platform_id, len(receivers))
    size = len(message.body or b"") * len({receiver.connection.version for receiver in receivers})
    room.take(len(receivers), size)
    try:
        kept = await _keep(message, receivers, source, trace.ids, hub)
        learn_broadcast(message, source, hub)
    except BaseException:
        room.give(len(receivers), size)
        raise
    until = asyncio.get_running_loop().time() + BEGIN_WITHIN_S
    if receivers:
        push = Push(message, source, trace.ids, hub.directory.snapshot, until, size, kept, len(receivers), trace.spans)
        take_up(push, receivers, hub)
    return success(UNSET, hub.party, datetime.now(UTC), f"accepted for {len(receivers)} receivers")


@asynccontextmanager
async def broadcasting(hub: Hub, *, look_every_s: float = LOOK_EVERY_S) -> AsyncIterator[None]:
    """Bring broadcasts to their receivers for as long as the block runs, also those of processes that are gone.

    Every process of a hub may do so at once.
    """
    task = asyncio.create_task(_look_after(hub, look_every_s), name="broadcasts")
    try:
        yield
    finally:
        await cancelled([task])
        await hub.line.close()
        if hub.line.room.jobs:
            log.warning("broadcasts_cut_short", deliveries=hub.line.room.jobs)
        await hub.accepted_broadcasts.stop()


async def _look_after(hub: Hub, look_every_s: float) -> None:
    while True:
        try:
            await hub.line.drop_stale()
            for orphan in await hub.accepted_broadcasts.look_after():
                _adopt_safely(orphan, hub)
        except Exception:  # a bug in one round must not end all later ones
            log.exception("broadcasts_not_looked_after")
        await asyncio.sleep(look_every_s)


async def _keep(
    message: Message, receivers: tuple[Forward, ...], source: Connection, ids: MessageIds, hub: Hub
) -> Kept:
    named = hub.accepted_broadcasts.name_of(ids.correlation_id, ids.request_id)
    if not receivers or not hub.accepted_broadcasts.can_keep:
        return Kept(named=named)
    written = _Written(
        version=message.version,
        module=message.operation.module,
        interface=message.operation.interface,
        method=message.operation.method,
        segments=message.segments,
        query=message.query,
        sender=message.sender,
        receiver=message.receiver,
        body=message.body,
        platform_id=source.platform_id,
        connection_id=source.id,
        ids=ids,
        receivers=tuple(receiver.receiver for receiver in receivers),
    )
    return await hub.accepted_broadcasts.keep(new_id(), msgspec.json.encode(written), about(message), named)


async def on_its_way_to(correlation_id: str, request_id: str, hub: Hub) -> frozenset[str] | None:
    """The receivers at which an accepted broadcast waits for its turn, or for the answer.

    It is the newest with these ids. None where it is done with all, or nobody can tell: it may be in the hands of a
    process that has written nothing down, for want of a Redis.
    """
    named = hub.accepted_broadcasts.name_of(correlation_id, request_id)
    here = hub.accepted_broadcasts.left_here(named)
    if here is not None:
        return here
    known = await hub.accepted_broadcasts.known(named)
    return None if known is None else frozenset(map(str, _read_written(known.content).receivers)) - known.done


def _adopt_safely(orphan: Orphan, hub: Hub) -> None:
    try:
        _adopt(orphan, hub)
    except Exception:  # it would come back every second, and keep the others from being done
        log.exception("broadcast_not_adopted")
        hub.accepted_broadcasts.finish(orphan.kept)


def _adopt(orphan: Orphan, hub: Hub) -> None:
    """Do what is left of a broadcast whose process is gone."""
    written, directory = _read_written(orphan.content), hub.directory.snapshot
    message = Message(
        version=written.version,
        operation=operation_at(written.version, written.module, written.interface, written.method, written.segments),
        segments=written.segments,
        query=written.query,
        sender=written.sender,
        receiver=written.receiver,
        body=written.body,
    )
    left = [party for party in written.receivers if str(party) not in orphan.done]
    source = _source(written, directory)
    routes = () if source is None else tuple(_routes(message, left, directory, hub.party))
    log.info("broadcast_adopted", correlation_id=written.ids.correlation_id, left=len(left), reachable=len(routes))
    if source is None or not routes:
        hub.accepted_broadcasts.finish(orphan.kept)
        return
    size = len(message.body or b"")
    hub.line.room.take_anyway(len(routes), size)
    until = asyncio.get_running_loop().time() + BEGIN_WITHIN_S - orphan.age_s
    take_up(Push(message, source, written.ids, directory, until, size, orphan.kept, len(routes)), routes, hub)


def _source(written: _Written, directory: PartyDirectory) -> Connection | None:
    part = directory.parts.get(written.platform_id)
    connections = () if part is None else part.platform.connections
    return next((each for each in connections if each.id == written.connection_id), None)


def _routes(message: Message, receivers: Iterable[Party], directory: PartyDirectory, hub: Party) -> Iterator[Forward]:
    """The ways to those that can be called now."""
    for receiver in receivers:
        try:
            route = forward(message, receiver, directory)
        except (HubError, AnsweredByHub) as error:
            log.info("broadcast_dropped", receiver=receiver, outcome="offline", reason=str(error))
        else:
            yield msgspec.structs.replace(route, speaker=hub)
