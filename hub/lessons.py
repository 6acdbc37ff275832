"""What the hub learns from one exchange that went well, for later messages; see `hub.learning` and `hub.ways`.

Bodies that no translation had to read are read for the little there is to learn from them: who has which Token, which
Tariff is for what, which authorization was given. From Locations and Sessions there is more to learn only when they are
translated. Who ids lead to is learned from every exchange, whatever the versions: from what was said as it was said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec
import structlog

from hub.hub import Hub
from hub.learning import Heard, Mode, compared, residue_left
from hub.observability import FilteringBoundLogger
from hub.passages import Passage
from hub.store.facts import AliasGiven, Fact
from hub.way_rows import Row, row_of
from hub.ways import Exchange
from routing.bodies import owner_in_path
from routing.directory import Connection
from routing.envelope import read_envelope
from routing.links import parameter
from routing.message import Answer, Message
from routing.modules import OWNER
from routing.routes import Forward, Unit
from routing.translation import numbers
from routing.translation.crossing import Crossing, Json
from routing.translation.kinds import Kind, carried_by
from routing.translation.messages import Pair
from routing.translation.residue import KINDS, residue_of
from routing.translation.sides import owner_of, sides_of
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version

log: FilteringBoundLogger = structlog.get_logger()
T = TypeVar("T")

_OF_USE: Final = frozenset({Kind.AUTHORIZATION_INFO, Kind.RESERVE_NOW, Kind.START_SESSION, Kind.TARIFF, Kind.TOKEN})
"""Kinds to learn from although nothing had to be translated."""
_TEACHING: Final = frozenset({ModuleID.COMMANDS, ModuleID.TARIFFS, ModuleID.TOKENS})
"""The modules these are in."""
_SUCCESS: Final = range(1000, 2000)
_CUSTOMERS: Final = frozenset({Role.EMSP, Role.OTHER, Role.PTP})
"""Who can have a Session of its own."""
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
    if carried.request is not None and was_taken(message, answer):
        learn_same_request(message, route, source, carried.request, hub)
    if carried.answer is not None:
        learn_same_answer(message, route, source, carried.answer, answer, hub)


def learn_same_request(message: Message, route: Forward, source: Connection, kind: Kind, hub: Hub) -> None:
    """Learn from what was sent and taken, and is the same in both versions."""
    if kind in _OF_USE:
        pairs = _unchanged([_json(message.body)]) if message.body else ()
        learn_request(message, route, source, kind, pairs, hub)


def learn_same_answer(
    message: Message, route: Forward, source: Connection, kind: Kind, answer: Answer, hub: Hub
) -> None:
    """Learn from what was answered, and is the same in both versions."""
    if kind in _OF_USE and (head := read_envelope(answer.body)) is not None:
        data = _json(head.data)
        # Some answer with a list of just one where an object is due.
        found = data if type(data) is list and (message.operation.paged or len(data) == 1) else [data]
        learn_answer(message, route, source, kind, _unchanged(found), hub)


def learn_unit(message: Message, unit: Unit, source: Connection, answer: Answer, hub: Hub) -> None:
    """Learn from the page of one party that is part of a list of everybody's, as that party sent it.

    Where its version is another one, the translation has more to teach, see `learn_answer`.
    """
    route = Forward(unit.party, unit.connection, "")
    learn_ways(message, route, answer, hub)
    if unit.connection.version is message.version:
        learn_untranslated(message, route, source, answer, hub)


def learn_ways(message: Message, route: Forward, answer: Answer, hub: Hub) -> None:
    """Learn who ids lead to, from what the sender sent and what the receiver answered, before any translation.

    It is not learned here for whom the Sessions and CDRs are that are read from who speaks 2.1.1: see `learn_kept`.
    Neither is what a broadcast carries, see `learn_broadcast`.
    """
    row = None if route.speaker is not None else row_of(message.operation)
    if row is None or not went_well(answer) or (row.needs_acceptance and not was_taken(message, answer)):
        return
    if not (row.is_private and route.connection.version is Version.V2_1_1):
        _safely(_learn_said, row, message, route, answer.body, hub)


def learn_kept(message: Message, route: Forward, bodies: Sequence[Json], hub: Hub) -> None:
    """Learn who ids lead to from those objects of a list which are the requester's, as the receiver sent them."""
    row = row_of(message.operation)
    if row is not None:
        _safely(_learn_objects, row, message, route, bodies, hub)


def _safely(
    learn: Callable[[Row, Message, Forward, T, Hub], None],
    row: Row,
    message: Message,
    route: Forward,
    said: T,
    hub: Hub,
) -> None:
    try:
        learn(row, message, route, said, hub)
    except Exception:  # both sides have what they wanted; a bug here must not cost the requester the answer
        log.exception("nothing_learned", module=message.operation.module)


