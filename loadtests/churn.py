"""Partners that come and go while others send: what `soak` does to a hub beside its traffic."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from contextlib import ExitStack
from typing import Final

import httpx

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.simulator import Behaviour, HubRefused, Partner
from loadtests.subjects import VOLT
from routing.vocabulary import ModuleID, Party, Role, Version

FLAKY: Final = Party("DE", "FLK")
_GUESTS: Final = {
    Party("FR", "GA1"): Version.V2_2_1,
    Party("FR", "GB2"): Version.V2_1_1,
    Party("FR", "GC3"): Version.V2_3_0,
}
_SICKNESSES: Final = (Behaviour(delay_s=0.5), Behaviour(reset=True), Behaviour(raw=b"HTTP/1.1 200 OK\r\n\r\n<html>"))
"""What is wrong with the flaky partner, in turn; then it is gone for a while."""


class Churn(threading.Thread):
    """Takes one step after the other, `pause_s` apart: guests register, change their tokens, leave; one is flaky.

    `failures` are steps that did not succeed although nothing was wrong with the partner.
    """

    def __init__(self, hub: HubProcess, stack: ExitStack, pause_s: float) -> None:
        super().__init__(name="churn", daemon=True)
        self.steps: Counter[str] = Counter()
        self.failures: list[str] = []
        self._hub = hub
        self._pause_s = pause_s
        self._ends = threading.Event()
        self._flaky = stack.enter_context(Partner("Flaky", {FLAKY: [Role.EMSP]}).running())
        hub.operator.registered(self._flaky)
        self._guests = [_Guest(hub, stack, party, version) for party, version in _GUESTS.items()]

    @property
    def restless(self) -> list[str]:
        """The names of all of them."""
        return [self._flaky.name, *(guest.name for guest in self._guests)]

    def run(self) -> None:
        """Take steps until the end."""
        with ExitStack() as flaky:
            for number in itertools.count():
                guest = self._guests[number % len(self._guests)]
                try:
                    self.steps[guest.step()] += 1
                except (HubFailed, HubRefused, httpx.HTTPError) as error:
                    self.failures.append(f"{guest.name}: {error!r}")
                self._fall_ill(number, flaky)
                if self._ends.wait(self._pause_s):
                    return

    def end(self) -> None:
        """Take no more steps."""
        self._ends.set()
        self.join()

    def _fall_ill(self, number: int, stack: ExitStack) -> None:
        stack.close()
        self._flaky.behaves()
        sickness = number // 2 % (len(_SICKNESSES) + 1)
        if number % 2 == 0:
            self.steps["well again"] += 1
        elif sickness < len(_SICKNESSES):
            self._flaky.behaves(_SICKNESSES[sickness])
            self.steps["ill"] += 1
        else:
            stack.enter_context(self._flaky.port_closed())
            self.steps["dead"] += 1
        self._flaky.ledger.clear()
        self._flaky.received.clear()


class _Guest:
    """One platform that registers, sends, changes its tokens, is suspended, is resumed, leaves, and comes back."""

    def __init__(self, hub: HubProcess, stack: ExitStack, party: Party, version: Version) -> None:
        self.name = f"Guest {party}"
        self._hub = hub
        role = Role.CPO if version is Version.V2_1_1 else Role.EMSP
        self._partner = stack.enter_context(Partner(self.name, {party: [role]}, version=version).running())
        self._platform_id = hub.operator.registered(self._partner)
        steps = [self._send, self._update, self._send, self._rotate, self._send, self._suspend, self._resume]
        self._steps = itertools.cycle([*steps, self._leave, self._come_back])
        self._is_lost = False

    def step(self) -> str:
        """The next one; returns what it was. Raises HubFailed or HubRefused: then it begins from the beginning."""
        self._partner.ledger.clear()
        self._partner.received.clear()
        step = self._start_over if self._is_lost else next(self._steps)
        self._is_lost = True
        step()
        self._is_lost = False
        return step.__name__.strip("_").replace("_", " ")

    def _send(self) -> None:
        partner = self._partner
        if partner.version is Version.V2_1_1:
            answer = partner.get(partner.connection.versions_url)
        else:
            answer = partner.get(ModuleID.LOCATIONS, params={"limit": "100"}, to=VOLT)
        if answer.http_status != 200 or answer.status_code != 1000:
            raise HubFailed(f"a guest is answered {answer.http_status} {answer.body[:200]!r}")

    def _update(self) -> None:
        self._partner.update()

    def _rotate(self) -> None:
        self._ask("POST", "/rotate")

    def _suspend(self) -> None:
        self._ask("POST", "/suspend")

    def _resume(self) -> None:
        self._ask("POST", "/resume")

    def _leave(self) -> None:
        self._partner.unregister()

    def _come_back(self) -> None:
        partner = self._partner
        face = {"json": {"face": partner.parties[partner.party][0]}} if partner.version is Version.V2_1_1 else {}
        invited = self._hub.operator.ask("POST", f"/api/v1/platforms/{self._platform_id}/invite", **face)
        self._partner.register(invited["versions_url"], invited["token_a"])

    def _start_over(self) -> None:
        """After a step of which nobody knows how far it came."""
        self._ask("DELETE", "")
        self._partner.registration.forget()
        self._come_back()
        while next(self._steps) != self._come_back:
            pass  # what it would have done until then

    def _ask(self, method: str, what: str) -> None:
        self._hub.operator.ask(method, f"/api/v1/platforms/{self._platform_id}{what}")
