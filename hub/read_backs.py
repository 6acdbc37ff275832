"""What a 2.1.1 owner pushed, as it reads it where the hub poses as its partner; and whether there is anything to PATCH.

Only Locations, Tariffs and Tokens are kept. What is read is what was pushed last, parts and PATCHes put in their place.
OCPI 2.1.1, "Locations", "Tariffs" and "Tokens", GET and PATCH of pushed objects.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Raw

from hub.hub import Hub
from hub.lessons import object_ids
from hub.look_ups import LookUps
from hub.store.read_back import part_of
from hub.trace import Trace
from routing.bodies import owner_in_path
from routing.errors import HubError, HubFault, NoSuchPath, UnknownLocation
from routing.message import Answer, Message
from routing.outcome import success
from routing.routes import ReadBack
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.translation.questions import TariffOf
from routing.vocabulary import ModuleID, Party

_LOOK_UP_S: Final = 5.0


async def read_back(message: Message, route: ReadBack, hub: Hub) -> Answer:
    """The object as its owner pushed it last.

    Raises:
        NoSuchPath, UnknownLocation: it never did.
        HubFault: it cannot be told now.
    """
    found = await _kept(message, route.owner, hub)
    if found is None:
        raise _never_put(message)
    return success(Raw(numbers.write(found)), hub.party, datetime.now(UTC))


async def check_was_put(message: Message, trace: Trace, hub: Hub) -> None:
    """Refuse a PATCH for everybody whose object the hub has never seen: its 2.1.1 owner then puts it.

    What cannot be told now is not refused. A Tariff, which others get whole, may be at its owner.

    Raises:
        NoSuchPath, UnknownLocation: there is no such object.
    """
    owner = owner_in_path(message.segments)
    try:
        found = await _kept(message, owner, hub)
    except HubFault:
        return
    if found is None and message.operation.module == ModuleID.TARIFFS:
        look_ups = LookUps(hub, hub.party, owner, trace.ids.correlation_id, datetime.now(UTC), _LOOK_UP_S, trace.spans)
        asked = TariffOf(owner, object_ids(message)[0])
        found = (await hub.knowledge.answers([asked], look_ups.answer))[asked]
    if found is None:
        raise _never_put(message)


async def _kept(message: Message, owner: Party, hub: Hub) -> Json | None:
    object_id, *parts = object_ids(message)
    whole = await hub.knowledge.read_back(message.operation.module, owner, object_id)
    return None if whole is None else part_of(whole, parts)


def _never_put(message: Message) -> HubError:
    if message.operation.module == ModuleID.LOCATIONS:
        return UnknownLocation("The hub has no such object of this owner", http_status=404)
    return NoSuchPath("The hub has no such object of this owner")
