"""Tells 2.1.1 eMSPs that want it `TIMEOUT` when the result of a command did not come in time.

A CPO of a later version says how long its result may take, which its answer in 2.1.1 cannot. So the hub waits in place
of the eMSP. When a result is due stands in the store: a restart, or the end of a worker, loses none, and only one of
many processes tells. A result that comes later is still sent on. OCPI 2.2.1, "Commands", CommandResponse object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from hub.callbacks import originator_connection, wants_timeouts
from hub.forwarding import send
from hub.hub import Hub
from hub.ids import new_id
from hub.observability import FilteringBoundLogger
from hub.recording import record_own
from hub.store.return_addresses import Callback
from hub.trace import Trace
from routing.errors import HubError, HubFault
from routing.message import Message, MessageIds
from routing.modules import operation_at
from routing.outcome import answer_of
from routing.routes import Forward
from routing.vocabulary import InterfaceRole, ModuleID, Version

log: FilteringBoundLogger = structlog.get_logger()

LOOK_EVERY_S: Final = 30.0
"""How late one can be told whose process has ended."""
_RETRY_S: Final = 1.0
_SHORTEST_PAUSE_S: Final = 0.05
"""Another process may be about to tell what is due now."""
_END_WITHIN_S: Final = 2.0
_TIMEOUT: Final = msgspec.json.encode({"result": "TIMEOUT"})


@asynccontextmanager
async def command_timeouts(hub: Hub, *, look_every_s: float = LOOK_EVERY_S) -> AsyncIterator[None]:
    """Tell for as long as the block runs. Every process of a hub may do so at once."""
    telling: set[asyncio.Task[None]] = set()
    task = asyncio.create_task(_keep_telling(hub, look_every_s, telling), name="command timeouts")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if telling:  # nobody else would tell these
            await asyncio.wait(telling, timeout=_END_WITHIN_S)
        for late in telling:
            late.cancel()
        await asyncio.gather(*telling, return_exceptions=True)


async def _keep_telling(hub: Hub, look_every_s: float, telling: set[asyncio.Task[None]]) -> None:
    newly_due = hub.return_addresses.newly_due
    while True:
        newly_due.clear()
        try:
            pause_s = min(await _begin_telling(hub, telling), look_every_s)
        except HubFault as error:
            log.warning("command_timeouts_wait", reason=str(error))
            pause_s = _RETRY_S
        except Exception:  # a bug in one round must not end all later ones
            log.exception("command_timeouts_wait")
            pause_s = look_every_s
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await newly_due.wait()


async def _begin_telling(hub: Hub, telling: set[asyncio.Task[None]]) -> float:
    """Take those that are due; returns in how many seconds the next one is."""
    while overdue := await hub.return_addresses.settle_overdue_callbacks(datetime.now(UTC)):
        for callback in overdue:
            task = asyncio.create_task(_tell(callback, hub))
            telling.add(task)
            task.add_done_callback(telling.discard)
    due_at = await hub.return_addresses.next_due()
    if due_at is None:
        return float("inf")
    return max((due_at - datetime.now(UTC)).total_seconds(), _SHORTEST_PAUSE_S)


async def _tell(callback: Callback, hub: Hub) -> None:
    ids = MessageIds(new_id(), new_id())
    message = _timeout(callback)
    trace = Trace(ids, message.version, "POST", operation=message.operation, segments=message.segments, route="hub")
    trace.sender, trace.receiver, trace.body = message.sender, message.receiver, message.body
    if hub.spans is not None:
        trace.spans = hub.spans.of_message(trace)
    said = {"correlation_id": ids.correlation_id, "receiver": str(callback.originator), "command": callback.command}
    try:
        connection = originator_connection(callback, Version.V2_1_1, hub)
        if not wants_timeouts(connection):
            return  # it has another version or another wish by now
        trace.target = connection
        route = Forward(callback.originator, connection, callback.response_url, given=True)
        reply = await send(message, route, trace, hub)
        answer = answer_of(reply, callback.originator, datetime.now(UTC))
    except HubError as error:
        record_own(error, trace, hub)
        log.warning("command_timeout_not_told", reason=str(error), **said)
    except Exception:  # a bug in one must not be lost with its task
        log.exception("command_timeout_not_told", **said)
    else:
        record_own(answer, trace, hub)
        log.info("command_timeout_told", http_status=answer.http_status, ocpi_status=answer.ocpi_status, **said)


def _timeout(callback: Callback) -> Message:
    segments = (callback.command or "", callback.id)
    return Message(
        version=Version.V2_1_1,
        operation=operation_at(Version.V2_1_1, ModuleID.COMMANDS, InterfaceRole.SENDER, "POST", segments),
        segments=segments,
        query="",
        sender=callback.receiver,
        receiver=callback.originator,
        body=_TIMEOUT,
    )
