"""Headers: read once, tolerant in spelling, strict in everything that would go into a header again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.dialects import DIALECTS
from routing.errors import HubError, InvalidParameters
from routing.message import (
    NO_ROUTING,
    Message,
    MessageIds,
    RawHeaders,
    Reply,
    RoutingHeaders,
    first_values,
    header,
    id_headers,
    read_id,
    read_routing_headers,
    routing_headers,
)
from routing.modules import operation_at
from routing.vocabulary import InterfaceRole, Party, Version

NL_ABC, DE_MSP = Party("NL", "ABC"), Party("DE", "MSP")
TO = [(b"ocpi-to-country-code", b"NL"), (b"ocpi-to-party-id", b"ABC")]
FROM = [(b"ocpi-from-country-code", b"DE"), (b"ocpi-from-party-id", b"MSP")]
OTHERS = [(b"host", b"hub.example"), (b"ocpi-to-the-moon", b"1"), (b"ocpi-to-the-moon", b"2"), (b"x-foo", b"\xff")]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (TO + FROM, RoutingHeaders(NL_ABC, DE_MSP)),
        (FROM + OTHERS + TO, RoutingHeaders(NL_ABC, DE_MSP)),
        (TO, RoutingHeaders(NL_ABC, None)),
        (FROM, RoutingHeaders(None, DE_MSP)),
        (OTHERS, NO_ROUTING),
        ([], NO_ROUTING),
        ([(b"ocpi-to-country-code", b"nl"), (b"ocpi-to-party-id", b"aBc")], RoutingHeaders(NL_ABC, None)),
        ([(b"ocpi-to-country-code", b"NL "), (b"ocpi-to-party-id", b"\tABC \t")], RoutingHeaders(NL_ABC, None)),
        ([(b"ocpi-to-country-code", b"NL"), (b"ocpi-to-party-id", b"~")], RoutingHeaders(Party("NL", "~"), None)),
    ],
)
def test_the_two_addresses_of_a_message_are_read(headers: RawHeaders, expected: RoutingHeaders) -> None:
    assert read_routing_headers(headers) == expected


@pytest.mark.parametrize("missing", range(4))
def test_half_an_address_is_wrong(missing: int) -> None:
    headers = TO + FROM
    del headers[missing]

    with pytest.raises(InvalidParameters, match="only one"):
        read_routing_headers(headers)


@pytest.mark.parametrize("twice", range(4))
def test_an_address_given_twice_is_wrong_even_if_both_agree(twice: int) -> None:
    headers = TO + FROM

    with pytest.raises(InvalidParameters, match="more than once"):
        read_routing_headers([*headers, headers[twice]])


@pytest.mark.parametrize(
    ("country_code", "party_id"),
    [
        (b"", b""),
        (b"N", b"ABC"),
        (b"NLD", b"ABC"),
        (b"N1", b"ABC"),
        (b"N-", b"ABC"),
        (b"\xc3\xa4", b"ABC"),
        (b"NL\n", b"ABC"),
        (b"NL", b""),
        (b"NL", b"ABCD"),
        (b"NL", b"A C"),
        (b"NL", b"A\rC"),
        (b"NL", b"AB\n"),
        (b"NL", b"A\x00C"),
        (b"NL", b"A\x7fC"),
        (b"NL", b"\xc3\x84B"),
        (b"NL", b"ABC\r\nX-Evil: 1"),
    ],
)
@pytest.mark.parametrize("which", [b"to", b"from"])
def test_an_address_that_no_party_can_have_is_wrong(which: bytes, country_code: bytes, party_id: bytes) -> None:
    headers = [(b"ocpi-" + which + b"-country-code", country_code), (b"ocpi-" + which + b"-party-id", party_id)]

    with pytest.raises(InvalidParameters):
        read_routing_headers(headers)


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in TO + FROM]), st.binary(max_size=4)), max_size=5))
def test_any_value_is_an_address_that_can_be_written_again_or_wrong(headers: RawHeaders) -> None:
    try:
        receiver, sender = read_routing_headers(headers)
    except HubError:
        return

    written = list(routing_headers(receiver or NL_ABC, sender or DE_MSP))
    assert all(value.isascii() and value.decode().isprintable() and b" " not in value for _, value in written)
    assert read_routing_headers(written) == (receiver or NL_ABC, sender or DE_MSP)


def test_addresses_are_written_in_upper_case() -> None:
    assert list(routing_headers(Party.read("nl", "abc"), Party.read("de", "msp"))) == TO + FROM


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"abc", "abc"),
        (b"123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
        (b"!~", "!~"),
        (b" abc \t", "abc"),
        (b"x" * 128, "x" * 128),
        (b"x" * 129, None),
        (b"x" * 500, None),
        (b"", None),
        (b"   ", None),
        (b"a b", None),
        (b"a\tb", None),
        (b"abc\n", None),
        (b"abc\r\nX-Evil: 1", None),
        (b"a\x00b", None),
        (b"a\x7fb", None),
        (b"\xc3\xa4", None),
    ],
)
def test_an_id_that_cannot_be_a_header_again_is_none(value: bytes, expected: str | None) -> None:
    assert read_id(value) == expected


def test_a_missing_id_is_none() -> None:
    assert read_id(None) is None


@given(st.binary(max_size=140))
def test_an_id_that_was_read_can_be_written(value: bytes) -> None:
    read = read_id(value)

    if read is not None:
        assert id_headers(MessageIds(read, read))[0] == (b"x-request-id", value.strip(b" \t"))


def test_ids_are_written_as_they_came() -> None:
    assert id_headers(MessageIds("One", "Two")) == [(b"x-request-id", b"One"), (b"x-correlation-id", b"Two")]


def test_of_a_repeated_header_the_first_counts() -> None:
    headers = [(b"link", b"a"), (b"link", b"b")]

    assert header(headers, b"link") == b"a"
    assert first_values(headers) == {b"link": b"a"}
    assert header(headers, b"location") is None
    assert Reply(200, headers, b"").header(b"link") == "a"
    assert Reply(200, headers, b"").header(b"location") is None


def test_the_bytes_of_a_partners_header_never_fail_to_be_read() -> None:
    assert Reply(200, [(b"link", b"\xff")], b"").header(b"link") == "\xff"


def test_a_message_is_said_in_the_way_of_its_senders_version() -> None:
    operation = operation_at(Version.V2_1_1, "locations", InterfaceRole.SENDER, "GET", ())
    message = Message(Version.V2_1_1, operation, (), "", DE_MSP, None, None)

    assert message.dialect is DIALECTS[Version.V2_1_1]
