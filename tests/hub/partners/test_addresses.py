import asyncio
import itertools
import threading

import pytest

from hub.partners.addresses import AddressGate, refusal
from routing.errors import ReceiverUnreachable

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "172.32.0.1", "100.128.0.1"])
async def test_public_addresses_may_be_dialled(address: str) -> None:
    assert refusal(address, allow_private=False) is None


PRIVATE = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1"]


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_may_be_dialled_only_when_the_operator_allows_it(address: str) -> None:
    assert refusal(address, allow_private=False) is not None
    assert refusal(address, allow_private=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # refused is what it must be
        "169.254.169.254",
        "fe80::1",
        "fe80::1%1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001::1",
        "2001:db8::1",
        "fec0::1",
        "ff02::1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "nonsense",
        "",
    ],
)
async def test_some_addresses_are_never_dialled(address: str) -> None:
    assert refusal(address, allow_private=False) is not None
    assert refusal(address, allow_private=True) is not None


async def test_a_name_passes_when_all_its_addresses_are_public() -> None:
    gate = AddressGate(lambda _: [PUBLIC, "2606:2800:220:1::1"])
    assert await gate.addresses("example.com", 443, allow_private=False) == [PUBLIC, "2606:2800:220:1::1"]


async def test_one_private_address_spoils_a_name() -> None:
    gate = AddressGate(lambda _: [PUBLIC, "10.0.0.1"])
    with pytest.raises(ReceiverUnreachable, match="private"):
        await gate.addresses("example.com", 443, allow_private=False)


async def test_a_literal_address_is_judged_without_asking_anyone() -> None:
    def lookup(host: str) -> list[str]:
        raise AssertionError(host)

    gate = AddressGate(lookup)
    assert await gate.addresses(PUBLIC, 443, allow_private=False) == [PUBLIC]
    with pytest.raises(ReceiverUnreachable, match="private"):
        await gate.addresses("127.0.0.1", 443, allow_private=False)


async def test_a_name_that_flips_to_a_private_address_is_caught_at_the_next_dial() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    gate = AddressGate(lambda _: next(answers), keep_s=0)
    assert await gate.addresses("rebinding.example", 443, allow_private=False) == [PUBLIC]
    with pytest.raises(ReceiverUnreachable, match="private"):
        await gate.addresses("rebinding.example", 443, allow_private=False)


async def test_what_is_remembered_of_a_name_is_judged_anew() -> None:
    gate = AddressGate(lambda _: ["127.0.0.1"])
    assert await gate.addresses("simulator.example", 443, allow_private=True)
    with pytest.raises(ReceiverUnreachable, match="private"):
        await gate.addresses("simulator.example", 443, allow_private=False)


async def test_a_name_is_looked_up_once_for_many_who_ask() -> None:
    asked: list[str] = []
    go = threading.Event()

    def lookup(host: str) -> list[str]:
        asked.append(host)
        go.wait()
        return [PUBLIC]

    gate = AddressGate(lookup)
    calls = [asyncio.create_task(gate.addresses("example.com", 443, allow_private=False)) for _ in range(20)]
    await asyncio.sleep(0)
    calls.pop().cancel()
    go.set()
    assert await asyncio.gather(*calls) == [[PUBLIC]] * 19
    await gate.addresses("example.com", 443, allow_private=False)
    assert asked == ["example.com"]


async def test_only_so_many_names_are_remembered() -> None:
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return [PUBLIC]

    gate = AddressGate(lookup, most_names=2)
    for host in ["a.example", "b.example", "c.example", "b.example", "a.example"]:
        await gate.addresses(host, 443, allow_private=False)
    assert asked == ["a.example", "b.example", "c.example", "a.example"]


async def test_dead_name_servers_occupy_a_bounded_number_of_threads() -> None:
    go = threading.Event()

    def lookup(_: str) -> list[str]:
        go.wait()
        raise OSError

    gate = AddressGate(lookup)
    names = (f"{number}.example" for number in itertools.count())
    waiting = [
        asyncio.create_task(gate.addresses(next(names), 443, allow_private=False)) for _ in range(gate.MOST_LOOKUPS)
    ]
    await asyncio.sleep(0)
    with pytest.raises(ReceiverUnreachable, match="now"):
        await gate.addresses(next(names), 443, allow_private=False)
    go.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, ReceiverUnreachable) for outcome in outcomes)


@pytest.mark.parametrize("host", ["does-not-exist.invalid", "a" * 64 + ".example"])
async def test_a_name_nobody_has_makes_the_receiver_unreachable(host: str) -> None:
    with pytest.raises(ReceiverUnreachable, match="resolved"):
        await AddressGate().addresses(host, 443, allow_private=False)


async def test_a_name_without_addresses_makes_the_receiver_unreachable() -> None:
    with pytest.raises(ReceiverUnreachable, match="resolved"):
        await AddressGate(lambda _: []).addresses("example.com", 443, allow_private=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
async def test_the_hubs_own_ports_on_this_machine_are_refused_under_any_name(address: str) -> None:
    gate = AddressGate(lambda _: [address], own_ports=[8000, 8001])
    for port in (8000, 8001):
        with pytest.raises(ReceiverUnreachable, match="the hub itself"):
            await gate.addresses("other-name.example", port, allow_private=True)
    assert await gate.addresses("other-name.example", 9000, allow_private=True) == [address]


async def test_the_hubs_port_number_on_another_machine_is_a_partner() -> None:
    gate = AddressGate(lambda _: ["10.255.255.254"], own_ports=[8000])
    assert await gate.addresses("partner.example", 8000, allow_private=True) == ["10.255.255.254"]
