"""Identifiers that are too long for the other version."""

from __future__ import annotations

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation.identifiers import alias_of, check_id
from routing.translation.questions import OriginalId
from tests.routing.translation.crossings import CPO, EMSP, crossing, losses_of

LONG = "LOC-0123456789-0123456789-0123456789-X"


def test_an_id_of_the_longest_length_stays() -> None:
    body = {"id": LONG[:36]}
    check_id(body, "id", 36, crossing())
    assert body == {"id": LONG[:36]}


def test_an_id_that_is_too_long_is_refused_as_what_cannot_be_said() -> None:
    with pytest.raises(Untranslatable, match="RF-01: id has 38 characters") as refused:
        check_id({"id": LONG}, "id", 36, crossing())
    assert refused.value.ocpi_status == 4000


@pytest.mark.parametrize("side", ["origin", "destination"])
def test_it_gets_an_alias_where_either_partner_agreed_to_aliases(side: str) -> None:
    over = crossing(**{side: Quirks(id_alias=True)})  # type: ignore[arg-type]  # the two names of a side
    body = {"id": LONG}
    check_id(body, "id", 36, over)
    assert body == {"id": alias_of(LONG)}
    assert losses_of(over) == [("L-10", "/id")]


def test_an_alias_is_the_beginning_and_a_hash_and_as_long_as_an_id_may_be() -> None:
    assert alias_of(LONG) == "LOC-0123456789-0123456789-0~c54258d0"
    assert len(alias_of(LONG)) == 36
    assert alias_of(LONG) != alias_of(LONG + "Y")


@pytest.mark.parametrize("value", [None, 7, ["x" * 40]])
def test_what_is_no_text_is_left_for_the_receiver_to_judge(value: object) -> None:
    body = {"id": value}
    check_id(body, "id", 36, crossing())
    assert body == {"id": value}


def test_an_alias_that_is_given_out_is_told_for_the_way_back() -> None:
    over = crossing(origin=Quirks(id_alias=True))
    check_id({"id": LONG}, "id", 36, over)
    check_id({"id": LONG + "Y"}, "id", 36, over, EMSP)
    assert over.aliases == [(CPO, alias_of(LONG), LONG), (EMSP, alias_of(LONG + "Y"), LONG + "Y")]
    assert over.asked == [OriginalId(CPO, alias_of(LONG)), OriginalId(EMSP, alias_of(LONG + "Y"))]


def test_two_ids_never_share_an_alias() -> None:
    over = crossing(origin=Quirks(id_alias=True), known={OriginalId(CPO, alias_of(LONG)): "another"})
    with pytest.raises(Untranslatable, match="RF-01: the alias of this id stands for another one"):
        check_id({"id": LONG}, "id", 36, over)


@pytest.mark.parametrize("identifier", ["x" * 40, "x" * 37 + "\n"])
def test_what_is_no_id_in_any_version_gets_no_alias(identifier: str) -> None:
    with pytest.raises(Untranslatable, match="RF-01"):
        check_id({"id": identifier}, "id", 36, crossing(origin=Quirks(id_alias=True)))
