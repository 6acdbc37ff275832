"""Ids of contracts: when two are the same, and whose one is by how it is spelled.

ISO 15118 and the eMI3 document on eMA ids, which OCPI 2.2.1, "Tokens", recommends for `contract_id`.
"""

from __future__ import annotations

import re
from typing import Final

from routing.vocabulary import Party

_SEPARATORS: Final = str.maketrans("", "", "-* ")
_PROVIDER: Final = re.compile(r"([A-Z]{2})([A-Z0-9]{3})")
_SEPARATED: Final = re.compile(r"[A-Z]{2}[-* ][A-Z0-9]{3}[-* ]")
_SHORTEST_EMA: Final = 14


def contract_key(contract_id: str) -> str:
    """What two spellings of one id have in common: their letters and figures, in upper case."""
    return contract_id.upper().translate(_SEPARATORS)


def provider_of(contract_id: str) -> Party | None:
    """The party that this id names with its first characters, if it looks like an eMA id at all: house ids do not."""
    bare = contract_key(contract_id)
    match = _PROVIDER.match(bare)
    if match is None or (len(bare) < _SHORTEST_EMA and not _SEPARATED.match(contract_id.upper())):
        return None
    return Party(match[1], match[2])
