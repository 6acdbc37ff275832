"""What a partner answers to a partner of another version: its statuses, its errors, and what nobody can translate.

OCPI 2.1.1 and 2.2.1, "Status codes" and "Response format".
"""

from __future__ import annotations

from itertools import permutations

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from routing.vocabulary import Party, Role, Version
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import (
    RECEIVER,
    SENDER,
    V22,
    V211,
    V221,
    V230,
    Both,
    Everyone,
    between,
    made,
    new_id,
    path_of,
    status,
)
from tests.partners import new_party, registered

NEWER = [V22, V221, V230]
journeys = pytest.mark.parametrize(
    ("here", "there"), [pytest.param(*each, id=" to ".join(each)) for each in permutations(Version, 2)]
)


def pushed(both: Both) -> Answer:
    """What the eMSP says to a tariff."""
    body = made(both.cpo.version, "Tariff", both.cpo.party, id=new_id("T"))
    return both.cpo.put("tariffs", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=body)


# --- statuses


FOR_2_1_1 = [
    ((200, 1901), (200, 1000)),
    ((200, 2004), (404, 2000)),
    ((404, 2004), (404, 2000)),
    ((200, 2901), (200, 2000)),
    ((200, 3901), (200, 3000)),
    ((200, 4000), (200, 3000)),
    ((200, 4001), (200, 2002)),
    ((200, 4002), (200, 3000)),
    ((200, 4003), (200, 3000)),
    ((200, 4999), (200, 3000)),
]


@pytest.mark.parametrize(("said", "heard"), FOR_2_1_1)
def test_statuses_that_2_1_1_does_not_have_are_said_in_its_own(
    everyone: Everyone, said: tuple[int, int], heard: tuple[int, int]
) -> None:
    for version in NEWER:
        both = between(everyone, V211, version)
        both.emsp.answers_next(envelope(status_code=said[1], http_status=said[0], status_message="because"))

        answer = pushed(both)

        assert status(answer) == heard
        assert answer.envelope.status_message == f"[{said[1]}] because"


@pytest.mark.parametrize("code", [2000, 2001, 2002, 2003, 3000, 3001, 3002, 3003])
def test_statuses_of_all_versions_pass_as_they_are_with_all_that_is_beside_them(everyone: Everyone, code: int) -> None:
    for here, there in ((V211, V221), (V221, V211), (V230, V22)):
        both = between(everyone, here, there)
        body = b'{"status_code": %d , "data": {"hint": 1.50}, "x-own": [1e2], "timestamp":"2020-02-02T02:02:02"}' % code
        both.emsp.answers_next(Answer(200, (), body))

        answer = pushed(both)

        assert (answer.http_status, answer.body) == (200, body)


@pytest.mark.parametrize("code", [2004, 4000, 4001, 4002, 4003, 4100])
def test_errors_of_one_newer_version_are_errors_of_another(everyone: Everyone, code: int) -> None:
    for here, there in ((V221, V230), (V22, V221), (V221, V211)):
        both = between(everyone, here, there)
        both.emsp.answers_next(given := envelope(["why"], status_code=code, status_message="because"))

        assert pushed(both).body == given.body


def test_what_the_hub_itself_cannot_do_is_said_in_the_words_of_2_1_1(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    nobody = Party("NL", "NOB")
    emsp = everyone[Role.EMSP, V211]
    location = emsp.get("locations", "LOC1", to=nobody)
    assert status(location) == (200, 2003)
    assert status(emsp.get("locations", to=nobody)) == (200, 2002)
    assert (location.envelope.status_message or "").startswith("[4001] ")
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=1.5)
    both.emsp.answers_next(Behaviour(silent=True))
    late = pushed(both)
    hub.operator.change(platform_of(hub, both.emsp), timeout_s=None)
    assert (status(late), (late.envelope.status_message or "")[:7]) == ((200, 3000), "[4002] ")
    with both.emsp.port_closed():
        gone = pushed(both)
    assert (status(gone), (gone.envelope.status_message or "")[:7]) == ((200, 3000), "[4003] ")
    both.emsp.answers_next(Answer(200, (), b"<html>"))
    assert status(pushed(both)) == (200, 3000)
    both.emsp.answers_next(envelope(status_code=2000, http_status=401))
    assert status(pushed(both)) == (200, 3000)


# --- data


@journeys
def test_data_that_the_text_does_not_define_is_left_out(everyone: Everyone, here: Version, there: Version) -> None:
    both = between(everyone, here, there)
    for data in (b'{"id": "T1"}', b'"done"', b"null", b"[]", b"5"):
        both.emsp.answers_next(
            Answer(200, (), b'{"status_code":1000,"data":%s,"x-own":1.50,"timestamp":"2020-01-01T00:00:00Z"}' % data)
        )

        answer = pushed(both)

        assert answer.body == b'{"status_code":1000,"x-own":1.50,"timestamp":"2020-01-01T00:00:00Z"}'


