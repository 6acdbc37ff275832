"""New message ids. OCPI 2.2.1, "Transport and format", Unique message IDs."""

from __future__ import annotations

from random import Random
from typing import Final

from routing.message import MessageIds

_random: Final = Random()  # noqa: S311 - ids have to be different, not secret
_CHANCE: Final = ~(0b1111 << 76 | 0b11 << 62)
_VERSION_AND_VARIANT: Final = 4 << 76 | 0b10 << 62


def new_id() -> str:
    """An id nobody has used before: a UUID of version 4, as the chapter advises. RFC 9562.

    Ids are no secrets, so they need not ask the system for chance: that, and uuid.uuid4(), would cost a message
    several microseconds each.
    """
    digits = (_random.getrandbits(128) & _CHANCE | _VERSION_AND_VARIANT).to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_ids() -> MessageIds:
    """Ids for a request that the hub itself begins."""
    return MessageIds(new_id(), new_id())
