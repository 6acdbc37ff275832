"""One GET at a partner for what a translation has to know: a Location, a Tariff, the receiver's copy of a Session.

A look-up is made for one message and takes a part of the time that message has left. When it fails, the translation
does without.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec
import structlog
from msgspec import Struct

from hub.hub import Hub
from hub.ids import new_id
from hub.lessons import object_ids
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits
from hub.people import is_emsp
from hub.shown_ids import as_meant, place_shown
from hub.span_notes import SpanNotes
from routing.bodies import owner_in_path, read_members, text
from routing.directory import Connection, PartyDirectory
from routing.envelope import read_envelope
from routing.errors import HubError, NotRoutable
from routing.links import host_of, next_link, parameter
from routing.message import Call, Message, MessageIds, Reply, id_headers
from routing.modules import BOOKING_LOCATIONS
from routing.receivers import connected, connection_offering, routing_headers_at, spelled, url_of
from routing.shown_ids import Id, IdKind
from routing.timestamps import read_timestamp, write_seconds
from routing.translation import numbers
from routing.translation.crossing import Crossing, Json, Side
from routing.translation.kinds import Kind
from routing.translation.questions import ConnectedEmsp, LocationOf, Question, SessionAtReceiver, TariffOf
from routing.translation.steps import translate
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Version

log: FilteringBoundLogger = structlog.get_logger()

_ANSWER_BYTES: Final = 4 * 1024 * 1024
_MOST_PAGES: Final = 20
_LATELY: Final = timedelta(days=1)
_ID_NAMES: Final = ("id", "uid", "request_id")
_SUCCESS: Final = range(1000, 2000)


class LookUps(Struct, eq=False):
    """The look-ups of one message. `answer` is all there is to call."""

    hub: Hub
    asker: Party
    """Who sends the message: it asks for the receiver's copy."""
    receiver: Party
    """Who gets the message: it asks the owner."""
    correlation_id: str
    now: datetime
    each_s: float
    """What one of them may take, in seconds."""
    spans: SpanNotes | None = None
    """Of the message."""
    left: int = 100
    """How many requests they may still make. The objects of a long page may need one each; the last do without."""

    async def answer(self, question: Question[Any]) -> Json | bool | None:
        """What the partner, or the directory, says; None when it says nothing that helps."""
        try:
            async with asyncio.timeout(self.each_s):  # a list may have many pages
                return await self._asked(question)
        except (HubError, TimeoutError) as error:
            name, reason = type(question).__name__, str(error) or "too slow"
            log.info("look_up_failed", correlation_id=self.correlation_id, question=name, reason=reason)
            return None

    async def at_owner(self, message: Message) -> Json | None:
        """The pushed object that a message is about, as its owner has it, in the version of the message.

        What only lists have is found among what was updated lately.

        Raises:
            HubError, TimeoutError: it cannot be asked for.
        """
        module, owner, ids = message.operation.module, owner_in_path(message.segments), object_ids(message)
        platform = connected(owner, self.hub.directory.snapshot)
        at = connection_offering(platform, module, InterfaceRole.SENDER, owner, message.version)
        if at.version is not message.version:
            raise NotRoutable(f"{owner} has no {module} in OCPI {message.version}")
        async with asyncio.timeout(self.each_s):
            if module == ModuleID.LOCATIONS or ids[0] == BOOKING_LOCATIONS:
                url = _below(at, module, InterfaceRole.SENDER, *ids)
                found = _one(await self._get(at, module, url, self._other(owner), owner))
            else:
                url = f"{_below(at, module, InterfaceRole.SENDER)}?date_from={quote(self._since(message), safe='')}"
                found = await self._listed(at, module, url, owner, ids[0], parameter(message.query, "type"))
        return found if type(found) is dict else None

    def _since(self, message: Message) -> str:
        """From when on the owner's list has the object of a message: a second before it says that it changed."""
        said = text(read_members(message.body or b"{}"), "last_updated")
        try:
            moment = self.now - _LATELY if said is None else read_timestamp(said)
        except (ValueError, OverflowError):
            moment = self.now - _LATELY
        return write_seconds(moment - timedelta(seconds=1))

    async def _asked(self, question: Question[Any]) -> Json | bool | None:
        match question:
            case LocationOf(owner=owner, location_id=location_id):
                at = self._connection(owner, ModuleID.LOCATIONS, InterfaceRole.SENDER)
                url = _below(at, ModuleID.LOCATIONS, InterfaceRole.SENDER, location_id)
                location = _one(await self._get(at, ModuleID.LOCATIONS, url, self._other(owner), owner))
                return self._in_version(Version.V2_2_1, location, Kind.LOCATION, at, owner)
            case SessionAtReceiver(owner=owner, session_id=session_id, version=version):
                at = self._connection(self.receiver, ModuleID.SESSIONS, InterfaceRole.RECEIVER)
                shown = await place_shown(owner, Id(IdKind.SESSION, session_id), at, self.hub)
                url = _below(at, ModuleID.SESSIONS, InterfaceRole.RECEIVER, *spelled(shown.owner, at), shown.object_id)
                session = _one(await self._get(at, ModuleID.SESSIONS, url, self.asker, self.receiver))
                if at.face is not None and type(session) is dict:
                    [session] = await as_meant([session], Kind.SESSION, at, (owner,), self.hub)
                return self._in_version(Version(version), session, Kind.SESSION, at, owner)
            case TariffOf(owner=owner, tariff_id=tariff_id):
                at = self._connection(owner, ModuleID.TARIFFS, InterfaceRole.SENDER)
                url = _below(at, ModuleID.TARIFFS, InterfaceRole.SENDER)
                tariff = await self._listed(at, ModuleID.TARIFFS, url, owner, tariff_id)
                return self._in_version(Version.V2_1_1, tariff, Kind.TARIFF, at, owner)
            case ConnectedEmsp(party=party):
                directory = self.hub.directory.snapshot
                is_visible = directory.visible_to(self.asker, party)
                return is_visible and is_emsp(directory.entry(party), directory) and _is_connected(party, directory)
            case _:
                return None

    def _other(self, owner: Party) -> Party:
        """The one of the two that is not the owner of what is looked up."""
        return self.asker if owner == self.receiver else self.receiver

    def _connection(self, party: Party, module: str, interface: InterfaceRole) -> Connection:
        """Where an object is looked up for a message that the two may exchange.

        Raises:
            RoutingError: nowhere, or they agreed on other modules only.
        """
        directory = self.hub.directory.snapshot
        if not directory.agreements.covers(self.asker, self.receiver, module):
            raise NotRoutable(f"The agreement of {self.asker} and {self.receiver} does not cover the module {module}")
        return connection_offering(connected(party, directory), module, interface, party)

    async def _listed(
        self, at: Connection, module: str, url: str, owner: Party, object_id: str, of_type: str | None = None
    ) -> Json | None:
        """The object of this id in a list that may have many pages: 2.1.1 has no other way to read a Tariff."""
        for _ in range(_MOST_PAGES):
            reply = await self._get(at, module, url, self._other(owner), owner)
            data = _data(reply)
            for found in data if type(data) is list else ():
                if type(found) is dict and _is_called(found, object_id) and of_type in (None, found.get("type")):
                    return found
            try:
                following = next_link(reply.headers, url)
            except ValueError as error:
                raise NotRoutable("The link to the next page is no URL") from error
            if following is None:
                return None
            if host_of(following) not in at.hosts:
                raise NotRoutable("The next page is at a host that is not the partner's")
            url = following
        return None

    async def _get(self, at: Connection, module: str, url: str, sender: Party, receiver: Party) -> Reply:
        if self.left <= 0:
            raise NotRoutable("Too much would have to be looked up for this message")
        self.hub.circuits.check(at)
        self.left -= 1
        headers = [(b"authorization", at.authorization.reveal().encode("ascii"))]
        ids = MessageIds(new_id(), self.correlation_id)
        headers += id_headers(ids)
        headers += routing_headers_at(at, receiver, sender)
        settings = self.hub.settings
        limits = CallLimits(
            total_s=self.each_s,
            connect_s=min(settings.connect_timeout_s, self.each_s),
            max_answer_bytes=_ANSWER_BYTES,
            concurrency=at.quirks.concurrency,
            platform_id=at.platform_id,
            allow_private=settings.allow_private_partners,
        )
        if (asker := self.hub.directory.snapshot.platform_of(self.asker)) is not None:
            self.hub.amplification.called(asker.id)
        call = Call("GET", url, headers)
        if self.spans is None:
            return await self.hub.circuits.call(at, call, limits)
        note = self.spans.call(call, module, at, sender, receiver, ids.request_id)
        return await note.of(self.hub.circuits.call(at, call, limits))

    def _in_version(self, version: Version, body: Any, kind: Kind, at: Connection, owner: Party) -> Json | None:  # noqa: ANN401 - any JSON
        if type(body) is not dict:
            return None
        crossing = Crossing(
            origin=Side(at.version, owner if kind is not Kind.SESSION else self.receiver, at.quirks),
            destination=Side(version, self.asker),
            owner=owner,
            now=self.now,
            cpo=owner,
            emsp=self._other(owner),
            answer=True,
        )
        return translate(body, kind, crossing)


def _is_connected(party: Party, directory: PartyDirectory) -> bool:
    entry = directory.entry(party)
    return entry is not None and entry.status is ConnectionStatus.CONNECTED


def _below(at: Connection, module: str, interface: InterfaceRole, *ids: str) -> str:
    return url_of(at, module, interface, [quote(each, safe="") for each in ids])


def _is_called(found: Json, object_id: str) -> bool:
    return any(str(found.get(name)).upper() == object_id.upper() for name in _ID_NAMES)


def _data(reply: Reply) -> Any:  # noqa: ANN401 - any JSON
    head = read_envelope(reply.body)
    if reply.http_status != 200 or head is None or head.status_code not in _SUCCESS:
        return None
    try:
        return numbers.read(head.data)
    except (msgspec.DecodeError, RecursionError):
        return None


def _one(reply: Reply) -> Any:  # noqa: ANN401 - any JSON
    data = _data(reply)
    return data[0] if type(data) is list and len(data) == 1 else data
