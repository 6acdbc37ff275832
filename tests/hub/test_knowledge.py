from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from structlog.testing import capture_logs

from hub.knowledge import Knowledge
from hub.learning import Heard
from hub.store.columns import Row
from hub.store.learned import Learned
from hub.store.redis import open_redis
from routing.errors import ReceiverTimeout
from routing.timestamps import write_seconds
from routing.translation.crossing import Json
from routing.translation.kinds import Kind
from routing.translation.questions import (
    AuthorizationReference,
    ChosenToken,
    ConnectedEmsp,
    CreditedSession,
    LocationAtHand,
    LocationOf,
    Published,
    Question,
    RecentToken,
    ReservationNumber,
    SessionAtReceiver,
    SessionOfCdr,
    ShownBefore,
    TariffFacts,
    TariffOf,
    TariffSeen,
    TokenFacts,
    TokensOfContract,
    TokensOfUid,
)
from routing.vocabulary import Face, Party, Version
from tests.conftest import StoreUrls
from tests.hub.store.learned_stores import PATIENT_S
from tests.hub.store.opened import OUTAGE_S, SOON_S, Process, eventually, first_process, process, registration

pytestmark = pytest.mark.anyio

CPO, EMSP, OTHER_EMSP = Party("NL", "CPO"), Party("DE", "MSP"), Party("FR", "OTH")
NOW = datetime.now(UTC).replace(microsecond=0)
V211, V221 = Version.V2_1_1, Version.V2_2_1
HOUR = timedelta(hours=1)
START = write_seconds(NOW)

TOKEN = {
    "uid": "04A1",
    "type": "RFID",
    "contract_id": "DE-MSP-C1",
    "valid": True,
    "last_updated": "2024-01-01T00:00:00Z",
}
FACTS = TokenFacts(EMSP, "04A1", "RFID", "DE-MSP-C1", True, "2024-01-01T00:00:00Z")
COMMAND = {"token": TOKEN, "location_id": "LOC1", "authorization_reference": "REF-1"}
SESSION = {
    "id": "S1",
    "start_datetime": START,
    "auth_id": "DE*MSP*C1",
    "location": {"id": "LOC1", "address": "Private road 1"},
    "kwh": Decimal("4.20"),
    "meter_id": "METER-OF-SOMEBODY",
    "status": "ACTIVE",
}
TRANSLATED = {"cdr_token": {"country_code": "DE", "party_id": "MSP", **TOKEN}}
LOCATION = {"id": "LOC1", "type": "ON_STREET", "name": "Station", "country": "NLD", "evses": []}
TARIFF = {"id": "T1", "currency": "EUR", "elements": [{"price": Decimal("0.250")}]}
REFERENCE = AuthorizationReference(CPO, EMSP, "04a1", "RFID", "S1", START, "LOC1")


def heard(kind: Kind, mode: Any = "put", **more: Any) -> Heard:  # noqa: ANN401 - a Mode; members of Heard
    """A body of the eMSP's, or of the CPO's if it is one of theirs."""
    owner = CPO if kind in (Kind.LOCATION, Kind.SESSION, Kind.TARIFF) else EMSP
    members: dict[str, Any] = {"version": V221, "owner": owner, "at": NOW, "cpo": CPO, "emsp": EMSP, **more}
    return Heard(kind, mode, **{"teller": (members["owner"],), **members})


