"""Shorthands for scenario tests: partners that play the usual parts, and what they exchange.

A scenario reads

    def test_...(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
        answer = cpo.put("locations", "NL/VLT/LOC1", to=emsp.party, json=LOCATION)

with the fixtures of `tests/hub/conftest.py`: a hub for the whole module, and registered partners for the test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from routing.vocabulary import Party, Role, Version

CPO, EMSP = [Role.CPO], [Role.EMSP]
_numbers = itertools.count(36**2)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def new_party(country_code: str = "NL") -> Party:
    """A party nobody has used in this run: a hub shared by many tests knows each party once."""
    number = next(_numbers)
    return Party(country_code, "".join(_DIGITS[number // 36**place % 36] for place in (2, 1, 0)))


def partner(roles: list[Role], version: Version = Version.V2_2_1, *, party: Party | None = None) -> Partner:
    """A partner with one party, which is a new one unless given."""
    party = party or new_party("NL" if Role.CPO in roles else "DE")
    return Partner(f"{'/'.join(roles)} {party}", {party: roles}, version=version)


@contextmanager
def registered(hub: HubProcess, *partners: Partner) -> Iterator[list[Partner]]:
    """These partners, running and registered at the hub."""
    with ExitStack() as stack:
        for each in partners:
            stack.enter_context(each.running())
            hub.operator.registered(each)
        for each in partners:
            each.ledger.clear()
            each.received.clear()
        yield list(partners)


def location(owner: Party, location_id: str = "LOC1") -> Json:
    """A small location of 2.2 and later."""
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": location_id,
        "publish": True,
        "address": "Oudegracht 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.090700", "longitude": "5.121400"},
        "time_zone": "Europe/Amsterdam",
        "last_updated": "2026-11-22T08:00:00Z",
    }


def token(owner: Party, uid: str = "0102030405") -> Json:
    """A card of 2.2 and later."""
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"{owner.country_code}{owner.party_id}C00000001",
        "issuer": "Roam",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": "2026-11-22T08:00:00Z",
    }


def path_of(owner: Party, *more: str) -> str:
    """The segments of a RECEIVER URL behind the endpoint."""
    return "/".join((owner.country_code, owner.party_id, *more))
