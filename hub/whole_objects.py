"""Whole objects for partners that take no PATCH: what the PATCH is for, with the PATCH in it, in a PUT.

A 2.1.1 owner's Locations, Tariffs and Tokens are what it pushed before. Any other object is asked for at its owner,
whose copy has the change already, or soon will. OCPI 2.2.1, "Transport and format", PATCH.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from hub.forwarding import time_for
from hub.hub import Hub
from hub.lessons import object_ids
from hub.look_ups import LookUps
from hub.observability import FilteringBoundLogger
from hub.trace import Trace
from routing.bodies import owner_in_path
from routing.errors import HubError, NotRoutable
from routing.message import Message
from routing.modules import operation_at
from routing.routes import Forward
from routing.timestamps import read_timestamp
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.vocabulary import ModuleID, Version

log: FilteringBoundLogger = structlog.get_logger()

_WITHIN_S: Final = 5.0
_KEPT_IN_2_1_1: Final = frozenset({ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS})
_PARTS: Final = (("evses", "uid"), ("connectors", "id"))


def needs_whole(message: Message, route: Forward) -> bool:
    """Whether this PATCH of an object that is pushed goes to a partner that takes none."""
    return message.operation.method == "PATCH" and message.operation.owned and route.connection.quirks.no_patch


def turn(message: Message, route: Forward, hub: Hub) -> AbstractAsyncContextManager[None]:
    """Until the answer is there: of two changes of one object the receiver must not get the older one last.

    Raises:
        ReceiverUnreachable: what came before takes too long.
    """
    owner, first_id = owner_in_path(message.segments), object_ids(message)[0].upper()
    key = ("whole", route.connection.id, message.operation.module, owner, first_id)
    return hub.one_at_a_time.turn(key, time_for(message, route.connection, hub) / 2)


async def as_put(message: Message, route: Forward, trace: Trace, hub: Hub) -> Message:
    """The PUT that stands for a PATCH, in the version of who sent it.

    Raises:
        NotRoutable: the object cannot be had now.
    """
    patch = numbers.read(message.body or b"{}")
    whole = await _pushed_before(message, hub) or await _at_its_owner(message, route, trace, hub)
    if whole is None:
        raise NotRoutable(f"{route.receiver} takes no PATCH, and the whole object cannot be had")
    operation = message.operation
    put = operation_at(message.version, operation.module, operation.interface, "PUT", message.segments)
    body = numbers.write(patched(whole, patch))
    return msgspec.structs.replace(message, operation=put, body=body)


async def _pushed_before(message: Message, hub: Hub) -> Json | None:
    module, ids = message.operation.module, object_ids(message)
    if message.version is not Version.V2_1_1 or module not in _KEPT_IN_2_1_1:
        return None
    found: Any = await hub.knowledge.own_push(module, owner_in_path(message.segments), ids[0])
    for (name, its_id), wanted in zip(_PARTS, ids[1:], strict=False):
        parts = found.get(name) if type(found) is dict else None
        of_this_id = (each for each in parts or () if str(each.get(its_id)).upper() == wanted.upper())
        found = next(of_this_id, None)
    return found if type(found) is dict else None


async def _at_its_owner(message: Message, route: Forward, trace: Trace, hub: Hub) -> Json | None:
    look_ups = LookUps(
        hub, message.sender, route.receiver, trace.ids.correlation_id, datetime.now(UTC), _WITHIN_S, trace.spans
    )
    try:
        return await look_ups.at_owner(message)
    except (HubError, TimeoutError) as error:
        log.info("whole_object_not_found", correlation_id=trace.ids.correlation_id, reason=str(error) or "too slow")
        return None


def patched(whole: Json, patch: Json) -> Json:
    """The object with the members of a PATCH in place of its own; one that is newer than the PATCH has them already.

    A Session's `charging_periods` are added to those there are. OCPI 2.2.1, "Sessions", PATCH.
    """
    if _is_newer(whole.get("last_updated"), patch.get("last_updated")):
        return whole
    after = whole | patch
    had, added = whole.get("charging_periods"), patch.get("charging_periods")
    if type(had) is list and type(added) is list:
        after["charging_periods"] = [*had, *(each for each in added if each not in had)]
    return after


def _is_newer(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    if type(one) is not str or type(other) is not str:
        return False
    try:
        return read_timestamp(one) > read_timestamp(other)
    except (ValueError, OverflowError):
        return False
