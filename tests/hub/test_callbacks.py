from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hub.limits import Buckets
from hub.store.return_addresses import Callback
from loadtests.simulator import Answer, Json, Partner, envelope
from routing.vocabulary import InterfaceRole
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner, token


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def cpo(hub: RunningHub) -> Iterator[Partner]:
    """One that posts no results by itself."""
    with partner(CPO).running() as one:
        one.command_result = None
        hub.registered(one)
        one.received.clear()
        yield one


@pytest.fixture
def emsp(hub: RunningHub) -> Iterator[Partner]:
    with partner(EMSP).running() as one:
        hub.registered(one)
        one.received.clear()
        yield one


def given(hub: RunningHub, cpo: Partner, emsp: Partner, answer: Json, **command: object) -> Callback:
    """The callback of a command that the CPO answers like this."""
    cpo.answers_next(envelope(answer), module="commands")
    body = {"response_url": f"{emsp.base}/results/1", "token": token(emsp.party), **command}
    assert emsp.post("commands", "RESERVE_NOW", to=cpo.party, json=body).status_code == 1000
    callback_id = cpo.received.of("commands")[-1].json()["response_url"].rpartition("/")[2]
    callback = hub.do(hub.hub.return_addresses.callback(callback_id))
    assert callback is not None
    return callback


@pytest.mark.parametrize(
    ("answer", "hours"),
    [
        ({"result": "ACCEPTED", "timeout": 30}, 1),
        ({"result": "ACCEPTED", "timeout": 2 * 3600}, 2 + 1 / 6),
        ({"result": "ACCEPTED", "timeout": 1e12}, 30 * 24 + 1 / 6),
        ({"result": "ACCEPTED", "timeout": -1e300}, 1),
        ({"result": "ACCEPTED", "timeout": "soon"}, 1),
        ({"result": "ACCEPTED"}, 1),
        ({"result": "REJECTED", "timeout": 2 * 3600}, 1 / 6),
        ({"result": "NOT_SUPPORTED"}, 1 / 6),
        ({"result": {"odd": 1}}, 1),
    ],
)
def test_a_callback_is_kept_as_long_as_the_answer_promises_and_not_long_after_a_refusal(
    hub: RunningHub, cpo: Partner, emsp: Partner, answer: Json, hours: float
) -> None:
    callback = given(hub, cpo, emsp, answer)

    assert (callback.expires_at - datetime.now(UTC)) / timedelta(hours=1) == pytest.approx(hours, abs=0.02)


@pytest.mark.parametrize("ends", ["9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "soon", "9999-12-31T23:59:59-14:00"])
def test_a_reservation_may_end_at_any_time(hub: RunningHub, cpo: Partner, emsp: Partner, ends: str) -> None:
    callback = given(hub, cpo, emsp, {"result": "ACCEPTED"}, expiry_date=ends)

    assert callback.expires_at > datetime.now(UTC) + timedelta(minutes=59)


def test_a_response_url_behind_a_result_is_a_parameter_like_any_other(cpo: Partner, emsp: Partner) -> None:
    original = f"{emsp.base}/results/1"
    profile = {"response_url": original, "charging_profile": {"charging_rate_unit": "W"}}
    emsp_to_cpo = emsp.put("chargingprofiles", "S1", to=cpo.party, json=profile)
    assert emsp_to_cpo.status_code == 1000
    given_out = cpo.received.of("chargingprofiles")[-1].json()["response_url"]

    result = cpo.post(f"{given_out}?response_url={cpo.base}/x", to=emsp.party, json={"result": "ACCEPTED"})

    assert result.status_code != 3000
    [arrived] = emsp.received
    assert arrived.raw_path == "/results/1"


def test_twenty_results_in_an_hour_are_posted_on_one_callback(hub: RunningHub, cpo: Partner, emsp: Partner) -> None:
    now, result = [time.monotonic()], {"result": "ACCEPTED"}
    posts = hub.hub.callback_posts
    posts._own = [Buckets(each.limit, lambda: now[0]) for each in posts._own]  # an hour would take an hour
    own = emsp.url("commands", InterfaceRole.SENDER, "RESERVE_NOW", "1")
    given(hub, cpo, emsp, {"result": "ACCEPTED", "timeout": 30}, response_url=own)
    url = cpo.received.of("commands")[-1].json()["response_url"]

    def post() -> Answer:
        now[0] += 1
        return cpo.post(url, to=emsp.party, json=result)

    assert [post().status_code for _ in range(20)] == [1000] * 20
    refused = post()
    assert (refused.http_status, refused.status_code) == (429, 2000)
    wait_s = int(refused.header("retry-after") or 0)
    assert 60 < wait_s <= 3600
    assert len(emsp.received) == 20

    now[0] += wait_s
    assert post().status_code == 1000
