"""What became of each member of an object that changed its version, told by the two objects and by the losses.

Nothing is noted while an object is translated. Steps copy objects and put values where they belong, and a value that
goes on as it is stays the very same Python object: so where a value of the result came from can be seen afterwards.
Values that Python shares, such as `true` and small numbers, are found by their place among those that can be told.

Lines come in the order of the result, what is gone at the end. Paths are JSON pointers without escapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec import Struct

from routing.translation.crossing import Loss
from routing.translation.losses import CATALOGUE, Effect

Path: TypeAlias = tuple[str | int, ...]
_SHARED_INTS: Final = range(-5, 257)
"""Python has one object for each of these."""
_SHORTEST: Final = 2
"""So long is a text that is an object of its own."""
_SOURCE: Final = 1
_TARGET: Final = 2
"""Where these are in a change."""


class Action(StrEnum):
    """What happened to a member."""

    DROPPED = "Dropped"
    RENAMED = "Renamed"
    REPLACED = "Replaced"
    """Something else stands in its place."""
    FOLDED = "Folded"
    """It is in another object now."""
    ADDED = "Added"
    REFUSED = "Refused"
    """Nothing was sent."""
    MISSING = "Missing"
    """The result would have it, and nobody knows what it is."""


_ACTIONS: Final[Mapping[Effect, Action]] = {
    Effect.LOST: Action.DROPPED,
    Effect.REPLACED: Action.REPLACED,
    Effect.ASSUMED: Action.ADDED,
    Effect.REFUSED: Action.REFUSED,
}


class Line(Struct, frozen=True, omit_defaults=True):
    """One change."""

    action: Action
    rule: str
    """Id of the loss; else which member of which object it is, as in the tables of docs/translation.md."""
    loss: str | None = None
    from_path: str | None = None
    to_path: str | None = None
    note: str | None = None


class Differences(NamedTuple):
    """One object on its way."""

    lines: list[Line]
    unchanged: int
    """Members, at every depth, that arrive as they were sent."""


def differences(
    before: Any,  # noqa: ANN401 - any JSON
    after: Any,  # noqa: ANN401 - any JSON
    losses: Sequence[Loss],
    name: str,
) -> Differences:
    """What became of `before`, which must be the very object that was translated into `after`.

    `name` is what OCPI calls the object. Every loss is in a line, and no line has a loss that is not given.
    """
    comparison = _Comparison(before, after)
    named = _Named(losses, name)
    lines = [line for change in comparison.changes(named) for line in named.lines_of(change)]
    lines = [named.completed(line, lines) for line in lines]
    rest = (_was_there(line, comparison) for line in named.rest())
    return Differences([*lines, *rest], comparison.unchanged)


def _was_there(line: Line, comparison: _Comparison) -> Line:
    """What is told as dropped was there; else it is missing."""
    place = line.from_path
    if line.action is not Action.DROPPED or not place or comparison.has(place):
        return line
    return Line(Action.MISSING, line.rule, line.loss, None, place, line.note)


def told(losses: Sequence[Loss], name: str) -> list[Line]:
    """The lines of an object of which no more is known than its losses."""
    return _Named(losses, name).rest()


class _Change(NamedTuple):
    action: Action
    source: Path | None
    target: Path | None


class _Named:
    """Gives each change its rule."""

    def __init__(self, losses: Sequence[Loss], name: str) -> None:
        self._losses = list(dict.fromkeys(losses))
        self._name = name
        self._used: set[Loss] = set()

    def replaces(self, path: Path) -> bool:
        """Whether a rule put something else in the place of this."""
        return any(
            loss.pointer == _pointer(path) and loss.id in CATALOGUE and Effect.LOST not in CATALOGUE[loss.id].effects
            for loss in self._losses
        )

    def is_told(self, path: Path) -> bool:
        """Whether a loss is told of exactly this."""
        return any(loss.pointer == _pointer(path) for loss in self._losses)

    def lines_of(self, change: _Change) -> list[Line]:
        """The line of this change, or one for each loss that it is."""
        source, target = (None if path is None else _pointer(path) for path in (change.source, change.target))
        losses = self._losses_at(source, target)
        self._used.update(losses)
        if not losses:
            return [Line(change.action, self._member(source or target or ""), None, source, target)]
        return [Line(change.action, loss.id, loss.id, source, target, _note(loss.id)) for loss in losses]

    def completed(self, line: Line, lines: Sequence[Line]) -> Line:
        """A line of what was added, with the loss that is told of where it would have been, by the same name."""
        if line.action is not Action.ADDED or line.loss is not None or line.to_path is None:
            return line
        name = _last(line.to_path)
        if sum(other.action is Action.ADDED and _last(other.to_path or "") == name for other in lines) > 1:
            return line
        loss = next((loss for loss in self._losses if loss not in self._used and _last(loss.pointer) == name), None)
        if loss is None:
            return line
        self._used.add(loss)
        return Line(line.action, loss.id, loss.id, None, line.to_path, _note(loss.id))

    def rest(self) -> list[Line]:
        """What was lost at a place that has no line yet."""
        left = [loss for loss in self._losses if loss not in self._used]
        return [Line(_action_of(loss.id), loss.id, loss.id, loss.pointer, None, _note(loss.id)) for loss in left]

    def _losses_at(self, *pointers: str | None) -> list[Loss]:
        """The losses told of exactly this, else of something in it, else of what it is in."""
        places = [place for place in pointers if place is not None]
        exact = [loss for loss in self._losses if loss.pointer in places]
        if exact:
            return exact
        inside = [loss for loss in self._losses if any(loss.pointer.startswith(f"{place}/") for place in places)]
        if inside:
            return inside
        around = [loss for loss in self._losses if any(place.startswith(f"{loss.pointer}/") for place in places)]
        return [max(around, key=lambda loss: len(loss.pointer))] if around else []

    def _member(self, pointer: str) -> str:
        members = [part for part in pointer.split("/") if part and not part.isdigit()]
        return ".".join([self._name, *members])


class _Comparison:
    """Where the values of one object went in the other."""

    def __init__(self, before: Any, after: Any) -> None:  # noqa: ANN401 - any JSON
        self._before = dict(_values(before, ()))
        self._after = dict(_values(after, ()))
        self._origins: dict[Path, Path] = {(): ()}
        """By place in the result: where that was before."""
        self._taken: set[Path] = set()
        self.unchanged = 0

    def has(self, pointer: str) -> bool:
        """Whether there was anything at this place."""
        return any(_pointer(path) == pointer for path in self._before)

    def changes(self, named: _Named) -> list[_Change]:
        """Every change, the largest that can be said in one."""
        self._find_values()
        self._find_objects()
        self._find_by_place()
        self._find_twins()
        made = [change for path in self._after if (change := self._change(path)) is not None]
        gone = [
            _Change(Action.DROPPED, path, None)
            for path, value in self._before.items()
            if path and path not in self._taken and not _is_filled(value)
        ]
        return self._paired([*_tops(made, self._after, _TARGET), *_tops(gone, self._before, _SOURCE)], named)

    # ------------------------------------------------------------ where things came from

    def _take(self, path: Path, source: Path) -> None:
        self._origins[path] = source
        self._taken.add(source)

    def _find_values(self) -> None:
        """Values that are the same Python object. Of several copies the one in its old place comes first."""
        known = {id(value): path for path, value in self._before.items() if _is_its_own(value)}
        found = [(path, known[id(value)]) for path, value in self._after.items() if id(value) in known]
        for path, source in sorted(found, key=lambda pair: pair[0] != pair[1]):
            if source not in self._taken or _is_filled(self._before[source]):
                self._take(path, source)

    def _find_objects(self) -> None:
        """Objects and lists that were made anew: from where most of what they hold came, under the same name."""
        votes: dict[Path, Counter[Path]] = {}
        for path in sorted(self._after, key=len, reverse=True):
            if path and path not in self._origins and path in votes:
                self._origins[path] = votes[path].most_common(1)[0][0]
            source = self._origins.get(path)
            if source and len(source) == len(path) and _is_same_name(path[-1], source[-1]):
                votes.setdefault(path[:-1], Counter())[source[:-1]] += 1

    def _find_by_place(self) -> None:
        """What has a name that it had before, in what is the same object."""
        for path in self._after:
            parent = self._origins.get(path[:-1])
            if path and path not in self._origins and parent is not None:
                place = (*parent, path[-1])
                if place in self._before and place not in self._taken:
                    self._take(path, place)

    def _find_twins(self) -> None:
        """Shared values with another name: there is one such value left beside it, or elsewhere with a like name."""
        left = {path: value for path, value in self._before.items() if path and path not in self._taken}
        for path, value in self._after.items():
            if path in self._origins or _is_filled(value) or _is_its_own(value):
                continue
            equal = [source for source, old in left.items() if _is_equal(old, value)]
            beside = [source for source in equal if source[:-1] == self._origins.get(path[:-1])]
            alike = [source for source in equal if _are_alike(source[-1], path[-1])]
            for source in beside[:1] or (alike if len(alike) == 1 else []):
                self._take(path, source)
                del left[source]

    # ------------------------------------------------------------ what that means

    def _change(self, path: Path) -> _Change | None:
        value, source = self._after[path], self._origins.get(path)
        if not path:
            return None
        if source is None:
            return None if _is_filled(value) else _Change(Action.ADDED, None, path)
        if _is_filled(value):
            return None if not self._is_renamed(path, source) else _Change(Action.RENAMED, source, path)
        if not _is_equal(self._before[source], value):
            return _Change(Action.REPLACED, source, path)
        if self._origins.get(path[:-1]) != source[:-1]:
            return _Change(Action.FOLDED, source, path)
        if self._is_renamed(path, source):
            return _Change(Action.RENAMED, source, path)
        self.unchanged += 1
        return None

    def _is_renamed(self, path: Path, source: Path) -> bool:
        return not _is_same_name(path[-1], source[-1]) and self._origins.get(path[:-1]) == source[:-1]

    def _paired(self, changes: list[_Change], named: _Named) -> list[_Change]:
        """What is gone, and what is new where a rule put it instead, as one change."""
        found = list(changes)
        for gone in changes:
            if gone.action is not Action.DROPPED or gone.source is None or not named.replaces(gone.source):
                continue
            candidates = [each for each in found if self._stands_for(each, gone.source, named)]
            new = max(candidates, key=lambda each: len(str((each.target or ("",))[-1])), default=None)
            if new is not None and new.target is not None:
                is_plain = not _is_filled(self._after[new.target]) and not _is_filled(self._before[gone.source])
                action = Action.REPLACED if is_plain else Action.FOLDED
                found[found.index(new)] = _Change(action, gone.source, new.target)
                found.remove(gone)
        return found

    def _stands_for(self, new: _Change, gone: Path, named: _Named) -> bool:
        target = new.target
        if new.action is not Action.ADDED or target is None or named.is_told(target):
            return False
        above = {self._origins.get(target[:end]) for end in range(len(target))}
        return _are_alike(target[-1], gone[-1]) and gone[:-1] in above


def _tops(changes: Sequence[_Change], values: Mapping[Path, Any], end: int) -> list[_Change]:
    """One change instead of many, where all of an object is new, or all of it is gone. `end` says whose paths."""
    whole = {change[end] for change in changes if change.action in (Action.ADDED, Action.DROPPED)}
    for path in sorted((path for path, value in values.items() if path and _is_filled(value)), key=len, reverse=True):
        if all((*path, key) in whole for key in _keys(values[path])):
            whole.add(path)
    found = []
    for change in changes:
        top = change.target if end == _TARGET else change.source
        if top is None or top not in whole:
            found.append(change)
            continue
        while len(top) > 1 and top[:-1] in whole:
            top = top[:-1]
        found.append(_Change(change.action, None, top) if end == _TARGET else _Change(change.action, top, None))
    return list(dict.fromkeys(found))


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Everything in it, each object before its members."""
    yield path, value
    for key in _keys(value):
        yield from _values(value[key], (*path, key))


