"""What the hub leaves alone in the objects it carries, and the little it checks.

OCPI 2.2.1, "Types", "Transport and format" and "Client Owned Objects".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, Partner, envelope
from routing.vocabulary import InterfaceRole, Party, Version
from tests.hub.scenarios.wire import routed, say
from tests.ocpi import example
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER


def status(answer: Answer) -> tuple[int, int]:
    return answer.http_status, answer.status_code


@pytest.fixture(scope="module")
def newest(hub: HubProcess) -> Iterator[list[Partner]]:
    """A CPO and an eMSP on 2.3.0."""
    with registered(hub, partner(CPO, Version.V2_3_0), partner(EMSP, Version.V2_3_0)) as both:
        yield both


def push_location(cpo: Partner, emsp: Partner, body: bytes) -> Answer:
    return cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, body=body)


# --- what is left alone


def test_a_body_arrives_as_the_bytes_that_were_sent(cpo: Partner, emsp: Partner) -> None:
    owner = cpo.party
    body = (
        f'{{ "id":"LOC1",\n\t"country_code" : "{owner.country_code}", "party_id":"{owner.party_id}",'
        '"x-unknown":{"deeper":[null,{"a":1,"a":2}]},"same":1,"same":2,'
        '"price":0.10,"exact":12345678901234567890123,"small":1.50e-7,"minus":-0,'
        '"city":"Göttingen","emoji":"\\ud83d\\udd0c","slash":"\\/","name":"#NA","parking_type":"ON_THE_MOON",'
        '"last_updated":"2026-01-01T00:00:00.1234567Z","evses":[],"operator":null } \n'
    ).encode()

    assert status(push_location(cpo, emsp, body)) == (200, 1000)
    assert emsp.received[0].body == body


def test_an_answer_arrives_as_the_bytes_that_were_sent(cpo: Partner, emsp: Partner) -> None:
    body = (
        '{"x-unknown": 1.0, "data" : {"price":0.10,"exact":12345678901234567890123, "name":"Åsa","b":[],"a":null},'
        '"status_code":1000 ,"timestamp":"2026-01-01T00:00:00"}\n'
    ).encode()
    cpo.answers_next(Answer(200, (("content-type", "application/json"),), body))

    assert emsp.get("locations", "LOC1", to=cpo.party).body == body


def test_values_of_open_enums_arrive_as_they_are(newest: list[Partner]) -> None:
    cpo, emsp = newest
    whole = example("2.3.0", "Location", Random(1), optional=1)
    whole |= {"id": "LOC1", "country_code": cpo.party.country_code, "party_id": cpo.party.party_id}
    whole["evses"][0]["capabilities"] = ["TELEPORT", "RFID_READER"]
    whole["evses"][0]["connectors"][0]["standard"] = "IEC_99999_T9"
    body = msgspec.json.encode(whole)
    emsp.received.clear()

    assert status(push_location(cpo, emsp, body)) == (200, 1000)
    assert emsp.received[0].body == body


@pytest.mark.parametrize(
    "moment",
    [
        "2015-06-29T20:39:09Z",
        "2015-06-29T20:39:09",
        "2016-12-29T17:45:09.2Z",
        "2016-12-29T17:45:09.2",
        "2018-01-01T01:08:01.123Z",
        "2018-01-01T01:08:01+00:00",
        "2018-01-01T01:08:01+0200",
        "1999-01-01T00:00Z",
    ],
)
def test_last_updated_arrives_in_the_spelling_of_its_owner(cpo: Partner, emsp: Partner, moment: str) -> None:
    push_location(cpo, emsp, msgspec.json.encode(location(cpo.party)))
    path = path_of(cpo.party, "LOC1")
    answers = [
        cpo.put("locations", path, to=emsp.party, json=location(cpo.party) | {"last_updated": moment}),
        cpo.patch("locations", path, to=emsp.party, json={"name": "new", "last_updated": moment}),
    ]

    assert [status(each) for each in answers] == [(200, 1000)] * 2
    assert [request.json()["last_updated"] for request in emsp.received[1:]] == [moment] * 2


def test_a_byte_order_mark_is_removed_on_both_ways(cpo: Partner, emsp: Partner) -> None:
    body = msgspec.json.encode(location(cpo.party))
    given = envelope().body
    emsp.answers_next(Answer(200, (), b"\xef\xbb\xbf" + given))

    answer = push_location(cpo, emsp, b"\xef\xbb\xbf" + body)

    assert emsp.received[0].body == body
    assert answer.body == given


@pytest.mark.parametrize("empty", [{"evses": None}, {"evses": []}, {}], ids=["null", "empty list", "absent"])
def test_null_an_empty_list_and_nothing_are_alike_for_what_is_optional(
    cpo: Partner, emsp: Partner, empty: Json
) -> None:
    body = msgspec.json.encode(location(cpo.party) | {"country_code": None, "party_id": None} | empty)

    assert status(push_location(cpo, emsp, body)) == (200, 1000)
    assert emsp.received[0].body == body


@pytest.mark.parametrize("data", [b"", b'"data":null,', b'"data":[],', b'"data":{},', b'"data":"",'])
def test_data_may_be_absent_or_empty_in_an_answer(cpo: Partner, emsp: Partner, data: bytes) -> None:
    given = b"{%b" % data + b'"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    emsp.answers_next(Answer(200, (), given))

    answer = push_location(cpo, emsp, msgspec.json.encode(location(cpo.party)))

    assert (answer.http_status, answer.body) == (200, given)


def test_no_data_available_is_no_id_that_could_be_wrong(cpo: Partner, emsp: Partner) -> None:
    body = msgspec.json.encode(location(cpo.party) | {"id": "#NA", "party_id": "#NA", "country_code": "#NA"})

    assert status(push_location(cpo, emsp, body)) == (200, 1000)
    assert emsp.received[0].body == body


@pytest.mark.parametrize("body", [b"", b"null", b" \n", None], ids=["empty", "null", "blank", "none"])
def test_authorize_needs_no_body(cpo: Partner, emsp: Partner, body: bytes | None) -> None:
    emsp.hold("tokens", token(emsp.party, "CARD"))
    url = cpo.connection.url("tokens", SENDER) + "/CARD/authorize?type=RFID"

    answer = say(cpo, "POST", url, routed(emsp.party, cpo.party), body)

    assert (status(answer), answer.data["allowed"]) == ((200, 1000), "ALLOWED")
    [request] = emsp.received
    assert (request.body, request.query) == (body or b"", "type=RFID")


def test_authorize_with_a_place_carries_it(cpo: Partner, emsp: Partner) -> None:
    emsp.hold("tokens", token(emsp.party, "CARD"))
    place = {"location_id": "LOC1", "evse_uids": ["1"]}

    answer = cpo.post("tokens", "CARD/authorize", to=emsp.party, json=place)

    assert status(answer) == (200, 1000)
    assert emsp.received[0].json() == place


# --- whose object, and which one


@pytest.mark.parametrize("field", ["id", "country_code", "party_id"])
def test_an_object_that_is_another_than_the_url_says_goes_nowhere(cpo: Partner, emsp: Partner, field: str) -> None:
    path = path_of(cpo.party, "LOC1")
    wrong = {field: "XX", "last_updated": "2026-01-01T00:00:00Z"}
    answers = [
        cpo.put("locations", path, to=emsp.party, json=location(cpo.party) | wrong),
        cpo.patch("locations", path, to=emsp.party, json=wrong),
    ]

    assert [status(each) for each in answers] == [(200, 2001)] * 2
    assert not emsp.received


def test_parts_of_a_location_have_to_be_the_ones_of_the_url(cpo: Partner, emsp: Partner) -> None:
    for path, whole in (("LOC1/E1", {"uid": "E2"}), ("LOC1/E1/1", {"id": "2"})):
        answer = cpo.put("locations", path_of(cpo.party, path), to=emsp.party, json=whole)

        assert status(answer) == (200, 2001)
    assert not emsp.received


@pytest.mark.parametrize(
    ("module", "whole"), [("sessions", {"id": "X"}), ("tariffs", {"id": "X"}), ("tokens", {"uid": "X"})]
)
def test_sessions_tariffs_and_tokens_have_to_be_the_ones_of_the_url(
    cpo: Partner, emsp: Partner, module: str, whole: Json
) -> None:
    sending, to = (emsp, cpo) if module == "tokens" else (cpo, emsp)
    for change in ({}, {"id": "1", "uid": "1", "party_id": "XXX"}):
        answer = sending.put(module, path_of(sending.party, "1"), to=to.party, json=whole | change)

        assert status(answer) == (200, 2001)
    assert not to.received


def test_ids_and_parties_are_compared_without_regard_to_case_and_keep_theirs(cpo: Partner, emsp: Partner) -> None:
    whole = location(Party("nl", cpo.party.party_id.lower()), "loc1")
    path = path_of(Party("Nl", cpo.party.party_id), "LOC1")

    answer = cpo.put("locations", path, to=emsp.party, json=whole)

    assert status(answer) == (200, 1000)
    [request] = emsp.received
    assert request.raw_path.endswith(path)
    assert request.json() == whole


def test_an_id_in_the_url_is_compared_decoded(cpo: Partner, emsp: Partner) -> None:
    path = path_of(cpo.party, "A%20B%2F%C3%B61")

    answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party, "A B/ö1"))

    assert status(answer) == (200, 1000)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_nobody_can_push_under_the_name_of_another_platform(
    cpo: Partner, other_cpo: Partner, emsp: Partner, method: str
) -> None:
    for owner in (other_cpo.party, emsp.party, new_party(), Party("EU", "HUB")):
        path = path_of(owner, "LOC1")
        sent = cpo.start(method, "locations", path, to=emsp.party, interface=RECEIVER, json=location(owner))
        answer = sent.result()

        assert status(answer) == (404, 2000)
        assert (answer.receiver, answer.sender) == (cpo.party, Party("EU", "HUB"))
    assert not emsp.received


def test_a_cdr_of_another_platform_goes_nowhere(cpo: Partner, other_cpo: Partner, emsp: Partner) -> None:
    cdr = {"id": "CDR1", "country_code": other_cpo.party.country_code, "party_id": other_cpo.party.party_id}

    assert status(cpo.post("cdrs", to=emsp.party, json=cdr)) == (200, 2001)
    assert not emsp.received


def test_a_command_with_the_token_of_another_platform_goes_nowhere(
    cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    command = {"response_url": emsp.url("commands", SENDER, "START_SESSION", "1"), "location_id": "LOC1"}
    for owner in (other_emsp.party, cpo.party, new_party()):
        answer = emsp.post("commands", "START_SESSION", to=cpo.party, json=command | {"token": token(owner)})

        assert status(answer) == (200, 2001)
    assert not cpo.received


def test_a_sibling_party_may_own_what_is_pushed(hub: HubProcess, emsp: Partner) -> None:
    first, second = new_party(), new_party()
    with registered(hub, Partner("two CPOs", {first: CPO, second: CPO})) as [two]:
        answer = two.put("locations", path_of(second, "LOC1"), to=emsp.party, sender=first, json=location(second))

        assert status(answer) == (200, 1000)
        assert emsp.received[0].sender == first


def test_the_type_of_a_token_contradicts_the_body_only_if_the_url_names_one(cpo: Partner, emsp: Partner) -> None:
    path, app = path_of(emsp.party, "1"), token(emsp.party, "1") | {"type": "APP_USER"}
    answers = [
        emsp.put("tokens", path, to=cpo.party, json=app),
        emsp.put("tokens", path, to=cpo.party, json=app, params={"type": "APP_USER"}),
        emsp.put("tokens", path, to=cpo.party, json=app, params={"type": "RFID"}),
    ]

    assert [each.status_code for each in answers] == [1000, 1000, 2001]
    assert [request.query for request in cpo.received] == ["", "type=APP_USER"]


# --- PATCH


@pytest.mark.parametrize("missing", [{}, {"last_updated": None}, {"last_updated": ""}], ids=["absent", "null", "empty"])
def test_a_patch_says_when_its_object_was_updated(cpo: Partner, emsp: Partner, missing: Json) -> None:
    answers = [
        cpo.patch("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"name": "new"} | missing),
        cpo.patch("locations", path_of(cpo.party, "LOC1/E1"), to=emsp.party, json={"status": "BLOCKED"} | missing),
        cpo.patch("sessions", path_of(cpo.party, "S1"), to=emsp.party, json={"kwh": 1} | missing),
        emsp.patch("tokens", path_of(emsp.party, "1"), to=cpo.party, json={"valid": False} | missing),
    ]

    assert [status(each) for each in answers] == [(200, 2001)] * 4
    assert not emsp.received
    assert not cpo.received


def test_a_patch_of_2_1_1_needs_no_last_updated(older_cpo: Partner, older_emsp: Partner) -> None:
    headers = routed(older_emsp.party, older_cpo.party)
    older_cpo.put("locations", path_of(older_cpo.party, "LOC1"), json={"id": "LOC1"}, headers=headers)
    body = b'{ "name": "new" }'

    answer = older_cpo.patch("locations", path_of(older_cpo.party, "LOC1"), body=body, headers=headers)

    assert status(answer) == (200, 1000)
    assert older_emsp.received[1].body == body


def test_a_patch_of_a_terminal_needs_no_last_updated(hub: HubProcess, newest: list[Partner]) -> None:
    cpo, _ = newest
    ptp = Partner("payment terminals", {new_party(): EMSP}, version=Version.V2_3_0, modules={("payments", SENDER)})
    with registered(hub, ptp):
        ptp.answers_next(envelope())
        answer = cpo.patch("payments", "terminals/T1", to=ptp.party, json={"location_ids": ["LOC1"]}, interface=SENDER)

        assert status(answer) == (200, 1000)


# --- the hub's own answers


def test_the_hubs_own_answers_are_envelopes_with_a_time_in_utc(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    answers = [
        emsp.get("locations", to=new_party()),
        emsp.get("locations", to=cpo.party, sender=cpo.party),
        emsp.get(f"{hub.url}/ocpi/2.2.1/sender/nothing"),
        emsp.get(f"{hub.url}/nothing/at/all"),
        emsp.get(f"{hub.url}/ocpi/9.9"),
        emsp.get(emsp.connection.versions_url),
        emsp.get("credentials"),
        say(emsp, "GET", f"{hub.url}/ocpi/versions?x={'x' * 5000}"),
        say(emsp, "POST", emsp.connection.versions_url),
    ]

    for answer in answers:
        stamp = answer.json()["timestamp"]
        moment = datetime.fromisoformat(stamp)
        assert stamp.endswith("Z")
        assert len(stamp) <= 25
        assert abs((datetime.now(moment.tzinfo) - moment).total_seconds()) < 60
        assert answer.header("content-type") == "application/json"
        assert answer.body.isascii() or answer.body.decode()
        assert (answer.json()["status_code"] == 1000) is ("data" in answer.json())
