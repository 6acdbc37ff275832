"""The words of the specification as values."""

from __future__ import annotations

import msgspec
import pytest

from routing.vocabulary import Party, Secret


def test_a_party_is_the_same_in_every_case_and_written_in_upper_case() -> None:
    assert Party.read("nl", "aBc") == Party("NL", "ABC")
    assert str(Party.read("nl", "aBc")) == "NL*ABC"


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
