"""Who writes to whom, and under which ids. OCPI 2.2.1, "Message Routing" and "Unique message IDs"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Partner, envelope
from loadtests.simulator.misbehaviour import FOREIGN_HEADERS, UNAUTHORIZED
from routing.vocabulary import InterfaceRole, Party, Role
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import conversation
from tests.hub.scenarios.wire import routed, say
from tests.partners import location, new_party, path_of, registered, token

HUB = Party("EU", "HUB")
IDS = {"x-request-id": "request-of-the-emsp", "x-correlation-id": "the-whole-conversation"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MANDATORY = ("x-request-id", "x-correlation-id")


def ids_of(message: Any) -> tuple[str | None, str | None]:  # noqa: ANN401 - a request or an answer
    return message.header("x-request-id"), message.header("x-correlation-id")


def routing_headers_of(message: Any) -> dict[str, str]:  # noqa: ANN401 - a request or an answer
    return {name: value for name, value in message.headers if name.startswith("ocpi-")}


@contextmanager
def settings(hub: HubProcess, of: Partner, **changed: Any) -> Iterator[None]:  # noqa: ANN401 - any setting
    """These settings of a partner's platform while the block lasts."""
    platform_id = platform_of(hub, of)
    hub.operator.change(platform_id, **changed)
    try:
        yield
    finally:
        hub.operator.change(platform_id, **dict.fromkeys(changed))


# --- a direct message


def test_a_direct_request_shows_each_side_the_other(cpo: Partner, emsp: Partner) -> None:
    cpo.hold("locations", location(cpo.party))

    answer = emsp.get("locations", "LOC1", to=cpo.party, headers=IDS)

    assert answer.data == location(cpo.party)
    [request] = cpo.received
    assert (request.receiver, request.sender) == (cpo.party, emsp.party)
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)


def test_a_forwarded_request_has_a_new_request_id_and_the_same_correlation_id(cpo: Partner, emsp: Partner) -> None:
    answer = emsp.get("locations", "LOC1", to=cpo.party, headers=IDS)

    [request] = cpo.received
    assert request.header("x-correlation-id") == IDS["x-correlation-id"]
    assert UUID.fullmatch(request.header("x-request-id") or "")
    assert ids_of(answer) == (IDS["x-request-id"], IDS["x-correlation-id"])


def test_no_two_forwarded_requests_have_the_same_request_id(cpo: Partner, emsp: Partner) -> None:
    for _ in range(5):
        emsp.get("locations", "LOC1", to=cpo.party, headers=IDS)

    assert len({request.header("x-request-id") for request in cpo.received}) == 5


def test_what_a_receiver_puts_into_ids_and_routing_headers_does_not_reach_the_requester(
    cpo: Partner, emsp: Partner
) -> None:
    cpo.answers_next(FOREIGN_HEADERS)

    answer = emsp.get("locations", "LOC1", to=cpo.party, headers=IDS)

    assert ids_of(answer) == (IDS["x-request-id"], IDS["x-correlation-id"])
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)
    assert len([name for name, _ in answer.headers if name in {"x-request-id", "ocpi-to-party-id"}]) == 2


def test_an_answer_that_is_addressed_wrongly_is_noted_for_the_operator(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    cpo.answers_next(FOREIGN_HEADERS)
    emsp.get("locations", "LOC1", to=cpo.party, headers={"x-correlation-id": "addressed-wrongly"})
    emsp.get("locations", "LOC1", to=cpo.party, headers={"x-correlation-id": "addressed-well"})

    lines = conversation(hub, "addressed-wrongly", count=2)
    [line] = [line for line in lines if line["event"] == "answer_addressed_wrongly"]
    assert (line["sender"], line["receiver"]) == (str(emsp.party), str(cpo.party))
    assert (line["said"]["ocpi-from-country-code"], line["said"]["ocpi-to-party-id"]) == ("YY", "XXX")
    assert len(conversation(hub, "addressed-well")) == 1


def test_an_answer_without_routing_headers_is_as_good(cpo: Partner, emsp: Partner) -> None:
    def left_out(answer: Answer) -> Answer:
        return Answer(200, tuple(line for line in answer.headers if line[0] == "content-type"), answer.body)

    cpo.answers_next(Behaviour(edit=left_out))

    answer = emsp.get("locations", to=cpo.party, headers=IDS)

    assert answer.data == []
    assert ids_of(answer) == (IDS["x-request-id"], IDS["x-correlation-id"])
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)


