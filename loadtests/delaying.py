"""A partner that takes its time: `python -m loadtests.delaying PORT`.

How long it takes for a message stands in the path, in microseconds, as the last number there is: whoever sends it
decides, so that one and the same takes the same time whichever way it comes.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Final, cast

import httptools

from loadtests.arrivals import precise_loop
from loadtests.simulator import envelope

_ANSWER: Final = envelope().body
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_ANSWER)
_NUMBER: Final = re.compile(rb"(\d+)\D*$")


class _Protocol(asyncio.Protocol):
    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # --- called by the parser

    def on_message_begin(self) -> None:
        self._url = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_message_complete(self) -> None:
        number = _NUMBER.search(self._url)
        asyncio.get_running_loop().call_later(int(number[1]) / 1e6 if number else 0.0, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_HEAD + _ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
