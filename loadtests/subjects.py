"""What `bench` compares: the hub, nginx, and the bare framework; and the partner that stands behind them.

The partner is an nginx too, which answers every message at once, so that it is never the bottleneck.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from loadtests import translated
from loadtests.hub_process import HubFailed, HubProcess, Operator
from loadtests.scenarios import Company, Scenario, message
from loadtests.simulator import Json, Partner, envelope
from loadtests.simulator.server import free_port
from routing.vocabulary import InterfaceRole, Party, Role
from tests.servers import PostgresServer, RedisServer

VOLT, ROAM = Party("NL", "VLT"), Party("DE", "ROM")
_BODY_BYTES = 1200
_START_WITHIN_S = 20.0
_UNLIMITED = {"rate_limit": "off"}


class Subject(NamedTuple):
    """One of those compared."""

    name: str
    url: str
    pid: int
    forwards: bool
    """Whether its messages reach the partner."""
    operator: Operator | None = None
    """That of a hub."""

    def check_kept_up(self, most: float) -> None:
        """Make sure that no more entries than `most` wait for being written, and none was dropped. Raises HubFailed.

        A hub that writes less than it carries would be quick at what it leaves for later.
        """
        if self.operator is not None:
            waiting, dropped = (self.operator.metric(f"ocpi_hub_journal_{end}") for end in ("waiting", "dropped_total"))
            if waiting > most or dropped:
                said = f"{waiting:.0f} entries of its journal wait, {dropped:.0f} were dropped"
                raise HubFailed(f"{self.name} did not keep up: {said}")


def location() -> bytes:
    """A location of 1.2 kB."""
    place: Json = {
        "country_code": VOLT.country_code,
        "party_id": VOLT.party_id,
        "id": "LOC1",
        "publish": True,
        "address": "Oudegracht 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.090700", "longitude": "5.121400"},
        "time_zone": "Europe/Amsterdam",
        "evses": [],
        "last_updated": "2026-11-22T08:00:00Z",
    }
    evse = {"uid": "E1", "evse_id": "NL*VLT*E1", "status": "AVAILABLE", "last_updated": "2026-11-22T08:00:00Z"}
    while len(msgspec.json.encode(place)) < _BODY_BYTES - 120:
        place["evses"].append(evse | {"uid": f"E{len(place['evses'])}", "connectors": []})
    place["name"] = "U" * (_BODY_BYTES - len(msgspec.json.encode(place)) - len(',"name":""'))
    return msgspec.json.encode(place)


@contextmanager
def nginx(folder: Path, core: int, config: str) -> Iterator[int]:
    """An nginx with this configuration in its `http` block; gives its process id. Raises HubFailed."""
    folder.mkdir()
    path = folder / "nginx.conf"
    user = getpass.getuser()  # workers of root become somebody else, who may not read the folder
    path.write_text(_NGINX.format(folder=folder, http=config, user=f"user {user};" if user == "root" else ""))
    command = ["taskset", "-c", str(core), "nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(path)]
    with process(command, folder / "error.log") as pid:
        yield pid


_NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
}}
"""


@contextmanager
def partner(folder: Path, core: int) -> Iterator[str]:
    """What stands behind hub and nginx: it answers everything at once. Gives its URL."""
    port = free_port()
    found = envelope(msgspec.Raw(location())).body.decode()
    lists = "\n".join(f"location = {path} {{ alias {page}; }}" for path, page in translated.pages(folder).items())
    config = f"""
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        default_type application/json;
        open_file_cache max=100;
        location = /counted {{ stub_status; }}
        {lists}
        location / {{
            if ($request_method = GET) {{ return 200 '{found}'; }}
            return 200 '{envelope().body.decode()}';
        }}
    }}"""
    with nginx(folder / "partner", core, config):
        wait_for(f"http://127.0.0.1:{port}/counted")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def nginx_subject(folder: Path, core: int, partner_url: str) -> Iterator[Subject]:
    """What one would use for plain routing: a map from the receiver in the headers to an upstream."""
    port, behind = free_port(), partner_url.removeprefix("http://")
    config = f"""
    map $http_ocpi_to_party_id $partner {{
        {VOLT.party_id} volt;
        {ROAM.party_id} roam;
        default "";
    }}
    upstream volt {{ server {behind}; keepalive 64; keepalive_requests 100000000; }}
    upstream roam {{ server {behind}; keepalive 64; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            if ($partner = "") {{ return 404; }}
            proxy_pass http://$partner;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Token c29tZS10b2tlbg==";
        }}
    }}"""
    with nginx(folder / "nginx", core, config) as pid:
        wait_for(f"http://127.0.0.1:{port}/")
        yield Subject("nginx", f"http://127.0.0.1:{port}", pid, forwards=True)


