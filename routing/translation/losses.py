"""What a change of version does to an object: the catalogue of every rule that loses, replaces, assumes or refuses.

Partners and operators read it as docs/translation.md, which says the same in the same words. An id is never used for
anything else again, not even when its rule is withdrawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from routing.translation.losses_2_1_1 import WAYS_2_1_1
from routing.translation.losses_2_2_and_2_3_0 import WAYS_2_2_AND_2_3_0
from routing.vocabulary import Version


class Effect(StrEnum):
    """What a rule does."""

    LOST = "lost"
    """Something of the sender's does not arrive."""
    REPLACED = "replaced"
    """Something else stands in its place."""
    ASSUMED = "assumed"
    """Something arrives that the sender did not say."""
    REFUSED = "refused"
    """Nothing is sent."""


class Way(NamedTuple):
    """From one version to a neighbouring one; a longer journey takes several."""

    source: Version
    target: Version

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Rule(Struct, frozen=True):
    """One entry of the catalogue."""

    id: str
    """`L-` and `RF-`: between 2.1.1 and 2.2.1. `M-`: between the later versions, and everywhere."""
    ways: tuple[Way, ...]
    effects: tuple[Effect, ...]
    """More than one where the way, or a setting, decides."""
    objects: tuple[str, ...]
    """Names of OCPI's objects, or in plain words what else it is about."""
    happens: str
    means: str
    """For the receiver; for the sender where nothing is sent."""
    counted: bool = True
    """Whether the hub names it when it happens, in counts, log lines and metrics. The others happen beside objects."""

    @property
    def meaning(self) -> str:
        """All of it, for people."""
        return f"{self.happens} {self.means}"


WITHDRAWN: Final = frozenset({"L-88", "M-88", "RF-16"})
"""Ids of rules that no longer exist."""

_HEAD: Final = re.compile(r"((?:L|M|RF)-[0-9]{2})  ([a-z, ]+?)( uncounted)?  (.+)")
_WAY: Final = re.compile(r"([0-9.]+) (<?)-> ([0-9.]+)")


def _read(texts: Mapping[str, str]) -> Iterator[Rule]:
    for ways, text in texts.items():
        for block in text.strip().split("\n\n"):
            head, happens, means = block.split("\n")
            match = _HEAD.fullmatch(head)
            if match is None:
                raise ValueError(f"not the first line of a rule: {head}")
            rule_id, effects, uncounted, objects = match.groups()
            yield Rule(
                id=rule_id,
                ways=tuple(_read_ways(ways)),
                effects=tuple(map(Effect, effects.split(", "))),
                objects=tuple(objects.split(", ")),
                happens=happens,
                means=means,
                counted=uncounted is None,
            )


def _read_ways(text: str) -> Iterator[Way]:
    for source, both, target in _WAY.findall(text):
        yield Way(Version(source), Version(target))
        if both:
            yield Way(Version(target), Version(source))


CATALOGUE: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.id: rule for rule in _read({**WAYS_2_1_1, **WAYS_2_2_AND_2_3_0})}
)
"""Every rule, by its id."""
