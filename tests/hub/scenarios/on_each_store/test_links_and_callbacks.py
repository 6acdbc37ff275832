"""URLs in messages that must lead back through the hub: the next page, a posted CDR, the result of a command.

OCPI 2.2.1, "Pagination", "CDRs" and "Commands"; "ChargingProfiles".
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
from sqlmodel import update

from hub.partners.urls import ENDPOINT_LENGTH
from hub.store.database import Database
from hub.store.tables import CallbackRow
from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.misbehaviour import Edit
from routing.vocabulary import InterfaceRole, Party, Version
from tests.conftest import StoreUrls
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.wire import routed, say
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
HUB = Party("EU", "HUB")


def status(answer: Answer) -> tuple[int, int]:
    return answer.http_status, answer.status_code


# --- the next page of a list


def holding(cpo: Partner, count: int) -> Partner:
    """The CPO with so many locations, the first ten of them old."""
    for number in range(count):
        updated = "2025-01-01T00:00:00Z" if number < 10 else "2026-01-01T00:00:00Z"
        cpo.hold("locations", location(cpo.party, f"LOC{number}") | {"last_updated": updated})
    return cpo


def linking(to: str, *more: tuple[str, str]) -> Behaviour:
    """Answer properly, with this Link header in place of the proper one."""

    def edit(answer: Answer) -> Answer:
        kept = tuple(line for line in answer.headers if line[0] != "link")
        return Answer(answer.http_status, (*kept, ("link", to), *more), answer.body)

    return Behaviour(edit=edit)


def without(*names: str) -> Edit:
    return lambda answer: Answer(
        answer.http_status, tuple(line for line in answer.headers if line[0] not in names), answer.body
    )


def test_the_pages_of_a_list_are_followed_through_the_hub_to_the_end(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    holding(cpo, 130)
    since = "2025-06-01T00:00:00Z"

    pages = list(emsp.pages("locations", to=cpo.party, params={"date_from": since}))

    assert [len(page.data) for page in pages] == [50, 50, 20]
    assert {each["id"] for page in pages for each in page.data} == {f"LOC{number}" for number in range(10, 130)}
    assert {(page.header("x-total-count"), page.header("x-limit")) for page in pages} == {("120", "50")}
    assert [page.next_url is None for page in pages] == [False, False, True]
    for page in pages[:-1]:
        url = urlsplit(page.next_url or "")
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{hub.url}/ocpi/2.2.1/sender/locations"
        assert parse_qs(url.query).keys() == {"date_from", "offset", "limit"}
    assert {request.params["date_from"] for request in cpo.received} == {since}


def test_offset_limit_and_filters_reach_the_receiver(cpo: Partner, emsp: Partner) -> None:
    holding(cpo, 30)
    params = {"offset": "12", "limit": "7", "date_from": "2025-01-01T00:00:00Z", "date_to": "2027-01-01", "x-own": "1"}

    page = emsp.get("locations", to=cpo.party, params=params)

    assert [each["id"] for each in page.data] == [f"LOC{number}" for number in range(12, 19)]
    assert cpo.received[0].params == params
    assert page.next_url is not None
    assert dict(parse_qsl(urlsplit(page.next_url).query)) == params | {"offset": "19"}


CURSOR = "?cursor=opaque%2Fvalue"


def page_with_cursor(cpo: Partner, emsp: Partner, query: str = CURSOR) -> str:
    """The link of a first page that goes on in the CPO's own way."""
    cpo.answers_next(linking(f'<{cpo.url("locations", SENDER)}{query}>; rel="next"'))
    url = emsp.get("locations", to=cpo.party, params={"date_from": "2025-01-01T00:00:00Z"}).next_url
    assert url is not None
    cpo.received.clear()
    return url


def test_a_link_with_a_cursor_of_the_receivers_own_is_sealed_and_leads_to_that_very_page(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    url = page_with_cursor(cpo, emsp)

    assert url.startswith(f"{hub.url}/ocpi/2.2.1/sender/locations?")
    assert parse_qs(urlsplit(url).query).keys() == {"date_from", "hub_next"}
    assert "opaque" not in url
    assert cpo.base.removeprefix("http://") not in url
    for to in (cpo.party, None, cpo.party):
        answer = emsp.get(url, to=to)

        assert status(answer) == (200, 1000)
        assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)
    assert [request.query for request in cpo.received] == ["cursor=opaque%2Fvalue"] * 3
    assert {(request.receiver, request.sender) for request in cpo.received} == {(cpo.party, emsp.party)}


