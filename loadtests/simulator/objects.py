"""What a partner holds: its own objects, those others pushed to it, and the pages it gives out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from loadtests.simulator.messages import Json, moment_of
from routing.vocabulary import Party

Path: TypeAlias = tuple[str, ...]
Key: TypeAlias = tuple[str, ...]


class Page(Struct, frozen=True):
    """One page of a list. OCPI 2.2.1, "Pagination"."""

    items: list[Json]
    total: int
    limit: int
    next_offset: int | None


def id_of(thing: Mapping[str, object]) -> str:
    """The id of an object, whatever its module calls it."""
    return str(next(thing[name] for name in ("id", "uid", "connector_id") if name in thing))


class Shelf:
    """Objects by module, in the order in which they first came."""

    def __init__(self, *, stock: Callable[[str], Iterable[Json]] | None = None, most_pushed: int | None = None) -> None:
        """`stock` gives what is there from the start, module by module, when somebody asks first.

        With `most_pushed` only so many objects of a module are kept, those that came last, and a change of one that is
        not there is taken all the same.
        """
        self.own: dict[str, dict[str, Json]] = {}
        """Module → id → object this partner is the owner of."""
        self.pushed: dict[str, dict[Key, Json]] = {}
        """Module → (country code, party id, id) in upper case → object somebody pushed here."""
        self._stock = stock
        self._most_pushed = most_pushed

    def hold(self, module: str, *things: Json) -> None:
        """Put objects of our own on the shelf, in the place of those with the same id."""
        self._owned(module).update({id_of(thing): thing for thing in things})

    def page(self, module: str, params: Mapping[str, str], *, owner: Party | None, most: int) -> Page:
        """One page of our own objects.

        Raises:
            ValueError: offset, limit or a date cannot be read.
        """
        offset, limit = int(params.get("offset", 0)), min(int(params.get("limit", most)), most)
        if offset < 0 or limit < 1:
            raise ValueError("offset and limit must be positive")
        chosen = [thing for thing in self._owned(module).values() if _owned_by(thing, owner) and _within(thing, params)]
        end = offset + limit
        return Page(chosen[offset:end], len(chosen), limit, end if end < len(chosen) else None)

    def find(self, module: str, path: Path) -> Json | None:
        """One of our own objects, or the EVSE or connector a longer path leads to."""
        return _inside(self._owned(module).get(path[0]), path[1:])

    def find_pushed(self, module: str, path: Path) -> Json | None:
        """An object somebody pushed to us, by country code, party id, id, and maybe EVSE and connector."""
        return _inside(self.pushed.get(module, {}).get(_key(path)), path[3:])

    def push(self, module: str, path: Path, thing: Json, *, partial: bool) -> bool:
        """Take an object, or the part of one, that the owner in the path pushes; False when there is no such object."""
        shelf = self.pushed.setdefault(module, {})
        whole = shelf.get(_key(path))
        if len(path) <= len(_key(path)) and not partial:
            shelf[_key(path)] = thing
            if self._most_pushed is not None and len(shelf) > self._most_pushed:
                del shelf[next(iter(shelf))]
            return True
        if whole is None:
            return self._most_pushed is not None
        shelf[_key(path)] = _changed(whole, path[3:], thing, partial=partial)
        return True

    def drop(self, module: str, path: Path) -> bool:
        """Forget an object that was pushed; False when there is none."""
        return self.pushed.get(module, {}).pop(_key(path), None) is not None

    def _owned(self, module: str) -> dict[str, Json]:
        things = self.own.get(module)
        if things is None:
            stock = () if self._stock is None else self._stock(module)
            things = self.own[module] = {id_of(thing): thing for thing in stock}
        return things


_PARTS = ("evses", "connectors")


def _key(path: Path) -> Key:
    return tuple(part.upper() for part in path[:3])


def _inside(thing: Json | None, path: Path) -> Json | None:
    """Follow EVSE uid and connector id into a location."""
    for part, wanted in zip(_PARTS, path, strict=False):
        things: Iterable[Json] = (thing or {}).get(part) or []
        thing = next((inner for inner in things if id_of(inner) == wanted), None)
    return thing


def _changed(whole: Json, path: Path, change: Json, *, partial: bool) -> Json:
    """A copy of `whole` in which what the path leads to is replaced, or changed where `partial`."""
    if not path:
        return whole | change if partial else change
    part = "connectors" if "connectors" in whole else "evses"
    things: list[Json] = whole.get(part) or []
    found = next((inner for inner in things if id_of(inner) == path[0]), {})
    inner = _changed(found, path[1:], change, partial=partial)
    return whole | {part: [thing for thing in things if id_of(thing) != path[0]] + [inner]}


def _owned_by(thing: Json, owner: Party | None) -> bool:
    if owner is None or "party_id" not in thing:
        return True
    return Party.read(thing["country_code"], thing["party_id"]) == Party.read(*owner)


def _within(thing: Json, params: Mapping[str, str]) -> bool:
    """Date filters: from is inclusive, to is exclusive. OCPI 2.2.1, "Pagination"."""
    if "last_updated" not in thing:
        return True
    updated = moment_of(thing["last_updated"])
    if "date_from" in params and updated < moment_of(params["date_from"]):
        return False
    return "date_to" not in params or updated < moment_of(params["date_to"])