TAUGHT: list[tuple[Heard, Json]] = [
    (heard(Kind.TOKEN), TOKEN),
    (heard(Kind.START_SESSION, "post"), COMMAND),
    (heard(Kind.LOCATION, viewer=EMSP), {"id": "LOC1", "publish": False}),
    (heard(Kind.TARIFF), {"id": "T1", "type": "REGULAR"}),
]
ANSWERS: dict[Question[Any], Any] = {
    TokensOfUid(EMSP, "04a1"): (FACTS,),
    TokensOfUid(None, "04A1"): (FACTS,),
    TokensOfUid(CPO, "04A1"): (),
    TokensOfContract(None, "de*msp*c1"): (FACTS,),
    TokensOfContract(EMSP, "04a1"): (FACTS,),
    RecentToken(CPO, EMSP, "DEMSPC1"): FACTS,
    ChosenToken(CPO, "s1"): TokenFacts(EMSP, "04A1", "RFID", "DE-MSP-C1", True, ""),
    SessionOfCdr(CPO, START, "DE-MSP-C1", "loc1"): "S1",
    REFERENCE: "REF-1",
    Published(CPO, "LOC1"): False,
    ShownBefore(EMSP, "locations", CPO, "LOC1"): True,
    ShownBefore(EMSP, "tariffs", CPO, "T1"): False,
    TariffSeen(CPO, "T1"): TariffFacts("REGULAR", None, None),
    ReservationNumber(CPO, EMSP, "77", 77): 77,
    CreditedSession(CPO, EMSP, "C2", "S1", START, "04A1", "E1"): False,
}
UNKNOWN: list[Question[Any]] = [
    TokensOfUid(None, "04A2"),
    RecentToken(CPO, OTHER_EMSP, "DE-MSP-C1"),
    ChosenToken(CPO, "S2"),
    SessionOfCdr(CPO, "not a moment", "DE-MSP-C1", "LOC1"),
    AuthorizationReference(CPO, EMSP, "04A1", "RFID", "S2", "not a moment", None),
    Published(CPO, "LOC2"),
    TariffSeen(CPO, "T2"),
    LocationOf(CPO, "LOC1"),
    LocationAtHand(CPO, "LOC1"),
    SessionAtReceiver(CPO, "S1", "2.2.1"),
    TariffOf(CPO, "T1"),
    ConnectedEmsp(EMSP),
]


@asynccontextmanager
async def knowing(urls: StoreUrls, of: Process, *, soon_s: float = PATIENT_S) -> AsyncIterator[Knowledge]:
    """What this process knows."""
    redis = None if urls.redis_url is None else open_redis(urls.redis_url)
    learned = Learned(of.database, of.vault, redis, soon_s=soon_s)
    knowledge = Knowledge(learned, of.directory)
    await knowledge.start()
    try:
        await eventually(lambda: learned._hears_notices, within_s=OUTAGE_S)
        yield knowledge
    finally:
        await knowledge.stop()
        if redis is not None:
            await redis.aclose()


@pytest.fixture
async def store(store_urls: StoreUrls) -> AsyncIterator[Process]:
    async with first_process(store_urls) as one:
        yield one


@pytest.fixture
async def knowledge(store_urls: StoreUrls, store: Process) -> AsyncIterator[Knowledge]:
    """What a process knows. The test runs twice."""
    async with knowing(store_urls, store) as known:
        yield known


def teach(knowledge: Knowledge) -> None:
    """What `ANSWERS` follow from."""
    for what, body in TAUGHT:
        knowledge.learn(what, body)
    knowledge.learn(heard(Kind.SESSION, version=V211), SESSION, TRANSLATED)


async def answer(knowledge: Knowledge, question: Question[Any]) -> Any:  # noqa: ANN401 - what the question asks for
    return (await knowledge.answers([question]))[question]


async def test_questions_are_answered_from_what_was_learned(knowledge: Knowledge) -> None:
    teach(knowledge)

    assert await knowledge.answers(ANSWERS) == ANSWERS


async def test_what_one_process_learned_another_answers_and_so_does_one_that_starts_later(
    store: Process, store_urls: StoreUrls, knowledge: Knowledge
) -> None:
    teach(knowledge)
    if store_urls.redis_url is not None:
        async with process(store_urls) as other, knowing(store_urls, other) as elsewhere:
            async with asyncio.timeout(SOON_S):
                while await elsewhere.answers(ANSWERS) != ANSWERS:  # noqa: ASYNC110 - another process has it, without an event
                    await asyncio.sleep(0.01)
    await knowledge.stop()

    async with knowing(store_urls, store) as restarted:
        assert await restarted.answers(ANSWERS) == ANSWERS


async def test_every_question_has_an_answer_also_where_nothing_is_known(knowledge: Knowledge) -> None:
    found = await knowledge.answers(UNKNOWN)

    assert set(found) == set(UNKNOWN)
    assert not any(found.values())
    assert await knowledge.answers([]) == {}


