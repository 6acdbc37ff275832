"""One call at one partner whose list is part of the whole: a page of it, and what that says about the list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw, Struct

from hub.figures import Habit
from hub.forwarding import send
from hub.get_all.asked import Asked
from hub.hub import Hub
from hub.journal import failure_of
from hub.lessons import went_well
from hub.page_links import longest
from hub.partners.urls import LINK_LENGTH, check_partner_url
from hub.recording import record_unit
from hub.store.journal_entries import Failure
from hub.trace import Trace
from hub.translating import Translation
from routing.directory import Connection
from routing.errors import HubError, InvalidParameters, NotRoutable, RoutingError
from routing.links import host_of, next_link, parameter
from routing.message import Answer, Message, Reply
from routing.outcome import answer_of
from routing.receivers import url_at
from routing.routes import Forward, Unit
from routing.translation.queries import list_query
from routing.vocabulary import Version

_DIGITS: Final = len(str(2**63))


class _Envelope(Struct):
    data: list[Raw]
    timestamp: object = None


_envelope: Final = msgspec.json.Decoder(_Envelope).decode


class Refused(RoutingError):
    """A partner's own refusal to give its list out."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.ocpi_status = status


class ListPage(NamedTuple):
    """A page of one partner's list."""

    items: list[Raw]
    """Each object as it came."""
    limit: int
    """How many were asked for."""
    total: int | None
    """X-Total-Count."""
    link: str | None
    """The absolute URL of the next page."""
    answered_at: str | None
    """The timestamp of the envelope."""

    @property
    def following(self) -> int | None:
        """The offset where the next page begins, if its link says that."""
        return None if self.link is None else _number(parameter(urlsplit(self.link).query, "offset"))


class Upstream(Struct, frozen=True, eq=False):
    """A partner as the source of one list, for one request."""

    asked: Asked
    unit: Unit
    trace: Trace
    """Of the request as a whole."""

    @property
    def connection(self) -> Connection:
        """How it is called."""
        return self.unit.connection

    def own_trace(self) -> Trace:
        """A trace of one call: the times of several at once would not add up in that of the request."""
        whole = self.trace
        return Trace(
            whole.ids,
            whole.version,
            whole.method,
            operation=whole.operation,
            sender=whole.sender,
            receiver=self.unit.party,
            source=whole.source,
            target=self.connection,
            route=whole.route,
            entrance=whole.entrance,
            path=whole.path,
            query=whole.query,
            segments=whole.segments,
            spans=whole.spans,
        )

    async def translation(self, query: str, trace: Trace, hub: Hub) -> tuple[Message, Translation | None]:
        """The request as this partner gets it, and what is to be done with its answer.

        Raises:
            Untranslatable: it cannot be said there.
        """
        message = msgspec.structs.replace(self.asked.message, receiver=self.unit.party, query=query)
        route = Forward(self.unit.party, self.connection, "")
        translation = Translation.of(message, route, self.asked.source, trace, hub)
        if translation is not None:
            return await translation.request(trace, hub) or message, translation
        if self.connection.version is Version.V2_1_1:
            query = list_query(query, no_fraction=self.connection.quirks.no_fraction)
            message = msgspec.structs.replace(message, query=query)
        return message, None

    async def page(self, offset: int, limit: int, hub: Hub, *, within_s: float, link: str | None = None) -> ListPage:
        """A page of its list: from this offset on, or the one that its own link leads to.

        Raises:
            RoutingError: it cannot be had.
        """
        limit = min(limit, longest(self.asked.module, self.connection, hub))
        query = "&".join(filter(None, (self.asked.filters, f"offset={offset}", f"limit={limit}")))
        trace = self.own_trace()
        message, _ = await self.translation(query, trace, hub)
        url = link or url_at(self.connection, message)
        route = Forward(self.unit.party, self.connection, url, given=link is not None)
        try:
            reply = await send(message, route, trace, hub, within_s=within_s)
            answer = answer_of(reply, self.unit.party, datetime.now(UTC))
            page = self._read(answer, reply, url, limit)
        except HubError as error:
            trace.fault = str(error)
            trace.failure = _failure_of(error, trace)
            record_unit(error, trace, hub)
            raise
        finally:
            self.trace.upstream_request_id = trace.upstream_request_id
            if self.trace.target is None:  # else it is counted as any other message to one party
                hub.metrics.upstream(self.asked.module, self.connection.platform_id, trace.upstream_s)
        trace.upstream_ocpi_status = answer.ocpi_status
        record_unit(answer, trace, hub)
        return page

    def _read(self, answer: Answer, reply: Reply, url: str, limit: int) -> ListPage:
        if not went_well(answer):
            raise Refused(answer.ocpi_status, f"{self.unit.party} refuses its list with {answer.ocpi_status}")
        try:
            envelope = _envelope(answer.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise NotRoutable(f"{self.unit.party} answers with no list") from error
        said = envelope.timestamp
        return ListPage(
            items=envelope.data,
            limit=limit,
            total=_number(reply.header(b"x-total-count")),
            link=self._link(reply, url),
            answered_at=said if isinstance(said, str) else None,
        )

    def _link(self, reply: Reply, url: str) -> str | None:
        try:
            return next_link(reply.headers, url)
        except ValueError as error:
            raise NotRoutable(f"{self.unit.party} links to a next page that is none") from error

    def check_link(self, link: str, hub: Hub) -> str:
        """A link that may be followed.

        Raises:
            NotRoutable: it leads to somebody else.
        """
        try:
            check_partner_url(link, allow_private=hub.settings.allow_private_partners, max_length=LINK_LENGTH)
        except InvalidParameters as error:
            raise NotRoutable(f"{self.unit.party} links to a next page that cannot be asked for") from error
        if host_of(link) not in self.connection.hosts:
            hub.figures.habits.saw(self.connection.platform_id, Habit.FOREIGN_HOST)
            raise NotRoutable(f"{self.unit.party} links to a next page at a host that is not its own")
        return link


def _failure_of(error: HubError, trace: Trace) -> Failure:
    if isinstance(error, Refused):
        trace.upstream_ocpi_status = error.ocpi_status
        return Failure.PARTNER_ERROR
    return failure_of(error, was_called=trace.upstream_http_status is not None)


def _number(text: str | None) -> int | None:
    """A whole number that a partner wrote; None for anything else."""
    text = "" if text is None else text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None
