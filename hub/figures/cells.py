"""What is counted of messages of one kind in one length of time: a cell.

A cell is a number for each of a few codes: how many messages there were, how many failed in which way, and how many
took how long. Times are counted in steps, each 1.41 times the one before, so a few numbers say of a thousand messages
how long they took, and cells of several processes or minutes are added number by number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from hub.store.journal_entries import Failure

Cell: TypeAlias = dict[int, int]
"""How many there were of each code."""

COUNT: Final = 0
"""Messages."""
TRANSLATED: Final = 40
"""Those whose two sides have different versions."""
DELIVERED: Final = 41
"""Those that were one delivery of a broadcast."""
FAILED: Final = 42
"""Those that failed in whatever way."""
HUB_TIME: Final = 64
PARTNER_TIME: Final = 128
"""Where the codes of times begin: of the hub's own, and of what was waited for the partner."""
_STEPS: Final = 64
_LONGEST_US: Final = (1 << 31) - 1
LEAST_SAMPLES: Final = 20
"""Fewer say nothing about a percentile."""

FAILURES: Final = tuple(Failure)
CODE_OF: Final[Mapping[Failure | None, int]] = {failure: 1 + at for at, failure in enumerate(FAILURES)}
_CODES: Final = range(1, 1 + len(FAILURES))


def time_step(microseconds: int) -> int:
    """The step of a time: two for each doubling. `hub.figures.flows` has the same in place."""
    microseconds = min(max(microseconds, 0), _LONGEST_US)
    return (microseconds * microseconds).bit_length()


def add(one: Mapping[int, int], to: Cell) -> None:
    """Add the numbers of one cell to another one."""
    for code, number in one.items():
        to[code] = to.get(code, 0) + number


def take_away(one: Mapping[int, int], of: Cell) -> None:
    """The opposite."""
    for code, number in one.items():
        left = of.get(code, 0) - number
        if left > 0:
            of[code] = left
        else:
            of.pop(code, None)


# ---------------------------------------------------------------- what a cell says


def failures_in(cell: Mapping[int, int]) -> dict[Failure, int]:
    """How often each failure happened, the commonest first."""
    found = ((FAILURES[code - 1], number) for code, number in cell.items() if code in _CODES)
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def failed(cell: Mapping[int, int]) -> int:
    """How many failed in whatever way."""
    return cell.get(FAILED, 0)


class Times(dict[int, int]):
    """How many took how long, by step."""


def times_in(cell: Mapping[int, int], first: int) -> Times:
    """The times of one sort, `HUB_TIME` or `PARTNER_TIME`."""
    return Times({code - first: number for code, number in cell.items() if first <= code < first + _STEPS})


def percentile_ms(times: Times, share: float) -> float | None:
    """The time that this share of messages did not exceed, to a fifth or so; None where there are too few."""
    total = sum(times.values())
    if total < LEAST_SAMPLES:
        return None
    rank, passed = share * total, 0
    for step in sorted(times):
        number = times[step]
        if passed + number >= rank:
            shortest, longest = _bounds_us(step)
            return round((shortest + (longest - shortest) * (rank - passed) / number) / 1000, 3)
        passed += number
    return None


def _bounds_us(step: int) -> tuple[float, float]:
    return (2.0 ** ((step - 1) / 2), 2.0 ** (step / 2)) if step else (0.0, 1.0)


# ---------------------------------------------------------------- in few bytes


def packed(cell: Mapping[int, int]) -> bytes:
    """Each code and its number in two bytes, or in three or four where there were very many."""
    out = bytearray()
    for code, number in cell.items():
        out.append(code)
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7  # noqa: PLW2901 - it is taken apart
        out.append(number)
    return bytes(out)


def add_packed(data: bytes | bytearray, start: int, end: int, to: Cell) -> None:
    """Add the numbers of what `packed` made, a part of some bytes, to a cell."""
    at = start
    while at < end:
        code, number = data[at], data[at + 1]
        at += 2
        if number > 0x7F:
            number, shift = number & 0x7F, 7
            while data[at] > 0x7F:
                number |= (data[at] & 0x7F) << shift
                at, shift = at + 1, shift + 7
            number |= data[at] << shift
            at += 1
        to[code] = to.get(code, 0) + number


def unpacked(data: bytes) -> Cell:
    """The cell of what `packed` made."""
    cell: Cell = {}
    add_packed(data, 0, len(data), cell)
    return cell
