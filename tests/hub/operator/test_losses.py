from __future__ import annotations

from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from routing.translation.losses import CATALOGUE
from tests.hub.counted import count


@pytest.fixture
def platform_id(hub: HubProcess) -> str:
    return hub.operator.invite("Lossy").platform_id


def page(hub: HubProcess, platform_id: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401 - query parameters
    return hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/losses", params=query)


def test_what_a_platform_loses_is_told_with_its_meaning(hub: HubProcess, platform_id: str) -> None:
    count(hub, platform_id, "L-24")

    assert page(hub, platform_id) == {
        "items": [
            {
                "id": "to/locations/Connector/L-24/2.2.1",
                "direction": "to",
                "module": "locations",
                "object": "Connector",
                "loss": "L-24",
                "other_version": "2.2.1",
                "count": 3,
                "first_at": "2026-11-22T08:00:00Z",
                "last_at": "2026-11-22T09:30:00Z",
                "last_correlation_id": "c-1",
                "meaning": CATALOGUE["L-24"].meaning,
            }
        ],
        "next_cursor": None,
    }


def test_a_platform_that_lost_nothing_has_an_empty_list(hub: HubProcess, platform_id: str) -> None:
    assert page(hub, platform_id) == {"items": [], "next_cursor": None}


def test_losses_are_listed_page_by_page(hub: HubProcess, platform_id: str) -> None:
    losses = {"L-06", "L-12", "L-23", "L-24", "M-33"}
    count(hub, platform_id, *losses)

    first = page(hub, platform_id, limit=3)
    second = page(hub, platform_id, limit=3, cursor=first["next_cursor"])
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [3, 2, None]
    assert {item["loss"] for item in first["items"] + second["items"]} == losses


def test_what_is_no_object_and_what_is_unknown_is_listed_too(hub: HubProcess, platform_id: str) -> None:
    count(hub, platform_id, "L-77", kind="")
    count(hub, platform_id, "Z-99")

    by_loss = {item["loss"]: item for item in page(hub, platform_id)["items"]}
    assert by_loss["L-77"]["object"] is None
    assert by_loss["Z-99"]["meaning"] is None


def test_a_platform_that_is_not_there_is_not_found(hub: HubProcess) -> None:
    answer = hub.operator.api.get("/api/v1/platforms/unknown/losses")

    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_cursor_is_refused(hub: HubProcess, platform_id: str) -> None:
    answer = hub.operator.api.get(f"/api/v1/platforms/{platform_id}/losses", params={"cursor": "x"})

    assert answer.status_code == 422
