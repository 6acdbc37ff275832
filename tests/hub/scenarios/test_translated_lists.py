"""Lists read by a partner of another version: their pages, their filters, and what has to be left out of them.

OCPI 2.1.1 and 2.2.1, "Transport and format", GET and Pagination.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner
from loadtests.simulator.stations import cards, cdr, charging_network, session, tariff
from routing.vocabulary import Version
from tests.hub.scenarios.translated import (
    SENDER,
    V22,
    V211,
    V221,
    V230,
    Everyone,
    between,
    made,
    new_id,
    seeded,
    status,
)
from tests.ocpi import check

SINCE, JUST_BEFORE, LONG_BEFORE = "2026-03-01T00:00:00Z", "2026-02-28T23:59:59Z", "2025-01-01T00:00:00Z"
FACES = {V211: "2.1.1/cpo", V22: "2.2/sender", V221: "2.2.1/sender", V230: "2.3.0/sender"}
CURSOR = "?cursor=opaque%2Fvalue"
journeys = pytest.mark.parametrize(
    ("there", "here"), [pytest.param(*each, id=" to ".join(each)) for each in permutations(Version, 2)]
)


def holding(cpo: Partner, count: int) -> list[str]:
    """The CPO with so many locations of the time asked for, and some of before. Returns the ids of the former."""
    places = charging_network(cpo.party, cpo.version, stations=count + 4).locations
    for number, place in enumerate(places):
        place["last_updated"] = SINCE if number < count else JUST_BEFORE if number < count + 2 else LONG_BEFORE
        place["id"] = new_id("LOC")
    cpo.hold("locations", *places[count:], *places[:count])
    return [place["id"] for place in places[:count]]


@journeys
def test_every_page_of_a_list_is_in_the_version_of_who_reads_it(
    hub: HubProcess, everyone: Everyone, there: Version, here: Version
) -> None:
    cpo, emsp = between(everyone, there, here)
    ids = holding(cpo, 25)
    cpo.interfaces.page_size = 10

    pages = list(emsp.pages("locations", to=cpo.party, params={"date_from": SINCE, "x-own": "a b"}))

    found = [place for page in pages for place in page.data]
    assert [place["id"] for place in found] == ids
    assert [problem for place in found for problem in check(here, "Location", place) if problem.kind != "charset"] == []
    assert [page.next_url is None for page in pages] == [False, False, True]
    for page in pages[:-1]:
        url = urlsplit(page.next_url or "")
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{hub.url}/ocpi/{FACES[here]}/locations"
        asked = parse_qs(url.query)
        assert (asked["date_from"], asked["x-own"]) == ([SINCE], ["a b"])
        assert asked.keys() == {"date_from", "offset", "limit", "x-own"}
    assert {page.header("x-limit") for page in pages} == {"10"}
    # A receiver of 2.1.1 leaves out what was updated at the very moment; it is asked for a second more, once.
    expected = JUST_BEFORE if there is V211 and here is not V211 else SINCE
    assert [request.params["date_from"] for request in cpo.received] == [expected] * 3


@pytest.mark.parametrize(("there", "here"), [(V211, V221), (V221, V211), (V230, V22)])
def test_a_list_that_goes_on_in_its_own_way_goes_on_to_its_end(
    everyone: Everyone, there: Version, here: Version
) -> None:
    cpo, emsp = between(everyone, there, here)
    ids = holding(cpo, 3)
    endpoint = cpo.url("locations", SENDER)
    for number in (1, 2):
        cpo.answers_next(linking(f'<{endpoint}?cursor={number}&date_from={SINCE}>; rel="next"'))

    pages = list(emsp.pages("locations", to=cpo.party, params={"date_from": SINCE}))

    assert [request.params.get("cursor") for request in cpo.received] == [None, "1", "2"]
    for page in pages[:-1]:
        asked = parse_qs(urlsplit(page.next_url or "").query)
        assert asked.keys() == {"date_from", "hub_next"}
        assert asked["date_from"] == [SINCE]
        assert "cursor" not in (page.next_url or "")
    assert [[place["id"] for place in page.data] for page in pages] == [ids] * 3
    assert [
        problem
        for page in pages
        for place in page.data
        for problem in check(here, "Location", place)
        if problem.kind != "charset"
    ] == []


def linking(to: str) -> Behaviour:
    def edit(answer: Answer) -> Answer:
        kept = tuple(line for line in answer.headers if line[0] != "link")
        return Answer(answer.http_status, (*kept, ("link", to)), answer.body)

    return Behaviour(edit=edit)


def test_a_sealed_link_is_for_nobody_else_in_any_version(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V211)
    stranger = between(everyone, V230, V230).emsp
    cpo.answers_next(linking(f'<{cpo.url("locations", SENDER)}{CURSOR}>; rel="next"'))
    url = emsp.get("locations", to=cpo.party).next_url or ""
    cpo.received.clear()

    sealed = parse_qs(urlsplit(url).query)["hub_next"][0]
    assert status(stranger.get("locations", to=cpo.party, params={"hub_next": sealed})) == (200, 2001)
    assert not cpo.received
    assert status(emsp.get(url, to=cpo.party)) == (200, 1000)


def test_what_a_receiver_gives_beyond_the_time_asked_for_is_left_out(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V230)
    tariffs = [
        tariff(cpo.party, V221, new_id(), seeded()) | {"last_updated": each}
        for each in (LONG_BEFORE, SINCE, "2027-01-01T00:00:00Z", "no time")
    ]
    cpo.answers_next(with_data(tariffs))

    page = emsp.get("tariffs", to=cpo.party, params={"date_from": SINCE, "date_to": "2026-12-31T00:00:00Z"})

    assert [each["last_updated"] for each in page.data] == [SINCE, "no time"]


def with_data(data: object, message: str | None = None) -> Behaviour:
    def edit(answer: Answer) -> Answer:
        content: Json = msgspec.json.decode(answer.body) | {"data": data}
        if message is not None:
            content["status_message"] = message
        return Answer(answer.http_status, answer.headers, msgspec.json.encode(content))

    return Behaviour(edit=edit)


def test_an_object_that_cannot_be_said_is_left_out_and_named(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V211)
    ids = [new_id("TARIFF") for _ in range(3)]
    prices = [tariff(cpo.party, V221, each, seeded()) for each in ids]
    prices[1]["elements"][0]["restrictions"] = {"min_current": 16}
    cpo.answers_next(with_data(prices, "well, well"))

    page = emsp.get("tariffs", to=cpo.party)

    assert status(page) == (200, 1000)
    assert [each["id"] for each in page.data] == [ids[0], ids[2]]
    assert page.envelope.status_message == f"M-72: 1 object(s) omitted: {ids[1]}; well, well"


def test_a_list_names_ten_of_those_left_out_at_most(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V230, V221)
    card = cards(emsp.party, V221, count=1)[0]
    where = charging_network(cpo.party, V230, stations=1).locations[0]
    ids = [new_id("S") for _ in range(12)]
    cpo.hold("sessions", *(session(V230, each, where, card) | {"total_cost": {"before_taxes": "?"}} for each in ids))

    page = emsp.get("sessions", to=cpo.party, params={"date_from": LONG_BEFORE})

    assert (status(page), page.data) == ((200, 1000), [])
    assert page.envelope.status_message == f"M-72: 12 object(s) omitted: {', '.join(ids[:10])}"
    assert page.header("x-total-count") == "12"


def test_a_location_that_is_not_published_is_left_out_and_not_named(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V211)
    seen, secret = charging_network(cpo.party, V221, stations=2).locations
    seen["id"], secret["id"] = new_id("LOC"), new_id("SECRET")
    cpo.hold("locations", seen, secret | {"publish": False})

    page = emsp.get("locations", to=cpo.party)

    assert [place["id"] for place in page.data] == [seen["id"]]
    assert secret["id"] not in page.body.decode()
    assert page.envelope.status_message is None


def test_a_newer_reader_sees_locations_that_are_not_published(everyone: Everyone) -> None:
    for here in (V22, V230):
        cpo, emsp = between(everyone, V221, here)
        place = charging_network(cpo.party, V221, stations=1).locations[0] | {"publish": False}
        cpo.hold("locations", place)

        assert [each["publish"] for each in emsp.get("locations", to=cpo.party).data] == [False]


def test_credits_are_left_out_of_a_list_and_so_is_the_correction_that_comes_with_them(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V211)
    where = charging_network(cpo.party, V221, stations=1).locations[0]
    card, price = cards(emsp.party, V221, count=1)[0], tariff(cpo.party, V221, "T1", seeded())
    ids = [new_id("CDR") for _ in range(4)]
    record = cdr(V221, ids[0], where, card, price) | {"session_id": new_id("S"), "last_updated": SINCE}
    credit = record | {"id": ids[1], "credit": True, "credit_reference_id": ids[0]}
    other = record | {"id": ids[3], "session_id": new_id("S"), "start_date_time": LONG_BEFORE}
    cpo.hold("cdrs", record, credit, record | {"id": ids[2]}, other)

    page = emsp.get("cdrs", to=cpo.party)
    again = emsp.get("cdrs", to=cpo.party)

    assert [each["id"] for each in page.data] == [ids[0], ids[3]]
    assert [each["id"] for each in again.data] == [ids[0], ids[3]]
    assert again.envelope.status_message == f"M-72: 2 object(s) omitted: {ids[1]}, {ids[2]}"


@pytest.mark.parametrize(("there", "here"), [(V211, V221), (V22, V211), (V230, V211), (V221, V230)])
def test_the_cards_of_an_emsp_are_read_by_a_cpo(everyone: Everyone, there: Version, here: Version) -> None:
    cpo, emsp = between(everyone, here, there)
    held = cards(emsp.party, there, count=7)
    emsp.hold("tokens", *held)
    emsp.interfaces.page_size = 3

    pages = list(cpo.pages("tokens", to=emsp.party))

    found = [each for page in pages for each in page.data]
    assert [each["uid"] for each in found] == [each["uid"] for each in held]
    assert [problem for each in found for problem in check(here, "Token", each)] == []
    if here is not V211:
        assert {(each["country_code"], each["party_id"]) for each in found} == {emsp.party}


def test_what_is_no_list_of_objects_is_for_the_reader_to_judge(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V221, V211)
    some: tuple[Any, ...] = ({"id": "not a list"}, "text", 5, None, [], [None, 5, "x", []])
    for data in some:
        cpo.answers_next(with_data(data))

        answer = emsp.get("locations", to=cpo.party)

        assert (status(answer), answer.data) == ((200, 1000), data)


def test_a_list_of_another_version_may_have_many_objects(everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V230)
    cpo.interfaces.page_size = 500
    cpo.hold("tariffs", *(made(V211, "Tariff", cpo.party, id=f"T{number}") for number in range(300)))

    page = emsp.get("tariffs", to=cpo.party)

    assert len(page.data) == 300
    assert {each["tax_included"] for each in page.data} == {"NO"}
