import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.partners.answers import AnswerReader
from routing.errors import NotRoutable

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Limit: 5\r\n\r\n{"a":1}'
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Limit: 5\r\n\r\n"
    b'3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\nX-T: 1\r\n\r\n'
)
MOST = 100


def read(pieces: list[bytes]) -> AnswerReader:
    reader = AnswerReader()
    reader.begin(MOST)
    for piece in pieces:
        reader.feed(piece)
    return reader


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % len(raw) for place in places} | {0, len(raw)})
    return [raw[start:end] for start, end in itertools.pairwise(ends)]


@pytest.mark.parametrize("raw", [PLAIN, CHUNKED])
@given(places=st.lists(st.integers(0, 1000), max_size=8))
def test_it_does_not_matter_in_which_pieces_an_answer_comes(raw: bytes, places: list[int]) -> None:
    reader = read(cut(raw, places))
    reply = reader.reply()
    assert (reader.complete, reader.keep_alive, reader.surplus) == (True, True, False)
    assert (reply.http_status, reply.header(b"x-limit"), reply.body) == (200, "5", b'{"a":1}')


@pytest.mark.parametrize("raw", [PLAIN, CHUNKED])
@given(place=st.integers(0, 1000), junk=st.binary(max_size=12), cut_out=st.integers(0, 12), split=st.integers(0, 1000))
def test_a_damaged_answer_is_read_or_refused_and_never_exceeds_its_limit(
    raw: bytes, place: int, junk: bytes, cut_out: int, split: int
) -> None:
    place %= len(raw)
    damaged = raw[:place] + junk + raw[place + cut_out :]
    try:
        reader = read(cut(damaged, [split]))
    except NotRoutable:
        return
    assert len(reader.reply().body) <= MOST


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_random_bytes_are_never_an_answer(pieces: list[bytes]) -> None:
    try:
        reader = read(pieces)
    except NotRoutable:
        return
    assert not reader.complete


@pytest.mark.parametrize("raw", [PLAIN, CHUNKED])
def test_nothing_of_a_second_answer_gets_into_the_first(raw: bytes) -> None:
    reader = read([raw + b"HTTP/1.1 500 X\r\nX-Limit: 9\r\nContent-Length: 3\r\n\r\n<p>"])
    reply = reader.reply()
    assert reader.surplus
    assert (reply.http_status, reply.header(b"x-limit"), reply.body) == (200, "5", b'{"a":1}')
