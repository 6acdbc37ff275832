"""The simulator in a process of its own, and how to talk to it."""

from __future__ import annotations

from typing import Self


class SimulatorProcess:
    """`python -m loadtests.simulate` with a control address."""

    @classmethod
    def started(cls, *, profile: str = "fast", seed: int = 1) -> Self:
        """Start one on a free loopback port; raises HubFailed."""
        raise NotImplementedError

    def close(self) -> None:
        """End it."""
        raise NotImplementedError
