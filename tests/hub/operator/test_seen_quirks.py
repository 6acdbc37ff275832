from __future__ import annotations

from typing import Any

from msgspec.structs import fields

from hub.figures import Habit
from hub.operator.quirk_signs import SIGNS, UNSEEN
from hub.operator.seen_quirks import PlatformQuirkView
from loadtests.hub_process import HubProcess
from routing.quirks import Quirks
from routing.translation.losses import CATALOGUE
from tests.hub.counted import count
from tests.hub.operator.people import somebody

KEYS = Quirks.__struct_fields__


def quirks(hub: HubProcess, platform_id: str) -> dict[str, Any]:
    items = hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/quirks")["items"]
    return {item["id"]: item for item in items}


def test_of_every_setting_it_is_said_what_speaks_for_it_or_why_nothing_does() -> None:
    assert sorted([*SIGNS, *UNSEEN]) == sorted(KEYS)
    for sign in SIGNS.values():
        assert [sign.habit is None, sign.failure is None, not sign.rules].count(False) == 1, sign


def test_every_habit_speaks_for_one_setting() -> None:
    assert sorted(sign.habit for sign in SIGNS.values() if sign.habit is not None) == sorted(Habit)


def test_rules_that_name_a_setting_speak_for_it_and_all_are_counted() -> None:
    named = {(key, rule.id) for rule in CATALOGUE.values() for key in KEYS if f"`{key}`" in rule.meaning}
    told = {(key, rule) for key, sign in SIGNS.items() for rule in sign.rules}

    assert named - told == {("credit_as_negative", "L-55")}  # which is of every CDR that says it is no credit, too
    assert all(CATALOGUE[rule].counted for _, rule in told)


def test_losses_speak_for_a_setting_whatever_its_value_is(hub: HubProcess) -> None:
    platform_id = hub.operator.invite("Seen").platform_id
    count(hub, platform_id, "L-51", "RF-05", "L-24")
    count(hub, platform_id, "L-51", kind="CDR", times=4)
    hub.operator.change(platform_id, credit_as_negative=True)

    found = quirks(hub, platform_id)

    assert list(found) == list(KEYS)
    assert found["credit_as_negative"] == {
        "id": "credit_as_negative",
        "value": True,
        "is_default": False,
        "seen": {
            "what": "CDRs kept from it for a credit",
            "count": 3,
            "window": None,
            "last_at": "2026-11-22T09:30:00Z",
            "losses": ["RF-05"],
        },
        "unseen": None,
    }
    assert (found["keep_fields"]["seen"]["count"], found["keep_fields"]["seen"]["losses"]) == (7, ["L-51"])
    assert (found["timeout_s"]["value"], found["timeout_s"]["is_default"]) == (30, True)
    assert {name for name, item in found.items() if item["seen"]} == {"credit_as_negative", "keep_fields"}
    assert found["strict_ids"]["unseen"] == "It is not registered"
    assert {name: found[name]["unseen"] for name in UNSEEN} == UNSEEN


def test_an_auditor_may_read_it_and_a_platform_that_is_not_there_is_not_found(hub: HubProcess) -> None:
    platform_id = hub.operator.invite("Seen").platform_id
    with somebody(hub, "auditor") as anna:
        found = anna.get(f"/api/v1/platforms/{platform_id}/quirks").json()
        assert set(found) == {"items", "next_cursor", "covers"}
        assert set(found["items"][0]) == {field.name for field in fields(PlatformQuirkView)}
        assert anna.get("/api/v1/platforms/unknown/quirks").status_code == 404
