"""The HTTP server that simulated partners are found at."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest

from loadtests.simulator.server import LOOPBACK, Listener
from loadtests.simulator.site import Receive, Scope, Send

pytestmark = pytest.mark.anyio


async def nothing(_: Scope, __: Receive, ___: Send) -> None:
    """Answer nothing."""


async def test_a_connection_that_was_accepted_in_the_moment_the_port_is_closed_is_cut_like_all_others() -> None:
    listener = Listener(nothing, None)
    await listener.open()
    with socket.create_connection((LOOPBACK, listener.port)) as client:
        client.settimeout(10)
        for _ in range(2):  # the loop accepts it, and has not made anything of it
            await asyncio.sleep(0)

        await listener.close()

        with suppress(ConnectionResetError):
            assert client.recv(1) == b""
