"""What a partner of 2.1.1 reads, in ids of its own; and what it writes, in those of the owners.

It sees one counterpart, the hub, so what it is shown needs ids that are unique for it: `routing.shown_ids` says where
they are, `hub.store.shown_ids` which they are. The order on the way to it: translate, then this; on the way from it:
this, then who is meant is chosen, then translate. Partners of later versions have routing headers, and owners in their
objects. Nothing of this is for them.

Nothing is shown under an id that the store could not decide upon: the message fails, and can be sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Raw

from hub.hub import Hub
from hub.lessons import went_well
from hub.private_lists import is_of_everybody, payers
from routing.bodies import Members, owner_in, owner_in_path, owners_of_tokens, read_members, text
from routing.directory import Connection
from routing.errors import NotRoutable, UnreadableBody
from routing.message import Answer, Message
from routing.owner_names import names_owner, with_owner_named
from routing.routes import Forward
from routing.shown_ids import (
    LONGEST_KNOWN,
    Id,
    IdKind,
    has_ids,
    ids_in,
    ids_in_all,
    ids_in_path,
    is_id,
    path_with_ids,
    top_ids,
    with_ids,
)
from routing.translation import numbers
from routing.translation.crossing import Json
from routing.translation.kinds import Kind, carried_by
from routing.translation.messages import Pair
from routing.vocabulary import Face, ModuleID, Party

OwnedObject: TypeAlias = tuple[Party, Json]
"""An object and whose it is."""
_Change: TypeAlias = Callable[[Sequence[Json]], Awaitable[Sequence[Json | None]]]

_CHARGES: Final = frozenset({Kind.CDR, Kind.SESSION})
_LONGEST_WRITTEN: Final = LONGEST_KNOWN * len(r"\ud83d\ude00") + len('""')
"""Bytes of an id as JSON, which may spell each character by two numbers."""
_envelope: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_list: Final = msgspec.json.Decoder(list[Raw]).decode


class Place(NamedTuple):
    """What a path to a pushed object says after the endpoint."""

    owner: Party
    object_id: str


# ------------------------------------------------------------------------------------------------ objects


async def as_shown(objects: Sequence[OwnedObject], kind: Kind, viewer: Connection, hub: Hub) -> list[Json]:
    """Objects in the form of 2.1.1 as this viewer knows them, each the very same where nothing is different.

    Raises:
        HubFault: it cannot be told now under which ids they may be shown.
    """
    face, found = _face(viewer), [body for _, body in objects]
    if has_ids(kind, face):
        by_owner: dict[Party, list[Json]] = defaultdict(list)
        for owner, body in objects:
            by_owner[owner].append(body)
        instead = {
            owner: await _instead(ids_in_all(bodies, kind, face), owner, viewer, hub)
            for owner, bodies in by_owner.items()
        }
        found = [with_ids(body, kind, face, instead[owner]) if instead[owner] else body for owner, body in objects]
    if _tells_owner(kind, viewer):
        found = [with_owner_named(body, kind, owner) for (owner, _), body in zip(objects, found, strict=True)]
    return found


async def as_meant(
    objects: Sequence[Json], kind: Kind, viewer: Connection, owners: Collection[Party], hub: Hub
) -> list[Json | None]:
    """Objects of an answer of this viewer's in the ids of these owners; None for what is another's.

    Raises:
        HubFault: it cannot be told now what the viewer means.
    """
    face = _face(viewer)
    per_object = [ids_in(body, kind, face) for body in objects]
    meant = await hub.shown_ids.owned(viewer.platform_id, set().union(*per_object))
    instead = {each: found.real for each, found in meant.items() if found.owner in owners}
    another = {each for each, found in meant.items() if found.owner not in owners} if face is Face.EMSP else set()
    return [
        None if ids & another else with_ids(body, kind, face, instead)
        for ids, body in zip(per_object, objects, strict=True)
    ]


async def place_shown(owner: Party, real: Id, at: Connection, hub: Hub) -> Place:
    """Where an object is at a partner that got it pushed.

    Raises:
        HubFault: it cannot be told now under which id a viewer was shown it.
    """
    if at.face is None:
        return Place(owner, real.value)
    instead = await _instead([real], owner, at, hub)
    return Place(_owner_shown(at, hub) or owner, instead.get(real, real.value))


async def _instead(ids: Collection[Id], owner: Party, viewer: Connection, hub: Hub) -> dict[Id, str]:
    """What the viewer is shown in the place of these ids, where that is not the same."""
    if not ids or owner in hub.directory.snapshot.platform(viewer.platform_id).parties:
        return {}
    always = _owner_shown(viewer, hub) is not None or viewer.quirks.id_mode == "always"
    shown = await hub.shown_ids.shown(viewer.platform_id, owner, ids, always=always)
    return {each: instead for each, instead in shown.items() if instead != each.value}


def _owner_shown(viewer: Connection, hub: Hub) -> Party | None:
    """The one owner this viewer lets anybody have; None where it takes everybody."""
    return hub.party if viewer.quirks.owner_mode == "hub" else None


def _tells_owner(kind: Kind, viewer: Connection) -> bool:
    return viewer.quirks.operator_owner_id and names_owner(kind)


def _face(viewer: Connection) -> Face:
    assert viewer.face is not None, "only 2.1.1 has viewers"  # noqa: S101 - callers look at it
    return viewer.face


# ------------------------------------------------------------------------------------------------ requests


def means_what_it_says(message: Message, members: Members, source: Connection, hub: Hub) -> bool:
    """Whether no id in a request of a viewer's was shown to it, as in nearly all. False where the store has to say."""
    ids = _ids_of(message, members, _face(source))[1]
    return hub.shown_ids.are_strange(source.platform_id, ids)


