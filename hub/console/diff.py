"""Two documents side by side, line by line, with what made each difference. Pure.

The lines of one object stand beside those of what it became: members by their name, or by the one a rule gave them,
elements of lists by their `id` or `uid`, else by their place. Numbers have the digits that were sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import msgspec
from msgspec import Struct

from routing.translation import numbers

MOST_ROWS: Final = 400
"""What a page shows; runs of lines that are alike are shortened before any other line is left out."""
_AROUND: Final = 3
"""Lines that stay at either end of a run."""
_INDENTS: Final = 8
_NAMES: Final = ("id", "uid", "evse_id", "tariff_id", "start_date_time")
"""Members by which elements of lists are known again."""
_OUTSIDE: Final = "\x00"
"""Begins the path of what is around the object in an envelope, where rules say nothing."""
_ENVELOPE: Final = "data"


class Change(Struct, frozen=True):
    """One rule that made a difference."""

    action: str
    rule: str
    loss: str | None = None
    from_path: str | None = None
    to_path: str | None = None
    note: str | None = None


class Row(Struct, frozen=True):
    """One line of each document; None where there is none."""

    left: str | None
    right: str | None
    depth: int
    changes: tuple[Change, ...] = ()
    is_same: bool = False
    is_member: bool = False
    """Whether it is a value of the object, and no bracket and nothing around the object."""
    is_around: bool = False
    """Whether it is a value beside the object, in its envelope."""
    folded: int = 0
    """So many lines that are alike stand for this one."""


class Diff(Struct, frozen=True):
    """All lines, as far as they fit."""

    rows: tuple[Row, ...]
    summary: str
    """`1 replaced, 7 dropped, 7 unchanged`."""
    left_out: int = 0
    is_known: bool = True
    """Whether there are documents; else `left` and `right` are paths."""
    is_alone: bool = False
    """Whether there is one document only, which nothing was made of, or which the hub made itself."""


def diff_of(before: str | None, after: str | None, changes: Sequence[Change], *, in_envelope: bool) -> Diff | None:
    """Two documents, or the one that there is. None where one of them is no JSON.

    `in_envelope`: the changes are told of what is in `data`.
    """
    try:
        left, right = (_NONE if text is None else numbers.read(text) for text in (before, after))
    except (msgspec.DecodeError, RecursionError):
        return None
    comparison = _Comparison(changes, in_envelope=in_envelope)
    rows = [*comparison.rows(left, right), *comparison.rest()]
    is_alone = not changes and (before is None or after is None)
    said = ("as the hub wrote it" if before is None else "as it was received") if is_alone else _said(rows, changes)
    if is_alone:
        rows = [msgspec.structs.replace(row, is_same=True) for row in rows]
    folded = _folded(rows) if len(rows) > MOST_ROWS else rows
    return Diff(tuple(folded[:MOST_ROWS]), said, max(0, len(folded) - MOST_ROWS), is_alone=is_alone)


def _said(rows: Sequence[Row], changes: Sequence[Change]) -> str:
    """How many of each; and that what is around the object is the hub's own, where that differs."""
    has_members = any(row.is_member for row in rows)
    said = summed(changes, sum(row.is_same and row.is_member for row in rows) if has_members else None)
    is_other = any(row.is_around and not row.is_same for row in rows)
    return ", ".join(filter(None, [said, "the envelope is the hub's own" if is_other else ""]))


def paths_of(changes: Sequence[Change]) -> Diff:
    """The changes alone, where nobody knows a value."""
    rows = [_path_row(change) for change in changes]
    return Diff(tuple(rows[:MOST_ROWS]), summed(changes, None), max(0, len(rows) - MOST_ROWS), is_known=False)


def summed(changes: Iterable[Change], unchanged: int | None) -> str:
    """How many of each."""
    sums = Counter(change.action.lower() for change in changes)
    said = [f"{count} {action}" for action, count in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))]
    return ", ".join(said + ([] if unchanged is None else [f"{unchanged} unchanged"]))


