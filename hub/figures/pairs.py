"""Who talks to whom: how many messages of each module went from one party to another, and how they failed.

There may be as many pairs as there are messages, and strangers choose receivers that nobody is. So each length of time
keeps the `MOST_PAIRS` with the most messages, and of all others the sum for each module: the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from hub.figures.cells import COUNT, FAILED, Cell, add, failed, packed, unpacked
from hub.figures.flows import MINUTE_S, Flow
from hub.figures.rings import DETAILS, plain

MOST_PAIRS: Final = 1_000


class Pair(NamedTuple):
    """Two parties and a module. Without parties it stands for all pairs that are not kept apart."""

    sender: str
    receiver: str
    module: str


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[tuple[Pair, bytes]])


class Pairs:
    """The pairs of the last seven days, of the same lengths of time as the details of platforms."""

    def __init__(self, most: int = MOST_PAIRS) -> None:
        self._most = most
        self._open: tuple[dict[int, dict[Pair, Cell]], ...] = tuple({} for _ in DETAILS)
        self._packed: tuple[dict[int, bytes], ...] = tuple({} for _ in DETAILS)

    def merge(self, flows: Mapping[Flow, Cell], minute: int) -> None:
        """Add what was counted in one minute."""
        found: dict[Pair, Cell] = {}
        for flow, cell in flows.items():
            if flow.sender and flow.receiver and (flow.called_platform_id or cell.get(FAILED)):
                add(plain(cell), found.setdefault(Pair(flow.sender, flow.receiver, flow.module), {}))
        for at, level in enumerate(DETAILS):
            self._add(at, level.slot(minute * MINUTE_S), found)

    def _add(self, at: int, slot: int, found: Mapping[Pair, Cell]) -> None:
        pairs = self._open[at].get(slot)
        if pairs is None:
            pairs = self._open[at][slot] = self._unpacked(at, slot)
        for pair, cell in found.items():
            add(cell, pairs.setdefault(pair, {}))
        if len(pairs) > 2 * self._most:
            self._fold(pairs)

    def settle(self, now: float) -> None:
        """Pack what is over, and drop what is too old."""
        for at, level in enumerate(DETAILS):
            newest = level.slot(now)
            for slot in [slot for slot in self._open[at] if slot < newest]:
                pairs = self._open[at].pop(slot)
                self._fold(pairs)
                self._packed[at][slot] = _encoder.encode([(pair, packed(cell)) for pair, cell in pairs.items()])
            for slot in [slot for slot in self._packed[at] if slot < newest - level.slots]:
                del self._packed[at][slot]

    def since(self, window_s: int, now: float, module: str | None = None) -> dict[Pair, Cell]:
        """What went between whom in a window, and up to one length of time more. The rest is there for each module."""
        at = next(at for at, level in enumerate(DETAILS) if level.step_s * level.slots >= window_s)
        first = DETAILS[at].slot(now - window_s)
        total: dict[Pair, Cell] = {}
        for slot in {*self._packed[at], *self._open[at]}:
            if slot >= first:
                pairs = self._open[at].get(slot)
                for pair, cell in (self._unpacked(at, slot) if pairs is None else pairs).items():
                    if module in (None, pair.module):
                        add(cell, total.setdefault(pair, {}))
        return total

    def size(self) -> int:
        """Bytes of what is packed."""
        return sum(len(data) for level in self._packed for data in level.values())

    def _unpacked(self, at: int, slot: int) -> dict[Pair, Cell]:
        data = self._packed[at].get(slot)
        if data is None:
            return {}
        return {pair: unpacked(cell) for pair, cell in _decoder.decode(data)}

    def _fold(self, pairs: dict[Pair, Cell]) -> None:
        """Leave those with the most messages, failures counted twice, and add up the rest."""
        if len(pairs) <= self._most:
            return
        by_weight = sorted(pairs, key=lambda pair: (bool(pair.sender), -_weight(pairs[pair])))
        for pair in by_weight[self._most :]:
            add(pairs.pop(pair), pairs.setdefault(Pair("", "", pair.module), {}))


def _weight(cell: Mapping[int, int]) -> int:
    return cell.get(COUNT, 0) + failed(cell)
