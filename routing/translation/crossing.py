"""One body on its way from one version to another: what a step may know, and where it says what was lost.

`Untranslatable` is for what cannot be said at all: the hub then answers itself and forwards nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct, field

from routing.quirks import Quirks
from routing.translation.questions import Question
from routing.vocabulary import Party, Version

T = TypeVar("T")
Json: TypeAlias = dict[str, Any]
"""A JSON object. Numbers with a point are Decimals, so that 4.00 stays 4.00."""

NO_DATA: Final = "#NA"
"""Stands for a required text that nobody knows. OCPI 2.2.1, "Transport and format", No data available."""
NOTHING_KNOWN: Final[Mapping[Question[Any], Any]] = MappingProxyType({})


_UNHEARD: Final[Any] = object()


class Loss(Struct, frozen=True, gc=False):
    """One application of a rule that loses, replaces or assumes something."""

    id: str
    """`L-24`, `M-33`: see docs/translation.md."""
    pointer: str
    """Where in the body, as a JSON pointer with the member names of the version it came in."""


class Alias(NamedTuple):
    """The shorter id that stands for one of this owner's which is too long for the other version."""

    owner: Party
    alias: str
    original: str


class AnsweredByHub(Exception):
    """The hub answers in place of the receiver, who is not called: with success, and in `data` what it cannot do.

    `rule` is the id of the reason, see docs/translation.md; None when the versions are no reason.
    """

    def __init__(self, rule: str | None, data: Json) -> None:
        super().__init__(rule)
        self.rule = rule
        self.data = data


class Side(Struct, frozen=True, eq=False):
    """One of the two platforms a body travels between."""

    version: Version
    party: Party
    quirks: Quirks = Quirks()


class Crossing(Struct, eq=False):
    """One body on its way. Steps read it, add losses, ask questions, and may turn a PATCH into a PUT."""

    origin: Side
    """Where the body comes from: the sender of a request, the receiver for its answer."""
    destination: Side
    owner: Party
    """The party whose object it is. OCPI 2.2.1, "Client Owned Objects"."""
    now: datetime
    """When the hub received it."""
    cpo: Party | None = None
    """The party on the CPO side of this exchange, as far as there is one."""
    emsp: Party | None = None
    """The party on the eMSP side of this exchange, as far as there is one."""
    emsp_platform: frozenset[Party] = frozenset()
    """All parties of the platform on the eMSP side."""
    patch: bool = False
    """The body is that of a PATCH: only the members it has are meant. Nested objects are complete all the same."""
    answer: bool = False
    """The body is the data of an answer, not that of a request."""
    since: bool = False
    """The body is in a list that was asked for with `date_from`."""
    owner_details: Json | None = None
    """The owner's BusinessDetails."""
    owner_quirks: Quirks = Quirks()
    """The settings of the owner's platform."""
    object_ids: tuple[str, ...] = ()
    """The ids in the path, percent-decoded: of a Connector, those of its Location, its EVSE and its own."""
    uid_asked: str | None = None
    """Of an answer: the uid of the Token that the request was about."""
    type_asked: str | None = None
    """Of an answer: the Token type the request was about, as its sender wrote it; None when it named none."""
    type_sent: str | None = None
    """Of an answer: the Token type the receiver was asked about, after translation; None when it named none."""
    answered_at: str | None = None
    """Of an answer: the timestamp of its envelope."""
    known: Mapping[Question[Any], Any] = NOTHING_KNOWN
    """What is known beyond the message, by question; a question whose answer is unknown maps to None."""
    heard: dict[Question[Any], Any] = field(default_factory=dict)
    """What was asked so far, and the answers."""
    asked: list[Question[Any]] = field(default_factory=list)
    """Questions that came up and are not in `known`. The body has been made with their fallbacks."""
    losses: list[Loss] = field(default_factory=list)
    without_zone: int = 0
    """How many moments came without a zone."""
    aliases: list[Alias] = field(default_factory=list)
    """Those that were given out."""
    whole: bool = False
    """Every member is read, also those that no step looks at: for who wants to see all that became of the object."""
    at: str = ""
    """The pointer of the object at hand."""
    put: bool = False
    """The PATCH has become a complete object, to be sent with PUT."""
    nothing_left: bool = False
    """Nothing is left that would be worth sending, and that is success."""

    def ask(self, question: Question[T]) -> T | None:
        """What is known; None when nobody knows, or nobody was asked yet."""
        heard: T | None = self.heard.get(question, _UNHEARD)
        if heard is not _UNHEARD:
            return heard
        try:
            answer: T | None = self.known[question]
        except KeyError:
            self.asked.append(question)
            answer = None
        self.heard[question] = answer  # a page asks the same of each of its objects
        return answer

    def lose(self, loss: str, pointer: str) -> None:
        """Say that the rule `loss` was applied at `pointer`, relative to the object the step was given."""
        self.losses.append(Loss(loss, self.at + pointer))

    def nested(self, step: Step, body: Json, pointer: str) -> Json:
        """Apply a step to an object inside of the one at hand; what it loses is told with `pointer` in front.

        What is nested in a PATCH is complete.
        """
        at, patch = self.at, self.patch
        self.at, self.patch = at + pointer, False
        try:
            return step(body, self)
        finally:
            self.at, self.patch = at, patch


Step: TypeAlias = Callable[[Json, Crossing], Json]
"""Turns an object into that of the neighbouring version. It never changes the object it is given."""


def identical(body: Json, _crossing: Crossing) -> Json:
    """The step of an object that is the same in both versions."""
    return body
