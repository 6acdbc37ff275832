"""The hub's time apart from its partners', from what the hub says of itself."""

import pytest

from hub.observability import Metrics
from loadtests.load.hub_time import HubFigures
from loadtests.load.journal_times import JournalTimes
from routing.vocabulary import Version


def exposition(metrics: Metrics) -> str:
    return metrics.exposition().decode()


def message(metrics: Metrics, module: str, seconds: float, route: str = "direct") -> None:
    metrics.message(
        route=route,
        module=module,
        method="PUT",
        source_version=Version.V2_2_1,
        target_version=Version.V2_2_1,
        ocpi_status=1000,
        seconds=seconds,
    )


def test_the_time_of_the_hub_is_the_whole_less_the_partners() -> None:
    metrics = Metrics()
    message(metrics, "sessions", 5.0)
    metrics.upstream("sessions", "volt", 4.0)
    before = HubFigures.read(exposition(metrics))
    for _ in range(4):
        message(metrics, "sessions", 0.010)
        metrics.upstream("sessions", "volt", 0.007)
    during = HubFigures.read(exposition(metrics)).since(before)
    sessions = during.modules()["sessions"]
    assert sessions.whole.times == 4
    assert sessions.hub_ms == pytest.approx(3.0)
    assert during.platforms()["volt"].mean_ms == pytest.approx(7.0)


def test_calls_that_nobody_waited_for_are_not_taken_from_the_whole() -> None:
    metrics = Metrics()
    message(metrics, "locations", 0.010)
    message(metrics, "locations", 0.001, route="broadcast")
    metrics.upstream("locations", "roam", 3.0)
    assert HubFigures.read(exposition(metrics)).modules()["locations"].hub_ms is None


def test_the_journal_says_it_of_single_messages() -> None:
    times = JournalTimes()
    entry = {"hop": "message", "from": "NL*ABC", "to": "DE*XYZ", "upstream_request_id": "1", "failure": None}
    times.add({**entry, "hub_ms": 0.5, "upstream_ms": 20.0})
    times.add({**entry, "hub_ms": 9.0, "upstream_ms": 0.0, "upstream_request_id": None})
    times.add({**entry, "hub_ms": 9.0, "upstream_ms": 1.0, "hop": "delivery"})
    assert times.by_sender["NL*ABC"].hub.greatest_us == 500
    assert times.by_receiver["DE*XYZ"].partner.greatest_us == 20_000


def test_a_partner_that_is_gone_is_not_the_quickest() -> None:
    times = JournalTimes()
    entry = {"hop": "message", "from": "NL*ABC", "to": "DE*XYZ", "upstream_request_id": "1", "hub_ms": 0.5}
    times.add({**entry, "upstream_ms": 0.1, "failure": "connect_failed"})
    assert times.by_receiver["DE*XYZ"].partner.quantile_ms(0.95) is None
    times.add({**entry, "upstream_ms": 2000.0, "failure": "timeout"})
    assert times.by_receiver["DE*XYZ"].partner.greatest_us == 2_000_000
