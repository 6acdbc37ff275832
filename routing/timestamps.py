"""OCPI's DateTime: read in every spelling partners use, written in one. OCPI 2.2.1, "Types", DateTime type."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SPELLING = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE | re.ASCII,
)


def read_timestamp(text: str) -> datetime:
    """The moment of this text, aware and in UTC; without a designator it is UTC already.

    Raises:
        ValueError: not a DateTime in any spelling.
    """
    match = _SPELLING.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a DateTime")
    moment, seconds, fraction, offset = match.groups()
    iso = f"{moment}{seconds or ':00'}.{(fraction or '0')[:6]:0<6}{'+00:00' if offset in (None, 'Z', 'z') else offset}"
    try:
        return datetime.fromisoformat(iso).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def write_timestamp(moment: datetime) -> str:
    """At most 25 characters, UTC, milliseconds, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_seconds(moment: datetime) -> str:
    """UTC in whole seconds, ending in Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