def test_a_party_may_write_to_another_party_of_its_own_platform(hub: HubProcess) -> None:
    cpo, emsp = new_party(), new_party()
    company = Partner("both", {cpo: [Role.CPO], emsp: [Role.EMSP]})
    with registered(hub, company):
        company.hold("locations", location(cpo))
        answer = company.get("locations", "LOC1", to=cpo, sender=emsp, interface=InterfaceRole.SENDER)

        assert answer.data["id"] == "LOC1"
        assert (answer.receiver, answer.sender) == (emsp, cpo)
        [request] = company.received
        assert (request.receiver, request.sender) == (cpo, emsp)


# --- ids


def test_missing_ids_are_made_up_and_told_to_both_sides(cpo: Partner, emsp: Partner) -> None:
    answer = emsp.get("locations", "LOC1", to=cpo.party, without=MANDATORY)

    [request] = cpo.received
    assert all(UUID.fullmatch(each or "") for each in (*ids_of(answer), *ids_of(request)))
    assert answer.header("x-correlation-id") == request.header("x-correlation-id")
    assert answer.header("x-request-id") != request.header("x-request-id")


@pytest.mark.parametrize("missing", MANDATORY)
def test_a_partner_held_to_strict_ids_has_to_send_both(
    hub: HubProcess, cpo: Partner, emsp: Partner, missing: str
) -> None:
    with settings(hub, emsp, strict_ids=True):
        answer = emsp.get("locations", "LOC1", to=cpo.party, without=[missing])
        complete = emsp.get("locations", "LOC1", to=cpo.party)

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert all(ids_of(answer))
    assert complete.sender == cpo.party
    assert len(cpo.received) == 1


@pytest.mark.parametrize(
    "bad",
    ["x" * 129, "x" * 500, "two words", "tab\there", "caf\xe9", ""],
    ids=["129", "500", "blank", "tab", "latin-1", "empty"],
)
def test_ids_that_are_too_long_or_odd_are_replaced_for_both_sides(cpo: Partner, emsp: Partner, bad: str) -> None:
    url = emsp.connection.url("locations", InterfaceRole.SENDER) + "/LOC1"
    headers = (("X-Request-ID", bad), ("X-Correlation-ID", bad), *routed(cpo.party, emsp.party))

    answer = say(emsp, "GET", url, headers)

    [request] = cpo.received
    assert all(UUID.fullmatch(each or "") for each in (*ids_of(answer), *ids_of(request)))
    assert answer.header("x-correlation-id") == request.header("x-correlation-id")


def test_ids_of_128_characters_are_kept(cpo: Partner, emsp: Partner) -> None:
    longest = {"x-request-id": "r" * 128, "x-correlation-id": "c" * 128}

    answer = emsp.get("locations", "LOC1", to=cpo.party, headers=longest)

    assert ids_of(answer) == ("r" * 128, "c" * 128)
    assert cpo.received[0].header("x-correlation-id") == "c" * 128


def test_every_refusal_carries_the_ids_of_its_request(cpo: Partner, emsp: Partner) -> None:
    stranger = new_party()
    refusals = {
        401: emsp.get("locations", to=cpo.party, token="not-a-token", headers=IDS),
        403: emsp.get("locations", to=cpo.party, sender=cpo.party, headers=IDS),
        404: emsp.get(emsp.connection.url("locations", InterfaceRole.SENDER) + "s", to=cpo.party, headers=IDS),
        405: emsp.delete("locations", to=cpo.party, headers=IDS, interface=InterfaceRole.SENDER),
        400: emsp.put("tokens", path_of(emsp.party, "1"), to=cpo.party, body=b"{", headers=IDS),
        200: emsp.get("locations", to=stranger, headers=IDS),
    }

    for http_status, answer in refusals.items():
        assert answer.http_status == http_status
        assert ids_of(answer) == (IDS["x-request-id"], IDS["x-correlation-id"])