def changes_of(rules: Iterable[Mapping[str, Any]], *, in_answer: bool) -> list[Change]:
    """What the API says of one half of a translation."""
    return [msgspec.convert(rule, Change) for rule in rules if rule["in_answer"] is in_answer]


def _path_row(change: Change) -> Row:
    place = change.from_path if change.from_path is not None else change.to_path
    left = None if change.action in {"Added", "Missing"} else place
    right = None if change.action in {"Dropped", "Missing", "Refused"} else change.to_path or place
    return Row(left, right, 0, (change,))


_NONE: Final = object()
"""No value at all."""


class _Comparison:
    def __init__(self, changes: Sequence[Change], *, in_envelope: bool) -> None:
        self._changes = changes
        self._in_envelope = in_envelope
        self._placed: set[int] = set()
        self._from: dict[str, list[int]] = {}
        self._to: dict[str, list[int]] = {}
        self._new_names: dict[tuple[str, str], dict[str, str]] = {}
        """By the two objects that a member is in: which name it has now."""
        for at, change in enumerate(changes):
            self._note(at, change)

    def _note(self, at: int, change: Change) -> None:
        source, target = change.from_path, change.to_path
        if source is not None:
            self._from.setdefault(source, []).append(at)
        if target is not None:
            self._to.setdefault(target, []).append(at)
        if source is not None and target is not None:
            (above, _, old), (now, _, new) = source.rpartition("/"), target.rpartition("/")
            if old != new:
                self._new_names.setdefault((above, now), {})[old] = new

    def rows(self, left: Any, right: Any) -> list[Row]:  # noqa: ANN401 - any JSON
        return list(self._pair(("", ""), left, right, ("", ""), 0, (True, True)))

    def rest(self) -> list[Row]:
        """Rules that no line shows: what they are about is beside the document, or in a part that was left out."""
        return [_path_row(each) for at, each in enumerate(self._changes) if at not in self._placed]

    def _pair(
        self,
        labels: tuple[str, str],
        left: Any,  # noqa: ANN401 - any JSON
        right: Any,  # noqa: ANN401 - any JSON
        paths: tuple[str, str],
        depth: int,
        last: tuple[bool, bool],
    ) -> Iterator[Row]:
        if not (left and right and type(left) is type(right) and type(left) in {dict, list}):
            sides = (
                _lines(label, value, path, depth, is_last=is_last)
                for label, value, path, is_last in zip(labels, (left, right), paths, last, strict=True)
            )
            for one, other in zip_longest(*sides):
                yield self._row(one, other)
            return
        opening, closing = ("{", "}") if type(left) is dict else ("[", "]")
        ends = [closing + ("" if is_last else ",") for is_last in last]
        yield self._row(*(_Line(depth, label + opening, path) for label, path in zip(labels, paths, strict=True)))
        pairs = _members(left, right, self._new_names.get(paths, {})) if type(left) is dict else _elements(left, right)
        last_of = [max(at for at, pair in enumerate(pairs) if pair[side] is not None) for side in (0, 1)]
        for at, (one, other) in enumerate(pairs):
            yield from self._pair(
                (_label(one), _label(other)) if type(left) is dict else ("", ""),
                _NONE if one is None else left[one],
                _NONE if other is None else right[other],
                (self._below(paths[0], one, depth), self._below(paths[1], other, depth)),
                depth + 1,
                (at == last_of[0], at == last_of[1]),
            )
        yield Row(ends[0], ends[1], depth, is_same=ends[0].rstrip(",") == ends[1].rstrip(","))

    def _below(self, path: str, key: str | int | None, depth: int) -> str:
        if depth == 0 and self._in_envelope:
            return "" if key == _ENVELOPE else f"{_OUTSIDE}/{key}"
        return f"{path}/{key}"

    def _row(self, left: _Line | None, right: _Line | None) -> Row:
        places = {
            *(self._from.get(left.path, ()) if left is not None and left.is_first else ()),
            *(self._to.get(right.path, ()) if right is not None and right.is_first else ()),
        }
        self._placed |= places
        one = left or right or _Line(0, "", "")
        return Row(
            None if left is None else left.text,
            None if right is None else right.text,
            min(one.depth, _INDENTS),
            tuple(self._changes[at] for at in sorted(places)),
            is_same=left is not None and right is not None and left.bare == right.bare and not places,
            is_member=one.is_value and not one.path.startswith(_OUTSIDE),
            is_around=one.is_value and one.path.startswith(_OUTSIDE),
        )


