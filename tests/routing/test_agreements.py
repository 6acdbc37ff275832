"""Who may send to whom: the tables of `routing.agreements`, and that every route and every list keeps to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from routing.agreements import EVERYTHING, Agreement, AgreementRules, Agreements, Sending, Standing
from routing.bodies import read_members
from routing.client_info import client_infos, visible_entries
from routing.clues import Clues, Index, Way
from routing.decision import decide
from routing.dialects import DIALECTS
from routing.directory import PartyDirectory, PlatformPart
from routing.errors import HubError, NotRoutable, ReceiverUnreachable, Refusal, UnknownReceiver
from routing.matrix import Lead
from routing.message import Message
from routing.open_routing import Rules
from routing.records import emsp_of, record_in
from routing.routes import Broadcast, FanOut, Forward, GetAll
from routing.translation.crossing import AnsweredByHub
from routing.vocabulary import ConnectionStatus, ModuleID, Party, Role, Version
from tests.routing.directories import LONG_AGO, company, connection, hub_part, offering, part
from tests.routing.open_messages import (
    C1,
    C2,
    E1,
    E2,
    HUB,
    MARKET,
    NOBODY,
    RECEIVER,
    SENDER,
    SIBLING,
    leads,
    message,
    way,
)
from tests.routing.test_where_messages_go import DIRECTORY, PARTIES, ROWS, SENDERS, Anything, messages, reached

CONNECTED, PLANNED, SUSPENDED = ConnectionStatus.CONNECTED, ConnectionStatus.PLANNED, ConnectionStatus.SUSPENDED
DAY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = DAY + timedelta(days=1)
OPEN, REQUIRED, TO_PLAN = AgreementRules(), AgreementRules(required=True), AgreementRules(required=True, planned=True)
KNOT, LOOP = Party("BE", "KNO"), Party("FR", "LOO")
THERE, BEYOND = Party("BE", "CCC"), Party("FR", "EEE")


def agreed(
    a: Party,
    b: Party,
    *modules: str,
    sending: Sending = Sending.BOTH,
    revision: int = 1,
    turned_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> Agreement:
    only = frozenset(modules) or None
    return Agreement(f"{a}/{b}", a, b, only, sending, DAY, revision, turned_at, ended_at)


def under(rules: AgreementRules, *agreements: Agreement, directory: PartyDirectory = MARKET) -> PartyDirectory:
    """A directory with these agreements."""
    return directory.agreeing(Agreements.of(rules, len(agreements), agreements))


def status_for(viewer: str, party: Party, directory: PartyDirectory) -> ConnectionStatus | None:
    entry = directory.entry(party)
    assert entry is not None
    return directory.shown_to(directory.platform(viewer), entry)


def refused(sent: Message, directory: PartyDirectory) -> HubError:
    with pytest.raises(HubError) as raised:
        way(sent, directory=directory)
    return raised.value


LOCATIONS = message(E1, "locations", SENDER, "GET", to=C1)

# ------------------------------------------------------------------------------------------------------ what holds


def test_without_agreements_everybody_may_send_everything_to_everybody() -> None:
    assert EVERYTHING.lets_everything
    assert EVERYTHING.allows(C1, E1, "cdrs")
    assert EVERYTHING.stand(C1, E1).standing is Standing.OPEN


def test_where_agreements_are_required_nobody_may_send_anything_without_one() -> None:
    agreements = Agreements.of(REQUIRED)

    assert not agreements.allows(C1, E1)
    assert not agreements.allows(C1, E1, "cdrs")
    assert agreements.allows(C1, C1, "cdrs"), "nobody needs an agreement with itself"


@pytest.mark.parametrize("rules", [OPEN, REQUIRED])
def test_an_agreement_says_all_there_is_between_two_parties(rules: AgreementRules) -> None:
    agreements = Agreements.of(rules, 1, [agreed(C1, E1, "cdrs", "sessions", sending=Sending.A_TO_B)])

    assert agreements.allows(C1, E1)
    assert agreements.allows(C1, E1, "cdrs")
    assert not agreements.allows(C1, E1, "locations")
    assert not agreements.allows(E1, C1)
    assert agreements.allows(C1, E2) is not rules.required


def test_an_agreement_about_everything_has_custom_modules_in_it() -> None:
    assert Agreements.of(REQUIRED, 1, [agreed(C1, E1)]).allows(E1, C1, "nl-payroll")


@pytest.mark.parametrize("rules", [OPEN, REQUIRED])
def test_an_agreement_that_has_ended_leaves_what_holds_without_one(rules: AgreementRules) -> None:
    held = Agreements.of(rules, 1, [agreed(C1, E1, "cdrs")])

    ended = held.replacing(2, [agreed(C1, E1, "cdrs", revision=2, ended_at=LATER)])

    assert ended.allows(C1, E1, "locations") is not rules.required
    assert (held.live, ended.live) == (1, 0)
    assert ended.lets_everything is not rules.required
    assert held.allows(C1, E1, "cdrs"), "what was there before is not edited"


def test_of_one_pair_the_latest_agreement_counts_in_whatever_order_they_come() -> None:
    story = [
        agreed(C1, E1, "cdrs", revision=1),
        agreed(E1, C1, "tokens", revision=2),
        agreed(C1, E1, revision=3, ended_at=LATER),
    ]
    for order in permutations(story):
        agreements = Agreements.of(REQUIRED, 3, order)
        assert agreements.between(C1, E1) == agreements.between(E1, C1) == story[2]
        assert agreements.live == 0


PAIRS = st.tuples(PARTIES, PARTIES).filter(lambda pair: pair[0] != pair[1])
MODULES = st.none() | st.frozensets(st.sampled_from(sorted(ModuleID)), min_size=1, max_size=3)


@st.composite
def lists_of_agreements(draw: st.DrawFn) -> list[Agreement]:
    pairs = draw(st.lists(PAIRS, max_size=40))
    return [
        Agreement(
            str(number),
            a,
            b,
            draw(MODULES),
            draw(st.sampled_from(Sending)),
            DAY,
            number,
            draw(st.none() | st.just(LATER)),
            draw(st.none() | st.just(LATER)),
        )
        for number, (a, b) in enumerate(pairs, 1)
    ]


RULES = st.builds(AgreementRules, st.booleans(), st.booleans())


@given(RULES, lists_of_agreements(), st.data())
def test_taken_over_in_parts_or_at_once_agreements_are_the_same(
    rules: AgreementRules, listed: list[Agreement], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(listed)))
    at_once = Agreements.of(rules, len(listed), listed)

    in_parts = Agreements.of(rules, cut, listed[:cut]).replacing(len(listed), listed[cut:])

    assert in_parts.pairs == at_once.pairs
    assert (in_parts.live, in_parts.lets_everything) == (at_once.live, at_once.lets_everything)
    assert set(in_parts.changed_since(cut)) <= set(listed[cut:])
    latest = {frozenset((each.a, each.b)): each for each in listed}
    assert {each.id for each in at_once.changed_since(0)} == {each.id for each in latest.values()}
    for one, other in permutations(SENDERS, 2):
        assert at_once.allows(one, other) is (at_once.stand(one, other).standing is Standing.OPEN)
        if at_once.lets_everything:
            assert at_once.allows(one, other, "cdrs")


# ------------------------------------------------------------------------------------------------- a named receiver


def test_without_an_agreement_a_party_reads_like_one_that_nobody_knows() -> None:
    directory = under(REQUIRED, agreed(E1, C2))
    unknown = refused(message(E1, "locations", SENDER, "GET", to=NOBODY), directory)

    hidden = refused(LOCATIONS, directory)

    assert isinstance(hidden, UnknownReceiver)
    assert (str(hidden), hidden.ocpi_status, hidden.http_status) == (str(unknown), 4001, 200)
    assert (hidden.refusal, unknown.refusal) == (Refusal.NO_AGREEMENT, Refusal.UNKNOWN_RECEIVER)


def test_with_an_agreement_the_message_goes_there() -> None:
    route = way(LOCATIONS, directory=under(REQUIRED, agreed(C1, E1)))

    assert isinstance(route, Forward)
    assert route.receiver == C1


@pytest.mark.parametrize("rules", [OPEN, REQUIRED, TO_PLAN])
def test_a_module_that_is_not_in_the_agreement_is_4000(rules: AgreementRules) -> None:
    error = refused(LOCATIONS, under(rules, agreed(C1, E1, "cdrs")))

    assert isinstance(error, NotRoutable)
    assert error.ocpi_status == 4000
    assert error.refusal is Refusal.NO_AGREEMENT
    assert "locations" in str(error)


@pytest.mark.parametrize("rules", [OPEN, REQUIRED])
def test_an_agreement_of_one_direction_is_none_in_the_other(rules: AgreementRules) -> None:
    directory = under(rules, agreed(E1, C1, sending=Sending.A_TO_B))

    assert isinstance(way(LOCATIONS, directory=directory), Forward)
    back = refused(message(C1, "tokens", SENDER, "GET", to=E1), directory)
    assert isinstance(back, UnknownReceiver)


@pytest.mark.parametrize(
    ("held", "status"),
    [
        ((), PLANNED),
        ((agreed(C1, E1, ended_at=LATER),), SUSPENDED),
        ((agreed(C1, E1, sending=Sending.A_TO_B),), PLANNED),
        ((agreed(C1, E1, sending=Sending.A_TO_B, turned_at=LATER),), SUSPENDED),
        ((agreed(C1, E1, sending=Sending.A_TO_B, ended_at=LATER),), PLANNED),
        ((agreed(E1, C1, sending=Sending.A_TO_B, ended_at=LATER),), SUSPENDED),
    ],
)
def test_where_it_is_shown_as_planned_a_message_to_it_is_4003(
    held: tuple[Agreement, ...], status: ConnectionStatus
) -> None:
    directory = under(TO_PLAN, *held)

    error = refused(LOCATIONS, directory)

    assert isinstance(error, ReceiverUnreachable)
    assert str(error) == f"{C1} is {status}"
    assert error.refusal is Refusal.NO_AGREEMENT
    assert status_for("e1", C1, directory) is status
    unknown = refused(message(E1, "locations", SENDER, "GET", to=NOBODY), directory)
    assert isinstance(unknown, UnknownReceiver)


def test_who_is_away_is_away_whatever_was_agreed() -> None:
    away = company("c1", {C1: [Role.CPO]}, Version.V2_3_0, status=ConnectionStatus.OFFLINE)
    directory = under(REQUIRED, agreed(C1, E1), directory=MARKET.replacing(2, [away]))

    error = refused(LOCATIONS, directory)

    assert str(error) == f"{C1} is OFFLINE"
    assert error.refusal is Refusal.RECEIVER_OFFLINE


# ------------------------------------------------------------------------------------------------- every other way


def test_a_broadcast_goes_only_to_whom_its_owner_may_send_it() -> None:
    sent = message(C1, "locations", RECEIVER, "PUT", "NL/CP1/L1", body={"id": "L1"})
    directory = under(REQUIRED, agreed(C1, E1, "locations"), agreed(C1, E2, "cdrs"))

    assert reached(way(sent, directory=directory)) == [E1]
    assert set(reached(way(sent, directory=under(OPEN, agreed(C1, E1, "cdrs"))))) == set(reached(way(sent))) - {E1}


def test_a_list_of_everybodys_has_only_whom_the_reader_may_ask() -> None:
    sent = message(E1, "locations", SENDER, "GET")
    directory = under(REQUIRED, agreed(E1, C1, "locations"), agreed(C2, E1, "locations", sending=Sending.A_TO_B))

    assert reached(way(sent, directory=directory)) == [C1]


def test_a_token_is_asked_about_only_where_its_asker_may_ask() -> None:
    sent = message(C1, "tokens", SENDER, "POST", "U1/authorize", body={})
    both = under(REQUIRED, agreed(C1, E1, "tokens"), agreed(C1, E2), agreed(C1, SIBLING))

    assert reached(way(sent, directory=both)) == [E1, E2]
    assert reached(way(sent, directory=under(REQUIRED, agreed(C1, E1, "tokens"), agreed(C1, E2, "cdrs")))) == [E1]


def test_a_lead_leads_to_nobody_the_sender_may_not_send_to() -> None:
    sent = message(E1, "locations", SENDER, "GET", "L1")
    known = leads(Index.LOCATION, "L1", to=(Way(C1), Way(C2)))

    assert reached(way(sent, known, under(REQUIRED, agreed(E1, C1, "cdrs"), agreed(E1, C2)))) == [C2]


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
def test_a_record_is_for_nobody_its_cpo_may_not_send_it_to(module: str) -> None:
    token = {"uid": "U1", "type": "RFID", "contract_id": "#NA", "country_code": "NL", "party_id": "MS1"}
    sent = (
        message(C1, module, RECEIVER, "POST", body={"id": "D1", "cdr_token": token})
        if module == "cdrs"
        else message(C1, module, RECEIVER, "PUT", "NL/CP1/S1", body={"cdr_token": token})
    )

    assert reached(way(sent, directory=under(REQUIRED, agreed(C1, E1, module)))) == [E1]
    error = refused(sent, under(REQUIRED, agreed(C1, E1, "tokens"), agreed(C1, E2)))
    assert isinstance(error, UnknownReceiver)


def test_what_an_emsp_may_ask_for_is_its_own_though_its_cpo_may_not_send_it() -> None:
    body = {"cdr_token": {"uid": "U1", "type": "RFID", "contract_id": "#NA", "country_code": "NL", "party_id": "MS1"}}
    sent = message(C1, "sessions", RECEIVER, "PUT", "NL/CP1/S1", body=body)
    assert sent.body is not None
    record = record_in(read_members(sent.body), C1, DIALECTS[Version.V2_3_0], is_cdr=False)

    asked_for = under(REQUIRED, agreed(E1, C1, sending=Sending.A_TO_B))

    assert emsp_of(record, C1, [Lead.TOKEN_OWNER], asked_for, Clues({})) == E1
    assert emsp_of(record, C1, [Lead.TOKEN_OWNER], under(REQUIRED), Clues({})) is None
    assert isinstance(refused(sent, asked_for), UnknownReceiver)


@settings(max_examples=150)
@given(st.data(), messages(ROWS), RULES, lists_of_agreements(), st.none() | PARTIES)
def test_nobody_gets_a_message_its_sender_may_not_send_to_it(
    data: st.DataObject, sent: Message, rules: AgreementRules, listed: list[Agreement], named: Party | None
) -> None:
    directory = under(rules, *listed, directory=DIRECTORY)
    sent = sent if named is None else replace(sent, receiver=named)
    members = read_members(sent.body) if sent.body else {}
    try:
        route = decide(sent, members, [sent.sender], directory, HUB, Rules(), Clues(Anything(data)))
    except (HubError, AnsweredByHub):
        return

    module = sent.operation.module
    for party in reached(route):
        behind = [each for each, entry in directory.remote.items() if entry.platform_id == _hub_of(party, directory)]
        if isinstance(route, Broadcast) and behind:
            # One push is for everybody behind a hub.
            assert any(directory.visible_to(sent.sender, each, module) for each in behind)
        else:
            assert directory.visible_to(sent.sender, party, module)
            assert directory.agreements.allows(sent.sender, party, module)
    assert isinstance(route, Forward | Broadcast | FanOut | GetAll) or not reached(route)


def _hub_of(party: Party, directory: PartyDirectory) -> str | None:
    platform = directory.platform_of(party)
    return platform.id if platform is not None and platform.is_hub else None


# ---------------------------------------------------------------------------------------------------- who is shown


def test_a_platform_is_shown_whom_one_of_its_parties_may_send_to() -> None:
    directory = under(REQUIRED, agreed(SIBLING, C2), agreed(E1, C1, "cdrs", sending=Sending.A_TO_B))

    assert status_for("c1", C2, directory) is CONNECTED
    assert status_for("c1", E1, directory) is None
    assert status_for("e1", C1, directory) is CONNECTED
    assert status_for("e1", SIBLING, directory) is None
    assert [entry.party for entry in visible_entries(directory, directory.platform("c1"))] == [C2]


def test_everybody_else_is_shown_as_planned_where_the_operator_wants_that() -> None:
    gone = Party("NL", "GON")
    parts = [part("gone", gone, status=SUSPENDED), company("c2", {C2: [Role.CPO]})]
    directory = under(TO_PLAN, agreed(E1, C1), directory=MARKET.replacing(2, parts))

    shown = {entry.party: entry.status for entry in visible_entries(directory, directory.platform("e1"))}

    assert set(shown) == set(directory.parties) - {E1}
    assert shown.pop(C1) is CONNECTED
    assert shown.pop(gone) is SUSPENDED, "who has gone is not announced as new"
    assert set(shown.values()) == {PLANNED}


def test_who_is_shown_as_planned_does_not_show_when_it_changes() -> None:
    entry = MARKET.entry(C1)
    assert entry is not None
    changed = replace(entry, last_updated=LATER)
    directory = under(TO_PLAN)

    shown = directory.as_shown_to(directory.platform("e1"), changed)

    assert shown is not None
    assert (shown.status, shown.last_updated) == (PLANNED, LONG_AGO)


@pytest.mark.parametrize(
    ("rules", "held", "status", "since"),
    [
        (REQUIRED, agreed(C1, E1), CONNECTED, DAY),
        (REQUIRED, agreed(C1, E1, turned_at=LATER), CONNECTED, LATER),
        (REQUIRED, agreed(C1, E1, ended_at=LATER), None, None),
        (TO_PLAN, agreed(C1, E1, ended_at=LATER), SUSPENDED, LATER),
        (OPEN, agreed(C1, E1, "cdrs"), CONNECTED, LONG_AGO),
        (OPEN, agreed(E1, C1, sending=Sending.A_TO_B), CONNECTED, LONG_AGO),
        (OPEN, agreed(C1, E1, sending=Sending.A_TO_B), None, None),
        (OPEN, agreed(C1, E1, sending=Sending.A_TO_B, ended_at=LATER), CONNECTED, LATER),
        (AgreementRules(planned=True), agreed(C1, E1, sending=Sending.A_TO_B), SUSPENDED, DAY),
    ],
)
def test_a_party_changes_for_its_viewer_when_their_agreement_does(
    rules: AgreementRules, held: Agreement, status: ConnectionStatus | None, since: datetime | None
) -> None:
    """Else a viewer that asks for what changed since it asked last would never hear of it."""
    directory = under(rules, held)
    entry = directory.entry(C1)
    assert entry is not None

    shown = directory.as_shown_to(directory.platform("e1"), entry)

    seen = (None, None) if shown is None else (shown.status, shown.last_updated)
    assert seen == (status, since)


def test_the_roles_of_2_3_0_and_the_list_of_2_2_1_show_the_same_parties() -> None:
    directory = under(REQUIRED, agreed(E1, C1))
    viewer = directory.platform("e1")

    for version in (Version.V2_2_1, Version.V2_3_0):
        assert [entry.party for entry, _ in client_infos(directory, viewer, DIALECTS[version])] == [C1]


def test_a_snapshot_keeps_its_agreements_when_platforms_change() -> None:
    directory = under(REQUIRED, agreed(C1, E1))

    after = directory.replacing(3, [company("e2", {E2: [Role.EMSP]})])

    assert after.agreements is directory.agreements
    assert not after.visible_to(C1, E2)


# ------------------------------------------------------------------------------------------------- behind other hubs


def knot(*behind: Party) -> PlatformPart:
    ways = (connection("knot", Version.V2_3_0, offering("knot", Version.V2_3_0)),)
    return hub_part("knot", KNOT, *behind, role=Role.EMSP, connections=ways)


def test_an_agreement_with_a_party_behind_a_hub_is_one_with_nobody_else_there() -> None:
    hubs = MARKET.replacing(2, [knot(THERE, Party("BE", "DDD"))])
    directory = under(REQUIRED, agreed(THERE, C1), directory=hubs)

    assert directory.visible_to(C1, THERE)
    assert not directory.visible_to(C1, KNOT)
    assert reached(way(message(C1, "tokens", SENDER, "GET"), directory=directory)) == [THERE]
    assert isinstance(way(message(C1, "tokens", SENDER, "GET", to=THERE), directory=directory), Forward)


def test_a_hub_is_shown_whom_it_or_somebody_behind_it_may_send_to() -> None:
    hubs = MARKET.replacing(2, [knot(THERE)])

    directory = under(REQUIRED, agreed(THERE, C1), agreed(KNOT, C2), directory=hubs)

    assert [status_for("knot", each, directory) for each in (C1, C2, E1)] == [CONNECTED, CONNECTED, None]
    barred = under(OPEN, agreed(C1, KNOT, sending=Sending.A_TO_B), directory=hubs)
    assert status_for("knot", C1, barred) is CONNECTED, "whoever is behind it may still send"


def test_no_agreement_makes_this_hub_a_way_from_one_hub_to_another() -> None:
    hubs = MARKET.replacing(2, [knot(THERE), hub_part("loop", LOOP, BEYOND)])
    directory = under(TO_PLAN, agreed(THERE, BEYOND), directory=hubs)

    assert not directory.visible_to(THERE, BEYOND)
    assert status_for("knot", BEYOND, directory) is None
    error = refused(message(THERE, "locations", SENDER, "GET", to=BEYOND), directory)
    assert isinstance(error, UnknownReceiver)
    assert error.refusal is Refusal.UNKNOWN_RECEIVER


# ------------------------------------------------------------------------------------------------------------ size


def test_a_hundred_thousand_agreements_are_held_and_changed_one_by_one() -> None:
    names = [Party(f"{chr(65 + number // 1000)}X", f"{number % 1000:03}") for number in range(448)]
    pairs = [(a, b) for number, a in enumerate(names) for b in names[:number]]
    many = [agreed(a, b, "cdrs", revision=number) for number, (a, b) in enumerate(pairs, 1)]

    held = Agreements.of(REQUIRED, len(many), many)

    assert len(pairs) > 100_000
    assert held.live == len(pairs)
    assert held.allows(*pairs[77], "cdrs")
    assert not held.allows(pairs[77][0], NOBODY, "cdrs")
    after = held.replacing(len(many) + 1, [agreed(*pairs[77], revision=len(many) + 1, ended_at=LATER)])
    assert after.pairs[names[0]] is held.pairs[names[0]], "what did not change is shared"
