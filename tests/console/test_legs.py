from __future__ import annotations

from typing import Any

import pytest

from hub.console.legs import Finding, leg_of


def message(noted: dict[str, int], told: list[str]) -> dict[str, Any]:
    """A translated one, with these losses by the times they were noted, and the rules that are told of it."""
    rules = [{"action": "Dropped", "rule": each, "loss": each, "from_path": "/a", "in_answer": False} for each in told]
    losses = [{"loss": each, "path": None, "in_answer": False, "count": times} for each, times in noted.items()]
    ids = {"request_id": "r", "upstream_request_id": "u", "correlation_id": "c", "method": "PUT"}
    paths = {"path": "/ocpi/2.2.1/x", "upstream_path": "/2.1.1/x"}
    versions = {"source_version": "2.2.1", "target_version": "2.1.1"}
    return ids | paths | versions | {"losses": losses, "translation": {"rules": rules, "exact": True}}


@pytest.mark.parametrize(
    ("noted", "told", "words"),
    [
        ({}, [], None),
        ({"L-06": 2, "L-24": 1}, ["L-06", "L-24", "L-06"], None),
        ({"L-06": 1}, ["L-06", "L-06"], "Noted on the way was L-06 once, and told of 2 times. "),
        ({"L-06": 3, "L-24": 1}, ["L-06"], "L-06 3 times, and told of once; L-24 once, and told of nowhere. "),
    ],
)
def test_where_a_loss_is_told_more_or_less_often_than_it_was_noted_that_is_explained(
    noted: dict[str, int], told: list[str], words: str | None
) -> None:
    leg = leg_of(message(noted, told))

    assert (leg.uneven is None) is (words is None)
    assert (words or "") in (leg.uneven or "")
    assert leg.finding is Finding.TRANSLATED
