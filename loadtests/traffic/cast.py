"""Who takes part in a run, and what they have. The same seed gives the same people, stations and cards."""

from __future__ import annotations


class Cast:
    """Everybody of one worker."""

    def __init__(self, first_party: int = 0, seed: int = 1) -> None:
        """Parties are numbered from `first_party` on."""
        self._next = first_party
        self._seed = seed
