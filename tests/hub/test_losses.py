from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from hub.losses import Losses
from hub.observability import Metrics
from hub.store.database import Database
from hub.store.losses import LossCounts
from hub.store.records import Direction, LossRecord
from hub.trace import Lost
from loadtests.simulator.server import free_port
from routing.directory import Connection
from routing.translation.crossing import Loss
from routing.vocabulary import Face, Role, Version
from tests.conftest import StoreUrls
from tests.hub.running_hub import RunningHub
from tests.hub.store.opened import CPO, EMSP, Process, first_process, process, registration
from tests.partners import CPO as SIMULATED_CPO
from tests.partners import partner
from tests.servers import PostgresServer

pytestmark = pytest.mark.anyio

SOON = 0.02


class Both:
    """A 2.2.1 CPO and a 2.1.1 eMSP, and what is counted between them."""

    def __init__(self, store: Process, cpo: Connection, emsp: Connection) -> None:
        self.counts = LossCounts(store.database)
        self.metrics = Metrics()
        self.cpo, self.emsp = cpo, emsp

    def losses(self, *, most: int = 100, counts: LossCounts | None = None) -> Losses:
        return Losses(counts or self.counts, self.metrics, write_every_s=SOON, most=most)

    def note(self, losses: Losses, *lost: Lost, correlation_id: str = "m1") -> None:
        """What a message of the CPO's lost."""
        losses.note(lost, source=self.cpo, target=self.emsp, module="locations", correlation_id=correlation_id)

    async def written(self, one: Connection) -> list[LossRecord]:
        return list((await self.counts.page(one.platform_id, limit=200, cursor=None)).items)


@pytest.fixture
async def both(store_urls: StoreUrls) -> AsyncIterator[Both]:
    async with first_process(store_urls) as store:
        yield await of(store)


async def of(store: Process) -> Both:
    cpo = store.registered(await store.connected(CPO)).connection
    _, token_a = await store.platforms.create("An eMSP", face=Face.CPO)
    old = registration(EMSP, role=Role.EMSP, version=Version.V2_1_1)
    emsp = store.registered(await store.platforms.register(store.invitation(token_a), old)).connection
    return Both(store, cpo, emsp)


def lost(loss: str, pointer: str = "/id", *, kind: str | None = "Location", is_answer: bool = False) -> Lost:
    return Lost(kind, is_answer, (Loss(loss, pointer),))


async def test_a_loss_counts_for_the_sender_and_for_the_receiver(both: Both) -> None:
    losses = both.losses()
    losses.start()
    both.note(losses, lost("L-06"), lost("L-06", "/party_id"), lost("L-12"), correlation_id="m7")
    await losses.close()

    to = {each.loss: each for each in await both.written(both.emsp)}
    come = {each.loss: each for each in await both.written(both.cpo)}
    for found, direction, other in ((to, Direction.TO, Version.V2_2_1), (come, Direction.FROM, Version.V2_1_1)):
        assert {loss: each.count for loss, each in found.items()} == {"L-06": 2, "L-12": 1}
        assert {(each.direction, each.other_version, each.module, each.kind) for each in found.values()} == {
            (direction, other, "locations", "Location")
        }
        assert found["L-12"].last_correlation_id == "m7"


async def test_messages_that_lose_the_same_are_added_up(both: Both) -> None:
    losses = both.losses()
    losses.start()
    for number in range(5):
        both.note(losses, lost("L-06"), lost("L-06"), lost("L-12"), correlation_id=f"m{number}")
    losses._sort()
    assert len(losses._heard) == 1
    await losses.close()

    found = {each.loss: each for each in await both.written(both.emsp)}
    assert {loss: each.count for loss, each in found.items()} == {"L-06": 10, "L-12": 5}
    assert found["L-06"].last_correlation_id == "m4"
    assert found["L-06"].first_at < found["L-06"].last_at


async def test_an_answer_goes_the_other_way(both: Both) -> None:
    losses = both.losses()
    losses.start()
    both.note(losses, lost("L-18", is_answer=True))
    await losses.close()

    [come] = await both.written(both.emsp)
    [to] = await both.written(both.cpo)
    assert (come.direction, come.other_version) == (Direction.FROM, Version.V2_2_1)
    assert (to.direction, to.other_version) == (Direction.TO, Version.V2_1_1)


async def test_what_is_no_object_is_counted_too(both: Both) -> None:
    losses = both.losses()
    losses.start()
    both.note(losses, lost("L-77", kind=None))
    await losses.close()

    [record] = await both.written(both.emsp)
    assert (record.kind, record.loss) == ("", "L-77")


