"""Who is calling, by the token in Authorization. OCPI 2.2.1, "Transport and format", Authorization header."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeVar

from hub.events import EventKind
from hub.hub import Hub
from routing.directory import Caller, Invited, Registered
from routing.errors import TooManyRequests, Unauthorized
from routing.message import RawHeaders, header
from routing.vocabulary import ConnectionStatus

_AUTHORIZATION: Final = re.compile(rb"\s*token\s+(\S+)\s*", re.IGNORECASE)
_C = TypeVar("_C", bound=Caller | None)
_LONGEST: Final = 256
"""The hub's own tokens are a fraction of that. Strangers must not fill its memory with longer ones."""


def known_caller(hub: Hub, authorization: bytes | None) -> Caller | None:
    """The caller that this Authorization proves to be, as far as the hub knows without a look at the truth."""
    return _seen(_caller(hub, _tokens_in(authorization)), hub)


async def authenticate(hub: Hub, headers: RawHeaders, source: str) -> Caller:
    """The caller that these headers prove to be, coming from the address `source`.

    A token nobody is known by may be younger than the snapshot, so the hub looks at the truth once
    before it refuses.

    Raises:
        Unauthorized: no token, or none that is valid now.
        TooManyRequests: this address has presented too many wrong ones.
    """
    tokens = _tokens_in(header(headers, b"authorization"))
    caller = _caller(hub, tokens)
    if caller is None:
        _check_may_try(hub, source)
        if tokens:
            await hub.directory.refresh()
            caller = _caller(hub, tokens)
    if caller is None:
        hub.limits.failed_authentication(source)
        _note_if_late(hub, tokens, source)
        raise Unauthorized
    return _seen(caller, hub)


def _seen(caller: _C, hub: Hub) -> _C:
    if isinstance(caller, Registered):
        hub.presence.seen(caller.connection.id)
        if caller.platform.status is ConnectionStatus.OFFLINE:
            hub.presence.check_soon(caller.connection)
    return caller


def _check_may_try(hub: Hub, source: str) -> None:
    try:
        hub.limits.may_authenticate(source)
    except TooManyRequests:
        hub.events.happened(EventKind.AUTH_FAILURES, subject=source, listener="partner")
        raise


def _caller(hub: Hub, tokens: tuple[str, ...]) -> Caller | None:
    for token in tokens:
        caller = _presenting(hub, token)
        if caller is not None and not _expired(caller):
            return caller
    return None


def _note_if_late(hub: Hub, tokens: tuple[str, ...], source: str) -> None:
    """Let those who help a partner know that its invitation has ended: it is told no more than strangers are."""
    for token in tokens:
        caller = _presenting(hub, token)
        if isinstance(caller, Invited):
            hub.steps.refused_late(caller.invitation.platform_id, source)


def _presenting(hub: Hub, token: str) -> Caller | None:
    vault, snapshot = hub.vault, hub.directory.snapshot
    caller = snapshot.caller(vault.token_hash(token))
    if caller is None and vault.other is not None:
        return snapshot.caller(vault.other.token_hash(token))
    return caller


def _expired(caller: Caller) -> bool:
    end = caller.invitation.expires_at if isinstance(caller, Invited) else caller.not_after
    return end is not None and end <= datetime.now(UTC)


def _tokens_in(value: bytes | None) -> tuple[str, ...]:
    """What the token may be; nothing when there is none that the hub can have made."""
    return () if value is None or len(value) > _LONGEST else _spellings(value)


@lru_cache(maxsize=16_384)  # a partner sends the same value with every message
def _spellings(value: bytes) -> tuple[str, ...]:
    """The token as the partner may have meant it: decoded from Base64, without a newline at its end, then plain."""
    match = _AUTHORIZATION.fullmatch(value)
    if match is None:
        return ()
    plain = match[1].decode("latin-1")
    try:
        decoded = base64.b64decode(match[1], validate=True).decode().removesuffix("\n").removesuffix("\r")
    except (binascii.Error, UnicodeDecodeError):  # not Base64, so it can only be meant as it is
        return (plain,)
    return decoded, plain


def presented_token(hub: Hub, headers: RawHeaders) -> str | None:
    """The token of these headers in the spelling the hub knows it by: GET credentials has to show it again."""
    for token in _tokens_in(header(headers, b"authorization")):
        if _presenting(hub, token) is not None:
            return token
    return None