# --- routing headers


def test_names_of_headers_and_codes_of_parties_may_be_in_any_case_and_go_on_in_upper_case(
    cpo: Partner, emsp: Partner
) -> None:
    lower = [Party(party.country_code.lower(), party.party_id.lower()) for party in (cpo.party, emsp.party)]
    url = emsp.connection.url("locations", InterfaceRole.SENDER) + "/LOC1"
    for change in (str.lower, str.upper, str.title):
        headers = [(change(name), value) for name, value in (*IDS.items(), *routed(lower[0], lower[1]))]

        answer = say(emsp, "GET", url, headers)

        assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)
        assert ids_of(answer) == (IDS["x-request-id"], IDS["x-correlation-id"])
    for request in cpo.received:
        assert (request.receiver, request.sender) == (cpo.party, emsp.party)


def test_nobody_can_write_in_the_name_of_another_platform(cpo: Partner, emsp: Partner, other_emsp: Partner) -> None:
    for sender in (other_emsp.party, cpo.party, HUB, new_party()):
        answer = emsp.get("locations", to=cpo.party, sender=sender)

        assert (answer.http_status, answer.status_code) == (403, 2001)
        assert not routing_headers_of(answer)
    assert not cpo.received


def test_a_missing_sender_is_filled_in_where_there_is_only_one_it_can_be(cpo: Partner, emsp: Partner) -> None:
    answer = emsp.get("locations", to=cpo.party, sender=None)

    assert answer.status_code == 1000
    assert cpo.received[0].sender == emsp.party
    assert answer.receiver == emsp.party


