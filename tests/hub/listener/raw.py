"""HTTP written and read byte by byte, and a small app to write it to."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any, NamedTuple

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

from hub.listener.drain import Drain
from hub.listener.port import Port
from hub.listener.rules import Limits

PATIENCE_S = 10.0
CHUNK = b"x" * 65536
BIG_CHUNKS = 512


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.body)


class App:
    """Reads and answers.

    Does not read at /early, waits at /wait, says a lot at /big, keeps everybody waiting after its answer at /busy,
    fails at the other ones.
    """

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = asyncio.Event()
        self.disconnected = asyncio.Event()
        self.seen: list[HTTPScope] = []

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        self.seen.append(scope)
        match scope["path"]:
            case "/early":
                await answer(send, 401, b"early")
            case "/wait":
                self.waiting.set()
                await self.go.wait()
                await answer(send, 200, b"waited")
            case "/big":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                for _ in range(BIG_CHUNKS):
                    await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            case "/busy":
                await answer(send, 200, b"busy")
                time.sleep(0.2)  # noqa: ASYNC251 - nothing else happens meanwhile, that is the point
            case "/crash":
                raise RuntimeError("broken")
            case "/silent":
                return
            case "/forged":
                headers = [(b"location", b"here\r\nx-more: yes"), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
            case "/longer":
                headers = [(b"content-length", b"2")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"long", "more_body": False})
            case _:
                await self.read_and_answer(scope, receive, send)

    async def read_and_answer(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                self.disconnected.set()
                return
            body += message["body"]
            if not message["more_body"]:
                break
        names = [name.decode() for name, _ in scope["headers"]]
        said = {"path": scope["path"], "raw_path": scope["raw_path"].decode(), "headers": names, "body": len(body)}
        await answer(send, 200, json.dumps(said | {"query": scope["query_string"].decode()}).encode())


async def answer(send: ASGISendCallable, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


class Client:
    """One connection to the listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes, every_s: float) -> None:
        """Send byte by byte until all is sent or the other side has had enough."""
        for byte in data:
            if self.reader.at_eof() or self.writer.is_closing():
                return
            try:
                await self.send(bytes([byte]))
            except ConnectionError:
                return
            await asyncio.sleep(every_s)

    async def answer(self) -> Answer:
        """The next answer, whose length is known from its headers."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, headers = _read_head(head)
            return Answer(status, headers, await self.reader.readexactly(int(headers["content-length"])))

    async def rest(self) -> bytes:
        """Everything until the listener closes."""
        parts = []
        async with asyncio.timeout(PATIENCE_S):
            try:
                while data := await self.reader.read(1 << 20):
                    parts.append(data)
            except ConnectionResetError:
                pass
        return b"".join(parts)

    async def answers(self) -> list[Answer]:
        """All answers until the listener closes, which must be complete ones with nothing in between."""
        return answers_in(await self.rest())

    async def close(self) -> None:
        self.writer.transport.abort()  # a listener that does not read lets nobody leave politely
        with suppress(ConnectionError):
            await self.writer.wait_closed()


class Listening(NamedTuple):
    """A listener that runs in the test's event loop."""

    app: App
    port: Port
    number: int
    drain: Drain
    limits: Limits
    clients: list[Client]

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.number))
        self.clients.append(client)
        return client

    async def exchange(self, data: bytes) -> list[Answer]:
        """What comes back for these bytes, while another client is served without delay."""
        client = await self.connect()
        await client.send(data)
        await self.serves()
        answers = await client.answers()
        await client.close()
        await self.serves()
        return answers

    async def serves(self) -> None:
        """A healthy client gets its answer, and soon."""
        client = await self.connect()
        began = time.monotonic()
        await client.send(b"GET /healthy HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")
        [healthy] = await client.answers()
        await client.close()
        assert healthy.status == 200
        assert time.monotonic() - began < 5


def answers_in(data: bytes) -> list[Answer]:
    """The answers that these bytes are; none of them is in pieces."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end
        status, headers = _read_head(head)
        length = int(headers["content-length"])
        assert len(data) >= length
        answers.append(Answer(status, headers, data[:length]))
        data = data[length:]
    return answers


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    protocol, status, _ = first.split(" ", 2)
    assert protocol == "HTTP/1.1"
    return int(status), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
