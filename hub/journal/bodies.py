"""Bodies and headers of a captured message, as the journal keeps them: what is personal in them is masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from hub.journal.masking import MASK, clean, masked_headers
from hub.store.journal_entries import Capture
from routing.bodies import without_bom
from routing.translation import numbers
from routing.vocabulary import ModuleID

MOST_BYTES: Final = 256 * 1024
"""A longer body is only measured."""
UNREAD: Final = 500
"""Characters that are kept of a body that is no JSON."""
_DEEPEST: Final = 64
_PERSONAL: Final = frozenset(
    {
        "auth_id",
        "contract_id",
        "eft_data",
        "email",
        "group_id",
        "hub_next",
        "licence_plate",
        "license_plate",
        "phone",
        "response_url",
        "token",
        "uid",
        "visual_number",
    }
)
"""Members whose value is replaced. A Token that is an object keeps its members, those that are not personal."""
_EVSES: Final = "evses"


class Exchanged(Struct, frozen=True):
    """Everything that was said on both sides of a hop, as it was."""

    module: str
    request_headers: Sequence[tuple[bytes, bytes]]
    upstream_request_headers: Sequence[tuple[bytes, bytes]]
    upstream_answer_headers: Sequence[tuple[bytes, bytes]]
    answer_headers: Sequence[tuple[bytes, bytes]]
    request_body: bytes | None
    upstream_request_body: bytes | None
    upstream_answer_body: bytes | None
    answer_body: bytes | None

    @property
    def size(self) -> int:
        """What it takes in memory, headers apart."""
        bodies = (self.request_body, self.upstream_request_body, self.upstream_answer_body, self.answer_body)
        return sum(len(body) for body in bodies if body is not None)


def capture_of(exchanged: Exchanged) -> Capture:
    """All of it, masked. What went on as it came is written once more: it shows that nothing was changed."""
    module = exchanged.module
    return Capture(
        request_headers=masked_headers(exchanged.request_headers),
        upstream_request_headers=masked_headers(exchanged.upstream_request_headers),
        upstream_answer_headers=masked_headers(exchanged.upstream_answer_headers),
        answer_headers=masked_headers(exchanged.answer_headers),
        request_body=masked_body(exchanged.request_body, module),
        upstream_request_body=masked_body(exchanged.upstream_request_body, module),
        upstream_answer_body=masked_body(exchanged.upstream_answer_body, module),
        answer_body=masked_body(exchanged.answer_body, module),
    )


def masked_body(body: bytes | None, module: str) -> str | None:
    """A body as text: JSON in which numbers have the digits that were sent, or a note and the beginning of what it was.

    The `uid` of an EVSE is no person's; it is told by where it stands.
    """
    if not body:
        return None
    if len(body) > MOST_BYTES:
        return f"[{len(body)} bytes: too long to be kept]"
    try:
        value = numbers.read(without_bom(body))
        text = numbers.write(_masked(value, 0, is_evse=module == ModuleID.LOCATIONS)).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"[{len(body)} bytes, no JSON] {clean(body[: UNREAD * 4].decode('utf-8', 'replace'), UNREAD)}"
    return text if "\\u0000" not in text else text.replace("\\u0000", "\\ufffd")


def _masked(value: Any, depth: int, *, is_evse: bool) -> Any:  # noqa: ANN401 - any JSON
    if depth > _DEEPEST:
        return MASK
    if type(value) is list:
        return [_masked(item, depth + 1, is_evse=is_evse) for item in value]
    if type(value) is dict:
        return {name: _member(name, item, depth + 1, is_evse=is_evse) for name, item in value.items()}
    return value


def _member(name: str, value: Any, depth: int, *, is_evse: bool) -> Any:  # noqa: ANN401 - any JSON
    known = name.lower()
    if known not in _PERSONAL or value is None or (known == "uid" and is_evse):
        return _masked(value, depth, is_evse=is_evse or known == _EVSES)
    if known == "token" and type(value) is dict:
        return _masked(value, depth, is_evse=False)
    return MASK
