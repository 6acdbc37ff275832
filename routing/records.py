"""Whose a Session or a CDR is: the one party that is to get it. It is never guessed, since it tells of a person.

==========================  ==========================================================================================
lead                        who it leads to
==========================  ==========================================================================================
owner of the token          whom `cdr_token` names; anybody it may not go to ends the search
credited CDR                who got the CDR of `credit_reference_id` from this CPO
known Session               whose the Session of this CPO was until now
authorization reference     who gave `authorization_reference` to this CPO
token uid                   whose Token of this uid and type it is. One with another contract than the record's counts
                            only when the contract leads nowhere: uids are not unique
contract id                 whose contract it is
contract prefix             the connected eMSP that a contract id of eMA form names
==========================  ==========================================================================================

The first of them that leads to one party decides. What leads to several is narrowed down: for a Token and for a
contract to those with a valid Token, then to the one that had to do with this CPO in the last 30 days; for an `auth_id`
of 2.1.1 to the one that authorized it or began a Session with it in the last 24 hours, then, of a CDR, to the one whose
Session it is the bill of. After that to those a later lead leads to as well. When several are left, it is nobody's.

OCPI 2.2.1, "CDRs", CdrToken, and 2.1.1, "Sessions" and "CDRs", `auth_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from routing.bodies import Members, owner_in, read_members, text
from routing.clues import Clues, Index, SessionKnown, WaysOf
from routing.contracts import contract_key, provider_of
from routing.dialects import Dialect
from routing.directory import PartyDirectory
from routing.errors import UnknownReceiver
from routing.inquiries import decided
from routing.matrix import Lead
from routing.receivers import nobody
from routing.roles import roles_of
from routing.translation.questions import RecentToken, SessionOfCdr, TokenFacts, TokensOfContract, TokensOfUid
from routing.vocabulary import ConnectionStatus, ModuleID, Party, Role

_PAYERS: Final = frozenset({Role.EMSP, Role.OTHER, Role.PTP})
_ANY_TYPE: Final = "OTHER"


class Record(Struct, frozen=True):
    """What a Session or a CDR says about who is to get it."""

    owner: Party
    """Its CPO."""
    is_cdr: bool
    session_id: str | None = None
    """Of the Session itself, or of the one that a CDR is the bill of."""
    has_token: bool = True
    """It may say which Token was used, and not only which contract."""
    token_owner: Party | None = None
    token_uid: str | None = None
    token_type: str | None = None
    contract_id: str | None = None
    authorization_reference: str | None = None
    credit_reference_id: str | None = None
    start_date_time: str | None = None
    location_id: str | None = None


def record_in(
    members: Members, owner: Party, dialect: Dialect, *, is_cdr: bool, session_id: str | None = None
) -> Record:
    """What the members of a Session or a CDR say. `session_id` is that of the path, for what a PATCH leaves out.

    Raises:
        InvalidParameters, UnreadableBody: something in it can be understood in two ways.
    """
    token = _object(members, "cdr_token") if dialect.cdr_tokens else {}
    return Record(
        owner=owner,
        is_cdr=is_cdr,
        session_id=session_id or text(members, "session_id" if is_cdr else "id"),
        has_token=dialect.cdr_tokens,
        token_owner=owner_in(token),
        token_uid=text(token, "uid"),
        token_type=text(token, "type"),
        contract_id=text(token, "contract_id") if dialect.cdr_tokens else text(members, "auth_id"),
        authorization_reference=text(members, "authorization_reference"),
        credit_reference_id=text(members, "credit_reference_id"),
        start_date_time=text(members, "start_date_time"),
        location_id=text(_object(members, "location"), "id"),
    )


def _object(members: Members, name: str) -> Members:
    value = members.get(name)
    return read_members(bytes(value)) if value is not None and bytes(value).startswith(b"{") else {}


class Search(Struct, frozen=True, eq=False):
    """The search for who is to get a record. `viewer` is who may know of them: its CPO, or who sends it."""

    record: Record
    viewer: Party
    directory: PartyDirectory
    clues: Clues
    is_asked_for: bool = False
    """It is in an answer, and may be for anybody who may ask the viewer for it."""

    def visible(self, parties: Iterable[Party]) -> list[Party]:
        """Those that may get it from the viewer, each once."""
        return [party for party in dict.fromkeys(parties) if self.may_get(party)]

    def may_get(self, party: Party) -> bool:
        """Whether a record of the viewer's may be this party's."""
        module = ModuleID.CDRS if self.record.is_cdr else ModuleID.SESSIONS
        if self.is_asked_for:
            return self.directory.agreed(self.viewer, party, module)
        return self.directory.visible_to(self.viewer, party, module)

    def ways(self, index: Index, key: str | None) -> list[Party]:
        """Who it leads to, under a key of the record's CPO."""
        if key is None:
            return []
        ways = self.clues.ask(WaysOf(index, (*self.record.owner, key.upper()))) or ()
        return self.visible(way.party for way in ways)


def emsp_of(record: Record, cpo: Party, leads: Sequence[Lead], directory: PartyDirectory, clues: Clues) -> Party | None:
    """The one party that a record in this CPO's list is for; None when that is nobody, or may be more than one."""
    try:
        return whose(Search(record, cpo, directory, clues, is_asked_for=True), leads)
    except UnknownReceiver:
        return None


