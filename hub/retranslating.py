"""How a message was translated, told afterwards: the translation is made again, over what was captured of it.

A translation depends on nothing but the message and what it asks for, so it comes out the same. What it asked partners
for then is not asked again, and what is remembered of traffic may have changed: where the result is not what was
captured, that is said, and no rule is named for what differs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from hub.hub import Hub
from hub.journal.bodies import masked_body
from hub.store.journal_entries import Capture, JournalEntry
from hub.trace import Trace
from hub.translating import MakeCrossing, Translation, asked_for
from routing.directory import Connection
from routing.errors import HubError, Untranslatable
from routing.message import Message, MessageIds
from routing.modules import operation_at
from routing.routes import Forward
from routing.translation import numbers
from routing.translation.crossing import AnsweredByHub, Crossing, Loss
from routing.translation.differences import Action, Differences, Line, differences, told
from routing.translation.kinds import Kind
from routing.translation.messages import Translated, answer_body, listed
from routing.translation.questions import AuthorizationReference, Question, ReservationNumber
from routing.vocabulary import InterfaceRole, Version

T = TypeVar("T")

MOST_LINES: Final = 2000
"""Lines that are told of one message; the sums are of all."""
_BINDING: Final = (AuthorizationReference, ReservationNumber)
"""Questions whose answer would be made by asking."""
_BEFORE_SEGMENTS: Final = 5
"""Parts of a path of the hub, up to the module: "", "ocpi", version, interface, module."""
_SUCCESS: Final = range(1000, 2000)
_UNKNOWN: Final = "unknown"
_OTHERWISE: Final = "What the hub knows has changed since: the rule of then is not known"
_RESULT: Final = "/response_url"
_RESULT_URL: Final = "The result comes to a URL of the hub, which passes it on"


class Rule(Line, frozen=True, omit_defaults=False):
    """One change, of the request or of its answer."""

    in_answer: bool = False


class Retranslation(Struct, frozen=True):
    """What two versions made of one message."""

    source_version: Version
    target_version: Version
    rules: tuple[Rule, ...]
    summary: dict[str, int]
    """How many of each action, and `unchanged`; that only where a body was captured."""
    exact: bool
    """Whether the rules were found in what was captured, and lead to exactly what was captured."""


class _Half(Struct):
    """The request, or its answer."""

    lines: list[Line]
    unchanged: int = 0
    is_exact: bool = True


async def retranslated(entry: JournalEntry, capture: Capture | None, hub: Hub) -> Retranslation | None:
    """What became of this message on its way; None where nothing was translated.

    Without a capture, or where it cannot be read any more, the losses are told, of which the journal has the places.
    """
    target = entry.target_version
    if target is None or target is entry.source_version:
        return None
    translation = None if capture is None else _translation(entry, hub)
    halves: list[tuple[_Half, bool]] = []
    if capture is not None and translation is not None:
        for half, in_answer in ((_request, False), (_answer, True)):
            found = await half(entry, capture, translation, hub)
            halves += [] if found is None else [(found, in_answer)]
    is_found = bool(halves)
    missing = {False, True} - {in_answer for _, in_answer in halves}
    halves += [(_Half(_told(entry, in_answer=in_answer), 0, is_found), in_answer) for in_answer in sorted(missing)]
    rules = [_rule(line, in_answer=in_answer) for half, in_answer in halves for line in half.lines]
    sums = Counter(str(rule.action).lower() for rule in rules)
    if is_found:
        sums["unchanged"] = sum(half.unchanged for half, _ in halves)
    is_exact = is_found and all(half.is_exact for half, _ in halves)
    return Retranslation(entry.source_version, target, tuple(rules[:MOST_LINES]), dict(sums), is_exact)


def _rule(line: Line, *, in_answer: bool) -> Rule:
    return Rule(**msgspec.structs.asdict(line), in_answer=in_answer)


def _told(entry: JournalEntry, *, in_answer: bool) -> list[Line]:
    """The losses in the journal, object by object."""
    lost = [each for each in entry.losses if each.in_answer is in_answer]
    kinds = dict.fromkeys(each.kind for each in lost)
    return [line for kind in kinds for line in told([Loss(x.loss, x.path) for x in lost if x.kind == kind], kind)]


def _translation(entry: JournalEntry, hub: Hub) -> Translation | None:
    """The translation as it was then; None where its partners are no longer what they were."""
    source = _connection(entry.sender_platform_id, entry.source_version, hub)
    target = _connection(entry.receiver_platform_id, entry.target_version, hub)
    if source is None or target is None or entry.interface is None or entry.sender is None or entry.receiver is None:
        return None
    path, _, query = entry.path.partition("?")
    segments = tuple(path.split("/")[_BEFORE_SEGMENTS:])
    interface = InterfaceRole(entry.interface)
    try:
        operation = operation_at(entry.source_version, entry.module, interface, entry.method, segments)
    except HubError:
        return None
    message = Message(entry.source_version, operation, segments, query, entry.sender, entry.receiver, None)
    ids = MessageIds(entry.request_id, entry.correlation_id)
    trace = Trace(ids, entry.source_version, entry.method)
    return Translation.of(message, Forward(entry.receiver, target, ""), source, trace, hub, entry.time)


def _connection(platform_id: str | None, version: Version | None, hub: Hub) -> Connection | None:
    part = hub.directory.snapshot.parts.get(platform_id or "")
    connections = () if part is None else part.platform.connections
    return next((each for each in connections if each.version is version), None)


async def _request(entry: JournalEntry, capture: Capture, translation: Translation, hub: Hub) -> _Half | None:
    kind = translation.carried.request
    body = _json(capture.request_body)
    if kind is None or body is None:
        return None
    translation.message = msgspec.structs.replace(translation.message, body=body)
    try:
        crossing, (translated, _, _) = await _again(translation.message_out, translation.crossing_out, hub)
    except (HubError, AnsweredByHub) as refusal:
        return _refused(refusal, entry)
    sent = capture.upstream_request_body
    made = masked_body(translated.body, entry.module)
    half = _half(translated, crossing.losses, kind)
    if made != sent:
        half = _otherwise(half, _read(made), _read(sent), _told(entry, in_answer=False))
    return _with_result_url(half, translated, kind)


async def _answer(entry: JournalEntry, capture: Capture, translation: Translation, hub: Hub) -> _Half | None:
    kind = translation.carried.answer
    body = _json(capture.upstream_answer_body)
    if kind is None or body is None or (entry.upstream_ocpi_status or 0) not in _SUCCESS:
        return None
    is_paged = translation.message.operation.paged

    def run(crossing: Crossing) -> Translated:
        return answer_body(body, kind, crossing, paged=is_paged, within=asked_for(translation.message))

    try:
        crossing, translated = await _again(run, translation.crossing_back, hub)
        half = _half(translated, crossing.losses, kind)
        if is_paged:
            half = await _list(_data(body), kind, translation.crossing_back, hub)
    except (HubError, AnsweredByHub) as refusal:
        return _refused(refusal, entry)
    made, sent = _data(translated.body), _data((capture.answer_body or "").encode())
    made = _read(masked_body(numbers.write(made), entry.module))
    return half if _is_equal(made, sent) else _otherwise(half, made, sent, _told(entry, in_answer=True))


async def _list(data: Any, kind: Kind, crossing_with: MakeCrossing, hub: Hub) -> _Half:  # noqa: ANN401 - any JSON
    """The objects of a page, one after the other."""
    found: Sequence[Any] = data if type(data) is list else []
    places = {id(each): f"/{index}" for index, each in enumerate(found)}
    crossing, translated = await _again(lambda crossing: listed(found, kind, crossing), crossing_with, hub)
    half = _Half([])
    for pair in translated.pairs:
        place = places[id(pair.before)]
        inside = f"{place}/"
        losses = [
            Loss(loss.id, loss.pointer[len(place) :])
            for loss in crossing.losses
            if loss.pointer == place or loss.pointer.startswith(inside)
        ]
        one = differences(pair.before, pair.after, losses, kind)
        half.lines += [_placed(line, place) for line in one.lines]
        half.unchanged += one.unchanged
    half.lines += [_refusal(each.refusal, places.get(id(each.body))) for each in translated.withheld]
    return half


def _placed(line: Line, place: str) -> Line:
    source, target = (None if path is None else place + path for path in (line.from_path, line.to_path))
    return msgspec.structs.replace(line, from_path=source, to_path=target)


async def _again(run: Callable[[Crossing], T], crossing_with: MakeCrossing, hub: Hub) -> tuple[Crossing, T]:
    """The result, with what can be known without asking a partner, and without making anything up for good."""
    answers: dict[Question[Any], Any] = {}
    while True:
        crossing = crossing_with(hub.knowledge.known_besides(answers))
        crossing.whole = True  # for `differences`
        result: T | HubError | AnsweredByHub
        try:
            result = await asyncio.to_thread(run, crossing)
        except (HubError, AnsweredByHub) as error:
            result = error
        asked = [question for question in crossing.asked if question not in answers]
        if asked:
            answers |= dict.fromkeys(asked)
            answers |= await hub.knowledge.answers([each for each in asked if not isinstance(each, _BINDING)])
        elif isinstance(result, HubError | AnsweredByHub):
            raise result
        else:
            return crossing, result


def _half(translated: Translated, losses: Sequence[Loss], kind: Kind) -> _Half:
    """What became of the one object there is."""
    if not translated.pairs:
        return _Half(told(losses, kind))
    first, *_ = translated.pairs
    found: Differences = differences(first.before, first.after, losses, kind)
    return _Half(found.lines, found.unchanged)


def _with_result_url(half: _Half, translated: Translated, kind: Kind) -> _Half:
    if translated.pairs and _RESULT[1:] in translated.pairs[0].before:
        half.lines.append(Line(Action.REPLACED, f"{kind}.response_url", None, _RESULT, _RESULT, _RESULT_URL))
        half.unchanged -= 1
    return half


def _refused(refusal: HubError | AnsweredByHub, entry: JournalEntry) -> _Half:
    """Nothing was sent; or it is refused now, and was not then."""
    rule = getattr(refusal, "rule", None)
    was_refused = rule is not None and any(each.loss == rule for each in entry.losses)
    if not was_refused:
        return _Half(_told(entry, in_answer=False), 0, is_exact=False)
    if isinstance(refusal, Untranslatable):
        return _Half([_refusal(refusal, None)])
    return _Half([Line(Action.REFUSED, str(rule), str(rule))])


def _refusal(refusal: Untranslatable, place: str | None) -> Line:
    said = str(refusal).removeprefix(f"{refusal.rule}: ")
    return Line(Action.REFUSED, refusal.rule, refusal.rule, place, None, said)


def _otherwise(half: _Half, made: Any, sent: Any, told_then: Sequence[Line]) -> _Half:  # noqa: ANN401 - any JSON
    """The lines where the result of today is what was sent; for all others, that it is not.

    `told_then` are the losses of then: any other is one of today, and those that no line has any more are told alone.
    """
    losses = {line.loss for line in told_then}
    lines = [line for line in half.lines if line.loss is None or line.loss in losses]
    places = set() if sent is None or made is None else set(_differing(made, sent, ""))
    kept = [line for line in lines if line.to_path is None or not _is_in(line.to_path, places)]
    named = {line.loss for line in kept}
    kept += [line for line in told_then if line.loss not in named]
    other = [Line(Action.REPLACED, _UNKNOWN, None, None, place or "/", _OTHERWISE) for place in sorted(places)]
    return _Half([*kept, *other], half.unchanged, is_exact=False)


def _differing(one: Any, other: Any, place: str) -> list[str]:  # noqa: ANN401 - any JSON
    if type(one) is dict and type(other) is dict:
        pairs = [(name, one.get(name), other.get(name)) for name in {**one, **other}]
    elif type(one) is list and type(other) is list and len(one) == len(other):
        pairs = [(str(index), *both) for index, both in enumerate(zip(one, other, strict=True))]
    else:
        return [] if _is_equal(one, other) else [place]
    return [found for name, left, right in pairs for found in _differing(left, right, f"{place}/{name}")]


def _is_in(path: str, places: set[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") or place.startswith(f"{path}/") for place in places)


def _is_equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    return numbers.write(one) == numbers.write(other)


def _json(text: str | None) -> bytes | None:
    """A captured body, if it is one that can be read again."""
    return None if text is None or _read(text) is None else text.encode()


def _read(text: str | None) -> Any:  # noqa: ANN401 - any JSON
    try:
        return None if text is None else numbers.read(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _data(envelope: bytes) -> Any:  # noqa: ANN401 - any JSON
    members: Mapping[str, Any] | Any = _read(envelope.decode())
    return members.get("data") if type(members) is dict else None
