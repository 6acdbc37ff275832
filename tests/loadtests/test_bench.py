"""The figures of the bench, not their taking: that needs two quiet cores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread

import msgspec
import pytest

from loadtests import latency, scale, watched
from loadtests.arrivals import Due, Sender, Took, poisson
from loadtests.bench import Figures, table
from loadtests.broadcasting import Broadcasts, lines
from loadtests.hub_process import HubFailed, HubProcess, Operator
from loadtests.subjects import Subject, location

ALONE = Figures(2000.5, 12.25, 40.0, 490.0, 0.1, 0.31)
PAGE = Figures(100.0, 300.0, 400.0, 9000.0, twin="page", cpu_to_twin=1.25, extra_us_per_object=33.3)
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
        "twin": None,
        "cpu_to_twin": None,
        "extra_us_per_object": None,
    }


def test_the_table_has_a_line_for_each_that_all_carry() -> None:
    title, hub, nginx = table(RESULTS)[:3]

    assert len(title) == len(hub) == len(nginx)
    assert hub.split() == ["put_location", "hub", "2,000", "12.25", "40.00", "490.0", "0.100", "0.310"]


def test_what_only_a_hub_carries_stands_beside_what_it_is_compared_with() -> None:
    title, page = table(RESULTS)[-2:]

    assert len(title) == len(page)
    assert page.split() == ["page_211_221", "100", "300.00", "400.00", "9000.0", "1.25", "of", "page", "33.3"]


def test_a_broadcast_with_sick_receivers_stands_beside_the_one_without() -> None:
    title, well, sick, registered = lines(
        Broadcasts(1000, 1, 10, 12.3, 3000.4, 2900.0, 98.76, 190.2, 360.0, 192.0, 366.0, 1.017)
    )

    assert title.startswith("broadcast to 1,000 receivers")
    assert well.split() == ["all", "well", "3,000", "190.2", "360.0"]
    assert sick.split()[-4:] == ["2,900", "192.0", "366.0", "1.017"]
    assert len(sick) == len(title)
    assert registered == "  98.8 µs CPU of the hub for each; they registered in 12 s"


def test_the_location_sent_is_of_1200_bytes() -> None:
    assert len(location()) == 1200
    assert msgspec.json.decode(location())["id"] == "LOC1"


def test_what_the_hub_adds_stands_beside_the_way_without_it() -> None:
    added = latency.Added("answers at once", 200.0, 10_000, 0.31, 0.93, 0.62, 0.8, 2.5, 1.7, 1.9, 0.2)

    title, line = latency.lines([added])

    assert len(title) == len(line)
    assert line.split() == ["answers", "at", "once", "0.31", "0.93", "0.62", "0.80", "2.50", "1.70", "1.90"]


def test_messages_that_are_watched_stand_beside_those_that_are_not() -> None:
    title, alone, by_all = watched.lines(watched.Watched(300.0, 20, 0.6, 0.61, 2.5, 2.6, 400.4, 520.0, 31.5, 268.5))

    assert alone.split() == ["watched", "by", "nobody", "0.60", "2.50", "400"]
    assert by_all.split() == ["watched", "by", "20", "0.61", "2.60", "520", "31.5", "268.5"]
    assert len(title) == len(by_all)


def test_a_large_network_stands_beside_a_small_one() -> None:
    size = scale.Size(
        platforms=20_000,
        parties=100_000,
        start_empty_s=1.9,
        start_from_truth_s=6.1,
        start_from_redis_s=3.4,
        snapshot_mib=186.2,
        small_messages_per_s=9000.0,
        messages_per_s=8910.0,
        ratio=0.99,
        small_cpu_us=110.0,
        cpu_us=111.1,
        cpu_ratio=1.01,
        here_p50_s=0.05,
        here_longest_s=0.09,
        elsewhere_p50_s=0.1,
        elsewhere_longest_s=0.15,
        calm_p99_ms=1.5,
        calm_longest_ms=4.0,
        changing_p99_ms=6.0,
        changing_longest_ms=20.0,
    )

    title, start, memory, put, *_ = scale.lines(size)

    assert title == "100,000 parties on 20,000 platforms"
    assert start.endswith("6.1 s from PostgreSQL, 3.4 s from Redis; 1.9 s with nobody")
    assert memory.endswith(" 186 MiB")
    assert put.endswith("8,910 messages/s, 111.1 µs CPU; with 2 platforms 9,000 and 110.0 µs")


@pytest.mark.anyio
async def test_how_long_a_message_takes_counts_from_when_it_was_due() -> None:
    """Each of five takes 50 ms on the one connection there may be, so that the others are late or not sent at all."""
    took: list[Took] = []
    server = await asyncio.start_server(_answer_slowly, "127.0.0.1", 0)
    sender = Sender(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", took.append, most=1)
    request = b"GET /1 HTTP/1.1\r\nhost: x\r\n\r\n"
    await sender.send_all([Due(at / 100, request, "kind") for at in range(5)])
    await sender.settled()
    await sender.close()
    server.close()

    assert len(took) + sender.unsent == 5
    assert sender.unsent > 0
    assert took[0].seconds >= 0.05
    assert (took[0].http_status, took[0].ocpi_status) == (200, 1000)


async def _answer_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"status_code":1000}')
    writer.close()


def test_messages_that_come_independently_come_as_often_as_asked() -> None:
    moments = poisson(200, 50, Random(1))

    assert moments == sorted(moments)
    assert 9_500 < len(moments) < 10_500
    assert poisson(200, 50, Random(1)) == moments


def test_a_hub_that_has_written_what_it_carried_has_kept_up(hub: HubProcess) -> None:
    assert hub.operator.metric("ocpi_hub_ready") == 1
    with pytest.raises(HubFailed, match="no metric ocpi_hub_steady"):
        hub.operator.metric("ocpi_hub_steady")

    Subject("hub", hub.url, hub.pid, forwards=True, operator=hub.operator).check_kept_up(0)


@pytest.mark.parametrize(("waiting", "dropped"), [("12.0", "0.0"), ("0.0", "34.0")])
def test_a_hub_that_leaves_its_journal_for_later_has_no_figures(waiting: str, dropped: str) -> None:
    with _metrics(f"ocpi_hub_journal_waiting {waiting}\nocpi_hub_journal_dropped_total {dropped}\n") as url:
        subject = Subject("hub", "", 0, forwards=True, operator=Operator(url, "token"))
        with pytest.raises(
            HubFailed, match=r"^hub did not keep up: \d+ entries of its journal wait, \d+ were dropped$"
        ):
            subject.check_kept_up(11)


@contextmanager
def _metrics(text: str) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
