"""How questions of translations, and of open routing, are answered from what was learned.

A plan says where to look, and what to make of what is there.

Pure. Ids are compared as CiStrings, those of contracts without separators, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from hub.learning import moment_in
from hub.store import shelves
from hub.store.learned_claims import CLOCKS_DIFFER, REFERENCE_COUNTS, Charge
from hub.store.learned_ends import RECENT_TOKENS
from hub.store.shelves import (
    Credit,
    KnownLocation,
    KnownSession,
    KnownToken,
    KnownWay,
    Lookup,
    Reference,
    UsedToken,
    key_of,
)
from routing.clues import SessionFacts, SessionKnown, Way, WaysOf
from routing.contracts import contract_key
from routing.translation.questions import (
    AuthorizationReference,
    ChosenToken,
    CreditedSession,
    OriginalId,
    Published,
    Question,
    RecentToken,
    Residue,
    ResidueOf,
    SessionOfCdr,
    ShownBefore,
    TariffFacts,
    TariffSeen,
    TokenFacts,
    TokensOfContract,
    TokensOfUid,
)
from routing.vocabulary import Party

TO_BE_BOUND: Final[Any] = object()
"""There is a reference that fits. Before it is the answer it has to be bound."""


Clock: TypeAlias = Callable[[], datetime]


class Plan(NamedTuple):
    """How one kind of question is answered."""

    lookups: Callable[[Any], tuple[Lookup, ...]]
    answer: Callable[[Any, Sequence[Any], Clock], Any]
    """From the question, what stands at its lookups, and the clock, at which few have to look."""


def charge_of(question: AuthorizationReference) -> Charge | None:
    """The charge that looks for its reference; None when nobody can tell when it began."""
    start = moment_in(question.start_date_time)
    if start is None:
        return None
    return Charge(
        question.cpo,
        question.emsp,
        question.token_uid,
        question.token_type,
        question.session_id,
        start,
        question.location_id,
    )


# Tokens


def _tokens(known: Sequence[KnownToken], owner: Party | None, clock: Clock) -> tuple[TokenFacts, ...]:
    return tuple(
        each.facts
        for each in known
        if owner in (None, each.facts.owner) and (each.until is None or each.until > clock())
    )


def _of_uid(question: TokensOfUid, groups: Sequence[Any], clock: Clock) -> tuple[TokenFacts, ...]:
    return _tokens(groups[0], question.owner, clock)


def _of_contract(question: TokensOfContract, groups: Sequence[Any], clock: Clock) -> tuple[TokenFacts, ...]:
    of_contract, of_uid = groups
    if of_contract and of_uid:
        of_contract = list(dict.fromkeys([*of_contract, *of_uid]))  # one whose contract and uid are the same is in both
    return _tokens(of_contract or of_uid, question.owner, clock)


def _recent(_: RecentToken, groups: Sequence[UsedToken | None], clock: Clock) -> TokenFacts | None:
    used = groups[0]
    return used.token if used is not None and clock() - used.at <= RECENT_TOKENS else None


def _chosen(_: ChosenToken, groups: Sequence[KnownSession | None], __: Clock) -> TokenFacts | None:
    return None if groups[0] is None else groups[0].token


# Sessions, and what belongs to one of them


def _where_sessions_began(question: SessionOfCdr) -> tuple[Lookup, ...]:
    start = moment_in(question.start_date_time)
    return () if start is None else (shelves.sessions_at(question.owner, start),)


def _session_of_cdr(question: SessionOfCdr, groups: Sequence[tuple[KnownSession, ...]], _: Clock) -> str | None:
    auth_key, location_key = contract_key(question.auth_id), key_of(question.location_id)
    found = [
        each.session_id
        for group in groups
        for each in group
        if each.auth_key == auth_key and each.location_key == location_key and each.status != "INVALID"
    ]
    return found[0] if len(found) == 1 else None


def _reference(question: AuthorizationReference, groups: Sequence[tuple[Reference, ...]], _: Clock) -> Any:  # noqa: ANN401 - a str, None or TO_BE_BOUND
    charge = charge_of(question) if groups[0] else None
    if charge is None:
        return None
    of_type = [each for each in groups[0] if _is_of_type(each, charge)]
    for each in of_type:
        if each.bound_to == charge.key or (charge.session_id is None and each.bound_start == charge.start):
            return each.value
    return TO_BE_BOUND if any(_fits(each, charge) for each in of_type) else None


def _is_of_type(reference: Reference, charge: Charge) -> bool:
    return reference.token_type == charge.token_type or "OTHER" in (reference.token_type, charge.token_type)


def _fits(reference: Reference, charge: Charge) -> bool:
    here = reference.location_key is None or (
        charge.location_id is not None and reference.location_key == key_of(charge.location_id)
    )
    in_time = charge.start - REFERENCE_COUNTS <= reference.given_at <= charge.start + CLOCKS_DIFFER
    return reference.bound_to is None and here and in_time


def _credited(question: CreditedSession, groups: Sequence[tuple[Credit, ...]], _: Clock) -> bool:
    return any(_is_credited(question, credit) for group in groups for credit in group)


def _is_credited(question: CreditedSession, credit: Credit) -> bool:
    if credit.cdr_key == key_of(question.cdr_id):
        return False
    if question.session_id is not None and credit.session_key is not None:
        return credit.session_key == key_of(question.session_id)
    return (
        credit.start is not None
        and credit.start == moment_in(question.start_date_time)
        and credit.uid_key == key_of(question.token_uid)
        and credit.evse_uid_key == key_of(question.evse_uid)
    )


# Locations and Tariffs


def _published(_: Published, groups: Sequence[KnownLocation | None], __: Clock) -> bool | None:
    return None if groups[0] is None else groups[0].publish


def _tariff(_: TariffSeen, groups: Sequence[TariffFacts | None], __: Clock) -> TariffFacts | None:
    return groups[0]


def _shown(_: ShownBefore, groups: Sequence[bool], __: Clock) -> bool:
    return groups[0]


def _original(_: OriginalId, groups: Sequence[str | None], __: Clock) -> str | None:
    return groups[0]


def _residue(_: ResidueOf, groups: Sequence[Residue | None], __: Clock) -> Residue | None:
    return groups[0]


# Who something leads to


def _ways(_: WaysOf, groups: Sequence[tuple[KnownWay, ...]], clock: Clock) -> tuple[Way, ...]:
    return tuple(
        Way(known.party, detail, known.at)
        for known in sorted(groups[0], key=_when_learned, reverse=True)
        if known.until is None or known.until > clock()
        for detail in known.details
    )


def _when_learned(known: KnownWay) -> datetime:
    return known.at


def _session(_: SessionKnown, groups: Sequence[KnownSession | None], __: Clock) -> SessionFacts | None:
    known = groups[0]
    return None if known is None else SessionFacts(known.emsp, known.status)


PLANS: Final[Mapping[type[Question[Any]], Plan]] = {
    TokensOfUid: Plan(lambda asked: (shelves.tokens_of_uid(asked.uid),), _of_uid),
    TokensOfContract: Plan(
        lambda asked: (
            shelves.tokens_of_contract(asked.contract_or_uid),
            shelves.tokens_of_uid(asked.contract_or_uid),
        ),
        _of_contract,
    ),
    RecentToken: Plan(lambda asked: (shelves.recent(asked.cpo, asked.emsp, asked.contract_id),), _recent),
    ChosenToken: Plan(lambda asked: (shelves.session(asked.owner, asked.session_id),), _chosen),
    SessionOfCdr: Plan(_where_sessions_began, _session_of_cdr),
    AuthorizationReference: Plan(
        lambda asked: (shelves.references(asked.cpo, asked.emsp, asked.token_uid),), _reference
    ),
    CreditedSession: Plan(
        lambda asked: (
            shelves.credits_of(asked.cpo, asked.receiver, asked.session_id, moment_in(asked.start_date_time)),
        ),
        _credited,
    ),
    Published: Plan(lambda asked: (shelves.location(asked.owner, asked.location_id),), _published),
    TariffSeen: Plan(lambda asked: (shelves.tariff(asked.owner, asked.tariff_id),), _tariff),
    ShownBefore: Plan(lambda asked: (shelves.shown(asked.viewer, asked.module, asked.owner, asked.object_id),), _shown),
    OriginalId: Plan(lambda asked: (shelves.alias(asked.owner, asked.alias),), _original),
    ResidueOf: Plan(
        lambda asked: (shelves.residue(asked.owner, asked.kind, asked.object_ids, asked.receiver),), _residue
    ),
    WaysOf: Plan(lambda asked: (shelves.ways(asked.index, asked.key),), _ways),
    SessionKnown: Plan(lambda asked: (shelves.session(asked.owner, asked.session_id),), _session),
}
"""The questions that are answered from what was learned, without more."""
