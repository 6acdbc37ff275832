"""Lists of everybody's, from inside of a hub: with partners of random habits, and with its limits."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.limits import Buckets
from hub.setting_types import RateLimit
from loadtests.simulator import Json, Partner
from routing.vocabulary import Party, Version
from tests.hub.failures.waiting import eventually
from tests.hub.running_hub import RunningHub
from tests.hub.scenarios.translated import new_id
from tests.partners import CPO, EMSP, location, partner

HUB = Party("EU", "HUB")
MOST_PAGES = 200


class Network(NamedTuple):
    """A hub with readers of two versions."""

    hub: RunningHub
    cpos: list[Partner]
    emsp: Partner
    older_emsp: Partner


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with RunningHub(tmp_path_factory.mktemp("hub"), forward_timeout_s=20) as hub:
        cpos = [partner(CPO) for _ in range(4)]
        emsp, older_emsp = partner(EMSP), partner(EMSP, Version.V2_1_1)
        for each in (*cpos, emsp, older_emsp):
            each.open()
            hub.registered(each)
        yield Network(hub, cpos, emsp, older_emsp)
        for each in (*cpos, emsp, older_emsp):
            each.close()


class Owner:
    """A CPO with habits of its own, whose list only grows or only shrinks."""

    def __init__(self, cpo: Partner, dice: Random) -> None:
        self.cpo, self.dice = cpo, dice
        self.grows = dice.random() < 0.5
        cpo.script.clear()
        cpo.shelf.own["locations"] = {}
        cpo.interfaces.page_size = dice.choice([2, 3, 50])
        cpo.interfaces.counts = dice.random() < 0.8
        cpo.interfaces.ignored = dice.choice([set(), set(), {"limit"}, {"date_from"}, {"to"}])
        if dice.random() < 0.1:
            cpo.interfaces.ignored, cpo.interfaces.page_size = {"offset", "limit"}, 1000
        self.add(dice.randint(0, 9))
        self.always = set(self.places)

    @property
    def places(self) -> dict[str, Json]:
        return self.cpo.shelf.own["locations"]

    def add(self, count: int) -> None:
        self.cpo.hold("locations", *(location(self.cpo.party, new_id("L")) | {"evses": []} for _ in range(count)))

    def changes(self) -> None:
        if self.grows:
            self.add(self.dice.randint(0, 2))
            return
        for gone in self.dice.sample(sorted(self.places), min(len(self.places), self.dice.randint(0, 2))):
            del self.places[gone]
        self.always &= self.places.keys()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 7), is_old=st.booleans())
def test_a_crawl_gives_everything_that_was_there_all_the_time(
    network: Network, seed: int, limit: int, is_old: bool
) -> None:
    dice = Random(seed)
    owners = [Owner(cpo, dice) for cpo in network.cpos]
    reader, to = (network.older_emsp, None) if is_old else (network.emsp, HUB)
    found: set[str] = set()

    params = {"limit": str(limit), "date_from": "2026-01-01T00:00:00Z", "mark": new_id()}
    for number, page in enumerate(reader.pages("locations", to=to, params=params)):
        assert page.status_code == 1000, page.body
        assert number < MOST_PAGES
        assert len(page.data) <= limit
        found |= {place["id"] for place in page.data}
        for owner in owners:
            owner.changes()

    for owner in owners:
        # A list that was read as a whole is shown for a while as it was then.
        if owner.cpo.interfaces.counts or not owner.grows:
            assert owner.always <= found
    assert page.header("hub-incomplete") is None


def test_a_platform_begins_only_so_many_lists(network: Network) -> None:
    limits = network.hub.hub.limits
    limits._lists = Buckets(RateLimit(1 / 60, 2))
    try:
        first, second, third = (network.emsp.get("tariffs", to=HUB, params={"mark": new_id()}) for _ in range(3))
    finally:
        limits._lists = None

    assert [each.http_status for each in (first, second, third)] == [200, 200, 429]
    assert third.header("retry-after") is not None


def test_objects_that_were_read_as_a_whole_are_nowhere_to_be_found_later(network: Network) -> None:
    cpo, spools = network.cpos[0], network.hub.hub.spools
    spools._kept_s, before = 0.2, (len(spools), spools.size)
    cpo.interfaces.counts = False
    cpo.hold("locations", location(cpo.party, new_id("L")))

    page = network.emsp.get("locations", to=HUB, params={"mark": new_id()})

    assert page.header("x-total-count") is not None
    assert spools.size > before[1]
    eventually(lambda: (len(spools), spools.size) == before)
