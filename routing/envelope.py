"""The envelope around every answer. OCPI 2.2.1, "Transport and format", Response format."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct

from routing.timestamps import write_timestamp

SUCCESS: Final = 1000
_encode = msgspec.json.Encoder().encode


class EnvelopeHead(Struct):
    """The part of a partner's envelope the hub reads; `data` and fields it has never heard of stay unread."""

    status_code: int
    status_message: str | None = None
    data: Raw = Raw(b"null")


_head_decoder = msgspec.json.Decoder(EnvelopeHead)


def envelope(status_code: int, timestamp: datetime, *, data: Any = UNSET, message: str | None = None) -> bytes:  # noqa: ANN401 - any JSON
    """An envelope of the hub's own, as JSON. `data` is left out when not given, as on errors and pushes."""
    fields: dict[str, Any] = {}
    if data is not UNSET:
        fields["data"] = data
    fields["status_code"] = status_code
    if message is not None:
        fields["status_message"] = message
    fields["timestamp"] = write_timestamp(timestamp)
    return _encode(fields)


def read_envelope(body: bytes) -> EnvelopeHead | None:
    """The head of a partner's envelope, or None when these bytes are not an OCPI envelope in UTF-8."""
    try:
        if not body.isascii():
            body.decode()
        return _head_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
