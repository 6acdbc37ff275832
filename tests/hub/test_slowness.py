from __future__ import annotations

import pytest

from hub.figures import Figures
from hub.figures.cells import COUNT, PARTNER_TIME, time_step
from hub.figures.flows import Flow
from hub.slowness import slowness
from tests.hub.figures.rows import NOON, Clock

pytestmark = pytest.mark.anyio

DAY = 86_400


async def answered(
    figures: Figures, at: float, milliseconds: float, *, module: str = "sessions", times: int = 40
) -> None:
    """Let the partner have answered so many calls at that moment, each in this time."""
    flow = Flow("cpo", "emsp", "NL*CPO", "DE*MSP", module, "PUT", True)
    cell = {COUNT: times, PARTNER_TIME + time_step(int(milliseconds * 1000)): times}
    await figures.rings.merge({flow: cell}, int(at) // 60, at)
    await figures.rings.settle(NOON)


async def figures_of(*days: float) -> Figures:
    """What a partner took on each of the days before."""
    figures = Figures("w", clock=Clock())
    for ago, milliseconds in enumerate(reversed(days), 1):
        await answered(figures, NOON - ago * DAY, milliseconds)
    return figures


async def test_a_partner_is_slow_that_takes_seconds_and_thrice_what_is_usual() -> None:
    figures = await figures_of(300, 300, 4000, 300)
    await answered(figures, NOON, 20, module="cdrs")
    await answered(figures, NOON, 3000)

    found = slowness(figures, "emsp", NOON)
    assert found is not None
    assert found.module == "sessions"
    assert 2000 < found.p95_ms < 4300
    assert 200 < found.usual_ms < 450


@pytest.mark.parametrize(("usual", "now"), [(300, 900), (2000, 3000), (10, 200)])
async def test_one_that_is_fast_enough_or_always_like_this_is_not(usual: float, now: float) -> None:
    figures = await figures_of(usual)
    await answered(figures, NOON, now)

    assert slowness(figures, "emsp", NOON) is None


async def test_one_of_whom_too_little_is_known_is_not() -> None:
    new = await figures_of()
    await answered(new, NOON, 9000)
    assert slowness(new, "emsp", NOON) is None
    seldom = await figures_of(300)
    await answered(seldom, NOON, 9000, times=19)
    assert slowness(seldom, "emsp", NOON) is None


async def test_it_is_over_once_it_was_faster_for_some_time() -> None:
    figures = await figures_of(300)
    await answered(figures, NOON, 3000)
    assert slowness(figures, "emsp", NOON + 300) is not None
    await answered(figures, NOON + 1200, 300)

    assert slowness(figures, "emsp", NOON + 1200) is None
