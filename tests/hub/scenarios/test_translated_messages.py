"""Every operation that two versions share, carried between a partner of one and a partner of the other.

The operations are those of the specification, the objects random ones; both partners get what their version allows.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from itertools import permutations
from random import Random
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.client import Options
from loadtests.simulator.stations import charging_network
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import RECEIVER, SENDER, V211, V221, Everyone, between, new_id, path_of, sayable
from tests.ocpi import Problem, check, example, load

MODULES = {"cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens"}
IDS = {"X-Request-ID": "request-of-a-module", "X-Correlation-ID": "conversation-of-a-module"}
Entry = Mapping[str, Any]


def called_of(entry: Entry) -> Role:
    """Who is called on this interface, by the market role."""
    if entry["interface"] in {"CPO", "EMSP"}:
        return Role(entry["interface"])
    owner = Role.EMSP if entry["module"] in {"tokens", "commands", "chargingprofiles"} else Role.CPO
    other = Role.CPO if owner is Role.EMSP else Role.EMSP
    return owner if entry["interface"] == SENDER else other


def interface_of(entry: Entry) -> InterfaceRole:
    if entry["interface"] in {"CPO", "EMSP"}:
        owner = Role.EMSP if entry["module"] in {"tokens", "commands"} else Role.CPO
        return SENDER if owner == entry["interface"] else RECEIVER
    return InterfaceRole(entry["interface"])


def key_of(entry: Entry) -> tuple[Any, ...]:
    return entry["module"], called_of(entry), entry["method"], entry["path"]


def shared(here: Version, there: Version) -> list[tuple[Entry, Entry]]:
    """The operations both versions have, each as the one and as the other describes it."""
    others = {key_of(entry): entry for entry in load(there).interfaces}
    return [
        (entry, others[key_of(entry)])
        for entry in load(here).interfaces
        if entry["module"] in MODULES and entry["path"] is not None and key_of(entry) in others
    ]


OPERATIONS = [
    pytest.param(here, there, *entries, id=" ".join((here, "to", there, *map(str, key_of(entries[0])))))
    for here, there in permutations(Version, 2)
    for entries in shared(here, there)
    if (entries[0]["module"], entries[0]["method"]) != ("tariffs", "PATCH")
    and not (there is V211 and entries[0]["module"] in {"cdrs", "sessions"} and entries[0]["paginated"])
]


def body_of(version: Version, entry: Entry, caller: Partner, called: Partner, last_id: str, rng: Random) -> Json | None:
    if entry["request"] is None:
        return None
    body: Json = example(version, entry["request"], rng, partial=entry["request_partial"])
    emsp = caller if called_of(entry) is Role.CPO else called
    sayable(body, caller.party, emsp.party)
    if entry["request_partial"]:
        for name in ("charging_periods", "location", "location_id", "evse_uid", "connector_id", "publish"):
            body.pop(name, None)  # what the hub has to look something up for
    if "response_url" in body:
        body["response_url"] = caller.url(entry["module"], SENDER, "result")
    for name in {"uid", "id"} & body.keys():
        body[name] = last_id
    return body


def answer_to(version: Version, entry: Entry, owner: Party, last_id: str, rng: Random) -> Answer:
    content: Json = {"status_code": 1000, "timestamp": "2020-02-02T02:02:02Z", "status_message": "as you like"}
    if entry["response"] is not None:
        things = [example(version, entry["response"], rng) for _ in range(3 if entry["response_list"] else 1)]
        for number, thing in enumerate(things):
            if isinstance(thing, dict):
                sayable(thing, owner)
                for name in {"uid", "id"} & thing.keys():
                    thing[name] = f"{last_id}-{number}" if entry["response_list"] else last_id
        content["data"] = things if entry["response_list"] else things[0]
    counts = (("x-total-count", "3"), ("x-limit", "3")) if entry["paginated"] else ()
    return Answer(201 if entry["method"] == "POST" else 200, counts, msgspec.json.encode(content))


def problems(version: Version, name: str, value: Any, *, partial: bool = False) -> list[Problem]:  # noqa: ANN401 - any JSON
    """What is wrong with an object. 2.1.1 says ASCII, and its partners send and read UTF-8."""
    found = check(version, name, value, partial)
    return [each for each in found if version is not V211 or each.kind != "charset"]


def token_of(called: Partner) -> set[str]:
    tokens = called.registration.their_tokens
    if called.version is V211:
        return {f"Token {token}" for token in tokens}
    return {f"Token {b64encode(token.encode()).decode()}" for token in tokens}


@pytest.mark.parametrize(("here", "there", "asked", "understood"), OPERATIONS)
def test_a_message_and_its_answer_arrive_in_the_version_of_who_reads_them(
    everyone: Everyone, here: Version, there: Version, asked: Entry, understood: Entry
) -> None:
    rng = Random(f"{here} {there} {key_of(asked)}")
    at_cpo = called_of(asked) is Role.CPO
    cpo, emsp = between(everyone, *((there, here) if at_cpo else (here, there)))
    caller, called = (emsp, cpo) if at_cpo else (cpo, emsp)
    ids = {part: new_id("I") for part in asked["path"].split("/") if part.startswith("{")}
    ids |= {"{country_code}": caller.party.country_code, "{party_id}": caller.party.party_id}
    path = "/".join(quote(ids.get(part, part), safe="") for part in asked["path"].split("/") if part)
    last_id = next((ids[part] for part in reversed(asked["path"].split("/")) if part in ids), new_id("I"))
    body = body_of(here, asked, caller, called, last_id, rng)
    owner = caller.party if "{country_code}" in asked["path"] else called.party
    given = answer_to(there, understood, owner, last_id, rng)
    called.answers_next(given)

    options: Options = {"to": called.party, "headers": IDS, "interface": interface_of(asked)}
    if body is not None:
        options["json"] = body
        if (asked["module"], asked["method"], here is V211) == ("tokens", "PUT", False):
            options["params"] = {"type": body["type"]}
    tokens = token_of(called)  # the hub may be giving it another one, as other platforms come and go
    answer = caller.start(asked["method"], asked["module"], path, **options).result()

    assert (answer.http_status, answer.status_code) == (given.http_status, 1000), answer.body
    assert (answer.envelope.status_message, answer.envelope.timestamp) == ("as you like", "2020-02-02T02:02:02Z")
    received, *looked_up = called.received
    assert {(each.module, each.method) for each in looked_up} <= {("locations", "GET")}
    assert received.method == asked["method"]
    expected_url = called.url(asked["module"], interface_of(asked), *([path] if path else []))
    assert called.base + received.raw_path == expected_url
    assert received.header("authorization") in tokens | token_of(called)
    assert received.header("x-correlation-id") == answer.header("x-correlation-id") == IDS["X-Correlation-ID"]
    assert answer.header("x-request-id") == IDS["X-Request-ID"] != received.header("x-request-id")
    assert (received.receiver, received.sender) == ((None, None) if there is V211 else (called.party, caller.party))
    assert (answer.receiver, answer.sender) == ((None, None) if here is V211 else (caller.party, called.party))
    if (asked["module"], asked["method"]) == ("tokens", "PUT"):
        assert received.params.get("type", "RFID") == (received.json()["type"] if there is not V211 else "RFID")
    if body is not None:
        partial = asked["request_partial"]
        assert problems(there, understood["request"], received.json(), partial=partial) == []
    if asked["response"] is None:
        assert "data" not in answer.json()
    else:
        things = answer.data if asked["response_list"] else [answer.data]
        assert [problem for thing in things for problem in problems(here, asked["response"], thing)] == []
        assert len(things) == (3 if asked["response_list"] else 1)
        assert [answer.header(name) for name, _ in given.headers] == [value for _, value in given.headers]


def test_an_id_that_is_too_long_has_an_alias_where_that_was_agreed(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V221)
    platforms = [platform_of(hub, each) for each in (cpo, emsp)]
    for platform_id in platforms:
        hub.operator.change(platform_id, id_alias=True)
    place = charging_network(cpo.party, V211, stations=1).locations[0] | {"id": new_id("LOC").ljust(39, "X")}
    cpo.hold("locations", place)
    cpo.command_result = None

    assert cpo.put("locations", path_of(cpo.party, place["id"]), to=emsp.party, json=place).status_code == 1000
    alias = emsp.received[0].json()["id"]
    read = emsp.get("locations", alias, to=cpo.party)
    command = {"response_url": emsp.url("commands", SENDER, "1"), "location_id": alias, "evse_uid": "1"}
    emsp.post("commands", "UNLOCK_CONNECTOR", to=cpo.party, json=command)

    for platform_id in platforms:
        hub.operator.change(platform_id, id_alias=False)
    assert len(alias) == 36
    assert emsp.received[0].raw_path.endswith(f"/{alias}")
    assert (read.data["id"], cpo.received[0].raw_path) == (alias, f"/2.1.1/locations/{place['id']}")
    assert cpo.received[1].json()["location_id"] == place["id"]
