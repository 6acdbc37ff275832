"""The messages of `soak`: what a hub carries on a day, in proportion, and about a new object whenever that is usual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from random import Random
from typing import Final, NamedTuple

from loadtests.arrivals import Due, request_of
from loadtests.scenarios import NUMBERED, Scenario
from loadtests.simulator.messages import routing_headers
from routing.vocabulary import Party

STEADY: Final = "steady"
"""Messages between partners that are well: each has to be delivered."""
INJECTED: Final = "injected"
"""Messages that are wrong, or to a partner that is often ill."""
_WEIGHTS: Final = {
    "put_location": 40.0,
    "get_location": 10.0,
    "session": 20.0,
    "session_211_221": 10.0,
    "session_221_230": 10.0,
    "page": 0.3,
    "page_211_221": 0.1,
    "page_221_230": 0.1,
    "broadcast": 0.2,
}
_FLAKY: Final = 1.0
_WRONG: Final = 0.5
_HUB: Final = Party("EU", "HUB")
_NOBODY: Final = Party("XX", "XXX")


class _Kind(NamedTuple):
    weight: float
    name: str
    parts: Sequence[bytes]
    """The request, cut where the number of the object stands."""


class Mixture:
    """An endless row of messages, the same for the same seed."""

    def __init__(self, scenarios: Sequence[Scenario], flaky: Party, host: str, seed: int = 1) -> None:
        by_name = {scenario.name: scenario for scenario in scenarios}
        put, session = by_name["put_location"], by_name["session"]
        by_name["broadcast"] = _to(put, _HUB)
        kinds = [(weight, STEADY, by_name[name]) for name, weight in _WEIGHTS.items()]
        kinds += [(_FLAKY, INJECTED, _to(put, flaky)), (_WRONG, INJECTED, _to(session, _NOBODY))]
        kinds += [(_WRONG, INJECTED, put._replace(headers=_unknown(put)))]
        self._kinds = [
            _Kind(weight, name, request_of(scenario, host).split(NUMBERED.encode())) for weight, name, scenario in kinds
        ]
        self._weights = [kind.weight for kind in self._kinds]
        self._dice = Random(seed)  # noqa: S311 - a choice of messages
        self._numbers = count()

    def message(self, at_s: float) -> Due:
        """The next one, due at this moment."""
        [kind] = self._dice.choices(self._kinds, self._weights)
        number = b"S%08d" % next(self._numbers)
        return Due(at_s, number.join(kind.parts), kind.name)

    def at_rate(self, rate: float, is_over: Callable[[], bool]) -> Iterator[Due]:
        """Messages that come independently of each other, until it is over."""
        at_s = 0.0
        while not is_over():
            at_s += self._dice.expovariate(rate)
            yield self.message(at_s)


def _to(scenario: Scenario, receiver: Party) -> Scenario:
    """The same message to somebody else."""
    named = dict(routing_headers(receiver, None))
    return scenario._replace(headers=tuple((name, named.get(name, value)) for name, value in scenario.headers))


def _unknown(scenario: Scenario) -> tuple[tuple[str, str], ...]:
    """The headers of somebody whom the hub does not know."""
    wrong = {"authorization": "Token bm9ib2R5"}
    return tuple((name, wrong.get(name, value)) for name, value in scenario.headers)
