"""What leads to a receiver, apart from Sessions, CDRs and Tokens: see `routing.records` and `routing.authorizing`.

Each of these gives everybody it leads to, after what can be told apart has been told apart:

===========================  =======================================================================================
lead                         of several
===========================  =======================================================================================
Location                     those that have the EVSE; then those where the sender has a reservation, or had a Session
                             lately, at a Location of this id
Session shown to the sender  those of which it is known that the Session is the sender's; then the ones that have not
                             ended
billed CDRs                  who has all of them
Locations of the Terminal    who has all of them
===========================  =======================================================================================

OCPI 2.2.1, "Transport and format", Open Routing Request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from routing.bodies import Members, owner_in, read_members, text
from routing.clues import Index, SessionKnown, WaysOf
from routing.inquiries import Inquiry, objects_in, texts_in
from routing.matrix import Lead
from routing.receivers import nobody
from routing.roles import roles_of
from routing.vocabulary import Party, Role

_ENDED: Final = frozenset({"COMPLETED", "INVALID"})
_MOST_CDRS: Final = 1000
"""Of an invoice: to look up more would keep everybody waiting."""
_BOOKERS: Final = frozenset({Role.EMSP, Role.OTHER})


def _narrowed(parties: Sequence[Party], by: Iterable[Party]) -> list[Party]:
    """Those of the parties that are among the others too; all of them, if that is nobody."""
    others = set(by)
    return [party for party in parties if party in others] or list(parties)


def _at_location(inquiry: Inquiry) -> list[Party]:
    location_id = inquiry.named("{location_id}", "location_id")
    if location_id is None:
        return []
    ways = inquiry.ways(Index.LOCATION, location_id)
    found = list(dict.fromkeys(way.party for way in ways))
    evse_uid = inquiry.named("{evse_uid}", "evse_uid")
    if len(found) > 1 and evse_uid is not None:
        found = _narrowed(found, (way.party for way in ways if way.detail == evse_uid.upper()))
    if len(found) > 1:
        found = _narrowed(found, inquiry.parties(Index.CUSTOMER_AT, *inquiry.message.sender, location_id))
    return found


def _with_session(inquiry: Inquiry) -> list[Party]:
    sender, session_id = inquiry.message.sender, inquiry.named("{session_id}", "session_id")
    if session_id is None:
        return []
    found = inquiry.parties(Index.SESSION_SHOWN, *sender, session_id)
    if len(found) < 2:
        return found
    known = {party: inquiry.clues.ask(SessionKnown(party, session_id)) for party in found}
    found = _narrowed(found, (party for party, facts in known.items() if facts is not None and facts.emsp == sender))
    return _narrowed(found, (party for party, facts in known.items() if facts is None or facts.status not in _ENDED))


def _of_sender(index: Index, placeholder: str, *fields: str) -> Callable[[Inquiry], list[Party]]:
    """What is known under an id of the sender's: that in the path, or else those in the body."""

    def found(inquiry: Inquiry) -> list[Party]:
        named = inquiry.named(placeholder)
        ids = [named] if named is not None else [text(inquiry.members, field) for field in fields]
        return _under(inquiry, index, inquiry.message.sender, ids)

    return found


def _under(inquiry: Inquiry, index: Index, party: Party, ids: Iterable[str | None]) -> list[Party]:
    """Who any of these ids of a party leads to."""
    found = [inquiry.parties(index, *party, each) for each in ids if each is not None]
    return list(dict.fromkeys(party for parties in found for party in parties))


def _with_profile(inquiry: Inquiry) -> list[Party]:
    key = (*inquiry.message.sender, (inquiry.named("{session_id}") or "").upper())
    ways = inquiry.clues.ask(WaysOf(Index.PROFILE, key)) or ()
    return inquiry.able(way.party for way in ways[:1])  # who set one before has been replaced


def _with_booking_location(inquiry: Inquiry) -> list[Party]:
    identifier = inquiry.named("{booking_location_id}", "booking_location_id")
    return [] if identifier is None else inquiry.parties(Index.BOOKING_LOCATION, identifier)


