"""What eMSPs say."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import httpx

from loadtests.simulator import Json
from loadtests.simulator.messages import now
from loadtests.simulator.shapes import endpoint_path
from loadtests.traffic.cast import Part
from loadtests.traffic.users import OcpiUser, Refused, Unanswered
from routing.vocabulary import InterfaceRole, ModuleID, Role, Version

_PAGE = 3
"""Locations on a page of one CPO's."""
_LONG_PAGE = 50
"""Of everybody's."""
_SINCE = "2026-01-01T00:00:00Z"


class EmspUser(OcpiUser):
    """Cards, commands whose result is waited for, and lists read to the end."""

    abstract = True
    role = Role.EMSP

    def on_start(self) -> None:
        """See `OcpiUser.on_start`."""
        super().on_start()
        self._next_page: tuple[str, Part | None] | None = None
        self._awaited: dict[str, tuple[str, float, Part]] = {}

    def give_up(self) -> None:
        """See `OcpiUser.give_up`. Commands that were accepted, and have no result, are counted as such."""
        for callback in [*self._awaited]:
            self._miss(callback)
        super().give_up()

    def do(self, action: str) -> bool:
        """See `OcpiUser.do`."""
        peer = self.stage.cast.friend(self.part, self.dice)
        if peer is None:
            return False
        match action:
            case "token":
                self._token(self._audience(peer))
            case "crawl":
                self._crawl(self._audience(peer))
            case "command":
                return self._command(peer)
            case _:
                raise ValueError(f"an eMSP does not do {action!r}")
        return True

    def _audience(self, peer: Part) -> Part | None:
        return None if self.version is Version.V2_1_1 else peer

    def _token(self, to: Part | None) -> None:
        card = self.dice.choice(self.part.cards) | {"last_updated": now()}
        path = "/".join(("", *self.part.party, card["uid"]))
        self.send("PUT", ModuleID.TOKENS, path, card, to=to, interface=InterfaceRole.RECEIVER)

    def _crawl(self, to: Part | None) -> None:
        """The next page of the list that is being read, or the first of another one."""
        url, owner = self._next_page or (self._first_page(to), to)
        self._next_page = None
        _, link = self.ask("GET", url, to=owner, name=f"{ModuleID.LOCATIONS}.GET.{self.role}")
        if link is not None and 'rel="next"' in link:
            self._next_page = (link.partition(">")[0].lstrip("<"), owner)

    def _first_page(self, to: Part | None) -> str:
        query = {"limit": str(_LONG_PAGE if to is None else _PAGE)}
        if self.dice.random() < 0.5:
            query["date_from"] = _SINCE
        return f"{self.url(ModuleID.LOCATIONS, InterfaceRole.SENDER)}?{urlencode(query)}"

    # --- commands

    def _command(self, peer: Part) -> bool:
        """Stop a session if there is one of ours, or start one."""
        charging = self.stage.cast.charging_with(self.part) if self.dice.random() < 0.5 else None
        if charging is not None:
            cpo, found = charging
            self._order("STOP_SESSION", {"session_id": found.session["id"]}, cpo)
            return True
        where = self._somewhere(peer)
        if where is None:
            return False
        card = self.dice.choice(self.part.cards)
        evse = where["evses"][0]
        self._order("START_SESSION", {"token": card, "location_id": where["id"], "evse_uid": evse["uid"]}, peer)
        return True

    def _somewhere(self, cpo: Part) -> Json | None:
        """A station where to charge. In 2.1.1 it has to be one that we were shown: else nobody knows whose it is."""
        found = cpo.locations
        if self.version is Version.V2_1_1:
            then = time.monotonic() - self.stage.pause_s
            audiences = {None, self.part.party}
            shown = {place for (party, place), at in cpo.shown.items() if party in audiences and at < then}
            found = [each for each in found if each["id"] in shown]
        return self.dice.choice(found) if found else None

    def _order(self, command: str, body: Json, to: Part) -> None:
        callback = f"{command}/{self.stage.run}-{next(self.part.numbers)}"
        ours = endpoint_path(self.version, ModuleID.COMMANDS, InterfaceRole.SENDER)
        begun = time.monotonic()
        answer = self.send(
            "POST",
            ModuleID.COMMANDS,
            f"/{command}",
            body | {"response_url": f"{self.part.platform.base}{ours}/{callback}"},
            to=to,
            interface=InterfaceRole.RECEIVER,
            action=command,
        )
        if answer is None:
            return
        if answer.data["result"] != "ACCEPTED":
            self.callback(self._name(command), 0, to, Refused(f"not accepted: {answer.data['result']}"))
            return
        self._awaited[callback] = (command, begun, to)
        self.behind(lambda: self._await(callback))

    def _await(self, callback: str) -> None:
        """Report how long the result took from the command on."""
        within_s = self.stage.within_s
        try:
            found = self.stage.simulator.result(self.part.platform.number, callback, within_s)
        except httpx.TransportError:
            if self.stage.simulator.is_closed:
                return  # the run is over
            raise
        if callback not in self._awaited:
            return  # nobody waits for it any more
        if found is None:
            self._miss(callback)
            return
        command, begun, to = self._awaited.pop(callback)
        at, result = found
        error = None if result["result"] == "ACCEPTED" else Refused(f"the result is {result['result']}")
        self.callback(self._name(command), (at - begun) * 1000, to, error)

    def _miss(self, callback: str) -> None:
        """The result of this command did not come."""
        command, begun, to = self._awaited.pop(callback)
        self.callback(self._name(command), (time.monotonic() - begun) * 1000, to, Unanswered("no result"))

    def _name(self, command: str) -> str:
        return f"{ModuleID.COMMANDS}.{command}.{self.role}"


class Emsp211(EmspUser):
    """On 2.1.1."""

    version = Version.V2_1_1


class Emsp221(EmspUser):
    """On 2.2.1."""

    version = Version.V2_2_1


class Emsp230(EmspUser):
    """On 2.3.0."""

    version = Version.V2_3_0
