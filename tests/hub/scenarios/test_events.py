"""What operators should know of, made to happen for real."""

from __future__ import annotations

from contextlib import closing

import httpx
import pytest

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner
from loadtests.simulator.misbehaviour import UNAUTHORIZED
from routing.vocabulary import Version
from tests.hub.event_waiting import event_of
from tests.hub.failures.waiting import eventually
from tests.hub.operator.people import from_elsewhere
from tests.hub.scenarios.conftest import platform_of
from tests.partners import EMSP, location, new_party, partner, registered


def path_of(owner: Partner, id_: str = "LOC1") -> str:
    return f"{'/'.join(owner.party)}/{id_}"


def test_a_message_in_the_name_of_somebody_elses_party(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    stranger = new_party()
    for _ in range(3):
        answer = cpo.put("locations", path_of(cpo), to=emsp.party, sender=stranger, json=location(cpo.party))
        assert answer.http_status == 403

    event = event_of(hub, EventKind.FOREIGN_SENDER, platform_of(hub, cpo), saying=str(stranger))
    assert event["count"] >= 1


def test_an_object_at_somebody_elses_owner_segments(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    other = new_party()
    answer = cpo.put("locations", f"{'/'.join(other)}/LOC1", to=emsp.party, json=location(other))
    assert answer.http_status == 404

    event = event_of(hub, EventKind.FOREIGN_OWNER, platform_of(hub, cpo), saying=str(other))
    assert "locations" in event["sentence"]


def closed(hub: HubProcess, platform_id: str) -> set[str]:
    """The ids of events about this platform that are over."""
    query = {"platform": platform_id, "state": "closed"}
    return {each["id"] for each in hub.operator.ask("GET", "/api/v1/events", params=query)["items"]}


def test_a_receiver_that_refuses_the_hubs_token_until_it_takes_it_again(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    emsp.behaves(UNAUTHORIZED)
    answer = cpo.put("locations", path_of(cpo), to=emsp.party, json=location(cpo.party))
    assert answer.envelope.status_code == 4003
    event = event_of(hub, EventKind.PARTNER_REFUSES_TOKEN, platform_of(hub, emsp), saying="401")
    assert event["severity"] == "critical"

    emsp.script.clear()
    cpo.put("locations", path_of(cpo), to=emsp.party, json=location(cpo.party))
    eventually(lambda: event["id"] in closed(hub, platform_of(hub, emsp)))


def test_what_the_receivers_version_has_no_words_for(hub: HubProcess, cpo: Partner, older_emsp: Partner) -> None:
    hidden = location(cpo.party, "HIDDEN") | {"publish": False}
    answer = cpo.put("locations", path_of(cpo, "HIDDEN"), to=older_emsp.party, json=hidden)
    assert answer.envelope.status_code == 4000

    about = str(older_emsp.party)
    event_of(hub, EventKind.UNTRANSLATABLE, platform_of(hub, cpo), subject="RF-03", saying=about)


def test_two_parties_of_one_id_at_a_partner_that_knows_no_owners(
    hub: HubProcess, cpo: Partner, other_cpo: Partner
) -> None:
    with registered(hub, partner(EMSP, Version.V2_1_1)) as [viewer]:
        for owner in (cpo, other_cpo):
            answer = owner.put("locations", path_of(owner, "SAME"), to=viewer.party, json=location(owner.party, "SAME"))
            assert answer.envelope.status_code == 1000

        event = event_of(hub, EventKind.ID_CLASH, platform_of(hub, viewer), saying=str(other_cpo.party))
    assert "SAME" in event["sentence"]


def test_a_partner_whose_versions_cannot_be_read_until_they_can(hub: HubProcess) -> None:
    one = partner(EMSP)
    with one.running():
        invitation = hub.operator.invite(one.name)
        body = {"versions_url": "http://127.0.0.1:1/ocpi/versions", "token_a": "none-of-theirs"}
        path = f"/api/v1/platforms/{invitation.platform_id}/connect"
        assert hub.operator.api.post(path, json=body).status_code == 502
        event = event_of(hub, EventKind.REGISTRATION_FAILING, invitation.platform_id)
        assert (
            "; last tried by the hub, for POST credentials. It failed when the hub read their versions: "
            in event["sentence"]
        )

        one.register(invitation.versions_url, invitation.token_a)
        closed = event_of(hub, EventKind.REGISTRATION_FAILING, invitation.platform_id, state="closed")
    assert closed["id"] == event["id"]


def test_a_partner_that_posts_credentials_nobody_can_use(hub: HubProcess) -> None:
    invitation = hub.operator.invite("Nonsense")
    token: Json = {"token": "t", "url": "http://127.0.0.1:1/versions", "roles": []}
    headers = {"authorization": f"Token {invitation.token_a}"}
    answer = httpx.post(f"{hub.url}/ocpi/2.2.1/credentials", json=token, headers=headers)
    assert answer.json()["status_code"] // 1000 in {2, 3}

    event = event_of(hub, EventKind.REGISTRATION_FAILING, invitation.platform_id)
    assert "; last tried by the partner" in event["sentence"]


@pytest.mark.parametrize("listener", ["partner", "operator"])
def test_wrong_tokens_from_one_address(hub: HubProcess, listener: str) -> None:
    address = from_elsewhere()
    url = hub.versions_url if listener == "partner" else f"{hub.operator.url}/api/v1/me"
    scheme = "Token" if listener == "partner" else "Bearer"
    with closing(httpx.Client(transport=httpx.HTTPTransport(local_address=address))) as stranger:
        statuses = [stranger.get(url, headers={"authorization": f"{scheme} no{n}"}).status_code for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2

    event = event_of(hub, EventKind.AUTH_FAILURES, subject=address)
    assert listener in event["sentence"]
