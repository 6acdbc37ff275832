"""Every example of what a translation does, from the files in `examples/`."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any, Final

import pytest

from routing.errors import Untranslatable
from routing.quirks import Quirks
from routing.translation.losses import CATALOGUE
from tests.routing.translation.cases import Case, Refusal, read_cases

CASES = read_cases()


@pytest.mark.parametrize("case", [case for case in CASES if case.refusal is None], ids=lambda case: case.name)
def test_what_can_be_said(case: Case) -> None:
    before, crossing = deepcopy(case.before), case.crossing()

    after, withheld = case.translated(crossing)

    assert shown(after) == shown(case.after)
    assert {loss.id for loss in crossing.losses} == set(case.losses)
    assert (crossing.put, crossing.nothing_left, withheld) == (case.put, case.nothing_left, case.withheld)
    assert case.before == before


@pytest.mark.parametrize("case", [case for case in CASES if case.refusal is not None], ids=lambda case: case.name)
def test_what_cannot_be_said(case: Case) -> None:
    with pytest.raises(Untranslatable) as refusal:
        case.translated(case.crossing())

    said = refusal.value
    assert Refusal(said.rule, said.ocpi_status, said.http_status) == case.refusal
    assert str(said).startswith(f"{said.rule}: ")


def test_no_two_examples_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_rule_has_an_example() -> None:
    shown = {rule for case in CASES for rule in rules_in(case)}

    assert {rule for rule, about in CATALOGUE.items() if about.counted} - shown == ELSEWHERE.keys()


def test_every_setting_has_an_example() -> None:
    usual = Quirks()
    shown = {
        name
        for case in CASES
        for quirks in (case.origin_quirks, case.destination_quirks, case.owner_quirks)
        for name in Quirks.__struct_fields__
        if getattr(quirks, name) != getattr(usual, name)
    }

    assert set(Quirks.__struct_fields__) - shown == NOT_ABOUT_OBJECTS


ELSEWHERE: Final = {
    "RF-14": "the hub's own answer when its table cannot be written",
    "M-72": "told in the message of a list; see `withheld`",
}
"""Rules that are applied beside the objects."""

NOT_ABOUT_OBJECTS: Final = {
    *("auth_encoding", "concurrency", "custom_modules", "hosts_allowed", "infer_from", "routing_headers_211"),
    *("lowercase_party_ids", "strict_ids", "timeout_s", "trace_context", "trailing_slash"),  # who connects, and how
    *("id_mode", "operator_owner_id", "owner_mode"),  # how a partner tells apart what is of many
    *("empty_data", "no_patch"),  # what a partner can do without, and what not
    *("broadcast_per", "get_all_partial", "hub_priority", "max_page"),  # who gets what, and how much of it
    *("credentials_refresh", "notify_losses", "residue", "synth_command_timeout"),  # what it does beside that
}


def rules_in(case: Case) -> set[str]:
    """The ids of what an example loses, and why it is refused or answered by the hub."""
    by_hub = {case.after["rule"]} if case.mode == "by_hub" and case.after else set()
    return {*case.losses, *by_hub, *([case.refusal.rule] if case.refusal else [])}


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    """JSON to compare line by line. The order of members counts; 4.4 and 4.40 are one number."""
    return json.dumps(_plain(value), indent=1)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return f"{Decimal(value).normalize():f} (a number)"
    return value