def test_a_sealed_link_is_only_for_the_one_it_was_made_for(
    cpo: Partner, other_cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    url = page_with_cursor(cpo, emsp)

    assert status(other_emsp.get(url)) == (200, 2001)
    assert status(other_emsp.get(url, to=cpo.party)) == (200, 2001)
    assert status(emsp.get(url, to=other_cpo.party)) == (200, 2001)
    assert not cpo.received


def test_a_sealed_link_does_not_survive_the_change_of_a_byte(cpo: Partner, emsp: Partner) -> None:
    url = page_with_cursor(cpo, emsp)
    before, _, sealed = url.partition("hub_next=")
    for at in (0, 20, len(sealed) // 2):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]

        assert status(emsp.get(f"{before}hub_next={changed}")) == (200, 2001)
    for nonsense in ("", "AAAA", "%00", "é", "x" * 2000):
        assert status(emsp.get(f"{before}hub_next={quote(nonsense)}")) == (200, 2001)
    assert not cpo.received


def test_a_list_that_goes_on_with_cursors_goes_on_to_its_end_without_naming_a_receiver(
    cpo: Partner, emsp: Partner
) -> None:
    endpoint = cpo.url("locations", SENDER)
    for number in range(1, 4):
        cpo.answers_next(linking(f'<{endpoint}?cursor={number}>; rel="next"'))
    first = emsp.get("locations", to=cpo.party)
    assert first.next_url is not None

    rest = list(emsp.pages(first.next_url))

    assert [request.query for request in cpo.received] == ["", "cursor=1", "cursor=2", "cursor=3"]
    assert rest[-1].next_url is None


def test_a_list_that_goes_on_at_another_path_stays_there(cpo: Partner, emsp: Partner) -> None:
    elsewhere = cpo.url("locations", SENDER, "snapshot-7")
    cpo.hold("locations", location(cpo.party, "snapshot-7"))
    cpo.answers_next(linking(f'<{elsewhere}>; rel="next"'))
    cpo.answers_next(linking(f'<{elsewhere}?offset=50&limit=50>; rel="next"'))

    pages = list(emsp.pages("locations", to=cpo.party))

    assert len(pages) == 3
    called = [request.raw_path for request in cpo.received]
    assert called == ["/2.2.1/locations/sender"] + ["/2.2.1/locations/sender/snapshot-7"] * 2
    assert cpo.received[2].query == "offset=50&limit=50"


@pytest.mark.parametrize(
    "written",
    [
        "<{path}?offset=50&limit=50>; rel=next",
        "<?offset=50&limit=50>; rel=next",
        '<{url}?offset=50&limit=50>;rel="next"',
        '<{url}?offset=0>; rel="first", <{url}?offset=50&limit=50>; title="a, b; rel=last"; REL="prefetch next"',
        '<{url}?offset=100>; rel="last",<{path}?offset=50&limit=50>;type="x";rel="next"',
    ],
)
def test_links_are_read_in_every_spelling_there_is(cpo: Partner, emsp: Partner, written: str) -> None:
    holding(cpo, 70)
    url = cpo.url("locations", SENDER)
    cpo.answers_next(linking(written.format(url=url, path=urlsplit(url).path)))

    pages = list(emsp.pages("locations", to=cpo.party))

    assert [len(page.data) for page in pages] == [50, 20]
    assert pages[0].header("link") == f'<{pages[0].next_url}>; rel="next"'


def test_several_link_headers_are_read_as_one(cpo: Partner, emsp: Partner) -> None:
    url = cpo.url("locations", SENDER)
    cpo.answers_next(linking(f'<{url}?offset=0>; rel="first"', ("link", f'<{url}?offset=50>; rel="next"')))

    page = emsp.get("locations", to=cpo.party)

    assert (page.next_url or "").endswith("/sender/locations?offset=50")


def test_links_that_are_not_to_the_next_page_are_left_out(cpo: Partner, emsp: Partner) -> None:
    cpo.answers_next(linking(f'<{cpo.url("locations", SENDER)}>; rel="prev"'))

    assert emsp.get("locations", to=cpo.party).header("link") is None


def test_a_link_to_another_host_is_no_end_of_a_list_and_is_not_followed(
    cpo: Partner, other_cpo: Partner, emsp: Partner
) -> None:
    for url in (
        other_cpo.url("locations", SENDER) + "?offset=50",
        "https://evil.example/locations",
        "http://127.0.0.1/locations",
        "ftp://127.0.0.1/locations",
        cpo.base.replace("http://", "http://user:password@") + "/locations",
        "//evil.example/locations",
    ):
        cpo.answers_next(linking(f'<{url}>; rel="next"'))

        answer = emsp.get("locations", to=cpo.party)

        assert status(answer) == (200, 4000)
        assert answer.header("link") is None
    assert not other_cpo.received


def test_a_link_does_not_move_an_endpoint(cpo: Partner, emsp: Partner) -> None:
    page_with_cursor(cpo, emsp, "/moved?x=1")

    emsp.get("locations", to=cpo.party)

    assert [request.raw_path for request in cpo.received] == ["/2.2.1/locations/sender"]


def test_a_missing_limit_is_filled_in_with_the_one_asked_for_and_a_missing_count_is_not(
    cpo: Partner, emsp: Partner
) -> None:
    holding(cpo, 3)
    for name, asked, expected in (
        ("x-limit", "2", ("2", "3")),
        ("x-limit", None, (None, "3")),
        ("x-total-count", "2", ("2", None)),
    ):
        cpo.answers_next(Behaviour(edit=without(name)))
        page = emsp.get("locations", to=cpo.party, params={} if asked is None else {"limit": asked})

        assert (page.header("x-limit"), page.header("x-total-count")) == expected


def test_what_looks_like_a_sealed_link_outside_of_lists_is_a_parameter_like_any_other(
    cpo: Partner, emsp: Partner
) -> None:
    sealed = parse_qs(urlsplit(page_with_cursor(cpo, emsp)).query)["hub_next"][0]
    body = token(emsp.party, "1")

    answer = emsp.put("tokens", path_of(emsp.party, "1"), to=cpo.party, json=body, params={"hub_next": sealed})

    assert status(answer) == (200, 1000)
    [request] = cpo.received
    assert (request.module, request.params) == ("tokens", {"hub_next": sealed})


def test_links_of_2_1_1_lists_lead_to_the_face_that_was_asked(
    hub: HubProcess, older_cpo: Partner, older_emsp: Partner
) -> None:
    holding(older_cpo, 60)

    pages = list(older_emsp.pages("locations", headers=routed(older_cpo.party, older_emsp.party)))

    assert [len(page.data) for page in pages] == [50, 10]
    assert (pages[0].next_url or "").startswith(f"{hub.url}/ocpi/2.1.1/cpo/locations?")


# --- the Location of a posted CDR


def cdr(owner: Party, cdr_id: str = "CDR1") -> Json:
    return {"country_code": owner.country_code, "party_id": owner.party_id, "id": cdr_id}


def located(at: str | None) -> Answer:
    """How an eMSP accepts a CDR."""
    return envelope(http_status=201, headers={} if at is None else {"location": at})


def test_a_posted_cdr_can_be_read_again_through_the_hub(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    posted = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))

    assert status(posted) == (201, 1000)
    url = posted.header("location") or ""
    assert url.startswith(f"{hub.url}/ocpi/2.2.1/receiver/cdrs/")
    assert len(url.rpartition("/")[2]) == 32
    assert len(url) <= ENDPOINT_LENGTH
    for to in (emsp.party, None, HUB):
        answer = cpo.get(url, to=to)

        assert (status(answer), answer.data) == ((200, 1000), cdr(cpo.party))
        assert (answer.receiver, answer.sender) == (cpo.party, emsp.party)
    for request in emsp.received[1:]:
        assert (request.method, request.raw_path) == ("GET", "/2.2.1/cdrs/receiver/CDR1")
        assert (request.receiver, request.sender) == (emsp.party, cpo.party)


def test_a_cdr_can_be_read_again_by_who_posted_it_and_by_nobody_else(
    cpo: Partner, other_cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    url = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party)).header("location") or ""
    emsp.received.clear()

    for stranger in (other_cpo, other_emsp, emsp):
        assert status(stranger.get(url)) == (404, 2000)
    assert status(cpo.get(url, to=other_emsp.party)) == (200, 2001)
    assert status(cpo.get(url[:-1] + ("0" if url[-1] != "0" else "1"))) == (404, 2000)
    assert not emsp.received