async def request_as_meant(message: Message, members: Members, source: Connection, hub: Hub) -> tuple[Message, Members]:
    """A request of a viewer's in the ids of their owner, who is its receiver then. `members` are those of its body.

    Where the request names a receiver itself, only an id of that party's means something else than it says.

    Raises:
        HubFault: it cannot be told now what the viewer means.
    """
    operation = message.operation
    named, ids = _ids_of(message, members, _face(source))
    meant = await hub.shown_ids.owned(source.platform_id, ids)
    if meant:
        anybody = (None, hub.party)
        meant = {each: found for each, found in meant.items() if message.receiver in (*anybody, found.owner)}
    if not meant:
        return message, members
    instead = {each: found.real for each, found in meant.items()}
    receiver = next(iter(meant.values())).owner
    members, body = _with_members(message, members, {name: instead.get(each) for name, each in named.items()})
    segments = message.segments if operation.owned else path_with_ids(message.segments, operation, instead)
    return msgspec.structs.replace(message, receiver=receiver, segments=segments, body=body), members


def _ids_of(message: Message, members: Members, face: Face) -> tuple[dict[str, Id], Collection[Id]]:
    """The ids of others in a request: those of members by their name, and all there are."""
    operation, named = message.operation, {}
    for name, id_kind in top_ids(carried_by(operation, message.segments).request, face):
        written = bytes(members[name]) if name in members else b""
        if len(written) <= _LONGEST_WRITTEN and (found := _id_in(written, id_kind)) is not None:
            named[name] = found
    if operation.owned:
        return named, named.values()
    return named, {*named.values(), *ids_in_path(message.segments, operation, face)}


@lru_cache(maxsize=16_384)  # who charges sends the same again
def _id_in(written: bytes, kind: IdKind) -> Id | None:
    """The id that is the value of a member; None where that is no id."""
    value = numbers.read(written) if written.startswith(b'"') else None
    return Id(kind, value) if is_id(value) else None


def _with_members(message: Message, members: Members, new: dict[str, str | None]) -> tuple[Members, bytes | None]:
    changed = {name: value for name, value in new.items() if value is not None and value != text(members, name)}
    if not changed:
        return members, message.body
    members = {**members, **{name: Raw(msgspec.json.encode(value)) for name, value in changed.items()}}
    return members, msgspec.json.encode(members)


async def request_as_shown(message: Message, outgoing: Message, route: Forward, hub: Hub) -> Message:
    """A request in the ids that its receiver, a viewer, was shown. `outgoing` is the message in the viewer's version.

    It is the very same where nothing is different.

    Raises:
        HubFault: it cannot be told now under which ids it may be shown.
        UnreadableBody: the body has no ids that could be read.
    """
    viewer, operation = route.connection, outgoing.operation
    face, owner = _face(viewer), owner_of(message)
    kind = carried_by(operation, outgoing.segments).request
    body = _body_of(outgoing) if has_ids(kind, face) or names_owner(kind) else None
    ids = {*ids_in_path(outgoing.segments, operation, face)}
    if body is not None and kind is not None:
        ids.update(ids_in(body, kind, face))
    instead = await _instead(ids, owner, viewer, hub)
    new = body
    if body is not None and kind is not None:
        new = with_ids(body, kind, face, instead) if instead else body
        if _tells_owner(kind, viewer):
            new = with_owner_named(new, kind, owner, partial=operation.method == "PATCH")
    segments = path_with_ids(outgoing.segments, operation, instead, _owner_shown(viewer, hub))
    if new is body and segments == outgoing.segments:
        return outgoing
    written = outgoing.body if new is body else numbers.write(new)
    return msgspec.structs.replace(outgoing, segments=segments, body=written)


