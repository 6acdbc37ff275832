from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.translation.losses import CATALOGUE, WITHDRAWN, Effect, Rule, Way
from routing.translation.losses_2_1_1 import WAYS_2_1_1
from routing.translation.losses_2_2_and_2_3_0 import WAYS_2_2_AND_2_3_0
from routing.translation.steps import STEPS
from routing.vocabulary import Version

PROJECT = Path(__file__).parents[3]
ID = re.compile(r"\b(?:L|M|RF)-\d{2}\b")
TRANSLATION = {path for path in (PROJECT / "routing/translation").glob("*.py") if not path.name.startswith("losses")}
ELSEWHERE = {path for folder in ("routing", "hub") for path in (PROJECT / folder).rglob("*.py")}
NEIGHBOURS = {frozenset(pair) for pair in STEPS}


def ids_in(path: Path) -> set[str]:
    """The ids in the strings of a file; not those in comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    )
    return {found for string in strings for found in ID.findall(string)}


def used() -> set[str]:
    files = TRANSLATION | {path for path in ELSEWHERE if not path.name.startswith("losses")}
    return {found for path in files for found in ids_in(path)}


def all_texts() -> Iterator[str]:
    return iter([*WAYS_2_1_1.values(), *WAYS_2_2_AND_2_3_0.values()])


def test_every_id_that_is_used_is_in_the_catalogue() -> None:
    assert used() - CATALOGUE.keys() == set()


def test_every_rule_that_is_counted_is_used() -> None:
    counted = {rule.id for rule in CATALOGUE.values() if rule.counted}

    assert counted - used() == set()


def test_no_id_stands_for_two_rules_and_none_is_used_again() -> None:
    heads = [block.split()[0] for text in all_texts() for block in text.strip().split("\n\n")]

    assert len(set(heads)) == len(heads) == len(CATALOGUE)
    assert not WITHDRAWN & CATALOGUE.keys()


def test_a_way_leads_to_a_neighbouring_version() -> None:
    for rule in CATALOGUE.values():
        assert rule.ways, rule.id
        assert {frozenset(way) for way in rule.ways} <= NEIGHBOURS, rule.id
        assert len(set(rule.ways)) == len(rule.ways), rule.id


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.id)
def test_a_rule_says_what_happens_and_what_that_means(rule: Rule) -> None:
    for sentence in (rule.happens, rule.means):
        assert sentence[0].isupper() or sentence[0] in "`124", sentence
        assert sentence.endswith("."), sentence
        assert sentence.count("`") % 2 == 0, sentence
    assert rule.meaning == f"{rule.happens} {rule.means}"


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.id)
def test_a_refusal_says_what_its_sender_gets(rule: Rule) -> None:
    says = re.search(r"\b(sender|CPO|[Ww]ho reads (it|the list))\b.* gets? ", f"{rule.means} ") is not None

    assert says or Effect.REFUSED not in rule.effects
    assert rule.id[:2] != "RF" or rule.effects == (Effect.REFUSED,)


def test_a_rule_is_read_from_its_three_lines() -> None:
    rule = CATALOGUE["L-42"]

    assert rule.ways == (Way(Version.V2_1_1, Version.V2_2_1), Way(Version.V2_2_1, Version.V2_1_1))
    assert rule.effects == (Effect.LOST, Effect.ASSUMED)
    assert rule.objects == ("Session", "CDR")
    assert rule.counted
    assert not CATALOGUE["L-09"].counted
