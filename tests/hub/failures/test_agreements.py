"""What two parties agree on counts at every worker within a second, whichever was told, and is announced once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from loadtests.simulator import Partner
from tests.hub.failures.cluster import EVERYWHERE_WITHIN_S, Cluster, reaches
from tests.hub.failures.lines import Line
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.test_client_info import all_told, pushes


def counts_everywhere(lines: Sequence[Line], emsp: Partner, guest: Partner, *, lets_through: bool) -> None:
    """Every worker does as the agreement says, within a second."""
    began = time.monotonic()
    for line in lines:
        eventually(partial(_does, line, emsp, guest, lets_through))
    assert time.monotonic() - began < EVERYWHERE_WITHIN_S
    assert all(_does(line, emsp, guest, lets_through) for line in lines)


def _does(line: Line, emsp: Partner, guest: Partner, lets_through: bool) -> bool:
    return reaches(line, emsp, guest.party) is lets_through


def test_an_agreement_that_begins_and_ends_counts_at_every_worker_and_is_announced_once(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner, emsp: Partner
) -> None:
    ask, bystander = cluster.hub.operator.ask, partners[3]
    with cluster.lines() as lines:
        all_told(cluster.hub, emsp, guest, bystander)
        for each in (emsp, guest, bystander):
            each.ledger.clear()

        terms = {"a": str(guest.party), "b": str(emsp.party), "direction": "a_to_b"}
        agreement = ask("POST", "/api/v1/agreements", json=terms)
        counts_everywhere(lines, emsp, guest, lets_through=False)
        all_told(cluster.hub, emsp)
        assert pushes(emsp, guest.party) == [("CPO", "SUSPENDED")]

        ask("DELETE", f"/api/v1/agreements/{agreement['id']}")
        counts_everywhere(lines, emsp, guest, lets_through=True)
        all_told(cluster.hub, emsp, guest, bystander)
        assert pushes(emsp, guest.party) == [("CPO", "SUSPENDED"), ("CPO", "CONNECTED")]
        assert not pushes(guest, emsp.party)
        assert not pushes(bystander, guest.party)
