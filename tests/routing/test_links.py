"""Links to the next page, and URLs for results: as partners write them, and as the hub hands them on."""

from __future__ import annotations

import time

import pytest

from routing.links import next_link, response_url_in, standard_query, with_response_url, with_sealed

ASKED = "https://cpo.example/ocpi/locations?limit=50"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://cpo.example/2>; rel="next"', "https://cpo.example/2"),
        ("<https://cpo.example/2>;rel=next", "https://cpo.example/2"),
        ('<https://cpo.example/2> ; REL = "NEXT"', "https://cpo.example/2"),
        ('<https://cpo.example/2>; rel="prefetch next"', "https://cpo.example/2"),
        ("</2>; rel=next", "https://cpo.example/2"),
        ("<2>; rel=next", "https://cpo.example/ocpi/2"),
        ("<?offset=50>; rel=next", "https://cpo.example/ocpi/locations?offset=50"),
        ("<//cpo.example/2>; rel=next", "https://cpo.example/2"),
        ('<https://cpo.example/1>; rel="prev", <https://cpo.example/2>; rel="next"', "https://cpo.example/2"),
        ('<https://cpo.example/2>; title="a, <b>; rel=last"; rel="next"', "https://cpo.example/2"),
        ('<https://cpo.example/2>; title="say \\"rel=next\\""', None),
        ('<https://cpo.example/2>; rel="prev"; rel="next"', None),
        ('<https://cpo.example/2>; rel="nextish"', None),
        ('<https://cpo.example/2>; xrel="next"', None),
        ("<https://cpo.example/2>", None),
        ("https://cpo.example/2; rel=next", None),
        ("", None),
    ],
)
def test_a_link_is_read_as_the_standard_says(header: str, expected: str | None) -> None:
    assert next_link([(b"link", header.encode())], ASKED) == expected


def test_the_first_next_of_several_headers_counts() -> None:
    headers = [
        (b"link", b"</1>; rel=prev"),
        (b"x-limit", b"5"),
        (b"link", b"</2>; rel=next"),
        (b"link", b"</3>; rel=next"),
    ]

    assert next_link(headers, ASKED) == "https://cpo.example/2"


@pytest.mark.parametrize(
    "header",
    ["<" * 32_000, "<a>;a" + " " * 32_000 + "x", '<a>;a="' + "\\" * 32_000, '<a>;a="' * 4_000, "<a>;a=" * 5_000],
)
def test_no_header_takes_long_to_read(header: str) -> None:
    began = time.perf_counter()

    assert next_link([(b"link", header.encode())], ASKED) is None
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("link", "endpoint", "expected"),
    [
        ("https://cpo.example/l?offset=50&limit=50", "https://cpo.example/l", "offset=50&limit=50"),
        ("https://CPO.example/l?offset=50", "https://cpo.example/l?limit=5", "offset=50"),
        ("https://cpo.example/l?date_from=x&offset=1", "https://cpo.example/l", "date_from=x&offset=1"),
        ("https://cpo.example/l?own=1&offset=1", "https://cpo.example/l?own=1", "own=1&offset=1"),
        ("https://cpo.example/l?own=1&offset=1", "https://cpo.example/l", None),
        ("https://cpo.example/l?hub_next=x", "https://cpo.example/l?hub_next=y", None),
        ("https://cpo.example/l", "https://cpo.example/l", None),
        ("https://cpo.example/l/2?offset=50", "https://cpo.example/l", None),
        ("https://cpo.example/l/?offset=50", "https://cpo.example/l", "offset=50"),
        ("https://cpo.example:8443/l?offset=50", "https://cpo.example/l", None),
        ("http://cpo.example/l?offset=50", "https://cpo.example/l", None),
        ('https://cpo.example/l?offset=50">', "https://cpo.example/l", None),
    ],
)
def test_a_link_is_passed_on_open_only_if_it_is_the_endpoint_with_what_the_requester_knows(
    link: str, endpoint: str, expected: str | None
) -> None:
    assert standard_query(link, endpoint) == expected


def test_a_sealed_link_keeps_the_filters_and_replaces_the_place() -> None:
    assert with_sealed("offset=5&date_from=x&hub_next=old&limit=7", "new==") == "date_from=x&hub_next=new%3D%3D"
    assert with_sealed("", "new") == "hub_next=new"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("response_url=https%3A%2F%2Fe.example%2Fr%3Fa%3D1%26b%3D2", ("https://e.example/r?a=1&b=2", "")),
        ("duration=9&response_url=https%3A%2F%2Fe.example%2Fr&x=1", ("https://e.example/r", "duration=9&x=1")),
        ("response_url=https://e.example/r?a=1&b=2&duration=9", ("https://e.example/r?a=1&b=2", "duration=9")),
        (
            "duration=9&response_url=https://e.example/r?a=1&duration=x&c",
            ("https://e.example/r?a=1&duration=x&c", "duration=9"),
        ),
        ("response_url=https://e.example/r?a=%2F", ("https://e.example/r?a=%2F", "")),
        ("response_url=", ("", "")),
        ("response_url", None),
        ("my_response_url=https://e.example", None),
        ("", None),
    ],
)
def test_a_response_url_is_found_encoded_or_not(query: str, expected: tuple[str, str] | None) -> None:
    assert response_url_in(query) == expected


def test_a_response_url_is_handed_on_encoded() -> None:
    assert (
        with_response_url("duration=9", "https://h/c?a=1&b")
        == "duration=9&response_url=https%3A%2F%2Fh%2Fc%3Fa%3D1%26b"
    )
    assert with_response_url("", "https://h") == "response_url=https%3A%2F%2Fh"
