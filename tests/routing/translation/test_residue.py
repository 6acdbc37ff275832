"""What 2.1.1 took away, put back for the owner."""

from __future__ import annotations

import pytest

from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Json, Loss, Side
from routing.translation.kinds import Kind
from routing.translation.questions import Residue, ResidueOf
from routing.translation.residue import residue_of, with_residue
from routing.vocabulary import Party, Version
from tests.routing.translation.crossings import CPO, EMSP, NOW, losses_of

V211, V221 = Version.V2_1_1, Version.V2_2_1
WANTING = Quirks(residue=True)
WHEN = "2024-05-01T12:00:00Z"
RESIDUE = Residue(WHEN, {"state": "Utrecht", "parking_type": "ON_DRIVEWAY"})
READ = {"id": "LOC1", "type": "OTHER", "last_updated": WHEN}
AFTER: Json = {"id": "LOC1", "publish": True, "last_updated": WHEN}


def read_back(
    residue: Residue | None = RESIDUE,
    *,
    quirks: Quirks = WANTING,
    owner: Party = CPO,
    object_ids: tuple[str, ...] = ("LOC1",),
) -> Crossing:
    """What the eMSP answers to the CPO about the CPO's own Location."""
    return Crossing(
        origin=Side(V211, EMSP),
        destination=Side(V221, CPO, quirks),
        owner=owner,
        now=NOW,
        object_ids=object_ids,
        answer=True,
        known={ResidueOf(CPO, Kind.LOCATION, ("LOC1",), EMSP): residue},
    )


def test_members_that_were_lost_as_a_whole_are_the_residue() -> None:
    before = {"id": "LOC1", "state": "Utrecht", "evses": [{"uid": "E1"}], "last_updated": WHEN}
    losses = [Loss("L-14", "/state"), Loss("L-20", "/evses/0/capabilities/1"), Loss("L-27", "/operator")]
    after = {"id": "LOC1", "last_updated": "2024-05-01T12:00:00"}
    assert residue_of(before, after, losses) == Residue("2024-05-01T12:00:00", {"state": "Utrecht"})


@pytest.mark.parametrize("last_updated", [None, "yesterday", 7])
def test_nothing_is_left_of_what_lost_nothing_or_has_no_age(last_updated: object) -> None:
    before = {"id": "LOC1", "state": "Utrecht"}
    assert residue_of(before, {"last_updated": WHEN}, []) is None
    assert residue_of(before, {"last_updated": last_updated}, [Loss("L-14", "/state")]) is None


@pytest.mark.parametrize("spelled", [WHEN, "2024-05-01T12:00:00", "2024-05-01T12:00:00.000Z"])
def test_an_object_that_was_not_updated_since_is_complete_again_and_loses_nothing(spelled: str) -> None:
    over = read_back()
    over.losses += [Loss("L-11", "/type"), Loss("L-04", "/state"), Loss("L-18", "/publish")]
    found = with_residue({**READ, "last_updated": spelled}, AFTER, Kind.LOCATION, over)
    assert found == AFTER | {"state": "Utrecht", "parking_type": "ON_DRIVEWAY"}
    assert losses_of(over) == [("L-18", "/publish")]


@pytest.mark.parametrize("last_updated", ["2024-05-01T12:00:01Z", "yesterday", None])
def test_an_object_that_may_have_been_updated_since_stays_as_it_is(last_updated: object) -> None:
    assert with_residue({**READ, "last_updated": last_updated}, AFTER, Kind.LOCATION, read_back()) is AFTER


def test_nobody_asks_where_nothing_can_be_left() -> None:
    for over in (
        read_back(quirks=Quirks()),
        read_back(object_ids=()),
        read_back(owner=EMSP),
    ):
        over.known = {}
        assert with_residue(READ, AFTER, Kind.LOCATION, over) is AFTER
        assert over.asked == []
    over = read_back()
    assert with_residue(READ, AFTER, Kind.SESSION, over) is AFTER
    assert over.asked == []


def test_what_is_not_known_stays_away() -> None:
    assert with_residue(READ, AFTER, Kind.LOCATION, read_back(None)) is AFTER
