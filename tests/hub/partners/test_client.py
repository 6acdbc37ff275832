import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from hub.partners.client import CallLimits, PartnerClient
from hub.partners.lane import Lane
from routing.errors import NotRoutable, ReceiverTimeout, ReceiverUnreachable
from routing.message import Call
from tests.hub.partners.hostile import (
    PATIENCE_S,
    Behaviour,
    HostilePartner,
    Visit,
    answer,
    answering,
    closing,
    flooding,
    silent,
    then_closing,
)

pytestmark = pytest.mark.anyio

MEBIBYTE = 1024 * 1024
GZIPPED = gzip.compress(b"{}", mtime=0)


@pytest.fixture
async def client() -> AsyncIterator[PartnerClient]:
    client = PartnerClient()
    yield client
    await client.close()


def limits(
    *, total_s: float = PATIENCE_S, concurrency: int = 32, platform_id: str = "partner", allow_private: bool = True
) -> CallLimits:
    return CallLimits(
        total_s=total_s,
        connect_s=PATIENCE_S,
        max_answer_bytes=MEBIBYTE,
        concurrency=concurrency,
        platform_id=platform_id,
        allow_private=allow_private,
    )


def get(partner: HostilePartner, path: str = "/") -> Call:
    return Call("GET", partner.url(path), [(b"x-request-id", b"1")])


def put(partner: HostilePartner, path: str = "/") -> Call:
    return Call("PUT", partner.url(path), [(b"x-request-id", b"1")], b'{"id": 1}')


async def test_a_call_arrives_as_it_was_made_and_its_answer_comes_back(client: PartnerClient) -> None:
    async with HostilePartner(
        answering(answer(b'{"status_code": 1000}', "X-Limit: 50", status="201 Created"))
    ) as partner:
        call = Call("PUT", partner.url("/a?b=c"), [(b"authorization", b"Token abc"), (b"x-request-id", b"1")], b"{}")
        reply = await client.call(call, limits())

    [received] = partner.received
    lines = received.head.split("\r\n")
    assert lines[0] == "PUT /a?b=c HTTP/1.1"
    assert sorted(lines[1:-2]) == [
        "Content-Length: 2",
        f"Host: 127.0.0.1:{partner.port}",
        "authorization: Token abc",
        "x-request-id: 1",
    ]
    assert received.body == b"{}"
    assert (reply.http_status, reply.body, reply.header(b"x-limit")) == (201, b'{"status_code": 1000}', "50")


@pytest.mark.parametrize(
    "path",
    ["/NL/TNM/a%2Fb%20c", "/%7euser/%E2%82%ac?x=%2f&y=a+b&z", "//double//slash/", "/a;b=c/(d)!$&'*,@:", "?only=query"],
)
async def test_path_and_query_arrive_byte_for_byte(client: PartnerClient, path: str) -> None:
    async with HostilePartner(answering(answer())) as partner:
        await client.call(get(partner, path), limits())
    slash = "" if path.startswith("/") else "/"
    assert partner.received[0].line == f"GET {slash}{path} HTTP/1.1"


async def test_a_body_of_nothing_is_announced_and_a_get_has_none(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as partner:
        await client.call(Call("POST", partner.url(), []), limits())
        await client.call(Call("GET", partner.url(), []), limits())
    post, fetch = partner.received
    assert "Content-Length: 0" in post.head
    assert "content-length" not in fetch.head.lower()


@pytest.mark.parametrize(
    "call",
    [
        Call("GET", "http://127.0.0.1/a b", []),
        Call("GET", "http://127.0.0.1/a\r\nX-Injected: 1", []),
        Call("GET", "http://127.0.0.1/\u20ac", []),
        Call("GET", "http://127.0.0.1/", [(b"x-request-id", b"1\r\nX-Injected: 1")]),
        Call("GET", "http://127.0.0.1/", [(b"x-request-id", b"1\nX-Injected: 1")]),
        Call("GET", "http://127.0.0.1/", [(b"x-request-id", b"1\0")]),
        Call("GET\r\nX-Injected: 1", "http://127.0.0.1/", []),
    ],
)
async def test_no_line_can_be_smuggled_into_a_request(client: PartnerClient, call: Call) -> None:
    with pytest.raises(NotRoutable, match="characters"):
        await client.call(call, limits())


async def test_repeated_headers_of_an_answer_are_all_kept_in_lower_case_and_in_order(client: PartnerClient) -> None:
    headers = ['Link: <a>; rel="next"', "X-Empty:", "LINK: <b>", "X-Latin: \xe9"]
    async with HostilePartner(answering(answer(b"{}", *headers))) as partner:
        reply = await client.call(get(partner), limits())
    assert reply.headers == [
        (b"content-length", b"2"),
        (b"link", b'<a>; rel="next"'),
        (b"x-empty", b""),
        (b"link", b"<b>"),
        (b"x-latin", b"\xe9"),
    ]


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\nX-T: 1\r\n\r\n',
            200,
            b'{"a":1}',
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", 304, b""),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + answer(),
            200,
            b"{}",
        ),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\n<p>", 500, b"<p>"),
        (b"HTTP/1.1 401\r\nContent-Length: 0\r\n\r\n", 401, b""),
    ],
)
async def test_each_correct_form_of_an_answer_is_read_in_one_piece_or_byte_by_byte(
    client: PartnerClient, raw: bytes, status: int, body: bytes
) -> None:
    async def in_bytes(visit: Visit) -> None:
        await visit.request()
        await visit.send(raw)
        await visit.request()
        for byte in raw:
            await visit.send(bytes([byte]))
            await asyncio.sleep(0)

    async with HostilePartner(in_bytes) as partner:
        replies = [await client.call(get(partner), limits()) for _ in range(2)]
    assert [(reply.http_status, reply.body) for reply in replies] == [(status, body)] * 2
    assert all(reply.header(b"x-t") is None for reply in replies)
    assert partner.connections == 1


