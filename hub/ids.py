"""New message ids. OCPI 2.2.1, "Transport and format", Unique message IDs."""

from __future__ import annotations

from random import Random
from time import time_ns
from typing import Final

from routing.message import MessageIds

_random: Final = Random()  # noqa: S311 - ids have to be different, not secret
_NS_A_MS: Final = 1_000_000
_TIME_AT: Final = 80
"""The lowest bit of the time; below are 80 bits of chance, but for the version and the variant."""
_CHANCE: Final = ~(0b1111 << 76 | 0b11 << 62)
_VERSION_AND_VARIANT: Final = 7 << 76 | 0b10 << 62


def new_id() -> str:
    """An id nobody has used before: a UUID of version 7, as the chapter advises UUIDs. RFC 9562.

    It begins with the time in milliseconds, so an index of such ids grows at its end. That of ids in no order at all
    is changed all over each time the journal is written.

    Ids are no secrets, so they need not ask the system for chance: that, and uuid.uuid4(), would cost a message
    several microseconds each.
    """
    chance = _random.getrandbits(_TIME_AT) & _CHANCE | _VERSION_AND_VARIANT
    digits = (time_ns() // _NS_A_MS << _TIME_AT | chance).to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_ids() -> MessageIds:
    """Ids for a request that the hub itself begins."""
    return MessageIds(new_id(), new_id())
