"""Real-time authorization, and commands with their results, between partners of different versions.

OCPI 2.1.1, 2.2.1 and 2.3.0, "Tokens" and "Commands".
"""

from __future__ import annotations

from itertools import permutations
from typing import Any
from urllib.parse import urlsplit

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner, envelope
from loadtests.simulator.messages import Received
from loadtests.simulator.stations import cards
from routing.vocabulary import Role, Version
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
    status,
)
from tests.ocpi import check

NEWER = (V22, V221, V230)
FACES = {V211: "2.1.1/emsp", V22: "2.2/sender", V221: "2.2.1/sender", V230: "2.3.0/sender"}
journeys = pytest.mark.parametrize(
    ("cpo_version", "emsp_version"), [pytest.param(*each, id=" and ".join(each)) for each in permutations(Version, 2)]
)


def with_card(both: Both, **fields: object) -> Json:
    """A card of the eMSP, which the hub has never heard of."""
    card = cards(both.emsp.party, both.emsp.version, count=1)[0]
    card |= {"uid": new_id("UID"), "valid": True, **fields}
    both.emsp.hold("tokens", card)
    return card


# --- authorization


@journeys
def test_a_known_card_is_authorized(everyone: Everyone, cpo_version: Version, emsp_version: Version) -> None:
    both = between(everyone, cpo_version, emsp_version)
    card = with_card(both)
    where: Json = {"location_id": new_id("LOC"), "evse_uids": ["1001"]}

    answer = both.cpo.post("tokens", f"{card['uid']}/authorize", to=both.emsp.party, json=where)

    assert (status(answer), answer.data["allowed"]) == ((200, 1000), "ALLOWED")
    assert check(cpo_version, "AuthorizationInfo", answer.data) == []
    assert both.emsp.received[0].json() == where
    if cpo_version is V211:
        assert "token" not in answer.data
    else:
        assert answer.data["token"]["uid"] == card["uid"]
        assert (answer.data["token"]["country_code"], answer.data["token"]["party_id"]) == both.emsp.party
    if V211 not in (cpo_version, emsp_version):
        assert answer.data["authorization_reference"] == f"AUTH-{card['uid']}"


@journeys
def test_an_unknown_card_is_unknown_in_the_words_of_who_asks(
    everyone: Everyone, cpo_version: Version, emsp_version: Version
) -> None:
    both = between(everyone, cpo_version, emsp_version)

    answer = both.cpo.post("tokens", f"{new_id('UID')}/authorize", to=both.emsp.party, json={"location_id": "LOC1"})

    assert status(answer) == (404, 2000 if cpo_version is V211 else 2004)
    assert answer.envelope.status_message == ("[2004] Unknown token" if cpo_version is V211 else "Unknown token")


