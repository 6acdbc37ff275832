"""What a translation may have to know beyond the message: one type per question.

A step asks through `Crossing.ask`. Whoever runs the translation finds the answers (an index, a store, one call
at a partner) and hands them in; a question that nobody can answer has the answer None, and the rule its fallback.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from msgspec import Struct

from routing.vocabulary import Party

T = TypeVar("T")


class Question(Struct, Generic[T], frozen=True):
    """One question, whose answer is a T or None for unknown. Ids are compared as the one who answers sees fit."""


class TokenFacts(Struct, frozen=True):
    """What is remembered of a Token that was seen: its key, its contract, and what helps to choose among several."""

    owner: Party
    uid: str
    type: str
    """As its owner wrote it, in the owner's version."""
    contract_id: str
    valid: bool
    last_updated: str
    issuer: str | None = None


class TariffFacts(Struct, frozen=True):
    """What is remembered of a Tariff that was seen: what it is for, and when. Times are as its owner wrote them."""

    type: str | None
    start_date_time: str | None
    end_date_time: str | None


class Residue(Struct, frozen=True):
    """What an older version took away from an object: the members as they were, and when it was updated."""

    last_updated: str
    members: dict[str, Any]


class TokensOfContract(Question[tuple[TokenFacts, ...]], frozen=True):
    """The Tokens of this owner (of any, when it is None) whose contract id or uid is this one."""

    owner: Party | None
    contract_or_uid: str


class TokensOfUid(Question[tuple[TokenFacts, ...]], frozen=True):
    """The Tokens of this owner (of any, when it is None) that have this uid, whatever their type, first seen first."""

    owner: Party | None
    uid: str


class RecentToken(Question[TokenFacts], frozen=True):
    """The Token of the last authorization, StartSession or ReserveNow between these two with this contract id.

    Only one of the last 24 hours is an answer.
    """

    cpo: Party
    emsp: Party
    contract_id: str


class ChosenToken(Question[TokenFacts], frozen=True):
    """The Token that stood for the contract when this Session was translated before."""

    owner: Party
    session_id: str


class ConnectedEmsp(Question[bool], frozen=True):
    """Whether this is a connected party that has the role EMSP, and that the one who sends may see."""

    party: Party


class SessionOfCdr(Question[str], frozen=True):
    """The id of the one Session that this CDR is the bill of."""

    owner: Party
    start_date_time: str
    auth_id: str
    location_id: str


class AuthorizationReference(Question[str], frozen=True):
    """The reference the eMSP gave for this Session: by command or authorization, at most 24 h before it began."""

    cpo: Party
    emsp: Party
    token_uid: str
    token_type: str
    session_id: str | None
    start_date_time: str
    location_id: str | None


class LocationOf(Question[dict[str, Any]], frozen=True):
    """The Location of this owner, in the form of 2.2.1, as the owner's platform has it now."""

    owner: Party
    location_id: str


class LocationAtHand(Question[dict[str, Any]], frozen=True):
    """The Location of this owner, in the form of 2.2.1, if it can be had without calling anybody."""

    owner: Party
    location_id: str


class Published(Question[bool], frozen=True):
    """The last `publish` that was seen of this Location."""

    owner: Party
    location_id: str


class ShownBefore(Question[bool], frozen=True):
    """Whether this object was given to this viewer before. `module` is `locations` or `tariffs`."""

    viewer: Party
    module: str
    owner: Party
    object_id: str


class SessionAtReceiver(Question[dict[str, Any]], frozen=True):
    """The receiver's own copy of a Session, in the form of the version `version`."""

    owner: Party
    session_id: str
    version: str


class TariffOf(Question[dict[str, Any]], frozen=True):
    """The Tariff of a 2.1.1 owner, in the form of 2.1.1."""

    owner: Party
    tariff_id: str


class TariffSeen(Question[TariffFacts], frozen=True):
    """What is remembered of a Tariff."""

    owner: Party
    tariff_id: str


class ReservationNumber(Question[int], frozen=True):
    """The number that stands for this reservation at a 2.1.1 CPO; `computed` is the one it gets if it is free.

    If not, it gets the next free one of `commands.reservation_numbers`. None means that no number can be kept.
    """

    cpo: Party
    emsp: Party
    reservation_id: str
    computed: int


class CreditedSession(Question[bool], frozen=True):
    """Whether a credit for the CDR of this session was held back from this receiver.

    `cdr_id` is that of the CDR at hand: the credited original stays deliverable.
    """

    cpo: Party
    receiver: Party
    cdr_id: str
    session_id: str | None
    start_date_time: str
    token_uid: str
    evse_uid: str


class OriginalId(Question[str], frozen=True):
    """The id of a Location, an EVSE or a CDR of this owner that this alias was given out for."""

    owner: Party
    alias: str


class ResidueOf(Question[Residue], frozen=True):
    """What was taken away from an object when its owner last pushed it to this receiver."""

    owner: Party
    kind: str
    object_ids: tuple[str, ...]
    receiver: Party
