"""Every functional operation of every version, carried between two partners who both speak it.

The operations are those of the specification, and so are the objects: random ones, of all that it allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from routing.modules import interfaces_of
from routing.vocabulary import CONFIGURATION_MODULES, InterfaceRole, ModuleID, Party, Role, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.wire import routed, say
from tests.ocpi import example, load
from tests.partners import CPO, EMSP, new_party, partner, path_of, registered

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
SCHEMA = {version: version.value for version in Version} | {Version.V2_3_0: "2.3.0+bookings+payments"}
NOT_ROUTED = CONFIGURATION_MODULES | {"versions"}
IDS = (("X-Request-ID", "request-of-a-module"), ("X-Correlation-ID", "conversation-of-a-module"))

Entry = Mapping[str, Any]


def name_of(version: Version, entry: Entry) -> str:
    return " ".join(
        (version, entry["module"], entry["interface"], entry["method"], entry["path"] or str(entry["request"]))
    )


def is_of_everybody(version: Version, entry: Entry) -> bool:
    """Whether a list has everybody's charging in it, as that of a 2.1.1 CPO: nobody gets it as it is."""
    return version is Version.V2_1_1 and entry["module"] in {"cdrs", "sessions"} and entry["paginated"]


OPERATIONS = [
    pytest.param(version, entry, id=name_of(version, entry))
    for version in Version
    for entry in load(SCHEMA[version]).interfaces
    if entry["module"] not in NOT_ROUTED and entry["path"] is not None and not is_of_everybody(version, entry)
]
RESULTS = [
    pytest.param(version, entry, id=name_of(version, entry))
    for version in Version
    for entry in load(SCHEMA[version]).interfaces
    if entry["path"] is None and entry["module"] in {ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES}
]


class Pair(NamedTuple):
    """Two partners of one version who offer each other everything it has."""

    one: Partner
    other: Partner

    def for_(self, entry: Entry) -> tuple[Partner, Partner]:
        """Who calls, and who is called, on this interface."""
        for each in self:
            each.received.clear()
            each.script.clear()
        return (self.other, self.one) if entry["interface"] == "CPO" else (self.one, self.other)


@pytest.fixture(scope="module")
def pairs(hub: HubProcess) -> Iterator[dict[Version, Pair]]:
    """One pair of each version. In 2.1.1 it is a CPO and an eMSP, because there the interfaces follow from that."""
    everyone = {version: (_complete(version, Role.CPO), _complete(version, Role.EMSP)) for version in Version}
    with registered(hub, *(each for pair in everyone.values() for each in pair)):
        for each in everyone[Version.V2_1_1]:
            hub.operator.change(platform_of(hub, each), routing_headers_211=True)
        yield {version: Pair(*pair) for version, pair in everyone.items()}


def _complete(version: Version, role: Role) -> Partner:
    modules = None if version is Version.V2_1_1 else interfaces_of(version)
    return Partner(f"{role} with all of {version}", {new_party(): [role]}, version=version, modules=modules)


# --- what is sent


class Request(NamedTuple):
    """One request of the specification, with values."""

    path: str
    """Behind the endpoint."""
    query: str
    body: bytes | None
    response_url: str | None


def request_of(version: Version, entry: Entry, caller: Partner, rng: Random) -> Request:
    """An example of this operation, with ids that need encoding wherever the path has an id."""
    parts = [part for part in entry["path"].split("/") if part]
    values = {part: f"{part.strip('{}')} /{rng.randrange(100)}#ö" for part in parts if part.startswith("{")}
    values |= {"{country_code}": caller.party.country_code, "{party_id}": caller.party.party_id}
    url = caller.url(entry["module"], SENDER, "result", str(rng.randrange(1000)))
    body = None
    if entry["request"] is not None:
        body = example(SCHEMA[version], entry["request"], rng, partial=entry["request_partial"])
        _own(body, caller.party, url, values.get(parts[-1]) if parts else None)
    return Request(
        path="".join(f"/{quote(values[part], safe='') if part in values else part}" for part in parts),
        query="&".join(
            [*(f"{each['name']}={_value(each, url, body, rng)}" for each in entry["query"]), "x-own=a%20b+c"]
        ),
        body=None if body is None else msgspec.json.encode(body),
        response_url=url if _asks_for_a_result(entry, body) else None,
    )


