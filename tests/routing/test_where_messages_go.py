"""What holds for the way of every message, whatever is known, and whoever sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.bodies import read_members
from routing.clues import Clues, Index, SessionFacts, SessionKnown, Way, WaysOf
from routing.decision import decide
from routing.directory import PartyDirectory
from routing.errors import HubError
from routing.matrix import MATRIX, Row
from routing.message import Message
from routing.modules import OWNER, operation_at
from routing.open_routing import Rules
from routing.routes import Broadcast, FanOut, Forward, GetAll, ReadBack, Route
from routing.translation.crossing import AnsweredByHub
from routing.translation.questions import (
    Question,
    RecentToken,
    SessionOfCdr,
    TokenFacts,
    TokensOfContract,
    TokensOfUid,
)
from routing.vocabulary import ConnectionStatus, InterfaceRole, ModuleID, Party, Role, Version
from tests.routing.directories import company, connection, hub_part, offering
from tests.routing.open_messages import C1, E1, HUB, NOBODY, NSP, OLD_CPO, OLD_EMSP, SIBLING, away, market

HIDDEN = Party("XK", "CPO")
"""Behind a hub, and so nothing to those behind another one."""
GONE = Party("NL", "GON")
WAYS = (connection("k", Version.V2_3_0, offering("k", Version.V2_3_0)),)
DIRECTORY = market(
    company("old-cpo", {OLD_CPO: [Role.CPO]}, Version.V2_1_1),
    company("old-emsp", {OLD_EMSP: [Role.EMSP]}, Version.V2_1_1),
    away("gone", GONE, Role.EMSP, ConnectionStatus.SUSPENDED),
    hub_part("k", Party("XK", "HUB"), HIDDEN, connections=WAYS),
    hub_part("k2", Party("XL", "HUB"), Party("XL", "MSP"), role=Role.EMSP, connections=WAYS),
)
SENDERS = sorted({*DIRECTORY.parties, HIDDEN, Party("XL", "MSP")} - {GONE})
PARTIES = st.sampled_from([*SENDERS, GONE, NOBODY])
TEXTS = st.sampled_from(["S1", "LOC1", "D1", "U1", "NL-MS1-C12345", "#NA", "", "house"])
PERSONAL = frozenset({ModuleID.SESSIONS, ModuleID.CDRS})
ROWS = [(version, row) for version, rows in MATRIX.items() for row in rows.values()]


class Anything(Mapping[Question[Any], Any]):
    """Answers to every question there is, each drawn once."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self._told: dict[Question[Any], Any] = {}

    def __getitem__(self, question: Question[Any]) -> Any:  # noqa: ANN401 - what the question asks for
        if question not in self._told:
            self._told[question] = self._data.draw(_answer(question), label=str(question))
        return self._told[question]

    def __iter__(self) -> Any:  # noqa: ANN401 - nobody lists them
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)


TOKENS = st.builds(
    TokenFacts,
    owner=PARTIES,
    uid=TEXTS,
    type=st.sampled_from(["RFID", "OTHER", "APP_USER"]),
    contract_id=TEXTS,
    valid=st.booleans(),
    last_updated=st.sampled_from(["2026-01-01T00:00:00Z", "2026-02-01T00:00:00", "never"]),
)


def _answer(question: Question[Any]) -> st.SearchStrategy[Any]:
    match question:
        case WaysOf():
            return st.none() | st.lists(st.builds(Way, PARTIES, detail=st.just("S1")), max_size=3).map(tuple)
        case SessionKnown():
            return st.none() | st.builds(SessionFacts, st.none() | PARTIES, st.sampled_from(["ACTIVE", "COMPLETED"]))
        case TokensOfUid() | TokensOfContract():
            return st.none() | st.lists(TOKENS, max_size=3).map(tuple)
        case RecentToken():
            return st.none() | TOKENS
        case SessionOfCdr():
            return st.none() | TEXTS
        case _:
            raise AssertionError(question)


OBJECT = st.fixed_dictionaries(
    {},
    optional={
        "country_code": st.sampled_from(["NL", "XX"]),
        "party_id": st.sampled_from(["MS1", "CP1", "XXX"]),
        "uid": TEXTS,
        "contract_id": TEXTS,
        "type": st.sampled_from(["RFID", "APP_USER"]),
    },
)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "cdr_token": OBJECT | TEXTS,
        "auth_id": TEXTS,
        "id": TEXTS,
        "session_id": TEXTS,
        "location_id": TEXTS,
        "evse_uid": TEXTS,
        "authorization_reference": TEXTS,
        "credit_reference_id": TEXTS,
        "start_date_time": st.just("2026-01-01T00:00:00Z"),
        "location": st.just({"id": "LOC1"}),
        "location_ids": st.lists(TEXTS, max_size=2),
        "cdrs": st.lists(TEXTS, max_size=2),
        "request_id": TEXTS,
        "reference": TEXTS,
        "reservation_id": TEXTS,
        "booking_tokens": st.lists(OBJECT, max_size=2),
    },
)


