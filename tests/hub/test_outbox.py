from __future__ import annotations

import asyncio
import socket
from functools import partial

import pytest

from hub.outbox import Outbox
from hub.partners.connection import Connection, Unanswered
from hub.partners.deadlines import Deadlines

pytestmark = pytest.mark.anyio


async def test_what_a_turn_of_the_loop_has_to_write_goes_out_at_its_end_and_in_order() -> None:
    outbox, written = Outbox(), list[str]()
    for word in ("one", "two", "three"):
        outbox.add(partial(written.append, word))
    assert written == []

    await asyncio.sleep(0)
    assert written == ["one", "two", "three"]


async def test_what_comes_while_it_is_written_goes_out_with_the_next_turn() -> None:
    outbox, written = Outbox(), list[str]()

    def answer() -> None:
        written.append("first")
        outbox.add(partial(written.append, "second"))

    outbox.add(answer)
    await asyncio.sleep(0)
    assert written == ["first"]

    await asyncio.sleep(0)
    assert written == ["first", "second"]


async def test_an_answer_that_is_there_before_the_request_is_none_and_the_request_is_never_sent() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(partial(Connection, Outbox(), Deadlines()), sock=ours)
        answered = connection.exchange(b"GET / HTTP/1.1\r\nHost: partner\r\n\r\n", 1024, loop.time() + 10)
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")

        with pytest.raises(Unanswered):
            await answered
        assert await loop.run_in_executor(None, _received, theirs) == b""


def _received(peer: socket.socket) -> bytes:
    peer.settimeout(10)
    try:
        return peer.recv(1024)
    except ConnectionResetError:
        return b""