def test_a_card_that_is_unknown_inside_of_http_200_is_404_for_2_1_1(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    both.emsp.answers_next(envelope({"why": "not here"}, status_code=2004, status_message="no such card"))

    answer = both.cpo.post("tokens", f"{new_id('UID')}/authorize", to=both.emsp.party, json={"location_id": "LOC1"})

    assert status(answer) == (404, 2000)
    assert answer.envelope.status_message == "[2004] no such card"
    assert answer.data == {"why": "not here"}


@pytest.mark.parametrize("code", [2002, 2003])
def test_what_else_a_2_1_1_emsp_says_to_an_authorization_is_said_to_the_cpo(everyone: Everyone, code: int) -> None:
    both = between(everyone, V230, V211)
    given = envelope(status_code=code, status_message="where, exactly?", http_status=404)
    both.emsp.answers_next(given)

    answer = both.cpo.post("tokens", f"{new_id('UID')}/authorize", to=both.emsp.party, json={"location_id": "LOC1"})

    assert (status(answer), answer.body) == ((404, code), given.body)


def test_the_type_of_a_card_has_the_name_the_receiver_knows(everyone: Everyone) -> None:
    for emsp_version, given, expected in (
        (V221, {"token_type": "OTHER"}, {"type": "OTHER"}),
        (V211, {"type": "APP_USER"}, {"type": "OTHER"}),
        (V211, {"type": "RFID"}, {"type": "RFID"}),
    ):
        both = between(everyone, V211 if emsp_version is V221 else V221, emsp_version)
        path = f"{new_id('UID')}/authorize"

        both.cpo.post("tokens", path, to=both.emsp.party, json={"location_id": "LOC1"}, params=given)

        assert both.emsp.received[0].params == expected


def test_an_app_user_is_asked_for_by_the_type_its_emsp_uses_and_remembered_with_it(everyone: Everyone) -> None:
    both = between(everyone, V211, V230)
    card = with_card(both, type="EMAID")
    path = "/".join((*both.emsp.party, card["uid"]))
    assert status(both.emsp.put("tokens", path, to=both.cpo.party, json=card, params={"type": "EMAID"})) == (200, 1000)
    assert both.cpo.received[0].json()["type"] == "OTHER"
    assert both.cpo.received[0].query == ""

    both.cpo.post("tokens", f"{card['uid']}/authorize", to=both.emsp.party, params={"type": "OTHER"})

    [asked] = both.emsp.received.of("tokens", "POST")
    assert asked.params == {"type": "EMAID"}


# --- commands


def command_of(both: Both, name: str, **fields: Any) -> Json:  # noqa: ANN401 - any JSON
    """A command of the eMSP that it wants to hear of at a URL of its own."""
    class_name = "".join(word.capitalize() for word in name.split("_"))
    url = both.emsp.url("commands", SENDER, name, new_id("42?a=1&b=%2F&c="))
    return made(both.emsp.version, class_name, both.emsp.party, response_url=url, **fields)


@journeys
@pytest.mark.parametrize("name", ["RESERVE_NOW", "START_SESSION", "STOP_SESSION", "UNLOCK_CONNECTOR"])
def test_a_command_its_answer_and_its_result_are_in_the_version_of_who_reads_them(
    hub: HubProcess, everyone: Everyone, cpo_version: Version, emsp_version: Version, name: str
) -> None:
    both = between(everyone, cpo_version, emsp_version)
    given = command_of(both, name)

    answer = both.emsp.post("commands", name, to=both.cpo.party, json=given)

    assert answer.data["result"] == "ACCEPTED"
    assert check(emsp_version, "CommandResponse", answer.data, strict=True) == []
    received = both.cpo.received[0].json()
    assert [
        problem for problem in check(cpo_version, name.title().replace("_", ""), received) if problem.kind != "charset"
    ] == []
    assert received["response_url"].startswith(f"{hub.url}/ocpi/{FACES[cpo_version]}/commands/{name}/")
    both.cpo.settle()
    [result] = both.emsp.received
    assert f"{both.emsp.base}{result.raw_path}?{result.query}" == given["response_url"]
    assert result.json() == {"result": "ACCEPTED"}
    expected = (None, None) if emsp_version is V211 else (both.emsp.party, both.cpo.party)
    assert (result.receiver, result.sender) == expected


def given_to(both: Both, name: str = "START_SESSION") -> str:
    """The URL the CPO gets for the result of a command."""
    both.cpo.command_result = None
    answer = both.emsp.post("commands", name, to=both.cpo.party, json=command_of(both, name))
    assert status(answer) == (200, 1000)
    url: str = both.cpo.received[-1].json()["response_url"]
    return url


@pytest.mark.parametrize("emsp_version", NEWER)
def test_the_bare_results_of_early_2_1_1_are_understood(everyone: Everyone, emsp_version: Version) -> None:
    both = between(everyone, V211, emsp_version)
    both.cpo.command_result = None
    both.cpo.answers_next(envelope("ACCEPTED"))

    answer = both.emsp.post("commands", "STOP_SESSION", to=both.cpo.party, json=command_of(both, "STOP_SESSION"))

    assert answer.data == {"result": "ACCEPTED", "timeout": 60}
    url = both.cpo.received[0].json()["response_url"]
    posted = both.cpo.post(url, body=b'"REJECTED"')
    assert status(posted) == (200, 1000)
    assert both.emsp.received[0].json() == {"result": "REJECTED"}


def test_results_that_2_1_1_does_not_have_are_rejections(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    for said, heard in (
        ("EVSE_OCCUPIED", "REJECTED"),
        ("UNKNOWN_RESERVATION", "REJECTED"),
        ("TIMEOUT", "TIMEOUT"),
        ("NOT_SUPPORTED", "NOT_SUPPORTED"),
    ):
        url = given_to(both)
        result = {"result": said, "message": [{"language": "en", "text": "sorry"}]}

        assert status(both.cpo.post(url, json=result)) == (200, 1000)
        assert both.emsp.received[-1].json() == {"result": heard}


def test_results_that_only_2_1_1_has_are_failures(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    url = given_to(both)

    both.cpo.post(url, json={"result": "UNKNOWN_SESSION"})

    assert both.emsp.received[-1].json() == {
        "result": "FAILED",
        "message": [{"language": "en", "text": "2.1.1 result: UNKNOWN_SESSION"}],
    }
    both.cpo.answers_next(envelope({"result": "TIMEOUT"}))
    answer = both.emsp.post("commands", "START_SESSION", to=both.cpo.party, json=command_of(both, "START_SESSION"))
    assert answer.data["result"] == "REJECTED"


def test_what_the_emsp_says_to_a_result_goes_to_the_cpo_without_data(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    url = given_to(both)
    both.emsp.answers_next(envelope({"some": "thing"}, status_message="thanks"))

    answer = both.cpo.post(url, json={"result": "ACCEPTED"})

    assert (status(answer), answer.envelope.status_message) == ((200, 1000), "thanks")
    assert "data" not in answer.json()


def test_a_2_1_1_cpo_need_not_say_to_whom_a_result_goes(everyone: Everyone) -> None:
    both = between(everyone, V211, V230)
    url = given_to(both)
    unsaid = [f"ocpi-{side}-{name}" for side in ("to", "from") for name in ("country-code", "party-id")]

    answer = both.cpo.post(url, json={"result": "ACCEPTED"}, without=unsaid)

    assert status(answer) == (200, 1000)
    assert (both.emsp.received[0].receiver, both.emsp.received[0].sender) == (both.emsp.party, both.cpo.party)


def test_a_result_without_a_result_is_defective(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    url = given_to(both)

    answer = both.cpo.post(url, json={"timeout": 5})

    assert status(answer) == (200, 2001)
    assert (answer.envelope.status_message or "").startswith("RF-02: ")
    assert not both.emsp.received
    assert status(both.cpo.post(url, json={"result": "ACCEPTED"})) == (200, 1000)


def test_an_answer_to_a_command_without_a_result_is_none_of_the_emsps_faults(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    both.cpo.answers_next(envelope({"timeout": 5}))

    answer = both.emsp.post("commands", "START_SESSION", to=both.cpo.party, json=command_of(both, "START_SESSION"))

    assert status(answer) == (200, 4000)
    assert (answer.envelope.status_message or "").startswith("RF-02: ")


def test_nobody_else_can_post_a_result_across_versions(everyone: Everyone) -> None:
    both = between(everyone, V211, V221)
    url = given_to(both)
    strangers = [both.emsp, everyone[Role.EMSP, V230], everyone[Role.CPO, V22]]

    for stranger in strangers:
        assert status(stranger.post(url, json={"result": "ACCEPTED"}))[1] in (2000, 2001)
    assert not both.emsp.received


def test_a_reservation_has_a_number_at_a_2_1_1_cpo_and_one_for_each_emsp(everyone: Everyone) -> None:
    numbers = []
    for version, reservation in ((V221, "R-1"), (V221, "R-1"), (V230, "R-1"), (V221, "R-2"), (V22, "7"), (V221, "7")):
        both = between(everyone, V211, version)
        body = command_of(both, "RESERVE_NOW", reservation_id=reservation)
        both.emsp.post("commands", "RESERVE_NOW", to=both.cpo.party, json=body)
        numbers.append(both.cpo.received[0].json()["reservation_id"])
        both.cpo.settle()

    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 5
    assert 7 in numbers[4:]
    assert all(type(number) is int for number in numbers)


def test_a_reservation_of_2_1_1_has_a_text_for_its_number(everyone: Everyone) -> None:
    both = between(everyone, V221, V211)

    both.emsp.post("commands", "RESERVE_NOW", to=both.cpo.party, json=command_of(both, "RESERVE_NOW", reservation_id=5))

    assert both.cpo.received[0].json()["reservation_id"] == "5"
    both.cpo.settle()


# --- charging profiles, between those who have them


@pytest.mark.parametrize(("cpo_version", "emsp_version"), [(V22, V221), (V221, V230), (V230, V22)])
def test_a_charging_profile_and_its_result_pass_between_newer_versions(
    everyone: Everyone, cpo_version: Version, emsp_version: Version
) -> None:
    cpo, emsp = between(everyone, cpo_version, emsp_version)
    cpo.command_result = None
    own = emsp.url("chargingprofiles", SENDER, "result")
    callbacks = [
        urlsplit(request.params["response_url"] if not request.body else request.json()["response_url"])
        for request in _asked_three_ways(cpo, emsp, own)
    ]

    for callback in callbacks:
        assert callback.path.startswith(f"/ocpi/{cpo_version}/sender/chargingprofiles/callback/")
        body = b'{ "result": "ACCEPTED" }'
        assert status(cpo.post(callback.geturl(), body=body)) == (200, 1000)
        assert (emsp.base + emsp.received[-1].raw_path, emsp.received[-1].body) == (own, body)


def _asked_three_ways(cpo: Partner, emsp: Partner, own: str) -> list[Received]:
    profile = {"charging_profile": {"charging_rate_unit": "W", "min_charging_rate": 0.10}, "response_url": own}
    query = {"response_url": own, "duration": "900"}
    emsp.get("chargingprofiles", "S1", to=cpo.party, params=query, interface=RECEIVER)
    emsp.delete("chargingprofiles", "S1", to=cpo.party, params={"response_url": own}, interface=RECEIVER)
    emsp.put("chargingprofiles", "S1", to=cpo.party, json=profile, interface=RECEIVER)
    return list(cpo.received)