def test_a_location_may_be_relative(cpo: Partner, emsp: Partner) -> None:
    for at in ("/2.2.1/cdrs/receiver/CDR1", "receiver/CDR1", f"//{emsp.base[7:]}/2.2.1/cdrs/receiver/CDR1"):
        cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))
        emsp.answers_next(located(at))
        posted = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))

        assert cpo.get(posted.header("location") or "").data == cdr(cpo.party)


@pytest.mark.parametrize(
    "at", ["https://evil.example/cdrs/1", "http://127.0.0.1/cdrs/1", "javascript:alert(1)", "#x y"]
)
def test_a_location_at_a_foreign_host_is_given_out_and_never_called(
    hub: HubProcess, cpo: Partner, emsp: Partner, at: str
) -> None:
    emsp.answers_next(located(at))
    posted = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))
    url = posted.header("location") or ""

    assert posted.http_status == 201
    assert url.startswith(hub.url)
    if "#" not in at:
        assert status(cpo.get(url)) == (200, 4000)


def test_a_cdr_without_a_location_is_accepted_without_one(cpo: Partner, emsp: Partner) -> None:
    emsp.answers_next(located(None))

    posted = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))

    assert status(posted) == (201, 1000)
    assert posted.header("location") is None


def test_a_cdr_posted_twice_is_passed_on_twice_and_can_be_read_at_both_places(cpo: Partner, emsp: Partner) -> None:
    urls = {cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party)).header("location") or "" for _ in range(2)}

    assert len(urls) == 2
    assert len(emsp.received.of("cdrs", "POST")) == 2
    assert [cpo.get(url).data for url in urls] == [cdr(cpo.party)] * 2