async def test_a_body_that_ends_with_its_connection_is_read(client: PartnerClient) -> None:
    async with HostilePartner(then_closing(b"HTTP/1.0 200 OK\r\n\r\n", b'{"a"', b":1}")) as partner:
        reply = await client.call(get(partner), limits())
        assert reply.body == b'{"a":1}'
        await client.call(get(partner), limits())
    assert partner.connections == 2


async def test_an_answer_that_comes_before_the_request_was_taken_is_read_and_its_connection_not_used_again(
    client: PartnerClient,
) -> None:
    async def hasty(visit: Visit) -> None:
        await visit.head()
        await visit.send(answer(b'{"a":1}', status="413 Too Large"))
        await visit.for_ever()

    async with HostilePartner(hasty) as partner:
        large = Call("PUT", partner.url(), [], bytes(16 * MEBIBYTE))
        replies = [await client.call(large, limits()) for _ in range(2)]
        await partner.until(lambda: partner.connections == 2)
    assert [(reply.http_status, reply.body) for reply in replies] == [(413, b'{"a":1}')] * 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"])
async def test_a_partner_that_closes_its_half_after_the_answer_is_understood_and_let_go(
    client: PartnerClient, head: bytes
) -> None:
    async def half_closing(visit: Visit) -> None:
        await visit.request()
        await visit.send(head, b"{}")
        visit.say_no_more()
        await visit.request()  # until the hub lets go, too

    async with HostilePartner(half_closing) as partner:
        for _ in range(2):
            assert (await client.call(put(partner), limits())).body == b"{}"
            await partner.until(lambda: partner.open == 0)
    assert [received.connection for received in partner.received] == [1, 2]


@pytest.mark.parametrize(
    ("said", "error"), [(b"", ReceiverUnreachable), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", NotRoutable)]
)
async def test_a_partner_that_closes_its_half_too_early_is_not_waited_for(
    client: PartnerClient, said: bytes, error: type[Exception]
) -> None:
    async def half_closing(visit: Visit) -> None:
        await visit.request()
        await visit.send(said)
        visit.say_no_more()
        await visit.for_ever()

    async with HostilePartner(half_closing) as partner:
        with pytest.raises(error):
            await client.call(put(partner), limits())
    assert len(partner.received) == 1


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("gzip", GZIPPED),
        ("GZip", GZIPPED),
        ("deflate", zlib.compress(b"{}")),
        ("deflate", zlib.compress(b"{}")[2:-4]),
        ("identity", b"{}"),
    ],
)
async def test_a_compressed_answer_is_inflated(client: PartnerClient, encoding: str, encoded: bytes) -> None:
    async with HostilePartner(answering(answer(encoded, f"Content-Encoding: {encoding}", "X-Limit: 5"))) as partner:
        reply = await client.call(get(partner), limits())
    assert reply.body == b"{}"
    assert reply.headers == [(b"x-limit", b"5")]


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("gzip", b"{}"),
        ("gzip", GZIPPED[:-3]),
        ("gzip", GZIPPED + b"more"),
        ("gzip", b""),
        ("deflate", b"\xff\xff"),
        ("br", b"{}"),
        ("gzip, gzip", gzip.compress(GZIPPED, mtime=0)),
    ],
)
async def test_a_badly_compressed_answer_is_not_routable(client: PartnerClient, encoding: str, encoded: bytes) -> None:
    async with HostilePartner(answering(answer(encoded, f"Content-Encoding: {encoding}"))) as partner:
        with pytest.raises(NotRoutable):
            await client.call(get(partner), limits())


