"""Real-time authorization of a Token that nobody is known to have: all who might have it are asked at once.

==================================================  ========================================
what came back                                      what the requester gets
==================================================  ========================================
ALLOWED                                             the first of these; the rest is cancelled
another AuthorizationInfo, and no ALLOWED in 1 s    the first of these
"too little information" (2002)                     the first of these
HTTP 404 or 2004 from one, from nobody more         404 / 2004
other errors only                                   the first of these
no answer, for lack of time                         4002
no answer, for other reasons as well                4003
==================================================  ========================================

OCPI 2.2.1, "Tokens", POST on the Sender interface, and "Transport and format", Open Routing Request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from hub.delivery import deliver
from hub.hub import Hub
from hub.journal import failure_of
from hub.lessons import went_well
from hub.observability import FilteringBoundLogger
from hub.recording import record_unit
from hub.store.facts import Fact
from hub.store.journal_entries import Receivers
from hub.trace import Trace
from routing.directory import Connection
from routing.envelope import read_envelope
from routing.errors import HubError, HubFault, ReceiverTimeout, ReceiverUnreachable, UnknownToken
from routing.message import Answer, Message
from routing.routes import FanOut, Forward

log: FilteringBoundLogger = structlog.get_logger()

WAIT_FOR_ALLOWED_S: Final = 1.0
"""How much longer others may take to say ALLOWED, once somebody has said something else about the Token."""
_TOO_LITTLE_INFORMATION: Final = 2002
_UNKNOWN_TOKEN: Final = 2004


class _Asked(Struct, eq=False):
    """One of those who are asked, and what came of it: an answer, or a failure, or nothing yet."""

    route: Forward
    trace: Trace
    lessons: list[Fact]
    """What would be learned from the answer, if it were the one that is believed."""
    answer: Answer | None = None
    failure: HubError | None = None

    @property
    def knows_nothing(self) -> bool:
        """Whether the Token is not theirs."""
        answer = self.answer
        return answer is not None and (answer.http_status == 404 or answer.ocpi_status == _UNKNOWN_TOKEN)

    @property
    def decides(self) -> bool:
        """Whether the answer says what may be done with the Token."""
        return self.answer is not None and went_well(self.answer)

    @property
    def allows(self) -> bool:
        """Whether the answer is ALLOWED."""
        return self.decides and self.answer is not None and _allowed_in(self.answer.body) == "ALLOWED"

    @property
    def ran_out_of_time(self) -> bool:
        """Whether there is no answer because it took too long."""
        return self.answer is None and (self.failure is None or isinstance(self.failure, ReceiverTimeout))

    @property
    def outcome(self) -> str:
        """For the log."""
        if self.answer is not None:
            return _allowed_in(self.answer.body) or str(self.answer.ocpi_status)
        return "given up" if self.failure is None else str(self.failure.ocpi_status)


async def fan_out(message: Message, route: FanOut, source: Connection, trace: Trace, hub: Hub) -> Answer:
    """Ask whose Token it is. The answer is the winner's, and so is all that is learned; see the table on top.

    Raises:
        TooManyRequests: the platform has asked too often.
        UnknownToken: nobody has the Token.
        ReceiverTimeout, ReceiverUnreachable: nobody has answered.
    """
    if not route.in_turn:
        hub.limits.fan_out_of(source.platform_id)
    everyone = [_Asked(each, _trace_of(trace, each), []) for each in route.asked]
    ask = _in_turn if route.in_turn else _at_once
    heard = await ask(message, everyone, source, trace.started + hub.settings.authorize_timeout_s, hub)
    winner = _winner(heard)
    _report(message, everyone, winner, trace, hub)
    if winner is None or winner.answer is None:
        raise _nobody(everyone)
    for fact in winner.lessons:
        hub.knowledge.note(fact)
    _take_over(winner.trace, trace)
    return winner.answer


async def _at_once(
    message: Message, everyone: Sequence[_Asked], source: Connection, ends: float, hub: Hub
) -> list[_Asked]:
    """Ask all in parallel until somebody allows it or it takes too long; who has answered or failed, in that order."""
    heard: list[_Asked] = []
    waiting = {asyncio.create_task(_ask(message, each, source, heard, hub)) for each in everyone}
    seen = 0
    try:
        while waiting:
            _, waiting = await asyncio.wait(
                waiting, timeout=max(0.0, ends - monotonic()), return_when=asyncio.FIRST_COMPLETED
            )
            if len(heard) == seen or any(each.allows for each in heard[seen:]):
                break
            if any(each.decides for each in heard[seen:]):
                ends = min(ends, monotonic() + WAIT_FOR_ALLOWED_S)
            seen = len(heard)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return heard


async def _in_turn(
    message: Message, everyone: Sequence[_Asked], source: Connection, ends: float, hub: Hub
) -> list[_Asked]:
    """Ask one after the other, as long as the Token is not theirs."""
    heard: list[_Asked] = []
    for each in everyone:
        try:
            async with asyncio.timeout(max(0.0, ends - monotonic())):
                await _ask(message, each, source, heard, hub)
        except TimeoutError:
            break
        if not each.knows_nothing:
            break
    return heard


async def _ask(message: Message, asked: _Asked, source: Connection, heard: list[_Asked], hub: Hub) -> None:
    undecided = replace(hub, knowledge=hub.knowledge.on_trial(asked.lessons))
    try:
        asked.answer = await deliver(message, asked.route, source, asked.trace, undecided)
    except HubError as error:
        asked.failure = error
    except Exception:  # what one of them sends must not cost the driver the answer of another
        log.exception("not_asked_about_token", correlation_id=asked.trace.ids.correlation_id)
        asked.failure = HubFault("The hub failed to ask")
    heard.append(asked)


def _winner(heard: Sequence[_Asked]) -> _Asked | None:
    """Whose answer counts. Of equals it is the first."""
    allowing = [each for each in heard if each.allows]
    deciding = [each for each in heard if each.decides]
    unsure = [each for each in heard if each.answer is not None and each.answer.ocpi_status == _TOO_LITTLE_INFORMATION]
    others = [each for each in heard if each.answer is not None]
    if any(each.knows_nothing for each in others):
        others = []
    return next(iter([*allowing, *deciding, *unsure, *others]), None)


def _nobody(everyone: Sequence[_Asked]) -> HubError:
    if any(each.knows_nothing for each in everyone):
        return UnknownToken("Nobody who was asked knows this Token")
    if all(each.ran_out_of_time for each in everyone):
        return ReceiverTimeout("Nobody who was asked about this Token has answered in time")
    return ReceiverUnreachable("Nobody could be asked about this Token")


def _trace_of(trace: Trace, route: Forward) -> Trace:
    return msgspec.structs.replace(trace, receiver=route.receiver, target=route.connection, losses=[])


def _take_over(winner: Trace, trace: Trace) -> None:
    """The exchange was one with the winner."""
    trace.receiver, trace.target, trace.losses = winner.receiver, winner.target, winner.losses
    trace.upstream_request_id, trace.upstream_s = winner.upstream_request_id, winner.upstream_s
    trace.call, trace.reply = winner.call, winner.reply
    trace.upstream_http_status, trace.upstream_ocpi_status = winner.upstream_http_status, winner.upstream_ocpi_status


def _report(message: Message, everyone: Sequence[_Asked], winner: _Asked | None, trace: Trace, hub: Hub) -> None:
    """Say who was asked, so that one correlation id shows the whole path."""
    log.info(
        "asked_about_token",
        correlation_id=trace.ids.correlation_id,
        asked=[
            {"receiver": str(each.route.receiver), "request_id": each.trace.upstream_request_id, "said": each.outcome}
            for each in everyone
            if each.trace.upstream_request_id is not None
        ],
    )
    _note(everyone, trace, hub)
    for each in everyone:
        if each.answer is not None and each is not winner:  # the winner's is counted with the message
            hub.metrics.upstream(message.operation.module, each.route.connection.platform_id, each.trace.upstream_s)


def _note(everyone: Sequence[_Asked], trace: Trace, hub: Hub) -> None:
    """Into the journal: each that was asked, and how it went with them all."""
    asked = [each for each in everyone if each.trace.upstream_request_id is not None]
    for each in asked:
        if each.failure is not None:
            each.trace.fault = str(each.failure)
            was_called = each.trace.upstream_http_status is not None
            each.trace.failure = failure_of(each.failure, was_called=was_called)
        elif each.answer is None:
            each.trace.fault = "The hub did not wait for this answer"
        record_unit(each.answer or each.failure, each.trace, hub)
    answered, failed = sum(each.answer is not None for each in asked), sum(each.failure is not None for each in asked)
    trace.receivers = Receivers(told=len(asked), ok=answered, failed=failed, skipped=len(everyone) - answered - failed)


class _Info(Struct):
    allowed: Any = None


_info: Final = msgspec.json.Decoder(_Info | list[_Info])


def _allowed_in(body: bytes) -> str | None:
    """`allowed` of an AuthorizationInfo. Some answer with a list of just one."""
    head = read_envelope(body)
    if head is None:
        return None
    try:
        found = _info.decode(head.data)
    except (msgspec.DecodeError, RecursionError):
        return None
    info = found if isinstance(found, _Info) else found[0] if len(found) == 1 else None
    return info.allowed if info is not None and type(info.allowed) is str else None
