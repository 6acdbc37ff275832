"""Steps put together to attempts: what a person calls one try of a partner. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from hub.store.registration_steps import Begun, Step, StepRecord

_PAUSE: Final = timedelta(minutes=15)
"""Who does nothing for so long begins anew."""
_PLANS: Final = {
    Begun.PARTNER: (
        Step.HUB_VERSIONS,
        Step.HUB_DETAILS,
        Step.CREDENTIALS_RECEIVED,
        Step.PARTNER_VERSIONS,
        Step.PARTNER_DETAILS,
        Step.CONNECTED,
    ),
    Begun.HUB: (Step.PARTNER_VERSIONS, Step.PARTNER_DETAILS, Step.CREDENTIALS_SENT, Step.CONNECTED),
}
_LOOKS: Final = frozenset({Step.HUB_VERSIONS, Step.HUB_DETAILS})


class AttemptState(StrEnum):
    """How far it came."""

    OPEN = "open"
    """Something is to follow; or nobody went on with it."""
    FAILED = "failed"
    DONE = "done"


class Attempt(Struct):
    """One try, of the partner or of the hub."""

    begun_by: Begun
    steps: list[StepRecord]

    @property
    def began_at(self) -> datetime:
        """Of the first step."""
        return self.steps[0].at

    @property
    def last_at(self) -> datetime:
        """Of the last step."""
        return max(each.last_at for each in self.steps)

    @property
    def state(self) -> AttemptState:
        """How far it came."""
        last = self.steps[-1]
        if last.failed:
            return AttemptState.FAILED
        return AttemptState.DONE if last.step is Step.CONNECTED else AttemptState.OPEN

    @property
    def to_come(self) -> tuple[Step, ...]:
        """The steps that are missing, in their order."""
        if self.state is AttemptState.DONE:
            return ()
        plan = _PLANS[self.begun_by]
        furthest = max((plan.index(each.step) for each in self.steps if each.step in plan), default=-1)
        return plan[furthest + 1 :]

    def add(self, step: StepRecord) -> None:
        """One more step; what was there before is counted with it."""
        for at, each in enumerate(self.steps):
            if (each.step, each.failed, each.facts) == (step.step, step.failed, step.facts):
                times, last_at = each.times + step.times, max(each.last_at, step.last_at)
                self.steps[at] = msgspec.structs.replace(each, times=times, last_at=last_at)
                return
        self.steps.append(step)


def plan_of(begun_by: Begun) -> tuple[Step, ...]:
    """All steps of an attempt that goes well."""
    return _PLANS[begun_by]


def attempts_of(steps: Iterable[StepRecord]) -> list[Attempt]:
    """The attempts of one platform, the newest first. Its steps come in the order of time."""
    attempts: list[Attempt] = []
    for step in steps:
        if attempts and _goes_on(attempts[-1], step):
            attempts[-1].add(step)
        else:
            attempts.append(Attempt(step.begun_by, [step]))
    return attempts[::-1]


def _goes_on(attempt: Attempt, step: StepRecord) -> bool:
    if attempt.begun_by is not step.begun_by or step.at - attempt.last_at > _PAUSE:
        return False
    if attempt.state is not AttemptState.OPEN:
        # The same refusal again is no attempt of its own.
        last = attempt.steps[-1]
        return len(attempt.steps) == 1 and (last.step, last.failed, last.facts) == (step.step, step.failed, step.facts)
    if step.begun_by is Begun.HUB:
        return step.step is not Step.PARTNER_VERSIONS
    return step.step not in _LOOKS or all(each.step in _LOOKS for each in attempt.steps)
