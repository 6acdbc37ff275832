"""CdrToken, of Sessions and CDRs: which Token paid. OCPI 2.2.1, "CDRs", and 2.1.1, "Sessions".

=========  ===============  ==================================  ================
2.1.1      2.2              2.2.1                               2.3.0
=========  ===============  ==================================  ================
`auth_id`  `contract_id`    the same                            the same
-          `uid`, `type`    the same                            `type` is open
-          -                `country_code`, `party_id`: whose   the same
                            Token it is
=========  ===============  ==================================  ================

What an older version does not say is found in what is remembered of Tokens. Where nothing is, the Token is one of the
eMSP in this exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routing.contracts import provider_of
from routing.errors import UnknownReceiver, Untranslatable
from routing.timestamps import read_timestamp
from routing.translation import tokens
from routing.translation.crossing import NO_DATA, Crossing, Json
from routing.translation.enums import VALUES
from routing.translation.fields import inside
from routing.translation.questions import (
    ChosenToken,
    ConnectedEmsp,
    RecentToken,
    TokenFacts,
    TokensOfContract,
    TokensOfUid,
)
from routing.vocabulary import Party, Version

ANOTHERS: Final = "RF-20"
"""Of what is another eMSP's, and none of the reader's business."""
_NOT_SAID: Final = ("", NO_DATA)
_TYPES: Final = VALUES["TokenType"][Version.V2_2_1]


def token_to_auth_id(body: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1, on the Session or CDR: its CdrToken, by now called `auth_id`, becomes the id of the contract.

    Raises:
        Untranslatable: it names neither contract nor uid.
    """
    token = body.get("auth_id")
    if type(token) is dict:
        body["auth_id"] = _contract_of(token, crossing)
        crossing.lose("L-30", "/cdr_token")
    elif token is None and crossing.patch:
        body.pop("auth_id", None)
    elif type(token) is not str:
        raise Untranslatable("RF-02", "there is no cdr_token to make auth_id of", ocpi_status=2001)


def _contract_of(token: Json, crossing: Crossing) -> str:
    contract, uid = token.get("contract_id"), token.get("uid")
    if type(contract) is str and contract not in _NOT_SAID:
        return contract
    if type(uid) is not str or uid in _NOT_SAID:
        raise Untranslatable("RF-02", "cdr_token has neither contract_id nor uid", ocpi_status=2001)
    owner = _owner_in(token)
    known = owner and crossing.ask(TokensOfUid(owner, uid))
    return next((each.contract_id for each in known or () if _is_of_type(each, token)), uid)


def auth_id_to_token(body: Json, crossing: Crossing, session_id: str | None) -> None:
    """2.1.1 to 2.2.1, on the Session or CDR: its `auth_id`, by now called `cdr_token`, becomes a CdrToken.

    `session_id` is that of the Session, or of the one a CDR is the bill of: both show the same Token. What a sender
    puts there itself is believed, except whose Token it is: nobody can make another eMSP pay.

    Raises:
        Untranslatable: there is no `auth_id`.
        UnknownReceiver: nobody can be named as the owner.
    """
    told = body.get("cdr_token")
    if type(told) is dict and crossing.emsp is None:
        told = told.get("contract_id")
    if type(told) is str:
        body["cdr_token"] = _token_of(told, crossing, session_id)
        crossing.lose("L-31", "/auth_id")
        if body["cdr_token"]["type"] not in _TYPES and crossing.destination.version is not Version.V2_3_0:
            inside(body, "cdr_token", from_2_3_0, crossing)
    elif type(told) is dict and crossing.emsp is not None and _names_a_token(told):
        body["cdr_token"] = {**told, "country_code": crossing.emsp.country_code, "party_id": crossing.emsp.party_id}
    elif crossing.patch and (told is None or type(told) is dict):
        if body.pop("cdr_token", None) is not None:
            crossing.lose("L-01", "/cdr_token")
    else:
        raise Untranslatable("RF-02", "there is no auth_id to make cdr_token of", ocpi_status=2001)


def _names_a_token(token: Json) -> bool:
    return all(type(token.get(name)) is str for name in ("uid", "type", "contract_id"))


def _token_of(auth_id: str, crossing: Crossing, session_id: str | None) -> Json:
    fact = _found(auth_id, crossing, session_id) if auth_id not in _NOT_SAID else None
    owner = crossing.emsp if fact is None else fact.owner
    if owner is None:
        raise UnknownReceiver("Nobody is known whose contract the auth_id is")
    if fact is None:
        _check_whose(auth_id, owner, crossing)
        crossing.lose("L-05", "/auth_id")
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "uid": NO_DATA if fact is None else fact.uid,
        "type": "OTHER" if fact is None else fact.type,
        "contract_id": auth_id if fact is None else fact.contract_id,
    }