@st.composite
def messages(draw: st.DrawFn, rows: list[tuple[Version, Row]]) -> Message:
    version, row = draw(st.sampled_from(rows))
    senders = [each for each in SENDERS if _speaks(each, version)]
    sender = draw(st.sampled_from(senders or SENDERS))
    values = {name: draw(TEXTS.filter(bool)).replace("#", "%23") for name in row.path if name.startswith("{")}
    if row.path[:2] == OWNER:
        values |= dict(zip(OWNER, sender, strict=True))
    segments = tuple(values.get(part, part) for part in row.path)
    operation = operation_at(version, row.module, row.interface, row.method, segments)
    body = None if operation.body is None else json.dumps(draw(BODY)).encode()
    query = draw(st.sampled_from(["", "type=APP_USER", "type=EMAID"]))
    return Message(version, operation, segments, query, sender, draw(st.sampled_from([None, HUB])), body)


def _speaks(party: Party, version: Version) -> bool:
    platform = DIRECTORY.platform_of(party)
    return platform is not None and any(each.version is version for each in platform.connections)


def route_of(sent: Message, known: Mapping[Question[Any], Any], rules: Rules | None = None) -> Route | None:
    """Its way; None when there is none."""
    members = read_members(sent.body) if sent.body else {}
    clues = Clues(known)
    try:
        return decide(sent, members, [sent.sender], DIRECTORY, HUB, rules or Rules(), clues)
    except (HubError, AnsweredByHub):
        return None
    finally:
        assert not clues.asked or not isinstance(known, Anything)


def reached(route: Route | None) -> list[Party]:
    """Everybody who gets something of the message."""
    match route:
        case Forward():
            return [route.receiver]
        case Broadcast():
            return [each.receiver for each in route.receivers]
        case FanOut():
            return [each.receiver for each in route.asked]
        case GetAll():
            return [each.party for each in route.units]
        case ReadBack() | None:
            return []


@settings(max_examples=120)
@given(st.data(), messages(ROWS))
def test_nobody_gets_what_comes_from_somebody_it_is_invisible_to(data: st.DataObject, sent: Message) -> None:
    route = route_of(sent, Anything(data))

    for party in reached(route):
        assert DIRECTORY.visible_to(sent.sender, party)
        assert DIRECTORY.platform_of(party) is not None
    if isinstance(route, Broadcast | GetAll):
        own = DIRECTORY.platform_of(sent.sender)
        assert all(DIRECTORY.platform_of(party) is not own for party in reached(route))
        assert len(set(reached(route))) == len(reached(route))


@settings(max_examples=80)
@given(st.data(), messages([each for each in ROWS if each[1].module in PERSONAL and not each[1].get_all]))
def test_what_tells_of_a_person_goes_to_one_party_at_most(data: st.DataObject, sent: Message) -> None:
    route = route_of(sent, Anything(data))

    assert route is None or isinstance(route, Forward)


@settings(max_examples=60)
@given(st.data(), messages(ROWS))
def test_the_way_is_the_same_whenever_the_same_is_known(data: st.DataObject, sent: Message) -> None:
    known = Anything(data)

    first, again = route_of(sent, known), route_of(sent, known)

    assert type(first) is type(again)
    assert reached(first) == reached(again)


@settings(max_examples=60)
@given(st.data(), messages(ROWS))
def test_a_few_rounds_of_questions_are_enough(data: st.DataObject, sent: Message) -> None:
    everything, known = Anything(data), dict[Question[Any], Any]()
    members = read_members(sent.body) if sent.body else {}
    for _ in range(6):
        clues = Clues(known)
        with suppress(HubError, AnsweredByHub):
            decide(sent, members, [sent.sender], DIRECTORY, HUB, Rules(), clues)
        if not clues.asked:
            return
        assert not set(clues.asked) & known.keys(), "nothing is asked twice"
        known |= {question: everything[question] for question in clues.asked}
    pytest.fail("it goes on asking")


@given(messages(ROWS))
def test_where_nothing_is_known_no_personal_message_goes_anywhere_but_by_its_own_words(sent: Message) -> None:
    route = route_of(sent, {})

    if sent.operation.module in PERSONAL and sent.operation.interface is InterfaceRole.RECEIVER:
        named = sent.body is not None and (b'"country_code"' in sent.body or b"NL-MS1" in sent.body)
        assert route is None or named


def test_a_directory_of_thousands_is_gone_through_once() -> None:
    names = [Party(f"{a}{b}", f"{number:03}") for a, b, number in product("ABCDE", "ABCDE", range(40))]
    crowd = [company(f"x{number}", {party: [Role.EMSP]}) for number, party in enumerate(names)]
    directory = PartyDirectory.of(1, [*crowd, company("c1", {C1: [Role.CPO], SIBLING: [Role.EMSP]})])
    operation = operation_at(Version.V2_2_1, "locations", InterfaceRole.RECEIVER, "PUT", (*C1, "L1"))
    sent = Message(Version.V2_2_1, operation, (*C1, "L1"), "", C1, HUB, b"{}")

    route = decide(sent, {}, [C1], directory, HUB, Rules(), Clues({}))

    assert isinstance(route, Broadcast)
    assert [each.receiver for each in route.receivers] == names


def test_who_is_not_here_does_not_count_beside_who_is() -> None:
    operation = operation_at(Version.V2_3_0, "locations", InterfaceRole.SENDER, "GET", ("L1",))
    sent = Message(Version.V2_3_0, operation, ("L1",), "", E1, None, None)
    ways = (Way(NOBODY), Way(GONE), Way(NSP))

    assert reached(route_of(sent, {WaysOf(Index.LOCATION, ("L1",)): ways})) == [NSP]
    assert reached(route_of(sent, {WaysOf(Index.LOCATION, ("L1",)): ways[:1]})) == []
