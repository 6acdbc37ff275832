"""What can be wrong with a partner: by profile for everything, or scripted for the next requests."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Final, TypeAlias

from msgspec import Struct

from loadtests.simulator.messages import Answer, HeaderLines, Received, envelope
from routing.vocabulary import ModuleID

Edit: TypeAlias = Callable[[Answer], Answer]


class Behaviour(Struct, frozen=True):
    """How a request is answered. The default is to behave.

    What is given here happens in this order: wait, then either say nothing, break the connection, write raw bytes,
    or answer; the answer is the given one instead of the proper one, and may be edited.
    """

    delay_s: float = 0
    until: Future[None] | None = None
    """Wait for this, too."""
    silent: bool = False
    """Accept the request and never answer."""
    reset: bool = False
    """Break the connection instead of answering."""
    raw: bytes | None = None
    """Bytes written to the connection instead of an HTTP answer, which then is closed."""
    answer: Answer | None = None
    """Given instead of the proper answer; the request then has no effect on what the partner holds."""
    repeat: int = 1
    """How many times the body is sent, one after the other, in chunks."""
    drip_s: float = 0
    """Pause between the single bytes of the body or of `raw`."""
    close: bool = False
    """Close the connection behind the answer."""
    edit: Edit | None = None
    """Last change to the answer, be it the proper or the given one."""


def _with_foreign_headers(answer: Answer) -> Answer:
    wrong = (
        ("x-request-id", "not-your-request"),
        ("x-correlation-id", "not-your-correlation"),
        ("ocpi-to-country-code", "XX"),
        ("ocpi-to-party-id", "XXX"),
        ("ocpi-from-country-code", "YY"),
        ("ocpi-from-party-id", "YYY"),
    )
    replaced = {name for name, _ in wrong}
    kept = tuple(line for line in answer.headers if line[0] not in replaced)
    return Answer(answer.http_status, (*kept, *wrong), answer.body)


def _page(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, (("content-type", "text/html"), *headers), text.encode())


_JSON: HeaderLines = (("content-type", "application/json"),)

FAST = Behaviour()
TYPICAL = Behaviour(delay_s=0.08)
SLOW = Behaviour(delay_s=3)
DEAD = Behaviour(silent=True)
CLOSING = Behaviour(close=True)
RESETTING = Behaviour(reset=True)
GARBAGE = Behaviour(raw=b"\x16\x03\x01 this is not HTTP\r\n\r\n")
HTML = Behaviour(answer=_page(200, "<html><body>Welcome to our platform</body></html>"))
HUGE = Behaviour(answer=Answer(200, _JSON, b" " * 65_536), repeat=16_384)
DRIPPING = Behaviour(drip_s=0.5)
ENDLESS_HEADERS = Behaviour(raw=b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 100_000)
CUT_SHORT = Behaviour(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"status_code": 1000')
UNAUTHORIZED = Behaviour(answer=envelope(status_code=2000, status_message="who are you?", http_status=401))
REDIRECTING = Behaviour(answer=_page(302, "over there", ("location", "http://169.254.169.254/latest/meta-data")))
FOREIGN_HEADERS = Behaviour(edit=_with_foreign_headers)


@cache
def gzip_bomb() -> Behaviour:
    """A small body that unpacks to 100 MB."""
    packed = gzip.compress(bytes(100_000_000), compresslevel=1)
    return Behaviour(answer=Answer(200, (*_JSON, ("content-encoding", "gzip")), packed))


_UNASKED: Final = frozenset({ModuleID.HUB_CLIENT_INFO, "versions"})
"""A hub tells who is there, and looks whether somebody is, whenever it likes. No script is made for that."""


class _Line(Struct):
    behaviour: Behaviour
    module: str | None
    method: str | None
    left: int

    def fits(self, request: Received) -> bool:
        module = request.module not in _UNASKED if self.module is None else self.module == request.module
        return self.left > 0 and module and self.method in {None, request.method}


class Script:
    """Which behaviour the next request meets: the first line that fits and is not used up, else the profile."""

    def __init__(self) -> None:
        self.profile = FAST
        self.mood: Callable[[Received], Behaviour] | None = None
        """Asked instead of the profile, of a partner that is not always the same."""
        self._lines: list[_Line] = []

    def add(self, behaviour: Behaviour, *, module: str | None, method: str | None, times: int) -> None:
        """Plan `behaviour` for the next `times` requests to this module with this method."""
        self._lines.append(_Line(behaviour, module, method, times))

    def clear(self) -> None:
        """Behave from now on."""
        self.profile = FAST
        self.mood = None
        self._lines.clear()

    def next_for(self, request: Received) -> Behaviour:
        """The behaviour this request meets; uses up its line."""
        line = next((line for line in self._lines if line.fits(request)), None)
        if line is None:
            return self.profile if self.mood is None else self.mood(request)
        line.left -= 1
        return line.behaviour
