from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hub.ids import new_id
from hub.store.database import Database
from hub.store.registration_steps import MOST_AT_ONCE, MOST_KEPT, Begun, RegistrationSteps, Step, StepFacts, StepRecord
from tests.conftest import StoreUrls

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)


@pytest.fixture
async def database(store_urls: StoreUrls) -> AsyncIterator[Database]:
    found = Database(store_urls.database_url)
    yield found
    await found.close()


def step(platform_id: str, age_s: float = 0) -> StepRecord:
    at = NOW - timedelta(seconds=age_s)
    facts = StepFacts(version="2.2.1", reason="\x00 is no text")
    return StepRecord(new_id(), platform_id, Step.CONNECTED, Begun.HUB, True, 1, at, at, facts)


async def test_steps_are_read_as_they_were_written(database: Database) -> None:
    steps = RegistrationSteps(database)
    one, other = step("p1", 5), step("p1")
    again = msgspec.structs.replace(one, times=7, last_at=NOW)

    await steps.write([other, one, step("p2")])
    await steps.write([again])

    assert await steps.of("p1") == (again, other)
    assert await steps.of("p3") == ()


async def test_no_platform_has_more_than_so_many_and_none_for_longer_than_a_month(database: Database) -> None:
    steps = RegistrationSteps(database)
    many = [step("p4", age_s) for age_s in range(MOST_AT_ONCE)]
    await steps.write(many)
    await steps.write([step("p5", 31 * 86_400), step("p5", 29 * 86_400)])

    await steps.drop_old(NOW)

    assert await steps.of("p4") == tuple(reversed(many[:MOST_KEPT]))
    assert len(await steps.of("p5")) == 1
