"""Whose a Session or a CDR is: the table of `routing.records`, row by row, and that it is never anybody else's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from routing.bodies import read_members
from routing.clues import Clues, Index, Way
from routing.dialects import DIALECTS
from routing.errors import NoSuchPath, UnknownReceiver, UnreadableBody
from routing.matrix import MATRIX
from routing.message import Message
from routing.modules import OWNER
from routing.records import emsp_of, record_in
from routing.translation.questions import RecentToken, SessionOfCdr
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role, Version
from tests.routing.directories import company
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    NOBODY,
    NSP,
    OLD_CPO,
    OTHER,
    PTP,
    RECEIVER,
    SCSP,
    Known,
    away,
    leads,
    market,
    message,
    of,
    of_contract,
    of_uid,
    receiver,
    session,
    token,
    way,
)

TOKEN = {"uid": "U1", "type": "RFID", "contract_id": "NL-MS1-C12345"}
UID_ONLY = {"uid": "U1", "type": "RFID", "contract_id": "#NA"}
CONTRACT = TOKEN["contract_id"]
PEERS = market(company("old-cpo", {OLD_CPO: [Role.CPO]}, Version.V2_1_1))
LINKED = leads(Index.CONTACT, *of(C1, "NL*MS2"), to=E2)


def owned_by(party: Party) -> dict[str, str]:
    return {"country_code": party.country_code.lower(), "party_id": party.party_id}


def put(cdr_token: object = None, version: Version = Version.V2_3_0, **more: object) -> Message:
    body = more if cdr_token is None else {"cdr_token": cdr_token, **more}
    return message(C1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body=body, version=version)


def post(cdr_token: object = None, **more: object) -> Message:
    return message(C1, "cdrs", RECEIVER, "POST", body={"id": "D1", "session_id": "S1", "cdr_token": cdr_token, **more})


SESSION = session(C1, "S1", E2)

# --------------------------------------------------------------------------------------------------- who is led to


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        # The owner of the token
        (put(TOKEN | owned_by(E1)), {}, E1),
        (put(TOKEN | owned_by(E1)), SESSION | of_uid("U1", token(E2)), E1),
        (put(TOKEN | owned_by(OTHER)), {}, OTHER),
        (put(TOKEN | owned_by(PTP)), {}, PTP),
        (post(TOKEN | owned_by(E1), credit_reference_id="D0"), leads(Index.CDR, *of(C1, "D0"), to=E2), E1),
        # What went before
        (put(UID_ONLY), SESSION, E2),
        (put(UID_ONLY), SESSION | of_uid("U1", token(E1)), E2),
        (put(), SESSION, E2),
        (post(UID_ONLY), SESSION, E2),
        (post(credit_reference_id="d0"), leads(Index.CDR, *of(C1, "D0"), to=E1) | SESSION, E1),
        # The authorization reference
        (put(authorization_reference="ref1"), leads(Index.AUTHORIZATION, *of(C1, "REF1"), to=PTP), PTP),
        (post(authorization_reference="ref1"), leads(Index.AUTHORIZATION, *of(C1, "REF1"), to=E1), E1),
        # The uid
        (put(UID_ONLY), of_uid("U1", token(E2)), E2),
        (put({"uid": "U1"}), of_uid("U1", token(E2, token_type="APP_USER")), E2),
        (put({"uid": "U1", "type": "RFID"}), of_uid("U1", token(E1, token_type="APP_USER"), token(E2)), E2),
        (put({"uid": "U1", "type": "APP_USER"}), of_uid("U1", token(E2, token_type="OTHER")), E2),
        # The contract
        (put(TOKEN), of_contract(CONTRACT, token(E2, contract_id="NLMS1C12345")), E2),
        (post(TOKEN), of_contract(CONTRACT, token(E2, contract_id=CONTRACT.lower())), E2),
        # How the contract is spelled
        (put(TOKEN), {}, E1),
        (put(TOKEN | {"contract_id": "NLMS2C12345678"}), {}, E2),
    ],
)
def test_a_session_or_cdr_says_whose_it_is(sent: Message, known: Known, expected: Party) -> None:
    assert receiver(sent, known) == expected


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (put(TOKEN | owned_by(NOBODY)), SESSION),
        (put(TOKEN | owned_by(NSP)), SESSION),
        (put(TOKEN | owned_by(C2)), SESSION),
        (put(TOKEN | owned_by(SCSP)), of_uid("U1", token(E1))),
        (post(TOKEN | owned_by(NOBODY)), of_uid("U1", token(E2))),
    ],
)
def test_a_token_of_somebody_who_cannot_have_it_is_nobody_elses(sent: Message, known: Known) -> None:
    with pytest.raises(UnknownReceiver):
        way(sent, known)


def test_a_token_of_a_hidden_party_reads_like_one_of_a_party_that_does_not_exist() -> None:
    texts = set()
    for owner in (NOBODY, NSP):
        with pytest.raises(UnknownReceiver) as caught:
            way(put(TOKEN | owned_by(owner)))
        texts.add(str(caught.value))

    assert len(texts) == 1


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (put({"uid": "#NA", "contract_id": "#NA"}), of_uid("#NA", token(E1)) | of_contract("#NA", token(E1))),
        (put({"uid": None, "contract_id": []}), {}),
        (put("U1"), of_uid("U1", token(E1))),
        (put(), {}),
        (put(TOKEN | {"contract_id": "HOUSE1"}), {}),
        (put(TOKEN | {"contract_id": "NL-CP1-C12345"}), {}),
        (put(UID_ONLY | {"country_code": "NL"}), {}),
        (put(UID_ONLY), of_uid("U1", token(NOBODY))),
        (put({"uid": "U1", "type": "AD_HOC_USER"}), of_uid("U1", token(E1))),
    ],
    ids=[
        "no data",
        "null",
        "no object",
        "nothing",
        "house id",
        "a CPO's contract",
        "half an owner",
        "invisible",
        "another type",
    ],
)
def test_what_leads_nowhere_goes_to_nobody(sent: Message, known: Known) -> None:
    with pytest.raises(UnknownReceiver):
        way(sent, known)


def test_a_contract_of_a_party_that_is_not_connected_leads_nowhere() -> None:
    directory = market(away("e1", E1, Role.EMSP, ConnectionStatus.OFFLINE))

    with pytest.raises(UnknownReceiver):
        way(put(TOKEN), {}, directory)


def test_a_token_that_names_its_owner_twice_is_unreadable() -> None:
    text = b'{"cdr_token": {"uid": "U1", "country_code": "NL", "party_id": "MS1", "party_id": "MS2"}}'
    sent = put(TOKEN)

    with pytest.raises(UnreadableBody):
        way(type(sent)(sent.version, sent.operation, sent.segments, "", C1, None, text))


# --------------------------------------------------------------------------------------------------------- several

BOTH = of_uid("U1", token(E1), token(E2))


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        (put(UID_ONLY), of_uid("U1", token(E1, valid=False), token(E2)), E2),
        (put(UID_ONLY), BOTH | LINKED, E2),
        (put(UID_ONLY), of_uid("U1", token(E1, valid=False), token(E2, valid=False)) | LINKED, E2),
        (put(TOKEN), of_contract(CONTRACT, *(token(each, contract_id=CONTRACT) for each in (E1, E2))) | LINKED, E2),
        # The contract tells cards of one uid apart, and counts more than the uid.
        (put(TOKEN), of_uid("U1", token(E1, contract_id="X"), token(E2, contract_id=CONTRACT, valid=False)), E2),
        (put(TOKEN), of_uid("U1", token(E1)) | of_contract(CONTRACT, token(E2, contract_id=CONTRACT)), E2),
        (put(TOKEN), of_uid("U1", token(E2, contract_id="NL-MS2-X")), E1),
        (put(TOKEN | {"contract_id": "HOUSE1"}), of_uid("U1", token(E2, contract_id="OLD HOUSE")), E2),
        # A later lead tells apart what an earlier one leaves.
        (
            put(UID_ONLY, authorization_reference="R"),
            leads(Index.AUTHORIZATION, *of(C1, "R"), to=[Way(E1), Way(E2)]) | of_uid("U1", token(E2)),
            E2,
        ),
        (put(TOKEN), of_contract(CONTRACT, *(token(each, contract_id=CONTRACT) for each in (E2, E1))), E1),
    ],
)
def test_what_leads_to_several_is_narrowed_down(sent: Message, known: Known, expected: Party) -> None:
    assert receiver(sent, known) == expected


@pytest.mark.parametrize(
    "known",
    [
        BOTH,
        BOTH | LINKED | leads(Index.CONTACT, *of(C1, "NL*MS1"), to=E1),
        of_uid("U1", token(E1, valid=False), token(E2, valid=False)),
    ],
    ids=["two owners", "both had to do with it", "none valid"],
)
def test_who_cannot_be_told_apart_gets_nothing(known: Known) -> None:
    for sent in (put(UID_ONLY), post(UID_ONLY)):
        with pytest.raises(UnknownReceiver, match="More than one"):
            way(sent, known)


def test_owners_the_sender_may_not_know_do_not_count() -> None:
    assert receiver(put(UID_ONLY), of_uid("U1", token(NOBODY), token(E2))) == E2


# ---------------------------------------------------------------------------------------------------------- PATCH


def patch(**body: object) -> Message:
    return message(C1, "sessions", RECEIVER, "PATCH", "NL/CP1/S1", body={"last_updated": "x", **body})


def test_a_patch_follows_its_session_or_else_its_token() -> None:
    assert receiver(patch(cdr_token=TOKEN | owned_by(E1)), SESSION) == E2
    assert receiver(patch(cdr_token=TOKEN | owned_by(E1))) == E1
    with pytest.raises(NoSuchPath):
        way(patch(kwh=1))


# ---------------------------------------------------------------------------------------------------------- 2.1.1

AUTH = {"auth_id": "NL-MS1-C12345"}


def old_put(**body: object) -> Message:
    return message(OLD_CPO, "sessions", RECEIVER, "PUT", "DE/OLC/S1", body=body, version=Version.V2_1_1)


def old_post(**body: object) -> Message:
    return message(OLD_CPO, "cdrs", RECEIVER, "POST", body={"id": "D1", **body}, version=Version.V2_1_1)


def of_both(auth_id: str) -> dict[Any, Any]:
    return of_contract(auth_id, *(token(each, contract_id=auth_id) for each in (E1, E2)))


BILLED = {"start_date_time": "2026-01-01T10:00:00Z", "location": {"id": "L1"}}
BILL = {SessionOfCdr(OLD_CPO, "2026-01-01T10:00:00Z", "HOUSE1", "L1"): "S1"} | session(OLD_CPO, "S1", E2)


@pytest.mark.parametrize(
    ("sent", "known", "expected"),
    [
        (old_put(auth_id="HOUSE1"), session(OLD_CPO, "S1", E2), E2),
        (old_put(auth_id="HOUSE1"), of_contract("HOUSE1", token(E2, contract_id="house-1")), E2),
        (old_put(auth_id="U1"), of_contract("U1", token(E2, contract_id="C9")), E2),
        (old_put(**AUTH), {}, E1),
        (old_put(**AUTH, cdr_token=TOKEN | owned_by(E2)), {}, E1),
        (old_post(auth_id="HOUSE1"), of_contract("HOUSE1", token(E2, contract_id="HOUSE1")), E2),
        (old_post(**AUTH), {}, E1),
        # Several
        (old_put(auth_id="HOUSE1"), of_both("HOUSE1") | {RecentToken(OLD_CPO, E2, "HOUSE1"): token(E2)}, E2),
        (old_post(auth_id="HOUSE1"), of_both("HOUSE1") | {RecentToken(OLD_CPO, E2, "HOUSE1"): token(E2)}, E2),
        (old_post(auth_id="HOUSE1", **BILLED), of_both("HOUSE1") | BILL, E2),
        (old_put(**AUTH), of_both(AUTH["auth_id"]), E1),
        (old_put(auth_id="A"), of_contract("A", token(E1, contract_id="X"), token(E2, contract_id="a")), E2),
    ],
)
def test_a_2_1_1_cpo_names_a_contract_and_nothing_else(sent: Message, known: Known, expected: Party) -> None:
    assert receiver(sent, known, PEERS) == expected


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (old_put(auth_id="HOUSE1"), of_both("HOUSE1")),
        (old_post(auth_id="HOUSE1"), of_both("HOUSE1")),
        (old_post(auth_id="HOUSE1", **BILLED), of_both("HOUSE1") | session(OLD_CPO, "S1", E2)),
        (
            old_put(auth_id="HOUSE1"),
            of_both("HOUSE1") | {RecentToken(OLD_CPO, each, "HOUSE1"): token(each) for each in (E1, E2)},
        ),
        (old_put(auth_id="HOUSE1"), {}),
        (old_put(cdr_token=TOKEN | owned_by(E1)), {}),
        (old_post(), {}),
    ],
)
def test_a_contract_that_may_be_several_parties_is_nobodys(sent: Message, known: Known) -> None:
    with pytest.raises(UnknownReceiver):
        way(sent, known, PEERS)


# ------------------------------------------------------------------------------------------------- records of a list


def found(body: bytes, known: Mapping[Any, Any], module: ModuleID = ModuleID.SESSIONS) -> tuple[Party | None, Clues]:
    """Whom a record in the list of a 2.1.1 CPO is for."""
    rows, clues = MATRIX[Version.V2_1_1], Clues(known)
    key = (ModuleID.CDRS, (), "POST") if module is ModuleID.CDRS else (module, (*OWNER, "{session_id}"), "PUT")
    row = rows[key[0], InterfaceRole.RECEIVER, key[2], key[1]]
    dialect = DIALECTS[Version.V2_1_1]
    record = record_in(read_members(body), OLD_CPO, dialect, is_cdr=module is ModuleID.CDRS)
    return emsp_of(record, OLD_CPO, row.leads, PEERS, clues), clues


def test_a_record_in_a_list_of_everybodys_is_one_partys_or_nobodys() -> None:
    house = b'{"id": "S1", "auth_id": "HOUSE1"}'

    assert found(house, session(OLD_CPO, "S1", E2))[0] == E2
    assert found(b'{"id": "D1", "auth_id": "NL-MS1-C12345"}', {}, ModuleID.CDRS)[0] == E1
    assert found(house, of_both("HOUSE1"))[0] is None
    assert found(house, {})[0] is None
    assert found(b'{"id": "S1"}', {})[0] is None


def test_what_a_record_asks_for_is_known_afterwards() -> None:
    party, clues = found(b'{"id": "S1", "auth_id": "HOUSE1"}', {})

    assert party is None
    assert len(clues.asked) == 2
    answered = dict.fromkeys(clues.asked) | session(OLD_CPO, "S1", E2)
    assert found(b'{"id": "S1", "auth_id": "HOUSE1"}', answered)[0] == E2
