"""Nonsense from a partner whose messages have to be translated: always one OCPI answer, and the hub goes on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from random import Random
from typing import Any

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.stations import cards
from routing.vocabulary import Version
from tests.hub.scenarios.translated import (
    RECEIVER,
    SENDER,
    V22,
    V211,
    V221,
    V230,
    Everyone,
    between,
    made,
    new_id,
    path_of,
)
from tests.ocpi import example

ABSURD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    10**30,
    "",
    "\x00",
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"id": []},
    [{}, 5],
)
RAW = (
    b"-",
    b"1" * 5000,
    b"1e999999999",
    b"0." + b"0" * 5000 + b"1",
    b'"\\ud800"',
    b'"\\udfff\\ud800"',
    b'"\xff\xfe"',
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'{"id":1,"id":2}',
    b"NaN",
    b"",
)
journeys = pytest.mark.parametrize(
    ("here", "there"), [pytest.param(*each, id=" to ".join(each)) for each in permutations(Version, 2)]
)
READS = (
    ("locations", "", "Location", True),
    ("locations", "LOC1", "Location", False),
    ("locations", "LOC1/1001", "EVSE", False),
    ("sessions", "", "Session", True),
    ("cdrs", "", "CDR", True),
    ("tariffs", "", "Tariff", True),
)


@pytest.fixture(autouse=True)
def no_traceback(hub: HubProcess) -> Iterator[None]:
    """No scenario here may find a bug in the hub."""
    begin = hub.log.stat().st_size
    yield
    with hub.log.open("rb") as log:
        log.seek(begin)
        said = log.read()
    assert b"Traceback" not in said, said[said.index(b"Traceback") - 500 :][:6000].decode(errors="replace")
    assert b'"message_failed"' not in said


class Head(msgspec.Struct):
    """An envelope, whatever its data."""

    status_code: int
    status_message: str | None = None


def fine(answer: Answer, version: Version) -> None:
    """One OCPI answer, whose code the version has."""
    said = msgspec.json.decode(answer.body, type=Head)
    code = said.status_code
    assert answer.http_status in (200, 201, 400, 404)
    assert 1000 <= code < (4000 if version is V211 else 5000)
    assert "Traceback" not in answer.body.decode()
    assert code != 3000 or "failed to handle" not in (said.status_message or "")


def spoilt(value: Any, dice: Random) -> Any:  # noqa: ANN401 - any JSON
    """A copy in which some of the values are something else."""
    if dice.random() < 0.12:
        return dice.choice(ABSURD)
    if isinstance(value, dict):
        return {name: spoilt(part, dice) for name, part in value.items()}
    return [spoilt(part, dice) for part in value] if isinstance(value, list) else value


def member_by_member(body: Json) -> Iterator[Json]:
    """The object, with each of its members in turn absurd."""
    for number, name in enumerate(body):
        yield body | {name: ABSURD[number % len(ABSURD)]}
        yield body | {name: [body[name]]}


# --- answers


@journeys
def test_lists_of_nonsense_are_answered(everyone: Everyone, here: Version, there: Version) -> None:
    both = between(everyone, there, here)
    dice = Random(f"{here} {there}")
    for module, path, name, many in READS:
        for _ in range(4):
            things = [spoilt(example(there, name, dice, optional=1), dice) for _ in range(15 if many else 1)]
            content = {"data": things if many else things[0], "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"}
            both.cpo.answers_next(Answer(200, (), msgspec.json.encode(content)), module=module)
            fine(
                both.emsp.get(
                    module, path, to=both.cpo.party, params={"date_from": "2025-01-01T00:00:00Z"} if many else {}
                ),
                here,
            )


@journeys
def test_authorizations_and_answers_to_commands_of_nonsense_are_answered(
    everyone: Everyone, here: Version, there: Version
) -> None:
    dice = Random(f"{here} {there}")
    cpo, emsp = between(everyone, here, there)
    for body in member_by_member(made(there, "AuthorizationInfo", emsp.party)):
        emsp.answers_next(Answer(200, (), msgspec.json.encode({"data": spoilt(body, dice), "status_code": 1000})))
        fine(cpo.post("tokens", f"{new_id('U')}/authorize", to=emsp.party, json={"location_id": "L1"}), here)
    cpo, emsp = between(everyone, there, here)
    cpo.command_result = None
    given = made(here, "StopSession", emsp.party, response_url=emsp.url("commands", SENDER, "1"))
    for body in [*member_by_member(made(there, "CommandResponse", cpo.party)), *ABSURD]:
        cpo.answers_next(Answer(200, (), msgspec.json.encode({"data": body, "status_code": 1000})))
        fine(emsp.post("commands", "STOP_SESSION", to=cpo.party, json=given), here)


@pytest.mark.parametrize(("here", "there"), [(V211, V221), (V221, V211), (V230, V221), (V221, V22)])
def test_an_envelope_of_nonsense_is_answered(everyone: Everyone, here: Version, there: Version) -> None:
    both = between(everyone, there, here)
    place = msgspec.json.encode(made(there, "Location", both.cpo.party))
    for raw in RAW:
        for body in (
            b'{"data": %s, "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"}' % raw,
            b'{"data": [%s, %s], "status_code": 1000, "timestamp": %s}' % (place, raw, raw),
            b'{"data": [%s], "status_code": 1000, "status_message": %s}' % (place[:-1] + b',"x":' + raw + b"}", raw),
            b'{"status_code": %s}' % raw,
        ):
            both.cpo.answers_next(Answer(200, (), body))
            fine(both.emsp.get("locations", to=both.cpo.party), here)
    for link in ("<", '<http://[>; rel="next"', '<\xff>; rel="next"'):
        both.cpo.answers_next(Answer(200, (("link", link),), b'{"data": [], "status_code": 1000}'))
        fine(both.emsp.get("locations", to=both.cpo.party), here)


# --- requests


PUSHES: tuple[tuple[str, str, str, bool], ...] = (
    ("locations", "Location", "PUT", True),
    ("locations", "EVSE", "PUT", True),
    ("locations", "Connector", "PATCH", True),
    ("sessions", "Session", "PUT", True),
    ("sessions", "Session", "PATCH", True),
    ("cdrs", "CDR", "POST", True),
    ("tariffs", "Tariff", "PUT", True),
    ("tokens", "Token", "PUT", False),
    ("tokens", "Token", "PATCH", False),
)
DEPTH = {"EVSE": 1, "Connector": 2}


def sent(sender: Partner, receiver: Partner, module: str, name: str, method: str, body: bytes, own_id: str) -> Answer:
    path = "" if method == "POST" else path_of(sender.party, *(["L"] * DEPTH.get(name, 0)), own_id)
    return sender.start(method, module, path, to=receiver.party, body=body, interface=RECEIVER).result()


@journeys
@pytest.mark.parametrize(("module", "name", "method", "by_cpo"), PUSHES)
def test_objects_of_nonsense_are_answered(
    everyone: Everyone, here: Version, there: Version, module: str, name: str, method: str, by_cpo: bool
) -> None:
    dice = Random(f"{here} {there} {name} {method}")
    both = between(everyone, *((here, there) if by_cpo else (there, here)))
    sender, receiver = both if by_cpo else (both.emsp, both.cpo)
    body = made(here, name, sender.party, emsp=both.emsp.party)
    key = "uid" if "uid" in body else "id"
    bodies = [*member_by_member(body), *(spoilt(body, dice) for _ in range(10))]
    for number, each in enumerate(dice.sample(bodies, min(22, len(bodies)))):
        own_id = f"{number}"
        named = {key: own_id} if isinstance(each, dict) and isinstance(each.get(key), str) else {}
        thing = msgspec.json.encode(each | named if named else each)
        fine(sent(sender, receiver, module, name, method, thing, own_id), here)


@pytest.mark.parametrize(("here", "there"), [(V211, V221), (V221, V211), (V230, V22), (V22, V230)])
def test_bodies_that_are_hardly_json_are_answered(everyone: Everyone, here: Version, there: Version) -> None:
    both = between(everyone, here, there)
    for module, name in (("sessions", "Session"), ("tariffs", "Tariff"), ("locations", "Location")):
        whole = msgspec.json.encode(made(here, name, both.cpo.party, id="1"))
        for raw in RAW:
            for body in (raw, whole[:-1] + b',"x":' + raw + b"}", whole[:-1] + b',"last_updated":' + raw + b"}"):
                fine(sent(both.cpo, both.emsp, module, name, "PUT", body, "1"), here)


def test_a_hostile_copy_of_a_session_does_not_stop_an_update(everyone: Everyone) -> None:
    dice = Random("copies")
    for here, there in ((V221, V211), (V211, V221), (V230, V211), (V211, V22)):
        both = between(everyone, here, there)
        change: Json = {
            "charging_periods": [{"start_date_time": "2026-11-22T09:00:00Z", "dimensions": []}],
            "last_updated": "2026-11-22T10:00:00Z",
        }
        if here is not V211:
            change |= {"evse_uid": "1"}
        for each in (*ABSURD, *(spoilt(example(there, "Session", dice), dice) for _ in range(15))):
            copy = msgspec.json.encode({"data": each, "status_code": 1000})
            both.emsp.answers_next(Answer(200, (), copy), method="GET")
            both.emsp.answers_next(Answer(200, (), b'{"status_code": 1000}'), method="PATCH")
            both.cpo.answers_next(Answer(200, (), copy), module="locations")
            answer = both.cpo.patch("sessions", path_of(both.cpo.party, new_id("S")), to=both.emsp.party, json=change)
            both.emsp.script.clear()
            fine(answer, here)


def test_tariffs_of_nonsense_do_not_stop_a_patch(everyone: Everyone) -> None:
    dice = Random("tariffs")
    both = between(everyone, V211, V230)
    for each in (*ABSURD, *(spoilt([example(V211, "Tariff", dice) | {"id": "T"}], dice) for _ in range(20))):
        both.cpo.answers_next(Answer(200, (), msgspec.json.encode({"data": each, "status_code": 1000})))
        fine(
            both.cpo.patch("tariffs", path_of(both.cpo.party, "T"), to=both.emsp.party, json={"currency": "EUR"}), V211
        )
        both.cpo.script.clear()


@pytest.mark.parametrize("uid", ["%00", "%FF", "a%2Fb", "%F0%9F%98%80", "x" * 500, "%ED%A0%80", "."])
def test_ids_of_nonsense_are_answered(everyone: Everyone, uid: str) -> None:
    for here, there in ((V211, V221), (V221, V211), (V230, V22)):
        cpo, emsp = between(everyone, here, there)
        fine(
            cpo.post(
                "tokens",
                f"{uid}/authorize",
                to=emsp.party,
                json={},
                params={"type": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
            ),
            here,
        )
        card = cards(cpo.party, here, count=1)[0]
        owner = path_of(emsp.party, uid)
        emsp_card = cards(emsp.party, there, count=1)[0] | {"uid": card["uid"]}
        fine(emsp.put("tokens", owner, to=cpo.party, json=emsp_card), there)


# --- and everybody else is served


def test_a_body_of_two_megabytes_is_translated_or_refused_and_others_go_on(everyone: Everyone) -> None:
    both, others = between(everyone, V221, V211), between(everyone, V230, V22)
    place = made(V221, "Location", both.cpo.party, id="BIG")
    big = msgspec.json.encode(place | {"directions": [{"language": "en", "text": "x" * 200}] * 9000})
    under_way = both.cpo.start("PUT", "locations", path_of(both.cpo.party, "BIG"), to=both.emsp.party, body=big)
    session = made(V230, "Session", others.cpo.party, emsp=others.emsp.party, id="S1")

    for _ in range(5):
        answer = others.cpo.put("sessions", path_of(others.cpo.party, "S1"), to=others.emsp.party, json=session)
        assert answer.status_code == 1000
    assert under_way.result().http_status in (200, 413)
    both.cpo.answers_next(Answer(200, (), b'{"data": [%s], "status_code": 1000}' % big))
    assert both.emsp.get("locations", to=both.cpo.party).status_code == 1000


def test_a_long_page_of_tiny_objects_is_translated(everyone: Everyone) -> None:
    both = between(everyone, V221, V230)
    both.cpo.answers_next(Answer(200, (), b'{"data": [%s], "status_code": 1000}' % b",".join([b"{}"] * 50_000)))

    assert len(both.emsp.get("tariffs", to=both.cpo.party).data) == 50_000
