"""Messages as they are counted in each process: who sent how many to whom, how they went, and how long they took.

This runs after the answers, in lots, and costs about a microsecond a message. Everything else is made of these numbers
by whoever shows them, in another process where there is one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from time import time
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from hub.figures.cells import CODE_OF, COUNT, DELIVERED, FAILED, HUB_TIME, PARTNER_TIME, TRANSLATED, Cell, add
from hub.figures.habits import Counted
from hub.store.journal_entries import Failure, Hop
from hub.store.journal_tables import EntryKey, JournalRow
from routing.vocabulary import ModuleID

Row: TypeAlias = tuple[Any, ...]
"""Of the journal, see `hub.store.journal_tables`."""

MINUTE_S: Final = 60
MOST_FLOWS: Final = 50_000
"""Different ones that are kept apart; beyond, the two parties are not named."""
_LOT: Final = 4096
_MODULES: Final = frozenset(map(str, ModuleID)) | {"unknown"}
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

_COLUMNS: Final = list(JournalRow.model_fields)
_counted: Final = itemgetter(
    *map(
        _COLUMNS.index,
        (
            "time",
            "number",
            "hop",
            "sender_platform_id",
            "receiver_platform_id",
            "sender",
            "receiver",
            "module",
            "method",
            "upstream_request_id",
            "source_version",
            "target_version",
            "hub_us",
            "upstream_us",
            "failure",
            "receivers",
        ),
    )
)


class Flow(NamedTuple):
    """Messages that are counted together. Texts are empty where there is nothing to say."""

    sender_platform_id: str
    """Empty for those nobody is known to have sent, too."""
    called_platform_id: str
    """Where the hub called, or would have if it could."""
    sender: str
    receiver: str
    module: str
    method: str
    came_in: bool
    """A message that came to the hub, and not one of several calls that it led to."""


class Example(Struct, frozen=True, array_like=True):
    """The last message that failed in one way at one side of one platform."""

    platform_id: str
    was_called: bool
    """The hub called it; else it sent the message."""
    failure: Failure
    at: float
    message_id: str


class ProcessState(Struct, frozen=True, array_like=True):
    """How a process is, for who looks after the hub."""

    revision: int = 0
    """Of the directory it goes by."""
    age_s: float = 0.0
    """How long ago that was known to be current."""
    waiting: int = 0
    """Entries of the journal that are not written yet."""
    dropped: int = 0
    """Those that there was no room for since it began."""
    is_draining: bool = False


class Part(Struct, frozen=True, array_like=True):
    """What one process counted within a few seconds of one minute."""

    worker: str
    since: float
    """When that process began to count. Seconds since 1970, as all times here."""
    minute: int
    """The number of the minute since 1970."""
    flows: list[tuple[Flow, Cell]]
    examples: list[Example] = []
    in_flight: dict[str, int] = {}
    """Calls under way, by platform."""
    state: ProcessState = ProcessState()
    habits: Counted = []
    at: float = 0.0
    """When they were taken."""


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Part)


def encoded(part: Part) -> bytes:
    """The part in few bytes."""
    return zlib.compress(_encoder.encode(part), 1)


def decoded(data: bytes) -> Part:
    """The part of what `encoded` made.

    Raises:
        msgspec.MsgspecError, zlib.error: it is none.
    """
    return _decoder.decode(zlib.decompress(data))


class Flows:
    """Counts. `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._fresh: list[tuple[Any, ...]] = []
        self._minute = 0
        self._finished: list[tuple[int, dict[_Kind, Cell]]] = []
        self._kinds: dict[_Kind, Cell] = {}
        self._examples: dict[_Failing, tuple[Any, ...]] = {}

    def note(self, rows: Iterable[Row]) -> None:
        """Take rows of the journal."""
        fresh = self._fresh
        fresh.extend(map(_counted, rows))
        if len(fresh) >= _LOT or int(self._clock()) // MINUTE_S != self._minute:
            self._count()

    def take(self) -> list[tuple[int, dict[Flow, Cell]]]:
        """What was counted since this was asked last, by minute."""
        self._count()
        taken = [*self._finished, (self._minute, self._kinds)]
        self._finished, self._kinds = [], {}
        return [(minute, _flows_of(kinds)) for minute, kinds in taken if kinds]

    def examples(self) -> list[Example]:
        """The last message of each failure since this was asked last."""
        found, self._examples = self._examples, {}
        return [
            Example(platform_id, was_called, failure, at.timestamp(), str(EntryKey(at, number)))
            for (platform_id, was_called, failure), (at, number, *_) in found.items()
        ]

    def _count(self) -> None:
        minute = int(self._clock()) // MINUTE_S
        if minute != self._minute and self._kinds:
            self._finished.append((self._minute, self._kinds))
            self._kinds = {}
        self._minute = minute
        fresh, self._fresh = self._fresh, []
        _count(fresh, self._kinds, self._examples)


_Kind: TypeAlias = tuple[str | None, str | None, str | None, str | None, str, str, bool, bool, bool, bool, bool, bool]
"""What is known of a flow while it is counted; no member of an enumeration, as these are slow in a dictionary."""


_Failing: TypeAlias = tuple[str, bool, Failure]


def _count(
    fresh: Iterable[tuple[Any, ...]], kinds: dict[_Kind, Cell], examples: dict[_Failing, tuple[Any, ...]]
) -> None:
    message, delivery = Hop.MESSAGE, Hop.DELIVERY
    for each in fresh:
        _, _, hop, source, target, sender, receiver, module, method, call, version, other, hub, partner, fail, many = (
            each
        )
        kind = (
            source,
            target,
            sender,
            receiver,
            module,
            method,
            hop is message,
            hop is delivery,
            call is None,
            other is None or other is version,
            fail is None,
            many is None,
        )
        cell = kinds.get(kind)
        if cell is None:
            cell = _new_cell(kind, kinds)
        code = HUB_TIME + (hub * hub).bit_length()
        cell[code] = cell.get(code, 0) + 1
        if call is not None:
            code = PARTNER_TIME + (partner * partner).bit_length()
            cell[code] = cell.get(code, 0) + 1
        if fail is not None:
            code = CODE_OF[fail]
            cell[code] = cell.get(code, 0) + 1
            if source is not None and hop is message:
                examples[source, False, fail] = each
            if target is not None and many is None:
                examples[target, True, fail] = each


def _new_cell(kind: _Kind, kinds: dict[_Kind, Cell]) -> Cell:
    if len(kinds) >= MOST_FLOWS:
        kind = (*kind[:2], None, None, *kind[4:])
    return kinds.setdefault(kind, {})


def _flows_of(kinds: Mapping[_Kind, Cell]) -> dict[Flow, Cell]:
    flows: dict[Flow, Cell] = {}
    for kind, cell in kinds.items():
        source, target, sender, receiver, module, method, *facts = kind
        is_message, is_delivery, not_called, untranslated, went_well, is_single = facts
        came_in = is_message and (source is not None or not_called)
        is_call = target is not None and is_single and not (not_called and went_well)
        if not (came_in or is_call):
            continue
        number = sum(each for code, each in cell.items() if HUB_TIME <= code < PARTNER_TIME)
        cell[COUNT] = number
        if not untranslated:
            cell[TRANSLATED] = number
        if is_delivery:
            cell[DELIVERED] = number
        if not went_well:
            cell[FAILED] = number
        flow = Flow(
            source or "",
            (is_call and target) or "",
            sender or "",
            receiver or "",
            module if module in _MODULES else "custom",
            method if method in _METHODS else "other",
            came_in,
        )
        add(cell, flows.setdefault(flow, {}))
    return flows
