"""What is odd about one partner, as data. Nothing else in the project knows a partner's habits.

A quirk is one field here, read in one place, described in `docs/quirks.md`, with one test. An
operator switches quirks per platform in its `settings`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

AuthEncoding: TypeAlias = Literal["auto", "base64", "plain"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=300)]
HostName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=253)]


class Quirks(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The settings of one platform, which hold for all its connections. Durations are seconds."""

    auth_encoding: AuthEncoding = "auto"
    """How the partner wants our token in Authorization; `auto` follows its version and what it accepted."""
    strict_ids: bool = False
    """Refuse messages of this partner without X-Request-ID or X-Correlation-ID, instead of giving them one."""
    infer_from: bool = True
    """Fill in a missing OCPI-from when the partner has one party."""
    routing_headers_211: bool = False
    """Believe the routing headers a 2.1.1 partner sends although its version has none."""
    trailing_slash: bool = False
    """End every URL called at this partner in a slash."""
    timeout_s: Seconds | None = None
    """How long this partner may take to answer a message; the hub's own limit when absent."""
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 32
    """How many messages the hub has under way at this partner at once."""
    hosts_allowed: tuple[HostName, ...] = ()
    """Hosts of this partner beside those of its versions URL and its endpoints."""
    custom_modules: tuple[HostName, ...] = ()
    """Custom module identifiers this partner may use. OCPI 2.2.1, "Custom Modules"."""
