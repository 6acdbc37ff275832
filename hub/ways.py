"""Who ids lead to: what one accepted exchange says of that, for later messages that name no receiver.

Whose an id is never follows from a body alone: the owner has to be a party that the platform may speak for which the
body came from. What an id leads to is who owns the object, or who was given it.

==================================================  ==============================================================
exchange                                            what is learned, see `routing.clues.Index`
==================================================  ==============================================================
Locations, pushed or read                           LOCATION with its EVSEs, TARIFF of what its Connectors name
Tariffs, pushed or read                             TARIFF; a DELETE takes it away
Sessions, pushed or read                            SESSION_SHOWN, the Session itself, LOCATION, CUSTOMER_AT, CONTACT;
                                                    AUTHORIZATION of the CPO
the Session of another, forwarded                   SESSION_SHOWN
CDRs, posted or read                                CDR, CDR_GOT, and all as of their Session
an authorization that was ALLOWED                   AUTHORIZATION, CONTACT
StartSession, ReserveNow that were ACCEPTED         AUTHORIZATION, CONTACT; RESERVATION, CUSTOMER_AT
SetChargingProfile that was ACCEPTED                PROFILE
BookingLocations and Calendars, pushed or read      BOOKING_LOCATION, LOCATION
Bookings, requested, pushed or read                 BOOKING; of a request AUTHORIZATION, CONTACT, and its Tokens
InvoiceReconciliationRecords, pushed or read        RECONCILIATION; a DELETE takes it away
Terminals, FinancialAdviceConfirmations             TERMINAL, CONFIRMATION
==================================================  ==============================================================
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from hub.learning import identifier, key_in, moment_in
from hub.store.facts import Fact, SessionSeen, TokenNamed
from hub.store.learned_ends import (
    BILLS,
    BOOKINGS,
    CONTACTS,
    REFERENCES,
    RESERVATIONS,
    SESSIONS,
    TOKENS_OF_COMMANDS,
    UNDATED_BOOKINGS,
    UNDATED_RESERVATIONS,
)
from hub.store.shelves import KnownSession, KnownToken
from hub.store.way_facts import WayLearned, WayLost
from hub.way_parts import (
    AuthorizationPart,
    BookingLocationPart,
    BookingPart,
    BookingRequestPart,
    CdrPart,
    CommandPart,
    ConfirmationPart,
    ConnectorPart,
    EvsePart,
    LocationPart,
    OwnedPart,
    PlacePart,
    RecordPart,
    ResultPart,
    SessionPart,
    TariffPart,
    TerminalPart,
    TokenPart,
)
from routing.clues import Index
from routing.translation.questions import TokenFacts
from routing.vocabulary import Party


class Exchange(Struct, frozen=True, eq=False):
    """One exchange that both sides took well, apart from what was carried. One serves for all objects of a page."""

    sender: Party
    receiver: Party
    owner: Party
    """Whose objects they are by path or credentials."""
    may_name_owner: bool
    """Whether objects may say it themselves: in 2.2 and newer, where the path does not."""
    teller: Container[Party]
    """All that the platform the objects came from may speak for."""
    other: Party
    """Who was given the objects."""
    is_customer: bool
    """Whether that is one who can have a Session of its own: an eMSP, a payment terminal provider."""
    at: datetime
    ids: tuple[str, ...] = ()
    """Those in the path, percent-decoded, without the owner."""
    is_push: bool = False
    """Whether the objects were in the request."""


# Locations and Tariffs


def of_location(exchange: Exchange, sent: LocationPart | None, answered: LocationPart | None) -> Iterator[Fact]:
    """A Location with all that is in it."""
    part = sent or answered
    owner, location = _owner(exchange, part), _id(exchange, None if part is None else part.id)
    if part is None or owner is None or location is None:
        return
    evses = part.evses or ()
    uids = dict.fromkeys(key for evse in evses if (key := key_in(evse.uid)) is not None)
    yield _lasting(exchange, Index.LOCATION, location, owner, tuple(uids) or ("",))
    yield from _tariffs(exchange, owner, (connector for evse in evses for connector in evse.connectors or ()))


def of_evse(exchange: Exchange, sent: EvsePart | None, _: None) -> Iterator[Fact]:
    """An EVSE that is pushed."""
    yield from of_place(exchange, sent, None)
    if sent is not None and exchange.owner in exchange.teller:
        yield from _tariffs(exchange, exchange.owner, iter(sent.connectors or ()))


def of_connector(exchange: Exchange, sent: ConnectorPart | None, _: None) -> Iterator[Fact]:
    """A Connector that is pushed."""
    yield from of_place(exchange, sent, None)
    if sent is not None and exchange.owner in exchange.teller:
        yield from _tariffs(exchange, exchange.owner, iter((sent,)))


def of_place(exchange: Exchange, _: object, __: object) -> Iterator[Fact]:
    """A Location, or a part of it, by its path."""
    location = key_in(exchange.ids[0])
    evse = key_in(exchange.ids[1]) if len(exchange.ids) > 1 else None
    if location is not None and exchange.owner in exchange.teller:
        yield _lasting(exchange, Index.LOCATION, location, exchange.owner, (evse or "",))


def _tariffs(exchange: Exchange, owner: Party, connectors: Iterator[ConnectorPart]) -> Iterator[Fact]:
    """Tariffs that Connectors name: many in 2.2 and newer, one in 2.1.1."""
    named = [tariff for each in connectors for tariff in (*(each.tariff_ids or ()), each.tariff_id)]
    for tariff in dict.fromkeys(map(key_in, named)):
        if tariff is not None:
            yield _lasting(exchange, Index.TARIFF, tariff, owner)


def of_tariff(exchange: Exchange, _: object, answered: TariffPart | None) -> Iterator[Fact]:
    """A Tariff."""
    owner, tariff = _owner(exchange, answered), _id(exchange, None if answered is None else answered.id)
    if owner is not None and tariff is not None:
        yield _lasting(exchange, Index.TARIFF, tariff, owner)


def of_tariff_deleted(exchange: Exchange, _: object, __: object) -> Iterator[Fact]:
    """A Tariff that is no more."""
    tariff = key_in(exchange.ids[0])
    if tariff is not None and exchange.owner in exchange.teller:
        yield WayLost(Index.TARIFF, (tariff,), exchange.owner)


# Sessions and CDRs


def of_session(exchange: Exchange, sent: SessionPart | None, answered: SessionPart | None) -> Iterator[Fact]:
    """A Session, or a part of one."""
    part = sent or answered
    if part is None:
        return
    owner, session_id = _owner(exchange, part), identifier(exchange.ids[0] if exchange.ids else part.id)
    if session_id is None:
        return
    if owner is None:
        if exchange.is_push:  # the eMSP of a Session may forward it, see "ChargingProfiles", Topologies
            yield _shown(exchange, session_id, exchange.sender)
        return
    yield from _session_of(exchange, owner, session_id, identifier(part.status))
    place = part.location or PlacePart()
    yield from _visit(exchange, owner, part.location_id or place.id, part.evse_uid or _only_evse(place))
    if exchange.is_customer and (reference := key_in(part.authorization_reference)) is not None:
        yield _way(exchange, Index.AUTHORIZATION, owner, reference, exchange.other, REFERENCES)


def of_cdr(exchange: Exchange, sent: CdrPart | None, answered: CdrPart | None) -> Iterator[Fact]:
    """A CDR."""
    part = sent or answered
    owner = _owner(exchange, part)
    if part is None or owner is None:
        return
    if exchange.is_customer and (cdr := key_in(part.id)) is not None:
        yield _way(exchange, Index.CDR, owner, cdr, exchange.other, BILLS)
        yield _way(exchange, Index.CDR_GOT, exchange.other, cdr, owner, BILLS)
    session_id = identifier(part.session_id)
    if session_id is not None:
        yield from _session_of(exchange, owner, session_id, None)
    place = part.cdr_location or part.location or PlacePart()
    yield from _visit(exchange, owner, place.id, place.evse_uid or _only_evse(place))


def _session_of(exchange: Exchange, owner: Party, session_id: str, status: str | None) -> Iterator[Fact]:
    emsp = exchange.other if exchange.is_customer else None
    yield SessionSeen(owner, KnownSession(session_id, emsp, status, None, None, None, None, exchange.at))
    yield _shown(exchange, session_id, owner)


def _shown(exchange: Exchange, session_id: str, by: Party) -> Fact:
    return _way(exchange, Index.SESSION_SHOWN, exchange.other, session_id.upper(), by, SESSIONS)


def _visit(exchange: Exchange, owner: Party, location_id: str | None, evse_uid: str | None) -> Iterator[Fact]:
    """Where it was, and who was there."""
    location = key_in(location_id)
    if location is not None:
        yield _lasting(exchange, Index.LOCATION, location, owner, (key_in(evse_uid) or "",))
    if exchange.is_customer:
        if location is not None:
            yield _way(exchange, Index.CUSTOMER_AT, exchange.other, location, owner, CONTACTS)
        yield _contact(exchange, owner, exchange.other)


def _only_evse(place: PlacePart) -> str | None:
    """2.1.1 embeds the Location with nothing but the EVSE that is meant."""
    return place.evses[0].uid if place.evses is not None and len(place.evses) == 1 else None


# Authorizations, commands, charging profiles


def of_authorization(exchange: Exchange, _: None, answered: AuthorizationPart | None) -> Iterator[Fact]:
    """An authorization, which may have a reference."""
    if answered is None or answered.allowed != "ALLOWED":
        return
    token = answered.token or TokenPart()
    issuer = _owner(exchange, token) or exchange.receiver
    yield from _reference(exchange, answered.authorization_reference, issuer, exchange.sender)


def of_command(exchange: Exchange, sent: CommandPart | None, _: None) -> Iterator[Fact]:
    """A command that was ACCEPTED."""
    name = exchange.ids[0]
    if sent is None or name not in ("START_SESSION", "RESERVE_NOW"):
        return
    yield from _reference(exchange, sent.authorization_reference, exchange.sender, exchange.receiver)
    if name == "RESERVE_NOW":
        yield from _reservation(exchange, sent)


def _reference(exchange: Exchange, reference: str | None, emsp: Party, cpo: Party) -> Iterator[Fact]:
    key = key_in(reference)
    if key is not None:
        yield _way(exchange, Index.AUTHORIZATION, emsp, key, cpo, REFERENCES)
        yield _way(exchange, Index.AUTHORIZATION, cpo, key, emsp, REFERENCES)
        yield _contact(exchange, cpo, emsp)


def _reservation(exchange: Exchange, sent: CommandPart) -> Iterator[Fact]:
    chosen = sent.reservation_id
    reservation, location = key_in(str(chosen) if type(chosen) is int else chosen), key_in(sent.location_id)
    ends = moment_in(sent.expiry_date)
    longest = exchange.at + UNDATED_RESERVATIONS
    ended = longest - RESERVATIONS if ends is None else min(max(ends, exchange.at), longest - RESERVATIONS)
    if reservation is not None:
        key = (*exchange.sender, reservation)
        details = (location or "",)
        yield WayLearned(Index.RESERVATION, key, exchange.receiver, exchange.at, ended + RESERVATIONS, details)
    if location is not None:
        key = (*exchange.sender, location)
        yield WayLearned(Index.CUSTOMER_AT, key, exchange.receiver, exchange.at, max(ended, exchange.at + CONTACTS))


def of_profile(exchange: Exchange, _: None, answered: ResultPart | None) -> Iterator[Fact]:
    """A charging profile that was ACCEPTED, or not."""
    session = key_in(exchange.ids[0])
    if answered is not None and answered.result == "ACCEPTED" and session is not None:
        yield _way(exchange, Index.PROFILE, exchange.receiver, session, exchange.sender, SESSIONS)


# Bookings


def of_booking_location(
    exchange: Exchange, sent: BookingLocationPart | None, answered: BookingLocationPart | None
) -> Iterator[Fact]:
    """A BookingLocation, or a Calendar of one."""
    part = sent or answered
    in_path = exchange.ids[1] if len(exchange.ids) > 1 else None
    owner, booking_location = _owner(exchange, part), key_in(in_path or (part.id if part is not None else None))
    if owner is None:
        return
    if booking_location is not None:
        yield _lasting(exchange, Index.BOOKING_LOCATION, booking_location, owner)
    if part is not None and (location := key_in(part.location_id)) is not None:
        yield _lasting(exchange, Index.LOCATION, location, owner)


def of_booking(exchange: Exchange, sent: BookingPart | None, answered: BookingPart | None) -> Iterator[Fact]:
    """A CPO says which ids its own Booking has. It cannot say where an eMSP's requests lead."""
    part = sent or answered
    owner = _owner(exchange, part)
    if part is None or owner is None:
        return
    until = _end_of_booking(exchange, part)
    for key in dict.fromkeys(map(key_in, (*exchange.ids, part.id, part.request_id))):
        if key is not None:
            yield WayLearned(Index.BOOKING, (*owner, key), exchange.other, exchange.at, until)


