"""Who is asked for the real-time authorization of a Token. OCPI 2.2.1, "Tokens", POST on the Sender interface.

===================================================  ==============================================================
what is known                                        who is asked
===================================================  ==============================================================
one party has a Token of this uid and type           that party
several have                                         those with a valid Token first, the newest first; each only
                                                     when it is none of the one's before
nobody, and the uid is that of an EMAID              the connected eMSP that it names with its first characters
nobody                                               all eMSPs and OTHERs, or nobody where an operator has switched
                                                     that off; then the only one, if there is only one
===================================================  ==============================================================

A request that names no type is about an RFID card.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Final

from routing.contracts import provider_of
from routing.errors import UnknownToken
from routing.inquiries import Inquiry
from routing.matrix import Row
from routing.receivers import forward
from routing.records import is_connected, is_of_type
from routing.roles import others, roles_of
from routing.routes import FanOut, Forward
from routing.timestamps import read_timestamp
from routing.translation.queries import token_type_in
from routing.translation.questions import TokenFacts, TokensOfUid
from routing.vocabulary import ConnectionStatus, Party, Role

MOST_ASKED: Final = 20
"""Parties that are asked about one Token at most."""
_DEFAULT_TYPE: Final = "RFID"
_EMAID: Final = "EMAID"
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


def authorize(inquiry: Inquiry, row: Row, *, fan_out: bool) -> Forward | FanOut | None:
    """Who is asked, see the table on top; None when it takes the rest of the row to tell.

    Raises:
        UnknownToken: everybody would be asked, and there is nobody.
        RoutingError: whose Token it is cannot be called.
    """
    uid = inquiry.named("{token_uid}") or ""
    token_type = token_type_in(inquiry.message.query) or _DEFAULT_TYPE
    owners = _owners(inquiry, uid, token_type)
    if not owners and token_type == _EMAID:
        owners = _provider(inquiry, uid)
    if owners:
        return _in_turn(inquiry, owners)
    return _everybody(inquiry, row) if fan_out else None


def _owners(inquiry: Inquiry, uid: str, token_type: str) -> list[Party]:
    """Whose Token it may be, the likeliest first."""
    tokens = [each for each in inquiry.clues.ask(TokensOfUid(None, uid)) or () if is_of_type(each, token_type)]
    tokens.sort(key=_rank, reverse=True)
    return inquiry.able(each.owner for each in tokens)


def _rank(token: TokenFacts) -> tuple[bool, datetime]:
    try:
        return token.valid, read_timestamp(token.last_updated)
    except (ValueError, OverflowError):
        return token.valid, _NO_TIME


def _provider(inquiry: Inquiry, uid: str) -> list[Party]:
    named, directory = provider_of(uid), inquiry.directory
    if named is None or not is_connected(named, directory) or Role.EMSP not in roles_of(named, directory):
        return []
    return inquiry.able([named])


def _in_turn(inquiry: Inquiry, owners: list[Party]) -> Forward | FanOut:
    """Whoever is away cannot be asked; when that is everybody, the answer says so."""
    directory = inquiry.directory
    reachable = [each for each in owners if is_connected(each, directory)] or owners[:1]
    asked = tuple(forward(inquiry.message, each, directory) for each in reachable[:MOST_ASKED])
    return asked[0] if len(asked) == 1 else FanOut(asked, in_turn=True)


def _everybody(inquiry: Inquiry, row: Row) -> Forward | FanOut:
    message, directory = inquiry.message, inquiry.directory
    found = others(message, message.sender, row.callees, message.operation.interface, directory)
    able = sorted(each.entry.party for each in found if each.entry.status is ConnectionStatus.CONNECTED)
    asked = tuple(forward(message, each, directory) for each in islice(able, MOST_ASKED))
    if not asked:
        raise UnknownToken("Nobody can be asked whose Token this is")
    return asked[0] if len(asked) == 1 else FanOut(asked)
