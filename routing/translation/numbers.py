"""JSON with numbers that keep their digits: those with a point become Decimals, and are written as they were read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

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


read = msgspec.json.Decoder(float_hook=_number).decode
"""The value of a JSON text. Raises msgspec.DecodeError."""
write = msgspec.json.Encoder(decimal_format="number").encode
"""A value as JSON text: the same bytes for the same value."""
