"""Cells of one kind, one for each length of time in which there was anything, in as few bytes as may be.

A series is a bytearray of records, the oldest first: a cell as `hub.figures.cells.packed` writes it, then the number of
its length of time, and how long the cell is. So what is new is found from the end, and what is old cut off in front.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Final, NamedTuple

from hub.figures.cells import Cell, add, add_packed, packed

_END: Final = Struct("<IH")


class Place(NamedTuple):
    """Where in a series a cell is."""

    slot: int
    """The number of its length of time, counted since 1970."""
    start: int
    end: int


def newest_first(series: bytearray, first: int = 0) -> Iterator[Place]:
    """The cells of a series, those that are older than the slot `first` left out."""
    end = len(series)
    while end:
        end -= _END.size
        slot, length = _END.unpack_from(series, end)
        if slot < first:
            return
        yield Place(slot, end - length, end)
        end -= length


def add_to_series(series: bytearray, slot: int, cell: Mapping[int, int]) -> None:
    """Count a cell in its length of time."""
    at = len(series)
    for place in newest_first(series, slot):
        if place.slot == slot:
            whole: Cell = {}
            add_packed(series, place.start, place.end, whole)
            add(cell, whole)
            series[place.start : place.end + _END.size] = _record(slot, whole)
            return
        at = place.start
    series[at:at] = _record(slot, cell)


def sum_since(series: bytearray, first: int, to: Cell) -> None:
    """Add the cells from a slot on to one."""
    for place in newest_first(series, first):
        add_packed(series, place.start, place.end, to)


def cell_at(series: bytearray, slot: int) -> Cell:
    """What was counted in one length of time."""
    cell: Cell = {}
    for place in newest_first(series, slot):
        if place.slot == slot:
            add_packed(series, place.start, place.end, cell)
    return cell


def forget_before(series: bytearray, first: int) -> None:
    """Cut off what is older than a slot."""
    start = len(series)
    for place in newest_first(series, first):
        start = place.start
    if start:
        del series[:start]


def _record(slot: int, cell: Mapping[int, int]) -> bytes:
    data = packed(cell)
    return data + _END.pack(slot, len(data))
