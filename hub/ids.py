"""New message ids. OCPI 2.2.1, "Transport and format", Unique message IDs."""

from __future__ import annotations

from random import Random
from typing import Final

from routing.message import MessageIds

_random: Final = Random()  # noqa: S311 - ids have to be different, not secret


def new_id() -> str:
    """An id nobody has used before: a UUID of version 4, as the chapter advises. RFC 9562.

    Ids are no secrets, so they need not ask the system for chance: that, and uuid.uuid4(), would cost a message
    several microseconds each.
    """
    digits = f"{_random.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def new_ids() -> MessageIds:
    """Ids for a request that the hub itself begins."""
    return MessageIds(new_id(), new_id())
