"""Real-time authorization between the versions: where somebody wants to charge, and whether they may."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import authorizations
from routing.translation.questions import TokenFacts, TokensOfUid
from routing.vocabulary import Version
from tests.routing.translation.crossings import losses_of

from .crossings import EMSP, crossing

TOKEN: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "U1",
    "type": "RFID",
    "contract_id": "#NA",
    "issuer": "#NA",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": "2024-06-01T11:59:59Z",
}
asked: dict[str, Any] = {"owner": EMSP, "answer": True, "uid_asked": "U1", "answered_at": "2024-06-01T11:59:59Z"}
from_2_1_1: dict[str, Any] = {"source": Version.V2_1_1, "target": Version.V2_2_1, **asked}
to_2_1_1: dict[str, Any] = {"source": Version.V2_2_1, "target": Version.V2_1_1, **asked}


def references(body: dict[str, Any], **quirks: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Quirks
    over = crossing(Version.V2_1_1, Version.V2_2_1, origin=Quirks(**quirks))
    return authorizations.references_from_2_1_1(body, over)


# LocationReferences


def test_references_to_connectors_end_with_2_1_1() -> None:
    body = {"location_id": "L1", "evse_uids": ["E1"], "connector_ids": ["1"], "x": 1}
    over = crossing(Version.V2_1_1, Version.V2_2_1)

    translated = authorizations.references_from_2_1_1(body, over)

    assert translated == {"location_id": "L1", "evse_uids": ["E1"], "x": 1}
    assert losses_of(over) == [("L-74", "/connector_ids")]


@pytest.mark.parametrize("nothing", [None, []])
def test_no_references_to_connectors_are_no_loss(nothing: object) -> None:
    over = crossing(Version.V2_1_1, Version.V2_2_1)

    assert authorizations.references_from_2_1_1({"evse_uids": nothing, "connector_ids": nothing}, over) == {
        "evse_uids": nothing
    }
    assert over.losses == []


@pytest.mark.parametrize("body", [{"location_id": "x" * 37}, {"evse_uids": ["E1", "x" * 39]}])
def test_an_id_longer_than_2_2_1_has_them_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable, match=r"^RF-01"):
        references(body)


def test_a_partner_with_aliases_gets_one_for_a_long_id() -> None:
    body = {"evse_uids": ["E1", "x" * 39]}
    over = crossing(Version.V2_1_1, Version.V2_2_1, origin=Quirks(id_alias=True))

    first, second = authorizations.references_from_2_1_1(body, over)["evse_uids"]

    assert (first, len(second)) == ("E1", 36)
    assert losses_of(over) == [("L-10", "/evse_uids/1")]
    assert body == {"evse_uids": ["E1", "x" * 39]}


# AuthorizationInfo from 2.1.1


def test_an_answer_of_2_1_1_names_the_token_that_was_asked_about() -> None:
    over = crossing(**from_2_1_1)

    assert authorizations.from_2_1_1({"allowed": "ALLOWED"}, over) == {"allowed": "ALLOWED", "token": TOKEN}
    assert {loss.id for loss in over.losses} == {"L-76", "L-05"}


@pytest.mark.parametrize(
    ("allowed", "valid"),
    [("ALLOWED", True), ("NO_CREDIT", True), ("NOT_ALLOWED", True), ("BLOCKED", False), ("EXPIRED", False)],
)
def test_a_blocked_or_expired_token_is_not_valid(allowed: str, valid: bool) -> None:
    assert authorizations.from_2_1_1({"allowed": allowed}, crossing(**from_2_1_1))["token"]["valid"] is valid


def test_the_issuer_of_an_unknown_token_is_the_emsp() -> None:
    over = crossing(**from_2_1_1, owner_details={"name": "Emobil Ouest"})

    assert authorizations.from_2_1_1({}, over)["token"]["issuer"] == "Emobil Ouest"
    assert ("L-05", "/token/issuer") not in losses_of(over)


def test_the_token_has_the_type_that_was_asked_about() -> None:
    over = crossing(**from_2_1_1, type_asked="APP_USER", type_sent="OTHER")

    assert authorizations.from_2_1_1({}, over)["token"]["type"] == "APP_USER"


def test_what_is_remembered_of_the_token_is_told() -> None:
    facts = (
        TokenFacts(EMSP, "U1", "RFID", "wrong", True, "2024-01-01T00:00:00Z"),
        TokenFacts(EMSP, "U1", "OTHER", "C1", False, "2024-01-01T00:00:00Z", "Emobil"),
    )
    over = crossing(**from_2_1_1, type_asked="OTHER", type_sent="OTHER", known={TokensOfUid(EMSP, "U1"): facts})

    told = TOKEN | {"type": "OTHER", "contract_id": "C1", "valid": False, "issuer": "Emobil"}
    assert authorizations.from_2_1_1({}, over) == {"token": told}
    assert losses_of(over) == [("L-76", "/token")]


def test_a_token_that_2_1_1_told_already_stays_and_is_the_emsps_own() -> None:
    told = TOKEN | {"country_code": "XX", "issuer": "Emobil", "contract_id": "C1"}
    over = crossing(**from_2_1_1)

    assert authorizations.from_2_1_1({"token": told}, over) == {"token": told | {"country_code": "DE"}}
    assert over.losses == []


def test_a_token_that_2_1_1_told_badly_is_replaced() -> None:
    over = crossing(**from_2_1_1)

    assert authorizations.from_2_1_1({"token": {"uid": "U1"}}, over) == {"token": TOKEN}
    assert ("L-01", "/token") in losses_of(over)


def test_the_location_of_an_answer_loses_its_connectors_too() -> None:
    body = {"location": {"location_id": "L1", "connector_ids": ["1"]}, "token": None}
    over = crossing(**from_2_1_1)

    assert authorizations.from_2_1_1(body, over)["location"] == {"location_id": "L1"}
    assert ("L-74", "/location/connector_ids") in losses_of(over)
    assert body["location"] == {"location_id": "L1", "connector_ids": ["1"]}


def test_without_the_time_of_the_answer_it_is_now() -> None:
    over = crossing(**from_2_1_1 | {"answered_at": None})

    assert authorizations.from_2_1_1({}, over)["token"]["last_updated"] == "2024-06-01T12:00:00Z"


# AuthorizationInfo towards 2.1.1


def test_an_answer_for_2_1_1_has_no_token_and_no_reference() -> None:
    body = {
        "allowed": "ALLOWED",
        "token": TOKEN,
        "location": {"location_id": "L1", "evse_uids": ["E1"]},
        "authorization_reference": "ar-5",
        "info": {"language": "de", "text": "Schön"},
    }
    over = crossing(**to_2_1_1)

    assert authorizations.to_2_1_1(body, over) == {
        "allowed": "ALLOWED",
        "location": {"location_id": "L1", "evse_uids": ["E1"]},
        "info": {"language": "de", "text": "Schön"},
    }
    assert losses_of(over) == [("L-75", "/token"), ("L-33", "/authorization_reference")]


def test_the_text_of_an_answer_can_be_had_in_ascii() -> None:
    over = crossing(**to_2_1_1, destination=Quirks(ascii_only=True))

    assert authorizations.to_2_1_1({"info": {"text": "Schön"}}, over) == {"info": {"text": "Schon"}}
    assert losses_of(over) == [("L-03", "/info/text")]


# 2.3.0


def test_the_token_of_an_answer_for_2_2_1_has_a_type_of_2_2_1() -> None:
    over = crossing(Version.V2_3_0, Version.V2_2_1, **asked)

    assert authorizations.from_2_3_0({"token": {"uid": "U1", "type": "EMAID"}}, over) == {
        "token": {"uid": "U1", "type": "OTHER"}
    }
    assert losses_of(over) == [("M-40", "/token/type")]


def test_the_token_of_an_answer_for_2_3_0_has_the_type_asked_for() -> None:
    over = crossing(Version.V2_2_1, Version.V2_3_0, **asked, type_asked="EMAID", type_sent="OTHER")

    assert authorizations.to_2_3_0({"token": {"uid": "U1", "type": "OTHER"}}, over) == {
        "token": {"uid": "U1", "type": "EMAID"}
    }
    assert over.losses == []