def _with_booking(inquiry: Inquiry) -> list[Party]:
    ids = [inquiry.named("{booking_id}"), text(inquiry.members, "request_id")]
    return _under(inquiry, Index.BOOKING, inquiry.owner, ids)


def _in_booking(inquiry: Inquiry) -> list[Party]:
    requests = [_inner(each, "booking_request") for each in objects_in(inquiry.members, "booking_requests")]
    named = [owner_in(each) for each in (*requests, *objects_in(inquiry.members, "booking_tokens"))]
    found = list(dict.fromkeys(party for party in named if party is not None))
    for party in found:
        _check_named(inquiry, party, _BOOKERS)
    return found


def _inner(members: Members, name: str) -> Members:
    value = members.get(name)
    return read_members(bytes(value)) if value is not None and bytes(value).startswith(b"{") else {}


def _check_named(inquiry: Inquiry, party: Party, roles: frozenset[Role]) -> None:
    """Somebody is named. To go on as if not would be to guess.

    Raises:
        UnknownReceiver: it is nobody that the sender may reach, or not in such a role.
    """
    directory = inquiry.directory
    message = inquiry.message
    visible = directory.visible_to(message.sender, party, message.operation.module)
    if not visible or roles.isdisjoint(roles_of(party, directory)):
        raise nobody(message.sender, party, directory)


def _in_terminal(inquiry: Inquiry) -> list[Party]:
    named = owner_in(inquiry.members)
    if named is None:
        return []
    _check_named(inquiry, named, frozenset({Role.CPO}))
    return [named]


def _at_locations(inquiry: Inquiry) -> list[Party]:
    found = [inquiry.parties(Index.LOCATION, each) for each in texts_in(inquiry.members, "location_ids")]
    return _common(parties for parties in found if parties)


def _common(groups: Iterable[list[Party]]) -> list[Party]:
    """Who is in all of them; when that is nobody, who is in any."""
    sets = [dict.fromkeys(group) for group in groups]
    everybody = list(dict.fromkeys(party for group in sets for party in group))
    return [party for party in everybody if all(party in group for group in sets)] or everybody


def _with_record(inquiry: Inquiry) -> list[Party]:
    return _under(inquiry, Index.RECONCILIATION, inquiry.owner, [inquiry.named("{record_id}")])


def _with_cdrs(inquiry: Inquiry) -> list[Party]:
    owner = inquiry.owner if inquiry.message.operation.owned else owner_in(inquiry.members) or inquiry.owner
    roles = roles_of(owner, inquiry.directory)
    indexes = [index for role, index in ((Role.CPO, Index.CDR), (Role.EMSP, Index.CDR_GOT)) if role in roles]
    cdrs = texts_in(inquiry.members, "cdrs")
    if len(cdrs) > _MOST_CDRS:
        return []
    groups = [[party for index in indexes for party in inquiry.parties(index, *owner, each)] for each in cdrs]
    # A CDR that nobody is known to have got is a reason not to send the rest to anybody either.
    return _common(groups) if all(groups) else []


LEADS: Final[Mapping[Lead, Callable[[Inquiry], list[Party]]]] = {
    Lead.LOCATION: _at_location,
    Lead.SESSION_SHOWN: _with_session,
    Lead.AUTHORIZATION: _of_sender(Index.AUTHORIZATION, "", "authorization_reference"),
    Lead.RESERVATION: _of_sender(Index.RESERVATION, "", "reservation_id"),
    Lead.PROFILE: _with_profile,
    Lead.BOOKING_LOCATION: _with_booking_location,
    Lead.BOOKING: _with_booking,
    Lead.BOOKING_PARTIES: _in_booking,
    Lead.TERMINAL: _of_sender(Index.TERMINAL, "{terminal_id}", "terminal_id", "reference"),
    Lead.TERMINAL_CPO: _in_terminal,
    Lead.TERMINAL_LOCATIONS: _at_locations,
    Lead.CONFIRMATION: _of_sender(Index.CONFIRMATION, "{confirmation_id}"),
    Lead.RECONCILIATION: _with_record,
    Lead.BILLED_CDRS: _with_cdrs,
}
