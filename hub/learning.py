"""What the hub learns from one accepted message: from a body, as its owner wrote it, to facts.

Whose an object is never follows from a body alone: the owner has to be a party of the platform the body came from.
What is of another kind than it should be is not learned, and neither is what is too long to be an identifier.

==========================  =============================================================================
body                        what is learned
==========================  =============================================================================
Token                       its uid, type, contract, issuer, whether it is valid
START_SESSION, RESERVE_NOW  the same of its Token, for a month; the contract's last use; the reference
AuthorizationInfo           the same, for good; the last use and the reference only when it is ALLOWED
Session                     between whom, status, start, contract, Location, the Token that was chosen for it
Location                    its `publish`
Tariff                      its type, start and end
==========================  =============================================================================

Beyond that, a Location, Tariff or Token which a 2.1.1 owner pushes is kept whole. Sessions and CDRs never are.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from hub.store.facts import (
    Fact,
    LocationSeen,
    ObjectShown,
    OwnPush,
    ReferenceGiven,
    ReservationSeen,
    ResidueLeft,
    SessionSeen,
    TariffSeen,
    TokenChanged,
    TokenSeen,
    TokenUsed,
)
from hub.store.learned_ends import RESERVATIONS, TOKENS_OF_COMMANDS, UNDATED_RESERVATIONS
from hub.store.residues import write_residue
from hub.store.shelves import LONGEST_ID, KnownSession, KnownToken, Lookup, Reference, UsedToken, key_of, session
from routing.contracts import contract_key
from routing.timestamps import read_timestamp
from routing.translation import numbers
from routing.translation.crossing import NO_DATA, Json
from routing.translation.kinds import Kind
from routing.translation.questions import Residue, TariffFacts, TokenFacts
from routing.translation.tokens import RFID
from routing.vocabulary import ModuleID, Party, Version

Mode: TypeAlias = Literal["put", "patch", "post", "delete", "list", "object"]
"""How the body came: pushed with that method, or as the answer to one, or read: in a list, or on its own."""

_LONGEST_MOMENT: Final = 80
_YEARS: Final = range(1970, 9999)
"""Of moments that every database, and every sum, can bear."""
MOST_RESIDUE: Final = 16 * 1024
"""Bytes of what an object can have lost to be remembered."""
_PUSHED: Final = frozenset({"put", "patch", "delete"})
_KEPT_IN_2_1_1: Final[Mapping[Kind, str]] = {
    Kind.LOCATION: ModuleID.LOCATIONS,
    Kind.EVSE: ModuleID.LOCATIONS,
    Kind.CONNECTOR: ModuleID.LOCATIONS,
    Kind.TARIFF: ModuleID.TARIFFS,
    Kind.TOKEN: ModuleID.TOKENS,
}
_SAID_OF_SESSIONS: Final = (
    *("status", "start_datetime", "start_date_time", "auth_id", "location_id", "evse_uid"),
    "authorization_reference",
)
_SAID_OF_TOKENS: Final = ("country_code", "party_id", "uid", "type", "contract_id")
_SHOWN: Final[Mapping[Kind, str]] = {Kind.LOCATION: ModuleID.LOCATIONS, Kind.TARIFF: ModuleID.TARIFFS}


class Heard(Struct, frozen=True, eq=False):
    """What is known about bodies beside what stands in them. One serves for all objects of a page."""

    kind: Kind
    mode: Mode
    version: Version
    """Of the bodies, before any translation."""
    teller: Container[Party]
    """The parties of the platform that the bodies came from."""
    owner: Party
    """Whose objects they are by path or credentials; those of 2.2 and newer may say it themselves."""
    at: datetime
    cpo: Party | None = None
    """The party on the CPO side of the exchange."""
    emsp: Party | None = None
    """The party on the eMSP side of the exchange."""
    ids: tuple[str, ...] = ()
    """Those in the path, percent-decoded, without the owner: of a Connector three."""
    token_type: str | None = None
    """`type` in the query."""
    viewer: Party | None = None
    """The 2.1.1 party that was given the objects, and cannot see whose they are."""


def facts_in(heard: Heard, body: Json, translated: Json | None) -> Iterator[Fact]:
    """The facts in an accepted body. `translated` is what it became, where that says more than it did."""
    owner = _owner(heard, body)
    if owner not in heard.teller:
        return
    learn = _LESSONS.get(heard.kind)
    if learn is not None:
        yield from learn(heard, owner, body, translated)
    if heard.version is Version.V2_1_1 and heard.kind in _KEPT_IN_2_1_1 and heard.mode in _PUSHED and _are_ids(heard):
        content = None if heard.mode == "delete" else numbers.write(body)
        yield OwnPush(_KEPT_IN_2_1_1[heard.kind], owner, heard.ids, heard.mode == "patch", content, heard.at)
    object_id = _object_id(heard, body, "id")
    if heard.viewer is not None and heard.kind in _SHOWN and heard.mode != "delete" and object_id is not None:
        yield ObjectShown(heard.viewer, _SHOWN[heard.kind], owner, object_id)


class SaidOfSession(Struct, frozen=True):
    """All that the facts in one message about a Session follow from, also who it leads to. Most say nothing new."""

    about: Lookup
    said: int
    """The hash of it, to be compared with that of what was said before."""


def said_of_session(heard: Heard, body: Json, translated: Json | None) -> SaidOfSession | None:
    """What a body says of its Session that can be learned, as it says it; None when it is none, or of nobody here.

    Also None when it says it in a way that cannot be compared.
    """
    if heard.kind is not Kind.SESSION:
        return None
    owner, session_id = _owner(heard, body), _object_id(heard, body, "id")
    if session_id is None or owner not in heard.teller:
        return None
    return compared(heard.version, heard.emsp, owner, session_id, body, translated)


def compared(
    version: Version, emsp: Party | None, owner: Party, session_id: str, body: Json, translated: Json | None
) -> SaidOfSession | None:
    """The same of a Session whose id and owner are known, without a look at whether they can be believed."""
    place, own = body.get("location"), body.get("cdr_token")
    chosen = None if translated is None else translated.get("cdr_token")
    evses = place.get("evses") if type(place) is dict else None
    evse = evses[0] if type(evses) is list and len(evses) == 1 else None
    said = (
        version,
        emsp,
        session_id,
        *map(body.get, _SAID_OF_SESSIONS),
        place.get("id") if type(place) is dict else None,
        evse.get("uid") if type(evse) is dict else None,
        own.get("contract_id") if type(own) is dict else None,
        *(map(chosen.get, _SAID_OF_TOKENS) if type(chosen) is dict else ()),
    )
    try:
        return SaidOfSession(session(owner, session_id), hash(said))
    except TypeError:  # a list or an object where there should be a text
        return None


def residue_left(heard: Heard, receiver: Party, residue: Residue | None) -> ResidueLeft | None:
    """What the receiver's version took away from a pushed object. None when nobody could ask for it."""
    if heard.owner not in heard.teller or not _are_ids(heard):
        return None
    body = None if residue is None else write_residue(residue)
    if body is not None and len(body) > MOST_RESIDUE:
        body = None
    return ResidueLeft(heard.owner, heard.kind, heard.ids, receiver, body, heard.at)


