"""A hub, a CPO of 2.1.1, an eMSP of 2.2.1 and one of 2.3.0: a charging session from the token to the CDR.

One sees who sent what in which version, what it became on the way, and which losses that was. In the end not all is
well, as in real life, so that whoever looks at the console finds something to explain.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click
import httpx

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.narrator import Narrator
from loadtests.simulator import Answer, HubRefused, Json, Partner, misbehaviour
from loadtests.simulator.stations import cards, cdr, charging_network, session
from routing.vocabulary import InterfaceRole, Party, Role, Version

_STATIONS = 200
_LINES_WITHIN_S = 5.0
_HUB = Party("EU", "HUB")
_QUESTIONS = {
    "/": "Is the hub well, and what needs you?",
    "/search?q=SESSION1": "What happened in the charging session?",
    "/search?q=CDR2": "Why did this bill not arrive, and who has to do what?",
    "/search?q=Terrasol": "Who is still outside, and why?",
    "/partners/new": "Invite somebody: `ocpi-hub simulate` is one",
}


class DemoFailed(Exception):
    """Something did not go as it should have; the message is one line."""


def main() -> int:
    """Play the demonstration; 0 when all went as it should, else 1 and a line that says what did not."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell has what it starts in the background ignore the first
        signal.signal(number, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="ocpi-hub-demo-") as folder, ExitStack() as stack:
            hub = stack.enter_context(HubProcess(Path(folder)))
            # 2.1.1 has no routing headers. Volt sends them all the same, as CPOs behind other hubs do.
            cast = companies()
            for partner in cast:
                stack.enter_context(partner.running())
            Play(hub, *cast).perform()
            if os.environ.get("HUB_DEMO_STAY") == "1":
                stack.enter_context(stranded(hub))
                _stay(hub, *cast)
    except (DemoFailed, HubFailed, HubRefused, TimeoutError, httpx.HTTPError) as error:
        click.echo(f"The demonstration failed: {str(error) or type(error).__name__}", err=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def companies() -> tuple[Partner, Partner, Partner]:
    """Volt, Roam and Rover, who do not run yet."""
    # 2.1.1 has no routing headers. Volt sends them all the same, as CPOs behind other hubs do.
    volt = Partner("Volt", {Party("NL", "VLT"): [Role.CPO]}, version=Version.V2_1_1, routing_headers_211=True)
    roam = Partner("Roam", {Party("DE", "ROM"): [Role.EMSP]}, version=Version.V2_2_1)
    rover = Partner("Rover", {Party("FR", "RVR"): [Role.EMSP]}, version=Version.V2_3_0)
    return volt, roam, rover


@contextmanager
def stranded(hub: HubProcess) -> Iterator[str]:
    """A fourth company, which was invited and does not get in; gives the id of its platform."""
    terrasol = Partner("Terrasol", {Party("ES", "TRS"): [Role.CPO]}, version=Version.V2_2_1)
    with terrasol.running():
        invitation = hub.operator.invite(terrasol.name, parties=terrasol.parties)
        terrasol.answers_next(misbehaviour.UNAUTHORIZED, module="versions", times=2)
        with suppress(HubRefused):
            terrasol.register(invitation.versions_url, invitation.token_a)
        hub.operator.event("registration_failing", within_s=_LINES_WITHIN_S)
        yield invitation.platform_id


class Play:
    """What the three companies do, one method a scene."""

    def __init__(self, hub: HubProcess, volt: Partner, roam: Partner, rover: Partner) -> None:
        self._hub, self._volt, self._roam, self._rover = hub, volt, roam, rover
        self._narrator = Narrator([volt, roam, rover], hub.operator)
        self._network = charging_network(volt.party, volt.version, stations=_STATIONS)
        self._cards = {emsp.name: _cards(emsp) for emsp in (roam, rover)}
        volt.hold("locations", *self._network.locations)
        volt.hold("tariffs", *self._network.tariffs)
        for emsp in (roam, rover):
            emsp.hold("tokens", *self._cards[emsp.name])

    def perform(self) -> None:
        """The whole play. Raises DemoFailed and what the simulator raises."""
        self._introduce()
        self._register()
        for emsp in (self._roam, self._rover):
            self._give_token(emsp)
            self._pull(emsp)
        self._authorize()
        self._start_remotely()
        self._charge()
        self._settle()
        self._ask_for_what_2_1_1_lacks()
        self._ask_for_a_stranger()
        self._tell_everybody()
        self._fail_to_bill()
        self._show_losses()
        click.echo("\nEverything arrived where it should.")

    def _introduce(self) -> None:
        evses = sum(len(place["evses"]) for place in self._network.locations)
        click.echo("─▶ to the hub   ◀─ from the hub   ◀┄ the hub's answer\n")
        click.echo(f"   hub    EU*HUB          {self._hub.versions_url}")
        kinds = {
            "Volt": f"a CPO with {_STATIONS} stations, {evses} EVSEs and {len(self._network.tariffs)} tariffs",
            "Roam": f"an eMSP with {len(self._cards['Roam'])} tokens",
            "Rover": f"an eMSP with {len(self._cards['Rover'])} tokens",
        }
        for partner in (self._volt, self._roam, self._rover):
            who = f"{partner.name:<6} {partner.party}  {partner.version:<6}"
            click.echo(f"   {who}  {partner.versions_url}  {kinds[partner.name]}")

    def _register(self) -> None:
        for partner in (self._volt, self._roam, self._rover):
            with self._narrator.step(f"{partner.name} was invited and registers by discovery, on {partner.version}"):
                platform_id = self._hub.operator.registered(partner)
                if partner is self._volt:
                    self._hub.operator.change(platform_id, routing_headers_211=True)
                self._hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/capture", json={"hours": 24})
            status = self._hub.operator.platform(platform_id)["status"]
            _check(status == "CONNECTED", f"{partner.name} is {status} after its registration")
            self._narrator.result(f"{partner.name} is {status}; the hub and it have tokens for each other")

    def _give_token(self, emsp: Partner) -> None:
        card = self._cards[emsp.name][0]
        with self._narrator.step(f"{emsp.name} gives Volt a token"):
            path = _path(emsp.party, card["uid"])
            _success(emsp.put("tokens", path, to=self._volt.party, json=card))
        arrived = self._volt.shelf.find_pushed("tokens", (*emsp.party, card["uid"]))
        _check(arrived is not None and arrived["auth_id"] == card["contract_id"], "the token did not arrive")
        self._narrator.became(emsp, card, self._volt, arrived or {})

    def _pull(self, emsp: Partner) -> None:
        for module, expected in (("locations", self._network.locations), ("tariffs", self._network.tariffs)):
            with self._narrator.step(f"{emsp.name} pulls the {module} of Volt, page by page"):
                pages = [_success(page) for page in emsp.pages(module, to=self._volt.party)]
            things = [thing for page in pages for thing in page.data]
            _check([thing["id"] for thing in things] == [thing["id"] for thing in expected], f"{module} are missing")
            owners = {(thing["country_code"], thing["party_id"]) for thing in things}
            _check(owners == {tuple(self._volt.party)}, f"{module} of somebody else arrived")
            self._narrator.result(f"all {len(things)} {module} arrived")
            self._narrator.became(self._volt, _in_short(expected[0]), emsp, _in_short(things[0]))

    def _authorize(self) -> None:
        card = self._cards["Roam"][0]
        asked = {"location_id": self._network.locations[0]["id"], "evse_uids": []}
        with self._narrator.step("A driver of Roam holds a card to a charger of Volt, which asks Roam"):
            answer = _success(
                self._volt.post("tokens", f"{card['uid']}/authorize?type=RFID", to=self._roam.party, json=asked)
            )
        _check(answer.data["allowed"] == "ALLOWED", f"the card is not allowed: {answer.data}")
        self._narrator.result("Roam allows it; the Token and the reference in its answer have no place in 2.1.1")

    def _start_remotely(self) -> None:
        place, card, rover = self._network.locations[0], self._cards["Rover"][0], self._rover
        command = {
            "response_url": rover.url("commands", InterfaceRole.SENDER, "START_SESSION", "1"),
            "token": card,
            "location_id": place["id"],
            "evse_uid": place["evses"][0]["uid"],
            "connector_id": place["evses"][0]["connectors"][0]["id"],
            "authorization_reference": "RVR-2026-0001",
        }
        with self._narrator.step("A driver of Rover starts charging in the app; Volt reports how that went"):
            _success(rover.post("commands", "START_SESSION", to=self._volt.party, json=command))
            [result] = rover.received.wait_for("commands")
            self._volt.settle()
        sent = self._volt.received.of("commands")[0].json()
        _check(sent["response_url"].startswith(self._hub.url), "the response_url that reached Volt is not the hub's")
        _check(result.json()["result"] == "ACCEPTED", f"the result is {result.json()}")
        self._narrator.became(rover, command, self._volt, sent)
        self._narrator.result(f"the result took the way back through the hub: {result.json()}")

    def _charge(self) -> None:
        card = {"auth_id": self._cards["Rover"][0]["contract_id"]}
        where = _only_the_first_evse(self._network.locations[0])
        under_way = session(self._volt.version, "SESSION1", where, card)
        path = _path(self._volt.party, "SESSION1")
        with self._narrator.step("Volt keeps Rover up to date about the session"):
            _success(self._volt.put("sessions", path, to=self._rover.party, json=under_way))
            for news in ({"kwh": 11.2}, {"kwh": 20.5, "status": "COMPLETED", "total_cost": 7.18}):
                _success(self._volt.patch("sessions", path, to=self._rover.party, json=news))
        first = self._rover.received.of("sessions")[0].json()
        self._narrator.became(self._volt, under_way, self._rover, first)
        kept = self._rover.shelf.find_pushed("sessions", (*self._volt.party, "SESSION1")) or {}
        _check((kept["kwh"], kept["status"]) == (20.5, "COMPLETED"), "the session is not what it was")
        _check(kept["cdr_token"]["uid"] == self._cards["Rover"][0]["uid"], "the hub did not find the token")
        _check(kept["total_cost"] == {"before_taxes": 7.18}, f"the costs are {kept['total_cost']}")
        self._narrator.result("Rover has the session as Volt left it: 20.5 kWh, COMPLETED, 7.18 before taxes")

    def _settle(self) -> None:
        card = {"auth_id": self._cards["Rover"][0]["contract_id"]}
        where = _only_the_first_evse(self._network.locations[0])
        record = cdr(self._volt.version, "CDR1", where, card, self._network.tariffs[0])
        with self._narrator.step("Volt sends the bill, and reads it where Rover keeps it"):
            answer = _success(self._volt.post("cdrs", to=self._rover.party, json=record))
            url = answer.header("location") or ""
            _check(url.startswith(self._hub.url), f"the Location of the CDR is not the hub's: {url}")
            kept = _success(self._volt.get(url, to=self._rover.party))
        self._narrator.became(self._volt, record, self._rover, self._rover.received.of("cdrs")[0].json())
        for name in ("id", "auth_id", "total_energy", "total_cost", "start_date_time", "stop_date_time"):
            _check(kept.data[name] == record[name], f"{name} of the CDR read back is {kept.data[name]}")
        self._narrator.result(f"the CDR over {record['total_energy']} kWh arrived, and reads the same at Volt's")

    def _ask_for_what_2_1_1_lacks(self) -> None:
        command = {
            "response_url": self._roam.url("commands", InterfaceRole.SENDER, "CANCEL_RESERVATION", "2"),
            "reservation_id": "R1",
        }
        with self._narrator.step("Roam cancels a reservation, which 2.1.1 has no word for"):
            answer = _success(self._roam.post("commands", "CANCEL_RESERVATION", to=self._volt.party, json=command))
        _check(answer.data["result"] == "NOT_SUPPORTED", f"the hub answered {answer.data}")

    def _ask_for_a_stranger(self) -> None:
        with self._narrator.step("Roam asks for a party that nobody is"):
            answer = self._roam.get("locations", to=Party("XX", "XXX"))
        _check(answer.status_code == 4001, f"the hub answered {answer.status_code} for an unknown party")

    def _show_losses(self) -> None:
        click.echo("\nWhat the change of versions cost Rover, as the operator sees it:\n")
        platform = next(each for each in self._hub.operator.platforms() if each["name"] == "Rover")
        lost = self._hub.operator.losses(platform["id"], of="CDR", within_s=_LINES_WITHIN_S)
        _check(bool(lost), "the hub counted no losses of Rover")
        for each in lost:
            what = f"{each['loss']:<5} {each['direction']:<4} {each['object']:<18} {each['count']:>4}"
            click.echo(f"   {what}  {each['meaning']}")

    def _tell_everybody(self) -> None:
        place = self._network.locations[1]
        with self._narrator.step("A charger of Volt is out of order, which it tells the hub, and so everybody"):
            path = _path(self._volt.party, place["id"])
            evses = [evse | {"status": "OUTOFORDER"} for evse in place["evses"]]
            _success(self._volt.put("locations", path, to=_HUB, json=place | {"evses": evses}))
            for emsp in (self._roam, self._rover):
                emsp.received.wait_for("locations")
        self._narrator.result("both eMSPs know; how long that took them was not Volt's problem")

    def _fail_to_bill(self) -> None:
        card = {"auth_id": self._cards["Roam"][0]["contract_id"]}
        where = _only_the_first_evse(self._network.locations[0])
        record = cdr(self._volt.version, "CDR2", where, card, self._network.tariffs[0])
        self._roam.registration.their_tokens = set()  # its database was restored from last week's backup
        with self._narrator.step("Roam has lost the hub's token, and Volt wants to send it a bill"):
            answer = self._volt.post("cdrs", to=self._roam.party, json=record)
        _check(answer.status_code == 3000, f"the hub answered {answer.status_code}, which in 2.1.1 is no 4003")
        event = self._hub.operator.event("partner_refuses_token", within_s=_LINES_WITHIN_S)
        if event is None:
            raise DemoFailed("the hub's operator was not told")
        self._narrator.result(f"the hub tells its operator: {event['sentence']}")


def _cards(emsp: Partner) -> list[Json]:
    return [card | {"valid": True} for card in cards(emsp.party, emsp.version)]


def _in_short(thing: Json) -> Json:
    """An object to show: of a location the first connector will do."""
    return _only_the_first_evse(thing) if "evses" in thing else thing


def _only_the_first_evse(place: Json) -> Json:
    """What a 2.1.1 session or CDR embeds: the location with the one EVSE and connector that is used."""
    evse = place["evses"][0]
    return place | {"evses": [evse | {"connectors": evse["connectors"][:1]}]}


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
        console = hub.operator.url
        click.echo(
            f"\nThe hub stays up until you press Ctrl-C. Look at it: open {console} in a browser, and sign in with"
        )
        click.echo(f"the token {hub.operator.token}\n")
        for path, question in _QUESTIONS.items():
            click.echo(f"   {console + path:<45} {question}")
        click.echo(f"\n   versions  {hub.versions_url}")
        click.echo(f"   operator  {console}   Authorization: Bearer {hub.operator.token}")
        for partner in partners:
            click.echo(f"   {partner.name:<9} {partner.versions_url}")
            click.echo(f"             curl -H 'Authorization: {partner.authorization}' {hub.versions_url}")
        signal.pause()
