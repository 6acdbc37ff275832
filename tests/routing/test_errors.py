"""The family of failures, against the tree that is drawn of it and against the specification's status codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from routing import errors
from routing.dialects import DIALECTS
from routing.errors import HubError, Overloaded, RoutingError, TooManyRequests, Unauthorized, WrongMethod
from routing.vocabulary import Version
from tests.ocpi import load

_LINE = re.compile(r"^    ([│ ├└─]*)(\w+)(?:\s+(\d{3}) / (\d{4}))?", re.MULTILINE)


def drawn() -> Iterator[tuple[str, str | None, int | None, int | None]]:
    """(name, name above, HTTP status, OCPI status) of every line of the tree."""
    above: list[str] = []
    assert errors.__doc__ is not None
    for indent, name, http_status, ocpi_status in _LINE.findall(errors.__doc__):
        level = len(indent) // 4
        above[level:] = [name]
        parent = above[level - 1] if level else None
        yield name, parent, int(http_status) if http_status else None, int(ocpi_status) if ocpi_status else None


def family(error: type[HubError] = HubError, above: str | None = None) -> Iterator[tuple[type[HubError], str | None]]:
    """Every class and the one above it; those that only share code are left out."""
    shared = error.__name__.startswith("_")
    if not shared:
        yield error, above
    for child in error.__subclasses__():
        yield from family(child, above if shared else error.__name__)


EVERY = [error for error, _ in family() if error.__module__ == errors.__name__]


def test_the_tree_shows_the_whole_family_and_nobody_else() -> None:
    assert {(name, above) for name, above, _, _ in drawn()} == {
        (error.__name__, above) for error, above in family() if error.__module__ == errors.__name__
    }


def test_the_tree_shows_every_status() -> None:
    for name, _, http_status, ocpi_status in drawn():
        error = getattr(errors, name)
        if http_status is not None:
            assert (error.http_status, error.ocpi_status) == (http_status, ocpi_status), name
        else:
            assert error.__subclasses__(), f"{name} is raised, but has no status in the tree"


def codes_of(version: Version) -> set[int]:
    return {entry["code"] for entry in load(version).status_codes if "code" in entry}


@pytest.mark.parametrize("error", EVERY, ids=lambda error: str(error.__name__))
def test_every_code_is_one_of_the_specification(error: type[HubError]) -> None:
    assert error.ocpi_status in codes_of(Version.V2_2_1)
    assert error.ocpi_status in codes_of(Version.V2_3_0)
    # 4000 came with 2.2.1. A 2.2 partner knows from the 4 that it is a hub error.
    assert error.ocpi_status in codes_of(Version.V2_2) | {4000}
    if not issubclass(error, RoutingError):
        # For an unknown Token 2.1.1 has the HTTP status 404 and no code.
        assert error.ocpi_status in codes_of(Version.V2_1_1) | {2004}


def test_every_code_of_the_specification_has_an_error_or_is_for_partners_only() -> None:
    unused = codes_of(Version.V2_3_0) - {error.ocpi_status for error in EVERY}

    # Success is no error. That information is missing for an object, only its owner can say.
    assert unused == {1000, 2002}


@pytest.mark.parametrize("version", Version)
def test_a_version_has_hub_errors_where_its_dialect_says_so(version: Version) -> None:
    assert any(code >= 4000 for code in codes_of(version)) == DIALECTS[version].hub_status_codes
    assert (2004 in codes_of(version)) == DIALECTS[version].hub_status_codes


def test_a_hub_error_is_always_inside_http_200() -> None:
    assert {error.http_status for error in EVERY if error.ocpi_status >= 4000} == {200}


def test_the_headers_of_an_answer_belong_to_one_failure_only() -> None:
    error = Unauthorized()
    error.answer_headers()["X-Other"] = "1"

    assert Unauthorized().answer_headers() == {"WWW-Authenticate": "Token"}
    assert WrongMethod("why", ("GET", "POST")).answer_headers() == {"Allow": "GET, POST"}
    assert TooManyRequests("why", 3).answer_headers() == {"Retry-After": "3"}
    assert Overloaded("why", 1).answer_headers() == {"Retry-After": "1"}


def test_a_refused_token_is_refused_in_one_text() -> None:
    assert str(Unauthorized()) == str(Unauthorized())
    assert "Token" not in str(Unauthorized())