def _own(thing: Json, party: Party, response_url: str, last_id: str | None) -> None:
    """Make a random object one that this party may send to this path."""
    owner = {"country_code": party.country_code, "party_id": party.party_id}
    for whole in (thing, thing.get("token"), *(thing.get("tokens") or ())):
        if isinstance(whole, dict) and owner.keys() <= whole.keys():
            whole.update(owner)
    thing.update({name: value for name, value in owner.items() if name in thing})
    if "response_url" in thing:
        thing["response_url"] = response_url
    field = next((name for name in ("uid", "id") if name in thing), None)
    if field is not None and last_id is not None:
        thing[field] = last_id


def _value(parameter: Entry, response_url: str, body: Json | None, rng: Random) -> str:
    if parameter["name"] == "response_url":
        return quote(response_url, safe="")
    if parameter["name"] == "type":
        return str((body or {}).get("type", "OTHER"))
    return "2026-01-01T00%3a00:00Z" if parameter["type"] == "DateTime" else str(rng.randrange(1, 50))


def _asks_for_a_result(entry: Entry, body: Json | None) -> bool:
    return "response_url" in (body or {}) or any(each["name"] == "response_url" for each in entry["query"])


def answer_to(version: Version, entry: Entry, rng: Random) -> Answer:
    """An example of a proper answer, in a spelling that no encoder would choose."""
    data = b"null"
    if entry["response"] is not None:
        things = [example(SCHEMA[version], entry["response"], rng) for _ in range(3)]
        data = msgspec.json.encode(things if entry["response_list"] else things[0])
    body = b'{"x-own": 1.50 ,"data": %b,\n"status_code" :1000, "timestamp":"2020-02-02T02:02:02"}' % data
    counts = (("x-total-count", "3"), ("x-limit", "3")) if entry["paginated"] else ()
    return Answer(201 if entry["method"] == "POST" else 200, counts, body)


def without_callback(body: bytes, request: Request) -> bytes:
    """What arrived, with the hub's response_url replaced by the one that was sent."""
    if request.response_url is None or not body:
        return body
    return body.replace(msgspec.json.decode(body)["response_url"].encode(), request.response_url.encode())


# --- and arrives