def of_booking_requested(
    exchange: Exchange, sent: BookingRequestPart | None, answered: BookingPart | None
) -> Iterator[Fact]:
    """A BookingRequest, and the Booking it became."""
    if sent is None:
        return
    emsp, cpo = exchange.sender, exchange.receiver
    until = _end_of_booking(exchange, sent)
    request = key_in(sent.request_id)
    if request is not None:
        yield WayLearned(Index.BOOKING, (*emsp, request), cpo, exchange.at, until)
    for key in dict.fromkeys((request, key_in(answered.id) if answered is not None else None)):
        if key is not None:
            yield WayLearned(Index.BOOKING, (*cpo, key), emsp, exchange.at, until)
    yield from _reference(exchange, sent.authorization_reference, emsp, cpo)
    for token in sent.tokens or ():
        yield from _token_of_booking(exchange, token)


def _token_of_booking(exchange: Exchange, token: TokenPart) -> Iterator[Fact]:
    """It is said of a Token which it is, and not whether it is valid."""
    owner = _owner(exchange, token)
    uid, token_type, contract_id = identifier(token.uid), identifier(token.type), identifier(token.contract_id)
    if owner is None or uid is None or token_type is None or contract_id is None:
        return
    facts = TokenFacts(owner, uid, token_type, contract_id, valid=True, last_updated="")
    yield TokenNamed(KnownToken(facts, exchange.at + TOKENS_OF_COMMANDS))


