"""What `bench` sends: one kind of message each, from partners that are registered at the hub."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final, NamedTuple

import httpx

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner, envelope
from loadtests.simulator.messages import HeaderLines, routing_headers
from loadtests.simulator.shapes import version_details
from routing.vocabulary import InterfaceRole, Party, Role, Version

NUMBERED = "SESSION00"
"""The id of an object of which there are many: the generator writes a number in place of the noughts."""
PAGE = 100
"""Objects on a page."""
_A_DAY_S: Final = 86_400


class Scenario(NamedTuple):
    """One kind of message."""

    name: str
    method: str
    path: str
    headers: HeaderLines
    body: bytes
    twin: str | None = None
    """Of a message that only the hub can carry: the one that it is compared with, which comes before it."""
    objects: int = 1
    """How many objects it carries there and back."""


class Company:
    """Partners whose functional endpoints are all at one place, `partner_url`."""

    def __init__(self, hub: HubProcess, partner_url: str, stack: ExitStack) -> None:
        self._hub = hub
        self._partner_url = partner_url
        self._stack = stack

    def registered(self, name: str, party: Party, role: Role, version: Version = Version.V2_2_1) -> Partner:
        """A partner of this version, registered at the hub."""
        partner = self._stack.enter_context(Partner(name, {party: [role]}, version=version).running())
        offered = version_details(self._partner_url, version, partner.identity.modules())
        credentials = version_details(partner.base, version, frozenset())["endpoints"]
        elsewhere = [entry for entry in offered["endpoints"] if entry["identifier"] != "credentials"]
        details = {**offered, "endpoints": credentials + elsewhere}
        partner.answers_next(envelope(details), module="details", times=10)
        platform_id = self._hub.operator.registered(partner)
        if version is Version.V2_1_1:
            self._hub.operator.change(platform_id, routing_headers_211=True)
        if version is Version.V2_3_0:  # its messages are written once: no news may bring it another token meanwhile
            self._hub.operator.change(platform_id, credentials_refresh=_A_DAY_S)
        return partner


def message(
    name: str,
    method: str,
    module: str,
    by: Partner,
    to: Partner,
    interface: InterfaceRole,
    path: str,
    body: bytes = b"",
) -> Scenario:
    """A message from one partner to another."""
    url = by.connection.url(module, interface) + path
    headers: HeaderLines = (
        ("authorization", by.authorization),
        ("x-request-id", "7d9a2b2c-5f0e-4d3a-9c55-0f2f3d1c9a10"),
        ("x-correlation-id", "0b4f3a52-7d0e-4c35-8a0b-6f4be0a1c7d4"),
        *routing_headers(to.party, by.party),
    )
    if body:
        headers = (("content-type", "application/json"), *headers)
    return Scenario(name, method, httpx.URL(url).raw_path.decode("ascii"), headers, body)