def _learn_said(row: Row, message: Message, route: Forward, answer: bytes, hub: Hub) -> None:
    if row.answered is not None and message.operation.paged:
        _learn_parts(row, message, route, row.answered.page(answer), hub)
        return
    sent = row.sent.body(message.body) if row.sent is not None and message.body else None
    answered = row.answered.answer(answer) if row.answered is not None else None
    _teach(row, message, route, _lesson(row, message, route, sent, answered, hub), (sent, answered), hub)


def _learn_objects(row: Row, message: Message, route: Forward, bodies: Sequence[Json], hub: Hub) -> None:
    if row.answered is not None:
        _learn_parts(row, message, route, map(row.answered.read, bodies), hub)


def _learn_parts(row: Row, message: Message, route: Forward, parts: Iterable[Any], hub: Hub) -> None:
    exchange = _exchange(row, message, route, hub)
    for part in parts:
        _teach(row, message, route, row.learn(exchange, None, part), (None, part), hub)


def _lesson(row: Row, message: Message, route: Forward, sent: Any, answered: Any, hub: Hub) -> Iterator[Fact]:  # noqa: ANN401 - parts, of whatever the row reads
    """Nothing is even prepared until somebody wants the facts."""
    yield from row.learn(_exchange(row, message, route, hub), sent, answered)


def _teach(
    row: Row, message: Message, route: Forward, facts: Iterator[Fact], parts: tuple[object, object], hub: Hub
) -> None:
    if row.is_repeatable:
        topic = hash((message.operation, message.sender, route.receiver, message.segments, parts))
        hub.knowledge.learn_once(topic, facts)
        return
    for fact in facts:
        hub.knowledge.note(fact)


def _exchange(row: Row, message: Message, route: Forward, hub: Hub) -> Exchange:
    is_push = row.is_push(message.operation)
    speaker, other = (message.sender, route.receiver) if is_push else (route.receiver, message.sender)
    directory = hub.directory.snapshot
    platform, entry = directory.platform_of(speaker), directory.entry(other)
    version = message.version if is_push else route.connection.version
    return Exchange(
        sender=message.sender,
        receiver=route.receiver,
        owner=owner_in_path(message.segments) if message.operation.owned else speaker,
        may_name_owner=version is not Version.V2_1_1 and not message.operation.owned,
        teller=() if platform is None else directory.voices_of(platform),
        other=other,
        is_customer=entry is not None and any(each.role in _CUSTOMERS for each in entry.roles),
        at=datetime.now(UTC),
        ids=object_ids(message),
        is_push=is_push,
    )


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
    is_gone = message.operation.method == "DELETE"
    if (kind is Kind.SESSION and source.version is not Version.V2_1_1) or not (pairs or is_gone):
        return
    heard = _heard(message, route, kind, _MODES[message.operation.method], source, hub)
    if route.connection.version is Version.V2_1_1:
        heard = msgspec.structs.replace(heard, viewer=route.receiver)
    if is_gone:
        hub.knowledge.learn(heard)
    for pair in pairs:
        hub.knowledge.learn(heard, pair.before, pair.after)


def says_the_same(passage: Passage, ids: tuple[str, ...], kind: Kind | None, pairs: Collection[Pair], hub: Hub) -> bool:
    """Whether a request only repeats what was said of its Session last: there is nothing to learn from it then.

    What was said last had a sender who could be believed. So it need not be asked whether this one can.
    """
    version = passage.sender.version
    if kind is not Kind.SESSION or version is not Version.V2_1_1 or not pairs:
        return False
    [pair] = pairs  # a request has one body
    said = compared(version, passage.sides.emsp, passage.owner, ids[0], pair.before, pair.after)
    return not hub.knowledge.is_news(said)


def learn_broadcast(message: Message, source: Connection, hub: Hub) -> None:
    """Learn from a push to everybody what its sender says, once, whoever takes it then."""
    everybody = Forward(hub.party, source, "")
    kind = carried_by(message.operation, message.segments).request
    if kind is not None:
        heard = _heard(message, everybody, kind, _MODES[message.operation.method], source, hub)
        if message.operation.method == "DELETE":
            hub.knowledge.learn(heard)
        for pair in _unchanged([_json(message.body)]) if message.body else ():
            hub.knowledge.learn(heard, pair.before, pair.after)
    row = row_of(message.operation)
    if row is not None:
        _safely(_learn_said, row, message, everybody, b"", hub)


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
    sides = sides_of(message.operation, message.sender, route.receiver)
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


def _parties(teller: Connection, hub: Hub) -> Container[Party]:
    snapshot = hub.directory.snapshot
    return snapshot.voices_of(snapshot.platform(teller.platform_id))


def object_ids(message: Message) -> tuple[str, ...]:
    """The ids in the path of a message, without the owner, percent-decoded."""
    ids = message.segments[len(OWNER) :] if message.operation.owned else message.segments
    return tuple(map(unquote, ids)) if "%" in "".join(ids) else ids
