"""Work that one process of the hub does for all of them: the one that leads.

Without Redis there is one process, and it leads. With Redis the one that holds the lease does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from msgspec import Struct

from hub.hub import Hub


class Term(Struct, frozen=True):
    """The time one process leads."""

    number: int
    """Grows with every term; the truth knows the present one, see `hub.store.terms`."""


Duty: TypeAlias = Callable[[Hub, Term], Awaitable[None]]
"""What the leading process does for as long as it leads; it is cancelled at the end of the term, and ends only then."""


@asynccontextmanager
async def leading(hub: Hub, duties: Sequence[Duty]) -> AsyncIterator[None]:
    """Do these duties whenever this process leads, for as long as the block runs."""
    term = Term(1)
    tasks = [asyncio.ensure_future(duty(hub, term)) for duty in duties]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
