"""One hop pair of a story: what went in, what went out, and what made the difference. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.console.addresses import addresses_of
from hub.console.diff import Diff, changes_of, diff_of, paths_of

Json = Mapping[str, Any]


_WHY_UNEVEN: Final = (
    "A loss of a whole object is told of at each part of it, and one that happened several times at one place is told "
    "of once."
)


_RESULT: Final = "callback"


class Finding(StrEnum):
    """What became of the bodies."""

    TRANSLATED = "translated"
    UNCHANGED = "unchanged"
    """Captured, and alike on both sides."""
    SAME_VERSION = "same_version"
    """Not captured: nothing was translated."""
    ADAPTED = "adapted"
    """Of one version, and yet not alike: settings of a partner, or URLs that are the hub's."""
    NOT_SENT = "not_sent"


class Half(Struct, frozen=True):
    """The request, or its answer."""

    name: str
    diff: Diff | None
    left_text: str | None = None
    """What is no JSON, as text."""
    right_text: str | None = None


class Leg(Struct, frozen=True):
    """One message, with everything that is known of it."""

    message: Json
    finding: Finding
    halves: tuple[Half, ...]
    addresses: Diff | None
    """None where nothing was sent on, and nothing captured."""
    is_captured: bool
    has_bodies: bool
    """Whether they may be seen, and are there."""
    is_exact: bool
    """Whether the rules are those that were applied then."""
    uneven: str | None
    """Why a loss is told of more often, or less often, than it was noted; None where it is not."""


def leg_of(message: Json) -> Leg:
    """A message as the API tells it: with its details, or without."""
    translation = message.get("translation")
    is_captured = message.get("request_headers") is not None or message.get("upstream_request_headers") is not None
    has_bodies = any(message.get(f"{each}_body") is not None for pair in _SIDES.values() for each in pair)
    is_sent = message["upstream_request_id"] is not None or message["upstream_path"] is not None
    halves = tuple(half for name in _SIDES if (half := _half(name, message, translation)) is not None)
    return Leg(
        message=message,
        finding=_finding(message, halves, is_sent=is_sent, is_captured=is_captured, has_bodies=has_bodies),
        halves=halves,
        addresses=addresses_of(message) if is_sent or is_captured else None,
        is_captured=is_captured,
        has_bodies=has_bodies,
        is_exact=translation is None or not has_bodies or bool(translation["exact"]),
        uneven=_uneven(message, translation),
    )


def answered(leg: Leg) -> Json | None:
    """What the sender was answered, where it was captured."""
    data = _in_envelope(leg.message.get("answer_body"), "data")
    return data if isinstance(data, dict) else None


def result_in(legs: Iterable[Leg]) -> str | None:
    """What was said of a command at last: in what was brought later, or else in the answer, as far as captured."""
    said = None
    for leg in legs:
        is_result = said is not None or leg.message["route"] == _RESULT
        found = _in_envelope(leg.message.get("upstream_request_body"), "result") if is_result else _result(leg)
        said = found if isinstance(found, str) else said
    return said


def _result(leg: Leg) -> Any:  # noqa: ANN401 - any JSON
    return (answered(leg) or {}).get("result")


def said_in(leg: Leg) -> str | None:
    """What the receiver wrote as status_message, where its answer was captured."""
    said = _in_envelope(leg.message.get("upstream_answer_body"), "status_message")
    return said if isinstance(said, str) and said else None


def _in_envelope(body: str | None, name: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        envelope = None if body is None else msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return envelope.get(name) if isinstance(envelope, dict) else None


_SIDES = {"request": ("request", "upstream_request"), "answer": ("upstream_answer", "answer")}


def _half(name: str, message: Json, translation: Json | None) -> Half | None:
    in_answer = name == "answer"
    before, after = (message.get(f"{side}_body") for side in _SIDES[name])
    changes = changes_of(translation["rules"] if translation else _told(message), in_answer=in_answer)
    if before is None and after is None:
        return Half(name, paths_of(changes)) if changes else None
    diff = diff_of(before or None, after or None, changes, in_envelope=in_answer) if before or after else None
    return Half(name, None, before, after) if diff is None else Half(name, diff)


def _uneven(message: Json, translation: Json | None) -> str | None:
    if translation is None:
        return None
    noted: Counter[str] = Counter()
    for lost in message["losses"]:
        noted[lost["loss"]] += lost["count"]
    told = Counter(rule["loss"] for rule in translation["rules"] if rule["loss"] is not None)
    odd = [each for each in sorted(noted) if noted[each] != told[each]]
    if not odd:
        return None
    said = "; ".join(f"{each} {_times(noted[each])}, and told of {_times(told[each])}" for each in odd)
    return f"Noted on the way was {said}. {_WHY_UNEVEN}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times" if number else "nowhere"


def _told(message: Json) -> list[Json]:
    """The losses of a message whose details cannot be had."""
    return [
        {
            "action": "Changed",
            "rule": lost["loss"],
            "loss": lost["loss"],
            "from_path": lost["path"],
            "in_answer": lost["in_answer"],
        }
        for lost in message["losses"]
    ]


def _finding(message: Json, halves: tuple[Half, ...], *, is_sent: bool, is_captured: bool, has_bodies: bool) -> Finding:
    source, target = message["source_version"], message["target_version"]
    if target not in {None, source} and (is_sent or halves):
        return Finding.TRANSLATED
    if not is_sent:
        return Finding.NOT_SENT
    if not (is_captured and has_bodies):
        return Finding.SAME_VERSION
    diffs = [half.diff for half in halves]
    alike = all(each is not None and not each.is_alone and all(row.is_same for row in each.rows) for each in diffs)
    return Finding.UNCHANGED if alike else Finding.ADAPTED
