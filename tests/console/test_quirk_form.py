from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.console.quirk_form import begins_late, decoded, encoded, fault_of, fields_of, read, rows_of, typed_in

KINDS: dict[str, tuple[str, Any]] = {
    "no_patch": ("switch", False),
    "empty_data": ("choice", None),
    "id_mode": ("choice", "first_come"),
    "max_page": ("integer", None),
    "timeout_s": ("number", 30.0),
    "hosts_allowed": ("list", []),
    "extra_enum_values": ("map", {}),
    "default_tax_name": ("text", "VAT"),
}
CATALOGUE: list[dict[str, Any]] = [
    {"id": name, "type": kind, "choices": ["a", "first_come"], "default": default, "text": "What it does."}
    for name, (kind, default) in KINDS.items()
]
DEFAULTS = {each["id"]: each["default"] for each in CATALOGUE}


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("no_patch", "on", True),
        ("id_mode", "a", "a"),
        ("max_page", "50", 50),
        ("max_page", "many", "many"),
        ("timeout_s", "2.5", 2.5),
        ("timeout_s", "12", 12),
        ("hosts_allowed", "cdn.example.com, 10.0.0.1", ["cdn.example.com", "10.0.0.1"]),
        (
            "extra_enum_values",
            "ConnectorType: MCS, X; Facility: SPA",
            {"ConnectorType": ["MCS", "X"], "Facility": ["SPA"]},
        ),
        ("default_tax_name", "BTW", "BTW"),
        ("default_tax_name", "", None),
    ],
)
def test_what_is_typed_means_a_value(name: str, typed: str, value: object) -> None:
    assert read({name: typed}, DEFAULTS, CATALOGUE) == {name: value}


def test_what_was_not_touched_is_not_changed_whatever_it_is_now() -> None:
    was = DEFAULTS | {
        "no_patch": True,
        "hosts_allowed": ["a.example"],
        "extra_enum_values": {"A": ["B", "C"]},
        "max_page": 7,
    }
    shown = {field.id: field.typed for field in fields_of(was, CATALOGUE)}

    assert read(shown, was, CATALOGUE) == {}
    assert read(shown | {"no_patch": ""}, was, CATALOGUE) == {"no_patch": None}
    assert read({"unknown": "1"}, was, CATALOGUE) == {}


def test_a_review_tells_what_somebody_else_changed_from_what_is_yours() -> None:
    [mine, both] = rows_of(
        {"no_patch": True, "max_page": None}, {"no_patch": False, "max_page": 3}, DEFAULTS | {"max_page": 9}, CATALOGUE
    )

    assert (mine.now, mine.yours, mine.is_changed_meanwhile) == (False, True, False)
    assert (both.began, both.now, both.yours, both.is_changed_meanwhile) == (3, 9, None, True)


def test_what_is_refused_and_what_is_odd_comes_first() -> None:
    faults = fault_of("settings.timeout_s: Expected `float` <= 300")
    fields = fields_of(DEFAULTS | {"no_patch": True}, CATALOGUE, {"timeout_s": "999"}, faults)

    assert [(each.id, each.typed, each.fault) for each in fields[:2]] == [
        ("timeout_s", "999", "Expected `float` <= 300"),
        ("no_patch", "on", None),
    ]
    assert fields[1].options == ("", "on")
    assert fault_of("The database does not answer") == {}


@pytest.mark.parametrize(("since", "late"), [("2026-11-22T11:00:00Z", False), ("2026-11-22T13:00:00Z", True)])
def test_counting_that_began_less_than_a_day_ago_is_said_to(since: str, late: bool) -> None:
    began = begins_late({"since": since}, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert began == (datetime.fromisoformat(since) if late else None)


def test_forms_carry_what_they_began_with_and_nonsense_is_nothing() -> None:
    assert decoded(encoded({"max_page": 3})) == {"max_page": 3}
    for text in ("", "[]", "{", None, "[" * 5000):
        assert decoded(text) == {}
    assert typed_in({"q_max_page": "3", "seen": "x"}) == {"max_page": "3"}
