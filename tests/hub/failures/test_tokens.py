"""A token counts on every worker from the moment its owner gets it, and on none once it is replaced."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from loadtests.simulator import Answer, Partner
from tests.hub.failures.cluster import EVERYWHERE_WITHIN_S, WORKERS, Cluster
from tests.hub.failures.lines import Line
from tests.hub.failures.traffic import unharmed
from tests.hub.failures.waiting import eventually
from tests.partners import EMSP, partner, registered

CONNECTIONS = 20


def on_all(lines: Sequence[Line], sender: Partner, receiver: Partner) -> list[Answer]:
    """One message on each line, all at the same time."""
    with ThreadPoolExecutor(len(lines)) as threads:
        return list(threads.map(lambda line: line.push_token(sender, receiver.party), lines))


def test_a_new_partner_is_served_at_once_on_all_its_connections(cluster: Cluster, partners: Sequence[Partner]) -> None:
    cpo = partners[0]
    with unharmed(partners), cluster.lines(CONNECTIONS // WORKERS) as lines:
        for _ in range(3):
            with registered(cluster.hub, partner(EMSP)) as [newcomer]:
                answers = on_all(lines, newcomer, cpo)
            assert [answer.status_code for answer in answers] == [1000] * CONNECTIONS


def test_a_replaced_token_is_refused_at_once_where_it_was_replaced_and_everywhere_within_a_second(
    cluster: Cluster, partners: Sequence[Partner], guest: Partner
) -> None:
    with unharmed(partners), cluster.lines() as lines:
        for line, other in (lines, reversed(lines)):
            old = guest.authorization
            line.renew(guest)
            replaced = time.monotonic()
            assert line.refuses(old)
            assert line.knows(guest.authorization)
            assert other.knows(guest.authorization)
            eventually(partial(other.refuses, old))
            assert time.monotonic() - replaced < EVERYWHERE_WITHIN_S
