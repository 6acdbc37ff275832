"""New message ids. OCPI 2.2.1, "Transport and format", Unique message IDs."""

from __future__ import annotations

import os

from routing.message import MessageIds


def new_id() -> str:
    """An id nobody has used before: a UUID of version 4, as the chapter advises. RFC 9562."""
    # uuid.uuid4() makes the same text and takes four times as long, twice for every message.
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def new_ids() -> MessageIds:
    """Ids for a request that the hub itself begins."""
    return MessageIds(new_id(), new_id())
