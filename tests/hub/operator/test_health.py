from __future__ import annotations

from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.forked import ForkedHub
from tests.partners import location


def figures(anyone: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = anyone.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_running_hub_is_alive_and_ready(anyone: httpx.Client) -> None:
    assert anyone.get("/healthz").json() == {"alive": True}
    assert anyone.get("/readyz").json() == {"ready": True, "reasons": []}


def test_a_draining_hub_is_alive_and_not_ready(tmp_path: Path) -> None:
    with ForkedHub(tmp_path) as hub:
        drained = hub.operator.api.post("/api/v1/drain")
        ready = hub.operator.api.get("/readyz")
        for_load_balancers = hub.operator.api.get("/readyz?without=stores")
        alive = hub.operator.api.get("/healthz")
        found = figures(hub.operator.api)

    assert drained.status_code == 202
    assert ready.status_code == for_load_balancers.status_code == 503
    assert ready.headers["content-type"] == "application/problem+json"
    assert ready.json()["reasons"] == ["the hub is draining"]
    assert alive.status_code == 200
    assert found["ocpi_hub_ready", frozenset()] == 0


def test_a_hub_of_one_process_says_that_it_has_no_workers_to_replace(hub: HubProcess) -> None:
    for method in ("POST", "GET"):
        answer = hub.operator.api.request(method, "/api/v1/reload")
        assert answer.status_code == 409
        assert "HUB_WORKERS" in answer.json()["detail"]


def test_messages_and_the_directory_are_in_the_metrics(anyone: httpx.Client, cpo: Partner, emsp: Partner) -> None:
    answer = cpo.put("locations", f"{'/'.join(cpo.party)}/LOC1", to=emsp.party, json=location(cpo.party))
    found = figures(anyone)

    assert answer.http_status == 200
    labels = {"route": "direct", "module": "locations", "method": "PUT", "source_version": "2.2.1"}
    messages = [
        value
        for (name, of), value in found.items()
        if name == "ocpi_hub_messages_total" and labels.items() <= dict(of).items()
    ]
    assert sum(messages) >= 1
    upstream = {of: value for (name, of), value in found.items() if name == "ocpi_hub_upstream_seconds_count"}
    assert upstream
    assert found["ocpi_hub_platforms", frozenset({("status", "CONNECTED")})] >= 2
    assert found["ocpi_hub_parties", frozenset({("status", "CONNECTED")})] >= 2
    assert 0 <= found["ocpi_hub_directory_snapshot_age_seconds", frozenset()] < 60
    assert found["ocpi_hub_directory_reloads_total", frozenset()] >= 1
    assert found["ocpi_hub_ready", frozenset()] == 1
    assert found["ocpi_hub_messages_inflight", frozenset()] == 0
    assert 0 <= found["ocpi_hub_event_loop_lag_seconds", frozenset()] < 60