def _owner(heard: Heard, body: Json) -> Party:
    """The owner an object names; one of 2.1.1 names none that could be believed, and a command has it in its Token."""
    if heard.version is Version.V2_1_1:
        return heard.owner
    token = body.get("token")
    return _named(token if type(token) is dict else body) or heard.owner


def _named(body: Json) -> Party | None:
    country_code, party_id = body.get("country_code"), body.get("party_id")
    if type(country_code) is str and type(party_id) is str:
        return Party.read(country_code, party_id)
    return None


# Tokens, and what is done with them


def _token(heard: Heard, owner: Party, body: Json, _: Json | None) -> Iterator[Fact]:
    if heard.mode == "patch":
        yield from _token_changed(heard, owner, body)
        return
    facts = _token_facts(heard, owner, body)
    if facts is not None:
        yield TokenSeen(KnownToken(facts))


def _token_facts(heard: Heard, owner: Party, token: Any) -> TokenFacts | None:  # noqa: ANN401 - any JSON
    if type(token) is not dict:
        return None
    uid, valid = _text(token.get("uid")), token.get("valid")
    contract_id = _text(token.get(_contract_name(heard)))
    token_type = _text(token.get("type")) or _text(heard.token_type) or RFID
    if uid is None or contract_id is None or type(valid) is not bool:
        return None
    last_updated = _text(token.get("last_updated")) or ""
    return TokenFacts(owner, uid, token_type, contract_id, valid, last_updated, _text(token.get("issuer")))


