"""What an OpenTelemetry collector hears of messages, and what it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.settings import Settings, SettingsError
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from loadtests.simulator.misbehaviour import DEAD
from loadtests.simulator.server import free_port
from routing.vocabulary import InterfaceRole, Version
from tests.conftest import StoreUrls
from tests.hub.collector import Collector
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, location, partner, path_of, registered, token

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
STRANGERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1,other=2"}
CORRELATED = "x-correlation-id"
AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "20"}
"""What the SDK waits for more spans, in milliseconds."""


@pytest.fixture(scope="module")
def quick_batches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {**AT_ONCE, "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests"}.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def hub(collector: Collector, quick_batches: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:  # noqa: ARG001 - read by the process
    settings = {"traces_url": collector.url, "rate_limit": "off", "forward_timeout_s": "1", "connect_timeout_s": "1"}
    with ForkedHub(tmp_path_factory.mktemp("hub"), settings) as process:
        yield process


def test_a_translated_message_is_a_trace_of_its_call_and_both_translations(
    hub: HubProcess, collector: Collector, cpo: Partner
) -> None:
    with registered(hub, partner(EMSP, Version.V2_1_1)) as [emsp]:
        body = location(cpo.party) | {"time_zone": "Europe/Amsterdam", "parking_type": "ON_STREET"}
        before = time.time_ns()

        answer = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=body)

        message, translation, call = collector.of(answer.header(CORRELATED), count=3)
        [received] = emsp.received
    assert answer.status_code == 1000
    assert (message.name, message.kind, message.parent_id) == ("PUT locations", "SERVER", "")
    assert (translation.name, translation.kind) == ("translate locations", "INTERNAL")
    assert (call.name, call.kind) == ("PUT locations", "CLIENT")
    assert {each.trace_id for each in (message, translation, call)} == {message.trace_id}
    assert translation.parent_id == call.parent_id == message.span_id
    assert before < message.began <= translation.began <= translation.ended <= call.began
    assert call.began < call.ended <= message.ended < time.time_ns()
    assert not any(each.is_failed for each in (message, translation, call))
    assert message.attributes == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "ocpi.module": "locations",
        "ocpi.interface": "RECEIVER",
        "ocpi.route": "direct",
        "ocpi.version": "2.2.1",
        "ocpi.version.to": "2.1.1",
        "ocpi.from": str(cpo.party),
        "ocpi.to": str(emsp.party),
        "ocpi.platform.id": platform_of(hub, cpo),
        "ocpi.platform.to": call.attributes["ocpi.platform.id"],
        "ocpi.status_code": 1000,
        "ocpi.request_id": answer.header("x-request-id"),
        "ocpi.correlation_id": answer.header(CORRELATED),
        "ocpi.translation.losses": translation.attributes["ocpi.translation.losses"],
    }
    assert (translation.attributes["ocpi.version.from"], translation.attributes["ocpi.version.to"]) == (
        "2.2.1",
        "2.1.1",
    )
    assert translation.attributes["ocpi.translation.of"] == "request"
    assert int(translation.attributes["ocpi.translation.losses"]) > 0
    assert call.attributes["http.response.status_code"] == answer.http_status
    assert call.attributes["ocpi.request_id"] == received.header("x-request-id")
    assert call.attributes["server.address"] == emsp.base.removeprefix("http://")
    assert received.header("traceparent") is None
    assert message.resource["service.name"] == "ocpi-hub"
    assert message.resource["deployment.environment.name"] == "tests"


def test_an_answer_that_is_translated_has_a_span_of_it(hub: HubProcess, collector: Collector, emsp: Partner) -> None:
    with registered(hub, partner(CPO, Version.V2_3_0)) as [cpo]:
        answer = emsp.get("locations", to=cpo.party)

        spans = collector.of(answer.header(CORRELATED), count=4)

    assert [each.name for each in spans] == [
        "GET locations",
        "translate locations",
        "GET locations",
        "translate locations",
    ]
    assert [each.attributes["ocpi.translation.of"] for each in spans[1::2]] == ["request", "answer"]


def test_a_message_that_failed_says_why_and_so_does_its_call(collector: Collector, cpo: Partner, emsp: Partner) -> None:
    with emsp.behaving(DEAD):
        answer = cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))

    message, call = collector.of(answer.header(CORRELATED), count=2)
    assert message.is_failed
    assert call.is_failed
    assert message.attributes["ocpi.status_code"] == answer.status_code
    assert message.attributes["error.type"] in {"connect_failed", "timeout"}
    assert call.attributes["error.type"] in {"ReceiverUnreachable", "ReceiverTimeout"}
    assert "http.response.status_code" not in call.attributes


def test_a_message_that_is_refused_at_the_door_is_a_trace_of_one_span(collector: Collector, cpo: Partner) -> None:
    answer = cpo.get("locations", token="nobodys")

    [message] = collector.of(answer.header(CORRELATED), count=1)
    assert answer.http_status == 401
    assert message.attributes["error.type"] == "not_authenticated"
    assert message.attributes["ocpi.route"] == "refused"


def test_a_strangers_trace_is_not_continued_but_linked(collector: Collector, cpo: Partner, emsp: Partner) -> None:
    path = path_of(cpo.party, "LOC1")

    answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party), headers=STRANGERS)

    message, call = collector.of(answer.header(CORRELATED), count=2)
    assert message.trace_id == call.trace_id != TRACE
    assert (message.parent_id, message.state) == ("", "")
    assert message.links == [(TRACE, SPAN)]
    [received] = emsp.received
    assert received.header("traceparent") is None
    assert received.header("tracestate") is None


def test_partners_that_take_part_continue_one_trace(
    hub: HubProcess, collector: Collector, cpo: Partner, emsp: Partner
) -> None:
    for each in (cpo, emsp):
        hub.operator.change(platform_of(hub, each), trace_context=True)
    path = path_of(cpo.party, "LOC1")

    answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party), headers=STRANGERS)

    message, call = collector.of(answer.header(CORRELATED), count=2)
    assert (message.trace_id, message.parent_id, message.links) == (TRACE, SPAN, [])
    assert (call.trace_id, call.parent_id) == (TRACE, message.span_id)
    [received] = emsp.received
    assert received.header("traceparent") == f"00-{TRACE}-{call.span_id}-01"
    assert received.header("tracestate") == message.state == "vendor=1,other=2"


def test_who_takes_part_and_keeps_no_trace_has_none_kept_here(
    hub: HubProcess, collector: Collector, cpo: Partner, emsp: Partner
) -> None:
    for each in (cpo, emsp):
        hub.operator.change(platform_of(hub, each), trace_context=True)
    path, not_kept = path_of(cpo.party, "LOC1"), {"traceparent": f"00-{TRACE}-{SPAN}-00"}

    answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party), headers=not_kept)
    later = cpo.put("locations", path, to=emsp.party, json=location(cpo.party))

    assert len(collector.of(later.header(CORRELATED), count=2)) == 2
    assert collector.of(answer.header(CORRELATED), count=0) == []
    first, _ = emsp.received
    assert (first.header("traceparent") or "").endswith("-00")


def test_deliveries_of_a_broadcast_are_traces_of_their_own_that_name_the_message(
    hub: HubProcess, collector: Collector, cpo: Partner, emsp: Partner
) -> None:
    with registered(hub, partner(EMSP)) as [other]:
        answer = cpo.put("locations", path_of(cpo.party, "LOC7"), json=location(cpo.party, "LOC7"))

        receivers = {str(each.party) for each in (emsp, other)}
        spans = collector.until(
            answer.header(CORRELATED),
            lambda spans: receivers <= {each.attributes.get("ocpi.to") for each in spans if "deliver" in each.name},
        )
    [message] = [each for each in spans if each.kind == "SERVER"]
    deliveries = [
        each for each in spans if each.name == "deliver PUT locations" and each.attributes["ocpi.to"] in receivers
    ]  # partners of other tests are told, too
    calls = [each for each in spans if each.kind == "CLIENT" and each.attributes["ocpi.to"] in receivers]
    assert message.attributes["ocpi.route"] == "broadcast"
    assert len(deliveries) == len(calls) == 2
    assert all(each.links == [(message.trace_id, message.span_id)] for each in deliveries)
    assert len({each.trace_id for each in deliveries} | {message.trace_id}) == len(deliveries) + 1
    assert {(each.trace_id, each.parent_id) for each in calls} == {(each.trace_id, each.span_id) for each in deliveries}


def test_all_who_are_asked_about_a_token_are_parts_of_the_message(
    hub: HubProcess, collector: Collector, cpo: Partner, emsp: Partner
) -> None:
    with registered(hub, partner(EMSP)) as [other]:
        asked = {str(emsp.party), str(other.party)}

        answer = cpo.post("tokens", "UNKNOWN9/authorize")

        message, parts = collector.message(answer.header(CORRELATED))
    assert asked <= {each.attributes["ocpi.to"] for each in parts if each.kind == "CLIENT"}
    assert {each.parent_id for each in parts} == {message.span_id}


def test_pages_of_a_list_of_everybodys_are_parts_of_the_message(
    collector: Collector, cpo: Partner, emsp: Partner
) -> None:
    cpo.hold("locations", location(cpo.party))

    answer = emsp.get("locations")

    message, parts = collector.message(answer.header(CORRELATED))
    assert message.attributes["ocpi.route"] == "get_all"
    assert str(cpo.party) in {each.attributes["ocpi.to"] for each in parts if each.kind == "CLIENT"}
    assert {each.parent_id for each in parts} == {message.span_id}


def test_no_span_has_a_token_an_id_of_a_card_or_a_path(collector: Collector, cpo: Partner, emsp: Partner) -> None:
    card = token(emsp.party, "SECRETUID") | {"contract_id": "SECRETCONTRACT", "visual_number": "SECRETNUMBER"}
    path = path_of(emsp.party, "SECRETUID")

    pushed = emsp.put("tokens", path, to=cpo.party, json=card, params={"type": "RFID"})
    asked = cpo.post("tokens", "SECRETUID/authorize", to=emsp.party, json={"location_id": "SECRETPLACE"})
    lost = cpo.get("tokens", "SECRETUID", interface=InterfaceRole.SENDER)

    for answer in (pushed, asked, lost):
        collector.message(answer.header(CORRELATED))
    said = b"".join(collector.bodies)
    assert b"SECRET" not in said
    for each in (cpo, emsp):
        assert each.connection.our_token.encode() not in said


@pytest.mark.usefixtures("quick_batches")
def test_each_worker_says_which_of_them_it_is(
    collector: Collector, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    stores = StoreUrls(database_url, redis_url)._asdict()
    with ForkedHub(tmp_path, {**stores, "workers": "2", "traces_url": collector.url, "rate_limit": "off"}) as hub:
        with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
            heard_of: set[object] = set()
            deadline = time.monotonic() + 30
            path, body = path_of(cpo.party, "L"), location(cpo.party, "L")
            while len(heard_of) < 2 and time.monotonic() < deadline:
                # Every connection is taken by one of the two.
                answer = cpo.put("locations", path, to=emsp.party, json=body, headers={"connection": "close"})
                message, _ = collector.message(answer.header(CORRELATED))
                heard_of.add(message.resource["service.instance.id"])
        assert len(heard_of) == 2


@pytest.mark.usefixtures("quick_batches")
def test_messages_do_not_notice_that_the_collector_is_away(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}/v1/traces"
    with ForkedHub(tmp_path, {"traces_url": away, "rate_limit": "off"}) as hub:
        with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
            for _ in range(50):
                answer = cpo.put("locations", path_of(cpo.party, "L"), to=emsp.party, json=location(cpo.party, "L"))
                assert answer.status_code == 1000
        began = time.monotonic()
        assert hub.stop() == 0
        assert time.monotonic() - began < 6


def test_a_hub_without_a_collector_does_not_load_opentelemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with HubProcess(tmp_path) as hub, registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp]:
        answer = cpo.put("locations", path_of(cpo.party, "L"), to=emsp.party, json=location(cpo.party, "L"))
        assert answer.status_code == 1000
    loaded = {line.rpartition("|")[2].strip() for line in hub.log.read_text().splitlines()}
    assert "hub.span_notes" in loaded
    # redis-py loads OpenTelemetry's metrics wherever they are installed. What makes and sends spans is not among them.
    assert not [name for name in loaded if name.startswith(("hub.open_telemetry", "opentelemetry.exporter", "google."))]


def test_a_url_of_a_collector_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(_: str) -> None:
        raise ModuleNotFoundError

    monkeypatch.setattr("hub.settings.find_spec", not_installed)
    monkeypatch.setenv("HUB_TRACES_URL", "http://127.0.0.1:4318/v1/traces")
    with pytest.raises(SettingsError, match=r"HUB_TRACES_URL=.*not installed.*pip install 'ocpi-hub\[otel\]'"):
        Settings.load()


@pytest.mark.parametrize("url", ["collector:4318", "grpc://collector:4317", "http://", "http://me:secret@collector"])
def test_a_url_that_no_collector_can_have_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_TRACES_URL", url)
    with pytest.raises(SettingsError, match=r"^HUB_TRACES_URL=.*for example"):
        Settings.load()