def test_a_missing_sender_is_not_filled_in_for_a_partner_who_shall_always_name_it(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    with settings(hub, emsp, infer_from=False):
        answer = emsp.get("locations", to=cpo.party, sender=None)

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert not cpo.received


def test_a_platform_with_two_parties_has_to_say_which_one_is_writing(hub: HubProcess, cpo: Partner) -> None:
    with registered(hub, Partner("two", {new_party("DE"): [Role.EMSP], new_party("DE"): [Role.EMSP]})) as [two]:
        answer = two.get("locations", to=cpo.party, sender=None)
        named = two.get("locations", to=cpo.party, sender=list(two.parties)[1])

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert named.receiver == list(two.parties)[1]
    assert len(cpo.received) == 1


@pytest.mark.parametrize("missing", ["to-country-code", "to-party-id", "from-country-code", "from-party-id"])
def test_half_an_address_is_refused(cpo: Partner, emsp: Partner, missing: str) -> None:
    answer = emsp.get("locations", to=cpo.party, headers={}, without=[f"ocpi-{missing}"])

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert not cpo.received


@pytest.mark.parametrize("twice", ["to-country-code", "to-party-id", "from-country-code", "from-party-id"])
def test_an_address_given_twice_is_refused_even_if_both_are_the_same(cpo: Partner, emsp: Partner, twice: str) -> None:
    headers = routed(cpo.party, emsp.party)
    again = [(name, value) for name, value in headers if twice in name.lower()]

    answer = say(emsp, "GET", emsp.connection.url("locations", InterfaceRole.SENDER), [*headers, *again])

    assert (answer.http_status, answer.status_code) == (200, 2001)
    assert not cpo.received


def test_the_hubs_own_errors_come_from_the_hub(emsp: Partner) -> None:
    answer = emsp.get("locations", to=new_party())

    assert answer.status_code == 4001
    assert (answer.receiver, answer.sender) == (emsp.party, HUB)


def test_errors_of_the_receiver_come_from_the_receiver(cpo: Partner, emsp: Partner) -> None:
    cpo.answers_next(envelope(status_code=2002, status_message="Not enough"))

    answer = emsp.get("locations", to=cpo.party)

    assert answer.status_code == 2002
    assert (answer.receiver, answer.sender) == (emsp.party, cpo.party)


def test_modules_spoken_with_the_hub_itself_have_no_routing_headers(emsp: Partner) -> None:
    for answer in (
        emsp.get(emsp.connection.versions_url),
        emsp.get("credentials"),
        emsp.get("hubclientinfo", interface=InterfaceRole.SENDER),
    ):
        assert answer.status_code == 1000
        assert not routing_headers_of(answer)


# --- what goes on besides


def test_headers_that_are_none_of_ocpis_stay_at_the_hub(cpo: Partner, emsp: Partner) -> None:
    own = {"cookie": "a=b", "x-foo": "bar", "x-forwarded-for": "10.1.1.1", "forwarded": "for=10.1.1.1", "te": "gzip"}
    emsp.get("locations", to=cpo.party, headers={**own, "x-http-method-override": "DELETE", "accept": "text/html"})

    [request] = cpo.received
    assert {name for name, _ in request.headers} == {
        "host",
        "authorization",
        "x-request-id",
        "x-correlation-id",
        *(f"ocpi-{side}-{part}" for side in ("to", "from") for part in ("country-code", "party-id")),
    }
    assert request.header("host") == cpo.base.removeprefix("http://")


def test_headers_of_an_answer_that_are_none_of_ocpis_stay_at_the_hub(cpo: Partner, emsp: Partner) -> None:
    own = {"set-cookie": "a=b", "server": "platform/1.0", "x-foo": "bar", "x-total-count": "0", "x-limit": "50"}
    cpo.answers_next(envelope([], headers=own))

    answer = emsp.get("locations", to=cpo.party)

    names = {name for name, _ in answer.headers}
    assert names.isdisjoint({"set-cookie", "server", "x-foo"})
    assert names >= {"x-total-count", "x-limit"}


def test_an_id_with_slash_blank_and_hash_arrives_byte_by_byte(cpo: Partner, emsp: Partner) -> None:
    path = "A%20B%2F%c3%b6%231/EVSE%2B1%3F/%E2%82%AC;~"
    url = emsp.connection.url("locations", InterfaceRole.SENDER) + f"/{path}"

    say(emsp, "GET", url, routed(cpo.party, emsp.party))

    [request] = cpo.received
    assert request.raw_path == f"/2.2.1/locations/sender/{path}"
    assert request.place.path == ("A B/ö#1", "EVSE+1?", "€;~")


@pytest.mark.parametrize(
    "query",
    [
        "offset=0&limit=10&x-unknown=a%20b+c&empty=&flag",
        "date_from=2026-01-01T00:00:00Z&date_from=again",
        "a=%2F%3D%26&b=[1]{2}|\\^`&c='\"<>",
    ],
)
def test_query_parameters_go_on_as_they_are_known_or_not(cpo: Partner, emsp: Partner, query: str) -> None:
    url = emsp.connection.url("locations", InterfaceRole.SENDER) + f"?{query}"

    answer = say(emsp, "GET", url, routed(cpo.party, emsp.party))

    assert answer.sender == cpo.party
    assert [request.query for request in cpo.received] == [query]


@pytest.mark.parametrize("slashes", [(here, there) for here in ("", "/") for there in ("", "/")])
def test_slashes_at_the_end_of_endpoints_make_no_difference(
    hub: HubProcess, cpo: Partner, slashes: tuple[str, str]
) -> None:
    asked, registered_with = slashes
    one = Partner("slashes", {new_party("DE"): [Role.EMSP]})
    one.identity.trailing_slash = bool(registered_with)
    with registered(hub, one):
        answer = cpo.put("locations", path_of(cpo.party, "LOC1") + asked, to=one.party, json=location(cpo.party))

        assert answer.status_code == 1000
        [request] = one.received
        assert request.raw_path == f"/2.2.1/locations/receiver/{path_of(cpo.party, 'LOC1')}"


# --- 2.1.1


def test_partners_on_2_1_1_see_no_routing_headers(older_cpo: Partner, older_emsp: Partner) -> None:
    older_cpo.hold("locations", {"id": "LOC1", "last_updated": "2026-01-01T00:00:00Z"})

    answer = older_emsp.get("locations", "LOC1", headers=routed(older_cpo.party, older_emsp.party))
    refused = older_emsp.get("locations", "LOC1", headers=routed(new_party(), older_emsp.party))

    assert answer.data["id"] == "LOC1"
    assert refused.status_code != 1000
    [request] = older_cpo.received
    for message in (answer, refused, request):
        assert not routing_headers_of(message)


def test_routing_headers_of_a_2_1_1_partner_are_ignored_unless_the_operator_trusts_them(
    older_cpo: Partner, plain_older_emsp: Partner
) -> None:
    foreign = routed(older_cpo.party, older_cpo.party)

    answer = plain_older_emsp.get("locations", "SEEN-BY-NOBODY", headers=foreign)

    assert answer.status_code == 2003
    assert not older_cpo.received


def test_partners_on_2_1_1_get_ids_too(older_cpo: Partner, older_emsp: Partner) -> None:
    answer = older_emsp.get("locations", headers=routed(older_cpo.party, older_emsp.party), without=MANDATORY)

    [request] = older_cpo.received
    assert all(UUID.fullmatch(each or "") for each in (*ids_of(answer), *ids_of(request)))
    assert answer.header("x-correlation-id") == request.header("x-correlation-id")


# --- what the operator can follow


def test_the_log_shows_the_whole_way_of_a_message_under_its_correlation_id(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    ids = {"x-request-id": "request-in-the-log", "x-correlation-id": "conversation-in-the-log"}
    emsp.put("tokens", path_of(emsp.party, "1"), to=cpo.party, json=token(emsp.party, "1"), headers=ids)

    [line] = conversation(hub, ids["x-correlation-id"])
    [request] = cpo.received
    assert line["request_id"] == ids["x-request-id"]
    assert line["upstream_request_id"] == request.header("x-request-id")
    assert (line["sender"], line["receiver"], line["module"]) == (str(emsp.party), str(cpo.party), "tokens")
    assert (line["method"], line["http_status"], line["ocpi_status"]) == ("PUT", 200, 1000)


def test_every_line_about_a_message_has_its_correlation_id_and_its_parties(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    cpo.answers_next(UNAUTHORIZED, module="tokens")
    ids = {"x-correlation-id": "conversation-with-an-alarm"}
    emsp.put("tokens", path_of(emsp.party, "1"), to=cpo.party, json=token(emsp.party, "1"), headers=ids)

    lines = conversation(hub, ids["x-correlation-id"], count=2)
    assert {line["event"] for line in lines} >= {"partner_refuses_our_token", "message_forwarded"}
    assert all((line["sender"], line["receiver"]) == (str(emsp.party), str(cpo.party)) for line in lines)


def test_a_check_that_the_hub_begins_itself_has_ids_of_its_own(cpo: Partner, emsp: Partner) -> None:
    seen: list[tuple[str | None, str | None]] = []
    for _ in range(2):
        cpo.answers_next(UNAUTHORIZED, module="locations")
        emsp.get("locations", to=cpo.party, headers=IDS)
        [*_, check] = cpo.ledger.wait_for("versions", count=len(seen) + 1)
        seen.append(ids_of(check))

    everything = [each for ids in seen for each in ids]
    assert len(set(everything)) == 4
    assert all(UUID.fullmatch(each or "") for each in everything)


def test_pairs_of_parties_never_get_each_others_answers(
    cpo: Partner, other_cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    for one in (cpo, other_cpo):
        one.hold("locations", location(one.party))
    sent = [
        (asking, asked, asking.start("GET", "locations", "LOC1", to=asked.party))
        for _ in range(10)
        for asking in (emsp, other_emsp)
        for asked in (cpo, other_cpo)
    ]

    for asking, asked, future in sent:
        answer = future.result()
        assert (answer.receiver, answer.sender) == (asking.party, asked.party)
        assert answer.data["party_id"] == asked.party.party_id