def test_a_cdr_of_2_1_1_can_be_read_again(hub: HubProcess, older_cpo: Partner, older_emsp: Partner) -> None:
    headers = routed(older_emsp.party, older_cpo.party)
    posted = older_cpo.post("cdrs", json={"id": "CDR1"}, headers=headers)
    url = posted.header("location") or ""

    assert url.startswith(f"{hub.url}/ocpi/2.1.1/emsp/cdrs/")
    assert older_cpo.get(url).data == {"id": "CDR1"}


# --- the result of a command


def command(emsp: Partner, *more: str, **fields: object) -> Json:
    """A command whose result the eMSP wants at a URL of its own."""
    return {"response_url": emsp.url("commands", SENDER, "START_SESSION", *more), "location_id": "LOC1"} | fields


@pytest.fixture
def patient_cpo(cpo: Partner) -> Iterator[Partner]:
    """The CPO, which does not post results by itself."""
    before, cpo.command_result = cpo.command_result, None
    yield cpo
    cpo.command_result = before


def callback_of(cpo: Partner, emsp: Partner, body: Json | None = None) -> str:
    """The response_url that the CPO gets with a command of the eMSP."""
    cpo.received.clear()
    answer = emsp.post("commands", "START_SESSION", to=cpo.party, json=body or command(emsp, "42"))
    assert status(answer) == (200, 1000)
    url: str = cpo.received[0].json()["response_url"]
    return url


