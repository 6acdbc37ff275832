"""The few verbs that steps are made of.

`renamed` makes the copy a step works on; all the others change that copy. A member that is absent stays absent,
and a value of a type that no rule expects is left for the receiver to judge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from routing.timestamps import write_seconds
from routing.translation.crossing import Crossing, Json, Step
from routing.translation.enums import Lacking, extra

_LONGEST_MOMENT: Final = 25
_FRACTION: Final = re.compile(r"\.[0-9]+")
_ZONE: Final = re.compile(r"([Zz]|[+-][0-9]{2}:?[0-9]{2})$")
_NOTHING: Final[frozenset[str]] = frozenset()
_NO_NAMES: Final[Mapping[str, str]] = {}


def renamed(body: Json, names: Mapping[str, str] = _NO_NAMES) -> Json:
    """A copy, in which these members have their new names, at their old places.

    Where both names are there, the old one has the value that counts.
    """
    members: Json = {}
    for name, value in body.items():  # a comprehension would be one call more
        members[names[name] if name in names else name] = value  # noqa: SIM401 - a call for each, of few that are there
    if len(members) == len(body):
        return members
    # A new name was there as well: of the two, only the old one stays.
    taken = [new for name, new in names.items() if name in body]
    left = {name: value for name, value in body.items() if name in names or name not in taken}
    return {names.get(name, name): value for name, value in left.items()}


def is_absent(body: Json, name: str) -> bool:
    """Whether the member is missing or null, which is the same for an optional one."""
    return body.get(name) is None


def kept(kind: str, crossing: Crossing) -> frozenset[str]:
    """The members of a kind of object that the receiver wants although its version does not have them."""
    wanted = crossing.destination.quirks.keep_fields
    return _kept(kind, wanted) if wanted else _NOTHING


@lru_cache(maxsize=4096)
def _kept(kind: str, keep_fields: tuple[str, ...]) -> frozenset[str]:
    wanted = (path.partition(".") for path in keep_fields)
    return frozenset(member for which, _, member in wanted if which in (kind, "*"))


def drop(body: Json, losses: Mapping[str, str], crossing: Crossing, kind: str | None = None) -> None:
    """Remove the members that the other version does not have, and tell the loss each of them is.

    A member that was null or an empty list is no loss. Those stay that the receiver wants of this `kind`, see `kept`.
    """
    wanted = crossing.destination.quirks.keep_fields
    stay = _NOTHING if kind is None or not wanted else _kept(kind, wanted)
    for name, loss in losses.items():
        if name in body and name not in stay:
            value = body.pop(name)
            if value is not None and value != []:
                crossing.lose(loss, f"/{name}")


def only_valid(body: Json, members: Mapping[str, Callable[[Any], bool]], crossing: Crossing) -> None:
    """Keep members of the newer version in an object of 2.1.1 only with values that the newer version takes."""
    for name, is_valid in members.items():
        value = body.get(name)
        if value is not None and not is_valid(value):
            del body[name]
            crossing.lose("L-01", f"/{name}")


def taken_over(body: Json, members: Mapping[str, Callable[[Any], bool]], crossing: Crossing) -> Json:
    """An object of a sender ahead of its version, or behind: `only_valid` applied to a copy, if there is any need."""
    if body.keys().isdisjoint(members):
        return body
    valid = body.copy()
    only_valid(valid, members, crossing)
    return valid


def replace(body: Json, name: str, values: Mapping[str, str], loss: str, crossing: Crossing) -> None:
    """Replace a value of an enum that the other version does not have by the one that stands for it."""
    value = body.get(name)
    if type(value) is str and value in values and not crossing.destination.quirks.enum_passthrough:
        body[name] = values[value]
        crossing.lose(loss, f"/{name}")


def without_values(body: Json, name: str, lacking: Lacking, loss: str, crossing: Crossing) -> None:
    """Remove from a list of enum values those that the receiver lacks. It may become empty, it is never left out."""
    values = body.get(name)
    if type(values) is not list or crossing.destination.quirks.enum_passthrough or not lacking.in_any(values):
        return
    agreed, left = extra(lacking.enum, crossing), []
    for index, value in enumerate(values):
        if lacking(value) and value not in agreed:
            crossing.lose(loss, f"/{name}/{index}")
        else:
            left.append(value)
    body[name] = left


def each(
    body: Json, name: str, step: Callable[[Json, Crossing], Json | None], crossing: Crossing, loss: str = ""
) -> None:
    """Apply a step to every object of a list, each of which is complete also in a PATCH.

    One of which the step leaves nothing, None, is left out, and that is the loss `loss`.
    """
    values = body.get(name)
    if type(values) is not list:
        return
    left: list[Any] = []
    at, patch = crossing.at, crossing.patch
    crossing.patch = False
    try:  # as `Crossing.nested` does it, for all of them at once: there are many in a page
        for index, value in enumerate(values):
            if type(value) is dict:
                crossing.at = f"{at}/{name}/{index}"
                value = step(value, crossing)  # noqa: PLW2901 - it becomes another
                if value is None:
                    crossing.lose(loss, "")
                    continue
            left.append(value)
    finally:
        crossing.at, crossing.patch = at, patch
    body[name] = left


def inside(body: Json, name: str, step: Step, crossing: Crossing) -> None:
    """Apply a step to the object that is the value of a member."""
    value = body.get(name)
    if type(value) is dict:
        body[name] = crossing.nested(step, value, f"/{name}")


def cut(body: Json, name: str, length: int, loss: str, crossing: Crossing) -> None:
    """Shorten a text for people to `length` characters. Identifiers and URLs are never cut."""
    value = body.get(name)
    if type(value) is str and len(value) > length:
        body[name] = value[:length].rstrip()
        crossing.lose(loss, f"/{name}")


def in_ascii(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """Spell texts for people in ASCII, for a receiver that wants it: `Café` as `Cafe`, anything else as `?`."""
    if not crossing.destination.quirks.ascii_only:
        return
    for name in names:
        value = body.get(name)
        if type(value) is str and not value.isascii():
            letters = (letter for letter in unicodedata.normalize("NFKD", value) if not unicodedata.combining(letter))
            body[name] = "".join(letter if letter.isascii() else "?" for letter in letters)
            crossing.lose("L-03", f"/{name}")


def display_text_in_ascii(body: Json, crossing: Crossing) -> Json:
    """The step of a DisplayText: its text in ASCII."""
    text = body.copy()
    in_ascii(text, ("text",), crossing)
    return text


def add_last_updated(body: Json, crossing: Crossing) -> None:
    """Give a PATCH of 2.1.1 the `last_updated` that later versions demand: the time it was received."""
    if crossing.patch and body and "last_updated" not in body:
        body["last_updated"] = write_seconds(crossing.now)
        crossing.lose("L-07", "/last_updated")


def moments(body: Json, names: Collection[str], crossing: Crossing) -> None:
    """Spell moments as both 2.1.1 and its readers can bear: at most 25 characters, and as the partners want them."""
    no_fraction = crossing.destination.quirks.no_fraction
    for name in names:
        value = body.get(name)
        if type(value) is not str:
            continue
        if value[-1:] not in "Zz" and _lacks_zone(value):
            crossing.without_zone += 1
            _spell(body, name, value, crossing, with_z=_wants_zone(crossing))
        elif no_fraction or len(value) > _LONGEST_MOMENT:
            _spell(body, name, value, crossing, with_z=False)


def _lacks_zone(moment: str) -> bool:
    return "T" in moment and _ZONE.search(moment) is None


def _wants_zone(crossing: Crossing) -> bool:
    """Whether one of the two partners is known for moments without: by what it sends, or what it cannot read."""
    return crossing.origin.quirks.dates_without_z or crossing.destination.quirks.dates_without_z


def _spell(body: Json, name: str, value: str, crossing: Crossing, *, with_z: bool) -> None:
    written = _spelled(value, no_fraction=crossing.destination.quirks.no_fraction, with_z=with_z)
    if written != value:
        body[name] = written
        if _FRACTION.search(value):
            crossing.lose("L-02", f"/{name}")


def _spelled(value: str, *, no_fraction: bool, with_z: bool) -> str:
    if no_fraction:
        value = _FRACTION.sub("", value, count=1)
    if with_z:
        value += "Z"
    over = len(value) - _LONGEST_MOMENT
    fraction = _FRACTION.search(value)
    if over <= 0 or fraction is None:
        return value
    left = fraction[0][:-over] if over < len(fraction[0]) - 1 else ""
    return value[: fraction.start()] + left + value[fraction.end() :]
