"""Who talks to whom, as a table of cells: how dark each is, and where it leads. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from hub.console.words import UNKNOWN
from hub.plain_text import readable

Json = Mapping[str, Any]

DARKEST: Final = 5
_STEPS: Final = (1.2, 4.0)
"""A shade is for so many times the messages of the next lighter one: at least, and at most."""
_TOLD_FROM: Final = 0.01
_BAD_FROM: Final = 0.05
_THOUSAND: Final = 1000
_MILLION: Final = 1_000_000
_PRECISE_BELOW: Final = 99_950
_LONGEST_NAME: Final = 40
_AGREEMENTS: Final = {"in_force": "in force", "ended": "ended", "none": "none"}


class Shown(Struct, frozen=True):
    """One cell of the table; without messages it has no shade."""

    is_self: bool
    n: int = 0
    text: str = ""
    shade: int = 0
    errors: str | None = None
    """The share of those that failed, where it is worth telling."""
    is_bad: bool = False
    url: str | None = None


class Row(Struct, frozen=True):
    """One sender, with a cell for each receiver."""

    name: str
    cells: tuple[Shown, ...]
    total: int


def rows_of(matrix: Json, by: str, module: str) -> list[Row]:
    """The table; its columns are those of `parties`."""
    names = matrix["parties"]
    cells = {(cell["sender"], cell["receiver"]): cell for cell in matrix["cells"]}
    most = max((cell["n"] for cell in matrix["cells"]), default=1)
    rows = []
    for sender in names:
        found = [cells.get((sender, receiver)) for receiver in names]
        shown = tuple(
            Shown(sender == receiver) if cell is None else _shown(cell, most, matrix["window"], by, module)
            for receiver, cell in zip(names, found, strict=True)
        )
        rows.append(Row(sender, shown, sum(cell["n"] for cell in found if cell is not None)))
    return rows


def _shown(cell: Json, most: int, window: str, by: str, module: str) -> Shown:
    failed = cell["errors"] / cell["n"] if cell["n"] else 0.0
    return Shown(
        is_self=cell["sender"] == cell["receiver"],
        n=cell["n"],
        text=compact(cell["n"]),
        shade=shade(cell["n"], most),
        errors=rounded_share(failed) if failed >= _TOLD_FROM else None,
        is_bad=failed >= _BAD_FROM,
        url=messages_url(cell, window, by, module),
    )


def shade(number: int, most: int) -> int:
    """From 1 to 5, the darkest for the most."""
    least, greatest = _STEPS
    step = min(max(most ** (1 / DARKEST), least), greatest)
    return max(DARKEST - int(math.log(most / number, step)), 1) if number else 1


def compact(number: int) -> str:
    """`121`, `12.0k`, `118k`, `1.2M`."""
    if number < _THOUSAND:
        return str(number)
    if number < _PRECISE_BELOW:
        return f"{number / _THOUSAND:.1f}k"
    if number < _MILLION - _THOUSAND / 2:
        return f"{number / _THOUSAND:.0f}k"
    return f"{number / _MILLION:.1f}M"


def rounded_share(share: float) -> str:
    """`3 %`; what is more than nothing and less than all is not called so."""
    percent = round(share * 100)
    return f"{min(max(percent, 1), 99) if 0 < share < 1 else percent} %"


def messages_url(cell: Json, window: str, by: str, module: str = "", **more: str) -> str | None:
    """The messages of a cell, and no others; None for countries, of which there is no list."""
    if by == "country":
        return None
    query = {by: cell["sender"], "peer": cell["receiver"], "one_way": "true", "range": window, "module": module} | more
    return f"/messages?{urlencode({name: text for name, text in query.items() if text}, quote_via=quote, safe='*')}"


def headline(matrix: Json, by: str) -> str:
    """What the page found."""
    if not matrix["parties"]:
        return "Nobody has talked to anybody"
    cells = matrix["worst"]
    at = next((at for at, cell in enumerate(cells) if _is_worth_a_headline(cell, matrix, by)), None)
    if at is None:
        return "Who talks to whom"
    worst = cells[at]
    sender, receiver = (label(worst[end], matrix, by) for end in ("sender", "receiver"))
    messages = "message" if worst["n"] == 1 else "messages"
    is_worst_here = not any(_is_somebody(cell, matrix, by) for cell in cells[:at])
    how = "fails most" if is_worst_here else "fails often"
    whom = "Among parties that are here, " if at and is_worst_here else ""
    return f"{whom}{sender} → {receiver} {how}: {worst['errors']:,} of {worst['n']:,} {messages}"


def _is_worth_a_headline(cell: Json, matrix: Json, by: str) -> bool:
    """A receiver that nobody knows is the mistake of whoever wrote it, and no finding about two who talk."""
    return _is_somebody(cell, matrix, by) and bool(cell["errors"] / cell["n"] >= _BAD_FROM)


def _is_somebody(cell: Json, matrix: Json, by: str) -> bool:
    return by == "country" or matrix["about"][cell["receiver"]]["platform"] is not None


def label(name: str, matrix: Json, by: str) -> str:
    """What a row is called: partners by their names, everybody else by their codes."""
    return readable(matrix["about"][name]["name"], _LONGEST_NAME) if by == "platform" else name


def agreement_name(agreement: str | None) -> str:
    """What two parties have agreed."""
    return UNKNOWN if agreement is None else _AGREEMENTS.get(agreement, agreement)


FILTERS: Final = {"agreement_name": agreement_name, "rounded_share": rounded_share}
