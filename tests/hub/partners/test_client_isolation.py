"""Partners that misbehave cost only those who call them."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from hub.partners.client import CallLimits, PartnerClient
from routing.errors import HubError, ReceiverUnreachable
from routing.message import Call
from tests.hub.partners.hostile import (
    PATIENCE_S,
    HostilePartner,
    Visit,
    answer,
    answering,
    closing,
    silent,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client() -> AsyncIterator[PartnerClient]:
    client = PartnerClient()
    yield client
    await client.close()


def limits(
    platform_id: str = "partner",
    *,
    total_s: float = PATIENCE_S,
    connect_s: float = PATIENCE_S,
    concurrency: int = 4,
    allow_private: bool = True,
) -> CallLimits:
    return CallLimits(total_s, connect_s, 1000, concurrency, platform_id, allow_private)


def put(partner: HostilePartner) -> Call:
    return Call("PUT", partner.url(), [], b"{}")


async def test_a_dead_partner_and_a_closing_one_harm_nobody_else(client: PartnerClient) -> None:
    async with (
        HostilePartner(silent) as dead,
        HostilePartner(closing) as gone,
        HostilePartner(answering(answer())) as steady,
        HostilePartner(answering(answer(b"{}", "Connection: close"))) as brief,
    ):
        to_the_dead: list[asyncio.Task[object]] = []
        healthy: list[object] = []
        for _ in range(150):
            to_the_dead.append(asyncio.create_task(client.call(put(dead), limits("dead", concurrency=32))))
            with pytest.raises(ReceiverUnreachable):
                await client.call(put(gone), limits("gone", concurrency=32))
            healthy.extend(
                reply.http_status
                for reply in await asyncio.gather(
                    client.call(put(steady), limits("steady", concurrency=32)),
                    client.call(put(brief), limits("brief", concurrency=32)),
                )
            )
        assert healthy == [200] * 300
        assert not any(call.done() for call in to_the_dead)
        assert len(dead.received) == 32
        assert len(gone.received) == 0
        for call in to_the_dead:
            call.cancel()
        outcomes = await asyncio.gather(*to_the_dead, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)


async def test_a_partner_gets_only_so_many_calls_at_once_and_all_in_the_end(client: PartnerClient) -> None:
    under_way = most = 0

    async def slow(visit: Visit) -> None:
        nonlocal under_way, most
        while True:
            await visit.request()
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            await visit.send(answer())

    async with HostilePartner(slow) as partner:
        replies = await asyncio.gather(*(client.call(put(partner), limits(concurrency=4)) for _ in range(36)))
    assert [reply.http_status for reply in replies] == [200] * 36
    assert most == 4
    assert partner.connections == 4


async def test_calls_wait_for_their_turn_in_the_order_they_came(client: PartnerClient) -> None:
    async with HostilePartner(answering(answer())) as partner:
        await asyncio.gather(
            *(client.call(Call("GET", partner.url(f"/{n}"), []), limits(concurrency=1)) for n in range(8))
        )
    assert [received.line.split()[1] for received in partner.received] == [f"/{n}" for n in range(8)]


async def test_beyond_the_queue_calls_fail_at_once(client: PartnerClient) -> None:
    async with HostilePartner(silent) as dead:
        calls = [asyncio.create_task(client.call(put(dead), limits(concurrency=2))) for _ in range(2 + 2 * 8)]
        await dead.until(lambda: len(dead.received) == 2)
        with pytest.raises(ReceiverUnreachable, match="Too many"):
            await client.call(put(dead), limits(concurrency=2))
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    async with HostilePartner(answering(answer())) as alive:
        replies = await asyncio.gather(*(client.call(put(alive), limits(concurrency=2)) for _ in range(18)))
    assert len(replies) == 18


async def test_waiting_counts_and_a_call_that_was_never_sent_is_unreachable_not_timed_out(
    client: PartnerClient,
) -> None:
    async with HostilePartner(silent) as dead:
        first = asyncio.create_task(client.call(put(dead), limits(concurrency=1)))
        await dead.until(lambda: len(dead.received) == 1)
        with pytest.raises(ReceiverUnreachable, match="busy"):
            await client.call(put(dead), limits(concurrency=1, total_s=0.2))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert len(dead.received) == 1


async def test_a_dead_name_server_holds_up_only_the_names_it_serves() -> None:
    go = threading.Event()

    def lookup(host: str) -> list[str]:
        if host == "dead.example":
            go.wait()
        return ["127.0.0.1"]

    client = PartnerClient(lookup=lookup)
    async with HostilePartner(answering(answer())) as partner:
        dead = asyncio.create_task(
            client.call(Call("GET", "http://dead.example/", []), limits("dead", total_s=PATIENCE_S))
        )
        for _ in range(20):
            call = Call("GET", partner.url(host="alive.example"), [])
            assert (await client.call(call, limits("alive"))).http_status == 200
        assert not dead.done()
        with pytest.raises(ReceiverUnreachable, match="in time"):
            await client.call(Call("GET", "http://dead.example/", []), limits("dead", connect_s=0.1))
        go.set()
        await asyncio.gather(dead, return_exceptions=True)
    await client.close()


async def test_closing_partners_are_told_apart_from_slow_ones_at_whatever_moment_they_close(
    client: PartnerClient,
) -> None:
    async def resetting(visit: Visit) -> None:
        await asyncio.sleep(visit.number % 3 / 1000)
        visit.reset()

    async with HostilePartner(resetting) as partner:
        outcomes = await asyncio.gather(
            *(client.call(put(partner), limits(concurrency=32)) for _ in range(100)), return_exceptions=True
        )
    assert all(isinstance(outcome, ReceiverUnreachable) for outcome in outcomes)


async def test_a_second_address_is_tried_when_the_first_does_not_work() -> None:
    async with HostilePartner(answering(answer())) as partner:
        client = PartnerClient(lookup=lambda _: ["127.0.0.2", "127.0.0.1"])
        assert (await client.call(Call("GET", partner.url(host="two.example"), []), limits())).http_status == 200
        await client.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost/",
        "https://rebinding.example/",
        "http://example.com/",
        "https://example.com:22/",
        "https://user@example.com/",
        "https://does-not-exist.invalid/",
        "nonsense",
        "",
    ],
)
async def test_internal_and_unacceptable_places_are_not_called(url: str) -> None:
    def lookup(host: str) -> list[str]:
        if host != "rebinding.example":
            raise OSError(host)
        return ["127.0.0.1"]

    client = PartnerClient(lookup=lookup)
    with pytest.raises(ReceiverUnreachable):
        await client.call(Call("GET", url, []), limits(allow_private=False))
    await client.close()


async def test_the_hub_does_not_call_its_own_listeners() -> None:
    async with HostilePartner(answering(answer())) as listener:
        client = PartnerClient(own_ports=[listener.port], lookup=lambda _: ["127.0.0.1"])
        for host in ("127.0.0.1", "alias.example"):
            with pytest.raises(ReceiverUnreachable, match="the hub itself"):
                await client.call(Call("GET", listener.url(host=host), []), limits())
        await client.close()
    assert listener.connections == 0


async def test_calls_that_are_given_up_at_any_moment_leave_no_slot_taken(client: PartnerClient) -> None:
    async def slow(visit: Visit) -> None:
        while True:
            await visit.request()
            await asyncio.sleep(0.001)
            await visit.send(answer())

    async def given_up(partner: HostilePartner, turns: int) -> None:
        call = asyncio.create_task(client.call(put(partner), limits(concurrency=2)))
        for _ in range(turns):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    async with HostilePartner(slow) as partner:
        for turns in range(40):
            await asyncio.gather(*(given_up(partner, turns) for _ in range(4)))
        replies = await asyncio.gather(
            *(client.call(put(partner), limits(concurrency=2)) for _ in range(18)), return_exceptions=True
        )
    assert not [reply for reply in replies if isinstance(reply, HubError)]


async def test_calls_given_up_all_at_once_leave_no_slot_taken(client: PartnerClient) -> None:
    async with HostilePartner(silent) as partner:
        calls = [asyncio.create_task(client.call(put(partner), limits(concurrency=2))) for _ in range(18)]
        await partner.until(lambda: len(partner.received) == 2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        partner.behaviour = answering(answer())
        replies = await asyncio.gather(*(client.call(put(partner), limits(concurrency=2)) for _ in range(18)))
    assert len(replies) == 18
