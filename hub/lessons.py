"""What the hub learns from one exchange that went well, for later messages; see `hub.learning`.

Bodies that no translation had to read are read for the little there is to learn from them: who has which Token, which
Tariff is for what, which authorization was given. Locations and Sessions between partners of one version teach nothing
that a partner of another will ever need.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from hub.hub import Hub
from hub.learning import Heard, Mode, residue_left
from hub.store.facts import AliasGiven
from routing.decision import Forward
from routing.directory import Connection
from routing.envelope import read_envelope
from routing.links import parameter
from routing.message import Answer, Message
from routing.modules import OWNER
from routing.translation import numbers
from routing.translation.crossing import Crossing, Json
from routing.translation.kinds import Kind, carried_by
from routing.translation.messages import Pair
from routing.translation.residue import KINDS, residue_of
from routing.translation.sides import BothSides, owner_of, sides_of
from routing.vocabulary import InterfaceRole, ModuleID, Party, Version

_OF_USE: Final = frozenset({Kind.AUTHORIZATION_INFO, Kind.RESERVE_NOW, Kind.START_SESSION, Kind.TARIFF, Kind.TOKEN})
"""Kinds to learn from although nothing had to be translated."""
_TEACHING: Final = frozenset({ModuleID.COMMANDS, ModuleID.TARIFFS, ModuleID.TOKENS})
"""The modules these are in."""
_SUCCESS: Final = range(1000, 2000)
_MODES: Final[dict[str, Mode]] = {"PUT": "put", "PATCH": "patch", "POST": "post", "DELETE": "delete"}


def went_well(answer: Answer) -> bool:
    """Whether the receiver took the message."""
    return answer.ocpi_status in _SUCCESS and answer.http_status < 300


def was_taken(message: Message, answer: Answer) -> bool:
    """Whether the receiver did what was asked, too: a command it rejected says nothing about a later session."""
    if not went_well(answer):
        return False
    operation = message.operation
    if operation.module != ModuleID.COMMANDS or operation.interface is not InterfaceRole.RECEIVER:
        return True
    head = read_envelope(answer.body)
    response = None if head is None else _json(head.data)
    if type(response) is list and len(response) == 1:
        response = response[0]
    return (response.get("result") if type(response) is dict else response) == "ACCEPTED"


def learn_untranslated(message: Message, route: Forward, source: Connection, answer: Answer, hub: Hub) -> None:
    """Learn from an exchange between partners of one version."""
    operation = message.operation
    if operation.module not in _TEACHING or not went_well(answer):
        return
    carried = carried_by(operation, message.segments)
    if carried.request in _OF_USE and was_taken(message, answer):
        pairs = _unchanged([_json(message.body)]) if message.body else ()
        learn_request(message, route, source, carried.request, pairs, hub)
    if carried.answer in _OF_USE and (head := read_envelope(answer.body)) is not None:
        data = _json(head.data)
        # Some answer with a list of just one where an object is due.
        found = data if type(data) is list and (operation.paged or len(data) == 1) else [data]
        learn_answer(message, route, source, carried.answer, _unchanged(found), hub)


def _json(text: bytes | msgspec.Raw) -> Any:  # noqa: ANN401 - any JSON
    try:
        return numbers.read(text)
    except (msgspec.DecodeError, RecursionError):
        return None  # both partners understand it; there is nothing to learn


def _unchanged(found: Sequence[Any]) -> list[Pair]:
    return [Pair(body, body) for body in found if type(body) is dict]


def learn_request(
    message: Message, route: Forward, source: Connection, kind: Kind, pairs: Collection[Pair], hub: Hub
) -> None:
    """Learn from what was sent and taken. A DELETE has no body and teaches all the same.

    A Session says by itself whose Token it is, and by which authorization, unless it is of 2.1.1.
    """
    if kind is Kind.SESSION and source.version is not Version.V2_1_1:
        return
    heard = _heard(message, route, kind, _MODES[message.operation.method], source, hub)
    if route.connection.version is Version.V2_1_1:
        heard = msgspec.structs.replace(heard, viewer=route.receiver)
    if message.operation.method == "DELETE":
        hub.knowledge.learn(heard)
    for pair in pairs:
        hub.knowledge.learn(heard, pair.before, pair.after)


def learn_answer(
    message: Message, route: Forward, source: Connection, kind: Kind, pairs: Collection[Pair], hub: Hub
) -> None:
    """Learn from what was read, or answered to a question."""
    mode: Mode = "list" if message.operation.paged else "post" if message.operation.method == "POST" else "object"
    heard = _heard(message, route, kind, mode, route.connection, hub)
    if source.version is Version.V2_1_1:
        heard = msgspec.structs.replace(heard, viewer=message.sender)
    for pair in pairs:
        hub.knowledge.learn(heard, pair.before, pair.after)


def learn_withheld(
    message: Message, route: Forward, source: Connection, kind: Kind, bodies: Sequence[Json], hub: Hub
) -> None:
    """Learn from Locations that nobody was given, because they are not published: that also holds for their parts."""
    read = message.operation.method == "GET"
    mode: Mode = "object" if read else _MODES[message.operation.method]
    heard = _heard(message, route, kind, mode, route.connection if read else source, hub)
    for body in bodies:
        hub.knowledge.learn(heard, body)


def learn_aliases(crossing: Crossing, teller: Connection, hub: Hub) -> None:
    """Remember the aliases that were given out for ids of the platform a body came from."""
    owners = _parties(teller, hub) if crossing.aliases else ()
    for given in dict.fromkeys(crossing.aliases):
        if given.owner in owners:
            hub.knowledge.note(AliasGiven(*given))


def learn_residue(
    message: Message, route: Forward, source: Connection, pairs: Sequence[Pair], crossing: Crossing, hub: Hub
) -> None:
    """Remember what 2.1.1 took away from an object that was pushed and taken, for an owner that wants it back.

    What was remembered before is forgotten: the receiver has another object now.
    """
    if not source.quirks.residue or not message.operation.owned or route.connection.version is not Version.V2_1_1:
        return
    kind = carried_by(message.operation, message.segments).request
    if kind not in KINDS:
        return
    mode = _MODES[message.operation.method]
    pushed = pairs[0] if pairs and mode == "put" else None
    residue = None if pushed is None else residue_of(pushed.before, pushed.after, crossing.losses)
    left = residue_left(_heard(message, route, kind, mode, source, hub), route.receiver, residue)
    if left is not None:
        hub.knowledge.note(left)


def _heard(message: Message, route: Forward, kind: Kind, mode: Mode, teller: Connection, hub: Hub) -> Heard:
    sides: BothSides = sides_of(message.operation, message.sender, route.receiver)
    return Heard(
        kind=kind,
        mode=mode,
        version=teller.version,
        teller=_parties(teller, hub),
        owner=owner_of(message.operation, message.segments, sides),
        at=datetime.now(UTC),
        cpo=sides.cpo,
        emsp=sides.emsp,
        ids=object_ids(message),
        token_type=parameter(message.query, "type"),
    )


def _parties(teller: Connection, hub: Hub) -> tuple[Party, ...]:
    return hub.directory.snapshot.platform(teller.platform_id).parties


def object_ids(message: Message) -> tuple[str, ...]:
    """The ids in the path of a message, without the owner, percent-decoded."""
    ids = message.segments[len(OWNER) :] if message.operation.owned else message.segments
    return tuple(map(unquote, ids))
