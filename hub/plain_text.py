"""Text from elsewhere as people may see it: in log lines, in problem documents, on a terminal."""

from __future__ import annotations

import re

TEXT_LIMIT = 500
"""Characters of one text that reach a log line or an operator."""

_SECRETS_IN_TEXT = re.compile(
    r"""(?ix)
    ( authorization ["']? \s* [:=] \s* ["']? (?:(?:token|bearer|basic)\s+)?
    | \b(?:token|bearer|basic) \s+ (?=[^\s"',;]{12})
    | ["'] token(?:_[abc])? ["'] \s* : \s* ["']
    | \b(?:hub_next|token|token_[abc]|access_token) =
    ) [^\s"'&,;<>]+"""
)
_PLAIN = re.compile(r"[\w.*/-]*")
# Control characters, and the ones that turn or break lines of text: they could forge a line or hide a part of one.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def readable(text: str, limit: int = TEXT_LIMIT) -> str:
    """Text of a partner as it may be shown: without secrets, without control characters, at most `limit` long."""
    if not _PLAIN.fullmatch(text):
        text = _SECRETS_IN_TEXT.sub(r"\1***", text)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if not text.isprintable():
        text = _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return text