def test_the_result_of_a_command_comes_back_to_who_gave_it(
    hub: HubProcess, patient_cpo: Partner, emsp: Partner
) -> None:
    body = b'{"unknown": 1.50,"response_url": "%s" , "token":%s,"location_id":"LOC1"}'
    own = f"{emsp.url('commands', SENDER, 'START_SESSION')}/42?a=1&b=%2F"
    given = body % (own.encode(), b'{"uid": "1"}')

    answer = emsp.post("commands", "START_SESSION", to=patient_cpo.party, body=given)

    assert answer.data == {"result": "ACCEPTED", "timeout": 30}
    [request] = patient_cpo.received
    url = request.json()["response_url"]
    assert url.startswith(f"{hub.url}/ocpi/2.2.1/sender/commands/START_SESSION/")
    assert len(url.rpartition("/")[2]) == 32
    assert request.json() | {"response_url": own} == {
        "unknown": 1.5,
        "response_url": own,
        "token": {"uid": "1"},
        "location_id": "LOC1",
    }
    assert b"1.50" in request.body
    result = patient_cpo.post(url, to=emsp.party, body=b'{"result": "ACCEPTED"}')

    assert status(result) == (200, 1000)
    assert (result.receiver, result.sender) == (patient_cpo.party, emsp.party)
    [called] = emsp.received
    assert (called.receiver, called.sender) == (emsp.party, patient_cpo.party)
    assert (f"{emsp.base}{called.raw_path}?{called.query}", called.body) == (own, b'{"result": "ACCEPTED"}')


def test_a_result_needs_no_receiver_and_may_name_the_hub(patient_cpo: Partner, emsp: Partner) -> None:
    for to in (None, HUB):
        result = patient_cpo.post(callback_of(patient_cpo, emsp), to=to, json={"result": "ACCEPTED"})

        assert status(result) == (200, 1000)
        assert (result.receiver, result.sender) == (patient_cpo.party, emsp.party)
    for called in emsp.received:
        assert (called.receiver, called.sender) == (emsp.party, patient_cpo.party)


def test_results_on_one_callback_come_one_in_a_second(patient_cpo: Partner, emsp: Partner) -> None:
    url = callback_of(patient_cpo, emsp)
    first, second = (patient_cpo.post(url, json={"result": "ACCEPTED"}) for _ in range(2))
    other = patient_cpo.post(callback_of(patient_cpo, emsp), json={"result": "ACCEPTED"})

    assert [status(each) for each in (first, second, other)] == [(200, 1000), (429, 2000), (200, 1000)]
    assert second.header("retry-after") == "1"
    assert len(emsp.received) == 2


