"""The objects of one partner's list, as the requester gets them.

1. Those of others are left out: whoever is asked speaks for its own objects only, and a National Access Point for
   those of owners that do not speak here themselves.
2. Those outside of the time asked for are left out: not every partner knows `date_from`.
3. A 2.1.1 partner's are put into the ids of their owners.
4. They are translated; what cannot be said in the requester's version is left out, and named.
5. A 2.1.1 requester gets them under the ids that it was shown.

Most need none of the last three, and go on as the bytes that came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

from hub.get_all.asked import Asked
from hub.get_all.upstream import Upstream
from hub.hub import Hub
from hub.lessons import learn_kept, learn_unit
from hub.private_lists import is_of_everybody
from hub.shown_ids import OwnedObject, as_meant, as_shown, owner_in_object
from hub.token_clashes import one_for_each_card
from hub.trace import Trace
from hub.translating import Translation
from routing.envelope import SUCCESS
from routing.message import Answer, Message
from routing.owner_names import names_owner
from routing.roles import is_relayed
from routing.routes import Forward
from routing.shown_ids import has_ids
from routing.timestamps import read_timestamp
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.translation.messages import Pair, omitted
from routing.translation.steps import steps_between
from routing.vocabulary import Party, Version


class _Head(Struct):
    """The little that is read of every object. What is of another type than it should be counts as absent."""

    country_code: object = None
    party_id: object = None
    last_updated: object = None


_head: Final = msgspec.json.Decoder(_Head).decode


class Chosen(NamedTuple):
    """What is left of a page of one partner's list."""

    pieces: list[bytes]
    """Objects as JSON."""
    omitted: list[str]
    """Ids of those that the requester's version cannot express."""


class Belonging:
    """Whose objects a list may have in it, and of which time. `parties` are those it was asked for."""

    def __init__(self, asked: Asked, parties: Sequence[Party], upstream: Upstream, hub: Hub) -> None:
        self._asked = asked
        self._parties = frozenset(parties)
        self._has_owners = upstream.connection.version is not Version.V2_1_1
        self._platform_id = upstream.connection.platform_id
        self._hub = hub
        self.saw_sibling = False
        """An object was that of another party of the same platform, whose list had not been asked for."""

    def is_wanted(self, item: Raw | bytes) -> bool:
        """Whether this object is part of the list."""
        try:
            head = _head(item)
        except (msgspec.DecodeError, RecursionError):
            return False
        return self._is_own(head) and self._is_in_time(head)

    def _is_own(self, head: _Head) -> bool:
        if not isinstance(head.country_code, str) or not isinstance(head.party_id, str):
            return True
        owner = Party.read(head.country_code, head.party_id)
        if owner in self._parties:
            return True
        asked, directory = self._asked, self._hub.directory.snapshot
        entry = directory.entry(owner)
        if entry is not None and entry.platform_id == self._platform_id and owner in asked.units:
            self.saw_sibling = True
        return self._has_owners and any(is_relayed(asked.module, each, owner, directory) for each in self._parties)

    def _is_in_time(self, head: _Head) -> bool:
        page = self._asked.page
        if (page.date_from is None and page.date_to is None) or not isinstance(head.last_updated, str):
            return True
        try:
            return page.spans(read_timestamp(head.last_updated))
        except ValueError:
            return True


async def chosen(
    items: Sequence[Raw | bytes], answered_at: str | None, upstream: Upstream, belonging: Belonging, hub: Hub
) -> Chosen:
    """These objects, as the requester gets them.

    Raises:
        HubFault: it cannot be told now how they may be shown.
    """
    asked = upstream.asked
    wanted = [bytes(item) for item in items if belonging.is_wanted(item)]
    if not wanted:
        return Chosen([], [])
    own_trace = upstream.own_trace()
    _, translation = await upstream.translation(asked.filters, own_trace, hub)
    if asked.kind is None or not _has_to_be_read(asked, asked.kind, upstream, translation):
        _learn(wanted, upstream, hub)
        return Chosen(wanted, [])
    result = await _read(wanted, answered_at, asked.kind, upstream, translation, own_trace, hub)
    _note_losses(own_trace, upstream, hub)
    return result


