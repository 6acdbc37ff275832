"""What pages say about agreements: who with whom about what, as a matrix, a list and sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from hub.console.partner_words import status_name
from hub.console.words import UNKNOWN

Json = Mapping[str, Any]

MOST_PARTIES: Final = 24
"""On one side of the matrix; beyond that there is only the list."""
_TRIED: Final = 10


class Cell(NamedTuple):
    """What a CPO and an eMSP may do."""

    text: str
    hint: str
    """What the text leaves out."""
    url: str | None
    is_busy: bool
    """Whether messages went between the two within a week."""


class Matrix(NamedTuple):
    """CPOs by eMSPs."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


class Tried(NamedTuple):
    """Two who tried to talk to each other, and may not."""

    sender: str
    receiver: str
    times: int
    url: str


def headline(number: int, *, is_required: bool, is_more: bool) -> str:
    """What there is to know first. `is_more`: there are more than were counted."""
    many = f"more than {number:,}" if is_more else f"{number:,}"
    if is_required:
        return f"{many} {_pairs(number)} may talk to each other" if number else "Nobody may talk to anybody yet"
    everybody = "Everybody may talk to everybody"
    return f"{everybody}, but for what {many} {_pairs(number)} agreed" if number else everybody


def matrix_of(
    parties: Iterable[Json],
    agreements: Iterable[Json],
    traffic: Iterable[Json],
    *,
    modules: int,
    is_required: bool,
    may_agree: bool,
) -> Matrix | None:
    """The matrix; None where a side of it is empty or too long. `modules` is how many modules there are."""
    sides: dict[str, list[str]] = {"CPO": [], "EMSP": []}
    for each in parties:
        if each["role"] in sides and each["id"] not in sides[each["role"]]:
            sides[each["role"]].append(each["id"])
    cpos, emsps = (sorted(side) for side in sides.values())
    if not cpos or not emsps or max(len(cpos), len(emsps)) > MOST_PARTIES:
        return None
    held = {frozenset((each["a"], each["b"])): each for each in agreements}
    busy = {frozenset((each["sender"], each["receiver"])) for each in traffic if each["n"]}

    def cell(cpo: str, emsp: str) -> Cell:
        pair = frozenset((cpo, emsp))
        agreement = held.get(pair)
        if agreement is not None:
            return Cell(*_terms(agreement, cpo, modules), f"/agreements/{agreement['id']}", pair in busy)
        url = new_url(cpo, emsp) if may_agree and cpo != emsp else None
        return Cell(UNKNOWN if is_required else "open", "", url, pair in busy)

    return Matrix(tuple(emsps), tuple((cpo, tuple(cell(cpo, emsp) for emsp in emsps)) for cpo in cpos))


def tried(traffic: Iterable[Json]) -> list[Tried]:
    """Who tried to talk to whom without an agreement, the most eager first."""
    refused = [each for each in traffic if each["mostly"] == "no_agreement"]
    worst = sorted(refused, key=lambda each: -int(each["errors"]))[:_TRIED]
    return [
        Tried(each["sender"], each["receiver"], each["errors"], new_url(each["sender"], each["receiver"]))
        for each in worst
    ]


def messages_between(a: str, b: str, traffic: Json) -> int | None:
    """How many messages the two exchanged; None where that is not known, as it is of pairs that are not the busiest."""
    if traffic["rest"]["n"] and not {a, b} <= set(traffic["parties"]):
        return None
    return sum(int(each["n"]) for each in traffic["cells"] if {each["sender"], each["receiver"]} == {a, b})


def new_url(a: str, b: str) -> str:
    """Where two agree."""
    return f"/agreements/new?{urlencode({'a': a, 'b': b}, safe='*')}"


def modules_text(modules: Sequence[str] | None) -> str:
    """About what."""
    return "everything" if modules is None else ", ".join(modules)


def direction_text(agreement: Json) -> str:
    """Who may send."""
    return "both" if agreement["direction"] == "both" else f"only {agreement['a']}"


def seen_text(status: str | None) -> str:
    """How one is seen."""
    return "not at all" if status is None else status_name(status)


def _terms(agreement: Json, cpo: str, modules: int) -> tuple[str, str]:
    about = "all" if agreement["modules"] is None else f"{len(agreement['modules'])} of {modules}"
    if agreement["direction"] == "both":
        return about, ""
    return (f"{about} →", "CPO sends") if agreement["a"] == cpo else (f"{about} ←", "eMSP sends")


def _pairs(number: int) -> str:
    return "pair" if number == 1 else "pairs"


FILTERS: Final = {"modules_text": modules_text, "direction_text": direction_text, "seen_text": seen_text}
"""Of the templates."""