def test_nobody_but_the_receiver_of_a_command_can_post_its_result(
    patient_cpo: Partner, other_cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    url = callback_of(patient_cpo, emsp)
    result = {"result": "ACCEPTED"}

    assert [status(each.post(url, json=result)) for each in (other_cpo, other_emsp, emsp)] == [(404, 2000)] * 3
    assert status(patient_cpo.post(url[:-1] + ("0" if url[-1] != "0" else "1"), json=result)) == (404, 2000)
    assert status(patient_cpo.post(url, to=other_emsp.party, json=result)) == (200, 2001)
    assert not emsp.received


async def let_callbacks_expire(stores: StoreUrls) -> None:
    database = Database(stores.database_url)
    async with database.writing() as session:
        await session.exec(update(CallbackRow).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    await database.close()


def test_a_callback_that_has_expired_does_not_exist_any_more(
    stores: StoreUrls, patient_cpo: Partner, emsp: Partner
) -> None:
    url = callback_of(patient_cpo, emsp)
    asyncio.run(let_callbacks_expire(stores))

    assert status(patient_cpo.post(url, json={"result": "ACCEPTED"})) == (404, 2000)
    assert not emsp.received


def test_two_commands_with_one_response_url_have_callbacks_of_their_own(patient_cpo: Partner, emsp: Partner) -> None:
    urls = {callback_of(patient_cpo, emsp) for _ in range(2)}

    assert len(urls) == 2
    for url in urls:
        assert status(patient_cpo.post(url, json={"result": "ACCEPTED"})) == (200, 1000)
    assert len(emsp.received.of("commands", "POST")) == 2


def test_the_simulated_charger_reports_by_itself(cpo: Partner, emsp: Partner) -> None:
    emsp.post("commands", "STOP_SESSION", to=cpo.party, json=command(emsp, session_id="S1"))

    [result] = emsp.received.wait_for("commands")
    assert result.json() == {"result": "ACCEPTED"}


@pytest.mark.parametrize(
    "response_url", ["", None, 5, "nowhere", "/relative", "https://evil.example/x", "HUB", "x" * 300]
)
def test_a_command_whose_result_could_not_come_back_is_2001_and_goes_nowhere(
    hub: HubProcess, cpo: Partner, other_emsp: Partner, emsp: Partner, response_url: object
) -> None:
    wrong = f"{hub.url}/ocpi/versions" if response_url == "HUB" else response_url
    bodies = [command(emsp, response_url=wrong), command(emsp, response_url=other_emsp.url("commands", SENDER))]
    if response_url is None:
        bodies.append({"location_id": "LOC1"})
    for body in bodies:
        answer = emsp.post("commands", "START_SESSION", to=cpo.party, json=body)

        assert status(answer) == (200, 2001)
    assert not cpo.received


def test_a_command_is_answered_when_the_originator_cannot_be_reached_and_that_is_all(
    patient_cpo: Partner, emsp: Partner
) -> None:
    url = callback_of(patient_cpo, emsp)
    with emsp.port_closed():
        assert status(patient_cpo.post(url, json={"result": "ACCEPTED"})) == (200, 4003)

    assert not emsp.received
    assert status(patient_cpo.post(url, json={"result": "ACCEPTED"})) == (429, 2000)
    eventually(lambda: status(patient_cpo.post(url, json={"result": "ACCEPTED"})) == (200, 1000), within_s=5)
    assert len(emsp.received) == 1


def test_commands_of_2_1_1_have_results_too(hub: HubProcess, older_cpo: Partner, older_emsp: Partner) -> None:
    headers = routed(older_cpo.party, older_emsp.party)

    answer = older_emsp.post("commands", "UNLOCK_CONNECTOR", json=command(older_emsp), headers=headers)

    assert answer.data == {"result": "ACCEPTED"}
    assert older_cpo.received[0].json()["response_url"].startswith(f"{hub.url}/ocpi/2.1.1/emsp/commands/UNLOCK_")
    [result] = older_emsp.received.wait_for("commands")
    assert result.json() == {"result": "ACCEPTED"}


def test_any_command_there_is_in_2_3_0_has_a_result(hub: HubProcess) -> None:
    newest = Version.V2_3_0
    with registered(hub, partner(CPO, newest), partner(EMSP, newest)) as [cpo, emsp]:
        emsp.post("commands", "OPEN_THE_BARRIER", to=cpo.party, json=command(emsp))

        assert "/ocpi/2.3.0/sender/commands/OPEN_THE_BARRIER/" in cpo.received[0].json()["response_url"]
        assert emsp.received.wait_for("commands")[0].json() == {"result": "ACCEPTED"}


def test_a_booking_that_names_a_response_url_has_a_result(hub: HubProcess) -> None:
    newest, modules = Version.V2_3_0, {("bookings", SENDER), ("bookings", RECEIVER)}
    with registered(hub, partner(CPO, newest), partner(EMSP, newest)) as [cpo, emsp]:
        cpo.modules = emsp.modules = frozenset(modules)
        cpo.update()
        emsp.update()
        body = {"request_id": "R1", "response_url": emsp.url("bookings", SENDER, "result")}
        emsp.post("bookings", to=cpo.party, json=body, interface=SENDER)
        [request] = cpo.received.of("bookings")
        url = request.json()["response_url"]

        assert url.startswith(f"{hub.url}/ocpi/2.3.0/sender/bookings/callback/")
        assert status(cpo.post(url, json={"result": "ACCEPTED"})) == (200, 1000)
        assert emsp.received[-1].raw_path == "/2.3.0/bookings/sender/result"


def test_a_company_on_both_sides_of_2_1_1_gets_results_and_cdrs_on_its_emsp_side(
    hub: HubProcess, older_cpo: Partner
) -> None:
    """Its two connections have tokens of their own."""
    company = partner(CPO, Version.V2_1_1)
    emsp_side = partner(EMSP, Version.V2_1_1, party=company.party)
    with company.running(), emsp_side.running():
        platform_id = hub.operator.registered(company)
        invitation = hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json={"face": "EMSP"})
        emsp_side.register(invitation["versions_url"], invitation["token_a"])
        hub.operator.change(platform_id, routing_headers_211=True)
        body = command(emsp_side)
        emsp_side.post("commands", "STOP_SESSION", json=body, headers=routed(older_cpo.party, company.party))
        [result] = emsp_side.received.wait_for("commands")

        assert result.json() == {"result": "ACCEPTED"}
        posted = older_cpo.post("cdrs", json={"id": "CDR1"}, headers=routed(company.party, older_cpo.party))
        assert older_cpo.get(posted.header("location") or "").data == {"id": "CDR1"}
        assert not company.received


# --- the result of a charging profile

PROFILE: Json = {"charging_profile": {"charging_rate_unit": "W", "min_charging_rate": 0.10}}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("encoded", [True, False], ids=["encoded", "as it is"])
@pytest.mark.parametrize("first", [True, False], ids=["duration first", "duration last"])
def test_a_response_url_in_a_query_is_replaced_by_one_of_the_hub(
    hub: HubProcess, patient_cpo: Partner, emsp: Partner, method: str, encoded: bool, first: bool
) -> None:
    own = emsp.url("chargingprofiles", SENDER, "result") + "?request_id=5678&more=a%20b&x"
    given = f"response_url={quote(own, safe='') if encoded else own}"
    query = f"duration=900&{given}" if first else f"{given}&duration=900"
    url = emsp.connection.url("chargingprofiles", RECEIVER) + f"/S1?{query}"

    answer = say(emsp, method, url, routed(patient_cpo.party, emsp.party))

    assert answer.data == {"result": "ACCEPTED", "timeout": 30}
    [request] = patient_cpo.received
    assert request.method == method
    assert request.params.keys() == {"duration", "response_url"}
    assert request.params["duration"] == "900"
    callback = request.params["response_url"]
    assert callback.startswith(f"{hub.url}/ocpi/2.2.1/sender/chargingprofiles/callback/")
    assert quote(callback, safe="") in request.query

    result = patient_cpo.post(callback, json={"result": "ACCEPTED"})

    assert status(result) == (200, 1000)
    [called] = emsp.received
    assert f"{emsp.base}{called.raw_path}?{called.query}" == own
    assert (called.receiver, called.sender) == (emsp.party, patient_cpo.party)


def test_a_response_url_in_a_charging_profile_is_replaced_by_one_of_the_hub(
    hub: HubProcess, patient_cpo: Partner, emsp: Partner
) -> None:
    own = emsp.url("chargingprofiles", SENDER, "result")
    body = PROFILE | {"response_url": own}

    emsp.put("chargingprofiles", "S1", to=patient_cpo.party, json=body, interface=RECEIVER)

    [request] = patient_cpo.received
    callback = request.json()["response_url"]
    assert request.json() == PROFILE | {"response_url": callback}
    assert callback.startswith(f"{hub.url}/ocpi/2.2.1/sender/chargingprofiles/callback/")
    assert status(patient_cpo.post(callback, json={"result": "ACCEPTED"})) == (200, 1000)
    assert emsp.received[0].raw_path == urlsplit(own).path


@pytest.mark.parametrize("response_url", ["", "https://evil.example/", "nowhere"])
def test_a_charging_profile_whose_result_could_not_come_back_is_2001(
    cpo: Partner, emsp: Partner, response_url: str
) -> None:
    query = {"duration": "900", "response_url": response_url}
    answers = [
        emsp.get("chargingprofiles", "S1", to=cpo.party, params=query, interface=RECEIVER),
        emsp.delete("chargingprofiles", "S1", to=cpo.party, params=query, interface=RECEIVER),
        emsp.put(
            "chargingprofiles",
            "S1",
            to=cpo.party,
            json=PROFILE | {"response_url": response_url},
            interface=RECEIVER,
        ),
    ]

    assert [status(each) for each in answers] == [(200, 2001)] * 3
    assert not cpo.received


# --- all of it is kept


def test_cdrs_results_and_lists_find_their_way_after_a_restart_of_the_hub(
    hub: HubProcess, patient_cpo: Partner, emsp: Partner
) -> None:
    callback = callback_of(patient_cpo, emsp)
    cdr_url = patient_cpo.post("cdrs", to=emsp.party, json=cdr(patient_cpo.party)).header("location") or ""
    next_page = page_with_cursor(patient_cpo, emsp)

    hub.kill()
    hub.start()

    assert patient_cpo.get(cdr_url).data == cdr(patient_cpo.party)
    assert status(patient_cpo.post(callback, json={"result": "ACCEPTED"})) == (200, 1000)
    assert status(emsp.get(next_page)) == (200, 1000)
    assert [request.query for request in patient_cpo.received] == ["cursor=opaque%2Fvalue"]
