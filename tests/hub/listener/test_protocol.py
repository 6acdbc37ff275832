"""What a listener says to bytes that are no good request, or too many of them, or too slow: one answer, or the end."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

import pytest

from hub.listener.answers import problem_answer
from hub.listener.rules import Limits
from tests.hub.listener.conftest import IMPATIENT, PATIENT, Listen
from tests.hub.listener.raw import BIG_CHUNKS, CHUNK, PATIENCE_S, Client, Listening

pytestmark = pytest.mark.anyio

GET = b"GET /ok HTTP/1.1\r\nHost: hub\r\n\r\n"
LAST_GET = b"GET /last HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/ok") -> bytes:
    return b"\r\n".join([b"POST " + path + b" HTTP/1.1", b"Host: hub", *headers, b"", b""]) + body


CHUNKED = b"Transfer-Encoding: chunked"
SMUGGLED = LAST_GET

REFUSED = {
    "a length and chunks": post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "chunks and a length": post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
    "two lengths": post(b"Content-Length: 5", b"Content-Length: 6", body=b"12345" + SMUGGLED),
    "the same length twice": post(b"Content-Length: 5", b"Content-Length: 5", body=b"12345"),
    "a list of lengths": post(b"Content-Length: 5, 5", body=b"12345"),
    "a signed length": post(b"Content-Length: +5", body=b"12345"),
    "a negative length": post(b"Content-Length: -5", body=b"12345"),
    "a length in hexadecimal": post(b"Content-Length: 0x5", body=b"12345"),
    "an empty length": post(b"Content-Length: ", body=b"12345"),
    "an endless length": post(b"Content-Length: " + b"9" * 40, body=b"12345"),
    "a space before the colon": post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a tab before the colon": post(b"Transfer-Encoding\t: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "an unknown coding": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a coding before chunks": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunks and then identity": post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + SMUGGLED),
    "chunks twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + SMUGGLED),
    "identity": post(b"Transfer-Encoding: identity", body=b"abc"),
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size that is none": post(CHUNKED, body=b"zz\r\nabc\r\n0\r\n\r\n" + SMUGGLED),
    "a negative chunk size": post(CHUNKED, body=b"-3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size of 80 bits": post(CHUNKED, body=b"fffffffffffffffffff\r\nabc"),
    "a chunk longer than it says": post(CHUNKED, body=b"2\r\nabcdef\r\n0\r\n\r\n" + SMUGGLED),
    "chunks with bare line feeds": post(CHUNKED, body=b"3\nabc\n0\n\n" + SMUGGLED),
    "bare line feeds": b"GET / HTTP/1.1\nHost: hub\n\n",
    "a bare line feed after a header": b"GET / HTTP/1.1\r\nHost: hub\nX: y\r\n\r\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: hub\rX: y\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: hub\r\nX: a\r\n b\r\n\r\n",
    "a space before the first header": b"GET / HTTP/1.1\r\n Host: hub\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: hub\r\nX: a\0b\r\n\r\n",
    "a NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a control character in a header": b"GET / HTTP/1.1\r\nHost: hub\r\nX: a\x01b\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\nHost: hub\r\n: b\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: hub\r\nX\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\nHost: hub\r\nHost: other\r\n\r\n",
    "the same Host twice": b"GET / HTTP/1.1\r\nHost: hub\r\nhost: hub\r\n\r\n",
    "an empty Host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "a Host with a path": b"GET / HTTP/1.1\r\nHost: hub/path\r\n\r\n",
    "a Host with a user": b"GET / HTTP/1.1\r\nHost: user@hub\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: hub\r\nHost: other\r\n\r\n",
    "HTTP/0.9 with a version": b"GET / HTTP/0.9\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: hub\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: hub\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a proxy request": b"CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n" + SMUGGLED,
    "no path": b"OPTIONS * HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: hub\r\n\r\n",
    "no ASCII in the target": b"GET /\xe9 HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: hub\r\n\r\n",
    "an unknown method": b"FROBNICATE / HTTP/1.1\r\nHost: hub\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x42" * 200,
    "garbage": bytes(range(256)) * 8,
    "NULs": b"\0" * 1000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
async def test_an_ambiguous_or_broken_request_gets_one_answer_and_the_end(listener: Listening, data: bytes) -> None:
    [answer] = await listener.exchange(data)

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert answer.json()["status_code"] == 2001
    assert answer.json()["status_message"]
    assert answer.json()["timestamp"].endswith("Z")
    assert not [scope for scope in listener.app.seen if scope["path"] == "/last"], "nothing is smuggled in"


TAKEN = {
    "one request": (GET, 1),
    "a chunk extension": (post(CHUNKED, body=b"3;a=b\r\nabc\r\n0\r\n\r\n"), 1),
    "an absolute target": (b"GET http://other/ok?a=b HTTP/1.1\r\nHost: hub\r\n\r\n", 1),
    "empty lines before the request": (b"\r\n\r\n" + GET, 1),
    "an empty line after a body": (post(b"Content-Length: 3", body=b"abc\r\n") + GET, 2),
    "HTTP/1.0": (b"GET /ok HTTP/1.0\r\n\r\n", 1),
    "a Host with a port": (b"GET /ok HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", 1),
    "spaces around a value": (b"GET /ok HTTP/1.1\r\nHost: \t hub \t\r\n\r\n", 1),
    "two requests at once": (GET + GET, 2),
    "nine requests at once": (GET * 9, 9),
    "bodies one after the other": (post(b"Content-Length: 3", body=b"abc") + post(CHUNKED, body=b"0\r\n\r\n") + GET, 3),
    "an offer of HTTP/2": (b"GET /ok HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + GET, 2),
    "an offer with a body": (post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 3", body=b"abc") + GET, 2),
    "an offer of web sockets": (
        b"GET /ok HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        1,
    ),
    "more after the last request": (LAST_GET + GET, 1),
    "headers of exactly 16 KiB": (b"GET /ok HTTP/1.1\r\nHost: hub\r\nX: " + b"x" * (16384 - 11 - 5) + b"\r\n\r\n", 1),
    "a URL of exactly 4 KiB": (b"GET /" + b"a" * 4095 + b" HTTP/1.1\r\nHost: hub\r\n\r\n", 1),
}


@pytest.mark.parametrize(("data", "count"), TAKEN.values(), ids=TAKEN)
async def test_what_HTTP_allows_is_answered_in_order(listener: Listening, data: bytes, count: int) -> None:  # noqa: N802 - HTTP
    answers = await listener.exchange(data)

    assert [answer.status for answer in answers] == [200] * count


TOO_MUCH = {
    "one header too long": (b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"x" * 16384 + b"\r\n\r\n", 431),
    "a header without end": (b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"x" * 1_000_000, 431),
    "a header name without end": (b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"x" * 1_000_000, 431),
    "headers that are together too long": (
        b"GET / HTTP/1.1\r\nHost: hub\r\n" + (b"X: " + b"x" * 1000 + b"\r\n") * 17 + b"\r\n",
        431,
    ),
    "too many headers": (b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * 128 + b"\r\n", 431),
    "headers without end": (b"GET / HTTP/1.1\r\nHost: hub\r\n" + b"X: y\r\n" * 100_000, 431),
    "a URL too long": (b"GET /" + b"a" * 4096 + b" HTTP/1.1\r\nHost: hub\r\n\r\n", 414),
    "a URL without end": (b"GET /" + b"a" * 1_000_000, 414),
    "a length above every limit": (post(b"Content-Length: 16777217"), 413),
    "a length above every limit, of a client that waits": (
        post(b"Content-Length: 16777217", b"Expect: 100-continue"),
        413,
    ),
    "trailers too long": (post(CHUNKED, body=b"0\r\n" + b"X: " + b"x" * 16384 + b"\r\n\r\n"), 431),
}


@pytest.mark.parametrize(("data", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_what_is_too_large_gets_the_status_that_says_so(listener: Listening, data: bytes, status: int) -> None:
    [answer] = await listener.exchange(data)

    assert answer.status == status
    assert answer.json()["status_code"] == 2001


async def test_chunks_above_every_limit_are_cut_although_nobody_said_how_many(listener: Listening) -> None:
    chunks = b"10000\r\n" + CHUNK + b"\r\n"

    answers = await listener.exchange(post(CHUNKED, body=chunks * 300))

    assert [answer.status for answer in answers] == [413]


async def test_a_trailer_is_no_header(listener: Listening) -> None:
    [answer] = await listener.exchange(post(CHUNKED, body=b"3\r\nabc\r\n0\r\nAuthorization: Token x\r\n\r\n"))

    assert answer.json()["headers"] == ["host", "transfer-encoding"]


async def test_the_path_arrives_as_it_was_sent(listener: Listening) -> None:
    [answer] = await listener.exchange(b"GET //a%2Fb/%C3%A9?x=%2F&y HTTP/1.1\r\nHost: hub\r\n\r\n")

    assert answer.json()["raw_path"] == "//a%2Fb/%C3%A9"
    assert answer.json()["path"] == "//a/b/é"
    assert answer.json()["query"] == "x=%2F&y"


async def test_message_ids_are_echoed_by_a_refusal_if_they_are_ids(listener: Listening) -> None:
    [good] = await listener.exchange(b"GET / HTTP/1.1\r\nX-Request-ID: r-1\r\nX-Correlation-ID: c-1\r\nX: \0\r\n\r\n")
    [bad] = await listener.exchange(
        b"GET / HTTP/1.1\r\nX-Request-ID: a b\r\nX-Correlation-ID: " + b"c" * 129 + b"\r\nX: \0\r\n\r\n"
    )

    assert (good.headers["x-request-id"], good.headers["x-correlation-id"]) == ("r-1", "c-1")
    assert not {"x-request-id", "x-correlation-id"} & bad.headers.keys()


async def test_a_refusal_of_HEAD_has_no_body(listener: Listening) -> None:  # noqa: N802 - HTTP
    client = await listener.connect()
    await client.send(b"HEAD / HTTP/1.1\r\n\r\n")

    assert (await client.rest()).endswith(b"Connection: close\r\n\r\n")


async def test_an_answer_to_HEAD_does_not_wait_for_a_body(listener: Listening) -> None:  # noqa: N802 - HTTP
    client = await listener.connect()
    await client.send(b"HEAD /ok HTTP/1.1\r\nHost: hub\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        head = await client.reader.readuntil(b"\r\n\r\n")
    await client.send(LAST_GET)

    assert head.startswith(b"HTTP/1.1 200 ")
    assert [answer.status for answer in await client.answers()] == [200]


async def test_a_client_that_asks_first_is_told_to_go_on(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(post(b"Content-Length: 3", b"Expect: 100-continue", b"Connection: close"))
    async with asyncio.timeout(PATIENCE_S):
        interim = await client.reader.readuntil(b"\r\n\r\n")
    await client.send(b"abc")

    assert interim == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert [answer.json()["body"] for answer in await client.answers()] == [3]


async def test_an_operator_gets_a_problem_document(listen: Listen) -> None:
    async with listen(render=problem_answer) as listener:
        [answer] = await listener.exchange(b"GET / HTTP/1.1\r\n\r\n")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Exactly one Host header is needed",
    }


@pytest.mark.parametrize(
    ("beginning", "dripped", "statuses"),
    [
        (b"", b"", []),
        (b"", b"\r\n" * 1000, []),
        (b"", b"GET /" + b"a" * 1000, [408]),
        (b"GET / HTTP/1.1\r\nHost: hub\r\n", b"X: " + b"x" * 1000, [408]),
        (post(b"Content-Length: 1000"), b"x" * 900, [408]),
        (post(CHUNKED), b"1\r\nx\r\n" * 200, [408]),
        (post(CHUNKED), b"1;" + b"x" * 1000, [408]),
    ],
    ids=[
        "nothing",
        "empty lines",
        "slow target",
        "slow header",
        "slow body",
        "slow chunks",
        "slow chunk extension",
    ],
)
async def test_a_slow_sender_is_cut(hasty: Listening, beginning: bytes, dripped: bytes, statuses: list[int]) -> None:
    began = time.monotonic()
    client = await hasty.connect()
    await client.send(beginning)
    dripping = asyncio.ensure_future(client.drip(dripped, 0.01))
    await hasty.serves()

    answers = await client.answers()

    assert [answer.status for answer in answers] == statuses
    assert time.monotonic() - began > 0.4
    await client.close()
    await dripping


@pytest.mark.parametrize(
    ("more", "dripped", "statuses"),
    [(b"GET /late HTTP/1.1\r\n", b"X: " + b"x" * 1000, [200, 408]), (b"", b"", [200])],
    ids=["slow second request", "idle"],
)
async def test_who_becomes_slow_is_cut_after_the_answer(
    listen: Listen, more: bytes, dripped: bytes, statuses: list[int]
) -> None:
    async with listen(IMPATIENT._replace(head_s=3)) as listener:  # the first request has to be there in time
        client = await listener.connect()
        await client.send(GET + more)
        dripping = asyncio.ensure_future(client.drip(dripped, 0.01))

        assert [answer.status for answer in await client.answers()] == statuses
        await client.close()
        await dripping


async def test_an_answer_goes_out_though_it_is_late_for_the_next_request_already(listen: Listen) -> None:
    async with listen(PATIENT._replace(idle_s=0.1)) as listener:
        client = await listener.connect()
        await client.send(b"GET /busy HTTP/1.1\r\nHost: hub\r\n\r\n")

        assert [answer.body for answer in await client.answers()] == [b"busy"]


async def test_an_app_that_waits_for_a_slow_body_learns_that_it_will_not_come(hasty: Listening) -> None:
    await hasty.exchange(post(b"Content-Length: 1000", body=b"x"))

    await asyncio.wait_for(hasty.app.disconnected.wait(), 5)


async def test_a_request_that_comes_in_pieces_is_served(listener: Listening) -> None:
    client = await listener.connect()
    await client.drip(post(b"Content-Length: 3", body=b"abc") + LAST_GET, 0.001)

    assert [answer.status for answer in await client.answers()] == [200, 200]


async def test_a_slow_reader_is_cut(hasty: Listening) -> None:
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", hasty.number))
    await loop.sock_sendall(slow, b"GET /big HTTP/1.1\r\nHost: hub\r\n\r\n")
    await hasty.serves()

    async with asyncio.timeout(5):
        await hasty.drain.wait_idle()

    client = Client(*await asyncio.open_connection(sock=slow))
    assert len(await client.rest()) < BIG_CHUNKS * len(CHUNK)
    await client.close()
    await hasty.serves()


async def test_a_reader_that_keeps_up_gets_everything(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /big HTTP/1.0\r\nHost: hub\r\n\r\n")

    assert len(await client.rest()) > BIG_CHUNKS * len(CHUNK)


async def test_an_early_answer_reaches_a_client_that_is_still_sending(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(post(b"Content-Length: 8000000", b"Connection: close", path=b"/early"))
    first = await client.answer()
    for _ in range(100):
        await client.send(CHUNK)

    assert (first.status, first.body) == (401, b"early")
    assert await client.rest() == b""


async def test_the_rest_of_a_body_nobody_reads_is_thrown_away(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(post(b"Content-Length: 1000000", path=b"/early"))
    first = await client.answer()
    await client.send(b"x" * 1_000_000 + LAST_GET)

    assert first.status == 401
    assert [answer.status for answer in await client.answers()] == [200]


@pytest.mark.parametrize("rest", [b"zz\r\n", b""], ids=["broken", "missing"])
async def test_a_body_that_goes_wrong_after_the_answer_gets_no_second_one(hasty: Listening, rest: bytes) -> None:
    client = await hasty.connect()
    await client.send(post(CHUNKED, path=b"/early"))
    first = await client.answer()
    await client.send(rest)

    assert first.status == 401
    assert await client.rest() == b""


async def test_a_bad_request_behind_a_good_one_waits_for_its_turn(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\nGET / HTTP/1.1\r\nX: \0")
    await listener.app.waiting.wait()
    await listener.serves()
    listener.app.go.set()

    assert [(answer.status, answer.body[:6]) for answer in await client.answers()] == [
        (200, b"waited"),
        (400, b'{"stat'),
    ]


async def test_a_queued_request_whose_body_is_bad_never_reaches_the_app(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n" + post(CHUNKED, path=b"/bad", body=b"zz\r\n"))
    await listener.app.waiting.wait()
    listener.app.go.set()

    assert [answer.status for answer in await client.answers()] == [200, 400]
    assert [scope["path"] for scope in listener.app.seen] == ["/wait"]


async def test_only_so_many_requests_wait_on_one_connection(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n" + GET * 1000)
    await listener.app.waiting.wait()
    listener.app.go.set()

    assert [answer.status for answer in await client.answers()] == [200] * 9 + [400]


async def test_what_waits_on_a_connection_takes_no_room_without_end(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n" + post(b"Content-Length: 16000000"))
    await listener.app.waiting.wait()
    sending = asyncio.ensure_future(client.send(CHUNK * 200))
    await listener.serves()
    [connection] = [each for each in listener.port._connections() if each.pipeline]

    assert len(connection.cycle.body) < 1_000_000
    assert not sending.done()
    sending.cancel()
    await client.close()


async def test_a_client_that_only_listens_any_more_gets_its_answers(listener: Listening) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n" + GET)
    client.writer.write_eof()
    await listener.app.waiting.wait()
    await listener.serves()
    listener.app.go.set()

    assert [answer.status for answer in await client.answers()] == [200, 200]


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n", post(b"Content-Length: 3", body=b"a")])
async def test_a_client_that_leaves_in_the_middle_gets_the_end(listen: Listen, data: bytes) -> None:
    async with listen(Limits()) as listener:
        client = await listener.connect()
        await client.send(data)
        client.writer.write_eof()
        began = time.monotonic()

        assert await client.rest() == b""
        assert time.monotonic() - began < Limits().head_s / 2, "not only when its time is over"
        await listener.serves()


async def test_a_reset_in_the_middle_harms_nobody(listener: Listening) -> None:
    for data in (b"", GET, post(b"Content-Length: 3"), b"GET /big HTTP/1.1\r\nHost: hub\r\n\r\n"):
        client = await listener.connect()
        await client.send(data)
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
        await listener.serves()

    async with asyncio.timeout(5):
        await listener.drain.wait_idle()


@pytest.mark.parametrize("path", [b"/crash", b"/silent", b"/forged"])
async def test_an_app_that_fails_is_answered_for(
    listener: Listening, path: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    [answer] = await listener.exchange(b"GET " + path + b" HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n")

    assert answer.status == 200
    assert answer.json()["status_code"] == 3000
    assert "broken" not in answer.json()["status_message"]
    assert "ASGI" in caplog.text


async def test_no_more_of_a_body_is_sent_than_was_announced(
    listener: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    client = await listener.connect()
    await client.send(b"GET /longer HTTP/1.1\r\nHost: hub\r\n\r\n")

    assert (await client.rest()).endswith(b"content-length: 2\r\n\r\n")
    assert "length" in caplog.text


async def test_too_many_connections_are_told_so(listen: Listen) -> None:
    async with listen(PATIENT._replace(connections=3)) as listener:
        held = [await listener.connect() for _ in range(3)]
        await asyncio.sleep(0)
        refused = await listener.connect()
        answers = await refused.answers()
        await refused.close()
        for client in held:
            await client.send(LAST_GET)
        served = [await client.answers() for client in held]

    assert [answer.status for answer in answers] == [503]
    assert answers[0].headers["retry-after"]
    assert answers[0].json()["status_code"] == 3000
    assert [[answer.status for answer in each] for each in served] == [[200]] * 3


async def test_hundreds_of_slow_clients_do_not_slow_others(listen: Listen) -> None:
    async with listen(IMPATIENT._replace(head_s=3)) as listener:
        slow = [await listener.connect() for _ in range(300)]
        for client in slow:
            await client.send(b"GET / HTTP/1.1\r\n")
        for _ in range(20):
            await listener.serves()
        answers = await asyncio.gather(*(client.answers() for client in slow))

    assert {tuple(answer.status for answer in each) for each in answers} == {(408,)}


async def test_new_messages_are_refused_while_draining_and_those_in_flight_finish(listener: Listening) -> None:
    busy, idle = await listener.connect(), await listener.connect()
    await busy.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n")
    await listener.app.waiting.wait()
    listener.drain.begin()
    await idle.send(post(b"X-Request-ID: r-1", b"Content-Length: 3", body=b"abc"))
    [refused] = await idle.answers()
    listener.app.go.set()

    assert refused.status == 503
    assert refused.headers["retry-after"]
    assert refused.headers["connection"] == "close"
    assert refused.headers["x-request-id"] == "r-1"
    assert refused.json()["status_code"] == 3000
    assert (await busy.answer()).body == b"waited"
    async with asyncio.timeout(5):
        await listener.drain.wait_idle()


async def test_stopping_ends_idle_connections_and_lets_busy_ones_finish(listener: Listening) -> None:
    busy, idle, half = [await listener.connect() for _ in range(3)]
    await busy.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n")
    await half.send(b"GET / HTTP/1.1\r\n")
    await listener.app.waiting.wait()
    stopping = asyncio.ensure_future(listener.port.stop(2))

    assert await idle.rest() == b""
    assert [answer.status for answer in await half.answers()] == [503]
    await half.close()
    listener.app.go.set()
    [answer] = await busy.answers()
    assert (answer.body, answer.headers["connection"]) == (b"waited", "close")
    await stopping


async def test_stopping_cuts_what_does_not_end(listener: Listening, caplog: pytest.LogCaptureFixture) -> None:
    client = await listener.connect()
    await client.send(b"GET /wait HTTP/1.1\r\nHost: hub\r\n\r\n")
    await listener.app.waiting.wait()
    await listener.port.stop(0.1)

    assert await client.rest() == b""
    assert listener.drain.in_flight == 0
    assert "CancelledError" in caplog.text


async def test_the_address_a_proxy_reports_is_believed_from_this_machine(listener: Listening) -> None:
    await listener.exchange(b"GET /ok HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.7\r\n\r\n")

    [scope] = [scope for scope in listener.app.seen if scope["path"] == "/ok"]
    assert scope["client"] == ("192.0.2.7", 0)
