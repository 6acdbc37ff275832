"""JSON with numbers that keep their digits: those with a point become Decimals, and are written as they were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Raw

Reader: TypeAlias = Callable[[bytes | str | Raw], Any]
"""Gives the value of a JSON text, or as much of it as is wanted. Raises msgspec.DecodeError."""

_WIDEST_EXPONENT: Final = 40
"""1e40 is written out in digits; what is beyond stays as it came, for no one to choke on."""


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent of 20 digits
        raise msgspec.DecodeError("JSON with a number that is none anybody could mean") from None
    if ("e" in text or "E" in text) and abs(number.adjusted()) <= _WIDEST_EXPONENT:
        return Decimal(f"{number:f}")
    return number


read: Final[Reader] = msgspec.json.Decoder(float_hook=_number).decode
"""The value of a JSON text. Raises msgspec.DecodeError."""
_members: Final[Callable[[bytes | Raw], dict[str, Any]]] = msgspec.json.Decoder(dict[str, Raw]).decode
write = msgspec.json.Encoder(decimal_format="number").encode
"""A value as JSON text: the same bytes for the same value."""


def read_only(readers: Mapping[str, Reader], text: bytes | Raw) -> Any:  # noqa: ANN401 - any JSON
    """The value of a JSON text, of which, if it is an object, only these members are read, each by its reader.

    The others are `Raw`: bytes, to be written as they came. Raises msgspec.DecodeError.
    """
    if not bytes(text).lstrip().startswith(b"{"):
        return read(text)
    return read_members(readers, _members(text))


def read_members(readers: Mapping[str, Reader], members: Mapping[str, Raw]) -> dict[str, Any]:
    """The same of an object whose members are told apart already."""
    values = dict(members)
    for name, text in members.items():
        if name in readers:
            values[name] = readers[name](text)
    return values