def _end_of_booking(exchange: Exchange, part: BookingPart | BookingRequestPart) -> datetime:
    ends = None if part.period is None else moment_in(part.period.end_date_time)
    longest = exchange.at + UNDATED_BOOKINGS
    return longest if ends is None else min(max(ends, exchange.at) + BOOKINGS, longest)


# Payments and invoices


def of_terminal(exchange: Exchange, sent: TerminalPart | None, answered: TerminalPart | None) -> Iterator[Fact]:
    """The parties in a Terminal are no owners of it: it is of both sides."""
    said = [
        identifier for part in (sent, answered) if part is not None for identifier in (part.terminal_id, part.reference)
    ]
    in_path = exchange.ids[1:2] if exchange.ids[1:2] != ("activate",) else ()
    for key in dict.fromkeys(map(key_in, (*in_path, *said))):
        if key is not None:
            yield from _both_ways(exchange, Index.TERMINAL, key, None)


def of_confirmation(
    exchange: Exchange, sent: ConfirmationPart | None, answered: ConfirmationPart | None
) -> Iterator[Fact]:
    """A FinancialAdviceConfirmation, which is of both sides."""
    part = sent or answered
    key = key_in(exchange.ids[1] if len(exchange.ids) > 1 else part.id if part is not None else None)
    if key is not None:
        yield from _both_ways(exchange, Index.CONFIRMATION, key, BILLS)


