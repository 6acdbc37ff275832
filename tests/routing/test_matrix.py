"""The routing matrix: a row for every operation, and the same rows in docs/routing.md."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from routing import modules
from routing.matrix import MATRIX, Lead, Miss, Row, row_of
from routing.modules import Operation, custom_operation
from routing.roles import LISTED_TO, PUSHED_TO
from routing.vocabulary import InterfaceRole, ModuleID, Role, Version

OLDEST, NEWEST = Version.V2_1_1, Version.V2_3_0
PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")
PERSONAL = frozenset({ModuleID.SESSIONS, ModuleID.CDRS, ModuleID.INVOICE_RECONCILIATION})


def operations(version: Version) -> list[Operation]:
    return [
        operation
        for (of, _, _), endpoint in modules._ENDPOINTS.items()
        if of is version
        for rows in endpoint.by_length.values()
        for _, by_method in rows
        for operation in by_method.values()
    ]


def key(of: Operation | Row) -> tuple[str, InterfaceRole, str, tuple[str, ...]]:
    return of.module, of.interface, of.method, of.path


# ------------------------------------------------------------------------------------------------------------ the data


@pytest.mark.parametrize("version", Version)
def test_every_operation_has_exactly_one_row_and_every_row_an_operation(version: Version) -> None:
    there_are = [key(each) for each in operations(version)]

    assert len(there_are) == len(set(there_are))
    assert set(there_are) == set(MATRIX[version])
    assert all(key(row) == at for at, row in MATRIX[version].items())


@pytest.mark.parametrize("version", Version)
def test_a_row_knows_what_its_operation_is(version: Version) -> None:
    for operation in operations(version):
        row = row_of(version, operation)
        assert row is not None
        assert row.get_all == operation.paged
        assert row.hub_made == (operation.hub_made is not None)
        assert row.callers
        assert row.callees
        ways = [row.get_all, row.broadcast, row.read_back, row.hub_made, bool(row.leads or row.only)]
        assert ways.count(True) == 1, "there is one way to find who it is for"


def test_a_module_of_two_partners_has_no_row() -> None:
    assert row_of(NEWEST, custom_operation("nltnm-tokens", InterfaceRole.SENDER, "GET")) is None


def test_the_versions_since_2_2_route_alike_what_they_have() -> None:
    assert MATRIX[Version.V2_2] == MATRIX[Version.V2_2_1]
    assert MATRIX[Version.V2_2].items() <= MATRIX[NEWEST].items()


@pytest.mark.parametrize("version", Version)
def test_what_tells_of_a_person_is_neither_shared_nor_sent_to_whoever_is_there(version: Version) -> None:
    for row in MATRIX[version].values():
        if row.module in PERSONAL and not row.get_all and row.interface is InterfaceRole.RECEIVER:
            assert not row.broadcast
            assert not row.only
        if row.broadcast:
            assert row.module in PUSHED_TO
        if row.get_all:
            assert row.module in LISTED_TO


def test_callers_and_callees_are_those_of_the_role_tables() -> None:
    for row in MATRIX[NEWEST].values():
        if row.get_all:
            assert LISTED_TO[row.module].keys() == set(row.callees)
            assert frozenset[Role]().union(*LISTED_TO[row.module].values()) == set(row.callers)
        if row.broadcast:
            # An OTHER with charging stations is so rare that no chapter names it as a caller.
            assert PUSHED_TO[row.module].keys() >= set(row.callers)
            assert frozenset[Role]().union(*PUSHED_TO[row.module].values()) >= set(row.callees)


def test_a_2_1_1_peer_never_means_a_party_because_there_is_no_other() -> None:
    assert not any(row.only for row in MATRIX[OLDEST].values())


# ------------------------------------------------------------------------------------------------------------ the page


NOT_THERE = "\N{EN DASH}"
IN_2_1_1 = {Miss.NOBODY: "2002", Miss.TOKEN: "404 with 2000"}
"""What codes become that 2.1.1 does not have."""


def found_by(row: Row, codes: Mapping[Miss, str] | None = None) -> str:
    """What happens when a message names no receiver, as docs/routing.md says it."""
    if row.get_all:
        return "everybody's list"
    if row.broadcast:
        return "to everybody"
    if row.hub_made:
        return "the URL says it"
    if row.read_back:
        return "the hub answers"
    return (
        ", ".join([*row.leads, *(["only one"] if row.only else [])]) + f"; else {(codes or {}).get(row.miss, row.miss)}"
    )


def line(rows: list[Row], old: Row | None, since_2_2: bool) -> str:
    """One line of a module's table: rows that differ in nothing but their method."""
    row, methods = rows[0], ", ".join(row.method for row in rows)
    path = f"`{'/'.join(row.path)}`" if row.path else "the endpoint"
    cells = (
        row.interface,
        f"{methods} {path}",
        ", ".join(row.callers),
        ", ".join(row.callees),
        found_by(row) if since_2_2 else NOT_THERE,
        NOT_THERE if old is None else found_by(old, IN_2_1_1),
    )
    return f"| {' | '.join(cells)} |"


