"""One request for a page of a list of everybody's: what it says, and what the hub makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from hub.hub import Hub
from routing.directory import Connection
from routing.errors import InvalidParameters
from routing.links import HUB_NEXT, parameter
from routing.message import Message
from routing.paging import PageRequest, page_max, read_page_request
from routing.routes import GetAll, Unit
from routing.translation.kinds import Kind, carried_by
from routing.vocabulary import ModuleID, Party

SNAPSHOT: Final = "snapshot"
"""The parameter of a link that says which list it goes on with."""
_OURS: Final = frozenset({"offset", "limit", SNAPSHOT, HUB_NEXT})


class Asked(Struct, frozen=True, eq=False):
    """The request."""

    message: Message
    source: Connection
    units: Mapping[Party, Unit]
    """Whose lists it is of, in their order: all that the requester may read now."""
    named: Party | None
    """The one party it is for; None when it is for everybody."""
    page: PageRequest
    filters: str
    """Its query without what is about pages."""
    snapshot_id: str | None
    said: tuple[str, ...]
    """Which list it is."""
    kind: Kind | None
    """What the list is of, where the hub knows that."""
    is_partial_allowed: bool
    """Whether the requester gets what is there when some list is missing."""

    def for_one(self, party: Party) -> Asked:
        """The same request, for this party's list alone."""
        return msgspec.structs.replace(self, named=party, is_partial_allowed=False)

    def name(self, hub: Hub) -> str:
        """The same for all requests for the same objects in the same order; says nothing about them."""
        return hub.vault.fingerprint("\0".join((*self.said, str(self.named or ""))))

    @property
    def module(self) -> str:
        """The module of the list."""
        return self.message.operation.module


def read(message: Message, route: GetAll, source: Connection, named: Party | None, hub: Hub) -> Asked:
    """What a request asks for.

    Raises:
        InvalidParameters: something in its query cannot be read, or is missing.
    """
    module = message.operation.module
    page = read_page_request(message.query, page_max(module, hub.settings.page_max))
    if module == ModuleID.SESSIONS and page.date_from is None:
        raise InvalidParameters("A list of Sessions needs date_from")
    filters = [part for part in message.query.split("&") if part and part.partition("=")[0] not in _OURS]
    said = (*message.sender, str(message.version), module, *message.segments, *sorted(filters))
    partial = source.quirks.get_all_partial or hub.settings.get_all_partial
    asked = Asked(
        message=message,
        source=source,
        units={unit.party: unit for unit in route.units},
        named=None,
        page=page,
        filters="&".join(filters),
        snapshot_id=parameter(message.query, SNAPSHOT),
        said=said,
        kind=carried_by(message.operation, message.segments).answer,
        is_partial_allowed=partial == "allow",
    )
    return asked if named is None else asked.for_one(named)