async def test_what_was_read_or_learned_here_is_known_at_once(knowledge: Knowledge) -> None:
    at_hand = [
        question
        for question in ANSWERS
        if not isinstance(question, SessionOfCdr | ReservationNumber | CreditedSession | AuthorizationReference)
    ]
    for question in at_hand:
        with pytest.raises(KeyError):
            knowledge.known[question]
    await knowledge.answers(ANSWERS)

    teach(knowledge)

    assert {question: knowledge.known[question] for question in at_hand} == {
        question: ANSWERS[question] for question in at_hand
    }
    assert await answer(knowledge, REFERENCE) == "REF-1"
    await answer(knowledge, REFERENCE)
    assert knowledge.known[REFERENCE] == "REF-1"
    for question in (ReservationNumber(CPO, EMSP, "77", 77), LocationOf(CPO, "LOC1"), SessionOfCdr(CPO, START, "", "")):
        assert question not in knowledge.known


async def test_a_reference_that_has_to_be_bound_first_is_not_known_at_once(knowledge: Knowledge) -> None:
    await answer(knowledge, replaced(REFERENCE, token_uid="04A1", session_id="S0"))
    knowledge.learn(heard(Kind.START_SESSION, "post"), COMMAND)

    assert REFERENCE not in knowledge.known
    assert await answer(knowledge, REFERENCE) == "REF-1"
    assert await answer(knowledge, replaced(REFERENCE, session_id="S2")) is None
    assert await answer(knowledge, REFERENCE) == "REF-1"


def replaced(question: AuthorizationReference, **changes: Any) -> AuthorizationReference:  # noqa: ANN401 - members
    return msgspec.structs.replace(question, **changes)


async def test_two_emsps_that_claim_one_uid_are_told_apart(knowledge: Knowledge) -> None:
    theirs = {**TOKEN, "contract_id": "FR-OTH-C1", "valid": False}
    knowledge.learn(heard(Kind.TOKEN), TOKEN)
    knowledge.learn(heard(Kind.TOKEN, owner=OTHER_EMSP), theirs)
    knowledge.learn(heard(Kind.TOKEN, "patch", owner=OTHER_EMSP, ids=("04A1",)), {"issuer": "Other"})

    of_other = TokenFacts(OTHER_EMSP, "04A1", "RFID", "FR-OTH-C1", False, "2024-01-01T00:00:00Z", "Other")
    assert await knowledge.answers([TokensOfUid(None, "04A1"), TokensOfUid(OTHER_EMSP, "04A1")]) == {
        TokensOfUid(None, "04A1"): (FACTS, of_other),
        TokensOfUid(OTHER_EMSP, "04A1"): (of_other,),
    }


async def test_a_token_whose_contract_is_its_uid_is_found_once(knowledge: Knowledge) -> None:
    knowledge.learn(heard(Kind.TOKEN), {**TOKEN, "contract_id": "04a1"})

    assert len(await answer(knowledge, TokensOfContract(EMSP, "04A1"))) == 1


async def test_a_token_of_a_command_is_known_for_a_month_only(knowledge: Knowledge) -> None:
    knowledge.learn(heard(Kind.START_SESSION, "post", at=NOW - timedelta(days=31)), COMMAND)

    assert await answer(knowledge, TokensOfUid(EMSP, "04A1")) == ()


async def test_only_the_last_day_counts_as_recent(knowledge: Knowledge) -> None:
    question = RecentToken(CPO, EMSP, "DE-MSP-C1")
    knowledge.learn(heard(Kind.START_SESSION, "post", at=NOW - 25 * HOUR), COMMAND)
    assert await answer(knowledge, question) is None

    knowledge.learn(heard(Kind.START_SESSION, "post", at=NOW - 23 * HOUR), COMMAND)
    assert await answer(knowledge, question) == FACTS


async def test_a_cdr_finds_its_session_only_if_there_is_one(knowledge: Knowledge) -> None:
    question = SessionOfCdr(CPO, START.replace("Z", ".000Z"), "DE-MSP-C1", "LOC1")
    knowledge.learn(heard(Kind.SESSION, version=V211), {**SESSION, "id": "S2", "status": "INVALID"})
    knowledge.learn(heard(Kind.SESSION, version=V211), {**SESSION, "id": "S3", "auth_id": "DE-MSP-C9"})
    knowledge.learn(heard(Kind.SESSION, version=V211), {**SESSION, "id": "S4", "location": {"id": "LOC9"}})
    knowledge.learn(heard(Kind.SESSION, version=V211), SESSION)
    assert await answer(knowledge, question) == "S1"

    knowledge.learn(heard(Kind.SESSION, version=V211), {**SESSION, "id": "S5"})
    assert await answer(knowledge, question) is None

    knowledge.learn(heard(Kind.SESSION, "patch", version=V211, ids=("S5",)), {"status": "INVALID"})
    assert await answer(knowledge, question) == "S1"


