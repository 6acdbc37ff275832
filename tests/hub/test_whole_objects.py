from __future__ import annotations

from typing import Any

import pytest

from hub.whole_objects import patched

NOON, LATER = "2026-06-01T12:00:00Z", "2026-06-01T12:00:00.5Z"


@pytest.mark.parametrize(
    ("whole", "patch", "after"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4}}, {"a": 1, "b": {"c": 4}}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": 1, "last_updated": NOON}, {"a": 2, "last_updated": LATER}, {"a": 2, "last_updated": LATER}),
        ({"a": 1, "last_updated": NOON}, {"a": 2, "last_updated": NOON}, {"a": 2, "last_updated": NOON}),
        ({"a": 1, "last_updated": LATER}, {"a": 2, "last_updated": NOON}, {"a": 1, "last_updated": LATER}),
        ({"a": 1, "last_updated": "now"}, {"last_updated": NOON}, {"a": 1, "last_updated": NOON}),
        ({"charging_periods": [1, 2]}, {"charging_periods": [2, 3]}, {"charging_periods": [1, 2, 3]}),
        ({"charging_periods": [1]}, {"charging_periods": []}, {"charging_periods": [1]}),
        ({}, {"charging_periods": [1]}, {"charging_periods": [1]}),
    ],
)
def test_the_members_of_a_patch_stand_in_place_of_those_of_the_object(whole: Any, patch: Any, after: Any) -> None:  # noqa: ANN401 - any JSON
    assert patched(whole, patch) == after
