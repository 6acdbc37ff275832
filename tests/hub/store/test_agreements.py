"""Agreements in the truth, and how every process hears of them."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import text

from hub.store.agreements import AlreadyAgreed, Effect, KeptAgreements, Terms, UnknownAgreement
from hub.store.database import Database
from hub.store.live_directory import LiveDirectory
from hub.store.vault import Vault
from routing.agreements import Agreement, AgreementRules, Sending
from routing.errors import HubFault, InvalidParameters
from routing.vocabulary import Party
from tests.conftest import StoreUrls
from tests.hub.store.opened import CPO, EMSP, HUB, KEY, OUTAGE_S, SOON_S, Process, eventually, process

pytestmark = pytest.mark.anyio

REQUIRED = AgreementRules(required=True)
LATER_CPO = Party("BE", "C*1")
CDRS = frozenset({"cdrs"})
ONE_WAY = Sending.A_TO_B


def allows(of: Process, sender: Party, receiver: Party, module: str | None = None) -> bool:
    return of.snapshot.agreements.allows(sender, receiver, module)


async def rows(of: Process) -> int:
    async with of.database.engine.connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM agreements"))).scalar_one())


async def turned_at(of: Process, one: Party, other: Party) -> datetime | None:
    held = of.snapshot.agreements.between(one, other)
    assert held is not None
    return held.turned_at


async def test_an_agreement_holds_when_it_was_made_and_no_longer_when_it_has_ended(store: Process) -> None:
    made = await store.agreements.add(Terms(CPO, EMSP, CDRS, ONE_WAY))

    assert await store.agreements.get(made.id) == made
    assert (made.a, made.b, made.modules, made.sending) == (CPO, EMSP, CDRS, ONE_WAY)
    assert allows(store, CPO, EMSP, "cdrs")
    assert not allows(store, EMSP, CPO)

    assert await store.agreements.end(made.id) == made
    assert allows(store, EMSP, CPO)
    assert await store.agreements.everything() == []
    with pytest.raises(UnknownAgreement):
        await store.agreements.get(made.id)
    with pytest.raises(UnknownAgreement):
        await store.agreements.end(made.id)


async def test_two_parties_have_one_agreement_whoever_is_named_first(store: Process) -> None:
    made = await store.agreements.add(Terms(CPO, EMSP))

    for terms in (Terms(CPO, EMSP), Terms(EMSP, CPO, CDRS)):
        with pytest.raises(AlreadyAgreed, match=made.id):
            await store.agreements.add(terms)
    assert await rows(store) == 1


async def test_what_they_agree_on_anew_takes_the_place_of_what_has_ended(store: Process) -> None:
    first = await store.agreements.add(Terms(CPO, EMSP))
    assert first.turned_at is None
    await store.agreements.end(first.id)

    second = await store.agreements.add(Terms(EMSP, CPO))

    assert second.id != first.id
    assert second.turned_at == second.created_at
    assert await rows(store) == 1
    assert store.snapshot.agreements.between(CPO, EMSP) == second


async def test_a_change_of_modules_is_no_change_of_who_may_send(store: Process) -> None:
    made = await store.agreements.add(Terms(CPO, EMSP))

    await store.agreements.change(made.id, Terms(CPO, EMSP, CDRS))
    assert not allows(store, CPO, EMSP, "tokens")
    assert await turned_at(store, CPO, EMSP) is None

    changed = await store.agreements.change(made.id, Terms(CPO, EMSP, None, ONE_WAY))
    assert changed.turned_at is not None
    assert changed.turned_at >= made.created_at
    assert not allows(store, EMSP, CPO)
    with pytest.raises(UnknownAgreement):
        await store.agreements.change("0" * 32, Terms(CPO, EMSP))


async def test_agreements_are_listed_page_by_page_also_those_of_one_party(store: Process) -> None:
    others = [Party("FR", f"{number:03}") for number in range(5)]
    made = [await store.agreements.add(Terms(*pair)) for each in others for pair in ((CPO, each), (each, EMSP))]

    for party, expected in ((None, made), (CPO, made[::2]), (EMSP, made[1::2]), (others[0], made[:2]), (HUB, [])):
        listed: list[Agreement] = []
        cursor = None
        while True:
            page = await store.agreements.list(party=party, limit=3, cursor=cursor)
            listed += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert listed == expected
    with pytest.raises(InvalidParameters):
        await store.agreements.list(party=None, limit=3, cursor="nonsense")


async def test_a_list_is_taken_over_as_a_whole(store: Process) -> None:
    kept = await store.agreements.add(Terms(CPO, EMSP, CDRS))
    other = await store.agreements.add(Terms(LATER_CPO, EMSP))
    listed = [Terms(EMSP, CPO, CDRS), Terms(LATER_CPO, EMSP, CDRS), Terms(CPO, LATER_CPO)]

    planned = await store.agreements.take_over(listed, replace=False, dry_run=True)
    assert planned == Effect(added=1, changed=1, ended=0, unchanged=1)
    assert len(await store.agreements.everything()) == 2

    assert await store.agreements.take_over(listed, replace=False, dry_run=False) == planned
    assert not allows(store, LATER_CPO, EMSP, "tokens")
    assert {kept.id, other.id} < {each.id for each in await store.agreements.everything()}

    effect = await store.agreements.take_over(listed[:1], replace=True, dry_run=False)
    assert effect == Effect(added=0, changed=0, ended=2, unchanged=1)
    assert [each.id for each in await store.agreements.everything()] == [kept.id]
    assert await store.agreements.take_over(listed[:1], replace=True, dry_run=False) == Effect(0, 0, 0, 1)


async def test_a_list_of_which_one_line_cannot_be_stored_changes_nothing(store: Process) -> None:
    await store.agreements.add(Terms(CPO, EMSP))

    with pytest.raises(InvalidParameters):
        await store.agreements.take_over(
            [Terms(CPO, LATER_CPO), Terms(EMSP, Party("TOO", "LONG"))], replace=True, dry_run=False
        )

    assert [(each.a, each.b) for each in await store.agreements.everything()] == [(CPO, EMSP)]


async def test_thousands_are_taken_over_at_once(store: Process, store_urls: StoreUrls) -> None:
    listed = [Terms(CPO, Party(f"{chr(65 + n // 1000)}X", f"{n % 1000:03}"), CDRS) for n in range(6_001)]

    assert (await store.agreements.take_over(listed, replace=True, dry_run=False)).added == len(listed)

    assert store.snapshot.agreements.live == len(listed)
    async with process(store_urls) as later:
        assert later.snapshot.agreements.live == len(listed)
        assert later.snapshot.agreements.pairs == store.snapshot.agreements.pairs
    assert (await store.agreements.take_over([], replace=True, dry_run=False)).ended == len(listed)


# ------------------------------------------------------------------------------------------------- other processes


async def test_a_change_in_one_process_holds_in_another_within_a_second(store: Process, store_urls: StoreUrls) -> None:
    async with process(store_urls, rules=REQUIRED) as other:
        assert not allows(other, CPO, EMSP)

        made = await store.agreements.add(Terms(CPO, EMSP))
        await eventually(lambda: allows(other, CPO, EMSP), within_s=SOON_S)

        await other.agreements.end(made.id)
        assert not allows(other, CPO, EMSP)
        await eventually(lambda: store.snapshot.agreements.live == 0, within_s=SOON_S)


async def test_a_change_nobody_announced_is_found_all_the_same(store: Process, store_urls: StoreUrls) -> None:
    """Its writer died between the commit and the rest, or the notice got lost."""
    database = Database(store_urls.database_url)
    try:
        await KeptAgreements(database, _Silent(database, Vault(KEY), None)).add(Terms(CPO, EMSP))
        async with process(store_urls, rules=REQUIRED) as other:
            assert allows(other, CPO, EMSP), "a process that starts knows everything"
        await eventually(lambda: store.snapshot.agreements.live == 1, within_s=SOON_S)
    finally:
        await database.close()


async def test_agreements_stay_when_platforms_change_and_platforms_when_agreements_do(store: Process) -> None:
    await store.agreements.add(Terms(CPO, EMSP, CDRS))
    await store.connected(CPO)
    await store.connected(EMSP)
    assert not store.snapshot.visible_to(CPO, EMSP, "tokens")

    await store.agreements.add(Terms(CPO, LATER_CPO))

    assert store.snapshot.visible_to(CPO, EMSP, "cdrs")
    assert not store.snapshot.visible_to(CPO, EMSP, "tokens")


async def test_a_backup_of_before_an_agreement_ends_it(store: Process) -> None:
    kept = await store.agreements.add(Terms(CPO, EMSP))
    await store.agreements.add(Terms(CPO, LATER_CPO))
    async with store.database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM agreements WHERE id <> :id"), {"id": kept.id})
        await connection.execute(text("UPDATE agreement_changes SET revision = 1"))

    await eventually(lambda: store.snapshot.agreements.live == 1, within_s=OUTAGE_S)

    assert store.snapshot.agreements.between(CPO, EMSP) == kept
    assert store.snapshot.agreements.between(CPO, LATER_CPO) is None


async def test_while_the_database_is_away_what_was_agreed_goes_on_holding(store: Process) -> None:
    await store.agreements.add(Terms(CPO, EMSP, CDRS))
    revisions = store.directory._truth.revisions

    async def away() -> None:
        raise HubFault("the database does not answer")

    store.directory._truth.revisions = away  # type: ignore[method-assign,assignment]  # as of a server that is gone
    await store.directory.refresh()

    assert not allows(store, CPO, EMSP, "tokens")
    assert store.directory.problems() != []
    store.directory._truth.revisions = revisions  # type: ignore[method-assign]  # it is back
    await eventually(lambda: store.directory.problems() == [], within_s=OUTAGE_S)


class _Silent(LiveDirectory):
    """Of a process that dies before it announces anything."""

    async def announce_agreements(self) -> None:
        pass
