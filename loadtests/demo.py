"""A hub, a CPO and an eMSP: they register, exchange everything OCPI is for, and one sees each message."""

from __future__ import annotations

import os
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import httpx

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.narrator import Narrator
from loadtests.simulator import Answer, HubRefused, Json, Partner
from loadtests.simulator.messages import now
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version

_VERSION = Version.V2_2_1
_STATIONS = 200


class DemoFailed(Exception):
    """Something did not go as it should have; the message is one line."""


def main() -> int:
    """Play the demonstration; 0 when all went as it should, else 1 and a line that says what did not."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="ocpi-hub-demo-") as folder, ExitStack() as stack:
            hub = stack.enter_context(HubProcess(Path(folder)))
            cpo = stack.enter_context(Partner("Volt", {Party("NL", "VLT"): [Role.CPO]}).running())
            emsp = stack.enter_context(Partner("Roam", {Party("DE", "ROM"): [Role.EMSP]}).running())
            Play(hub, cpo, emsp).perform()
            if os.environ.get("HUB_DEMO_STAY") == "1":
                _stay(hub, cpo, emsp)
    except (DemoFailed, HubFailed, HubRefused, TimeoutError, httpx.HTTPError) as error:
        click.echo(f"The demonstration failed: {str(error) or type(error).__name__}", err=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class Play:
    """What the two companies do, one method a scene."""

    def __init__(self, hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
        self._hub, self._cpo, self._emsp = hub, cpo, emsp
        self._narrator = Narrator([cpo, emsp])
        self._network = charging_network(cpo.party, _VERSION, stations=_STATIONS)
        self._cards = [card | {"valid": True} for card in cards(emsp.party, _VERSION)]
        cpo.hold("locations", *self._network.locations)
        cpo.hold("tariffs", *self._network.tariffs)
        emsp.hold("tokens", *self._cards)

    def perform(self) -> None:
        """The whole play. Raises DemoFailed and what the simulator raises."""
        self._introduce()
        self._register()
        self._pull()
        self._push()
        self._start_remotely()
        self._charge()
        self._settle()
        self._ask_for_a_stranger()
        click.echo("\nEverything arrived where it should.")

    def _introduce(self) -> None:
        evses = sum(len(place["evses"]) for place in self._network.locations)
        click.echo("─▶ to the hub   ◀─ from the hub   ◀┄ the hub's answer\n")
        click.echo(f"   hub   EU*HUB   {self._hub.versions_url}")
        click.echo(
            f"   Volt  {self._cpo.party}   {self._cpo.versions_url}  a CPO with {_STATIONS} stations,"
            f" {evses} EVSEs and {len(self._network.tariffs)} tariffs"
        )
        click.echo(f"   Roam  {self._emsp.party}   {self._emsp.versions_url}  an eMSP with {len(self._cards)} tokens")

    def _register(self) -> None:
        for partner in (self._cpo, self._emsp):
            with self._narrator.step(f"{partner.name} was invited and registers by discovery"):
                platform_id = self._hub.operator.registered(partner)
            status = self._hub.operator.platform(platform_id)["status"]
            _check(status == "CONNECTED", f"{partner.name} is {status} after its registration")
            self._narrator.result(f"{partner.name} is {status}; the hub and it have tokens for each other")

    def _pull(self) -> None:
        places = self._pulled("locations", self._emsp, self._cpo, self._network.locations)
        prices = self._pulled("tariffs", self._emsp, self._cpo, self._network.tariffs)
        self._pulled("tokens", self._cpo, self._emsp, self._cards)
        known = {price["id"] for price in prices}
        used = {
            name
            for place in places
            for evse in place["evses"]
            for connector in evse["connectors"]
            for name in connector["tariff_ids"]
        }
        _check(used <= known, "a connector has a tariff that did not arrive")

    def _pulled(self, module: str, by: Partner, owner: Partner, expected: list[Json]) -> list[Json]:
        with self._narrator.step(f"{by.name} pulls the {module} of {owner.name}, page by page"):
            pages = [_success(page) for page in by.pages(module, to=owner.party)]
        things = [thing for page in pages for thing in page.data]
        _check(things == expected, f"the {module} that arrived are not those that {owner.name} has")
        self._narrator.result(f"all {len(things)} {module} arrived, as {owner.name} has them")
        return things

    def _push(self) -> None:
        card, place = self._cards[0], self._network.locations[0]
        evse = place["evses"][0]
        with self._narrator.step("Roam gives Volt a token; Volt tells Roam that a charger is in use"):
            path = _path(self._emsp.party, card["uid"])
            _success(self._emsp.put("tokens", path, to=self._cpo.party, json=card))
            path = _path(self._cpo.party, place["id"])
            _success(self._cpo.put("locations", path, to=self._emsp.party, json=place))
            change = {"status": "CHARGING", "last_updated": now()}
            _success(self._cpo.patch("locations", f"{path}/{evse['uid']}", to=self._emsp.party, json=change))
        arrived = self._emsp.shelf.find_pushed("locations", (*self._cpo.party, place["id"], evse["uid"]))
        _check(arrived is not None and arrived["status"] == "CHARGING", "the charger's status did not arrive")

    def _start_remotely(self) -> None:
        place, card = self._network.locations[0], self._cards[0]
        command = {
            "response_url": self._emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", "1"),
            "token": card,
            "location_id": place["id"],
            "evse_uid": place["evses"][0]["uid"],
        }
        with self._narrator.step("Roam's driver starts charging in the app; Volt reports how that went"):
            _success(self._emsp.post("commands", "START_SESSION", to=self._cpo.party, json=command))
            [result] = self._emsp.received.wait_for("commands")
            self._cpo.settle()
        sent = self._cpo.received.of("commands")[0].json()["response_url"]
        _check(sent.startswith(self._hub.url), "the response_url that reached Volt is not the hub's")
        _check(result.json() == self._cpo.command_result, "the result of the command is not what Volt posted")
        self._narrator.result(f"the result took the way back through the hub: {result.json()}")

    def _charge(self) -> None:
        under_way = session(_VERSION, "SESSION1", self._network.locations[0], self._cards[0])
        path = _path(self._cpo.party, "SESSION1")
        with self._narrator.step("Volt keeps Roam up to date about the session"):
            _success(self._cpo.put("sessions", path, to=self._emsp.party, json=under_way))
            for news in ({"kwh": 11.2}, {"kwh": 20.5, "status": "COMPLETED"}):
                change = {**news, "last_updated": now()}
                _success(self._cpo.patch("sessions", path, to=self._emsp.party, json=change))
            answer = _success(self._cpo.get("sessions", path, to=self._emsp.party, interface=InterfaceRole.RECEIVER))
        _check((answer.data["kwh"], answer.data["status"]) == (20.5, "COMPLETED"), "the session is not what it was")
        self._narrator.result("Roam has the session as Volt left it: 20.5 kWh, COMPLETED")

    def _settle(self) -> None:
        record = cdr(_VERSION, "CDR1", self._network.locations[0], self._cards[0], self._network.tariffs[0])
        with self._narrator.step("Volt sends the bill, and reads it where Roam keeps it"):
            answer = _success(self._cpo.post("cdrs", to=self._emsp.party, json=record))
            url = answer.header("location") or ""
            _check(url.startswith(self._hub.url), f"the Location of the CDR is not the hub's: {url}")
            kept = _success(self._cpo.get(url, to=self._emsp.party))
        _check(kept.data == record, "the CDR read back is not the one posted")
        self._narrator.result(f"the CDR over {record['total_energy']} kWh arrived unchanged")

    def _ask_for_a_stranger(self) -> None:
        with self._narrator.step("Roam asks for a party that nobody is"):
            answer = self._emsp.get("locations", to=Party("XX", "XXX"))
        _check(answer.status_code == 4001, f"the hub answered {answer.status_code} for an unknown party")


def _success(answer: Answer) -> Answer:
    _check(answer.http_status < 300 and answer.status_code == 1000, f"HTTP {answer.http_status} {answer.body!r}")
    return answer


def _check(truth: bool, otherwise: str) -> None:
    if not truth:
        raise DemoFailed(otherwise)


def _path(owner: Party, object_id: str) -> str:
    return "/".join((*owner, object_id))


def _stay(hub: HubProcess, *partners: Partner) -> None:
    """Print where everything is, and serve until interrupted."""
    with suppress(KeyboardInterrupt):
        click.echo(f"\nThe hub stays up until you press Ctrl-C.\n   versions  {hub.versions_url}")
        click.echo(f"   operator  {hub.operator.url}   Authorization: {hub.operator.api.headers['authorization']}")
        for partner in partners:
            click.echo(f"   {partner.name:<9} {partner.versions_url}")
            click.echo(f"             curl -H 'Authorization: {partner.authorization}' {hub.versions_url}")
        signal.pause()
