"""The gate every outgoing connection passes: which network addresses the hub may dial.

A URL that looked harmless when it was registered can lead anywhere later, since its owner controls the DNS.
So the check that counts happens here, at each dial: resolve the name, look at every address, connect to an
address that was looked at. What was decided about a name before is never relied upon.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from routing.errors import ReceiverUnreachable

Lookup: TypeAlias = Callable[[str], list[str]]
"""From a host name to its addresses. May block; raises OSError."""

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


def _networks(*texts: str) -> Networks:
    return tuple(ip_network(text) for text in texts)


PRIVATE = _networks(
    "127.0.0.0/8",  # this machine
    "10.0.0.0/8",  # private use
    "172.16.0.0/12",  # private use
    "192.168.0.0/16",  # private use
    "100.64.0.0/10",  # behind a carrier's NAT, and overlay networks
    "::1/128",  # this machine
    "fc00::/7",  # unique local
)
"""Where private partners live: open only when the operator allows them."""

NEVER = _networks(
    "0.0.0.0/8",  # "this" network, which reaches the machine itself
    "100.100.100.200/32",  # metadata of a cloud
    "168.63.129.16/32",  # metadata of a cloud, on an address that is otherwise public
    "169.254.0.0/16",  # link-local, and the metadata of most clouds
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # 6to4 relays
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, and broadcast
    "fd00:ec2::/32",  # metadata of a cloud
    "fd20:ce::/32",  # metadata of a cloud
    "2001::/23",  # protocol assignments, Teredo
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4, which can hide any IPv4 address
    "3fff::/20",  # documentation
)
"""Where no partner ever lives."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that is public of IPv6. What maps or translates to IPv4 (::ffff:0:0/96, 64:ff9b::/96) is outside of it."""


def refusal(address: str, *, allow_private: bool) -> str | None:
    """Why this address may not be dialled, or None when it may."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "is no IP address"
    if _within(ip, NEVER):
        return "is reserved"
    if _within(ip, PRIVATE):
        return None if allow_private else "is private"
    if ip.version == 6 and ip not in GLOBAL_UNICAST:
        return "is not public"
    return None


def _within(ip: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(ip in network for network in networks)


def is_literal(host: str) -> bool:
    """Whether this host is an address already. IPv6 comes without brackets."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def system_lookup(host: str) -> list[str]:
    """Ask the resolver of this machine, in the order it recommends."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class AddressGate:
    """Resolves host names and lets only addresses pass that may be dialled.

    Answers of the resolver are kept for `keep_s` seconds, of the last `most_names` names; what is kept is judged
    again at every dial. A name is looked up once at a time, in a thread of its own, so that a dead name server
    costs one thread per name.

    `own_ports` are the ports of the hub's own listeners: on an address of this machine they are refused.
    """

    MOST_LOOKUPS = 64
    """Names looked up at once; over it a further one fails."""

    def __init__(
        self,
        lookup: Lookup = system_lookup,
        own_ports: Collection[int] = (),
        *,
        keep_s: float = 30.0,
        most_names: int = 2048,
    ) -> None:
        self._lookup = lookup
        self._keep_s = keep_s
        self._most_names = most_names
        self._own_ports = frozenset(own_ports)
        self._kept: dict[str, tuple[float, list[str]]] = {}
        self._under_way: dict[str, asyncio.Future[list[str] | OSError]] = {}

    async def addresses(self, host: str, port: int, *, allow_private: bool) -> list[str]:
        """Addresses of `host` to dial on `port`, the preferred one first.

        Raises:
            ReceiverUnreachable: the name has no address, or one that is refused. One bad address spoils the
                name: whoever mixes public and internal ones is up to something.
        """
        found = [host] if is_literal(host) else await self._resolved(host)
        for address in found:
            reason = refusal(address, allow_private=allow_private) or self._own(address, port)
            if reason is not None:
                raise ReceiverUnreachable(f"The address of the receiver's server {reason}")
        return found

    def _own(self, address: str, port: int) -> str | None:
        return "is the hub itself" if port in self._own_ports and _of_this_machine(address) else None

    async def _resolved(self, host: str) -> list[str]:
        now = asyncio.get_running_loop().time()
        until, addresses = self._kept.get(host, (0.0, []))
        if until > now:
            return addresses
        found = await asyncio.shield(self._under_way.get(host) or self._ask(host))
        if isinstance(found, OSError):
            raise ReceiverUnreachable("The name of the receiver's server cannot be resolved") from found
        return found

    def _ask(self, host: str) -> asyncio.Future[list[str] | OSError]:
        if len(self._under_way) >= self.MOST_LOOKUPS:
            raise ReceiverUnreachable("The name of the receiver's server cannot be resolved now")
        loop = asyncio.get_running_loop()

        def look_up() -> None:
            found: list[str] | OSError
            try:
                found = self._lookup(host) or OSError("no address")
            except (OSError, UnicodeError) as error:  # UnicodeError: a label the resolver's codec cannot take
                found = error if isinstance(error, OSError) else OSError(str(error))
            with suppress(RuntimeError):  # the loop has closed meanwhile, nobody waits
                loop.call_soon_threadsafe(self._answered, host, found)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        self._under_way[host] = loop.create_future()  # the answer comes through the loop, so never before this line
        return self._under_way[host]

    def _answered(self, host: str, found: list[str] | OSError) -> None:
        if not isinstance(found, OSError):
            self._keep(host, found)
        self._under_way.pop(host).set_result(found)

    def _keep(self, host: str, addresses: list[str]) -> None:
        self._kept.pop(host, None)
        if len(self._kept) >= self._most_names:
            del self._kept[next(iter(self._kept))]  # the one looked up longest ago
        self._kept[host] = (asyncio.get_running_loop().time() + self._keep_s, addresses)


def _of_this_machine(address: str) -> bool:
    """Whether an interface of this machine has the address: only then a socket can be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
