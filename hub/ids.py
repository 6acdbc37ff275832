"""New message ids. OCPI 2.2.1, "Transport and format", Unique message IDs."""

from __future__ import annotations

from uuid import uuid4

from routing.message import MessageIds


def new_id() -> str:
    """An id nobody has used before."""
    return str(uuid4())


def new_ids() -> MessageIds:
    """Ids for a request that the hub itself begins."""
    return MessageIds(new_id(), new_id())
