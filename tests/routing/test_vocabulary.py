"""The words of the specification as values."""

from __future__ import annotations

import sys

import msgspec
import pytest

from routing.vocabulary import Party, Secret


def test_a_party_is_the_same_in_every_case_and_written_in_upper_case() -> None:
    assert Party.read("nl", "aBc") == Party("NL", "ABC")
    assert str(Party.read("nl", "aBc")) == "NL*ABC"


def test_what_nobody_is_called_is_not_kept() -> None:
    """A partner can put any text into its objects, and another one into each of them."""
    short, long = (b"ab".decode(), (b"ab" * 1000).decode())
    counts = sys.getrefcount(short), sys.getrefcount(long)

    assert Party.read(short, "c") == Party("AB", "C")
    assert Party.read(long, "c") == Party("AB" * 1000, "C")

    assert sys.getrefcount(short) > counts[0]
    assert sys.getrefcount(long) == counts[1]


def test_a_secret_does_not_show() -> None:
    secret = Secret("hidden")

    assert str(secret) == repr(secret) == f"{secret}" == f"{secret!r}" == "***"
    assert str([secret]) == "[***]"
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_a_secret_can_be_compared_and_asked() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a").reveal() == "a"
