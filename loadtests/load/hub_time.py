"""What a hub's own figures say about a run: how much of the time was the hub's, and how much the partners'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

_CALLED_ONCE = {"direct", "open", "callback"}
"""Routes on which a message leads to one call at a partner, for which its sender waits."""


@dataclass(frozen=True)
class Spent:
    """Seconds, and how often."""

    seconds: float = 0.0
    times: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.times + other.times)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.seconds - other.seconds, self.times - other.times)

    @property
    def mean_ms(self) -> float | None:
        """The mean; None of nothing."""
        return self.seconds / self.times * 1000 if self.times > 0 else None


class HubFigures:
    """One look at a hub's /metrics, or the difference of two."""

    def __init__(
        self, messages: Mapping[tuple[str, str], Spent], calls: Mapping[tuple[str, str], Spent], losses: int = 0
    ) -> None:
        """`messages` by route and module, `calls` at partners by module and platform."""
        self.messages = dict(messages)
        self.calls = dict(calls)
        self.losses = losses

    @classmethod
    def read(cls, exposition: str) -> HubFigures:
        """What /metrics says."""
        found: dict[str, dict[tuple[str, str], Spent]] = {_MESSAGES: {}, _CALLS: {}}
        losses = 0.0
        for family in text_string_to_metric_families(exposition):
            for sample in family.samples:
                name, _, figure = sample.name.rpartition("_")
                if sample.name == "ocpi_hub_translation_losses_total":
                    losses += sample.value
                elif name in found and figure in {"sum", "count"}:
                    spent = Spent(seconds=sample.value) if figure == "sum" else Spent(times=int(sample.value))
                    first, second = _LABELS[name]
                    key = (sample.labels[first], sample.labels[second])
                    found[name][key] = found[name].get(key, Spent()) + spent
        return cls(found[_MESSAGES], found[_CALLS], int(losses))

    def since(self, earlier: HubFigures) -> HubFigures:
        """What happened between two looks."""
        return HubFigures(
            _difference(self.messages, earlier.messages),
            _difference(self.calls, earlier.calls),
            self.losses - earlier.losses,
        )

    def modules(self) -> dict[str, ModuleTime]:
        """By module, what messages took that one partner was called for."""
        messages = _added((module, spent) for (route, module), spent in self.messages.items() if route in _CALLED_ONCE)
        others = {
            module for (route, module), spent in self.messages.items() if route not in _CALLED_ONCE and spent.times
        }
        calls = _added((module, spent) for (module, _), spent in self.calls.items())
        return {
            module: ModuleTime(spent, calls.get(module, Spent()), module not in others)
            for module, spent in sorted(messages.items())
            if spent.times
        }

    def platforms(self) -> dict[str, Spent]:
        """By platform id, how long it took to answer the hub."""
        return _added((platform, spent) for (_, platform), spent in self.calls.items() if spent.times)


class ModuleTime(NamedTuple):
    """Of one module: the whole time of messages, the partners' time, and whether that can be taken from the whole.

    It cannot where the same module was broadcast, or read from many partners at once: those calls are counted too, and
    nobody waits for them as long as they take.
    """

    whole: Spent
    partners: Spent
    divisible: bool

    @property
    def hub_ms(self) -> float | None:
        """The mean of the hub's own time."""
        if not self.divisible or not self.whole.times:
            return None
        return max(0.0, self.whole.seconds - self.partners.seconds) / self.whole.times * 1000


_MESSAGES, _CALLS = "ocpi_hub_message_seconds", "ocpi_hub_upstream_seconds"
_LABELS = {_MESSAGES: ("route", "module"), _CALLS: ("module", "platform")}


def _difference(
    later: Mapping[tuple[str, str], Spent], earlier: Mapping[tuple[str, str], Spent]
) -> dict[tuple[str, str], Spent]:
    return {labels: spent - earlier.get(labels, Spent()) for labels, spent in later.items()}


def _added(spent: Iterable[tuple[str, Spent]]) -> dict[str, Spent]:
    sums: dict[str, Spent] = {}
    for name, each in spent:
        sums[name] = sums.get(name, Spent()) + each
    return sums
