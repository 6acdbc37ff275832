"""Many partners behind one port, each below a path of its own: a thousand of them are one thread."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final, NamedTuple

from loadtests.simulator.messages import Answer, Received
from loadtests.simulator.misbehaviour import FAST, Behaviour
from loadtests.simulator.objects import Shelf
from loadtests.simulator.partner import Partner
from loadtests.simulator.premises import Premises
from loadtests.simulator.profiles import Mood, Profile
from loadtests.simulator.shapes import Roles, modules_of
from loadtests.simulator.stock import stock_of
from loadtests.simulator.tally import Register, Tally
from routing.vocabulary import InterfaceRole, ModuleID, Version

_MOST_PUSHED: Final = 100
"""Objects of a module that each of them keeps of what it was sent."""
_GRACE_S: Final = 5.0
"""For how long the token of before is still good."""
_MOST_RESULTS: Final = 1000
"""Results of commands that each of them keeps for whoever asks for them."""


class Result(NamedTuple):
    """The result of a command, as the hub brought it."""

    at: float
    """When, as `time.monotonic` has it, which is the same in every process of a machine."""
    body: bytes


class Member:
    """One partner of a fleet."""

    def __init__(
        self,
        number: int,
        name: str,
        parties: Roles,
        version: Version,
        *,
        seed: int,
        register: Register,
        client_info: bool,
    ) -> None:
        self.number = number
        self.tally = Tally()
        self._register = register
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._came = asyncio.Condition()
        self._mood: Mood | None = None
        shelf = Shelf(stock=stock_of(parties, version, seed), most_pushed=_MOST_PUSHED)
        modules = {each for each in modules_of(parties) if client_info or each[0] != ModuleID.HUB_CLIENT_INFO}
        self.partner = Partner(name, parties, version=version, modules=modules, shelf=shelf, note=self._note)
        self.partner.script.mood = self._meet

    def becomes(self, profile: Profile, seed: str) -> None:
        """Be like this from now on, whenever registered."""
        self._mood = None if profile == Profile() else Mood(profile, seed)

    async def register(self, versions_url: str, token_a: str) -> Answer:
        """Register at a hub. Raises HubRefused and httpx.HTTPError."""
        return await self.partner.registration.register(versions_url, token_a, self.partner.version)

    async def update(self) -> Answer:
        """Look at the hub's endpoints again and give it new credentials. Raises HubRefused and httpx.HTTPError."""
        return await self.partner.registration.update(self.partner.version)

    async def result(self, command: str, within_s: float) -> Result | None:
        """The result that came to `commands/…`, such as `START_SESSION/42`; None when it does not come in time."""
        try:
            async with asyncio.timeout(within_s), self._came:
                await self._came.wait_for(lambda: command in self._results)
                return self._results.pop(command)
        except TimeoutError:
            return None

    def _meet(self, _: Received) -> Behaviour:
        registration = self.partner.registration
        calm = self._mood is None or registration.connection is None or registration.invitations
        return FAST if calm or self._mood is None else self._mood.next()

    def _note(self, request: Received) -> None:
        self._register.note(self.partner.name, self.tally, request)
        place = request.place
        if place.module == ModuleID.COMMANDS and place.interface is InterfaceRole.SENDER and request.method == "POST":
            self._results["/".join(place.path)] = Result(time.monotonic(), request.body)
            if len(self._results) > _MOST_RESULTS:
                self._results.popitem(last=False)
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()


class Fleet:
    """The partners that one process plays. All but `open` and `close` belongs to the loop of its premises."""

    def __init__(
        self, premises: Premises, *, profile: Profile, seed: int, ledger: Path | None = None, client_info: bool = False
    ) -> None:
        """With `client_info` each of them is told of every other, which for a thousand are a million messages.

        Raises:
            OSError: the ledger cannot be written.
        """
        self.premises = premises
        self.members: list[Member] = []
        self._profile, self._seed, self._client_info = profile, seed, client_info
        self._register = Register(ledger)

    def open(self) -> None:
        """Begin to serve. Raises OSError when the port is taken."""
        self.premises.open()

    def close(self) -> None:
        """Stop serving."""
        self.premises.close()
        self._register.close()

    def add(self, name: str, parties: Roles, version: Version) -> Member:
        """One more partner."""
        number = len(self.members)
        member = Member(
            number, name, parties, version, seed=self._seed, register=self._register, client_info=self._client_info
        )
        member.becomes(self._profile, f"{self._seed} {name}")
        member.partner.move_in(self.premises, f"p{number:04d}")
        member.partner.registration.grace_s = _GRACE_S
        self.members.append(member)
        return member

    def become(self, profile: Profile, numbers: list[int] | None = None) -> None:
        """Have these partners, or all there are and will be, be like this."""
        if numbers is None:
            self._profile = profile
        for member in self.members if numbers is None else [self.members[number] for number in numbers]:
            member.becomes(profile, f"{self._seed} {member.partner.name}")
