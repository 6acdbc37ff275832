"""The measurement of the console, of a network that is small."""

from __future__ import annotations

from pathlib import Path

from loadtests.console import Measured, measure, table
from tests.servers import Postgres, RedisServer


def test_every_page_of_the_console_is_measured(postgres_server: Postgres, tmp_path: Path) -> None:
    with RedisServer() as redis:
        measured = measure(postgres_server, redis.url, tmp_path, platforms=60, entries=300, times=2, callers=4)

    found = {each.page: each for each in measured}
    assert {"/", "/messages", "/partners", "/partners/ID/registration", "/story", "/search, an object"} <= found.keys()
    assert all(each.bytes < 100_000 for each in measured)
    assert all(0 < each.p50_ms <= each.p95_ms for each in measured)


def test_what_is_too_large_or_too_slow_is_said() -> None:
    pages = [
        Measured("/", 99_000, 10, 79, 80),
        Measured("/story", 10_000, 10, 201, 200),
        Measured("/messages", 100_001, 10, 81, 80),
    ]

    assert [each.verdict for each in pages] == ["ok", "too slow", "too large and slow"]
    assert table(pages).splitlines() == [
        "page                                                      kB    p50 ms    p95 ms  verdict",
        "/                                                       99.0      10.0      79.0  ok",
        "/story                                                  10.0      10.0     201.0  too slow",
        "/messages                                              100.0      10.0      81.0  too large and slow",
    ]
