"""A crawl of everybody's Locations: is it complete, how long does it take, and how much memory does the hub need?

A hundred CPOs, each a registered platform with thousands of Locations, are one small server in this process that makes
up pages as they are asked for. Two eMSPs read the whole list from the hub, following its links: one on 2.2.1, which
gets the objects as they are, and one on 2.1.1, for which each is translated. Everything stays on loopback.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import click
import httpx
import msgspec
from msgspec import Struct

from loadtests.hub_process import HubFailed, HubProcess
from loadtests.simulator import HubRefused, Partner
from loadtests.simulator.client import HubClient
from loadtests.simulator.messages import Answer, Received, envelope, header_lines, routing_headers
from loadtests.simulator.misbehaviour import Script
from loadtests.simulator.premises import Premises
from loadtests.simulator.registration import Identity, Registration
from loadtests.simulator.shapes import modules_of
from loadtests.simulator.site import Site
from loadtests.simulator.stations import location
from loadtests.simulator.stock import numbered_party
from routing.vocabulary import InterfaceRole, Party, Role, Version

_PLACE: Final = "@PLACE@"
_MODELS: Final = 20
"""Different Locations of one CPO; the others are like these, under other ids."""
_JSON: Final = ("content-type", "application/json")
_MIB: Final = 1024 * 1024
_BYTES_A_PAGE: Final = os.sysconf("SC_PAGESIZE")
_LOOK_EVERY_S: Final = 0.02
_VERSIONS: Final = (Version.V2_2_1, Version.V2_1_1)
_HUB: Final = Party("EU", "HUB")


class CPO:
    """One platform with one party and so many Locations."""

    def __init__(self, number: int, count: int, premises: Premises) -> None:
        self.number = number
        self.count = count
        self.party = numbered_party("NL", number)
        self.identity = Identity(f"CPO {number}", {self.party: [Role.CPO]}, (Version.V2_2_1,), self._modules)
        self.identity.base = premises.let(str(number), Site(self._modules, Script(), lambda _: None, self._respond))
        self.registration = Registration(self.identity, HubClient(premises.http))
        dice = random.Random(number)  # noqa: S311 - realistic, not secret
        places = [location(self.party, Version.V2_2_1, _PLACE, ["T1"], dice) for _ in range(_MODELS)]
        self._models = [msgspec.json.encode(place).split(_PLACE.encode()) for place in places]

    def _modules(self) -> Any:  # noqa: ANN401 - see `shapes.Modules`
        return modules_of(self.identity.parties)

    async def _respond(self, request: Received) -> Answer:
        if not self.registration.admits(request):
            return envelope(status_code=2000, status_message="Unknown token", http_status=401)
        if request.module in {"versions", "details", "credentials"}:
            return await self.registration.answer(request)
        return self._page(request)

    def _page(self, request: Received) -> Answer:
        offset = int(request.params.get("offset", 0))
        end = min(self.count, offset + int(request.params.get("limit", 100)))
        found = b",".join(map(self._location, range(offset, end)))
        headers = [_JSON, ("x-total-count", str(self.count)), ("x-limit", "100")]
        if end < self.count:
            link = f"{self.identity.base}{request.raw_path}?offset={end}&limit=100"
            headers.append(("link", f'<{link}>; rel="next"'))
        body = b'{"data":[' + found + b'],"status_code":1000,"timestamp":"2026-11-22T08:00:00Z"}'
        return Answer(200, tuple(headers), body)

    def _location(self, number: int) -> bytes:
        return f"L{self.number}-{number}".encode().join(self._models[number % _MODELS])


class CPOs:
    """All of them behind one port: the first segment of a path is the number of one."""

    def __init__(self, count: int, locations: int) -> None:
        self._premises = Premises("CPOs")
        self._premises.open()
        share = [locations // count + (number < locations % count) for number in range(count)]
        self.all = [CPO(number, its, self._premises) for number, its in enumerate(share)]

    def register(self, hub: HubProcess) -> None:
        """Register every one of them."""
        for each in self.all:
            invitation = hub.operator.invite(each.identity.name)
            registering = each.registration.register(invitation.versions_url, invitation.token_a, Version.V2_2_1)
            self._premises.loop.run(registering)

    def close(self) -> None:
        """Stop serving."""
        self._premises.close()


class Memory:
    """What a process holds, looked at all the time while the block lasts. Bytes."""

    def __init__(self, pid: int) -> None:
        self._statm = Path(f"/proc/{pid}/statm")
        self.idle = self.peak = self._now()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ends.wait(_LOOK_EVERY_S):
            self.peak = max(self.peak, self._now())

    def _now(self) -> int:
        return int(self._statm.read_text().split()[1]) * _BYTES_A_PAGE


class Result(Struct):
    """One crawl."""

    version: Version
    pages: int
    objects: int
    missing: int
    strange: int
    seconds: float
    extra_bytes: int

    @property
    def is_complete(self) -> bool:
        """Whether every Location came, and nothing else."""
        return self.missing == self.strange == 0


class Seen:
    """Which Locations came."""

    def __init__(self, cpos: Sequence[CPO]) -> None:
        self._seen = [bytearray(cpo.count) for cpo in cpos]
        self.objects = self.strange = 0

    def note(self, location_id: str) -> None:
        """This one."""
        number, _, index = location_id[1:].partition("-")
        self.objects += 1
        try:
            self._seen[int(number)][int(index)] = 1
        except (ValueError, IndexError):
            self.strange += 1

    @property
    def missing(self) -> int:
        """How many did not."""
        return sum(len(each) - sum(each) for each in self._seen)


def crawled(emsp: Partner, cpos: Sequence[CPO], hub: HubProcess, limit: int) -> Result:
    """Follow the links from the first page to the last. Raises HubFailed."""
    seen, pages = Seen(cpos), 0
    to = None if emsp.version is Version.V2_1_1 else _HUB
    headers = {"authorization": emsp.authorization, **dict(routing_headers(to, to and emsp.party))}
    url: str | None = f"{emsp.connection.url('locations', InterfaceRole.SENDER)}?limit={limit}"
    with Memory(hub.pid) as memory, httpx.Client(headers=headers, trust_env=False, timeout=60) as http:
        began = time.monotonic()
        while url is not None:
            response = http.get(url)
            answer = Answer(response.status_code, header_lines(response.headers.multi_items()), response.content)
            pages, url = pages + 1, answer.next_url
            if answer.status_code != 1000 or answer.header("hub-incomplete"):
                raise HubFailed(f"page {pages}: {answer.http_status} {answer.body[:300]!r}")
            for place in answer.data:
                seen.note(place["id"])
        seconds = time.monotonic() - began
    extra = memory.peak - memory.idle
    return Result(emsp.version, pages, seen.objects, seen.missing, seen.strange, seconds, extra)


def measured(cpos: int, locations: int, limit: int) -> list[Result]:
    """One crawl in each version, through one hub. Raises HubFailed or HubRefused."""
    emsps = [
        Partner(f"eMSP on {version}", {Party("DE", f"MS{index}"): [Role.EMSP]}, version=version)
        for index, version in enumerate(_VERSIONS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        everybody = CPOs(cpos, locations)
        with HubProcess(Path(folder), {"rate_limit": "off", "log_level": "warning"}) as hub:
            everybody.register(hub)
            results = []
            for emsp in emsps:
                with emsp.running():
                    hub.operator.registered(emsp)
                    results.append(crawled(emsp, everybody.all, hub, limit))
        everybody.close()
    return results


@click.command()
@click.option("--cpos", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--locations", default=200_000, show_default=True, type=click.IntRange(1, 10_000_000), help="of all CPOs")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="of a page")
def main(cpos: int, locations: int, limit: int) -> None:
    """Read the Locations of many CPOs as one list; print how long it takes, and what the hub needs for it."""
    try:
        results = measured(cpos, locations, limit)
    except (HubFailed, HubRefused, httpx.HTTPError) as error:
        click.echo(f"The crawl failed: {error}", err=True)
        sys.exit(1)
    click.echo(f"{locations:,} Locations of {cpos} CPOs on 2.2.1, one hub process, pages of {limit}")
    click.echo("reader   pages   objects   seconds   objects/s   hub's memory above idle   complete")
    for each in results:
        rate, extra = each.objects / each.seconds, each.extra_bytes / _MIB
        click.echo(
            f"{each.version:<6}{each.pages:>8,}{each.objects:>10,}{each.seconds:>10.1f}{rate:>12,.0f}"
            f"{extra:>23.1f} MiB   {'yes' if each.is_complete else f'{each.missing} missing, {each.strange} strange'}"
        )
    if not all(each.is_complete for each in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