def _body_of(message: Message) -> Json | None:
    if not message.body:
        return None
    try:
        body = numbers.read(message.body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableBody("The body is not well-formed JSON") from error
    return body if type(body) is dict else None


def owner_of(message: Message) -> Party:
    """Whose ids a request is about that others are shown: those of the path, of its object, or else of the sender."""
    operation = message.operation
    if operation.owned:
        return owner_in_path(message.segments)
    if message.body and operation.body is not None:
        if operation.module == ModuleID.CDRS:
            return owner_in(read_members(message.body)) or message.sender
        if operation.body.token:
            return next(iter(owners_of_tokens(read_members(message.body))), message.sender)
    return message.sender


# ------------------------------------------------------------------------------------------------ answers


async def answer_as_meant(message: Message, answer: Answer, route: Forward, source: Connection, hub: Hub) -> Answer:
    """A viewer's answer in the ids of the owners; `source` is where it goes.

    Sessions and CDRs in its list that are not for an eMSP of that platform are left out.

    Raises:
        HubFault: it cannot be told now what the viewer means.
    """
    viewer = route.connection
    kind = carried_by(message.operation, message.segments).answer
    if kind is None or not has_ids(kind, _face(viewer)) or not went_well(answer):
        return answer
    its = hub.directory.snapshot.platform(source.platform_id).parties
    owners = its if viewer.face is Face.EMSP else (owner_of(message),)

    async def meant(objects: Sequence[Json]) -> Sequence[Json | None]:
        found = await as_meant(objects, kind, viewer, owners, hub)
        if not message.operation.paged:
            return [new or old for new, old in zip(found, objects, strict=True)]
        if not is_of_everybody(kind, viewer):
            return found
        whose = await payers(objects, kind, route.receiver, viewer, hub)
        return [body if payer in its else None for body, payer in zip(found, whose, strict=True)]

    return await _with_objects(answer, meant)


async def answer_as_shown(
    message: Message, answer: Answer, route: Forward, source: Connection, pairs: Sequence[Pair], hub: Hub
) -> Answer:
    """An answer in the ids that who asked, a viewer, was shown. `pairs` are its objects before and after translation.

    Raises:
        HubFault: it cannot be told now under which ids it may be shown.
    """
    kind = carried_by(message.operation, message.segments).answer
    face = _face(source)
    if kind is None or not (has_ids(kind, face) or names_owner(kind)) or not went_well(answer):
        return answer
    platform = hub.directory.snapshot.platform_of(route.receiver)
    possible = () if platform is None else platform.parties

    async def shown(found: Sequence[Pair]) -> Sequence[Json]:
        owners = [owner_in_object(each.before, kind, face, possible) or route.receiver for each in found]
        owned = [(owner, each.after) for owner, each in zip(owners, found, strict=True)]
        return await as_shown(owned, kind, source, hub)

    async def shown_as_it_came(objects: Sequence[Json]) -> Sequence[Json]:
        return await shown([Pair(body, body) for body in objects])

    if not pairs:
        return await _with_objects(answer, shown_as_it_came)
    new = await shown(pairs)
    if all(body is pair.after for body, pair in zip(new, pairs, strict=True)):
        return answer  # as nearly always
    return _with_translated(answer, new)


def owner_in_object(body: Json, kind: Kind, face: Face, possible: Collection[Party]) -> Party | None:
    """Whose ids an object says that there are in it; None when it says nothing, or nobody who can be."""
    said = body.get("cdr_token") if face is Face.EMSP and kind in _CHARGES else body
    if type(said) is not dict:
        return None
    country_code, party_id = said.get("country_code"), said.get("party_id")
    if type(country_code) is not str or type(party_id) is not str:
        return None
    owner = Party.read(country_code, party_id)
    return owner if owner in possible else None


def _with_translated(answer: Answer, objects: Sequence[Json]) -> Answer:
    """A translated answer with others in place of the objects that it was written from: they need not be read again."""
    members: dict[str, Any] = dict(_envelope(answer.body))
    data = members["data"]
    if bytes(data).startswith(b"["):
        others = iter(objects)
        members["data"] = [next(others) if bytes(value).startswith(b"{") else value for value in _list(data)]
    else:
        [members["data"]] = objects
    return msgspec.structs.replace(answer, body=numbers.write(members))


async def _with_objects(answer: Answer, change: _Change) -> Answer:
    """The answer with other objects in its data; the very same where none is different."""
    try:
        members: dict[str, Any] = dict(_envelope(answer.body))
        data = numbers.read(members["data"]) if "data" in members else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotRoutable("The data of the receiver's answer is not well-formed JSON") from error
    listed = data if type(data) is list else [data]
    objects = [value for value in listed if type(value) is dict]
    changed = await change(objects) if objects else objects
    if all(new is old for new, old in zip(changed, objects, strict=True)):
        return answer
    others = iter(changed)
    new = [next(others) if type(value) is dict else value for value in listed]
    left = [value for value, old in zip(new, listed, strict=True) if value is not None or old is None]
    members["data"] = left if type(data) is list else left[0]
    return msgspec.structs.replace(answer, body=numbers.write(members))
