"""How the hub writes its token for a partner. OCPI 2.2.1, "Transport and format", Authorization header."""

from __future__ import annotations

import base64
from typing import Literal, TypeAlias

from routing.dialects import Dialect
from routing.quirks import AuthEncoding
from routing.vocabulary import Secret

Spelling: TypeAlias = Literal["base64", "plain"]


def authorization_value(token: Secret, spelling: Spelling) -> Secret:
    """The whole value of the header."""
    text = token.reveal()
    return Secret(f"Token {base64.b64encode(text.encode()).decode() if spelling == 'base64' else text}")


def spellings(dialect: Dialect, setting: AuthEncoding, learned: Spelling | None) -> tuple[Spelling, ...]:
    """How this partner wants the token, the likeliest first; a second one is for when it refuses the first.

    The operator's setting is final. Else what the partner was seen to accept comes first, then what its
    version says.
    """
    if setting != "auto":
        return (setting,)
    by_version: Spelling = "base64" if dialect.tokens_in_base64 else "plain"
    first = learned or by_version
    return (first, "plain" if first == "base64" else "base64")
