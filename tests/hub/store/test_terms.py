from __future__ import annotations

import asyncio

import pytest

from hub.store.terms import TermOver, Terms, check_term
from tests.hub.store.opened import Process

pytestmark = pytest.mark.anyio


async def test_each_term_has_a_number_and_only_the_latest_counts(store: Process) -> None:
    terms = Terms(store.database)
    first = await terms.begin()
    await terms.check(first)

    second = await terms.begin()

    assert second == first + 1
    with pytest.raises(TermOver):
        await terms.check(first)
    async with store.database.writing() as session:
        await check_term(session, second)
        with pytest.raises(TermOver):
            await check_term(session, first)


async def test_terms_that_begin_at_once_have_different_numbers(store: Process) -> None:
    numbers = await asyncio.gather(*(Terms(store.database).begin() for _ in range(5)))

    assert sorted(numbers) == [1, 2, 3, 4, 5]


async def test_a_term_begins_only_when_what_is_written_in_the_one_before_is_written(store: Process) -> None:
    terms = Terms(store.database)
    number = await terms.begin()
    async with store.database.writing() as session:
        await check_term(session, number)
        beginning = asyncio.create_task(terms.begin())
        _, waiting = await asyncio.wait([beginning], timeout=0.2)
        assert waiting

    assert await beginning == number + 1