async def test_losses_are_written_while_the_hub_runs(both: Both) -> None:
    losses = both.losses()
    losses.start()
    both.note(losses, lost("L-06"))
    with anyio.fail_after(10):
        while not await both.written(both.emsp):  # noqa: ASYNC110 - the database tells nobody
            await anyio.sleep(SOON)

    both.note(losses, lost("L-06"))
    await losses.close()

    assert [each.count for each in await both.written(both.emsp)] == [2]


async def test_more_counters_than_one_transaction_takes_are_all_written(both: Both) -> None:
    losses = both.losses(most=2000)
    losses.start()
    both.note(losses, *(lost("L-06", kind=f"Kind {number}") for number in range(700)))
    await losses.close()

    assert losses._tallies == {}
    page = await both.counts.page(both.cpo.platform_id, limit=1000, cursor=None)
    assert len(page.items) == 700


async def test_metrics_count_every_loss_once(both: Both) -> None:
    losses = both.losses()
    losses.start()
    for _ in range(2):
        both.note(losses, lost("L-06"), lost("L-06"), lost("M-33"), lost("X-99"))
    await losses.close()

    counted = {
        sample.labels["loss"]: sample.value
        for family in text_string_to_metric_families(both.metrics.exposition().decode())
        for sample in family.samples
        if sample.name == "ocpi_hub_translation_losses_total"
    }
    assert counted == {"L-06": 4, "M-33": 2, "other": 2}


async def test_an_outage_loses_no_count() -> None:
    with PostgresServer() as postgres:
        urls = StoreUrls(await postgres.create_database(), None)
        async with first_process(urls) as store:
            both = await of(store)
        await anyio.to_thread.run_sync(postgres.kill)
        database = Database(urls.database_url)
        losses = both.losses(counts=LossCounts(database))
        with capture_logs() as logs:
            both.note(losses, lost("L-06"), correlation_id="m1")
            await losses._write()
            both.note(losses, lost("L-06"), lost("L-12"), correlation_id="m2")
            await losses._write()
        await anyio.to_thread.run_sync(postgres.start)
        await losses._write()
        await database.close()

        assert [line["event"] for line in logs] == ["losses_wait"]
        async with process(urls) as store:
            both.counts = LossCounts(store.database)
            found = await both.written(both.emsp)
    assert {each.loss: (each.count, each.last_correlation_id) for each in found} == {
        "L-06": (2, "m2"),
        "L-12": (1, "m2"),
    }


def away() -> LossCounts:
    return LossCounts(Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"))


async def test_counters_are_bounded_while_they_cannot_be_written(both: Both) -> None:
    losses = both.losses(most=10, counts=away())
    for number in range(20):
        both.note(losses, lost("L-06", kind=f"Kind {number}"))
    await losses._write()
    both.note(losses, lost("L-06", kind="Kind 0"))
    losses._count()

    assert len(losses._tallies) == 10
    assert {each.count for each in losses._tallies.values()} == {1, 2}

    losses._counts = both.counts
    with capture_logs() as logs:
        await losses._write()
    [line] = [each for each in logs if each["event"] == "losses_not_counted"]
    assert line["losses"] == 30


async def test_an_end_without_the_database_is_short_and_says_what_is_lost(both: Both) -> None:
    losses = both.losses(counts=away())
    losses.start()
    both.note(losses, lost("L-06"))
    with capture_logs() as logs, anyio.fail_after(10):
        await losses.close()

    assert [each["counters"] for each in logs if each["event"] == "losses_not_written"] == [2]


async def test_counters_the_store_refuses_do_not_hold_up_the_others(both: Both) -> None:
    losses = both.losses()
    both.note(losses, lost("L-06", kind="x" * 200))
    with capture_logs() as logs:
        await losses._write()
    both.note(losses, lost("L-12"))
    await losses._write()

    assert [each["event"] for each in logs] == ["losses_not_written"]
    assert [each.loss for each in await both.written(both.emsp)] == ["L-12"]


def test_a_hub_that_stops_has_written_what_was_lost(tmp_path: Path) -> None:
    with RunningHub(tmp_path) as hub, partner(SIMULATED_CPO).running() as cpo:
        platform_id = hub.registered(cpo)
        [connection] = hub.hub.directory.snapshot.platform(platform_id).connections

        async def note() -> None:
            hub.hub.losses.note([lost("L-06")], source=connection, target=connection, module="cdrs", correlation_id="m")

        hub.do(note())
    with RunningHub(tmp_path) as again:
        page = again.do(again.hub.loss_counts.page(platform_id, limit=10, cursor=None))

    assert {(each.direction, each.loss, each.count) for each in page.items} == {
        (Direction.TO, "L-06", 1),
        (Direction.FROM, "L-06", 1),
    }
