"""Rows of the journal on their way from one process to another."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import datetime
from types import GenericAlias
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from hub.store.journal_entries import Failure, Hop, JournalEntry, NotedLoss, Receivers
from hub.store.journal_tables import EntryKey
from routing.vocabulary import Party, Version

Row: TypeAlias = tuple[Any, ...]
"""Of the journal, see `hub.store.journal_tables`."""

TYPES: Final[dict[str, Any]] = {
    "time": datetime,
    "number": int,
    "hop": Hop,
    "correlation_id": str,
    "request_id": str,
    "upstream_request_id": str | None,
    "sender": str | None,
    "receiver": str | None,
    "sender_platform_id": str | None,
    "receiver_platform_id": str | None,
    "route": str,
    "module": str,
    "interface": str | None,
    "method": str,
    "path": str,
    "upstream_path": str | None,
    "source_version": Version,
    "target_version": Version | None,
    "http_status": int,
    "ocpi_status": int,
    "upstream_http_status": int | None,
    "upstream_ocpi_status": int | None,
    "hub_us": int,
    "upstream_us": int,
    "losses": str | None,
    "object_type": str | None,
    "object_id": str | None,
    "token_hash": bytes | None,
    "failure": Failure | None,
    "reason": str | None,
    "receivers": str | None,
    "callback_hash": bytes | None,
}
"""The columns in their order, with what a row has in them: parties as NL*ABC, losses and receivers as JSON."""
AT: Final = {name: at for at, name in enumerate(TYPES)}
FORM: Final = f"1-{zlib.crc32(','.join(TYPES).encode()):08x}"
"""Of what is told: old and new processes, side by side during an upgrade, do not misread each other's rows."""

_NOT_SO_NAMED: Final = frozenset(
    {"number", "sender", "receiver", "source_version", "target_version", "hub_us", "upstream_us", "losses", "receivers"}
)
_ALIKE: Final = tuple((name, at) for name, at in AT.items() if name not in _NOT_SO_NAMED)
_read_losses: Final = msgspec.json.Decoder(tuple[NotedLoss, ...]).decode
_read_receivers: Final = msgspec.json.Decoder(Receivers).decode


class Told(Struct, frozen=True, array_like=True):
    """What one process says that there was within a moment."""

    process: str
    rows: tuple[Row, ...]
    counts: tuple[tuple[bytes, int], ...]
    """How many rows fit each filter, whether they are among these or not."""


class _Read(Struct, frozen=True, array_like=True):
    process: str
    rows: tuple[msgspec.Raw, ...]
    counts: tuple[tuple[bytes, int], ...]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Read).decode
_decode_row: Final[Callable[[msgspec.Raw], Row]] = msgspec.msgpack.Decoder(
    GenericAlias(tuple, tuple(TYPES.values()))
).decode


def encoded(told: Told) -> bytes:
    """What `decoded` takes."""
    return _encode(told)


def decoded(data: bytes) -> Told:
    """What another process said.

    Raises:
        msgspec.MsgspecError: nothing that can be read.
    """
    read = _decode(data)
    return Told(read.process, tuple(map(_decode_row, read.rows)), read.counts)


def entry_of(row: Row) -> JournalEntry:
    """What a row says."""
    losses, receivers = row[AT["losses"]], row[AT["receivers"]]
    return JournalEntry(
        id=str(EntryKey(row[AT["time"]], row[AT["number"]])),
        sender=_party(row[AT["sender"]]),
        receiver=_party(row[AT["receiver"]]),
        source_version=row[AT["source_version"]],
        target_version=row[AT["target_version"]],
        hub_ms=row[AT["hub_us"]] / 1000,
        upstream_ms=row[AT["upstream_us"]] / 1000,
        losses=() if losses is None else _read_losses(losses),
        receivers=None if receivers is None else _read_receivers(receivers),
        **{name: row[at] for name, at in _ALIKE},
    )


def _party(name: str | None) -> Party | None:
    return None if name is None else Party(name[:2], name[3:])
