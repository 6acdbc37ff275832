"""What an id may be, by its form."""

from __future__ import annotations

import pytest

from hub.search import readings_of
from routing.vocabulary import Party

OWN = frozenset({"hub.example:8000"})
BASE = "http://hub.example:8000/ocpi/2.2.1/receiver"


@pytest.mark.parametrize("pasted", ["NL*ZDL", "NL-ZDL", "nlzdl", "NL ZDL", "nl_zdl", " 'NL*ZDL' ", "“nl*zdl”"])
def test_a_party_is_known_in_all_its_spellings(pasted: str) -> None:
    assert readings_of(pasted).party == Party("NL", "ZDL")


def test_blanks_and_quotes_around_an_id_are_no_part_of_it() -> None:
    assert readings_of('  "a-b/c?d"\n').text == "a-b/c?d"


@pytest.mark.parametrize("pasted", ["NL*ZDL*E2201*1", "NLZDLE2201*1", "nl*zdl*e2201"])
def test_an_evse_says_whose_it_is(pasted: str) -> None:
    assert readings_of(pasted).evse_owner == Party("NL", "ZDL")
    assert readings_of(pasted).party is None


def test_rules_and_statuses_are_known_by_their_form_and_may_be_ids_all_the_same() -> None:
    assert (readings_of("l-81").rule, readings_of("RF-05").rule, readings_of("L-811").rule) == ("L-81", "RF-05", None)
    assert (readings_of("4003").status, readings_of("9003").status) == (4003, None)
    assert readings_of("4003").is_id


@pytest.mark.parametrize(
    ("path", "kind", "object_id"),
    [
        ("/sessions/NL/ZDL/S%2F1", "session", "S/1"),
        ("/locations/NL/ZDL/LOC1/EVSE1", "location", "LOC1"),
        ("/cdrs/C-1?x=1", "cdr", "C-1"),
        ("/tokens/DE/MSP/04A1/authorize", "token", "04A1"),
    ],
)
def test_a_url_of_this_hub_is_about_an_object(path: str, kind: str, object_id: str) -> None:
    read = readings_of(BASE + path, OWN)

    assert (read.object_type, read.text, read.is_id) == (kind, object_id, True)


@pytest.mark.parametrize(
    "url", [f"{BASE}/sessions", "http://other.example/sessions/NL/ZDL/S1", "http://[", f"{BASE}/x/1"]
)
def test_another_url_is_no_id_of_anything(url: str) -> None:
    assert not readings_of(url, OWN).is_id


def test_what_is_empty_or_endless_is_no_id() -> None:
    assert not readings_of(" '' ").is_id
    assert not readings_of("x" * 256).is_id