async def test_a_session_that_goes_on_keeps_being_known_at_once(knowledge: Knowledge) -> None:
    question = ChosenToken(CPO, "s1")
    await answer(knowledge, question)
    what = heard(Kind.SESSION, version=V211)
    knowledge.learn(what, SESSION, TRANSLATED)
    await knowledge._learned._write()

    knowledge.learn(what, {**SESSION, "kwh": Decimal("5.10")}, TRANSLATED)

    assert knowledge.known[question] == ANSWERS[question]
    assert knowledge._learned.remembered.is_written, "that energy flows is nothing to remember"


# Credits


async def test_a_cdr_of_a_session_whose_credit_was_held_back_is_recognised(knowledge: Knowledge) -> None:
    credit = {
        "id": "CREDIT-1",
        "credit": True,
        "credit_reference_id": "C1",
        "session_id": "S1",
        "start_date_time": START,
        "cdr_token": {"uid": "04A1"},
        "cdr_location": {"evse_uid": "E1"},
    }
    assert await knowledge.credit_held_back(CPO, EMSP, credit)

    def asked(cdr_id: str = "C2", session_id: str | None = "S1", **more: Any) -> CreditedSession:  # noqa: ANN401 - members
        members = {"start_date_time": START, "token_uid": "04a1", "evse_uid": "e1", **more}
        return CreditedSession(CPO, EMSP, cdr_id, session_id, **members)

    expected = {
        asked(): True,
        asked(session_id=None): True,
        asked("c1"): False,
        asked(session_id="S2"): False,
        asked(session_id=None, token_uid="04B2"): False,
        asked(session_id=None, evse_uid="E2"): False,
        asked(session_id=None, start_date_time="2024-01-01T00:00:00Z"): False,
        asked(session_id=None, start_date_time="not a moment"): False,
        CreditedSession(CPO, OTHER_EMSP, "C2", "S1", START, "04A1", "E1"): False,
    }
    assert await knowledge.answers(expected) == expected


async def test_a_credit_without_a_session_holds_back_what_began_there_and_then(knowledge: Knowledge) -> None:
    credit = {
        "id": "CREDIT-1",
        "start_date_time": START,
        "cdr_token": {"uid": "04A1"},
        "cdr_location": {"evse_uid": "E1"},
    }
    assert await knowledge.credit_held_back(CPO, EMSP, credit)
    assert not await knowledge.credit_held_back(CPO, EMSP, {"credit": True})

    assert await answer(knowledge, CreditedSession(CPO, EMSP, "C2", "S1", START, "04A1", "E1"))


# What is asked of others, and what need not be


async def registered_2_1_1(store: Process, *parties: Party) -> str:
    """A 2.1.1 CPO; returns the id of its connection."""
    _, token_a = await store.platforms.create("A legacy CPO", face=Face.EMSP)
    named = registration(*parties, version=V211, face=Face.EMSP)
    token = await store.platforms.register(store.invitation(token_a), named)
    return store.registered(token).connection.id


async def nobody(question: Question[Any]) -> None:
    raise AssertionError(question)


async def test_what_a_2_1_1_owner_pushed_need_not_be_asked_for(store: Process, knowledge: Knowledge) -> None:
    connection_id = await registered_2_1_1(store, CPO)
    knowledge.learn(heard(Kind.LOCATION, version=V211, ids=("LOC1",)), LOCATION)
    knowledge.learn(heard(Kind.TARIFF, version=V211, ids=("T1",)), TARIFF)
    questions: list[Question[Any]] = [LocationAtHand(CPO, "loc1"), LocationOf(CPO, "LOC1"), TariffOf(CPO, "T1")]

    at_hand, location, tariff = (await knowledge.answers(questions, nobody)).values()

    assert at_hand == location
    assert (location["country_code"], location["party_id"], location["publish"]) == ("NL", "CPO", True)
    assert (location["parking_type"], location["name"]) == ("ON_STREET", "Station")
    assert tariff == TARIFF
    assert str(tariff["elements"][0]["price"]) == "0.250"
    assert await knowledge.own_push("locations", CPO, "LOC1") == LOCATION
    assert await knowledge.own_push("tokens", CPO, "LOC1") is None

    await store.platforms.reregister(connection_id, registration(CPO))
    assert list((await knowledge.answers(questions)).values()) == [None, None, None], "it has another version now"


