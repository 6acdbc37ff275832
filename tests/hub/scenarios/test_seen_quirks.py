"""What the hub sees of the habits of partners, beside the settings these are for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.misbehaviour import DEAD, UNAUTHORIZED
from routing.vocabulary import Party
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.test_quirks import odd
from tests.hub.scenarios.translated import RECEIVER, SENDER, V211, V221, V230, Everyone, between, made, new_id
from tests.hub.scenarios.wire import routed, say
from tests.partners import path_of

MOMENT = "2026-11-22T08:00:00"
IDS = (("X-Request-ID", "r-1"), ("X-Correlation-ID", "c-1"))


def seen(hub: HubProcess, one: Partner, quirk: str) -> dict[str, Any] | None:
    items = hub.operator.ask("GET", f"/api/v1/platforms/{platform_of(hub, one)}/quirks")["items"]
    found: dict[str, Any] | None = next(item["seen"] for item in items if item["id"] == quirk)
    return found


def times(hub: HubProcess, one: Partner, quirk: str) -> int:
    found = seen(hub, one, quirk)
    assert found is not None
    return int(found["count"])


def without_z(cpo: Partner, moments: int) -> Json:
    """A Location of 2.1.1 with so many moments, none of which has a zone."""
    evses = [
        {"uid": f"E{number}", "status": "AVAILABLE", "connectors": [], "last_updated": MOMENT}
        for number in range(moments - 1)
    ]
    return made(V211, "Location", cpo.party, id=new_id(), evses=evses, last_updated=MOMENT, opening_times=None)


def push(cpo: Partner, place: Json, to: Party | None) -> Answer:
    return cpo.put("locations", path_of(cpo.party, place["id"]), to=to, json=place, interface=RECEIVER)


def test_300_moments_without_z_are_seen_whether_the_setting_is_on_or_off(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V221)
    before = times(hub, cpo, "dates_without_z")
    for _ in range(2):
        assert push(cpo, without_z(cpo, 100), emsp.party).status_code == 1000
    with odd(hub, cpo, dates_without_z=True):
        assert push(cpo, without_z(cpo, 100), emsp.party).status_code == 1000

    assert times(hub, cpo, "dates_without_z") - before == 300
    found = seen(hub, cpo, "dates_without_z")
    assert found is not None
    assert (found["window"], found["losses"]) == ("24h", [])
    assert found["last_at"] is not None
    arrived = [request.json()["last_updated"] for request in emsp.received]
    assert arrived == [MOMENT, MOMENT, f"{MOMENT}Z"]


def test_what_goes_to_everybody_is_seen_once(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V221)
    _, newest = between(everyone, V211, V230)
    before = times(hub, cpo, "dates_without_z")

    push(cpo, without_z(cpo, 10), None)
    for each in (emsp, newest):
        each.received.wait_for("locations")

    assert times(hub, cpo, "dates_without_z") - before == 10


def test_moments_in_a_list_are_those_of_who_gave_it(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V221)
    before = times(hub, cpo, "dates_without_z"), times(hub, emsp, "dates_without_z")
    cpo.hold("locations", without_z(cpo, 5), without_z(cpo, 5))

    assert emsp.get("locations", to=cpo.party, interface=SENDER).status_code == 1000

    after = times(hub, cpo, "dates_without_z"), times(hub, emsp, "dates_without_z")
    assert (after[0] - before[0], after[1] - before[1]) == (10, 0)


Lines = Iterable[tuple[str, str]]


def bare(cpo: Partner, headers: Lines, module: str = "locations") -> None:
    say(cpo, "GET", cpo.connection.url("tokens", SENDER).replace("tokens", module), headers)


def without_ids(cpo: Partner, emsp: Partner) -> None:
    bare(cpo, routed(emsp.party, cpo.party), "tokens")


def without_from(cpo: Partner, emsp: Partner) -> None:
    bare(cpo, (*IDS, *routed(emsp.party, None)), "tokens")


def in_lower_case(cpo: Partner, emsp: Partner) -> None:
    code, party_id = cpo.party
    bare(cpo, (*IDS, *routed(emsp.party, Party(code.lower(), party_id.lower()))), "tokens")


def at_a_custom_module(cpo: Partner, emsp: Partner) -> None:
    bare(cpo, (*IDS, *routed(emsp.party, cpo.party)), "weather")


@pytest.mark.parametrize(
    ("quirk", "write"),
    [
        ("strict_ids", without_ids),
        ("infer_from", without_from),
        ("lowercase_party_ids", in_lower_case),
        ("custom_modules", at_a_custom_module),
    ],
)
def test_how_a_partner_writes_its_messages_is_seen(
    hub: HubProcess, cpo: Partner, emsp: Partner, quirk: str, write: Callable[[Partner, Partner], None]
) -> None:
    before = times(hub, cpo, quirk), times(hub, emsp, quirk)
    write(cpo, emsp)
    cpo.get("tokens", to=emsp.party, interface=SENDER)

    assert (times(hub, cpo, quirk), times(hub, emsp, quirk)) == (before[0] + 1, before[1])


def test_routing_headers_of_2_1_1_are_seen(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V211)
    before = times(hub, cpo, "routing_headers_211")
    cpo.get("tokens", to=emsp.party, interface=SENDER)
    with odd(hub, cpo, routing_headers_211=False):
        cpo.get("tokens", to=emsp.party, interface=SENDER)

    assert times(hub, cpo, "routing_headers_211") == before + 2
    assert seen(hub, cpo, "strict_ids") is None


FOREIGN = (("content-type", "application/json"), ("link", '<http://127.0.0.2:9/tokens?offset=1>; rel="next"'))


@pytest.mark.parametrize(
    ("quirk", "method", "answer"),
    [
        ("no_patch", "PATCH", envelope(http_status=405)),
        ("trailing_slash", "GET", Answer(301, (("location", "/elsewhere/"),), b"")),
        ("hosts_allowed", "GET", Answer(200, FOREIGN, envelope([]).body)),
        ("auth_encoding", "GET", UNAUTHORIZED),
    ],
)
def test_how_a_partner_answers_is_seen(
    hub: HubProcess, cpo: Partner, emsp: Partner, quirk: str, method: str, answer: Answer | Behaviour
) -> None:
    before = times(hub, emsp, quirk), times(hub, cpo, quirk)
    emsp.answers_next(answer, method=method, module="locations" if method == "PATCH" else "tokens")
    if method == "PATCH":
        cpo.patch("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json={"last_updated": f"{MOMENT}Z"})
    else:
        cpo.get("tokens", to=emsp.party, interface=SENDER)

    eventually(lambda: times(hub, emsp, quirk) == before[0] + 1)
    assert times(hub, cpo, quirk) == before[1]


def test_a_2_1_1_partner_that_knows_no_such_object_is_seen(hub: HubProcess, everyone: Everyone) -> None:
    cpo, emsp = between(everyone, V211, V211)
    before = times(hub, emsp, "owner_mode")
    emsp.answers_next(envelope(http_status=404), method="PUT")
    push(cpo, without_z(cpo, 1), emsp.party)

    assert times(hub, emsp, "owner_mode") == before + 1


def test_a_partner_that_is_too_slow_is_seen_and_so_is_what_finds_no_slot(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    before = times(hub, emsp, "timeout_s"), times(hub, emsp, "concurrency")
    with emsp.pausing(module="tokens"):
        first = cpo.start("GET", "tokens", to=emsp.party, interface=SENDER)
        emsp.received.wait_for("tokens")
        with odd(hub, emsp, concurrency=1, timeout_s=0.1):
            cpo.get("tokens", to=emsp.party, interface=SENDER)
    assert first.result().status_code == 1000
    emsp.answers_next(DEAD, module="tokens")  # and not the look whether it is there
    with odd(hub, emsp, timeout_s=0.1):
        cpo.get("tokens", to=emsp.party, interface=SENDER)

    eventually(lambda: times(hub, emsp, "timeout_s") == before[0] + 1)
    assert times(hub, emsp, "concurrency") == before[1] + 1


def test_what_cannot_show_while_a_setting_is_on_is_null(hub: HubProcess, other_emsp: Partner) -> None:
    assert times(hub, other_emsp, "no_patch") == 0
    with odd(hub, other_emsp, no_patch=True):
        assert seen(hub, other_emsp, "no_patch") is None
