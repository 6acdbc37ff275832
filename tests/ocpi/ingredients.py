"""What random objects are made of. Place, party and clock are drawn once, so that the parts of an object agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from tests.ocpi.places import PLACES
from tests.ocpi.schema import Schema

COMPANIES: Final = ("Ampere Lanes", "Kilowatt & Co", "Nordlade", "Plug Harbour", "Stroomstal", "Voltwise")
TEXTS: Final = (
    "0.35 per kWh",
    "Free while you shop",
    "Behind the station",
    "Level -1, aisle C",
    "Ask at the desk",
    "Busy at noon",
)
_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Ingredients:
    """Random values for one object and everything in it."""

    def __init__(self, schema: Schema, rng: Random) -> None:
        self.schema = schema
        self.number = schema.version.split("+")[0]
        self.rng = rng
        self.place = rng.choice(PLACES)
        self.party = self.letters(3)
        self.provider = self.letters(3)
        self.clock = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(2 * 365 * 86400))
        self.fractions = rng.random() < 0.1

    def letters(self, count: int) -> str:
        return "".join(self.rng.choices(_LETTERS, k=count))

    def digits(self, count: int) -> str:
        return str(self.rng.randrange(10 ** (count - 1), 10**count))

    def hexes(self, count: int) -> str:
        return f"{self.rng.getrandbits(4 * count):0{count}X}"

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def amount(self, low: float, high: float, decimals: int = 2) -> float:
        return round(self.rng.uniform(low, high), decimals)

    def later(self) -> str:
        """The next moment of this object's story: 1 to 90 minutes after the one before."""
        self.clock += timedelta(seconds=self.rng.randrange(60, 5400))
        return self.moment(self.clock)

    def moment(self, at: datetime) -> str:
        text = at.strftime("%Y-%m-%dT%H:%M:%S")
        return text + (f".{self.rng.randrange(1000):03d}Z" if self.fractions else "Z")

    def url(self, *segments: str) -> str:
        host = f"{self.party.lower()}.example.com"
        return "https://" + "/".join((host, *segments))

    def time_of_day(self) -> str:
        return f"{self.rng.randrange(24):02d}:{self.rng.choice((0, 15, 30, 45)):02d}"
