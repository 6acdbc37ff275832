"""Which Token paid, between versions. OCPI 2.1.1, "Sessions"; 2.2, 2.2.1 and 2.3.0, "CDRs"."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import UnknownReceiver, Untranslatable
from routing.quirks import Quirks
from routing.translation import cdr_tokens
from routing.translation.crossing import Crossing
from routing.translation.questions import (
    ChosenToken,
    ConnectedEmsp,
    Question,
    RecentToken,
    TokenFacts,
    TokensOfContract,
    TokensOfUid,
)
from routing.vocabulary import Party, Version
from tests.routing.translation.crossings import CPO, EMSP, crossing, lost

UP = (Version.V2_1_1, Version.V2_2_1)
DOWN = (Version.V2_2_1, Version.V2_1_1)
TO_2_2 = (Version.V2_2_1, Version.V2_2)
FROM_2_2 = (Version.V2_2, Version.V2_2_1)
OTHER_EMSP = Party("FR", "EMO")
AUTH_ID = "DE-MSP-C1"
OF_CONTRACT = TokensOfContract(EMSP, AUTH_ID)
RECENT = RecentToken(CPO, EMSP, AUTH_ID)
CHOSEN = ChosenToken(CPO, "S1")


def fact(uid: str, **more: Any) -> TokenFacts:  # noqa: ANN401 - the remaining facts
    facts = {
        "owner": EMSP,
        "type": "RFID",
        "contract_id": AUTH_ID,
        "valid": True,
        "last_updated": "2024-01-01T00:00:00Z",
    }
    return TokenFacts(**{**facts, "uid": uid, **more})


def token(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"uid": "04A1", "type": "RFID", "contract_id": AUTH_ID} | more


def owned(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"country_code": "DE", "party_id": "MSP"} | token(**more)


def made(known: dict[Any, Any], auth_id: Any = AUTH_ID, **more: Any) -> tuple[Any, Crossing]:  # noqa: ANN401 - any JSON
    body = {"cdr_token": auth_id}
    over = crossing(*UP, known=known, **more)
    cdr_tokens.auth_id_to_token(body, over, "S1")
    return body.get("cdr_token"), over


def auth_id(cdr_token: Any, **more: Any) -> tuple[Any, Crossing]:  # noqa: ANN401 - any JSON
    body = {"auth_id": cdr_token}
    over = crossing(*DOWN, **more)
    cdr_tokens.token_to_auth_id(body, over)
    return body.get("auth_id"), over


# ------------------------------------------------------------------------------------------------ 2.1.1 to 2.2.1


def test_the_one_token_of_a_contract_is_the_one_that_paid() -> None:
    cdr_token, over = made({OF_CONTRACT: (fact("AA11"),)})

    assert cdr_token == owned(uid="AA11")
    assert [loss.id for loss in over.losses] == ["L-31"]


def test_a_contract_nobody_has_seen_is_one_of_the_emsp_without_a_uid() -> None:
    cdr_token, over = made({})

    assert cdr_token == owned(uid="#NA", type="OTHER")
    assert {loss.id for loss in over.losses} == {"L-05", "L-31"}
    assert over.asked == [CHOSEN, RECENT, OF_CONTRACT]


@pytest.mark.parametrize(
    ("tokens", "best"),
    [
        ([fact("A", valid=False), fact("B", type="OTHER")], "B"),
        ([fact("A", type="OTHER", last_updated="2024-05-01T00:00:00Z"), fact("B")], "B"),
        ([fact("A"), fact("B", last_updated="2024-01-01T00:00:01Z")], "B"),
        ([fact("B"), fact("A")], "A"),
        ([fact("A", last_updated="yesterday"), fact("B")], "B"),
    ],
    ids=["a valid one", "a card", "the latest", "the smallest uid", "one with a readable date"],
)
def test_of_several_tokens_of_a_contract_the_likeliest_paid(tokens: list[TokenFacts], best: str) -> None:
    cdr_token, _ = made({OF_CONTRACT: tuple(tokens)})

    assert cdr_token["uid"] == best


def test_a_cpo_may_send_the_uid_of_the_card_as_auth_id() -> None:
    cdr_token, _ = made({OF_CONTRACT: (fact("de-msp-c1", contract_id="C-77"),)})

    assert cdr_token == owned(uid="de-msp-c1", contract_id="C-77")


def test_a_contract_goes_before_a_card_of_that_number() -> None:
    cdr_token, _ = made({OF_CONTRACT: (fact(AUTH_ID, contract_id="C-77"), fact("Z9", valid=False))})

    assert cdr_token == owned(uid="Z9")


def test_the_token_used_last_goes_before_others_of_its_contract() -> None:
    cdr_token, _ = made({RECENT: fact("APP", type="APP_USER"), OF_CONTRACT: (fact("AA11"),)})

    assert cdr_token == owned(uid="APP", type="APP_USER")


def test_a_session_never_shows_two_tokens() -> None:
    cdr_token, over = made({CHOSEN: fact("OLD"), RECENT: fact("NEW")})

    assert cdr_token["uid"] == "OLD"
    assert over.asked == []


@pytest.mark.parametrize(
    "chosen",
    [fact("#NA", type="OTHER"), fact("OLD", contract_id="OTHER-CONTRACT"), fact("OLD", owner=OTHER_EMSP)],
    ids=["nobody had seen it", "the auth_id has changed", "of another eMSP"],
)
def test_a_token_chosen_before_does_not_count(chosen: TokenFacts) -> None:
    cdr_token, _ = made({CHOSEN: chosen, OF_CONTRACT: (fact("AA11"),)})

    assert cdr_token["uid"] == "AA11"


def test_the_emsp_is_found_by_the_contract() -> None:
    known: dict[Any, Any] = {TokensOfContract(None, AUTH_ID): (fact("AA11", owner=OTHER_EMSP),)}

    cdr_token, _ = made(known, emsp=None)

    assert (cdr_token["country_code"], cdr_token["party_id"]) == OTHER_EMSP


def test_nobody_gets_a_session_whose_contract_nobody_knows() -> None:
    with pytest.raises(UnknownReceiver):
        made({}, emsp=None)


@pytest.mark.parametrize("nothing", [None, 7, ["C"], {"uid": "AA11"}])
def test_without_an_auth_id_there_is_no_token(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(Untranslatable, match="RF-02") as refusal:
        made({}, nothing)

    assert refusal.value.ocpi_status == 2001


def test_a_patch_without_auth_id_names_no_token() -> None:
    body = {"kwh": 3}
    cdr_tokens.auth_id_to_token(body, crossing(*UP, patch=True), "S1")

    assert body == {"kwh": 3}
    assert made({}, None, patch=True)[0] is None


def test_a_sender_ahead_of_its_version_names_the_token_but_not_its_owner() -> None:
    cdr_token, over = made({}, {"country_code": "FR", "party_id": "EMO"} | token())

    assert cdr_token == owned()
    assert over.losses == []
    assert over.asked == []


def test_a_token_without_uid_in_a_patch_is_none() -> None:
    cdr_token, over = made({}, {"contract_id": "C"}, patch=True)

    assert cdr_token is None
    assert [loss.id for loss in over.losses] == ["L-01"]


def test_a_type_that_2_2_1_does_not_have_goes_only_to_2_3_0() -> None:
    known: dict[Any, Any] = {OF_CONTRACT: (fact("AA11", type="EMAID"),)}
    newest = crossing(Version.V2_1_1, Version.V2_3_0, known=known)
    body: dict[str, Any] = {"cdr_token": AUTH_ID}
    cdr_tokens.auth_id_to_token(body, newest, None)

    assert body["cdr_token"] == owned(uid="AA11", type="EMAID")
    assert made(known)[0] == owned(uid="AA11", type="OTHER")


# ------------------------------------------------------------------------------------------------ 2.2.1 to 2.1.1


def test_2_1_1_gets_the_contract() -> None:
    assert auth_id(owned())[0] == AUTH_ID
    assert [(loss.id, loss.pointer) for loss in auth_id(owned())[1].losses] == [("L-30", "/cdr_token")]


@pytest.mark.parametrize("contract", [None, "", "#NA"])
def test_a_contract_that_is_not_said_is_that_of_the_token_as_it_was_seen(contract: str | None) -> None:
    seen = (fact("04A1", type="OTHER", contract_id="C-OTHER"), fact("04A1", contract_id="C-1"))

    assert auth_id(owned(contract_id=contract), known={TokensOfUid(EMSP, "04A1"): seen})[0] == "C-1"
    assert auth_id(owned(contract_id=contract))[0] == "04A1"


@pytest.mark.parametrize("nothing", [None, 7, {}, {"uid": "#NA", "contract_id": "#NA"}])
def test_without_contract_and_uid_there_is_no_auth_id(nothing: Any) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(Untranslatable, match="RF-02") as refusal:
        auth_id(nothing)

    assert refusal.value.ocpi_status == 2001


def test_a_patch_without_a_token_has_no_auth_id() -> None:
    assert auth_id(None, patch=True)[0] is None
    assert auth_id(None, patch=True)[1].losses == []


# ------------------------------------------------------------------------------------------------ 2.2 and 2.2.1


def test_the_token_of_2_2_is_one_of_the_emsp_in_the_exchange() -> None:
    assert cdr_tokens.from_2_2(token(), crossing(*FROM_2_2)) == owned()
    assert lost(cdr_tokens.from_2_2, token(), crossing(*FROM_2_2)) == {("M-80", "")}
    assert token() == {"uid": "04A1", "type": "RFID", "contract_id": AUTH_ID}


def test_an_owner_that_2_2_names_all_the_same_stays() -> None:
    body = token(country_code="fr", party_id="EMO")

    assert cdr_tokens.from_2_2(body, crossing(*FROM_2_2)) == body
    assert lost(cdr_tokens.from_2_2, body, crossing(*FROM_2_2)) == set()


def pulled(*owners: Party, **more: Any) -> Crossing:  # noqa: ANN401 - the remaining fields
    """A list that the eMSP has asked for, and whose uid these own; its platform has two eMSPs."""
    seen = tuple(fact("04A1", owner=owner) for owner in owners)
    fields: dict[str, Any] = {"answer": True, "emsp_platform": frozenset({EMSP, OTHER_EMSP}), **more}
    return crossing(*FROM_2_2, known={TokensOfUid(None, "04A1"): seen}, **fields)


def test_a_list_may_have_tokens_of_all_emsps_of_the_platform_that_asks() -> None:
    assert cdr_tokens.from_2_2(token(), pulled(OTHER_EMSP))["party_id"] == "EMO"


@pytest.mark.parametrize(
    "over",
    [
        pulled(OTHER_EMSP, EMSP),
        pulled(Party("BE", "XYZ")),
        pulled(OTHER_EMSP, answer=False),
        pulled(OTHER_EMSP, emsp_platform=frozenset({EMSP})),
    ],
    ids=["two own the uid", "of another platform", "a push", "of a platform with one party"],
)
def test_else_a_list_has_tokens_of_the_one_who_asks(over: Crossing) -> None:
    assert cdr_tokens.from_2_2(token(), over)["party_id"] == "MSP"


def test_where_no_emsp_takes_part_the_only_owner_of_the_uid_is_it() -> None:
    known: dict[Any, Any] = {TokensOfUid(None, "04A1"): (fact("04A1", owner=OTHER_EMSP), fact("04A1", type="OTHER"))}

    assert cdr_tokens.from_2_2(token(), crossing(*FROM_2_2, emsp=None, known=known))["party_id"] == "EMO"


@pytest.mark.parametrize("contract", ["FR-EMO-C7-X", "fr*emo*C7", "FREMOC12345678"])
def test_where_nobody_knows_the_uid_the_contract_names_its_provider(contract: str) -> None:
    over = crossing(*FROM_2_2, emsp=None, known={ConnectedEmsp(OTHER_EMSP): True})

    made_of = cdr_tokens.from_2_2(token(contract_id=contract), over)
    assert (made_of["country_code"], made_of["party_id"]) == ("FR", "EMO")


@pytest.mark.parametrize("contract", ["FREMO77001", "77001", None, "FR-EMOC7"])
def test_a_house_id_names_no_provider(contract: str | None) -> None:
    over = crossing(*FROM_2_2, emsp=None, known={ConnectedEmsp(OTHER_EMSP): True})

    with pytest.raises(Untranslatable, match="M-81") as refusal:
        cdr_tokens.from_2_2(token(contract_id=contract), over)

    assert refusal.value.ocpi_status == 4000


def test_a_provider_that_is_not_connected_is_nobody() -> None:
    with pytest.raises(Untranslatable, match="M-81"):
        cdr_tokens.from_2_2(token(contract_id="FR-EMO-C7-X"), crossing(*FROM_2_2, emsp=None))


def test_2_2_does_not_say_whose_token_it_is() -> None:
    assert cdr_tokens.to_2_2(owned(), crossing(*TO_2_2)) == token()
    assert lost(cdr_tokens.to_2_2, owned(), crossing(*TO_2_2)) == set()


def test_a_token_of_nobody_in_the_exchange_loses_its_owner_in_2_2() -> None:
    body = owned(party_id="ABC")

    assert cdr_tokens.to_2_2(body, crossing(*TO_2_2)) == token()
    assert lost(cdr_tokens.to_2_2, body, crossing(*TO_2_2)) == {("M-82", "")}


def test_a_partner_of_2_2_may_take_the_owner() -> None:
    over = crossing(*TO_2_2, destination=Quirks(additive="keep"))

    assert cdr_tokens.to_2_2(owned(party_id="ABC"), over) == owned(party_id="ABC")
    assert over.losses == []


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


@pytest.mark.parametrize(("name", "loss"), [("EMAID", "M-40"), ("WALLET", "M-41")])
def test_a_type_of_2_3_0_is_other_in_2_2_1(name: str, loss: str) -> None:
    body = owned(type=name)

    assert cdr_tokens.from_2_3_0(body, crossing(Version.V2_3_0, Version.V2_2_1)) == owned(type="OTHER")
    assert lost(cdr_tokens.from_2_3_0, body, crossing(Version.V2_3_0, Version.V2_2_1)) == {(loss, "/type")}
    assert body["type"] == name


def test_other_is_again_what_it_was_in_2_3_0() -> None:
    known: dict[Any, Any] = {TokensOfUid(EMSP, "04A1"): (fact("04A1", type="EMAID"),)}
    over = crossing(Version.V2_2_1, Version.V2_3_0, known=known)

    assert cdr_tokens.to_2_3_0(owned(type="OTHER"), over) == owned(type="EMAID")
    assert cdr_tokens.to_2_3_0(owned(type="RFID"), over) == owned(type="RFID")


@pytest.mark.parametrize("odd", [None, 7, [], ["RFID"], {}, True])
@pytest.mark.parametrize("name", ["country_code", "party_id", "uid", "type", "contract_id"])
def test_members_of_a_form_nobody_expects_are_left_to_the_receiver(name: str, odd: Any) -> None:  # noqa: ANN401
    body = owned(**{name: odd})

    assert cdr_tokens.from_2_3_0(body, crossing(Version.V2_3_0, Version.V2_2_1)) == body
    assert cdr_tokens.to_2_3_0(body, crossing(Version.V2_2_1, Version.V2_3_0)) == body
    assert cdr_tokens.to_2_2(body, crossing(*TO_2_2))["uid"] == body["uid"]
    assert cdr_tokens.from_2_2(body, crossing(*FROM_2_2))["party_id"] == "MSP"
    assert auth_id(body)[0] == ("04A1" if name == "contract_id" else AUTH_ID)


def _in_a_list(**known: Any) -> Crossing:  # noqa: ANN401 - answers, by what they are about
    answers: dict[Question[Any], Any] = {
        TokensOfContract(None, AUTH_ID): known.get("anybody"),
        ConnectedEmsp(Party("DE", "MSP")): known.get("provider"),
    }
    return crossing(*UP, known=answers, answer=True, emsp=OTHER_EMSP, emsp_platform=frozenset({OTHER_EMSP}))


def test_a_list_gives_nobody_what_is_of_another_emsps_token() -> None:
    with pytest.raises(Untranslatable, match=r"^RF-20"):
        cdr_tokens.auth_id_to_token({"cdr_token": AUTH_ID}, _in_a_list(anybody=(fact("U1"),)), None)


def test_a_list_gives_nobody_what_is_spelled_as_another_emsps_contract() -> None:
    with pytest.raises(Untranslatable, match=r"^RF-20"):
        cdr_tokens.auth_id_to_token({"cdr_token": AUTH_ID}, _in_a_list(provider=True), None)


def test_a_list_gives_what_nobody_is_known_to_own() -> None:
    body = {"cdr_token": AUTH_ID}
    cdr_tokens.auth_id_to_token(body, _in_a_list(), None)
    assert body["cdr_token"]["party_id"] == OTHER_EMSP.party_id  # type: ignore[index] # it is an object by now


def test_what_a_cpo_pushes_to_an_emsp_is_the_emsps_whatever_its_contract() -> None:
    body = {"cdr_token": AUTH_ID}
    pushed = crossing(*UP, known={TokensOfContract(None, AUTH_ID): (fact("U1"),)}, emsp=OTHER_EMSP)
    cdr_tokens.auth_id_to_token(body, pushed, None)
    assert body["cdr_token"]["party_id"] == OTHER_EMSP.party_id  # type: ignore[index] # it is an object by now
