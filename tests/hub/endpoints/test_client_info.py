"""The HubClientInfo list, as partners get it."""

from __future__ import annotations

import pytest

from loadtests.simulator import Partner
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, new_party, partner

LIST = "/ocpi/2.2.1/hubclientinfo"


def test_a_platform_sees_the_parties_of_others_and_how_they_are(fresh_hub: RunningHub) -> None:
    planned = new_party()
    with partner(CPO).running() as first, partner(CPO).running() as second, partner(EMSP).running() as viewer:
        for each in (first, second, viewer):
            fresh_hub.registered(each)
        fresh_hub.invite(parties=[(planned, Role.CPO)])

        answer = viewer.get("hubclientinfo")

        assert [
            (Party(each["country_code"], each["party_id"]), each["role"], each["status"]) for each in answer.data
        ] == [
            (first.party, "CPO", "CONNECTED"),
            (second.party, "CPO", "CONNECTED"),
            (planned, "CPO", "PLANNED"),
        ]
        assert all(each["last_updated"].endswith("Z") for each in answer.data)
        assert not [name for name, _ in answer.headers if name.startswith("ocpi-")]

        first.unregister()
        assert [each["status"] for each in viewer.get("hubclientinfo").data] == ["SUSPENDED", "CONNECTED", "PLANNED"]


def test_the_pages_of_the_list_lead_to_each_other(fresh_hub: RunningHub) -> None:
    others = [(new_party(), Role.CPO) for _ in range(5)]
    with partner(EMSP).running() as viewer:
        fresh_hub.registered(viewer)
        for other in others:
            fresh_hub.invite(parties=[other])
        url: str | None = f"{fresh_hub.url}{LIST}?limit=2&date_from=2026-01-01T00:00:00Z"
        pages, links = [], []
        while url is not None:
            answer = viewer.get(url, sender=None)
            pages.append([Party(each["country_code"], each["party_id"]) for each in answer.data])
            assert (answer.header("x-total-count"), answer.header("x-limit")) == ("5", "2")
            url = answer.next_url
            links.append(url)

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [party for page in pages for party in page] == [party for party, _ in others]
    assert links[0] is not None
    assert links[0].startswith(f"{fresh_hub.url}{LIST}?offset=2&limit=2&date_from=")


def test_the_list_can_be_narrowed_to_what_changed(fresh_hub: RunningHub) -> None:
    with partner(EMSP).running() as viewer, partner(CPO).running() as early, partner(CPO).running() as late:
        for each in (viewer, early, late):
            fresh_hub.registered(each)
        moments = [each["last_updated"] for each in viewer.get("hubclientinfo").data]

        for text in (moments[1], moments[1].removesuffix("Z"), moments[1].replace("Z", "%2B00:00")):
            since = viewer.get(f"{fresh_hub.url}{LIST}?date_from={text}", sender=None)
            before = viewer.get(f"{fresh_hub.url}{LIST}?date_to={text}", sender=None)
            assert [each["party_id"] for each in since.data] == [late.party.party_id]
            assert [each["party_id"] for each in before.data] == [early.party.party_id]


@pytest.mark.parametrize("query", ["date_from=yesterday", "limit=0", "limit=-1", "offset=x", "limit=1&limit=2"])
def test_parameters_that_cannot_be_read_get_2001(hub: RunningHub, query: str) -> None:
    with partner(EMSP).running() as viewer:
        hub.registered(viewer)
        answer = viewer.get(f"{hub.url}{LIST}?{query}", sender=None)

    assert (answer.http_status, answer.status_code) == (200, 2001)


def test_a_limit_above_the_most_is_answered_with_the_most(hub: RunningHub) -> None:
    with partner(EMSP).running() as viewer:
        hub.registered(viewer)
        answer = viewer.get(f"{hub.url}{LIST}?limit=5000", sender=None)

    assert answer.header("x-limit") == "100"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_the_list_can_only_be_read(hub: RunningHub, method: str) -> None:
    with partner(EMSP).running() as viewer:
        hub.registered(viewer)
        answer = hub.ask(method, LIST, viewer.connection.our_token)

    assert (answer.http_status, answer.header("allow")) == (405, "GET")


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_nobody_can_tell_the_hub_who_is_connected(hub: RunningHub, method: str) -> None:
    with partner(EMSP).running() as viewer:
        hub.registered(viewer)
        answer = hub.ask(method, f"{LIST}/NL/VLT", viewer.connection.our_token)

    assert answer.http_status == 404


def test_an_invitation_does_not_open_the_list(hub: RunningHub) -> None:
    assert hub.ask("GET", LIST, hub.invite().token_a).http_status == 401


@pytest.mark.parametrize("path", ["/ocpi/2.1.1/hubclientinfo", LIST])
def test_a_2_1_1_platform_has_no_list(hub: RunningHub, path: str) -> None:
    with partner(CPO, Version.V2_1_1).running() as old:
        hub.registered(old)
        answer = hub.ask("GET", path, old.connection.our_token)

    assert answer.http_status == 404


@pytest.mark.parametrize(("publishes_payments", "role"), [(False, "OTHER"), (True, "PTP")])
def test_a_payment_terminal_provider_shows_as_such_to_who_publishes_payments(
    fresh_hub: RunningHub, publishes_payments: bool, role: str
) -> None:
    with (
        Partner("terminals", {new_party(): [Role.PTP]}, version=Version.V2_3_0).running() as terminals,
        partner(EMSP, Version.V2_3_0).running() as viewer,
    ):
        if publishes_payments:
            viewer.modules = frozenset({(ModuleID.PAYMENTS, InterfaceRole.RECEIVER)})
        for each in (terminals, viewer):
            fresh_hub.registered(each)

        assert [each["role"] for each in viewer.get("hubclientinfo").data] == [role]
        token = viewer.connection.our_token
        roles = fresh_hub.ask("GET", "/ocpi/2.3.0/credentials", token).data["roles"]
        assert [each["role"] for each in roles] == [role]


def test_a_peer_hub_shows_to_2_2_1_and_not_to_2_3_0(fresh_hub: RunningHub) -> None:
    with (
        Partner("peer", {new_party(): [Role.HUB]}).running() as peer,
        partner(EMSP).running() as viewer,
        partner(EMSP, Version.V2_3_0).running() as newer,
    ):
        fresh_hub.registered(peer, allow_hub=True)
        for each in (viewer, newer):
            fresh_hub.registered(each)

        assert "HUB" in [each["role"] for each in viewer.get("hubclientinfo").data]
        assert [each["role"] for each in newer.get("hubclientinfo").data] == ["EMSP"]
