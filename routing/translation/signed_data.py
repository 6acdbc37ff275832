"""SignedData of a CDR, whose texts have become longer over time. OCPI 2.2 and 2.2.1, "CDRs".

=========================  =======================  ===================  =========================
member                     2.2                      2.2.1, 2.3.0 first   2.2.1, 2.3.0 with errata
=========================  =======================  ===================  =========================
`public_key`, `url`        CiString: ASCII          string               string
SignedValue `plain_data`   CiString(512)            string(512)          string(5000)
SignedValue `signed_data`  CiString(512)            string(5000)         string(5000)
=========================  =======================  ===================  =========================

What does not fit is left out as a whole: a shortened or re-coded signature is worth nothing, and could be taken for
a forged one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from routing.translation.crossing import Crossing, Json

_LONGEST: Final = 512


def limit_for_2_2(body: Json, crossing: Crossing) -> None:
    """On a CDR for a party of 2.2: remove signed data that it cannot hold."""
    signed = body.get("signed_data")
    if type(signed) is not dict:
        return
    fits = all(_is_ascii(signed, name) for name in ("public_key", "url"))
    for value in _values(signed):
        fits = fits and _is_ascii(value, "plain_data") and _is_ascii(value, "signed_data")
        if crossing.destination.quirks.lengths != "errata":
            fits = fits and _is_short(value, ("plain_data", "signed_data"))
    if not fits:
        _remove(body, crossing)


def limit(body: Json, crossing: Crossing) -> None:
    """On a CDR for a party of 2.2.1 or 2.3.0: remove signed data that it cannot hold, if it has the first lengths."""
    signed = body.get("signed_data")
    if type(signed) is not dict or crossing.destination.quirks.lengths != "original":
        return
    if not all(_is_short(value, ("plain_data",)) for value in _values(signed)):
        _remove(body, crossing)


def _values(signed: Json) -> list[Json]:
    values = signed.get("signed_values")
    return [value for value in values if type(value) is dict] if type(values) is list else []


def _is_short(value: Json, names: Collection[str]) -> bool:
    return all(len(text) <= _LONGEST for name in names if type(text := value.get(name)) is str)


def _is_ascii(value: Json, name: str) -> bool:
    text = value.get(name)
    return type(text) is not str or (text.isascii() and text.isprintable())


def _remove(body: Json, crossing: Crossing) -> None:
    if crossing.destination.quirks.signed_oversize != "pass":
        del body["signed_data"]
        crossing.lose("M-86", "/signed_data")