def _check_whose(auth_id: str, emsp: Party, crossing: Crossing) -> None:
    """Refuse to give an eMSP what a 2.1.1 CPO's list has of another's customer: such a list is of all eMSPs.

    Raises:
        Untranslatable: the contract is somebody else's, by its Tokens or by how it is spelled.
    """
    if not crossing.answer or crossing.origin.party != crossing.cpo:
        return
    own = crossing.emsp_platform | {emsp}
    owners = {each.owner for each in crossing.ask(TokensOfContract(None, auth_id)) or ()}
    if not owners:
        provider = _provider({"contract_id": auth_id}, crossing)
        owners = set() if provider is None else {provider}
    if owners and owners.isdisjoint(own):
        raise Untranslatable(ANOTHERS, "the contract is another eMSP's")


def _found(auth_id: str, crossing: Crossing, session_id: str | None) -> TokenFacts | None:
    """The Token that was chosen for this Session before, else the one used last, else the best of its contract."""
    emsp, wanted = crossing.emsp, auth_id.casefold()
    chosen = None if session_id is None else crossing.ask(ChosenToken(crossing.owner, session_id))
    if chosen is not None and _still_fits(chosen, wanted, emsp):
        return chosen
    recent = emsp and crossing.ask(RecentToken(crossing.owner, emsp, auth_id))
    known = crossing.ask(TokensOfContract(emsp, auth_id)) or ()
    if recent is not None:
        return recent
    by_uid = [each for each in known if each.uid.casefold() == wanted != each.contract_id.casefold()]
    return _best([each for each in known if each not in by_uid] or by_uid)


def _still_fits(chosen: TokenFacts, auth_id: str, emsp: Party | None) -> bool:
    """Whether it is a Token somebody has seen, of this eMSP, and the Session has not got another `auth_id`."""
    if chosen.uid == NO_DATA or emsp not in (None, chosen.owner):
        return False
    return auth_id in (chosen.contract_id.casefold(), chosen.uid.casefold())


def _best(known: Sequence[TokenFacts]) -> TokenFacts | None:
    return known[0] if len(known) == 1 else min(known, key=_rank, default=None)


def _rank(fact: TokenFacts) -> tuple[bool, bool, float, str]:
    try:
        updated = read_timestamp(fact.last_updated).timestamp()
    except ValueError:
        updated = 0.0
    return not fact.valid, fact.type != "RFID", -updated, fact.uid


def from_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2 to 2.2.1: say whose Token it is.

    Raises:
        Untranslatable: M-81, nobody knows.
    """
    if _owner_in(body) is not None:
        return body
    owner = _tenant(body, crossing) or crossing.emsp or _only_owner(body, crossing) or _provider(body, crossing)
    if owner is None:
        raise Untranslatable("M-81", "the owner of cdr_token is unknown")
    crossing.lose("M-80", "")
    return {**body, "country_code": owner.country_code, "party_id": owner.party_id}


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2: whose Token it is follows from the exchange."""
    if crossing.destination.quirks.additive == "keep":
        return body
    owner, token = _owner_in(body), body.copy()
    token.pop("country_code", None)
    token.pop("party_id", None)
    if owner is not None and owner != crossing.emsp:
        crossing.lose("M-82", "")
    return token


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1."""
    token_type = body.get("type")
    if type(token_type) is not str or token_type in _TYPES:
        return body
    token = body.copy()
    tokens.older_type(token, crossing)
    return token


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0."""
    owner, uid = _owner_in(body) or crossing.emsp, body.get("uid")
    if body.get("type") != "OTHER" or owner is None or type(uid) is not str:
        return body
    token = body.copy()
    tokens.newer_type(token, crossing, owner, uid)
    return token


def _owner_in(token: Json) -> Party | None:
    country_code, party_id = token.get("country_code"), token.get("party_id")
    if type(country_code) is str and type(party_id) is str and country_code and party_id:
        return Party.read(country_code, party_id)
    return None


def _is_of_type(fact: TokenFacts, token: Json) -> bool:
    """Whether it is the Token's type, also where a newer version had another name for what older ones call OTHER."""
    return fact.type == token.get("type") or (token.get("type") == "OTHER" and fact.type not in _TYPES)


def _tenant(token: Json, crossing: Crossing) -> Party | None:
    """The eMSP among several of the platform that pulls: a CPO of 2.2 may give each of them what is of all."""
    platform = crossing.emsp_platform
    if not crossing.answer or len(platform) < 2 or crossing.destination.party not in platform:
        return None
    owner = _only_owner(token, crossing)
    return owner if owner in platform else None


def _only_owner(token: Json, crossing: Crossing) -> Party | None:
    uid = token.get("uid")
    if type(uid) is not str or uid in _NOT_SAID:
        return None
    known = crossing.ask(TokensOfUid(None, uid)) or ()
    owners = {fact.owner for fact in known if _is_of_type(fact, token)}
    return owners.pop() if len(owners) == 1 else None


def _provider(token: Json, crossing: Crossing) -> Party | None:
    """The connected party whose contract id this is by its first characters, if it looks like an eMA id at all."""
    contract = token.get("contract_id")
    party = provider_of(contract) if type(contract) is str else None
    return party if party is not None and crossing.ask(ConnectedEmsp(party)) else None
