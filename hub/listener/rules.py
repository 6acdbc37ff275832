"""What a listener allows."""

from __future__ import annotations

from typing import NamedTuple

from hub.listener.answers import Renderer
from hub.listener.drain import Drain
from hub.listener.forwarded import Proxies


class Limits(NamedTuple):
    """What one connection may take, in time (seconds) and room (bytes)."""

    head_s: float = 10
    """For the request line and all headers, from the first byte, of a new connection from its beginning."""
    body_s: float = 30
    """For the whole body, from the end of the headers."""
    idle_s: float = 75
    """Between requests; longer than proxies usually keep a connection, so that they are the ones to end it."""
    quiet_s: float = 5
    """The same in a process that is being replaced: time to be used once more, and to be told that it ends."""
    write_s: float = 30
    """For the client to take what is waiting for it."""
    linger_s: float = 5
    """For the client to stop sending after the last answer."""
    url_bytes: int = 4 * 1024
    head_bytes: int = 16 * 1024
    """All header lines together, and once more for trailers."""
    headers: int = 128
    body_bytes: int = 16 * 1024 * 1024
    """No module takes more; the app has lower limits of its own."""
    framing_bytes: int = 1024 * 1024
    """What a request may add to its body: chunk sizes and the like."""
    pipelined: int = 8
    """Complete requests waiting for the one before them."""
    connections: int = 4096


class Rules(NamedTuple):
    """What all connections of one port have in common."""

    limits: Limits
    render: Renderer
    drain: Drain
    refuse_when_draining: bool
    proxies: Proxies = Proxies()
    """Those that are believed; on this machine, if nothing is said."""


class Timing(NamedTuple):
    """How a process ends, in seconds."""

    grace_s: float = 25
    """For the messages in flight to finish."""
    cut_s: float = 1
    """For the connections to be closed after that."""
    cleanup_s: float = 5
    """For everything else; then the process ends wherever it is."""


def patience_s(timing: Timing) -> float:
    """How long a process may take to end, whatever happens."""
    return timing.grace_s + 4 * timing.cut_s + timing.cleanup_s
