"""What the users of one locust worker share: the hub, the simulator that plays their servers, and the cast."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from locust.env import Environment
from msgspec import Struct, field

from loadtests.hub_process import Operator
from loadtests.inviting import Inviting
from loadtests.traffic.cast import Cast
from loadtests.traffic.day import DAY, SESSION_PATCHES, Line
from loadtests.traffic.simulator_process import SimulatorProcess

_STAGES: Final[dict[int, Stage]] = {}


class Stage(Struct):
    """One worker's part of a run."""

    operator: Operator
    """The operator API of the hub: users are invited there."""
    inviting: Inviting
    simulator: SimulatorProcess
    cast: Cast
    seed: int = 1
    day: Sequence[Line] = DAY
    run: str = ""
    """What ids of this run and worker begin with, so that nobody else's are like them."""
    pause_s: float = 2.0
    """Between two messages about the same session: a hub takes a moment until it can tell whose it is."""
    session_patches: int = SESSION_PATCHES
    within_s: float = 30.0
    """How long the result of a command may take."""
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def dice(self, name: str) -> Random:
        """Luck that is the same in every run of this seed."""
        return Random(f"{self.seed} {name}")  # noqa: S311 - traffic, not secrets


def open_stage(
    environment: Environment,
    operator: Operator,
    *,
    simulator: SimulatorProcess | None = None,
    first_party: int = 0,
    seed: int = 1,
    day: Sequence[Line] = DAY,
) -> Stage:
    """Make the stage of this worker, before its first user. Workers need `first_party`s far enough from each other.

    Without a `simulator` one is started, with partners that answer at once.
    """
    simulator = simulator or SimulatorProcess.started(seed=seed)
    run = f"{int(time.time()):x}{first_party:x}"
    stage = Stage(operator, Inviting(operator), simulator, Cast(first_party, seed), seed, day, run)
    _STAGES[id(environment)] = stage
    return stage


def stage_of(environment: Environment) -> Stage:
    """The stage that was opened. Raises KeyError."""
    return _STAGES[id(environment)]


def close_stage(environment: Environment) -> None:
    """End the simulator. Who is registered at the hub stays so."""
    stage = _STAGES.pop(id(environment), None)
    if stage is not None:
        stage.simulator.close()
