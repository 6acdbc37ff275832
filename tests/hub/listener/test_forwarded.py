from __future__ import annotations

import pytest

from hub.listener.forwarded import Proxies

PROXIES = Proxies(("127.0.0.1", "10.1.2.3", "172.30.0.0/16", "fd00::/8"))


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "172.30.255.1", "fd12::1"])
def test_an_address_or_network_that_is_named_is_believed(peer: str) -> None:
    assert PROXIES.include((peer, 40000))


@pytest.mark.parametrize("peer", ["10.1.2.4", "172.31.0.1", "192.0.2.1", "fe80::1"])
def test_any_other_is_not(peer: str) -> None:
    assert not PROXIES.include((peer, 40000))
    assert not PROXIES.include(None)


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ([b"192.0.2.7"], "192.0.2.7"),
        ([b"6.6.6.6, 192.0.2.7"], "192.0.2.7"),
        ([b"6.6.6.6, 192.0.2.7, 172.30.0.9"], "192.0.2.7"),
        ([b"6.6.6.6", b"192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ([b"2001:db8::7"], "2001:db8::7"),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(said: list[bytes], client: str) -> None:
    headers = [(b"host", b"hub"), *((b"x-forwarded-for", value) for value in said)]
    found = PROXIES.client_of(headers)
    assert found is not None
    assert found[0] == client


def test_a_proxy_that_says_nothing_speaks_for_itself() -> None:
    assert PROXIES.client_of([(b"host", b"hub")]) is None