def test_a_mark_before_the_json_is_no_part_of_it(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    body = msgspec.json.encode(made(V211, "Tariff", both.cpo.party, id="T1"))
    both.emsp.answers_next(Answer(200, (), b'\xef\xbb\xbf{"status_code": 1000}'))

    answer = both.cpo.put("tariffs", path_of(both.cpo.party, "T1"), to=both.emsp.party, body=b"\xef\xbb\xbf" + body)

    assert (status(answer), both.emsp.received[0].json()["id"]) == ((200, 1000), "T1")


def test_one_object_in_a_list_is_the_object(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    place = made(V221, "Location", both.cpo.party, id=new_id("LOC"))
    both.cpo.answers_next(envelope([place]))

    answer = both.emsp.get("locations", place["id"], to=both.cpo.party)

    assert (status(answer), answer.data["id"]) == ((200, 1000), place["id"])


def test_an_answer_of_another_kind_than_asked_for_is_for_the_reader_to_judge(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    for data in (b'"text"', b"5", b"[]", b"[5, 6]", b"true", b"null"):
        both.cpo.answers_next(Answer(200, (), b'{"data": %s, "status_code": 1000}' % data))

        answer = both.emsp.get("locations", "LOC1", to=both.cpo.party)

        assert (status(answer), msgspec.json.encode(answer.data)) == ((200, 1000), data.replace(b", ", b","))


def test_an_answer_without_data_has_none_afterwards(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    for operation in (
        ("GET", "locations", ""),
        ("GET", "locations", "LOC1"),
        ("GET", "tariffs", "?date_from=2026-01-01"),
    ):
        both.cpo.answers_next(given := envelope(status_message="nothing"))

        answer = both.emsp.start(*operation, to=both.cpo.party).result()

        assert (status(answer), answer.body) == ((200, 1000), given.body)


# --- what is the same in both versions


@pytest.mark.parametrize(
    ("here", "there", "module"),
    [
        (V22, V221, "tariffs"),
        (V221, V22, "tariffs"),
        (V22, V221, "locations"),
        (V22, V221, "tokens"),
        (V221, V22, "tokens"),
    ],
)
def test_an_object_of_one_form_in_both_versions_arrives_as_the_bytes_that_were_sent(
    everyone: Everyone, here: Version, there: Version, module: str
) -> None:
    by_cpo = module != "tokens"
    both = between(everyone, *((here, there) if by_cpo else (there, here)))
    sender, receiver = both if by_cpo else (both.emsp, both.cpo)
    key, object_id = "id" if by_cpo else "uid", new_id("ID")
    owner = b'"country_code": "%s" , "party_id":"%s"' % tuple(each.encode() for each in sender.party)
    body = b'{ %s,"%s":"%s", "type":"RFID","x-own": 1.50e1 ,"last_updated":"2026-11-22T08:00:00Z", "a":"\\u00e4"}'
    body %= owner, key.encode(), object_id.encode()

    answer = sender.put(module, path_of(sender.party, object_id), to=receiver.party, body=body)

    assert status(answer) == (200, 1000)
    assert receiver.received[0].body == body


def test_members_nobody_knows_arrive_wherever_they_are(everyone: Everyone) -> None:
    for here, there in ((V211, V230), (V230, V211), (V22, V211), (V221, V230)):
        both = between(everyone, here, there)
        body = made(here, "Tariff", both.cpo.party, id=new_id("T"))
        body["x-own"] = {"a": [1, {"b": None}]}
        body["elements"][0]["x-own"] = "deep"

        both.cpo.put("tariffs", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=body)

        received = both.emsp.received[0].json()
        assert (received["x-own"], received["elements"][0]["x-own"]) == ({"a": [1, {"b": None}]}, "deep")


@pytest.mark.parametrize(("here", "there"), [(V221, V230), (V22, V221), (V230, V22)])
def test_custom_modules_pass_between_versions_as_the_bytes_that_came(
    hub: HubProcess, here: Version, there: Version
) -> None:
    module = "nltnm-reservations"
    one = Partner("custom", {new_party(): [Role.EMSP]}, modules={(module, SENDER), ("tokens", SENDER)}, version=here)
    other = Partner(
        "custom", {new_party(): [Role.CPO]}, modules={(module, RECEIVER), ("tokens", RECEIVER)}, version=there
    )
    with registered(hub, one, other):
        for each in (one, other):
            hub.operator.change(platform_of(hub, each), custom_modules=[module])
            each.update()
        given = Answer(200, (), b'{ "data": {"id" : 1.0}, "status_code":1000 }')
        other.answers_next(given)
        body = b'{ "total_cost": {"before_taxes": 1.0} , "publish":false}'

        answer = one.put(f"{hub.url}/ocpi/{here}/receiver/{module}/any%2Fthing?x=1", to=other.party, body=body)

        assert answer.body == given.body
        [received] = other.received
        assert (received.method, received.query, received.body) == ("PUT", "x=1", body)
        assert received.raw_path.endswith(f"/{module}/receiver/any%2Fthing")
        assert (received.receiver, received.sender) == (other.party, one.party)


def test_a_message_of_one_version_is_not_touched_beside_all_that(everyone: Everyone) -> None:
    both = between(everyone, V230, V230)
    body: Json = made(V230, "Location", both.cpo.party, id=new_id("LOC"))
    raw = msgspec.json.format(msgspec.json.encode(body), indent=3)

    both.cpo.put("locations", path_of(both.cpo.party, body["id"]), to=both.emsp.party, body=raw)

    assert both.emsp.received[0].body == raw
