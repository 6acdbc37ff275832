"""What the journal says of one hop: one request that came in or was sent on, and its answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from routing.vocabulary import Party, Version

HeaderTexts: TypeAlias = tuple[tuple[str, str], ...]


class Hop(StrEnum):
    """What an entry is about."""

    MESSAGE = "message"
    """A message of a platform, with what the hub answered; sent on to one receiver, or to none."""
    DELIVERY = "delivery"
    """One of the calls that a broadcast led to."""
    UNIT = "unit"
    """One of the calls that a list of everybody's, or an authorization that asks all eMSPs, led to."""


class Failure(StrEnum):
    """Why a message was not answered by who it was for, or not well. A closed list."""

    NOT_AUTHENTICATED = "not_authenticated"
    LIMITED = "limited"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    """The hub refused it: what it says, who sent it, or where it goes."""
    UNKNOWN_RECEIVER = "unknown_receiver"
    NO_AGREEMENT = "no_agreement"
    NOT_OFFERED = "not_offered"
    """The receiver has no such interface."""
    RECEIVER_PLANNED = "receiver_planned"
    RECEIVER_OFFLINE = "receiver_offline"
    RECEIVER_SUSPENDED = "receiver_suspended"
    CIRCUIT_OPEN = "circuit_open"
    CONNECT_FAILED = "connect_failed"
    TIMEOUT = "timeout"
    REFUSES_TOKEN = "refuses_token"  # noqa: S105  the name of a failure
    GATEWAY = "gateway"
    """A gateway in front of the receiver answered."""
    NOT_OCPI = "not_ocpi"
    """The receiver's answer is no envelope, or too long."""
    UNTRANSLATABLE = "untranslatable"
    LOOP = "loop"
    PARTNER_ERROR = "partner_error"
    """The receiver answered with a status of its own that is no success."""
    HUB_ERROR = "hub_error"
    """A bug, or a store that is away."""


class NotedLoss(Struct, frozen=True, gc=False, omit_defaults=True):
    """One rule that was applied on the way."""

    loss: str
    """`L-24`, `M-33`."""
    kind: str = ""
    """Of the object; empty beside an object."""
    path: str = ""
    """JSON pointer, where it is known."""
    in_answer: bool = False
    count: int = 1


class Receivers(Struct, frozen=True, gc=False):
    """How a broadcast ended, or a list of everybody's."""

    told: int
    ok: int
    failed: int
    skipped: int


class JournalEntry(Struct, frozen=True):
    """One hop. Times in milliseconds."""

    id: str
    """Sorts like its time."""
    time: datetime
    """When the request came, or was sent."""
    hop: Hop
    correlation_id: str
    request_id: str
    upstream_request_id: str | None
    sender: Party | None
    receiver: Party | None
    sender_platform_id: str | None
    receiver_platform_id: str | None
    route: str
    module: str
    interface: str | None
    method: str
    path: str
    """At the hub, with its query; what is secret or personal in it is masked."""
    upstream_path: str | None
    """At the receiver, with its query, masked likewise."""
    source_version: Version
    target_version: Version | None
    http_status: int
    ocpi_status: int
    upstream_http_status: int | None
    upstream_ocpi_status: int | None
    """What the receiver itself said, where there was an answer."""
    hub_ms: float
    upstream_ms: float
    losses: tuple[NotedLoss, ...]
    object_type: str | None
    object_id: str | None
    token_hash: bytes | None
    """Keyed hash of the uid of the Token it is about."""
    failure: Failure | None
    reason: str | None
    """What the sender was told."""
    receivers: Receivers | None
    callback_hash: bytes | None = None
    """Keyed hash of what tells a result whose it is: the same in the entry of the command, and in that of its result,
    which has a correlation id of its own."""


class Capture(Struct, frozen=True):
    """What both sides of a hop wrote, masked."""

    request_headers: HeaderTexts = ()
    upstream_request_headers: HeaderTexts = ()
    upstream_answer_headers: HeaderTexts = ()
    answer_headers: HeaderTexts = ()
    request_body: str | None = None
    upstream_request_body: str | None = None
    upstream_answer_body: str | None = None
    answer_body: str | None = None