def _contract_name(heard: Heard) -> str:
    return "auth_id" if heard.version is Version.V2_1_1 else "contract_id"


def _token_changed(heard: Heard, owner: Party, body: Json) -> Iterator[Fact]:
    """A PATCH means the Token of the type in its URL, which is RFID where none is named; 2.1.1 names none ever."""
    if not heard.ids or (uid := _text(heard.ids[0])) is None:
        return
    said = {
        "contract_id": _text(body.get(_contract_name(heard))),
        "last_updated": _text(body.get("last_updated")),
        "issuer": _text(body.get("issuer")),
        "valid": valid if type(valid := body.get("valid")) is bool else None,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    token_type = None if heard.version is Version.V2_1_1 else _text(heard.token_type) or RFID
    if changes:
        yield TokenChanged(owner, uid, token_type, changes)


def _command(heard: Heard, owner: Party, body: Json, _: Json | None) -> Iterator[Fact]:
    facts = _token_facts(heard, owner, body.get("token"))
    if facts is not None:
        yield TokenSeen(KnownToken(facts, heard.at + TOKENS_OF_COMMANDS))
        yield from _use(heard, facts, _text(body.get("authorization_reference")), _text(body.get("location_id")))
    if heard.kind is Kind.RESERVE_NOW and heard.cpo is not None and heard.emsp is not None:
        yield from _reservation(heard, heard.cpo, heard.emsp, body)


def _authorization(heard: Heard, owner: Party, body: Json, _: Json | None) -> Iterator[Fact]:
    facts = _token_facts(heard, owner, body.get("token"))
    if facts is None:
        return
    yield TokenSeen(KnownToken(facts))
    if body.get("allowed") == "ALLOWED":
        location = body.get("location")
        location_id = _text(location.get("location_id")) if type(location) is dict else None
        yield from _use(heard, facts, _text(body.get("authorization_reference")), location_id)


def _use(heard: Heard, token: TokenFacts, reference: str | None, location_id: str | None) -> Iterator[Fact]:
    if heard.cpo is None:
        return
    yield TokenUsed(heard.cpo, token.owner, UsedToken(token, heard.at))
    if reference is not None:
        location_key = None if location_id is None else key_of(location_id)
        given = Reference(reference, token.type, heard.at, location_key)
        yield ReferenceGiven(heard.cpo, token.owner, token.uid, given)


def _reservation(heard: Heard, cpo: Party, emsp: Party, body: Json) -> Iterator[Fact]:
    """In 2.1.1 an eMSP chooses a number itself, which no other can have then."""
    chosen = body.get("reservation_id")
    expiry = moment_in(body.get("expiry_date"))
    until = heard.at + UNDATED_RESERVATIONS if expiry is None else max(expiry, heard.at) + RESERVATIONS
    until = min(until, heard.at + UNDATED_RESERVATIONS)
    if type(chosen) is int and 0 <= chosen < 1 << 31:
        yield ReservationSeen(cpo, emsp, str(chosen), chosen, until)
    elif (reservation_id := _text(chosen)) is not None:
        yield ReservationSeen(cpo, emsp, reservation_id, None, until)


# What CPOs have


def _session(heard: Heard, owner: Party, body: Json, translated: Json | None) -> Iterator[Fact]:
    session_id = _object_id(heard, body, "id")
    if session_id is None:
        return
    if heard.version is Version.V2_1_1:
        start, contract, place = body.get("start_datetime"), body.get("auth_id"), body.get("location")
        location_id = place.get("id") if type(place) is dict else None
    else:
        token = body.get("cdr_token")
        start, location_id = body.get("start_date_time"), body.get("location_id")
        contract = token.get("contract_id") if type(token) is dict else None
    contract_id, place_id = _text(contract), _text(location_id)
    said = KnownSession(
        session_id=session_id,
        emsp=heard.emsp,
        status=_text(body.get("status")),
        start=moment_in(start),
        auth_key=None if contract_id is None else contract_key(contract_id),
        location_key=None if place_id is None else key_of(place_id),
        token=_chosen(heard, translated),
        at=heard.at,
    )
    yield SessionSeen(owner, said)


def _chosen(heard: Heard, translated: Json | None) -> TokenFacts | None:
    """The Token that the translation of a 2.1.1 Session found to stand for its contract."""
    token = translated.get("cdr_token") if translated is not None else None
    if heard.version is not Version.V2_1_1 or type(token) is not dict:
        return None
    owner = _named(token) or heard.emsp
    uid, token_type, contract_id = (_text(token.get(name)) for name in ("uid", "type", "contract_id"))
    if owner is None or uid is None or token_type is None or contract_id is None:
        return None
    return TokenFacts(owner, uid, token_type, contract_id, valid=True, last_updated="")


def _location(heard: Heard, owner: Party, body: Json, _: Json | None) -> Iterator[Fact]:
    location_id, publish = _object_id(heard, body, "id"), body.get("publish")
    if location_id is not None:
        yield LocationSeen(owner, location_id, publish if type(publish) is bool else None)


def _tariff(heard: Heard, owner: Party, body: Json, _: Json | None) -> Iterator[Fact]:
    tariff_id = _object_id(heard, body, "id")
    if tariff_id is None or heard.mode == "patch":  # which only 2.1.1 has, whose Tariffs have none of these members
        return
    members = (_text(body.get(name)) for name in ("type", "start_date_time", "end_date_time"))
    yield TariffSeen(owner, tariff_id, None if heard.mode == "delete" else TariffFacts(*members))


_LESSONS: Final[Mapping[Kind, Callable[[Heard, Party, Json, Json | None], Iterator[Fact]]]] = {
    Kind.TOKEN: _token,
    Kind.START_SESSION: _command,
    Kind.RESERVE_NOW: _command,
    Kind.AUTHORIZATION_INFO: _authorization,
    Kind.SESSION: _session,
    Kind.LOCATION: _location,
    Kind.TARIFF: _tariff,
}


# Reading what a partner wrote


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """A text that can be an identifier. Nothing else may come near a column of a database."""
    if type(value) is str and 0 < len(value) <= LONGEST_ID and value.isprintable() and value != NO_DATA:
        return value
    return None


def identifier(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """A text that can be an identifier, as it was written; None for anything else."""
    return _text(value)


def key_in(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The same, as it is compared."""
    text = _text(value)
    return None if text is None else key_of(text)


def moment_in(value: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    """A moment that can be remembered and reckoned with."""
    return _moment(value) if type(value) is str and len(value) <= _LONGEST_MOMENT else None


@lru_cache(maxsize=4096)  # a Session says when it began in each of its messages
def _moment(text: str) -> datetime | None:
    try:
        moment = read_timestamp(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def _object_id(heard: Heard, body: Json, name: str) -> str | None:
    """The id in the path, else the one in the object."""
    return _text(heard.ids[0]) if heard.ids else _text(body.get(name))


def _are_ids(heard: Heard) -> bool:
    return bool(heard.ids) and all(_text(each) is not None for each in heard.ids)