@contextmanager
def floor_subject(folder: Path, core: int) -> Iterator[Subject]:
    """The bare framework, which answers at once."""
    port = free_port()
    command = ["taskset", "-c", str(core), sys.executable, "-m", "uvicorn", "loadtests.floor:app", "--port", str(port)]
    command += ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
    with process(command, folder / "floor.log") as pid:
        wait_for(f"http://127.0.0.1:{port}/ocpi")
        yield Subject("floor", f"http://127.0.0.1:{port}", pid, forwards=False)


@contextmanager
def hub_subject(folder: Path, core: int, partner_url: str) -> Iterator[tuple[Subject, list[Scenario]]]:
    """The hub with everything switched on but the rate limit, and partners of three versions registered at it.

    It has its database in its own process. The partners' endpoints are at `partner_url`. Gives also the messages; the
    first ones fit nginx and the floor as well.
    """
    with ExitStack() as stack:
        hub = stack.enter_context(HubProcess(folder, _UNLIMITED, command=["taskset", "-c", str(core)]))
        company = Company(hub, partner_url, stack)
        cpo, emsp, compared = _compared(company)
        yield (
            Subject("hub", hub.url, hub.pid, forwards=True, operator=hub.operator),
            [*compared, *translated.scenarios(company, cpo, emsp)],
        )


@contextmanager
def hub_on_servers_subject(folder: Path, core: int, partner_url: str) -> Iterator[tuple[Subject, list[Scenario]]]:
    """The same on PostgreSQL and Redis, which have the other cores. Gives the messages that nginx carries, too."""
    folder.mkdir()
    with ExitStack() as stack:
        with elsewhere(core):
            postgres, redis = stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())
        stores = {"database_url": asyncio.run(postgres.create_database()), "redis_url": redis.url}
        hub = stack.enter_context(HubProcess(folder, _UNLIMITED | stores, command=["taskset", "-c", str(core)]))
        *_, compared = _compared(Company(hub, partner_url, stack))
        yield Subject("hub, PG", hub.url, hub.pid, forwards=True, operator=hub.operator), compared


@contextmanager
def hub_without_subject(
    folder: Path, core: int, partner_url: str, left_out: Sequence[str]
) -> Iterator[tuple[Subject, list[Scenario]]]:
    """The hub without these parts of `hub_without`. Gives the messages that nginx carries, too."""
    folder.mkdir()
    with ExitStack() as stack:
        command, program = ["taskset", "-c", str(core)], ["loadtests.hub_without", ",".join(left_out)]
        hub = stack.enter_context(HubProcess(folder, _UNLIMITED, command=command, program=program))
        *_, compared = _compared(Company(hub, partner_url, stack))
        name = f"without {' and '.join(left_out)}"
        yield Subject(name, hub.url, hub.pid, forwards=True, operator=hub.operator), compared


def _compared(company: Company) -> tuple[Partner, Partner, list[Scenario]]:
    """A CPO and an eMSP of 2.2.1, and the messages between them that nginx and the floor carry, too."""
    cpo, emsp = company.registered("Volt", VOLT, Role.CPO), company.registered("Roam", ROAM, Role.EMSP)
    path = f"/{'/'.join(VOLT)}/LOC1"
    put = message("put_location", "PUT", "locations", cpo, emsp, InterfaceRole.RECEIVER, path, location())
    get = message("get_location", "GET", "locations", emsp, cpo, InterfaceRole.SENDER, "/LOC1")
    return cpo, emsp, [put, get]


@contextmanager
def elsewhere(core: int) -> Iterator[None]:
    """Have this process, and the threads and processes it begins meanwhile, leave this core to the hub."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, (cores - {core}) or cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[int]:
    """Run this command while the block lasts; gives its process id. Raises HubFailed when it ends by itself."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 - commands of this file
    try:
        yield process.pid
        if process.poll() is not None:
            raise HubFailed(f"{command[3]} ended by itself: {log.read_text()[-500:]}")
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    """Until somebody answers at this URL, whatever it is. Raises HubFailed."""
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError as error:
            if time.monotonic() > deadline:
                raise HubFailed(f"nobody answers at {url}") from error
            time.sleep(0.05)
        else:
            return
