"""Messages that never stop: what everything in this folder goes wrong in the middle of."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import NamedTuple, Self

import httpx
import msgspec

from loadtests.simulator import Answer, Partner, Received
from loadtests.simulator.server import Loop
from routing.vocabulary import Role
from tests.partners import location, path_of, token

_PAUSE_S = 0.1
"""Between two messages of one way: so that both cores have time for the hub, too."""
_runs = itertools.count()


class Sending(NamedTuple):
    """One message, and what its sender saw."""

    id: str
    sender: Partner
    receiver: Partner
    body: bytes
    began: float
    outcome: Answer | httpx.TransportError

    @property
    def carried(self) -> bool:
        """Whether the receiver's success came back."""
        return isinstance(self.outcome, Answer) and self.outcome.status_code == 1000

    def __str__(self) -> str:
        what = self.outcome.body if isinstance(self.outcome, Answer) else repr(self.outcome)
        return f"{self.sender.party} to {self.receiver.party}: {what!r}"


class Traffic:
    """Messages on every way between each CPO and each eMSP, one after the other on each, while the block lasts.

    A CPO pushes locations and an eMSP pushes cards. Each message has an id of its own, so that the ledgers of the
    receivers tell where it arrived.
    """

    def __init__(self, partners: Sequence[Partner]) -> None:
        cpos, emsps = ([each for each in partners if each.parties[each.party] == [role]] for role in _ROLES)
        self.partners = partners
        self.ways = [way for cpo in cpos for emsp in emsps for way in ((cpo, emsp), (emsp, cpo))]
        self._prefix = f"R{next(_runs)}-"
        self._sendings: list[Sending] = []
        self._changed = threading.Condition()
        self._loop = Loop("traffic")
        self._stopping = False

    def __enter__(self) -> Self:
        self._flow = [self._loop.start(self._keep_sending(*way)) for way in self.ways]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Send nothing more, and wait for the last answers."""
        if not self._stopping:
            self._stopping = True
            for way in self._flow:
                way.result(60)
            self._loop.close()

    @property
    def sendings(self) -> list[Sending]:
        """All messages that were answered, or failed."""
        with self._changed:
            return list(self._sendings)

    @property
    def failures(self) -> list[Sending]:
        """The messages whose sender did not see 1000."""
        return [each for each in self.sendings if not each.carried]

    def goes_on(self, messages: int = 2, *, within_s: float = 20) -> None:
        """Wait until each way has carried so many messages that began after now."""
        now = time.monotonic()

        def all_have() -> bool:
            newer = (each for each in self._sendings if each.began > now and each.carried)
            carried = Counter((each.sender.name, each.receiver.name) for each in newer)
            return len(carried) == len(self.ways) and min(carried.values()) >= messages

        with self._changed:
            assert self._changed.wait_for(all_have, within_s), f"not every way carried {messages} in {within_s} s"

    def check_arrivals(self) -> None:
        """Each message that was carried arrived once, as it was sent, where it belongs; and none anywhere else."""
        sendings = {each.id: each for each in self.sendings}
        arrived: Counter[str] = Counter()
        for partner in self.partners:
            for request in partner.received:
                if (number := request.place.path[-1]).startswith(self._prefix):
                    _check_arrival(sendings[number], partner, request)
                    arrived[number] += 1
        assert {number for number, times in arrived.items() if times > 1} == set()
        assert {each.id for each in sendings.values() if each.carried} <= set(arrived)

    async def _keep_sending(self, sender: Partner, receiver: Partner) -> None:
        for number in itertools.count():
            if self._stopping:
                return
            sending = await self._send(sender, receiver, f"{self._prefix}{receiver.party.party_id}{number}")
            with self._changed:
                self._sendings.append(sending)
                self._changed.notify_all()
            await asyncio.sleep(_PAUSE_S)

    async def _send(self, sender: Partner, receiver: Partner, number: str) -> Sending:
        number = f"{number}{sender.party.party_id}"
        module, body = _MESSAGES[sender.parties[sender.party][0]]
        encoded, began = msgspec.json.encode(body(sender.party, number)), time.monotonic()
        outcome: Answer | httpx.TransportError
        try:
            outcome = await sender.send("PUT", module, path_of(sender.party, number), to=receiver.party, body=encoded)
        except httpx.TransportError as error:
            outcome = error
        return Sending(number, sender, receiver, encoded, began, outcome)


_ROLES = (Role.CPO, Role.EMSP)
_MESSAGES = {Role.CPO: ("locations", location), Role.EMSP: ("tokens", token)}


@contextmanager
def unharmed(partners: Sequence[Partner]) -> Iterator[Traffic]:
    """Traffic that suffers nothing of what happens in the block: every message is carried, and to the right one."""
    with Traffic(partners) as traffic:
        traffic.goes_on()
        yield traffic
        traffic.goes_on()
    assert not traffic.failures, list(map(str, traffic.failures))
    traffic.check_arrivals()


def _check_arrival(sending: Sending, partner: Partner, request: Received) -> None:
    assert sending.receiver is partner
    assert (request.sender, request.receiver) == (sending.sender.party, partner.party)
    assert request.body == sending.body
