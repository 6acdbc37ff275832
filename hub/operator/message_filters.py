"""Which messages somebody asks the operator API for: the parameters that listing and following them have in common."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final

from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, SkipValidation

from hub.hub import Hub
from hub.operator.access import TheCaller
from hub.operator.platforms import TheHub
from hub.operator.problems import Unacceptable
from hub.store.journal_entries import Failure
from hub.store.journal_filters import MessageFilter
from hub.story_words import BY_RECEIVER, REFUSED
from routing.vocabulary import Party, Version

_PARTY: Final = re.compile(r"[A-Za-z]{2}\*[!-~]{1,3}")
_STATUS: Final = re.compile(r"([1-9])(?:([0-9]{3})|xxx)", re.IGNORECASE)
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_CLASS: Final = 1000


class Result(StrEnum):
    """What came of a message, roughly. Each of the failures may be named instead."""

    OK = "ok"
    FAILED = "failed"
    """For whatever reason."""
    REFUSED = "refused"
    """The hub itself answered that it cannot be."""
    UNANSWERED = "unanswered"
    """The receiver did not answer, or not well."""


_OUTCOMES: Final = ", ".join([*Result, *Failure])

Text = Annotated[str | None, QueryParameter(max_length=255)]
PartyName = Annotated[str | None, QueryParameter(pattern=r"^[A-Za-z]{2}\*[!-~]{1,3}$", description="Such as NL*ABC.")]
Peer = Annotated[
    str | None,
    QueryParameter(max_length=32, description="The other side of `party` or `platform`: NL*ABC, or a platform's id."),
]
OneWay = Annotated[bool, QueryParameter(description="Only what `party` or `platform` sent, and not what it got.")]
Outcome = Annotated[str | None, QueryParameter(max_length=30, description=f"One of {_OUTCOMES}.")]
Statuses = Annotated[
    str | None,
    QueryParameter(pattern=r"^[1-9]([0-9]{3}|[xX]{3})$", description="Such as 4003, or 4xxx for all of these."),
]
LossID = Annotated[str | None, QueryParameter(pattern=r"^(L|M|RF)-[0-9]{2}$", description="Such as L-24.")]
Least = Annotated[float | None, QueryParameter(ge=0, description="Least time altogether, in milliseconds.")]
Uid = Annotated[
    str | None, QueryParameter(max_length=255, description="Uid of a Token. It is stored nowhere, only a keyed hash.")
]
TokenHash = Annotated[
    str | None, QueryParameter(pattern=r"^[0-9a-f]{64}$", description="That hash, as `resolve` gives it in URLs.")
]

Wanted = NamedDependency[SkipValidation[MessageFilter]]
"""What the parameters say: a parameter `wanted` of a route handler that has `message_filter` for it."""


def message_filter(
    hub: TheHub,
    me: TheCaller,
    correlation_id: Text = None,
    request_id: Text = None,
    party: PartyName = None,
    platform: Text = None,
    peer: Peer = None,
    one_way: OneWay = False,
    module: Text = None,
    route: Text = None,
    outcome: Outcome = None,
    object_type: Text = None,
    object_id: Text = None,
    token_uid: Uid = None,
    token_hash: TokenHash = None,
    ocpi_status: Statuses = None,
    loss: LossID = None,
    lossy: FromQuery[bool | None] = None,
    source_version: FromQuery[Version | None] = None,
    target_version: FromQuery[Version | None] = None,
    min_ms: Least = None,
) -> MessageFilter:
    """What somebody wants to see, of what this somebody may see."""
    if peer is not None and party is None and platform is None:
        raise Unacceptable(detail="peer is the other side of party or platform; give one of these, too")
    if one_way and party is None and platform is None:
        raise Unacceptable(detail="one_way is from party or platform; give one of these, too")
    failed, failures = _outcome(outcome)
    return MessageFilter(
        scope=me.only_platform,
        correlation_id=correlation_id,
        request_id=request_id,
        party=None if party is None else _party(party),
        platform_id=platform,
        peer=_party(peer) if peer is not None and _PARTY.fullmatch(peer) else peer,
        one_way=one_way,
        module=module,
        route=route,
        failed=failed,
        failures=failures,
        object_type=object_type,
        object_id=object_id,
        token_hash=_token_hash(token_uid, token_hash, hub),
        statuses=None if ocpi_status is None else _statuses(ocpi_status),
        loss=loss,
        lossy=lossy,
        source_version=source_version,
        target_version=target_version,
        min_ms=min_ms,
    )


def _outcome(name: str | None) -> tuple[bool | None, frozenset[Failure]]:
    """Whether it failed, and how."""
    match name:
        case None:
            return None, frozenset()
        case Result.OK:
            return False, frozenset()
        case Result.FAILED:
            return True, frozenset()
        case Result.REFUSED:
            return None, REFUSED
        case Result.UNANSWERED:
            return None, BY_RECEIVER
        case _ if name in set(Failure):
            return None, frozenset({Failure(name)})
        case _:
            raise Unacceptable(detail=f"outcome is one of {_OUTCOMES}")


def _party(text: str) -> Party:
    return Party.read(text[:2], text[3:])


def _statuses(text: str) -> tuple[int, int]:
    if text.isdigit():
        return int(text), int(text)
    first = int(text[0]) * _CLASS
    return first, first + _CLASS - 1


def _token_hash(uid: str | None, hashed: str | None, hub: Hub) -> bytes | None:
    if uid is not None:
        return hub.vault.uid_hash(uid)
    return None if hashed is None else bytes.fromhex(hashed)
