"""Notes how registrations go, step by step. What is noted is written behind the exchange, which never waits for it.

Partners make steps, so there is a limit to everything: the same step again only counts, and of one platform there are
at most `MOST_OF_ONE` others in one writing.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog

from hub.ids import new_id
from hub.observability import FilteringBoundLogger
from hub.plain_text import readable
from hub.registration.causes import Cause, cause_of
from hub.store.registration_steps import MOST_AT_ONCE, Begun, RegistrationSteps, Step, StepFacts, StepRecord
from hub.store.single_flight import last_written
from routing.errors import HubError, HubFault, Unauthorized

log: FilteringBoundLogger = structlog.get_logger()

WRITE_AFTER_S: Final = 0.1
"""So long further steps are waited for: an operator may be watching."""
ASK_AGAIN_S: Final = 2.0
"""While the database is away."""
MOST: Final = 5_000
"""Steps that are kept until they can be written."""
MOST_OF_ONE: Final = 50
_MOST_REMEMBERED: Final = 10_000
_SAME_FOR: Final = timedelta(minutes=15)
_TEXT_LENGTH: Final = 500
_URL_LENGTH: Final = 255


class Noting(Protocol):
    """Takes steps."""

    def note(
        self, platform_id: str, step: Step, begun_by: Begun, facts: StepFacts, *, error: HubError | None = None
    ) -> None:
        """One step was taken, or failed with an error."""


class Unnoted:
    """Takes steps of exchanges that nobody looks at."""

    def note(
        self, platform_id: str, step: Step, begun_by: Begun, facts: StepFacts, *, error: HubError | None = None
    ) -> None:
        """Nothing."""


class Steps:
    """Notes steps. `note` neither waits for anything, nor fails."""

    def __init__(self, rows: RegistrationSteps) -> None:
        self._rows = rows
        self._pending: dict[str, StepRecord] = {}
        self._last: OrderedDict[str, StepRecord] = OrderedDict()  # of each platform
        self._noted: Counter[str] = Counter()
        self._has_some = asyncio.Event()
        self._ends = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write_until_the_end(), name="writing registration steps")

    async def close(self) -> None:
        """Write what is left. It is lost, with a line in the log, when the database is away."""
        self._has_some.set()
        await last_written(self._writing, self._ends)
        if self._pending:
            log.error("registration_steps_not_written", steps=len(self._pending))

    def note(
        self, platform_id: str, step: Step, begun_by: Begun, facts: StepFacts, *, error: HubError | None = None
    ) -> None:
        """One step was taken, or failed with an error."""
        facts = _cut(facts if error is None else _failed(step, facts, error))
        now, last = datetime.now(UTC), self._last.get(platform_id)
        new = StepRecord(new_id(), platform_id, step, begun_by, error is not None, 1, now, now, facts)
        if last is not None and _are_same(last, new):
            new = msgspec.structs.replace(last, times=last.times + 1, last_at=now)
        elif len(self._pending) >= MOST or self._noted[platform_id] >= MOST_OF_ONE:
            return
        else:
            self._noted[platform_id] += 1
        self._pending[new.id] = self._last[platform_id] = new
        self._last.move_to_end(platform_id)
        self._has_some.set()
        if len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)

    def unwritten(self, platform_id: str) -> tuple[StepRecord, ...]:
        """Those of a platform that the database may not have yet, the oldest first."""
        return tuple(each for each in self._pending.values() if each.platform_id == platform_id)

    def refused_late(self, platform_id: str, source: str) -> None:
        """A partner came with the token of an invitation that has ended."""
        self.note(platform_id, Step.HUB_VERSIONS, Begun.PARTNER, StepFacts(source=source), error=Unauthorized())

    async def _write_until_the_end(self) -> None:
        pause_s = WRITE_AFTER_S
        while not self._ends.is_set():
            await self._has_some.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._ends.wait()
            self._has_some.clear()
            pause_s = WRITE_AFTER_S if await self._write() else ASK_AGAIN_S

    async def _write(self) -> bool:
        """Write what there is. Whether the database took it."""
        self._noted.clear()
        while self._pending:
            some = dict(list(self._pending.items())[:MOST_AT_ONCE])
            try:
                await self._rows.write(some.values())
            except HubFault:
                self._has_some.set()
                return False  # they wait for the database, as the events do which say that it is away
            except Exception:  # a bug in one round must not end all later ones
                log.exception("registration_steps_not_written", steps=len(some))
            for id_, written in some.items():
                if self._pending.get(id_) is written:
                    del self._pending[id_]
        return True


class Progress:
    """How one exchange of credentials gets along."""

    def __init__(self, steps: Noting, platform_id: str, begun_by: Begun) -> None:
        self._steps, self._platform_id, self._begun_by = steps, platform_id, begun_by
        self._trying: tuple[Step, StepFacts] | None = None
        self.tried: Step | None = None
        """The step that was begun last."""

    def tries(self, step: Step, facts: StepFacts) -> None:
        """This is done now. What was done before went well."""
        if self._trying is not None and self._trying[0] is not step:
            self._went(None)
        self._trying, self.tried = (step, facts), step

    @contextmanager
    def watched(self) -> Iterator[Progress]:
        """At the end of the block what is done went well, or failed as the block did."""
        try:
            yield self
        except HubError as error:
            self._went(error)
            raise
        except BaseException:
            self._went(HubFault("The exchange was broken off"))
            raise
        self._went(None)

    def _went(self, error: HubError | None) -> None:
        if self._trying is not None:
            step, facts = self._trying
            self._steps.note(self._platform_id, step, self._begun_by, facts, error=error)
        self._trying = None


def unnoted() -> Progress:
    """Of an exchange that nobody looks at."""
    return Progress(Unnoted(), "", Begun.HUB)


def _are_same(one: StepRecord, other: StepRecord) -> bool:
    alike = (one.step, one.begun_by, one.failed, one.facts) == (other.step, other.begun_by, other.failed, other.facts)
    is_end = one.step is Step.CONNECTED and not one.failed
    return alike and not is_end and other.at - one.last_at < _SAME_FOR


def _failed(step: Step, facts: StepFacts, error: HubError) -> StepFacts:
    cause: Cause | None = cause_of(step, error)
    return msgspec.structs.replace(facts, told_status=error.ocpi_status, reason=str(error), cause=cause)


def _cut(facts: StepFacts) -> StepFacts:
    """Partners write some of it."""
    return StepFacts(
        version=facts.version,
        method=facts.method,
        url=facts.url and readable(facts.url, _URL_LENGTH),
        source=facts.source,
        told_status=facts.told_status,
        reason=facts.reason and readable(facts.reason, _TEXT_LENGTH),
        cause=facts.cause,
    )
