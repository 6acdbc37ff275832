"""Commands between the versions, the answer to each, and its result."""

from __future__ import annotations

from copy import deepcopy
from itertools import islice, pairwise
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import commands
from routing.translation.crossing import AnsweredByHub, Crossing, Step
from routing.translation.questions import ReservationNumber
from routing.vocabulary import Party, Version
from tests.routing.translation.crossings import losses_of

from .crossings import CPO, EMSP, crossing

ADDRESSES: dict[str, Any] = {"owner": EMSP}
UUID = "7D2F0B9E-41C3-4D0A-9F61-0C2A5B7E1D44"
EMX = Party("NL", "EMX")
OLDER_TOKEN: dict[str, Any] = {"uid": "U1", "type": "RFID", "auth_id": "C1"}
TOKEN: dict[str, Any] = {"country_code": "DE", "party_id": "MSP", "uid": "U1", "type": "RFID", "contract_id": "C1"}


def up(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_1_1, Version.V2_2_1, **ADDRESSES | more)


def down(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a Crossing
    return crossing(Version.V2_2_1, Version.V2_1_1, **ADDRESSES | more)


# Commands


@pytest.mark.parametrize("step", [commands.start_session_from_2_1_1, commands.reserve_now_from_2_1_1])
def test_the_token_of_a_command_is_that_of_the_emsp_that_sends_it(step: Step) -> None:
    body = {"token": OLDER_TOKEN, "location_id": "L1", "x": 1}
    over = up()

    assert step(body, over) == {"token": TOKEN, "location_id": "L1", "x": 1}
    assert over.losses == []
    assert body["token"] == OLDER_TOKEN


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (commands.start_session_from_2_1_1, "location_id"),
        (commands.start_session_from_2_1_1, "evse_uid"),
        (commands.reserve_now_from_2_1_1, "evse_uid"),
        (commands.unlock_connector_from_2_1_1, "location_id"),
        (commands.unlock_connector_from_2_1_1, "evse_uid"),
    ],
)
def test_an_id_of_a_command_that_is_too_long_is_refused(step: Step, name: str) -> None:
    assert step({name: "x" * 36}, up()) == {name: "x" * 36}
    with pytest.raises(Untranslatable, match=r"^RF-01"):
        step({name: "x" * 37}, up())


def test_what_2_1_1_says_of_later_members_stays_if_it_can() -> None:
    over = up()

    assert commands.start_session_from_2_1_1({"connector_id": "1", "authorization_reference": 5}, over) == {
        "connector_id": "1"
    }
    assert losses_of(over) == [("L-01", "/authorization_reference")]


def test_start_session_for_2_1_1_names_no_connector_and_no_reference() -> None:
    token = TOKEN | {"type": "AD_HOC_USER"}
    body = {"token": token, "evse_uid": "E1", "connector_id": "1", "authorization_reference": "ar"}
    over = down()

    assert commands.start_session_to_2_1_1(body, over) == {
        "token": OLDER_TOKEN | {"type": "OTHER"},
        "evse_uid": "E1",
    }
    assert {loss.id for loss in over.losses} == {"L-06", "L-33", "L-70", "L-81"}
    assert ("L-70", "/token/type") in losses_of(over)
    assert body["token"] == token


def test_start_session_for_2_2_names_no_connector() -> None:
    over = crossing(Version.V2_2_1, Version.V2_2)

    assert commands.start_session_to_2_2({"connector_id": "2", "evse_uid": "E"}, over) == {"evse_uid": "E"}
    assert losses_of(over) == [("M-87", "/connector_id")]


def test_a_2_2_partner_can_have_the_connector_all_the_same() -> None:
    over = crossing(Version.V2_2_1, Version.V2_2, destination=Quirks(additive="keep"))

    assert commands.start_session_to_2_2({"connector_id": "2"}, over) == {"connector_id": "2"}
    assert over.losses == []


def test_the_token_of_a_command_has_a_type_the_receiver_has() -> None:
    over = crossing(Version.V2_3_0, Version.V2_2_1, **ADDRESSES)

    assert commands.token_from_2_3_0({"token": {"uid": "U1", "type": "EMAID"}}, over) == {
        "token": {"uid": "U1", "type": "OTHER"}
    }
    assert losses_of(over) == [("M-40", "/token/type")]


def test_a_command_for_2_3_0_is_not_changed_otherwise() -> None:
    body = {"token": TOKEN, "connector_id": "2", "x": {"y": 1}}

    assert commands.token_to_2_3_0(body, crossing(Version.V2_2_1, Version.V2_3_0, **ADDRESSES)) == body