async def test_what_only_others_know_is_looked_up_and_all_at_once(knowledge: Knowledge) -> None:
    asked: list[Question[Any]] = []
    all_asked = asyncio.Event()
    others: list[Question[Any]] = [
        LocationOf(CPO, "LOC1"),
        TariffOf(CPO, "T1"),
        SessionAtReceiver(CPO, "S1", "2.2.1"),
        ConnectedEmsp(EMSP),
    ]

    async def look_up(question: Question[Any]) -> Any:  # noqa: ANN401 - what the question asks for
        asked.append(question)
        if len(asked) == len(others):
            all_asked.set()
        async with asyncio.timeout(5):
            await all_asked.wait()
        if isinstance(question, TariffOf):
            raise ReceiverTimeout("too late")
        return True if isinstance(question, ConnectedEmsp) else {"id": "X"}

    questions = [*others, LocationAtHand(CPO, "LOC1"), Published(CPO, "LOC1"), *others]
    found = await knowledge.answers(questions, look_up)

    assert asked == others
    assert list(found.values()) == [{"id": "X"}, None, {"id": "X"}, True, None, None]


# Outages


async def test_without_its_database_everything_is_unknown_and_nothing_fails(
    store: Process, store_urls: StoreUrls
) -> None:
    async with knowing(store_urls, store) as knowledge:
        knowledge.learn(heard(Kind.TOKEN), TOKEN)
        # What is read while it is written is not kept.
        await eventually(lambda: knowledge._learned.remembered.is_written, within_s=OUTAGE_S)
        await knowledge.answers([TokensOfUid(EMSP, "04A1")])
        async with store.database.writing() as session:
            for table in ("learned_tokens", "learned_sessions", "reservation_numbers", "credited_sessions"):
                await session.exec(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))  # type: ignore[call-overload]  # plain SQL
        others = [question for question in ANSWERS if not isinstance(question, TokensOfUid)]

        found = await knowledge.answers([*others, TokensOfUid(EMSP, "04A1")])

        assert found == dict.fromkeys(others) | {TokensOfUid(EMSP, "04A1"): (FACTS,)}
        assert not await knowledge.credit_held_back(CPO, EMSP, {"id": "CREDIT-1", "session_id": "S1"})


async def test_a_bug_in_learning_costs_no_message_its_answer(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knowledge._learned, "note", None)
    with capture_logs() as logs:
        knowledge.learn(heard(Kind.TOKEN), TOKEN)

    assert [each["event"] for each in logs] == ["nothing_learned"]


# Privacy


async def test_nothing_of_what_a_session_or_a_cdr_measured_is_kept_anywhere(
    store: Process, store_urls: StoreUrls, knowledge: Knowledge, redis_url: str
) -> None:
    secrets = ("METER-OF-SOMEBODY", "Private road 1", "4.20", "SIGNED-DATA", "REMARK")
    cdr = {**SESSION, "signed_data": "SIGNED-DATA", "remark": "REMARK", "cdr_token": TOKEN, "credit_reference_id": "C1"}
    for mode in ("put", "patch", "list", "object"):
        knowledge.learn(heard(Kind.SESSION, mode, version=V211, ids=("S1",)), SESSION, TRANSLATED | SESSION)
        knowledge.learn(heard(Kind.SESSION, mode, ids=("S1",)), cdr, TRANSLATED | cdr)
        knowledge.learn(heard(Kind.CDR, mode, owner=CPO, version=V211, ids=("C1",)), cdr, cdr)
    assert await knowledge.credit_held_back(CPO, EMSP, cdr)
    await knowledge.answers(ANSWERS)
    await knowledge._learned._write()

    kept = await everything_in(store)
    async with Redis.from_url(store_urls.redis_url or redis_url) as client:
        kept += [str(await client.get(key)) async for key in client.scan_iter(match="*learned*")]

    assert "S1" in str(kept), "there is something to look at"
    assert [secret for secret in secrets if any(secret in row for row in kept)] == []


async def everything_in(store: Process) -> list[str]:
    """Every row of every table."""
    async with store.database.engine.connect() as connection:
        return [
            str(tuple(row))
            for table in Row.metadata.sorted_tables
            for row in await connection.execute(text(f"SELECT * FROM {table.name}"))  # noqa: S608 - a table of ours
        ]
