"""Ids of contracts."""

from __future__ import annotations

import pytest

from routing.contracts import contract_key, provider_of
from routing.vocabulary import Party

EIGHT = Party("DE", "8AC")


@pytest.mark.parametrize("contract_id", ["DE-8AC-C12E46-L", "de8acc12e46l", "DE*8AC C12E46L"])
def test_spellings_of_one_id_are_the_same(contract_id: str) -> None:
    assert contract_key(contract_id) == "DE8ACC12E46L"


@pytest.mark.parametrize(
    ("contract_id", "party"),
    [
        ("DE8ACC12E46L89", EIGHT),
        ("DE-8AC-C12E46-L", EIGHT),
        ("de-8ac-1", EIGHT),
        ("DE*8AC*1", EIGHT),
        ("DE 8AC 1", EIGHT),
        ("DE8ACC12E46L8", None),
        ("DE8AC-1", None),
        ("HOUSE-12", None),
        ("D18ACC12E46L89", None),
        ("12345678901234", None),
        ("", None),
    ],
)
def test_an_ema_id_names_its_provider_and_a_house_id_nobody(contract_id: str, party: Party | None) -> None:
    assert provider_of(contract_id) == party
