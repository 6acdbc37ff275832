"""Waiting for something to become true, with an end to it."""

from __future__ import annotations

import time
from collections.abc import Callable

_BETWEEN_LOOKS_S = 0.01


def eventually(is_so: Callable[[], object], *, within_s: float = 15) -> float:
    """Wait until this is so; returns the seconds it took. Fails when it is not so in time."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s, f"not within {within_s} s"
        time.sleep(_BETWEEN_LOOKS_S)
    return time.monotonic() - began