def lines(module: str) -> list[str]:
    """The table of a module, as it follows from the matrix."""
    newer, older = MATRIX[NEWEST], MATRIX[OLDEST]
    rows = [row for row in newer.values() if row.module == module]
    rows += [row for row in older.values() if row.module == module and key(row) not in newer]

    def told(row: Row) -> tuple[object, ...]:
        old = older.get(key(row))
        same = (msgspec.structs.replace(each, method="", callers=()) for each in (row, old or row))
        return (*same, row.callers, old is None, key(row) in newer)

    return [
        line(group, older.get(key(group[0])), key(group[0]) in newer)
        for group in (list(group) for _, group in groupby(rows, told))
    ]


def section(title: str) -> str:
    """What stands under a heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def table(text: str) -> list[str]:
    """The lines of its table, without the heading of it."""
    return re.findall(r"^\|.*\|$", text, re.MULTILINE)[2:]


@pytest.mark.parametrize("module", sorted({row.module for row in MATRIX[NEWEST].values()}))
def test_the_page_has_the_rows_of_a_module(module: str) -> None:
    assert table(section(f"Module `{module}`")) == lines(module)


def test_the_page_has_no_other_module() -> None:
    assert set(re.findall(r"^#+ Module `(\w+)`$", PAGE, re.MULTILINE)) == {
        row.module for rows in MATRIX.values() for row in rows.values()
    }


def role_lines(roles: Mapping[str, Mapping[Role, Collection[Role]]], first: Iterable[Role], nothing: str) -> list[str]:
    """A table of roles: a line for each, a column for each module."""
    rows = []
    for role in first:
        cells = [", ".join(sorted(of_module[role])) if role in of_module else nothing for of_module in roles.values()]
        rows.append(f"| {' | '.join([role, *cells])} |")
    return rows


def test_the_page_says_to_whom_each_role_pushes() -> None:
    text = section("Who gets what is pushed to everybody")
    first = [role for role in Role if role is not Role.HUB]

    assert re.findall(r"`(\w+)`", text.split("\n|---")[0]) == list(PUSHED_TO)
    assert table(text) == role_lines(PUSHED_TO, first, "refused")


def test_the_page_says_whose_lists_are_put_together() -> None:
    text = section("Whose lists are put together")
    first = sorted({role for of_module in LISTED_TO.values() for role in of_module})

    assert re.findall(r"`(\w+)`", text.split("\n|---")[0]) == list(LISTED_TO)
    assert table(text) == role_lines(LISTED_TO, first, NOT_THERE)


def first_column(text: str) -> list[str]:
    return [row.split(" | ")[0].removeprefix("| ") for row in table(text)]


def test_the_page_explains_every_lead_and_every_miss() -> None:
    assert first_column(section("What leads to a receiver")) == [*Lead, "only one"]
    assert first_column(section("When nobody is found")) == list(Miss)