def _keys(value: Any) -> Iterable[Any]:  # noqa: ANN401 - any JSON
    if type(value) is dict:
        return value
    return range(len(value)) if type(value) is list else ()


def _is_filled(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) in (dict, list) and bool(value)


def _is_its_own(value: Any) -> bool:  # noqa: ANN401 - any JSON
    match value:
        case bool() | None:
            return False
        case str():
            return len(value) >= _SHORTEST
        case int():
            return value not in _SHARED_INTS
        case _:
            return True


def _is_equal(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether they are written alike: 4.0 is not 4.00 here."""
    return one is other or (type(one) is type(other) and repr(one) == repr(other))


def _is_same_name(one: str | int, other: str | int) -> bool:
    """Whether two members are called alike. Elements of lists have no names."""
    return one == other or (type(one) is int and type(other) is int)


def _are_alike(one: str | int, other: str | int) -> bool:
    """Whether one name is a part of the other, such as `type` of `parking_type`."""
    return type(one) is str and type(other) is str and (one in other or other in one)


def _pointer(path: Path) -> str:
    return "".join(f"/{part}" for part in path)


def _last(pointer: str) -> str:
    return pointer.rpartition("/")[2]


def _action_of(loss: str) -> Action:
    rule = CATALOGUE.get(loss)
    return Action.REPLACED if rule is None else _ACTIONS[rule.effects[0]]


def _note(loss: str) -> str | None:
    rule = CATALOGUE.get(loss)
    return None if rule is None else rule.happens
