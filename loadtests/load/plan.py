"""What a run shall be, and how one process tells the next."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

import msgspec

from loadtests.load.shapes import SHAPES, Shape
from routing.vocabulary import Party, Role, Version

PLAN_VARIABLE = "OCPI_LOADTEST_PLAN"
"""Environment variable of locust's processes: the file of the plan."""
TOKEN_VARIABLE = "OCPI_LOADTEST_TOKEN"  # noqa: S105 - the name of a variable
"""Environment variable of locust's processes: the operator token of the hub."""
MEASURED, PLATFORMS = "measured.json", "platforms.json"
"""What a run leaves in its folder: what was measured, and the names of the platforms it has registered."""
LOOPBACK = "127.0.0.1"
PARTIES_OF_A_PROCESS = 2_000
"""So many party ids each process may use; they are disjoint."""
VERSIONS = (Version.V2_1_1, Version.V2_2_1, Version.V2_3_0)


class PlanError(Exception):
    """It cannot be done so; the message is one line."""


class Part(msgspec.Struct, frozen=True):
    """One platform that takes part. Without a party it gets one of its own."""

    role: Role
    version: Version
    party: str | None = None  # NL*ABC

    @property
    def named(self) -> Party | None:
        """Its party, if it has one."""
        return None if self.party is None else Party.read(*self.party.split("*"))

    @classmethod
    def read(cls, text: str) -> Self:
        """`NL*ABC:CPO:2.2.1`. Raises PlanError."""
        match = _PART.fullmatch(text)
        if match is None:
            raise PlanError(
                f"{text!r} is not like NL*ABC:CPO:2.2.1; roles are CPO and EMSP, versions 2.1.1, 2.2.1, 2.3.0"
            )
        return cls(Role(match[2]), Version(match[3] or "2.2.1"), match[1].upper())


_PART = re.compile(r"([A-Za-z]{2}\*[A-Za-z0-9]{3}):(CPO|EMSP)(?::(2\.1\.1|2\.2\.1|2\.3\.0))?")


class Plan(msgspec.Struct, frozen=True):
    """Everything about a run but the token of the hub's operator."""

    operator_url: str
    folder: str
    shape: str = "steady"
    rate: float = 50.0
    duration_s: float = 300.0
    platforms: int = 20
    fewest: int = 2  # of them, without names: in every process there have to be a CPO and an eMSP
    versions: tuple[Version, ...] = VERSIONS
    parts: tuple[Part, ...] = ()  # played by us, instead of numbered ones
    peers: tuple[Part, ...] = ()  # played by somebody else, and talked to
    seed: int = 1
    profile: str = "fast"
    address: str = LOOPBACK
    owned: tuple[str, ...] = ()

    def arrivals(self, rate: float | None = None, duration_s: float | None = None, shape: str | None = None) -> Shape:
        """The rate over time."""
        return SHAPES[shape or self.shape](rate or self.rate, duration_s or self.duration_s)

    def part(self, number: int, process: int = 0) -> Part:
        """Who the platform with this number in this process is: CPOs and eMSPs in turn, and their versions too.

        Each process begins with the version after that of the one before, or few platforms in many processes would all
        speak the first ones.
        """
        if self.parts:
            return self.parts[number % len(self.parts)]
        role = Role.CPO if number % 2 == 0 else Role.EMSP
        shift = 0 if role is Role.CPO else 1  # so that the first CPO and the first eMSP speak different versions
        return Part(role, self.versions[(number // 2 + shift + process) % len(self.versions)])

    def save(self, path: Path) -> None:
        """For the next process."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2))

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote. Raises PlanError."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise PlanError(f"{path} is no plan of a load test: {error}") from error

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain
