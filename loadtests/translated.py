"""Messages between partners of different versions, each beside the same message between partners of one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from loadtests.scenarios import NUMBERED, PAGE, Company, Scenario, message
from loadtests.simulator import Json, Partner, envelope
from loadtests.simulator.messages import now
from loadtests.simulator.shapes import endpoint_path
from loadtests.simulator.stations import cards, charging_network, session
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version

OLDER_CPO, NEWER_CPO = Party("NL", "WTT"), Party("NL", "AMP")
OLDER_EMSP, NEWER_EMSP = Party("DE", "RUT"), Party("DE", "RVR")
ANOTHER_EMSP = Party("DE", "RTT")
"""Hears of the CPO of 2.1.1, which has stations of the same ids as the one whose pages the other eMSP reads: one eMSP
would have to be shown them under other ids."""
_SESSION_BYTES: Final = 1200


def pages(folder: Path) -> dict[str, Path]:
    """A page of locations in each version: the path of the endpoint that answers with it, and the file it is in."""
    found: dict[str, Path] = {}
    for version in (Version.V2_1_1, Version.V2_2_1, Version.V2_3_0):
        network = charging_network(OLDER_CPO, version, stations=PAGE)
        path = folder / f"locations-{version}.json"
        path.write_bytes(envelope(network.locations).body)
        found[endpoint_path(version, ModuleID.LOCATIONS, InterfaceRole.SENDER)] = path
    return found


def scenarios(company: Company, cpo: Partner, emsp: Partner) -> list[Scenario]:
    """Sessions pushed and pages read, first without translation. `cpo` and `emsp` are of 2.2.1."""
    older_cpo = company.registered("Watt", OLDER_CPO, Role.CPO, Version.V2_1_1)
    newer_cpo = company.registered("Ampere", NEWER_CPO, Role.CPO, Version.V2_3_0)
    older_emsp = company.registered("Route", OLDER_EMSP, Role.EMSP, Version.V2_1_1)
    another_emsp = company.registered("Routine", ANOTHER_EMSP, Role.EMSP, Version.V2_1_1)
    newer_emsp = company.registered("Rover", NEWER_EMSP, Role.EMSP, Version.V2_3_0)
    _know_the_card(emsp, cpo)
    return [
        _session("session", cpo, emsp),
        _session("session_211", older_cpo, another_emsp)._replace(twin="session"),
        _session("session_211_221", older_cpo, emsp)._replace(twin="session_211"),
        _session("session_221_230", cpo, newer_emsp)._replace(twin="session"),
        _page("page", emsp, cpo),
        _page("page_211_221", emsp, older_cpo)._replace(twin="page"),
        _page("page_221_211", older_emsp, cpo)._replace(twin="page"),
        _page("page_221_230", newer_emsp, cpo)._replace(twin="page"),
        _page("page_230_221", emsp, newer_cpo)._replace(twin="page"),
    ]


def _page(name: str, by: Partner, of: Partner) -> Scenario:
    found = message(name, "GET", "locations", by, of, InterfaceRole.SENDER, f"?limit={PAGE}")
    return found._replace(objects=PAGE)


def _session(name: str, by: Partner, to: Partner) -> Scenario:
    body = msgspec.json.encode(_long_session(by.party, by.version, to.party))
    return message(name, "PUT", "sessions", by, to, InterfaceRole.RECEIVER, f"/{'/'.join(by.party)}/{NUMBERED}", body)


def _know_the_card(emsp: Partner, cpo: Partner) -> None:
    """Push the card that is charged with, as it was pushed at some time before every real session."""
    card = _card(emsp.party, emsp.version)
    emsp.put("tokens", "/".join((*emsp.party, card["uid"])), to=cpo.party, json=card)


def _card(owner: Party, version: Version) -> Json:
    return cards(owner, version, count=1)[0] | {"valid": True}


def _long_session(cpo: Party, version: Version, emsp: Party) -> Json:
    """A session of 1.2 kB: as many periods as that takes, and a long meter id."""
    place = charging_network(cpo, version, stations=1).locations[0]
    place["evses"] = place["evses"][:1]
    under_way = session(version, NUMBERED, place, _card(emsp, version), kwh=11.25)
    period = {"start_date_time": now(), "dimensions": [{"type": "ENERGY", "volume": 3.75}]}
    while len(msgspec.json.encode(under_way)) < _SESSION_BYTES - 150:
        under_way["charging_periods"].append(period)
    left = _SESSION_BYTES - len(msgspec.json.encode(under_way)) - len(',"meter_id":""')
    return under_way | {"meter_id": "M" * max(left, 1)}
