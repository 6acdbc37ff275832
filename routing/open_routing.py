"""Messages that name no receiver, or the hub: who is meant, or that all are.

OCPI 2.2.1, "Transport and format": Broadcast Push, Open Routing Request, GET All via Hubs. This is what is looked at,
in this order; `routing.matrix` has the row of every operation, and docs/routing.md shows them.

===  =============================================  ===============================================================
 1   it is to a URL the hub handed out, or in a     4001
     module that only two partners know
 2   a 2.1.1 owner reads what it pushed             the hub answers
 3   it is a GET of a list                          a list of everybody's, see `routing.roles`
 4   it is another GET on a RECEIVER interface,     2001
     and names the hub
 5   it is a push of what everybody may know        to everybody it is of use for, see `routing.roles`; 4001 where
                                                    an operator wants the hub to be named for that
 6   it is a real-time authorization                see `routing.authorizing`
 7   the leads of its row lead to one party         to that party, as if it had been named: see `routing.leads`
                                                    and `routing.records`
 8   they lead to several                           4001; in 2.1.1 2003 for a Location
 9   they lead to nobody, and the row lets the      to that party
     only party with a callee's role have it
10   they lead to nobody                            the row's `miss`
===  =============================================  ===============================================================
"""

from __future__ import annotations

from itertools import islice
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from routing.authorizing import authorize
from routing.bodies import Members, owner_in, owner_in_path
from routing.clues import Clues
from routing.directory import PartyDirectory
from routing.errors import HubError, InvalidParameters, NoSuchPath, UnknownLocation, UnknownReceiver, UnknownToken
from routing.inquiries import AMBIGUOUS, Inquiry, decided
from routing.leads import LEADS
from routing.matrix import Lead, Miss, Row, row_of
from routing.message import Message
from routing.receivers import forward
from routing.records import Search, record_in, whose
from routing.roles import broadcast, get_all, others
from routing.routes import Broadcast, FanOut, Forward, ReadBack, Route
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import InterfaceRole, ModuleID, Party

_NOBODY: Final = "OCPI-to names no party, and nothing else says who is to get this message"


class Rules(Struct, frozen=True):
    """What an operator decides about messages that name no receiver."""

    open_broadcast: bool = True
    """Broadcast a push of what everybody may know."""
    authorize_fanout: bool = True
    """Ask all eMSPs about a Token that nobody is known to have."""


def undirected(
    message: Message, members: Members, directory: PartyDirectory, hub: Party, rules: Rules, clues: Clues
) -> Route:
    """The way of a message that names no receiver, or the hub; see the table on top.

    Raises:
        UnknownReceiver: nobody is meant, or it cannot be told who.
        InvalidParameters: the hub is asked for what only one party can have.
        NotShared: nobody pushes such an object in a role of its owner's.
        NoSuchPath, UnknownLocation, UnknownToken: nobody is known to have what it is about.
        AnsweredByHub: the hub has the answer.
        HubError: as `routing.receivers.forward`.
    """
    row = row_of(message.version, message.operation)
    if row is None or row.hub_made:
        raise UnknownReceiver(_NOBODY)
    if row.read_back:
        return ReadBack(owner_in_path(message.segments))
    if row.get_all:
        return get_all(message, directory)
    if message.receiver is not None and row.method == "GET" and row.interface is InterfaceRole.RECEIVER:
        raise InvalidParameters("A GET on a RECEIVER interface cannot be addressed to the hub")
    if row.broadcast:
        return _shared(message, directory, hub, rules)
    return _open(Inquiry(message, members, directory, clues), row, rules)


def _shared(message: Message, directory: PartyDirectory, hub: Party, rules: Rules) -> Broadcast:
    # A version without routing headers cannot name the hub.
    if message.receiver is None and message.dialect.routing_headers and not rules.open_broadcast:
        raise UnknownReceiver(_NOBODY)
    return broadcast(message, directory, hub)


def _open(inquiry: Inquiry, row: Row, rules: Rules) -> Forward | FanOut:
    message, directory = inquiry.message, inquiry.directory
    if Lead.FAN_OUT in row.leads:
        asked = authorize(inquiry, row, fan_out=rules.authorize_fanout)
        if asked is not None:
            return asked
        party = None
    else:
        party = _led_to(inquiry, row)
    if party is None and row.only:
        party = _only(inquiry, row)
    if party is None:
        raise _missing(row)
    return forward(message, party, directory)


def _led_to(inquiry: Inquiry, row: Row) -> Party | None:
    """Who the leads of the row lead to."""
    try:
        if row.module in (ModuleID.SESSIONS, ModuleID.CDRS) and row.interface is InterfaceRole.RECEIVER:
            return whose(_search(inquiry, row), row.leads)
        return decided(LEADS[lead](inquiry) for lead in row.leads)
    except UnknownReceiver:
        if row.miss in (Miss.LOCATION, Miss.LOCATION_OF_COMMAND):
            raise _missing(row, AMBIGUOUS) from None
        raise


def _search(inquiry: Inquiry, row: Row) -> Search:
    message, members = inquiry.message, inquiry.members
    if message.operation.owned:
        owner, session_id = owner_in_path(message.segments), unquote(message.segments[-1])
    else:
        owner, session_id = owner_in(members) or message.sender, None
    is_cdr = row.module == ModuleID.CDRS
    record = record_in(members, owner, message.dialect, is_cdr=is_cdr, session_id=session_id)
    return Search(record, message.sender, inquiry.directory, inquiry.clues)


def _only(inquiry: Inquiry, row: Row) -> Party | None:
    message = inquiry.message
    found = others(message, message.sender, row.callees, row.interface, inquiry.directory)
    candidates = list(islice((each.entry.party for each in found), 2))
    return candidates[0] if len(candidates) == 1 else None


def _missing(row: Row, why: str = _NOBODY) -> HubError | AnsweredByHub:
    match row.miss:
        case Miss.NOBODY:
            return UnknownReceiver(why)
        case Miss.OBJECT:
            return NoSuchPath("The hub does not know whom this object is for")
        case Miss.LOCATION:
            return UnknownLocation(why, http_status=404)
        case Miss.LOCATION_OF_COMMAND:
            return UnknownLocation(why)
        case Miss.TOKEN:
            return UnknownToken("Nobody is known to have this Token")
        case Miss.SESSION:
            return AnsweredByHub(None, {"result": "UNKNOWN_SESSION"})
