"""A fleet in a process of its own: reads its order from the first line of stdin, and ends when stdin does."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from loadtests.simulator.control import PATH, Control
from loadtests.simulator.fleet import Fleet
from loadtests.simulator.premises import Premises
from loadtests.simulator.profiles import read_profile
from loadtests.simulator.server import LOOPBACK


class Order(Struct):
    """What to play."""

    token: str
    """Of the control."""
    profile: str = "fast"
    seed: int = 1
    host: str = LOOPBACK
    port: int = 0
    origin: str = ""
    ledger: str | None = None


def main() -> None:
    """Serve; prints the URL of the control."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to us, too; whoever started us has more to ask
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    premises = Premises("fleet", is_busy=True, host=order.host, port=order.port, origin=order.origin)
    ledger = None if order.ledger is None else Path(order.ledger)
    fleet = Fleet(premises, profile=read_profile(order.profile), seed=order.seed, ledger=ledger)
    fleet.open()
    try:
        premises.let(PATH, Control(fleet, order.token))
        url = f"http://{LOOPBACK}:{premises.listener.port}/{PATH}"  # whatever the partners' own URLs begin with
        print(msgspec.json.encode({"url": url}).decode(), flush=True)  # noqa: T201 - for whoever started us
        sys.stdin.buffer.read()
    finally:
        fleet.close()


main()
