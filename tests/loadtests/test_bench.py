"""The figures of the bench, not their taking: that needs two quiet cores."""

from __future__ import annotations

import msgspec

from loadtests.bench import Figures, table
from loadtests.broadcasting import Broadcasts, lines
from loadtests.subjects import location

ALONE = Figures(2000.5, 12.25, 40.0, 490.0, 0.1, 0.31)
PAGE = Figures(100.0, 300.0, 400.0, 9000.0, cpu_to_twin=1.25, extra_us_per_object=33.3)
RESULTS = {
    "hub": {"put_location": ALONE, "get_location": ALONE, "page_211_221": PAGE},
    "nginx": {"put_location": Figures(20_000.0, 1.2, 9.0, 20.0, 1.0, 3.1), "get_location": ALONE},
}


def test_the_file_has_the_figures_of_each_subject_and_scenario() -> None:
    written = msgspec.json.decode(msgspec.json.encode(RESULTS))

    assert written["hub"]["put_location"] == {
        "messages/s": 2000.5,
        "p50_ms": 12.25,
        "p99_ms": 40.0,
        "cpu_us_per_message": 490.0,
        "ratio_to_nginx": 0.1,
        "ratio_to_floor": 0.31,
        "cpu_to_twin": None,
        "extra_us_per_object": None,
    }


def test_the_table_has_a_line_for_each_that_all_carry() -> None:
    title, hub, nginx = table(RESULTS)[:3]

    assert len(title) == len(hub) == len(nginx)
    assert hub.split() == ["put_location", "hub", "2,000", "12.25", "40.00", "490.0", "0.100", "0.310"]


def test_what_only_a_hub_carries_stands_beside_the_same_without_translation() -> None:
    title, page = table(RESULTS)[-2:]

    assert len(title) == len(page)
    assert page.split() == ["page_211_221", "100", "300.00", "400.00", "9000.0", "1.25", "33.3"]


def test_a_broadcast_with_sick_receivers_stands_beside_the_one_without() -> None:
    title, well, sick, registered = lines(
        Broadcasts(1000, 1, 10, 12.3, 3000.4, 2900.0, 190.2, 360.0, 192.0, 366.0, 1.017)
    )

    assert title.startswith("broadcast to 1,000 receivers")
    assert well.split() == ["all", "well", "3,000", "190.2", "360.0"]
    assert sick.split()[-4:] == ["2,900", "192.0", "366.0", "1.017"]
    assert len(sick) == len(title)
    assert registered == "  registered in 12 s"


def test_the_location_sent_is_of_1200_bytes() -> None:
    assert len(location()) == 1200
    assert msgspec.json.decode(location())["id"] == "LOC1"
