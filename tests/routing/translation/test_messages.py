"""Whole messages: bodies of requests, and the envelopes that answer them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import astuple

from routing.errors import NotRoutable, UnreadableBody, Untranslatable
from routing.translation.crossing import Crossing, Loss
from routing.translation.kinds import Kind
from routing.translation.messages import answer_body, request_body, without_data
from routing.vocabulary import Version
from tests.routing.translation.crossings import EMSP, crossing, losses_of

_V211, _V221, _V230 = Version.V2_1_1, Version.V2_2_1, Version.V2_3_0
TOKEN = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "U1",
    "type": "RFID",
    "contract_id": "C1",
    "issuer": "Roam",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2024-05-01T10:00:00Z",
}


def _to_older(**more: Any) -> Crossing:  # noqa: ANN401 - fields of a crossing
    return crossing(_V221, _V211, owner=EMSP, **more)


def _envelope(data: Any, **more: Any) -> bytes:  # noqa: ANN401 - any JSON
    return msgspec.json.encode({"data": data, "status_code": 1000, "timestamp": "2024-06-01T12:00:00Z", **more})


def test_a_body_gets_the_shape_of_the_receivers_version() -> None:
    body = msgspec.json.decode(request_body(msgspec.json.encode(TOKEN), Kind.TOKEN, _to_older()).body)
    assert (body["auth_id"], "contract_id" in body) == ("C1", False)


def test_what_is_the_same_in_both_versions_stays_the_bytes_it_was() -> None:
    body = b'{ "session_id" : "S1", "response_url":"https://x" }'
    assert request_body(body, Kind.STOP_SESSION, _to_older()).body is body


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(UnreadableBody):
        request_body(b'{"uid": "\\ud800', Kind.TOKEN, _to_older())


def test_a_patch_of_which_nothing_is_left_is_said_to_be_empty() -> None:
    over = _to_older(patch=True)
    request_body(b'{"group_id": "G"}', Kind.TOKEN, over)
    assert over.nothing_left


@pytest.mark.parametrize("body", [b'"ACCEPTED"', b'["ACCEPTED"]', b'[{"result": "ACCEPTED"}]'])
def test_a_bare_result_of_2_1_1_becomes_an_object(body: bytes) -> None:
    over = crossing(_V211, _V221)
    assert msgspec.json.decode(request_body(body, Kind.COMMAND_RESULT, over).body)["result"] == "ACCEPTED"


def test_every_object_of_a_list_is_translated_and_the_envelope_keeps_the_rest() -> None:
    body, _, withheld = astuple(
        answer_body(_envelope([TOKEN, TOKEN], extra=[1]), Kind.TOKEN, _to_older(answer=True), paged=True)
    )
    answer = msgspec.json.decode(body)
    assert [token["auth_id"] for token in answer["data"]] == ["C1", "C1"]
    assert (answer["extra"], answer["timestamp"], withheld) == ([1], "2024-06-01T12:00:00Z", [])


def test_losses_in_a_list_are_told_with_their_place() -> None:
    over = _to_older(answer=True)
    answer_body(_envelope([TOKEN, TOKEN | {"group_id": "G"}]), Kind.TOKEN, over, paged=True)
    assert ("L-71", "/1/group_id") in losses_of(over)


def _tariff(tariff_id: str, **restrictions: int) -> dict[str, Any]:
    component = {"type": "ENERGY", "price": 1, "step_size": 1}
    element = {"price_components": [component], "restrictions": restrictions}
    return {
        "country_code": "NL",
        "party_id": "CPO",
        "id": tariff_id,
        "currency": "EUR",
        "elements": [element],
        "last_updated": "2024-05-01T10:00:00Z",
    }


def test_an_object_that_cannot_be_said_is_left_out_and_named() -> None:
    tariffs = [_tariff("T1"), _tariff("T2", min_current=6), _tariff("T3")]
    body, _, withheld = astuple(
        answer_body(
            _envelope(tariffs, status_message="Fine"), Kind.TARIFF, crossing(_V221, _V211, answer=True), paged=True
        )
    )
    answer = msgspec.json.decode(body)
    assert [tariff["id"] for tariff in answer["data"]] == ["T1", "T3"]
    assert answer["status_message"] == "M-72: 1 object(s) omitted: T2; Fine"
    assert [(left.object_id, left.refusal.rule) for left in withheld] == [("T2", "RF-06")]


def test_an_unpublished_location_is_left_out_and_not_even_named() -> None:
    place = {"country_code": "NL", "party_id": "CPO", "id": "L1", "publish": False}
    body, _, withheld = astuple(
        answer_body(_envelope([place]), Kind.LOCATION, crossing(_V221, _V211, answer=True), paged=True)
    )
    answer = msgspec.json.decode(body)
    assert (answer["data"], "status_message" in answer, len(withheld)) == ([], False, 1)


def test_what_no_object_is_goes_on_as_it_came() -> None:
    body, _, _ = astuple(answer_body(_envelope([7, None, TOKEN]), Kind.TOKEN, _to_older(answer=True), paged=True))
    assert msgspec.json.decode(body)["data"][:2] == [7, None]


def test_objects_outside_of_the_time_asked_for_are_left_out_silently() -> None:
    since, until = datetime(2024, 5, 1, 10, 0, 0, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)
    found = [
        TOKEN | {"last_updated": moment}
        for moment in ("2024-05-01T09:59:59Z", "2024-05-01T10:00:00Z", "2024-05-02T00:00:00Z", "tomorrow")
    ]
    body, _, _ = astuple(
        answer_body(_envelope(found), Kind.TOKEN, _to_older(answer=True), paged=True, within=(since, until))
    )
    answer = msgspec.json.decode(body)
    assert [token["last_updated"] for token in answer["data"]] == ["2024-05-01T10:00:00Z", "tomorrow"]
    assert "status_message" not in answer


def test_data_that_the_text_does_not_define_is_not_passed_on() -> None:
    body, loss = without_data(_envelope({"debug": 1}), _V221, _V211)
    assert ("data" in msgspec.json.decode(body), loss) == (False, Loss("L-90", "/data"))


def test_between_later_versions_that_loss_has_its_own_name() -> None:
    assert without_data(_envelope({"debug": 1}), _V230, _V221)[1] == Loss("M-71", "/data")


@pytest.mark.parametrize("nothing", [None, {}, [], ""])
def test_leaving_out_empty_data_is_no_loss(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    body, loss = without_data(_envelope(nothing), _V221, _V211)
    assert ("data" in msgspec.json.decode(body), loss) == (False, None)


def test_an_answer_without_data_stays_the_bytes_it_was() -> None:
    body = b'{ "status_code": 1000, "timestamp": "2024-06-01T12:00:00Z" }'
    assert without_data(body, _V221, _V211) == (body, None)


def test_an_answer_that_lacks_what_is_needed_is_the_receivers_fault_not_the_askers() -> None:
    session = {"country_code": "NL", "party_id": "CPO", "id": "S1", "total_cost": {"excl_vat": "many"}}
    with pytest.raises(Untranslatable) as refused:
        answer_body(_envelope(session), Kind.SESSION, crossing(_V221, _V230, answer=True))
    assert (refused.value.rule, refused.value.ocpi_status) == ("M-03", 4000)


def test_unreadable_data_is_no_answer() -> None:
    with pytest.raises(NotRoutable):
        answer_body(b'{"status_code":1000,"data":{"uid":"\\ud800"}}', Kind.TOKEN, _to_older(answer=True))


def test_an_object_of_2_1_1_that_names_another_owner_is_left_out() -> None:
    older = {"uid": "U1", "type": "RFID", "auth_id": "C1", "country_code": "DE"}
    body, _, _ = astuple(
        answer_body(
            _envelope([older | {"party_id": "OTH"}, older | {"party_id": "MSP"}, older]),
            Kind.TOKEN,
            crossing(_V211, _V221, owner=EMSP, answer=True),
            paged=True,
        )
    )
    assert [token["party_id"] for token in msgspec.json.decode(body)["data"]] == ["MSP", "MSP"]