async def test_a_redirect_is_an_answer_and_is_not_followed(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as elsewhere:
        redirect = answer(b"", f"Location: {elsewhere.url()}", status="302 Found")
        async with HostilePartner(answering(redirect)) as partner:
            reply = await client.call(get(partner), limits())
    assert reply.http_status == 302
    assert elsewhere.connections == 0


async def test_cookies_are_not_kept_and_proxy_settings_not_used(
    client: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        HostilePartner(answering(answer(b"{}", "Set-Cookie: a=b; Path=/"))) as partner,
        HostilePartner(closing) as proxy,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        await client.call(get(partner), limits())
        await client.call(get(partner), limits())
    assert proxy.connections == 0
    assert not any("cookie" in received.head.lower() for received in partner.received)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
async def test_an_answer_that_is_no_proper_http_is_not_routable(client: PartnerClient, raw: bytes) -> None:
    async with HostilePartner(then_closing(raw)) as partner:
        with pytest.raises(NotRoutable):
            await client.call(get(partner), limits())
    assert len(partner.received) == 1


CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"


@pytest.mark.parametrize(
    "behaviour",
    [
        flooding(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", b"x" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK),
        flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 1000),
        flooding(b"HTTP/1.1 200 OK\r\nX-A: ", b"x" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"x" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=", b"x" * 65536),
        flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        flooding(b"", b"HTTP/1.1 200 " + b"x" * 65536),
    ],
    ids=["length", "chunked", "until close", "headers", "header", "trailer", "extension", "continue", "status line"],
)
async def test_an_answer_without_end_is_cut_and_memory_stays_flat(client: PartnerClient, behaviour: Behaviour) -> None:
    async with HostilePartner(behaviour) as partner:
        tracemalloc.start()
        try:
            with pytest.raises(NotRoutable):
                await client.call(get(partner), limits())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await partner.until(lambda: partner.open == 0)
    assert peak < 8 * MEBIBYTE
    assert partner.sent_bytes < 32 * MEBIBYTE


async def test_an_answer_may_be_exactly_as_large_as_allowed(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer(b"x" * MEBIBYTE), answer(b"x" * (MEBIBYTE + 1)))) as partner:
        assert len((await client.call(get(partner), limits())).body) == MEBIBYTE
        with pytest.raises(NotRoutable, match="exceeds 1048576 bytes"):
            await client.call(get(partner), limits())


async def test_a_compressed_bomb_is_not_blown_up(client: PartnerClient) -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    bomb = b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(100)) + packer.flush()
    async with HostilePartner(answering(answer(bomb, "Content-Encoding: gzip"))) as partner:
        tracemalloc.start()
        try:
            with pytest.raises(NotRoutable, match="exceeds"):
                await client.call(get(partner), limits())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8 * MEBIBYTE


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-A:", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"])
async def test_no_complete_answer_in_time_is_a_timeout(client: PartnerClient, head: bytes) -> None:
    async def half(visit: Visit) -> None:
        await visit.request()
        await visit.send(head)
        await visit.for_ever()

    async with HostilePartner(half) as partner:
        with pytest.raises(ReceiverTimeout):
            await client.call(put(partner), limits(total_s=0.3))
        assert len(partner.received) == 1