def test_the_end_of_a_reservation_fits_into_25_characters() -> None:
    body = {"expiry_date": "2024-03-01T09:00:00.123456Z"}

    for step, over in ((commands.reserve_now_from_2_1_1, up()), (commands.reserve_now_to_2_1_1, down())):
        assert step(body, over) == {"expiry_date": "2024-03-01T09:00:00.1234Z"}
        assert losses_of(over) == [("L-02", "/expiry_date")]


# The number of a reservation


@pytest.mark.parametrize(
    ("number", "text"), [(4711, "4711"), (0, "0"), (-3, "-3"), ("R1", "R1"), (None, None), (True, True)]
)
def test_the_number_of_a_reservation_is_a_text_since_2_2(number: object, text: object) -> None:
    assert commands.reserve_now_from_2_1_1({"reservation_id": number}, up()) == {"reservation_id": text}


def number(reservation_id: str, emsp: Party = EMX) -> int:
    return next(commands.reservation_numbers(emsp, reservation_id))


def test_a_number_that_is_small_enough_stays_what_it_is() -> None:
    over = down()

    assert commands.reserve_now_to_2_1_1({"reservation_id": "4711"}, over) == {"reservation_id": 4711}
    assert over.losses == []
    assert (number("0"), number("1073741823")) == (0, 1073741823)


def test_any_other_id_of_a_reservation_becomes_a_number_of_its_own() -> None:
    assert number(UUID) == number(UUID.lower()) == 1975328835
    for text in ("1073741824", "007", "-1", "1.0", "", "٣", "99999999999999999999"):
        assert 1073741824 <= number(text) <= 2147483647
    assert number(UUID, EMSP) != number(UUID)


def test_the_loss_of_an_id_that_is_no_number_is_told() -> None:
    over = down(emsp=EMX)

    assert commands.reserve_now_to_2_1_1({"reservation_id": UUID}, over) == {"reservation_id": 1975328835}
    assert losses_of(over) == [("L-80", "/reservation_id")]


def test_a_number_that_is_taken_gives_way_to_one_of_the_hub() -> None:
    first, second = islice(commands.reservation_numbers(EMX, "4711"), 2)

    assert (first, second) == (4711, 1460462385)


def test_numbers_of_the_hub_follow_one_another_and_begin_again() -> None:
    numbers = list(islice(commands.reservation_numbers(EMX, UUID), 100))

    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
    last = next(text for text in map(str, range(10**9, 10**10)) if number(f"r{text}") > 2147483647 - 2**16)
    following = islice(commands.reservation_numbers(EMX, f"r{last}"), 2**16 + 1)
    assert min(following) == 1073741824


def test_the_number_that_was_given_out_counts() -> None:
    question = ReservationNumber(CPO, EMX, "4711", 4711)
    over = down(cpo=CPO, emsp=EMX, known={question: 1460462385})

    assert commands.reserve_now_to_2_1_1({"reservation_id": "4711"}, over) == {"reservation_id": 1460462385}
    assert losses_of(over) == [("L-80", "/reservation_id")]


def test_before_anybody_is_asked_the_computed_number_stands() -> None:
    over = down(cpo=CPO, emsp=EMX)
    commands.reserve_now_to_2_1_1({"reservation_id": "4711"}, over)

    assert over.asked == [ReservationNumber(CPO, EMX, "4711", 4711)]


def test_a_reservation_without_a_number_of_its_own_is_rejected_by_the_hub() -> None:
    over = down(cpo=CPO, emsp=EMX, known={ReservationNumber(CPO, EMX, "4711", 4711): None})

    with pytest.raises(AnsweredByHub) as answered:
        commands.reserve_now_to_2_1_1({"reservation_id": "4711"}, over)

    assert answered.value.rule == "RF-14"
    [message] = answered.value.data.pop("message")
    assert answered.value.data == {"result": "REJECTED", "timeout": 0}
    assert message["text"].startswith("RF-14: ")


# What the CPO says at once


def test_an_accepted_command_gets_the_timeout_of_its_cpo() -> None:
    over = up(origin=Quirks(command_timeout_s=90))

    assert commands.response_from_2_1_1({"result": "ACCEPTED"}, over) == {"result": "ACCEPTED", "timeout": 90}
    assert losses_of(over) == [("L-83", "/timeout")]


@pytest.mark.parametrize("result", ["REJECTED", "NOT_SUPPORTED", "UNKNOWN_SESSION", "HMM"])
def test_nothing_follows_on_a_command_that_is_not_accepted(result: str) -> None:
    assert commands.response_from_2_1_1({"result": result}, up()) == {"result": result, "timeout": 0}