def _both_ways(exchange: Exchange, index: Index, key: str, kept: timedelta | None) -> Iterator[Fact]:
    sender, receiver = exchange.sender, exchange.receiver
    until = None if kept is None else exchange.at + kept
    yield WayLearned(index, (*sender, key), receiver, exchange.at, until)
    yield WayLearned(index, (*receiver, key), sender, exchange.at, until)


def of_record(exchange: Exchange, sent: RecordPart | None, answered: RecordPart | None) -> Iterator[Fact]:
    """An InvoiceReconciliationRecord."""
    part = sent or answered
    owner, record = _owner(exchange, part), _id(exchange, None if part is None else part.id)
    if owner is not None and record is not None:
        yield _way(exchange, Index.RECONCILIATION, owner, record, exchange.other, BILLS)


def of_record_deleted(exchange: Exchange, _: object, __: object) -> Iterator[Fact]:
    """An InvoiceReconciliationRecord that is no more."""
    record = key_in(exchange.ids[0])
    if record is not None and exchange.owner in exchange.teller:
        yield WayLost(Index.RECONCILIATION, (*exchange.owner, record), exchange.other)


# What they have in common


def _owner(exchange: Exchange, part: OwnedPart | None) -> Party | None:
    """Whose an object is, if who tells of it may speak for that party."""
    named: Party | None = None
    if part is not None and exchange.may_name_owner and part.country_code and part.party_id:
        named = Party.read(part.country_code, part.party_id)
    owner = named or exchange.owner
    return owner if owner in exchange.teller else None


def _id(exchange: Exchange, said: str | None) -> str | None:
    """The id of an object: of a pushed one that in the path, of one that was read that which its owner wrote."""
    in_path = exchange.ids[0] if exchange.ids else None
    return key_in(in_path or said) if exchange.is_push else key_in(said) or key_in(in_path)


def _lasting(exchange: Exchange, index: Index, key: str, owner: Party, details: tuple[str, ...] = ("",)) -> Fact:
    """A way that is kept for as long as the party stays."""
    return WayLearned(index, (key,), owner, exchange.at, None, details)


def _way(exchange: Exchange, index: Index, whose: Party, key: str, party: Party, kept: timedelta) -> Fact:
    return WayLearned(index, (*whose, key), party, exchange.at, exchange.at + kept)


def _contact(exchange: Exchange, cpo: Party, emsp: Party) -> Fact:
    return _way(exchange, Index.CONTACT, cpo, str(emsp), emsp, CONTACTS)