@pytest.mark.parametrize(("version", "entry"), OPERATIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_message_and_its_answer_arrive_as_they_were_sent(
    pairs: dict[Version, Pair], version: Version, entry: Entry, seed: int
) -> None:
    rng = Random(f"{name_of(version, entry)} {seed}")
    caller, called = pairs[version].for_(entry)
    interface = SENDER if entry["interface"] in {"SENDER", "CPO"} else RECEIVER
    request, given = request_of(version, entry, caller, rng), answer_to(version, entry, rng)
    called.answers_next(given)
    url = f"{caller.connection.url(entry['module'], interface)}{request.path}?{request.query}"

    answer = say(caller, entry["method"], url, (*IDS, *routed(called.party, caller.party)), request.body)

    assert (answer.http_status, answer.body) == (given.http_status, given.body)
    assert [answer.header(name) for name, _ in given.headers] == [value for _, value in given.headers]
    [received] = called.received
    assert received.method == entry["method"]
    assert called.base + received.raw_path == called.url(entry["module"], interface) + request.path
    assert without_callback(received.body, request) == (request.body or b"")
    if request.response_url is not None and request.body is None:
        assert _without_response_url(received.query) == _without_response_url(request.query)
    else:
        assert received.query == request.query
    assert received.header("x-correlation-id") == answer.header("x-correlation-id") == IDS[1][1]
    assert answer.header("x-request-id") == IDS[0][1] != received.header("x-request-id")
    spoken = version is not Version.V2_1_1
    assert (received.receiver, received.sender) == ((called.party, caller.party) if spoken else (None, None))
    assert (answer.receiver, answer.sender) == ((caller.party, called.party) if spoken else (None, None))


def _without_response_url(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in parse_qsl(query) if name != "response_url"]


@pytest.mark.parametrize(("version", "entry"), RESULTS)
def test_a_result_arrives_as_it_was_sent(pairs: dict[Version, Pair], version: Version, entry: Entry) -> None:
    rng = Random(name_of(version, entry))
    cpo, emsp = pairs[version]
    cpo.command_result = None
    pairs[version].for_(entry)
    asked = {"response_url": emsp.url(entry["module"], SENDER, "result"), "session_id": "S1"}
    headers = () if version is not Version.V2_1_1 else routed(cpo.party, emsp.party)
    if entry["module"] == ModuleID.COMMANDS:
        emsp.post("commands", "STOP_SESSION", to=cpo.party, json=asked, headers=headers, interface=RECEIVER)
    else:
        url = f"{emsp.connection.url(entry['module'], RECEIVER)}/S1?response_url={asked['response_url']}"
        body = msgspec.json.encode(asked) if entry["answers"] == "PUT" else None
        say(emsp, entry["answers"], url.partition("?")[0] if body else url, routed(cpo.party, emsp.party), body)
    [request] = cpo.received
    callback = (request.json() if request.body else request.params)["response_url"]
    result = msgspec.json.encode(example(SCHEMA[version], entry["request"], rng))
    given = answer_to(version, entry, rng)
    emsp.answers_next(given)

    answer = cpo.post(callback, body=result)

    assert (answer.http_status, answer.body) == (given.http_status, given.body)
    [received] = emsp.received
    assert (emsp.base + received.raw_path, received.body) == (asked["response_url"], result)


@pytest.mark.parametrize("version", list(Version))
def test_a_cdr_is_read_again_as_it_is(pairs: dict[Version, Pair], version: Version) -> None:
    rng = Random(version)
    cpo, emsp = pairs[version]
    [entry] = [
        each for each in load(version).interfaces if each["module"] == "cdrs" and each.get("url_from") is not None
    ]
    pairs[version].for_(entry)
    cdr = example(version, "CDR", rng)
    _own(cdr, cpo.party, "", None)
    headers = () if version is not Version.V2_1_1 else routed(emsp.party, cpo.party)
    location = cpo.post("cdrs", to=emsp.party, json=cdr, headers=headers, interface=RECEIVER).header("location")
    emsp.answers_next(given := answer_to(version, entry, rng))

    answer = cpo.get(location or "")

    assert (answer.http_status, answer.body) == (given.http_status, given.body)
    assert [each.method for each in emsp.received] == ["POST", "GET"]


@pytest.mark.parametrize(("from_version", "to_version"), list(permutations(Version, 2)))
def test_partners_on_different_versions_understand_each_other(
    pairs: dict[Version, Pair], from_version: Version, to_version: Version
) -> None:
    cpo, emsp = pairs[from_version].one, pairs[to_version].other
    for each in (cpo, emsp):
        each.received.clear()
    headers = () if from_version is not Version.V2_1_1 else routed(emsp.party, cpo.party)
    location = {"id": f"LOC-{from_version}"}

    answer = cpo.put(
        "locations",
        path_of(cpo.party, location["id"]),
        to=emsp.party,
        json=location,
        headers=headers,
        interface=RECEIVER,
    )

    assert answer.http_status == 200
    assert answer.status_code == 1000
    [received] = emsp.received
    assert (received.place.version, received.json()["id"]) == (to_version, location["id"])


def test_custom_modules_go_between_partners_who_may_use_them(hub: HubProcess) -> None:
    module = "nltnm-reservations"
    sender = Partner("custom", {new_party(): [Role.EMSP]}, modules={(module, SENDER), ("tokens", SENDER)})
    receiver = Partner("custom", {new_party(): [Role.CPO]}, modules={(module, RECEIVER), ("tokens", RECEIVER)})
    with registered(hub, sender, receiver, partner(CPO), partner(EMSP)) as [one, other, without, stranger]:
        for each in (one, other):
            hub.operator.change(platform_of(hub, each), custom_modules=[module])
            each.update()
        url = f"{hub.url}/ocpi/2.2.1/receiver/{module}/any/thing?x=1"

        answer = one.put(url, to=other.party, body=b'{ "a": 1.0 }')

        assert answer.sender == other.party
        [received] = other.received
        assert (received.method, received.query, received.body) == ("PUT", "x=1", b'{ "a": 1.0 }')
        assert received.raw_path.endswith(f"/{module}/receiver/any/thing")
        assert one.put(url, to=without.party, body=b"{}").status_code == 4000
        assert stranger.put(url, to=other.party, body=b"{}").http_status == 404
        assert len(other.received) == 1
