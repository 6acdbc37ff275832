from __future__ import annotations

import pytest

from routing.errors import InvalidParameters
from routing.paging import page_max, read_limit, with_limit
from routing.vocabulary import ModuleID


def test_every_module_has_its_longest_page() -> None:
    assert page_max(ModuleID.LOCATIONS, None) == 100
    assert page_max(ModuleID.TOKENS, None) == 500
    assert page_max(ModuleID.CDRS, None) == 50
    assert page_max(ModuleID.TOKENS, 20) == 20


@pytest.mark.parametrize(
    ("query", "limit"),
    [("", None), ("date_from=x", None), ("offset=3", None), ("limit=5", 5), ("a=b&limit=7&offset=0", 7)],
)
def test_the_limit_of_a_list_is_read(query: str, limit: int | None) -> None:
    assert read_limit(query) == limit


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "offset=-1", "offset=x"]
)
def test_what_is_no_limit_or_offset_is_refused(query: str) -> None:
    with pytest.raises(InvalidParameters):
        read_limit(query)


def test_a_limit_takes_the_place_of_another() -> None:
    assert with_limit("a=b&limit=1000&offset=2", 100) == "a=b&limit=100&offset=2"
