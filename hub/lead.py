"""Which part this process has in leading its hub, for those who want to know: see `hub.leadership`."""

from __future__ import annotations

from msgspec import Struct

from hub.store.leases import Lease
from hub.store.terms import Terms


class Lead(Struct, eq=False):
    """How this process may come to lead, and whether it does."""

    terms: Terms
    lease: Lease | None
    """None where there is no Redis, and so no other process."""
    term: int | None = None
    """The number of the present term of this process; None while it does not lead."""
    last_term: int = 0
    """The number of the last one in which this process did anything; 0 when there was none."""
    problem: str | None = None
    """Why nobody can lead, as far as this process can tell."""
