from __future__ import annotations

import pytest

from hub.operator.platforms import changed_quirks
from hub.operator.resources import PartnerFace, hub_face, partner_face
from routing.quirks import Quirks
from routing.vocabulary import Face


@pytest.mark.parametrize(("partner", "hub"), [(PartnerFace.CPO, Face.EMSP), (PartnerFace.EMSP, Face.CPO), (None, None)])
def test_the_hub_poses_as_the_opposite_of_its_partner(partner: PartnerFace | None, hub: Face | None) -> None:
    assert hub_face(partner) is hub
    assert partner_face(hub) is partner


def test_a_change_of_settings_leaves_the_others_alone() -> None:
    quirks = Quirks(timeout_s=5, strict_ids=True)

    assert changed_quirks(quirks, {"timeout_s": None, "concurrency": 2}) == Quirks(strict_ids=True, concurrency=2)
    assert changed_quirks(quirks, {}) == quirks
