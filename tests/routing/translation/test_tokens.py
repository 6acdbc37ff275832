"""Token between the versions: its owner, its contract, and the type that is part of its key."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation import tokens
from routing.translation.crossing import Step
from routing.translation.questions import TokenFacts, TokensOfUid
from routing.vocabulary import Party, Version
from tests.routing.translation.crossings import losses_of

from .crossings import CPO, EMSP, crossing, lost

UID = "04A1B2C3"
OLDER: dict[str, Any] = {
    "uid": UID,
    "type": "RFID",
    "auth_id": "DE-MSP-C1",
    "issuer": "Emobil",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": "2024-02-10T08:00:00Z",
}
NEWER: dict[str, Any] = {"country_code": "DE", "party_id": "MSP", **OLDER, "contract_id": "DE-MSP-C1"}
del NEWER["auth_id"]

from_2_1_1: dict[str, Any] = {"source": Version.V2_1_1, "target": Version.V2_2_1, "owner": EMSP}
to_2_1_1: dict[str, Any] = {"source": Version.V2_2_1, "target": Version.V2_1_1, "owner": EMSP}
from_2_3_0: dict[str, Any] = {"source": Version.V2_3_0, "target": Version.V2_2_1, "owner": EMSP}
to_2_3_0: dict[str, Any] = {"source": Version.V2_2_1, "target": Version.V2_3_0, "owner": EMSP}


def known(*types: str, uid: str = UID, owner: Party = EMSP) -> dict[Any, Any]:
    """The Tokens that were seen with this uid, in the order in which they were."""
    facts = tuple(TokenFacts(owner, uid, each, "C1", True, "2024-01-01T00:00:00Z") for each in types)
    return {TokensOfUid(owner, uid): facts}


# Between 2.1.1 and 2.2.1


def test_a_token_of_2_1_1_gets_its_owner_and_its_contract() -> None:
    over = crossing(**from_2_1_1)

    assert tokens.from_2_1_1(OLDER, over) == NEWER
    assert over.losses == []


def test_the_owner_a_token_of_2_1_1_claims_is_not_believed() -> None:
    claiming = OLDER | {"country_code": "NL", "party_id": "XYZ"}

    assert tokens.from_2_1_1(claiming, crossing(**from_2_1_1)) == NEWER


def test_members_of_later_versions_and_of_none_stay_in_a_token_of_2_1_1() -> None:
    more = {"group_id": "G1", "energy_contract": {"supplier_name": "W"}, "colour": {"hex": "#0a0"}}
    over = crossing(**from_2_1_1)

    assert tokens.from_2_1_1(OLDER | more, over) == NEWER | more
    assert over.losses == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("group_id", 7),
        ("group_id", "x" * 37),
        ("default_profile_type", "SLOW"),
        ("energy_contract", {"contract_id": "1"}),
        ("energy_contract", "Windco"),
    ],
)
def test_a_member_of_a_later_version_needs_a_value_of_it(name: str, value: object) -> None:
    over = crossing(**from_2_1_1)

    assert tokens.from_2_1_1(OLDER | {name: value}, over) == NEWER
    assert losses_of(over) == [("L-01", f"/{name}")]


def test_of_both_names_of_the_contract_that_of_2_1_1_counts() -> None:
    assert tokens.from_2_1_1({"contract_id": "wrong", **OLDER}, crossing(**from_2_1_1)) == NEWER


def test_a_patch_of_2_1_1_gets_a_time_and_no_owner() -> None:
    over = crossing(**from_2_1_1, patch=True)

    assert tokens.from_2_1_1({"auth_id": None}, over) == {"contract_id": None, "last_updated": "2024-06-01T12:00:00Z"}
    assert losses_of(over) == [("L-07", "/last_updated")]


def test_a_patch_of_nothing_stays_nothing() -> None:
    assert tokens.from_2_1_1({}, crossing(**from_2_1_1, patch=True)) == {}


def test_a_token_for_2_1_1_loses_what_2_1_1_does_not_have() -> None:
    newest = {"group_id": "F", "default_profile_type": "GREEN", "energy_contract": {"supplier_name": "W"}, "x": 1}
    over = crossing(**to_2_1_1)

    assert tokens.to_2_1_1(NEWER | newest, over) == OLDER | {"x": 1}
    assert {loss.id for loss in over.losses} == {"L-06", "L-71", "L-72", "L-73"}


@pytest.mark.parametrize("token_type", ["AD_HOC_USER", "APP_USER"])
def test_2_1_1_knows_app_users_as_others(token_type: str) -> None:
    over = crossing(**to_2_1_1)

    assert tokens.to_2_1_1(NEWER | {"type": token_type}, over)["type"] == "OTHER"
    assert ("L-70", "/type") in losses_of(over)


@pytest.mark.parametrize("token_type", ["RFID", "OTHER", "rfid", "BADGE", None, 3])
def test_a_type_both_versions_have_or_neither_stays(token_type: object) -> None:
    over = crossing(**to_2_1_1)

    assert tokens.to_2_1_1({"type": token_type}, over) == {"type": token_type}
    assert over.losses == []


def test_a_partner_can_have_the_types_as_they_are() -> None:
    over = crossing(**to_2_1_1, destination=Quirks(enum_passthrough=True))

    assert tokens.to_2_1_1({"type": "APP_USER"}, over) == {"type": "APP_USER"}


def test_a_partner_can_keep_members_2_1_1_does_not_have() -> None:
    over = crossing(**to_2_1_1, destination=Quirks(keep_fields=("token.group_id", "*.party_id")))

    assert tokens.to_2_1_1(NEWER | {"group_id": "F"}, over) == OLDER | {"party_id": "MSP", "group_id": "F"}
    assert losses_of(over) == [("L-06", "/country_code")]


def test_texts_of_a_token_can_be_had_in_ascii() -> None:
    over = crossing(**to_2_1_1, destination=Quirks(ascii_only=True))

    assert tokens.to_2_1_1({"issuer": "Énergie 電", "uid": "é"}, over) == {"issuer": "Energie ?", "uid": "é"}
    assert losses_of(over) == [("L-03", "/issuer")]


def test_a_patch_for_2_1_1_has_only_what_it_had() -> None:
    over = crossing(**to_2_1_1, patch=True)
    patch = {"contract_id": "C2", "default_profile_type": "FAST", "last_updated": "2024-02-12T00:00:00Z"}

    assert tokens.to_2_1_1(patch, over) == {"auth_id": "C2", "last_updated": "2024-02-12T00:00:00Z"}
    assert losses_of(over) == [("L-72", "/default_profile_type")]


def test_a_long_moment_is_cut_to_25_characters() -> None:
    moment = {"last_updated": "2024-03-01T09:00:00.123456Z"}

    for step, way in ((tokens.to_2_1_1, to_2_1_1), (tokens.from_2_1_1, {**from_2_1_1, "patch": True})):
        over = crossing(**way)
        assert step(moment, over) == {"last_updated": "2024-03-01T09:00:00.1234Z"}
        assert losses_of(over) == [("L-02", "/last_updated")]


# One Token per uid in 2.1.1


def listed(token_type: str, *seen: str) -> dict[str, Any]:
    return tokens.to_2_1_1({"uid": UID, "type": token_type}, crossing(**to_2_1_1, answer=True, known=known(*seen)))


@pytest.mark.parametrize(
    ("token_type", "seen"),
    [
        ("RFID", ()),
        ("APP_USER", ()),
        ("RFID", ("APP_USER", "OTHER")),
        ("OTHER", ("APP_USER", "OTHER")),
        ("OTHER", ("APP_USER",)),
        ("APP_USER", ("APP_USER", "AD_HOC_USER")),
        ("OTHER", ("EMAID",)),
        ("BADGE", ("BADGE",)),
    ],
)
def test_a_list_for_2_1_1_has_the_token_that_is_shown(token_type: str, seen: tuple[str, ...]) -> None:
    assert listed(token_type, *seen)["uid"] == UID


@pytest.mark.parametrize(
    ("token_type", "seen"),
    [
        ("OTHER", ("OTHER", "RFID")),
        ("APP_USER", ("APP_USER", "OTHER")),
        ("AD_HOC_USER", ("APP_USER", "AD_HOC_USER")),
        ("AD_HOC_USER", ("APP_USER",)),
        ("OTHER", ("EMAID", "RFID")),
    ],
)
def test_a_list_for_2_1_1_lacks_other_tokens_of_the_same_uid(token_type: str, seen: tuple[str, ...]) -> None:
    with pytest.raises(Untranslatable, match=r"^RF-12"):
        listed(token_type, *seen)


def test_an_rfid_token_is_shown_without_asking_for_others() -> None:
    over = crossing(**to_2_1_1, answer=True)
    tokens.to_2_1_1(NEWER, over)

    assert over.asked == []


def test_the_one_token_that_was_asked_for_is_not_judged_again() -> None:
    over = crossing(**to_2_1_1, answer=True, uid_asked=UID, known=known("RFID", "OTHER"))

    assert tokens.to_2_1_1({"uid": UID, "type": "OTHER"}, over) == {"uid": UID, "type": "OTHER"}


# Read back from 2.1.1 by its owner


def read_back(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a Crossing
    return tokens.from_2_1_1(OLDER | {"type": "OTHER"}, crossing(**from_2_1_1, answer=True, **more))


def test_the_owner_gets_the_type_back_that_it_asked_for() -> None:
    assert read_back(uid_asked=UID.lower(), type_asked="APP_USER")["type"] == "APP_USER"


def test_the_owner_gets_the_one_type_back_that_is_remembered() -> None:
    assert read_back(known=known("RFID", "AD_HOC_USER"))["type"] == "AD_HOC_USER"


@pytest.mark.parametrize("seen", [(), ("RFID",), ("APP_USER", "OTHER"), ("APP_USER", "AD_HOC_USER")])
def test_without_one_certain_type_other_stays_other(seen: tuple[str, ...]) -> None:
    over = crossing(**from_2_1_1, answer=True, known=known(*seen))

    assert tokens.from_2_1_1(OLDER | {"type": "OTHER"}, over)["type"] == "OTHER"
    assert over.losses == []


def test_an_other_that_its_2_1_1_owner_sends_is_one() -> None:
    over = crossing(Version.V2_1_1, Version.V2_2_1, owner=CPO, known=known("APP_USER", owner=CPO))

    assert tokens.from_2_1_1(OLDER | {"type": "OTHER"}, over)["type"] == "OTHER"
    assert over.asked == []


# Between 2.2.1 and 2.3.0


@pytest.mark.parametrize(("token_type", "loss"), [("EMAID", "M-40"), ("FOB", "M-41")])
def test_types_of_2_3_0_become_other(token_type: str, loss: str) -> None:
    over = crossing(**from_2_3_0)

    assert tokens.from_2_3_0(NEWER | {"type": token_type, "x": 1}, over) == NEWER | {"type": "OTHER", "x": 1}
    assert losses_of(over) == [(loss, "/type")]


@pytest.mark.parametrize("token_type", ["AD_HOC_USER", "APP_USER", "OTHER", "RFID", None, 4])
def test_types_that_2_2_1_has_stay(token_type: object) -> None:
    assert not lost(tokens.from_2_3_0, {"type": token_type}, crossing(**from_2_3_0))


def test_a_type_the_receiver_agreed_to_stays() -> None:
    over = crossing(**from_2_3_0, destination=Quirks(extra_enum_values={"TokenType": ("EMAID",)}))

    assert tokens.from_2_3_0({"type": "EMAID"}, over) == {"type": "EMAID"}
    assert over.losses == []


def test_the_type_that_was_asked_for_comes_back_from_2_2_1() -> None:
    over = crossing(**to_2_3_0, answer=True, uid_asked=UID, type_asked="EMAID")

    assert tokens.to_2_3_0({"uid": UID, "type": "OTHER"}, over) == {"uid": UID, "type": "EMAID"}
    assert over.asked == []


def test_the_type_asked_for_is_not_put_on_another_token() -> None:
    over = crossing(**to_2_3_0, answer=True, uid_asked="another", type_asked="EMAID")

    assert tokens.to_2_3_0({"uid": UID, "type": "OTHER"}, over)["type"] == "OTHER"


def test_a_type_2_2_1_has_was_not_replaced_on_the_way_there() -> None:
    over = crossing(**to_2_3_0, answer=True, uid_asked=UID, type_asked="RFID")

    assert tokens.to_2_3_0({"uid": UID, "type": "OTHER"}, over)["type"] == "OTHER"


def test_the_one_remembered_type_comes_back_in_2_3_0() -> None:
    over = crossing(**to_2_3_0, known=known("EMAID", "RFID"))

    assert tokens.to_2_3_0(NEWER | {"type": "OTHER"}, over)["type"] == "EMAID"
    assert over.losses == []


@pytest.mark.parametrize("seen", [("EMAID", "FOB"), ("EMAID", "OTHER")])
def test_a_type_that_cannot_be_told_stays_other_and_is_lost(seen: tuple[str, ...]) -> None:
    over = crossing(**to_2_3_0, known=known(*seen))

    assert tokens.to_2_3_0(NEWER | {"type": "OTHER"}, over)["type"] == "OTHER"
    assert losses_of(over) == [("M-42", "/type")]


@pytest.mark.parametrize("seen", [(), ("OTHER",), ("RFID", "APP_USER")])
def test_a_genuine_other_is_no_loss(seen: tuple[str, ...]) -> None:
    assert not lost(tokens.to_2_3_0, NEWER | {"type": "OTHER"}, crossing(**to_2_3_0, known=known(*seen)))


def test_an_agreed_type_was_not_replaced_either() -> None:
    agreed = Quirks(extra_enum_values={"TokenType": ("EMAID",)})
    over = crossing(**to_2_3_0, origin=agreed, known=known("EMAID"))

    assert tokens.to_2_3_0(NEWER | {"type": "OTHER"}, over)["type"] == "OTHER"


@pytest.mark.parametrize(
    ("token_type", "seen"),
    [
        ("EMAID", ()),
        ("EMAID", ("EMAID", "FOB")),
        ("OTHER", ("EMAID", "OTHER")),
        ("RFID", ("OTHER", "RFID")),
        ("FOB", ("RFID",)),
    ],
)
def test_a_list_for_2_2_1_keeps_one_token_of_type_other(token_type: str, seen: tuple[str, ...]) -> None:
    over = crossing(**from_2_3_0, answer=True, known=known(*seen))

    assert tokens.from_2_3_0({"uid": UID, "type": token_type}, over)["uid"] == UID


@pytest.mark.parametrize(("token_type", "seen"), [("FOB", ("EMAID", "FOB")), ("EMAID", ("EMAID", "OTHER"))])
def test_a_list_for_2_2_1_lacks_a_second_token_of_type_other(token_type: str, seen: tuple[str, ...]) -> None:
    with pytest.raises(Untranslatable, match=r"^M-43"):
        tokens.from_2_3_0({"uid": UID, "type": token_type}, crossing(**from_2_3_0, answer=True, known=known(*seen)))


@pytest.mark.parametrize(
    ("step", "way", "token"),
    [
        (tokens.from_2_1_1, from_2_1_1, OLDER | {"group_id": 4}),
        (tokens.to_2_1_1, to_2_1_1, NEWER | {"type": "APP_USER", "energy_contract": {"supplier_name": "W"}}),
        (tokens.from_2_3_0, from_2_3_0, NEWER | {"type": "EMAID"}),
        (tokens.to_2_3_0, to_2_3_0 | {"known": known("EMAID")}, NEWER | {"type": "OTHER"}),
    ],
)
def test_no_step_changes_the_token_it_is_given(step: Step, way: dict[str, Any], token: dict[str, Any]) -> None:
    before = deepcopy(token)

    assert step(token, crossing(**way)) != before
    assert token == before
