from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.figures import flows
from hub.figures.cells import CODE_OF, COUNT, DELIVERED, TRANSLATED, Cell
from hub.figures.flows import Flow, Flows, Part, decoded, encoded
from hub.store.journal_entries import Failure, Hop
from hub.store.journal_tables import EntryKey
from routing.vocabulary import Version
from tests.hub.figures.rows import NOON, Clock, row

SESSION = Flow("cpo", "emsp", "NL*CPO", "DE*MSP", "sessions", "PUT", True)


def counted(*rows: flows.Row) -> dict[Flow, Cell]:
    counting = Flows(Clock())
    counting.note(rows)
    [(minute, found)] = counting.take()
    assert minute == NOON // 60
    return found


def test_messages_alike_are_counted_together() -> None:
    found = counted(row(), row(hub_us=900), row(failure=Failure.TIMEOUT))

    [(flow, cell)] = found.items()
    assert flow == SESSION
    assert (cell[COUNT], cell[CODE_OF[Failure.TIMEOUT]]) == (3, 1)


def test_a_message_that_was_refused_came_in_and_went_nowhere() -> None:
    [flow] = counted(row(receiver_platform_id=None, upstream_request_id=None, failure=Failure.REFUSED))

    assert (flow.came_in, flow.called_platform_id) == (True, "")


def test_a_partner_that_is_not_called_because_it_fails_has_the_failure() -> None:
    [flow] = counted(row(upstream_request_id=None, failure=Failure.CIRCUIT_OPEN))

    assert flow.called_platform_id == "emsp"


def test_a_broadcast_is_one_message_and_many_calls() -> None:
    message = row(receiver_platform_id=None, receivers="{}", upstream_request_id=None)
    found = counted(message, *[row(hop=Hop.DELIVERY, receiver_platform_id=each) for each in "abc"])

    assert sum(flow.came_in for flow in found) == 1
    assert {flow.called_platform_id for flow in found if not flow.came_in} == {"a", "b", "c"}
    assert sum(cell.get(DELIVERED, 0) for cell in found.values()) == 3


def test_an_authorization_that_asks_several_counts_the_call_that_won_once() -> None:
    found = counted(row(receivers="{}"), row(hop=Hop.UNIT), row(hop=Hop.UNIT, receiver_platform_id="other"))

    calls = [flow.called_platform_id for flow in found if flow.called_platform_id]
    assert sorted(calls) == ["emsp", "other"]


def test_a_delivery_that_was_not_needed_counts_nowhere() -> None:
    counting = Flows(Clock())
    counting.note([row(hop=Hop.DELIVERY, upstream_request_id=None)])

    assert counting.take() == [(NOON // 60, {})]


def test_messages_between_versions_are_counted_as_translated() -> None:
    [cell] = counted(row(target_version=Version.V2_1_1)).values()

    assert cell[TRANSLATED] == 1


def test_each_minute_is_counted_for_itself() -> None:
    clock = Clock(NOON + 59)
    counting = Flows(clock)
    counting.note([row()])
    clock.now += 1
    counting.note([row(), row()])

    taken = counting.take()
    assert [(minute - NOON // 60, found[SESSION][COUNT]) for minute, found in taken] == [(0, 1), (1, 2)]
    assert counting.take() == []


def test_whatever_partners_make_up_there_is_a_limit_to_what_is_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "MOST_FLOWS", 10)
    found = counted(*[row(receiver=f"XX*{number}", module=f"m{number}", method=f"M{number}") for number in range(100)])

    assert {(flow.module, flow.method) for flow in found} == {("custom", "other")}
    assert len(found) <= 11
    assert sum(cell[COUNT] for cell in found.values()) == 100


def test_a_part_is_the_same_after_it_was_told() -> None:
    part = Part("w", NOON, 5, list(counted(row()).items()), in_flight={"emsp": 2})

    assert decoded(encoded(part)) == part


def test_the_last_message_of_each_failure_is_known() -> None:
    counting = Flows(Clock())
    first, last = (datetime.fromtimestamp(NOON + second, UTC) for second in (0, 5))
    counting.note([row(time=each, number=7, failure=Failure.TIMEOUT) for each in (first, last)])
    counting.take()

    message_id = str(EntryKey(last, 7))
    found = {(each.platform_id, each.was_called): (each.at, each.message_id) for each in counting.examples()}
    assert found == {("cpo", False): (NOON + 5, message_id), ("emsp", True): (NOON + 5, message_id)}
    assert counting.examples() == []