def whose(search: Search, leads: Sequence[Lead]) -> Party | None:
    """Follow these leads, see the table on top; None when they lead nowhere.

    Raises:
        UnknownReceiver: the record names somebody it may not go to, or it may be several parties'.
    """
    return decided(_FINDERS[lead](search) for lead in leads)


def _by_token_owner(search: Search) -> list[Party]:
    named = search.record.token_owner
    if named is None:
        return []
    if _PAYERS.isdisjoint(roles_of(named, search.directory)) or not search.may_get(named):
        raise nobody(search.viewer, named, search.directory)
    return [named]


def _by_session(search: Search) -> list[Party]:
    record = search.record
    known = None if record.session_id is None else search.clues.ask(SessionKnown(record.owner, record.session_id))
    return [] if known is None or known.emsp is None else search.visible([known.emsp])


def _by_uid(search: Search) -> list[Party]:
    uid, contract_id = search.record.token_uid, search.record.contract_id
    if uid is None:
        return []
    known = search.clues.ask(TokensOfUid(None, uid)) or ()
    tokens = _seen_by(search, [each for each in known if is_of_type(each, search.record.token_type)])
    if contract_id is None or not tokens:
        return _likeliest(search, tokens)
    same = [each for each in tokens if _is_same(each.contract_id, contract_id)]
    if not same and (_of_contract(search, contract_id) or _by_provider(search)):
        return []
    return _likeliest(search, same or tokens)


def _by_contract(search: Search) -> list[Party]:
    record = search.record
    if record.contract_id is None:
        return []
    tokens = _of_contract(search, record.contract_id)
    return _likeliest(search, tokens) if record.has_token else _at_work(search, tokens, record.contract_id)


def _by_provider(search: Search) -> list[Party]:
    contract_id, directory = search.record.contract_id, search.directory
    named = None if contract_id is None else provider_of(contract_id)
    if named is None or not is_connected(named, directory) or Role.EMSP not in roles_of(named, directory):
        return []
    return search.visible([named])


_FINDERS: Final[Mapping[Lead, Callable[[Search], list[Party]]]] = {
    Lead.TOKEN_OWNER: _by_token_owner,
    Lead.CREDITED_CDR: lambda search: search.ways(Index.CDR, search.record.credit_reference_id),
    Lead.SESSION: _by_session,
    Lead.AUTHORIZATION: lambda search: search.ways(Index.AUTHORIZATION, search.record.authorization_reference),
    Lead.TOKEN_UID: _by_uid,
    Lead.CONTRACT: _by_contract,
    Lead.PROVIDER: _by_provider,
}


def is_of_type(token: TokenFacts, asked: str | None) -> bool:
    """Whether a Token may be of this type. A version has OTHER for what others have a name for."""
    return asked in (None, token.type) or _ANY_TYPE in (asked, token.type)


def is_connected(party: Party, directory: PartyDirectory) -> bool:
    """Whether this party can be called now, as far as the hub knows."""
    entry = directory.entry(party)
    return entry is not None and entry.status is ConnectionStatus.CONNECTED


def _seen_by(search: Search, tokens: Iterable[TokenFacts]) -> list[TokenFacts]:
    return [each for each in tokens if search.may_get(each.owner)]


def _of_contract(search: Search, contract_id: str) -> list[TokenFacts]:
    """The Tokens of a contract. An `auth_id` may also be the uid of a Token, if it is no contract's id."""
    known = search.clues.ask(TokensOfContract(None, contract_id)) or ()
    tokens = _seen_by(search, known)
    same = [each for each in tokens if _is_same(each.contract_id, contract_id)]
    return same if search.record.has_token else same or tokens


def _is_same(contract_id: str, other: str) -> bool:
    return contract_key(contract_id) == contract_key(other)


def _owners(tokens: Iterable[TokenFacts]) -> list[Party]:
    return list(dict.fromkeys(each.owner for each in tokens))


def _likeliest(search: Search, tokens: Sequence[TokenFacts]) -> list[Party]:
    """Of several owners those with a valid Token; of several such the one the CPO had to do with lately."""
    owners = _owners(each for each in tokens if each.valid) or _owners(tokens)
    if len(owners) < 2:
        return owners
    cpo = search.record.owner
    near = [each for each in owners if search.clues.ask(WaysOf(Index.CONTACT, (*cpo, str(each))))]
    return near if len(near) == 1 else owners


def _at_work(search: Search, tokens: Sequence[TokenFacts], auth_id: str) -> list[Party]:
    """Of several owners the one whose customer charges at this CPO."""
    owners, cpo = _owners(tokens), search.record.owner
    if len(owners) < 2:
        return owners
    recent = [each for each in owners if search.clues.ask(RecentToken(cpo, each, auth_id)) is not None]
    if len(recent) == 1:
        return recent
    billed = _billed(search, auth_id)
    return [billed] if billed in owners else owners


def _billed(search: Search, auth_id: str) -> Party | None:
    """Whose the Session is that a CDR is the bill of."""
    record = search.record
    if not record.is_cdr or record.start_date_time is None or record.location_id is None:
        return None
    asked = SessionOfCdr(record.owner, record.start_date_time, auth_id, record.location_id)
    session_id = search.clues.ask(asked)
    known = None if session_id is None else search.clues.ask(SessionKnown(record.owner, session_id))
    return None if known is None else known.emsp
