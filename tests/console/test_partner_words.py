from __future__ import annotations

from typing import Any

import pytest

from hub.console.invitation_form import NewPartner, faults_of, read
from hub.console.partner_words import (
    banners_of,
    is_telling,
    no_changes,
    odd_settings,
    parties_of,
    setting_text,
    with_code,
)

WELL: dict[str, Any] = {
    "database": {"ok": True, "said": ""},
    "redis": {"ok": True, "said": ""},
    "workers": [{"id": "w1", "journal_waiting": 3, "draining": False}],
    "journal_room": 20_000,
    "draining": False,
}


def test_a_hub_that_is_well_has_no_banner() -> None:
    assert banners_of(WELL) == []
    assert no_changes(WELL) is None


def test_what_is_away_is_said_with_what_it_means() -> None:
    away = {"ok": False, "said": "PostgreSQL does not answer"}
    [banner] = banners_of(WELL | {"database": away})

    assert (banner.level, "3 entries" in banner.text, "20,000" in banner.text) == ("bad", True, True)
    assert no_changes(WELL | {"database": away}) == "Not while the database is away"
    assert [each.level for each in banners_of(WELL | {"redis": away, "draining": True})] == ["warn", ""]


def test_the_roles_of_a_party_stand_together() -> None:
    views = [{"id": "NL*ABC", "role": "CPO"}, {"id": "NL*ABC", "role": "EMSP"}, {"id": "NL*DEF", "role": "CPO"}]

    assert parties_of(views, 1) == ((("NL*ABC", ("CPO", "EMSP")),), 1)


def test_settings_that_differ_are_found_and_read_as_people_read() -> None:
    catalogue: list[dict[str, Any]] = [
        {"id": "a", "default": None, "text": ""},
        {"id": "b", "default": 30.0, "text": ""},
    ]

    assert [each["id"] for each in odd_settings({"a": None, "b": 12.0}, catalogue)] == ["b"]
    assert [setting_text(each) for each in (None, True, [], ["a", "b"], {"C": ["x"]}, 12.0, 0.5)] == [
        "none",
        "on",
        "none",
        "a, b",
        "C: x",
        "12",
        "0.5",
    ]


def test_a_circuit_says_something_of_those_alone_that_the_hub_calls() -> None:
    assert is_telling("closed", "CONNECTED")
    assert is_telling("open", "OFFLINE")
    assert not any(is_telling("closed", each) for each in ("PLANNED", "OFFLINE", "SUSPENDED"))


def test_code_in_a_sentence_is_code_and_the_rest_is_text() -> None:
    assert with_code("Run `a <b>` & wait") == "Run <code>a &lt;b&gt;</code> &amp; wait"


@pytest.mark.parametrize("line", ["NL*ABC CPO, emsp", "nl-abc cpo EMSP", "NLABC:CPO,EMSP", "NL ABC: CPO EMSP"])
def test_parties_are_read_in_every_usual_spelling(line: str) -> None:
    body, faults = read(NewPartner(name="N", parties=f"\n{line}\n"))

    assert faults == {}
    assert [(each["country_code"], each["party_id"], each["role"]) for each in body["parties"]] == [
        ("NL", "ABC", "CPO"),
        ("NL", "ABC", "EMSP"),
    ]


def test_a_moment_of_a_browser_gets_its_offset() -> None:
    assert read(NewPartner(name="N", expires_at="2026-12-31T00:00"))[0]["expires_at"] == "2026-12-31T00:00:00Z"


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ("NL*ABC is another platform's", "parties"),
        ("face is required with version 2.1.1", "version"),
        ("expires_at is in the past", "expires_at"),
        ("Something else", ""),
    ],
)
def test_what_the_api_refuses_stands_beside_its_field(detail: str, field: str) -> None:
    assert faults_of(detail, {}, NewPartner(name="N", parties="NL*ABC CPO")) == {field: detail}
