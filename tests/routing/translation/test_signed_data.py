"""Signed data of a CDR that a receiver can hold, and that it cannot. OCPI 2.2 and 2.2.1, "CDRs"."""

from __future__ import annotations

import pytest

from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Json
from routing.translation.signed_data import limit, limit_for_2_2
from routing.vocabulary import Version
from tests.routing.translation.crossings import crossing, losses_of

V22, V221, V230 = Version.V2_2, Version.V2_2_1, Version.V2_3_0
LONG = "x" * 513


def cdr(plain_data: object = "a", signed_data: object = "b", **members: object) -> Json:
    value = {"nature": "End", "plain_data": plain_data, "signed_data": signed_data}
    return {"id": "C1", "signed_data": {"encoding_method": "OCMF", "signed_values": [value], **members}}


def to_2_2(**quirks: object) -> Crossing:
    return crossing(V221, V22, destination=Quirks(**quirks))  # type: ignore[arg-type]  # the settings of each test


@pytest.mark.parametrize(
    "body",
    [
        cdr(LONG),
        cdr("a", LONG),
        cdr("naïve"),
        cdr("a", "tab\t"),
        cdr(url="https://e.example/é"),
        cdr(public_key="ключ"),
    ],
)
def test_signed_data_that_2_2_cannot_hold_is_left_out_whole(body: Json) -> None:
    over = to_2_2()

    limit_for_2_2(body, over)

    assert body == {"id": "C1"}
    assert losses_of(over) == [("M-86", "/signed_data")]


@pytest.mark.parametrize("body", [cdr("x" * 512, "y" * 512), cdr(public_key=LONG), cdr(7, None), {"id": "C1"}])
def test_signed_data_that_2_2_can_hold_stays(body: Json) -> None:
    over, before = to_2_2(), dict(body)

    limit_for_2_2(body, over)

    assert body == before
    assert over.losses == []


def test_signed_data_of_no_known_form_is_left_to_the_receiver() -> None:
    body: Json = {"signed_data": {"encoding_method": "OCMF", "signed_values": LONG}}

    limit_for_2_2(body, to_2_2())

    assert "signed_data" in body


def test_a_party_of_2_2_may_hold_the_lengths_of_later_versions_but_no_other_letters() -> None:
    long, strange = cdr(LONG, LONG), cdr("naïve")

    limit_for_2_2(long, to_2_2(lengths="errata"))
    limit_for_2_2(strange, to_2_2(lengths="errata"))

    assert "signed_data" in long
    assert "signed_data" not in strange


def test_a_partner_may_want_signed_data_all_the_same() -> None:
    body, over = cdr(LONG), to_2_2(signed_oversize="pass")

    limit_for_2_2(body, over)

    assert "signed_data" in body
    assert over.losses == []


@pytest.mark.parametrize("target", [V221, V230])
def test_plain_data_fits_later_versions_unless_a_party_has_their_first_lengths(target: Version) -> None:
    long, signature = cdr(LONG), cdr("a", LONG)
    first = crossing(V230, target, destination=Quirks(lengths="original"))

    limit(long, crossing(V230, target))
    assert "signed_data" in long

    limit(long, first)
    limit(signature, first)
    assert "signed_data" not in long
    assert "signed_data" in signature