def test_a_timeout_at_once_is_a_rejection_since_2_2() -> None:
    over = up()

    assert commands.response_from_2_1_1({"result": "TIMEOUT"}, over) == {
        "result": "REJECTED",
        "timeout": 0,
        "message": [{"language": "en", "text": "2.1.1 result: TIMEOUT"}],
    }
    assert losses_of(over) == [("L-84", "/result"), ("L-83", "/timeout")]


def test_what_2_1_1_says_of_timeout_and_message_stays() -> None:
    response = {"result": "TIMEOUT", "timeout": 5, "message": [{"language": "nl", "text": "Te laat"}]}

    assert commands.response_from_2_1_1(response, up()) == response | {"result": "REJECTED"}


@pytest.mark.parametrize(("name", "value"), [("timeout", "5"), ("timeout", -1), ("message", "no")])
def test_what_2_1_1_says_of_timeout_and_message_must_be_valid(name: str, value: object) -> None:
    over = up()

    assert commands.response_from_2_1_1({"result": "REJECTED", name: value}, over) == {
        "result": "REJECTED",
        "timeout": 0,
    }
    assert ("L-01", f"/{name}") in losses_of(over)


@pytest.mark.parametrize("result", ["ACCEPTED", "REJECTED", "NOT_SUPPORTED", "UNKNOWN_SESSION", "TIMEOUT"])
def test_an_answer_for_2_1_1_is_its_result(result: str) -> None:
    over = down()

    assert commands.response_to_2_1_1({"result": result, "timeout": 30, "message": [{}], "x": 1}, over) == {
        "result": result,
        "x": 1,
    }
    assert {loss.id for loss in over.losses} == {"L-82"}


# What became of it


@pytest.mark.parametrize("result", ["ACCEPTED", "REJECTED", "NOT_SUPPORTED", "TIMEOUT"])
def test_results_that_both_have_stay(result: str) -> None:
    for step, over in ((commands.result_from_2_1_1, up()), (commands.result_to_2_1_1, down())):
        assert step({"result": result}, over) == {"result": result}
        assert over.losses == []


def test_an_unknown_session_is_a_failure_since_2_2() -> None:
    over = up()

    assert commands.result_from_2_1_1({"result": "UNKNOWN_SESSION"}, over) == {
        "result": "FAILED",
        "message": [{"language": "en", "text": "2.1.1 result: UNKNOWN_SESSION"}],
    }
    assert losses_of(over) == [("L-86", "/result")]


@pytest.mark.parametrize(
    "result", ["CANCELED_RESERVATION", "EVSE_OCCUPIED", "EVSE_INOPERATIVE", "FAILED", "UNKNOWN_RESERVATION"]
)
def test_every_failure_is_a_rejection_in_2_1_1(result: str) -> None:
    over = down()

    assert commands.result_to_2_1_1({"result": result, "message": [{"text": "belegt"}]}, over) == {"result": "REJECTED"}
    assert losses_of(over) == [("L-85", "/result"), ("L-87", "/message")]


def test_a_partner_can_have_the_results_as_they_are() -> None:
    over = down(destination=Quirks(enum_passthrough=True))

    assert commands.result_to_2_1_1({"result": "FAILED"}, over) == {"result": "FAILED"}


@pytest.mark.parametrize(
    "step",
    [
        commands.response_from_2_1_1,
        commands.response_to_2_1_1,
        commands.result_from_2_1_1,
        commands.result_to_2_1_1,
    ],
)
def test_an_answer_without_result_says_nothing(step: Step) -> None:
    with pytest.raises(Untranslatable, match=r"^RF-02") as refused:
        step({"timeout": 5}, down())
    assert refused.value.ocpi_status == 2001


COMMAND = {"token": TOKEN, "reservation_id": UUID, "connector_id": "1", "location_id": "L", "expiry_date": "x" * 30}
ANSWER = {"result": "TIMEOUT", "message": [{"text": "x"}], "timeout": "bad"}


@pytest.mark.parametrize(
    ("step", "body"),
    [
        (commands.reserve_now_from_2_1_1, COMMAND),
        (commands.reserve_now_to_2_1_1, COMMAND),
        (commands.start_session_from_2_1_1, COMMAND),
        (commands.start_session_to_2_1_1, COMMAND),
        (commands.start_session_to_2_2, COMMAND),
        (commands.token_from_2_3_0, COMMAND),
        (commands.response_from_2_1_1, ANSWER),
        (commands.response_to_2_1_1, ANSWER),
        (commands.result_from_2_1_1, ANSWER),
        (commands.result_to_2_1_1, ANSWER),
    ],
)
def test_no_step_changes_what_it_is_given(step: Step, body: dict[str, Any]) -> None:
    before = deepcopy(body)
    step(body, down())

    assert body == before
