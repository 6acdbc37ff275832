"""A message whose receiver speaks another version: its request there, its answer back.

The engine is pure (`routing.translation`). Here it gets what it asks for: from what the hub has seen, or by one call
at a partner. A translation that had to ask is made again with the answers; some ask twice, because only who knows the
Session knows which Location to ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote

import msgspec
import structlog
from msgspec import Struct

from hub.figures import Habit
from hub.forwarding import send, time_for
from hub.hub import Hub
from hub.lessons import (
    learn_aliases,
    learn_answer,
    learn_request,
    learn_residue,
    learn_same_answer,
    learn_same_request,
    learn_withheld,
    object_ids,
    says_the_same,
    was_taken,
    went_well,
)
from hub.look_ups import LookUps
from hub.observability import FilteringBoundLogger
from hub.passages import Passage
from hub.shared_translations import SharedTranslations
from hub.shown_ids import request_as_shown
from hub.span_notes import SpanNotes, TranslationNote
from hub.store.shelves import key_of
from hub.trace import Lost, Trace
from routing.bodies import Members
from routing.directory import Connection
from routing.errors import HubError, HubFault, RoutingError, Untranslatable
from routing.links import parameter
from routing.message import Answer, Message
from routing.modules import operation_at
from routing.receivers import url_at
from routing.routes import Forward
from routing.timestamps import read_timestamp
from routing.translation import numbers
from routing.translation.aliases import path_to
from routing.translation.cdrs import CREDIT_REFUSED
from routing.translation.crossing import AnsweredByHub, Crossing, Json, Loss
from routing.translation.kinds import TRANSLATED, Carried, Kind, carried_by
from routing.translation.messages import (
    NO_MOMENTS,
    Moments,
    Pair,
    Translated,
    Withheld,
    answer_body,
    listed,
    request_body,
    without_data,
)
from routing.translation.publishing import NOT_PUBLISHED
from routing.translation.queries import query_to, token_type_in
from routing.translation.questions import Question
from routing.translation.steps import steps_between
from routing.vocabulary import Party, Version

log: FilteringBoundLogger = structlog.get_logger()
T = TypeVar("T")
MakeCrossing: TypeAlias = Callable[[Mapping[Question[Any], Any]], Crossing]
Outgoing: TypeAlias = tuple[Crossing, tuple[Translated, str, tuple[str, ...]]]
"""A request after its way into another version: body, query and path."""

_TO_BE_REMEMBERED: Final = (CREDIT_REFUSED, NOT_PUBLISHED)
_LARGE: Final = 256 * 1024
"""Bytes that take so long that others would notice: those are translated in a thread."""
_PART_FOR_LOOK_UPS: Final = 0.3
"""Of the time a message has, what one look-up may take."""


class Translation(Struct, eq=False):
    """One exchange between two versions: what both ways of it need."""

    message: Message
    """As it came."""
    route: Forward
    source: Connection
    version: Version
    """The receiver's."""
    passage: Passage
    ids: tuple[str, ...]
    """See `object_ids`."""
    carried: Carried
    came: datetime
    correlation_id: str
    spans: SpanNotes | None
    sent: Message
    """As it goes out; the same as it came until it is translated."""
    members: Members | None = None
    """Those of its body, if they have been told apart."""
    repeats: bool = False
    """Whether it says the same of its Session as the last message about it: it teaches nothing."""
    told: Sequence[Pair] = ()
    """The object of the request, before and after, as long as there may be something to learn from it."""
    crossed: Crossing | None = None
    """What there is to know of its way, as long as there may be something to learn from that."""
    tried: Crossing | None = None
    """The last one there was, also of what could not be translated."""
    answered: Sequence[Pair] = ()
    """The objects of the answer, before and after."""
    look_ups: LookUps | None = None
    """Those that were made for it."""

    @classmethod
    def of(
        cls,
        message: Message,
        route: Forward,
        source: Connection,
        trace: Trace,
        hub: Hub,
        came: datetime | None = None,
    ) -> Translation | None:
        """The translation this message needs; None between partners of one version, and for modules of their own."""
        if route.connection.version is message.version or message.operation.module not in TRANSLATED:
            return None
        passage = hub.passages.of(message, route, source, hub.directory.snapshot)
        return cls(
            message,
            route,
            source,
            route.connection.version,
            passage,
            object_ids(message),
            carried_by(message.operation, message.segments),
            came or datetime.now(UTC),
            trace.ids.correlation_id,
            trace.spans,
            message,
            trace.members or None if message.body is trace.body else None,
        )

    @property
    def turn(self) -> Hashable | None:
        """What it must not overlap with others of, see `OneAtATime`, until the answer is there; None for most.

        See `Passage.in_turn`.
        """
        passage = self.passage
        return (self.route.connection.id, passage.owner, key_of(self.ids[-1])) if passage.in_turn else None

    def patience_s(self, hub: Hub) -> float:
        """How long it may wait for earlier ones: half its time, so that the receiver still has some."""
        return time_for(self.message, self.route.connection, hub) / 2

    async def request(
        self, trace: Trace, hub: Hub, shared: SharedTranslations[Outgoing] | None = None
    ) -> Message | None:
        """The message as the receiver's version has it; None when nothing of it is left that could be sent.

        Raises:
            Untranslatable: it cannot be said there.
            AnsweredByHub: the hub has the answer.
        """
        message, asked = self.message, self.message.operation
        try:
            out = self._out_at_once(hub) if shared is None else await self._out_once(hub, shared)
            crossing, (translated, query, path) = out or await self._out(hub)
        except Untranslatable as refusal:
            await self._after(refusal, trace, hub)
            raise
        self._keep(translated.pairs, crossing, hub)
        if crossing.without_zone and (shared is None or shared.is_new()):
            hub.figures.habits.saw(self.source.platform_id, Habit.NO_ZONE, crossing.without_zone)
        if crossing.losses:
            trace.losses.append(Lost(self.carried.request, False, tuple(crossing.losses)))
        if crossing.nothing_left:
            return None
        method = "PUT" if crossing.put else asked.method
        operation = operation_at(self.version, asked.module, asked.interface, method, message.segments)
        self.sent = msgspec.structs.replace(
            message,
            version=self.version,
            operation=operation,
            segments=path,
            query=query,
            body=translated.body or None,
        )
        return self.sent

    def _keep(self, pairs: Sequence[Pair], crossing: Crossing, hub: Hub) -> None:
        """Keep what there will be to learn from, if the receiver takes the message; most teach nothing new."""
        kind, wants_residue = self.carried.request, self.passage.leaves_residue
        self.repeats = says_the_same(self.passage, self.ids, kind, pairs, hub)
        says_by_itself = kind is Kind.SESSION and self.source.version is not Version.V2_1_1  # see `learn_request`
        self.told = pairs if wants_residue or not (self.repeats or says_by_itself) else ()
        self.crossed = crossing if wants_residue or crossing.aliases else None
        self.tried = None

    def _out_at_once(self, hub: Hub) -> Outgoing | None:
        """As `_out`, for nearly every message; None where something has to be looked up, or where it takes long."""
        if len(self.message.body or b"") >= _LARGE:
            return None
        crossing = self.tried = self.passage.crossing(self.ids, self.came, hub.knowledge.known)
        began = monotonic()
        out = None
        try:
            out = self.message_out(crossing)
        except (HubError, AnsweredByHub):
            if not crossing.asked:
                raise
        finally:
            if not crossing.asked:
                self._note_time(crossing, began, hub)
        return None if out is None or crossing.asked else (crossing, out)

    def _out(self, hub: Hub) -> Awaitable[Outgoing]:
        return self._translated(self.message_out, self.crossing_out, len(self.message.body or b""), hub)

    def _out_once(self, hub: Hub, shared: SharedTranslations[Outgoing]) -> Awaitable[Outgoing]:
        quirks = msgspec.json.encode(self.route.connection.quirks)
        likeness = (self.version, quirks, self.passage.people.emsp is None)
        return shared.get(likeness, partial(self._out, hub), self._is_personal)

    def _is_personal(self) -> bool:
        """Whether something was asked about the receiver: another may get the object in another form."""
        receiver, heard = self.route.receiver, () if self.tried is None else self.tried.heard
        return any(receiver in msgspec.structs.astuple(question) for question in heard)

    def message_out(self, crossing: Crossing) -> tuple[Translated, str, tuple[str, ...]]:
        """Body, query and path of the request in the receiver's version."""
        message = self.message
        body, kind = message.body, self.carried.request
        path = path_to(message.segments, message.operation, crossing)
        translated = (
            request_body(body, kind, crossing, self.members) if body and kind is not None else Translated(body or b"")
        )
        return translated, query_to(message.query, message.operation, body, crossing), path

    async def _after(self, refusal: Untranslatable, trace: Trace, hub: Hub) -> None:
        """What has to happen when an object cannot be sent: what the receiver still shows of it must not stay."""
        trace.losses.append(Lost(self.carried.request, False, (Loss(refusal.rule, ""),)))
        if refusal.rule in _TO_BE_REMEMBERED and self.message.body is not None:
            await self._remember([Withheld(numbers.read(self.message.body), refusal)], self.route.receiver, hub)
        if refusal.withdraw:
            operation = msgspec.structs.replace(self.message.operation, method="DELETE", body=None)
            message = msgspec.structs.replace(self.message, version=self.version, operation=operation, body=None)
            try:
                if self.route.connection.face is not None:
                    message = await request_as_shown(self.message, message, self.route, hub)
                await send(
                    message, msgspec.structs.replace(self.route, url=url_at(self.route.connection, message)), trace, hub
                )
            except RoutingError as error:
                log.warning("object_not_withdrawn", receiver=self.route.receiver, reason=str(error))

    async def answer(self, answer: Answer, trace: Trace, hub: Hub) -> Answer:
        """The receiver's answer in the version of who asked. One that is no success goes back as it came.

        Raises:
            Untranslatable, NotRoutable: what was asked for cannot be said there, or cannot be read.
        """
        if self.carried.answer is None:
            return self.acknowledgement(answer, trace, hub)
        if not went_well(answer):
            return answer
        self._learn_request(answer, hub)
        return self._with_body(answer, await self._data(answer, self.carried.answer, trace, hub))

    def acknowledgement(self, answer: Answer, trace: Trace, hub: Hub) -> Answer:
        """The same where the text defines no data of the answer: as for all that is pushed.

        Raises:
            NotRoutable: it cannot be read.
        """
        if not went_well(answer):
            return answer
        self._learn_request(answer, hub)
        body, loss = without_data(answer.body, self.version, self.message.version)
        if loss is not None:
            trace.losses.append(Lost(None, True, (loss,)))
        return self._with_body(answer, body)

    def _learn_request(self, answer: Answer, hub: Hub) -> None:
        kind = self.carried.request
        is_known = (
            self.route.speaker is not None and self.version is not Version.V2_1_1
        )  # from a broadcast's acceptance
        if kind is None or is_known or self.repeats:
            pass
        elif not self.told and self._is_same(kind):
            if was_taken(self.message, answer):
                learn_same_request(self.message, self.route, self.source, kind, hub)
        elif (self.told or self.message.operation.method == "DELETE") and was_taken(self.message, answer):
            learn_request(self.message, self.route, self.source, kind, self.told, hub)
        if self.crossed is not None:
            learn_aliases(self.crossed, self.source, hub)
            if self.passage.leaves_residue:
                learn_residue(self.message, self.route, self.source, self.told, self.crossed, hub)

    def _with_body(self, answer: Answer, body: bytes) -> Answer:
        status = 200 if self.sent.operation.method != self.message.operation.method else answer.http_status
        if body is answer.body and status == answer.http_status:
            return answer
        return msgspec.structs.replace(answer, http_status=status, body=body)

    async def _data(self, answer: Answer, kind: Kind, trace: Trace, hub: Hub) -> bytes:
        paged = self.message.operation.paged
        within = asked_for(self.message)

        def run(crossing: Crossing) -> Translated:
            return answer_body(answer.body, kind, crossing, paged=paged, within=within)

        translated = await self._read(run, kind, len(answer.body), trace, hub)
        if not translated.pairs and self._is_same(kind):
            learn_same_answer(self.message, self.route, self.source, kind, answer, hub)
        return translated.body

    def _is_same(self, kind: Kind) -> bool:
        """Whether objects of this kind are the same in both versions, so that nothing has read them."""
        return not steps_between(self.message.version, self.version, kind)

    async def objects(
        self, found: Sequence[Json], kind: Kind, size: int, answered_at: str | None, trace: Trace, hub: Hub
    ) -> Translated:
        """Objects of a list of the receiver's, in the version of who asked. `size` is what they have in bytes.

        `answered_at` is the timestamp of the envelope they came in.
        """

        def run(crossing: Crossing) -> Translated:
            crossing.answered_at = answered_at
            return listed(found, kind, crossing)

        return await self._read(run, kind, size, trace, hub)

    async def _read(
        self, read: Callable[[Crossing], Translated], kind: Kind, size: int, trace: Trace, hub: Hub
    ) -> Translated:
        def run(crossing: Crossing) -> Translated:
            translated = read(crossing)
            for left_out in translated.withheld:
                told = "" if kind is Kind.TOKEN else f"/{left_out.object_id}"  # a card is a person's
                crossing.lose(left_out.refusal.rule, told)
            return translated

        try:
            crossing, translated = await self._translated(run, self.crossing_back, size, hub)
            if await self._remember(translated.withheld, self.message.sender, hub):
                crossing, translated = await self._translated(run, self.crossing_back, size, hub)
        except Untranslatable as refusal:
            trace.losses.append(Lost(kind, True, (Loss(refusal.rule, ""),)))
            raise
        self.answered = translated.pairs
        if crossing.without_zone:
            hub.figures.habits.saw(self.route.connection.platform_id, Habit.NO_ZONE, crossing.without_zone)
        if crossing.losses:
            trace.losses.append(Lost(kind, True, tuple(crossing.losses)))
        learn_aliases(crossing, self.route.connection, hub)
        learn_answer(self.message, self.route, self.source, kind, translated.pairs, hub)
        return translated

    async def _remember(self, withheld: Sequence[Withheld], receiver: Party, hub: Hub) -> bool:
        """Remember what could not be said, where more follows from it. True when it follows in the same list.

        A credit holds back what corrects it, and an unpublished Location its EVSEs.

        Raises:
            HubFault: a credit cannot be remembered now, and what corrects it would be billed on top.
        """
        credited, unpublished = (
            [body for body, refusal in withheld if refusal.rule == rule] for rule in _TO_BE_REMEMBERED
        )
        for cdr in credited:
            is_kept = await hub.knowledge.credit_held_back(self.passage.sides.cpo, receiver, cdr)
            if not is_kept and type(cdr.get("id")) is str:
                raise HubFault("The hub cannot remember a credit CDR now; try again")
        kind = self.carried.request or self.carried.answer
        if unpublished and kind is not None:
            learn_withheld(self.message, self.route, self.source, kind, unpublished, hub)
        return bool(credited)

    async def _translated(
        self, run: Callable[[Crossing], T], crossing_with: MakeCrossing, size: int, hub: Hub
    ) -> tuple[Crossing, T]:
        """Run a translation of `size` bytes, again and again until it asks for nothing that was not asked before."""
        answers: dict[Question[Any], Any] = {}
        while True:
            known = hub.knowledge.known_besides(answers) if answers else hub.knowledge.known
            crossing = self.tried = crossing_with(known)
            began = monotonic()
            try:
                result = run(crossing) if size < _LARGE else await asyncio.to_thread(run, crossing)
            except (HubError, AnsweredByHub):
                if not (asked := _open_in(crossing, answers)):
                    raise
            else:
                if not crossing.asked or not (asked := _open_in(crossing, answers)):
                    return crossing, result
            finally:
                self._note_time(crossing, began, hub)
            answers |= await hub.knowledge.answers(asked, self._looked_up_by(hub).answer)

    def _looked_up_by(self, hub: Hub) -> LookUps:
        """What makes the look-ups. Most messages need none."""
        if self.look_ups is None:
            sender, receiver = self.message.sender, self.route.receiver
            each_s = time_for(self.message, self.route.connection, hub) * _PART_FOR_LOOK_UPS
            self.look_ups = LookUps(hub, sender, receiver, self.correlation_id, self.came, each_s, self.spans)
        return self.look_ups

    def _note_time(self, crossing: Crossing, began: float, hub: Hub) -> None:
        now, module = monotonic(), self.message.operation.module
        source, target = crossing.origin.version, crossing.destination.version
        hub.metrics.translated(module, source, target, now - began)
        if self.spans is not None:
            losses = len(crossing.losses)
            self.spans.translated(TranslationNote(began, now, module, source, target, crossing.answer, losses))

    def crossing_out(self, known: Mapping[Question[Any], Any]) -> Crossing:
        """What there is to know of the way of the request."""
        return self.passage.crossing(self.ids, self.came, known)

    def crossing_back(self, known: Mapping[Question[Any], Any]) -> Crossing:
        """What there is to know of the way of the answer."""
        message, sent = self.message, self.sent
        crossing = self.passage.crossing(self.ids, self.came, known, back=True)
        crossing.since = message.operation.paged and parameter(message.query, "date_from") is not None
        crossing.uid_asked = _uid_of(message)
        crossing.type_asked = token_type_in(message.query)
        crossing.type_sent = token_type_in(sent.query)
        return crossing


def _open_in(crossing: Crossing, answers: Mapping[Question[Any], Any]) -> list[Question[Any]]:
    """What was asked for and is not known, and nobody was asked yet."""
    return [question for question in crossing.asked if question not in answers]


def _uid_of(message: Message) -> str | None:
    path = message.operation.path
    return unquote(message.segments[path.index("{token_uid}")]) if "{token_uid}" in path else None


def asked_for(message: Message) -> Moments:
    """The time a list was asked for. The text lets one version's receiver answer a little more than another's."""
    if not message.operation.paged:
        return NO_MOMENTS
    return _moment(message, "date_from"), _moment(message, "date_to")


def _moment(message: Message, name: str) -> datetime | None:
    value = parameter(message.query, name)
    if value is None:
        return None
    try:
        return read_timestamp(value)
    except (ValueError, OverflowError):
        return None