async def test_an_answer_that_drips_does_not_outlive_the_limit(client: PartnerClient) -> None:
    async def dripping(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await visit.send(b"x")
            await asyncio.sleep(0.02)

    async with HostilePartner(dripping) as partner:
        with pytest.raises(ReceiverTimeout):
            await client.call(get(partner), limits(total_s=0.3))
        await partner.until(lambda: partner.open == 0)


async def test_a_request_the_partner_does_not_read_times_out(client: PartnerClient) -> None:
    async def deaf(visit: Visit) -> None:
        await visit.for_ever()

    async with HostilePartner(deaf) as partner:
        call = Call("POST", partner.url(), [], bytes(16 * MEBIBYTE))
        with pytest.raises(ReceiverTimeout):
            await client.call(call, limits(total_s=0.3))


async def test_a_partner_that_closes_every_connection_is_unreachable_and_asked_once(client: PartnerClient) -> None:
    async with HostilePartner(closing) as partner:
        for call in (get(partner), put(partner)):
            with pytest.raises(ReceiverUnreachable, match="without an answer"):
                await client.call(call, limits())
    assert partner.connections == 2


async def test_nobody_listening_is_unreachable(client: PartnerClient) -> None:
    async with HostilePartner(closing) as partner:
        pass
    with pytest.raises(ReceiverUnreachable, match="does not take connections"):
        await client.call(get(partner), limits())


async def first_answers_then_resets(visit: Visit) -> None:
    await visit.request()
    await visit.send(answer())
    await visit.request()
    if visit.number == 1:
        visit.reset()
    else:
        await visit.send(answer(b"{}", "X-Second: yes"))


async def test_a_get_is_sent_again_once_when_an_old_connection_is_reset(client: PartnerClient) -> None:
    async with HostilePartner(first_answers_then_resets) as partner:
        await client.call(get(partner, "/1"), limits())
        reply = await client.call(get(partner, "/2"), limits())
    assert reply.http_status == 200
    assert [(received.connection, received.line.split()[1]) for received in partner.received] == [
        (1, "/1"),
        (1, "/2"),
        (2, "/2"),
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_but_a_get_is_ever_sent_twice(client: PartnerClient, method: str) -> None:
    async with HostilePartner(first_answers_then_resets) as partner:
        await client.call(get(partner), limits())
        with pytest.raises(ReceiverUnreachable):
            await client.call(Call(method, partner.url(), [], b"{}"), limits())
    assert [received.line.split()[0] for received in partner.received] == ["GET", method]


async def test_a_get_is_not_sent_again_when_its_answer_had_begun(client: PartnerClient) -> None:
    async def cut(visit: Visit) -> None:
        await visit.request()
        await visit.send(answer())
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n")

    async with HostilePartner(cut) as partner:
        await client.call(get(partner), limits())
        with pytest.raises(NotRoutable, match="cut off"):
            await client.call(get(partner), limits())
    assert len(partner.received) == 2


async def test_a_connection_the_partner_has_closed_is_noticed_before_a_post_is_sent(client: PartnerClient) -> None:
    async with HostilePartner(then_closing(answer())) as partner:
        for _ in range(5):
            reply = await client.call(put(partner), limits())
            assert reply.http_status == 200
            await partner.until(lambda: partner.open == 0)
            await asyncio.sleep(0.01)  # the end of the connection travels through the network of this machine
    assert partner.connections == 5


async def test_a_connection_is_used_again(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as partner:
        for _ in range(5):
            await client.call(put(partner), limits())
    assert [received.connection for received in partner.received] == [1] * 5


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"{}", "Connection: close"),
        answer(b"{}") + b"surplus",
        answer(b"{}") + answer(b'{"of": "somebody else"}'),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["close", "surplus", "second answer", "1.0"],
)
async def test_a_connection_in_doubt_is_never_used_again(client: PartnerClient, raw: bytes) -> None:
    async with HostilePartner(answering(raw)) as partner:
        for _ in range(3):
            assert (await client.call(put(partner), limits())).body == b"{}"
    assert [received.connection for received in partner.received] == [1, 2, 3]


async def test_an_answer_nobody_asked_for_closes_the_connection(client: PartnerClient) -> None:
    pushed = asyncio.Event()

    async def pushing(visit: Visit) -> None:
        await visit.request()
        await visit.send(answer())
        await pushed.wait()
        await visit.send(answer(b'{"of": "somebody else"}'))
        await visit.request()

    async with HostilePartner(pushing) as partner:
        assert (await client.call(get(partner), limits())).body == b"{}"
        pushed.set()
        await partner.until(lambda: partner.open == 0)
        assert (await client.call(get(partner), limits())).body == b"{}"
    assert partner.connections == 2


async def test_platforms_never_share_a_connection(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as partner:
        for platform_id in ("a", "b", "a", "b"):
            await client.call(get(partner), limits(platform_id=platform_id))
    assert [received.connection for received in partner.received] == [1, 2, 1, 2]


async def test_a_call_that_is_given_up_closes_its_connection(client: PartnerClient) -> None:
    async with HostilePartner(silent) as partner:
        call = asyncio.create_task(client.call(get(partner), limits(concurrency=1)))
        await partner.until(lambda: len(partner.received) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await partner.until(lambda: partner.open == 0)
        partner.behaviour = answering(answer())
        assert (await client.call(get(partner), limits(concurrency=1))).http_status == 200


async def test_no_more_connections_stay_open_than_calls_are_allowed(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as partner:
        await asyncio.gather(*(client.call(get(partner), limits(concurrency=8)) for _ in range(8)))
        assert partner.open == 8
        await client.call(get(partner), limits(concurrency=2))
        await client.close()
        await partner.until(lambda: partner.open == 0)


async def test_idle_connections_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lane, "IDLE_S", 0.05)
    monkeypatch.setattr(PartnerClient, "SWEEP_EVERY_S", 0.02)
    client = PartnerClient()
    async with HostilePartner(answering(answer())) as partner:
        for connections in (1, 2):
            await client.call(get(partner), limits())
            assert partner.connections == connections
            await partner.until(lambda: partner.open == 0)
    await client.close()


async def test_a_connection_is_replaced_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lane, "AGE_S", -1)
    client = PartnerClient()
    async with HostilePartner(answering(answer())) as partner:
        for _ in range(3):
            await client.call(put(partner), limits())
    await client.close()
    assert partner.connections == 3