def _note_losses(own_trace: Trace, upstream: Upstream, hub: Hub) -> None:
    trace, asked = upstream.trace, upstream.asked
    trace.losses += own_trace.losses
    if trace.target is None:  # else they are counted as those of any other message to one party
        hub.losses.note(
            own_trace.losses,
            source=asked.source,
            target=upstream.connection,
            module=asked.module,
            correlation_id=trace.ids.correlation_id,
        )


def _has_to_be_read(asked: Asked, kind: Kind, upstream: Upstream, translation: Translation | None) -> bool:
    if asked.source.face is not None or upstream.connection.face is not None:
        return True
    return translation is not None and bool(steps_between(upstream.connection.version, asked.message.version, kind))


async def _read(
    wanted: Sequence[bytes],
    answered_at: str | None,
    kind: Kind,
    upstream: Upstream,
    translation: Translation | None,
    trace: Trace,
    hub: Hub,
) -> Chosen:
    found: list[Json] = [numbers.read(item) for item in wanted]
    found = await _meant(found, kind, upstream, hub)
    left_out: list[str] = []
    if is_of_everybody(kind, upstream.connection):
        unit = upstream.unit
        learn_kept(message_to(upstream), Forward(unit.party, unit.connection, ""), found, hub)
    else:
        _learn(wanted, upstream, hub)
    if translation is None:
        pairs: Sequence[Pair] = [Pair(each, each) for each in found]
    else:
        translated = await translation.objects(found, kind, sum(map(len, wanted)), answered_at, trace, hub)
        pairs, left_out = translated.pairs, omitted(translated.withheld)
    shown = await shown_to_requester(pairs, kind, upstream, hub)
    return Chosen([numbers.write(each) for each in shown], left_out)


async def _meant(found: Sequence[Json], kind: Kind, upstream: Upstream, hub: Hub) -> list[Json]:
    """Objects of a 2.1.1 partner in the ids of those they are of; those that are another's are left out."""
    viewer = upstream.connection
    if viewer.face is None or not has_ids(kind, viewer.face):
        return list(found)
    meant = await as_meant(found, kind, viewer, (upstream.asked.message.sender,), hub)
    return [each for each in meant if each is not None]


async def shown_to_requester(pairs: Sequence[Pair], kind: Kind, upstream: Upstream, hub: Hub) -> list[Json]:
    """Translated objects of one partner under the ids that the requester knows them by.

    Raises:
        HubFault: it cannot be told now how they may be shown.
    """
    viewer = upstream.asked.source
    if viewer.face is None or not (has_ids(kind, viewer.face) or names_owner(kind)):
        return [pair.after for pair in pairs]
    platform = hub.directory.snapshot.platform_of(upstream.unit.party)
    possible = () if platform is None else platform.parties
    owners = [owner_in_object(pair.before, kind, viewer.face, possible) or upstream.unit.party for pair in pairs]
    objects: Sequence[OwnedObject] = [(owner, pair.after) for owner, pair in zip(owners, pairs, strict=True)]
    if upstream.asked.named is None:
        objects = await one_for_each_card(objects, kind, upstream.asked.message.sender, viewer, hub)
    return await as_shown(objects, kind, viewer, hub)


def message_to(upstream: Upstream) -> Message:
    """The request as if this partner alone had been asked."""
    return msgspec.structs.replace(upstream.asked.message, receiver=upstream.unit.party)


def _learn(wanted: Sequence[bytes], upstream: Upstream, hub: Hub) -> None:
    """Learn from what the partner sent, as from a list that it alone was asked for."""
    body = b'{"data":[' + b",".join(wanted) + b'],"status_code":1000}'
    answer = Answer(200, SUCCESS, body, upstream.unit.party)
    learn_unit(message_to(upstream), upstream.unit, upstream.asked.source, answer, hub)
