from __future__ import annotations

from typing import Any

import pytest

from hub.console.agreement_words import MOST_PARTIES, headline, matrix_of, messages_between, tried
from hub.console.words import UNKNOWN

CPO, EMSP, BOTH = "NL*CPO", "DE*MSP", "FR*TWO"
PARTIES = [
    {"id": CPO, "role": "CPO"},
    {"id": BOTH, "role": "CPO"},
    {"id": EMSP, "role": "EMSP"},
    {"id": BOTH, "role": "EMSP"},
    {"id": "BE*NSP", "role": "NSP"},
]
TRAFFIC = [
    {"sender": CPO, "receiver": EMSP, "n": 5, "errors": 0, "mostly": None},
    {"sender": EMSP, "receiver": CPO, "n": 2, "errors": 2, "mostly": "no_agreement"},
]


def agreement(a: str, b: str, modules: list[str] | None = None, direction: str = "both") -> dict[str, Any]:
    return {"id": "x", "a": a, "b": b, "modules": modules, "direction": direction}


@pytest.mark.parametrize(
    ("number", "is_required", "is_more", "said"),
    [
        (0, True, False, "Nobody may talk to anybody yet"),
        (1, True, False, "1 pair may talk to each other"),
        (600, True, True, "more than 600 pairs may talk to each other"),
        (0, False, False, "Everybody may talk to everybody"),
        (2, False, False, "Everybody may talk to everybody, but for what 2 pairs agreed"),
    ],
)
def test_the_heading_is_the_finding(number: int, is_required: bool, is_more: bool, said: str) -> None:
    assert headline(number, is_required=is_required, is_more=is_more) == said


def test_the_matrix_has_what_pairs_agreed_and_where_messages_went() -> None:
    held = [agreement(EMSP, CPO, ["cdrs", "tokens"], "a_to_b")]

    matrix = matrix_of(PARTIES, held, TRAFFIC, modules=9, is_required=True, may_agree=True)

    assert matrix is not None
    assert matrix.columns == (EMSP, BOTH)
    [(two, [_, itself]), (cpo, [agreed, none])] = matrix.rows
    assert (two, cpo) == (BOTH, CPO)
    assert (agreed.text, agreed.hint, agreed.url, agreed.is_busy) == (
        "2 of 9 ←",
        "eMSP sends",
        "/agreements/x",
        True,
    )
    assert (none.text, none.url, none.is_busy) == (UNKNOWN, f"/agreements/new?a={CPO}&b={BOTH}", False)
    assert itself.url is None


def test_a_side_that_is_empty_or_too_long_makes_no_matrix() -> None:
    many = [{"id": f"NL*{number:03}", "role": "CPO"} for number in range(MOST_PARTIES + 1)]
    for parties in ([], PARTIES[:2], [*many, *PARTIES]):
        assert matrix_of(parties, [], [], modules=9, is_required=False, may_agree=True) is None


def test_who_tried_in_vain_and_how_much_a_pair_talks() -> None:
    [one] = tried(TRAFFIC)

    assert (one.sender, one.times, one.url) == (EMSP, 2, f"/agreements/new?a={EMSP}&b={CPO}")
    seen = {"cells": TRAFFIC, "parties": [CPO, EMSP], "rest": {"n": 0}}
    assert messages_between(CPO, EMSP, seen) == 7
    assert messages_between(CPO, BOTH, seen) == 0
    assert messages_between(CPO, BOTH, seen | {"rest": {"n": 3}}) is None
