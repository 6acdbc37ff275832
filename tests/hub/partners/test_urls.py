import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.partners.urls import LINK_LENGTH, check_partner_url, origin_of, read_server
from routing.errors import InvalidParameters


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/ocpi/versions",
        "https://example.com",
        "https://example.com:8443/ocpi/2.2.1/locations?tenant=1",
        "HTTPS://Example.COM/ocpi",
        "https://xn--stromtankstelle-mnchen-4ec.example/ocpi",
        "https://93.184.216.34/ocpi",
        "https://[2606:2800:220:1::1]/ocpi",
        "https://ocpi_hub.example.com/",
        "https://example.com/a%2Fb/../c;d",
    ],
)
def test_a_public_https_url_is_accepted_as_it_is(url: str) -> None:
    assert check_partner_url(url, allow_private=False) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not absolute"),
        ("/ocpi/versions", "not absolute"),
        ("//example.com/ocpi", "not absolute"),
        ("https:/example.com", "not absolute"),
        ("http://example.com/ocpi", "https"),
        ("ftp://example.com/ocpi", "https"),
        ("file:///etc/passwd", "https"),
        ("https:///ocpi", "host"),
        ("https://user:secret@example.com/", "user information"),
        ("https://example.com@internal/", "user information"),
        ("https://example.com\\@internal/", "character"),
        ("https://example.com/#part", "character"),
        ("https://example.com/a b", "character"),
        ("https://example.com/a\r\nHost: internal", "character"),
        ("https://example.com/\x00", "character"),
        ("https://münchen.example/", "character"),
        ("https://１２７.0.0.1/", "character"),  # noqa: RUF001  # full-width digits are the point
        ("https://exa%6dple.com/", "host"),
        ("https://example.com./", "host"),
        ("https://example..com/", "host"),
        ("https://-example.com/", "host"),
        ("https://[::1/", "host"),
        ("https://[93.184.216.34]/", "host"),
        ("https://example.com:/", "host and port"),
        ("https://example.com:99999/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:22/", "port"),
        ("https://example.com:8080/", "port"),
        ("https://127.0.0.1/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest/meta-data/", "reserved"),
        ("https://0.0.0.0/", "reserved"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:127.0.0.1]/", "not public"),
        ("https://[::ffff:7f00:1]/", "not public"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://0177.0.0.1/", "four decimal numbers"),
        ("https://127.1/", "four decimal numbers"),
        ("https://example.0x/", "four decimal numbers"),
        ("https://localhost/", "public name"),
        ("https://partner.localhost/", "public name"),
        ("https://metadata/", "public name"),
    ],
)
def test_a_url_that_a_partner_may_not_have_is_refused(url: str, reason: str) -> None:
    with pytest.raises(InvalidParameters, match=reason):
        check_partner_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/ocpi",
        "http://localhost:8080/ocpi",
        "http://[::1]:8080/ocpi",
        "http://10.0.0.7/ocpi",
        "https://cpo-simulator:444/ocpi",
    ],
)
def test_private_partners_may_have_http_any_port_and_private_addresses_when_allowed(url: str) -> None:
    assert check_partner_url(url, allow_private=True) == url


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://0/", "http://0x7f.1/", "http://u@localhost/", "gopher://localhost/"]
)
def test_what_no_partner_ever_is_stays_refused_when_private_partners_are_allowed(url: str) -> None:
    with pytest.raises(InvalidParameters):
        check_partner_url(url, allow_private=True)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://hub.example.com/ocpi/versions", "https://hub.example.com"),
        ("https://HUB.example.com:443/", "https://hub.example.com/prefix"),
        ("http://hub.example.com:443/", "https://hub.example.com"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
    ],
)
def test_the_hub_is_no_partner_of_itself(url: str, own: str) -> None:
    with pytest.raises(InvalidParameters, match="itself"):
        check_partner_url(url, allow_private=True, own_origins=[own])


def test_another_port_beside_the_hub_is_not_the_hub() -> None:
    url = "http://127.0.0.1:9000/"
    assert check_partner_url(url, allow_private=True, own_origins=["http://127.0.0.1:8000"]) == url


def test_a_url_has_at_most_255_characters_and_a_link_2048() -> None:
    url = "https://example.com/" + "a" * 235
    assert check_partner_url(url, allow_private=False) == url
    with pytest.raises(InvalidParameters, match="256 characters"):
        check_partner_url(url + "a", allow_private=False)
    assert check_partner_url(url + "a", allow_private=False, max_length=LINK_LENGTH)


def test_a_refused_url_is_not_repeated_in_the_answer() -> None:
    with pytest.raises(InvalidParameters) as refused:
        check_partner_url("https://user:hunter2@example.com/", allow_private=False)
    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_either_accepted_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/x", f"https://example.com:{text}"):
        with contextlib.suppress(InvalidParameters):
            assert check_partner_url(url, allow_private=False, own_origins=["https://hub.example.com"]) == url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/a", "example.com"),
        ("https://Example.com:443/a", "example.com"),
        ("https://example.com:8443/a", "example.com:8443"),
        ("http://example.com?x", "example.com"),
        ("http://[::1]:9000/a", "[::1]:9000"),
        ("https://[2606:2800:220:1::1]/a", "[2606:2800:220:1::1]"),
    ],
)
def test_the_host_header_has_the_port_only_when_it_is_not_the_usual_one(url: str, host: str) -> None:
    assert read_server(origin_of(url), True).host_line == f"Host: {host}".encode()
