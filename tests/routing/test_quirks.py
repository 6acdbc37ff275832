"""Every quirk does something: it is read in the code, and a test has a partner that is like that.

That each is described, and only those, is seen to with the rest of the documentation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from routing.quirks import Quirks

ROOT = Path(__file__).parents[2]
QUIRKS = Quirks.__struct_fields__
SHOWN_ONLY = {ROOT / "hub" / "operator" / "resources.py", ROOT / "routing" / "quirks.py"}
"""What an operator is shown of all quirks is no reading of one."""
NO_SCENARIO = {Path(__file__), ROOT / "tests" / "test_documentation.py"}


def python(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def reads(tree: ast.AST) -> Iterator[str]:
    """The attributes read of something that is called `quirks`, or ends so: `connection.quirks.trailing_slash`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if name.endswith("quirks"):
                yield node.attr


@cache
def read_somewhere() -> frozenset[str]:
    sources = (path.read_text(encoding="utf-8") for path in python("hub", "routing") if path not in SHOWN_ONLY)
    return frozenset(name for source in sources for name in reads(ast.parse(source)))


@cache
def words_of_tests() -> frozenset[str]:
    paths = [path for path in python("tests") if path not in NO_SCENARIO and "operator" not in path.parts]
    paths += (ROOT / "tests").rglob("examples/*.json")
    return frozenset(word for path in paths for word in re.findall(r"\w+", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_is_read_somewhere(name: str) -> None:
    assert name in read_somewhere()


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk_has_a_test(name: str) -> None:
    assert name in words_of_tests()


def test_something_that_only_looks_like_a_quirk_is_no_reading_of_one() -> None:
    source = "concurrency = limits.concurrency\nQuirks(residue=True)\nowner_quirks.residue\na.quirks.additive.upper()"

    assert set(reads(ast.parse(source))) == {"residue", "additive"}