class _Line(Struct, frozen=True):
    """One line of one document."""

    depth: int
    bare: str
    path: str
    comma: str = ""
    is_first: bool = True
    """Whether it begins what is at the path."""
    is_value: bool = False

    @property
    def text(self) -> str:
        return self.bare + self.comma


def _lines(label: str, value: Any, path: str, depth: int, *, is_last: bool) -> Iterator[_Line]:  # noqa: ANN401 - any JSON
    """One value alone."""
    if value is _NONE:
        return
    comma = "" if is_last else ","
    if not value or type(value) not in {dict, list}:
        yield _Line(depth, label + numbers.write(value).decode(), path, comma, is_value=True)
        return
    opening, closing = ("{", "}") if type(value) is dict else ("[", "]")
    yield _Line(depth, label + opening, path)
    keys: Sequence[Any] = list(value) if type(value) is dict else range(len(value))
    for key in keys:
        name = _label(key) if type(value) is dict else ""
        yield from _lines(name, value[key], f"{path}/{key}", depth + 1, is_last=key == keys[-1])
    yield _Line(depth, closing, path, comma, is_first=False)


def _label(key: str | int | None) -> str:
    return "" if key is None else f"{msgspec.json.encode(key).decode()}: "


def _members(
    left: Mapping[str, Any], right: Mapping[str, Any], renamed: Mapping[str, str]
) -> list[tuple[str | None, str | None]]:
    """Members of two objects, in the order of the first; what is new stands behind what it follows in the second."""
    pairs: list[tuple[str | None, str | None]] = []
    taken: set[str] = set()
    for name in left:
        other = renamed.get(name, name)
        is_there = other in right and other not in taken
        taken.update({other} if is_there else ())
        pairs.append((name, other if is_there else None))
    before: str | None = None
    for name in right:
        if name not in taken:
            at = next((at + 1 for at, pair in enumerate(pairs) if before is not None and pair[1] == before), 0)
            pairs.insert(at, (None, name))
        before = name
    return pairs


def _elements(left: Sequence[Any], right: Sequence[Any]) -> list[tuple[int | None, int | None]]:
    """Elements of two lists, by the first member that names all of them on both sides, else by their places."""
    for member in _NAMES:
        names = [[_name(each, member) for each in side] for side in (left, right)]
        if not any(None in side or len(set(side)) != len(side) for side in names):
            places = {name: at for at, name in enumerate(names[1])}
            pairs: list[tuple[int | None, int | None]] = [
                (at, places.pop(name, None)) for at, name in enumerate(names[0])
            ]
            return pairs + [(None, at) for at in places.values()]
    return list(zip_longest(range(len(left)), range(len(right))))


def _name(element: Any, member: str) -> str | None:  # noqa: ANN401 - any JSON
    found = element.get(member) if type(element) is dict else None
    return found if type(found) is str and not found.startswith("•") else None


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Runs of lines that are alike, each with its ends only."""
    found: list[Row] = []
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end].is_same:
            end += 1
        run = rows[at:end]
        if len(run) > 2 * _AROUND + 1:
            middle = run[_AROUND:-_AROUND]
            found += [*run[:_AROUND], Row(None, None, 0, is_same=True, folded=len(middle)), *run[-_AROUND:]]
        else:
            found += run
        if end < len(rows):
            found.append(rows[end])
        at = end + 1
    return found
