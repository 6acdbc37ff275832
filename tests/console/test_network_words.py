from __future__ import annotations

from typing import Any

import pytest

from hub.console.network_words import Row, compact, headline, messages_url, rounded_share, rows_of, shade


def cell(sender: str, receiver: str, n: int, errors: int = 0) -> dict[str, Any]:
    return {"sender": sender, "receiver": receiver, "n": n, "errors": errors, "mostly": "timeout" if errors else None}


def matrix(*cells: dict[str, Any]) -> dict[str, Any]:
    names = sorted({each[end] for each in cells for end in ("sender", "receiver")})
    about: dict[str, Any] = {name: {"platform": name, "name": f"Company of {name}", "roles": []} for name in names}
    return {"window": "24h", "parties": names, "cells": cells, "worst": cells, "about": about}


def table(*cells: dict[str, Any]) -> list[Row]:
    return rows_of(matrix(*cells), "party", "")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1"),
        (999, "999"),
        (1000, "1.0k"),
        (12_040, "12.0k"),
        (99_949, "99.9k"),
        (118_200, "118k"),
        (1_240_000, "1.2M"),
    ],
)
def test_numbers_in_cells_are_short(number: int, text: str) -> None:
    assert compact(number) == text


@pytest.mark.parametrize(("number", "is_shade"), [(4096, 5), (1025, 5), (1024, 4), (64, 2), (16, 1), (1, 1), (0, 1)])
def test_each_shade_is_for_a_quarter_of_the_next(number: int, is_shade: int) -> None:
    assert shade(number, 4096) == is_shade


def test_few_messages_have_shades_of_their_own() -> None:
    assert [shade(number, 7) for number in (7, 6, 3, 1)] == [5, 5, 3, 1]


@pytest.mark.parametrize(("share", "text"), [(0.031, "3 %"), (0.999, "99 %"), (1.0, "100 %"), (0.004, "1 %")])
def test_a_share_is_all_only_where_it_is(share: float, text: str) -> None:
    assert rounded_share(share) == text


def test_errors_are_told_from_one_in_a_hundred_and_bad_from_one_in_twenty() -> None:
    cells = [cell("NL*A", "NL*B", 1000, 9), cell("NL*B", "NL*A", 100, 1), cell("NL*C", "NL*A", 20, 1)]

    shown = {row.name: [(each.errors, each.is_bad) for each in row.cells if each.n] for row in table(*cells)}

    assert shown == {"NL*A": [(None, False)], "NL*B": [("1 %", False)], "NL*C": [("5 %", True)]}


def test_a_cell_leads_to_its_own_messages_and_no_others() -> None:
    assert messages_url(cell("NL*A&C", "BE*X", 1), "7d", "party", "cdrs") == (
        "/messages?party=NL*A%26C&peer=BE*X&one_way=true&range=7d&module=cdrs"
    )
    assert messages_url(cell("NL", "BE", 1), "7d", "country") is None


def test_the_page_is_called_after_the_pair_that_fails_most() -> None:
    well, bad = matrix(cell("NL*A", "NL*B", 100, 4)), matrix(cell("NL*A", "NL*B", 100, 31))

    assert headline(well, "party") == "Who talks to whom"
    assert headline(bad, "party") == "NL*A → NL*B fails most: 31 of 100 messages"
    assert headline(bad, "platform") == "Company of NL*A → Company of NL*B fails most: 31 of 100 messages"
    assert headline(matrix(), "party") == "Nobody has talked to anybody"


def test_a_receiver_that_nobody_is_makes_no_headline() -> None:
    mistyped = matrix(cell("NL*A", "XX*XXX", 1, 1))
    mistyped["about"]["XX*XXX"]["platform"] = None

    assert headline(mistyped, "party") == "Who talks to whom"


def test_the_headline_says_why_it_is_not_about_the_first_line_of_the_table() -> None:
    mistyped = matrix(cell("NL*A", "XX*XXX", 2, 2), cell("NL*A", "NL*B", 3, 1))
    mistyped["about"]["XX*XXX"]["platform"] = None
    rarely = matrix(cell("NL*A", "NL*B", 1000, 9), cell("NL*B", "NL*A", 10, 8))

    assert headline(mistyped, "party") == "Among parties that are here, NL*A → NL*B fails most: 1 of 3 messages"
    assert headline(rarely, "party") == "NL*B → NL*A fails often: 8 of 10 messages"
