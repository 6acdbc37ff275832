"""What the hub remembers of the traffic it carries, so that translations and open routing get answers.

Nothing here can fail a message: what cannot be told soon is unknown, and what cannot be learned is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import structlog

from hub.answers import PLANS, TO_BE_BOUND, charge_of
from hub.learning import Heard, SaidOfSession, facts_in, moment_in, said_of_session
from hub.observability import FilteringBoundLogger
from hub.store import shelves
from hub.store.facts import Fact
from hub.store.learned import Learned
from hub.store.learned_ends import UNDATED_RESERVATIONS
from hub.store.live_directory import LiveDirectory
from hub.store.remembered import UNKNOWN
from hub.store.shelves import Credit, Lookup, key_of
from routing.errors import HubError, HubFault
from routing.translation.crossing import Crossing, Json, Side
from routing.translation.kinds import Kind
from routing.translation.questions import (
    AuthorizationReference,
    LocationAtHand,
    LocationOf,
    Question,
    ReservationNumber,
    TariffOf,
)
from routing.translation.steps import translate
from routing.vocabulary import ModuleID, Party, Version

log: FilteringBoundLogger = structlog.get_logger()

LookUp: TypeAlias = Callable[[Question[Any]], Awaitable[Any]]
"""Answers what only somebody else knows, such as a partner; None when nobody does."""
NO_BODY: Final[Json] = {}
"""Of a DELETE."""


def _now() -> datetime:
    return datetime.now(UTC)


class Known(Mapping[Question[Any], Any]):
    """Every question that can be answered at once. It is not known which these are, so there is nothing to list."""

    def __init__(self, learned: Learned) -> None:
        self._groups = learned.remembered.get_all

    def __getitem__(self, question: Question[Any]) -> Any:  # noqa: ANN401 - what the question asks for
        plan = PLANS.get(type(question))
        if plan is None:
            raise KeyError(question)
        groups = self._groups(plan.lookups(question))
        if groups is None:
            raise KeyError(question)
        answer = plan.answer(question, groups, _now)
        if answer is TO_BE_BOUND:
            raise KeyError(question)
        return answer

    def __iter__(self) -> Iterator[Question[Any]]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Besides(Mapping[Question[Any], Any]):
    """What was found for one message, and what is known anyway."""

    def __init__(self, found: Mapping[Question[Any], Any], known: Mapping[Question[Any], Any]) -> None:
        self._found = found
        self._known = known

    def __getitem__(self, question: Question[Any]) -> Any:  # noqa: ANN401 - what the question asks for
        return self._found[question] if question in self._found else self._known[question]

    def __iter__(self) -> Iterator[Question[Any]]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Knowledge:
    """What this hub knows of traffic. `known` answers at once, without waiting for anything."""

    def __init__(self, learned: Learned, directory: LiveDirectory) -> None:
        self.known: Mapping[Question[Any], Any] = Known(learned)
        self._learned = learned
        self._undecided: list[Fact] | None = None
        self._directory = directory

    async def start(self) -> None:
        """Begin to keep what is learned.

        Raises:
            HubFault: the database does not answer.
        """
        await self._learned.start()

    async def stop(self) -> None:
        """Keep what was learned until now, and end."""
        await self._learned.stop()

    # ------------------------------------------------------------ answers

    def known_besides(self, found: Mapping[Question[Any], Any]) -> Mapping[Question[Any], Any]:
        """What can be answered at once, with what was found for one message in front."""
        return _Besides(found, self.known) if found else self.known

    async def answers(
        self, questions: Iterable[Question[Any]], look_up: LookUp | None = None
    ) -> dict[Question[Any], Any]:
        """An answer to every question; None where it is unknown.

        What stores know is read in one step, which takes half a second at most. The rest is for `look_up`, if there is
        one: what partners have now, and questions that are none of traffic.
        """
        asked = list(dict.fromkeys(questions))
        groups = await self._learned.groups({lookup for question in asked for lookup in _lookups(question)})
        answers = {question: await self._stored(question, groups) for question in asked}
        if look_up is not None:
            open_ones = [each for each in asked if answers[each] is None and _is_for_others(each)]
            found = await asyncio.gather(*(_looked_up(question, look_up) for question in open_ones))
            answers.update(zip(open_ones, found, strict=True))
        return answers

    async def _stored(self, question: Question[Any], groups: Mapping[Lookup, Any]) -> Any:  # noqa: ANN401 - what the question asks for
        if isinstance(question, ReservationNumber):
            until = datetime.now(UTC) + UNDATED_RESERVATIONS
            return await self._learned.reservation_number(question.cpo, question.emsp, question.reservation_id, until)
        if (plan := PLANS.get(type(question))) is not None:
            return await self._planned(question, [groups.get(lookup, UNKNOWN) for lookup in plan.lookups(question)])
        own = _own_object(question)
        return None if own is None else self._in_form(question, groups.get(own))

    async def _planned(self, question: Question[Any], groups: Sequence[Any]) -> Any:  # noqa: ANN401 - as before
        if UNKNOWN in groups:
            return None
        answer = PLANS[type(question)].answer(question, groups, _now)
        if answer is not TO_BE_BOUND:
            return answer
        charge = charge_of(question) if isinstance(question, AuthorizationReference) else None
        return None if charge is None else await self._learned.bind_reference(charge)

    def _in_form(self, question: Question[Any], pushed: Json | None) -> Json | None:
        """What its 2.1.1 owner pushed, in the form that is asked for; None once the owner speaks another version."""
        if pushed is None or not isinstance(question, LocationAtHand | LocationOf | TariffOf):
            return None
        owner = question.owner
        platform = self._directory.snapshot.platform_of(owner)
        if platform is None or all(each.version is not Version.V2_1_1 for each in platform.connections):
            return None
        if isinstance(question, TariffOf):
            return pushed
        crossing = Crossing(
            origin=Side(Version.V2_1_1, owner, platform.quirks),
            destination=Side(Version.V2_2_1, owner),
            owner=owner,
            now=datetime.now(UTC),
            cpo=owner,
            owner_quirks=platform.quirks,
        )
        try:
            return translate(pushed, Kind.LOCATION, crossing)
        except HubError as error:
            log.info("own_push_untranslatable", owner=owner, reason=str(error))
            return None

    async def own_push(self, module: str, owner: Party, object_id: str) -> Json | None:
        """A Location, Tariff or Token as its 2.1.1 owner pushed it last, in 2.1.1; None when that is unknown."""
        lookup = shelves.own_push(module, owner, object_id)
        pushed: Json | None = (await self._learned.groups([lookup])).get(lookup)
        return pushed

    async def read_back(self, module: str, owner: Party, object_id: str) -> Json | None:
        """As `own_push`, for who has to know for certain that there is none.

        Raises:
            HubFault: it cannot be told now.
        """
        lookup = shelves.own_push(module, owner, object_id)
        groups = await self._learned.groups([lookup])
        if lookup not in groups:
            raise HubFault("The hub cannot tell now what was pushed; try again")
        pushed: Json | None = groups[lookup]
        return pushed

    # ------------------------------------------------------------ learning

    def learn(self, heard: Heard, body: Json = NO_BODY, translated: Json | None = None) -> None:
        """Learn from a body that the receiver of a request, or its sender, has accepted.

        `body` is as it came from its owner's version, one object at a time. `translated` is what became of it.
        """
        try:
            facts = facts_in(heard, body, translated)
            told = said_of_session(heard, body, translated) if self._undecided is None else None
            if told is not None:
                self._learned.note_unless_last(told.about, told.said, facts)
                return
            for fact in facts:
                self.note(fact)
        except Exception:  # the receiver has the message; a bug here must not cost its sender the answer
            log.exception("nothing_learned", kind=heard.kind)

    def is_news(self, told: SaidOfSession | None) -> bool:
        """Whether `learn` would look into a body that says this: not when just that was said of its Session last."""
        return (
            told is None
            or self._undecided is not None
            or not self._learned.remembered.was_said_last(told.about, told.said)
        )

    def learn_once(self, topic: int, facts: Iterable[Fact]) -> None:
        """Learn what follows from a topic, see `Learned.note_once`."""
        if self._undecided is None:
            self._learned.note_once(topic, facts)
        else:
            self._undecided.extend(facts)

    def note(self, fact: Fact) -> None:
        """Remember something that stands in no body."""
        if self._undecided is None:
            self._learned.note(fact)
        else:
            self._undecided.append(fact)

    def on_trial(self, heard: list[Fact]) -> Knowledge:
        """The same knowledge, except that what it learns is put into `heard`, for who decides later what to believe."""
        trial = copy(self)
        trial._undecided = heard  # noqa: SLF001 - it is one of this class
        return trial

    async def credit_held_back(self, cpo: Party, receiver: Party, cdr: Json) -> bool:
        """Remember, before anything goes on, that this credit CDR was held back from a receiver that has none.

        `cdr` is in the form of 2.2 or newer. False: that failed, or it has no id.
        """
        token, place = cdr.get("cdr_token"), cdr.get("cdr_location")
        credit_id = cdr.get("id")
        if type(credit_id) is not str:
            return False
        credit = Credit(
            cdr_key=_key(cdr, "credit_reference_id"),
            session_key=_key(cdr, "session_id"),
            start=moment_in(cdr.get("start_date_time")),
            uid_key=_key(token, "uid"),
            evse_uid_key=_key(place, "evse_uid"),
        )
        return await self._learned.note_credit(cpo, receiver, credit_id, credit, datetime.now(UTC))

    async def drop_expired(self, now: datetime) -> None:
        """Forget for good what was kept long enough.

        Raises:
            HubFault: the database does not answer.
        """
        await self._learned.drop_expired(now)


def _lookups(question: Question[Any]) -> tuple[Lookup, ...]:
    if (plan := PLANS.get(type(question))) is not None:
        return plan.lookups(question)
    own = _own_object(question)
    return () if own is None else (own,)


def _is_for_others(question: Question[Any]) -> bool:
    return type(question) not in PLANS and not isinstance(question, ReservationNumber | LocationAtHand)


def _own_object(question: Question[Any]) -> Lookup | None:
    match question:
        case LocationAtHand(owner=owner, location_id=object_id) | LocationOf(owner=owner, location_id=object_id):
            return shelves.own_push(ModuleID.LOCATIONS, owner, object_id)
        case TariffOf(owner=owner, tariff_id=object_id):
            return shelves.own_push(ModuleID.TARIFFS, owner, object_id)
        case _:
            return None


async def _looked_up(question: Question[Any], look_up: LookUp) -> Any:  # noqa: ANN401 - what the question asks for
    try:
        return await look_up(question)
    except HubError as error:
        log.info("look_up_failed", question=type(question).__name__, reason=str(error))
        return None


def _key(body: Any, name: str) -> str | None:  # noqa: ANN401 - any JSON
    value = body.get(name) if type(body) is dict else None
    return key_of(value) if type(value) is str else None
