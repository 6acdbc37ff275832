"""Lists of everybody's: what a requester gets that asks the hub for a list. OCPI 2.2.1, GET All via Hubs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner
from loadtests.simulator.misbehaviour import DEAD
from loadtests.simulator.stations import cards, cdr, charging_network
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.translated import new_id, status
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered

HUB = Party("EU", "HUB")
OLD = Version.V2_1_1
SINCE = "2026-01-01T00:00:00Z"


class Network(NamedTuple):
    """A hub, three CPOs and two eMSPs on 2.2.1, and one of each on 2.1.1.

    `mark` is a parameter that makes the lists of each test other lists: the hub remembers for a while how long one was.
    """

    hub: HubProcess
    cpos: tuple[Partner, ...]
    emsp: Partner
    other_emsp: Partner
    older_cpo: Partner
    older_emsp: Partner
    mark: str = ""

    @property
    def partners(self) -> tuple[Partner, ...]:
        """All but the hub."""
        return (*self.cpos, self.emsp, self.other_emsp, self.older_cpo, self.older_emsp)


@pytest.fixture(scope="module")
def everybody(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    parts = (*(partner(CPO) for _ in range(3)), partner(EMSP), partner(EMSP), partner(CPO, OLD), partner(EMSP, OLD))
    with (
        ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), "rate_limit": "off"}) as hub,
        registered(hub, *parts) as [c1, c2, c3, emsp, other_emsp, older_cpo, older_emsp],
    ):
        yield Network(hub, (c1, c2, c3), emsp, other_emsp, older_cpo, older_emsp)


@pytest.fixture
def at(everybody: Network) -> Network:
    """The same, everybody well-behaved and with empty hands."""
    for each in everybody.partners:
        each.script.clear()
        each.shelf.own.clear()
        each.shelf.pushed.clear()
        each.received.clear()
        each.interfaces.page_size = 50
        each.interfaces.ignored = set()
        each.interfaces.counts = True
    return everybody._replace(mark=new_id("mark"))


@contextmanager
def hanging(at: Network, one: Partner) -> Iterator[None]:
    """It does not answer, and the hub does not wait for it as long as for others."""
    platform = platform_of(at.hub, one)
    at.hub.operator.change(platform, timeout_s=0.4)
    try:
        with one.behaving(DEAD):
            yield
    finally:
        at.hub.operator.change(platform, timeout_s=None)


@contextmanager
def guest(at: Network, one: Partner) -> Iterator[Partner]:
    """One more partner, who leaves again: who only went away would be missing from the lists of all later tests."""
    with registered(at.hub, one):
        yield one
        one.unregister()


def tariff(owner: Party, tariff_id: str, updated: str = "2026-11-20T08:00:00Z") -> Json:
    """A small tariff of 2.2 and later."""
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": tariff_id,
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "step_size": 1}]}],
        "last_updated": updated,
    }


def holding(owner: Partner, count: int, *, party: Party | None = None) -> list[str]:
    """Let a CPO hold some tariffs that no test before has; returns their ids."""
    held = [tariff(party or owner.party, new_id("T")) for _ in range(count)]
    owner.hold("tariffs", *held)
    return [each["id"] for each in held]


def crawl(
    at: Network, reader: Partner, module: str = "tariffs", *, to: Party | None = HUB, **params: str
) -> list[Answer]:
    """All pages, by the links."""
    pages = list(reader.pages(module, to=to, params={"mark": at.mark, **params}))
    assert [status(page) for page in pages] == [(200, 1000)] * len(pages), [page.body for page in pages]
    return pages


def page_of(at: Network, reader: Partner, module: str = "tariffs", *, to: Party | None = HUB, **params: str) -> Answer:
    """One page."""
    return reader.get(module, to=to, params={"mark": at.mark, **params})


def ids(pages: Sequence[Answer]) -> list[str]:
    return [each["id"] for page in pages for each in page.data]


def message(page: Answer) -> str:
    said: str = msgspec.json.decode(page.body).get("status_message", "")
    return said


# ------------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("to", [HUB, None])
def test_the_lists_of_all_are_read_as_one(at: Network, to: Party | None) -> None:
    held = [each for owner, count in zip(at.cpos, (3, 4, 2), strict=True) for each in holding(owner, count)]

    pages = crawl(at, at.emsp, to=to, limit="4")

    assert [len(page.data) for page in pages] == [4, 4, 1]
    assert ids(pages) == held
    assert [page.header("x-total-count") for page in pages] == ["9"] * 3
    assert [page.header("x-limit") for page in pages] == ["4"] * 3
    assert all(page.header("ocpi-from-party-id") == "HUB" for page in pages)
    for owner in at.cpos:
        assert {request.receiver for request in owner.received} == {owner.party}
        assert {request.sender for request in owner.received} == {at.emsp.party}


def test_a_page_that_is_asked_for_again_has_the_same_objects(at: Network) -> None:
    held = [each for owner in at.cpos for each in holding(owner, 3)]
    first, second, third = crawl(at, at.emsp, limit="4")

    again = at.emsp.get(first.next_url or "", to=HUB)
    by_offset = page_of(at, at.emsp, limit="4", offset="4")

    assert again.data == second.data == by_offset.data
    assert ids([first, second, third]) == held


def test_what_is_new_during_a_crawl_comes_at_its_end(at: Network) -> None:
    held = [each for owner, count in zip(at.cpos, (3, 4, 2), strict=True) for each in holding(owner, count)]
    pages = at.emsp.pages("tariffs", to=HUB, params={"mark": at.mark, "limit": "4"})

    found = [next(pages)]
    [new] = holding(at.cpos[1], 1)
    found += pages

    assert ids(found) == [*held, new]
    assert found[-1].header("x-total-count") == "10"


def test_what_goes_during_a_crawl_hides_nothing_else(at: Network) -> None:
    held = [each for owner, count in zip(at.cpos, (6, 4, 2), strict=True) for each in holding(owner, count)]
    pages = at.emsp.pages("tariffs", to=HUB, params={"mark": at.mark, "limit": "4"})

    found = [next(pages)]
    del at.cpos[0].shelf.own["tariffs"][held[1]]
    found += pages

    assert set(ids(found)) == set(held)
    assert found[-1].header("x-total-count") == "11"


def test_a_limit_is_cut_to_the_longest_page(at: Network) -> None:
    page = page_of(at, at.emsp, limit="100000")
    cdrs = at.emsp.get("cdrs", to=HUB)

    assert page.header("x-limit") == "100"
    assert cdrs.header("x-limit") == "50"


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "-1"}, {"date_from": "yesterday"}]
)
def test_parameters_that_cannot_be_read_are_refused(at: Network, params: dict[str, str]) -> None:
    answer = at.emsp.get("tariffs", to=HUB, params=params)

    assert status(answer) == (200, 2001)
    assert not any(owner.received for owner in at.cpos)


def test_sessions_need_a_beginning(at: Network) -> None:
    assert status(at.emsp.get("sessions", to=HUB)) == (200, 2001)
    assert status(page_of(at, at.emsp, "sessions", date_from=SINCE)) == (200, 1000)


def test_who_may_read_nobodys_list_gets_an_empty_one(at: Network) -> None:
    at.cpos[1].hold("locations", location(at.cpos[1].party))

    answer = at.cpos[0].get("locations", to=HUB, interface=InterfaceRole.SENDER)

    assert status(answer) == (200, 1000)
    assert answer.data == []
    assert answer.header("x-total-count") == "0"


def test_a_company_does_not_read_its_own_list(at: Network) -> None:
    both = {new_party("DE"): EMSP, new_party("NL"): CPO}
    with guest(at, Partner("both", both)) as company:
        [own] = holding(company, 1, party=list(both)[1])
        [foreign] = holding(at.cpos[0], 1)

        assert ids(crawl(at, company)) == [foreign]
        assert own in ids(crawl(at, at.emsp))


def test_a_snapshot_is_for_nobody_else_and_for_no_other_list(at: Network) -> None:
    holding(at.cpos[0], 3)
    url = page_of(at, at.emsp, limit="2").next_url or ""
    snapshot = parse_qs(urlsplit(url).query)["snapshot"][0]

    assert len(snapshot) == 22
    assert status(at.other_emsp.get(url, to=HUB)) == (200, 2001)
    assert status(at.emsp.get("locations", to=HUB, params={"snapshot": snapshot})) == (200, 2001)
    assert status(at.emsp.get(f"{url}&date_from={SINCE}", to=HUB)) == (200, 2001)
    assert status(at.emsp.get(url, to=HUB)) == (200, 1000)


def test_a_list_that_is_not_known_any_more_is_begun_anew(at: Network) -> None:
    held = [each for owner in at.cpos for each in holding(owner, 2)]

    answer = at.other_emsp.get(
        "tariffs", to=HUB, params={"mark": at.mark, "limit": "2", "offset": "2", "snapshot": "x" * 22}
    )

    assert ids([answer]) == held[2:4]
    assert "anew" in message(answer)


# ------------------------------------------------------------------------------------------------ partners in trouble


def test_a_list_that_is_missing_is_named_on_every_page(at: Network) -> None:
    lists = [holding(owner, count) for owner, count in zip(at.cpos, (3, 4, 2), strict=True)]
    dead = at.cpos[1]

    with dead.port_closed():
        pages = crawl(at, at.emsp, limit="3")

    assert ids(pages) == lists[0] + lists[2]
    name = "-".join(dead.party)
    for page in pages:
        assert page.header("hub-incomplete") == f"{name};4003"
        assert message(page) == f"partial result: 1 of 4 parties missing: {name} (4003)"
        assert page.header("x-total-count") == "5"


def test_a_list_that_takes_too_long_is_missing(at: Network) -> None:
    holding(at.cpos[0], 1)

    with hanging(at, at.cpos[1]):
        [page] = crawl(at, at.emsp)

    assert page.header("hub-incomplete") == f"{'-'.join(at.cpos[1].party)};4002"


def test_a_requester_that_wants_all_or_nothing_gets_an_error(at: Network) -> None:
    holding(at.cpos[0], 1)
    platform = platform_of(at.hub, at.other_emsp)
    at.hub.operator.change(platform, get_all_partial="reject")
    try:
        with at.cpos[1].port_closed():
            assert status(page_of(at, at.other_emsp)) == (200, 4003)
        with hanging(at, at.cpos[1]):
            assert status(page_of(at, at.other_emsp, date_from=SINCE)) == (
                200,
                4002,
            )
        assert status(page_of(at, at.other_emsp)) == (200, 1000)
    finally:
        at.hub.operator.change(platform, get_all_partial=None)


def test_nothing_is_an_error_when_every_list_is_missing(at: Network) -> None:
    with ExitStack() as closed:
        for owner in (*at.cpos, at.older_cpo):
            closed.enter_context(owner.port_closed())
        assert status(page_of(at, at.emsp, date_to="2030-01-01T00:00:00Z")) == (
            200,
            4003,
        )


def test_a_list_that_failed_is_tried_again_at_the_end(at: Network) -> None:
    first, second, third = (holding(owner, 4) for owner in at.cpos)
    pages = at.emsp.pages("tariffs", to=HUB, params={"mark": at.mark, "limit": "2"})

    found = [next(pages), next(pages)]
    with at.cpos[1].port_closed():
        found.append(next(pages))
    assert found[-1].header("hub-incomplete") is not None
    found += pages

    assert ids(found) == [*first, *third, *second]
    assert found[-1].header("hub-incomplete") is None


# ------------------------------------------------------------------------------------------------ partners with habits


@pytest.mark.parametrize("ignored", [{"limit"}, {"offset", "limit"}])
def test_a_partner_that_sends_more_than_it_is_asked_for_is_cut(at: Network, ignored: set[str]) -> None:
    held = [each for owner in at.cpos for each in holding(owner, 5)]
    at.cpos[1].interfaces.ignored = ignored

    pages = crawl(at, at.emsp, limit="4")

    assert [len(page.data) for page in pages] == [4, 4, 4, 3]
    assert ids(pages) == held


def test_a_partner_that_does_not_know_dates_shows_nothing_of_another_time(at: Network) -> None:
    late, early = tariff(at.cpos[0].party, new_id("T")), tariff(at.cpos[0].party, new_id("T"), "2025-11-20T08:00:00Z")
    at.cpos[0].hold("tariffs", late, early)
    at.cpos[0].interfaces.ignored = {"date_from"}

    assert ids(crawl(at, at.emsp, date_from=SINCE)) == [late["id"]]


def test_objects_of_somebody_else_are_left_out(at: Network) -> None:
    [own] = holding(at.cpos[0], 1)
    at.cpos[0].interfaces.ignored = {"to"}
    holding(at.cpos[0], 1, party=at.cpos[1].party)

    assert ids(crawl(at, at.emsp)) == [own]


def test_a_platform_that_gives_one_list_for_all_its_parties_is_asked_once(at: Network) -> None:
    parties = {new_party("NL"): CPO, new_party("NL"): CPO}
    with guest(at, Partner("two in one", parties)) as company:
        company.interfaces.ignored = {"to"}
        held = [each for party in parties for each in holding(company, 3, party=party)]

        pages = crawl(at, at.emsp, limit="4")
        company.received.clear()
        again = crawl(at, at.emsp, limit="4")

    assert ids(pages) == ids(again) == held
    assert pages[0].header("x-total-count") == "6"
    assert {request.receiver for request in company.received} == {company.party}


def test_a_partner_that_does_not_count_is_read_as_a_whole(at: Network) -> None:
    held = [each for owner in at.cpos for each in holding(owner, 7)]
    at.cpos[1].interfaces.counts = False
    at.cpos[1].interfaces.page_size = 3

    pages = crawl(at, at.emsp, limit="5", date_from=SINCE)

    assert ids(pages) == held
    assert {page.header("x-total-count") for page in pages} == {"21"}
    asked = [request.params for request in at.cpos[1].received]
    assert [each["offset"] for each in asked if each["limit"] != "1"] == ["0", "3", "6"]


def test_a_partner_whose_list_gets_shorter_with_every_look_ends_nothing(at: Network) -> None:
    lengths = itertools.count(1_000_000, -1)

    def shorter(answer: Answer) -> Answer:
        lines = ((name, str(next(lengths)) if name == "x-total-count" else value) for name, value in answer.headers)
        return Answer(answer.http_status, tuple(lines), answer.body)

    at.cpos[0].behaves(Behaviour(edit=shorter))
    held = holding(at.cpos[1], 2)
    page_of(at, at.emsp, limit="1")

    answer = page_of(at, at.emsp, limit="1", offset="500000")

    assert status(answer) == (200, 1000)
    assert len(at.cpos[0].received) < 70
    at.cpos[0].behaves()
    assert held[0] in ids(crawl(at, at.emsp))


def test_a_partner_is_asked_for_no_longer_pages_than_it_can_give(at: Network) -> None:
    holding(at.cpos[2], 5)
    platform = platform_of(at.hub, at.cpos[2])
    at.hub.operator.change(platform, max_page=2)
    try:
        [page] = crawl(at, at.emsp)
        at.cpos[2].received.clear()
        direct = page_of(at, at.emsp, to=at.cpos[2].party, limit="10")
    finally:
        at.hub.operator.change(platform, max_page=None)

    assert len(page.data) == 5
    assert len(direct.data) == 2
    assert [request.params["limit"] for request in at.cpos[2].received] == ["2"]


def test_a_national_access_point_hands_on_what_has_no_owner_here(at: Network) -> None:
    with guest(at, Partner("access point", {new_party("NL"): [Role.NAP]})) as access_point:
        access_point.interfaces.ignored = {"to"}
        stranger, known = location(Party("ZZ", "EXT"), new_id("L")), location(at.cpos[0].party, new_id("L"))
        access_point.hold("locations", stranger, known)

        assert ids(crawl(at, at.emsp, "locations")) == [stranger["id"]]


# ------------------------------------------------------------------------------------------------ other versions


def test_a_reader_of_2_1_1_gets_links_to_its_own_endpoint(at: Network) -> None:
    held = [location(owner.party, new_id("L")) for owner in at.cpos]
    for owner, place in zip(at.cpos, held, strict=True):
        owner.hold("locations", place | {"evses": []})

    pages = crawl(at, at.older_emsp, "locations", to=None, limit="2")

    assert ids(pages) == [place["id"] for place in held]
    assert (pages[0].next_url or "").startswith(
        f"{at.hub.url}/ocpi/2.1.1/cpo/locations?mark={at.mark}&offset=2&limit=2&snapshot="
    )
    assert pages[0].header("x-total-count") == "3"
    assert pages[0].header("x-limit") == "2"
    assert "party_id" not in pages[0].data[0]


def test_what_cannot_be_said_in_the_readers_version_is_named(at: Network) -> None:
    good, bad = (tariff(at.cpos[0].party, new_id("T")) for _ in range(2))
    bad["elements"] = [bad["elements"][0] | {"restrictions": {"min_current": 16}}]
    at.cpos[0].hold("tariffs", bad, good)

    [page] = crawl(at, at.older_emsp, to=None)

    assert ids([page]) == [good["id"]]
    assert message(page) == f"M-72: 1 object(s) omitted: {bad['id']}"


def test_date_from_includes_that_moment_in_every_version(at: Network) -> None:
    updated = "2026-11-20T08:00:00Z"
    new = tariff(at.cpos[0].party, new_id("T"), updated)
    old_style = charging_network(at.older_cpo.party, OLD, stations=1).tariffs[0]
    old_style = old_style | {"id": new_id("T"), "last_updated": updated}
    at.cpos[0].hold("tariffs", new)
    at.older_cpo.hold("tariffs", old_style)

    pages = crawl(at, at.older_emsp, to=None, date_from=updated)

    assert ids(pages) == [new["id"], old_style["id"]]
    [asked] = {request.params["date_from"] for request in at.older_cpo.received}
    assert asked < updated


def test_a_reader_gets_of_a_2_1_1_cpo_its_own_cdrs_only(at: Network) -> None:
    contracts = {}
    for owner in (at.emsp, at.other_emsp):
        contract = contracts[owner] = new_id("CONTRACT")
        card = cards(owner.party, Version.V2_2_1, count=1)[0] | {"uid": new_id("UID"), "contract_id": contract}
        owner.put("tokens", path_of(owner.party, card["uid"]), to=at.older_cpo.party, json=card)
    network = charging_network(at.older_cpo.party, OLD, stations=1)
    charged: dict[Partner, list[str]] = {owner: [] for owner in contracts}
    for number in range(12):
        owner = (at.emsp, at.other_emsp, at.emsp)[number % 3]
        used = {"auth_id": contracts[owner]}
        bill = cdr(OLD, new_id("C"), network.locations[0], used, network.tariffs[0])
        at.older_cpo.hold("cdrs", bill)
        charged[owner].append(bill["id"])

    for to in (at.older_cpo.party, HUB):
        at.older_cpo.received.clear()
        pages = crawl(at, at.emsp, "cdrs", to=to, limit="3")
        assert ids(pages) == charged[at.emsp]
        assert {page.header("x-total-count") for page in pages} == {"8"}
        theirs = crawl(at, at.other_emsp, "cdrs", to=to, limit="3")
        assert ids(theirs) == charged[at.other_emsp]
        assert pages[0].header("ocpi-from-party-id") == to.party_id
    assert len(at.older_cpo.received) == 0  # the list that was read for the first requester did for all

    first = page_of(at, at.emsp, "cdrs", to=at.older_cpo.party, limit="3")
    assert ids([at.emsp.get(first.next_url or "")]) == charged[at.emsp][3:6]


# ------------------------------------------------------------------------------------------------ lists of one party


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "x"}])
def test_paging_of_one_partys_list_is_checked(at: Network, params: dict[str, str]) -> None:
    assert status(at.emsp.get("tariffs", to=at.cpos[0].party, params=params)) == (200, 2001)
    assert not at.cpos[0].received


def test_one_party_is_asked_for_no_more_than_the_longest_page(at: Network) -> None:
    holding(at.cpos[0], 120)
    at.cpos[0].interfaces.page_size = 1000

    pages = crawl(at, at.emsp, to=at.cpos[0].party, limit="100000", date_from=SINCE)

    assert [len(page.data) for page in pages] == [100, 20]
    assert [request.params["limit"] for request in at.cpos[0].received] == ["100", "100"]


def test_a_page_that_comes_late_keeps_nobody_else_waiting(at: Network) -> None:
    held = [each for owner in at.cpos for each in holding(owner, 3)]
    at.cpos[0].answers_next(Behaviour(delay_s=0.3), times=2)

    pages = crawl(at, at.emsp, limit="100")

    assert ids(pages) == held
