"""Partners of 2.3.0 hear from the hub's credentials whom they can reach. OCPI 2.3.0, "Credentials"."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.event_kinds import EventKind
from loadtests.hub_process import HubProcess
from loadtests.simulator import Json, Partner, envelope
from loadtests.simulator.messages import Received
from routing.vocabulary import ModuleID, Party, Role, Version
from tests.conftest import StoreUrls
from tests.hub.event_waiting import event_of
from tests.hub.failures.waiting import eventually
from tests.hub.forked import ForkedHub
from tests.hub.scenarios.conftest import platform_of
from tests.partners import CPO, EMSP, new_party, partner, registered

CREDENTIALS = ModuleID.CREDENTIALS
REFRESH_S = 1


@pytest.fixture(scope="module")
def hub(stores: StoreUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    """A hub of its own, on each store: everybody is told of everybody."""
    with ForkedHub(tmp_path_factory.mktemp("hub"), {**stores._asdict(), "rate_limit": "off"}) as process:
        yield process


@contextmanager
def newest(hub: HubProcess) -> Iterator[Partner]:
    """An eMSP on 2.3.0 that is to be told soon, and knows who is there."""
    with registered(hub, partner(EMSP, Version.V2_3_0)) as [emsp]:
        hub.operator.change(platform_of(hub, emsp), credentials_refresh=REFRESH_S)
        yield emsp


def named(emsp: Partner) -> set[tuple[Party, str]]:
    """Whom the hub's latest credentials name at this partner."""
    return _named_in(emsp.connection.credentials)


def _named_in(credentials: Json) -> set[tuple[Party, str]]:
    return {(Party(each["country_code"], each["party_id"]), each["role"]) for each in credentials["roles"]}


def log_of(hub: HubProcess) -> list[str]:
    return hub.log.read_text().splitlines()


def refreshes(emsp: Partner) -> list[Received]:
    """The credentials that the hub has put there."""
    return emsp.ledger.of(CREDENTIALS, "PUT")


def test_a_partner_is_told_in_time_whom_it_can_reach_and_all_at_once(hub: HubProcess) -> None:
    with newest(hub) as emsp, registered(hub, partner(CPO), partner(EMSP)) as [cpo, other]:
        began = time.monotonic()
        eventually(lambda: refreshes(emsp))
        took = time.monotonic() - began
        eventually(lambda: {(cpo.party, Role.CPO), (other.party, Role.EMSP)} <= named(emsp))

        assert took < REFRESH_S + 5  # and not after ten minutes, as it would be otherwise
        assert len(refreshes(emsp)) == 1
        assert emsp.get("locations", to=cpo.party).status_code == 1000


def test_the_token_of_before_goes_on_for_a_while_and_no_longer(hub: HubProcess, stores: StoreUrls) -> None:
    with newest(hub) as emsp, registered(hub, partner(CPO)) as [cpo]:
        before = emsp.connection.our_token
        eventually(lambda: emsp.connection.our_token != before)
        eventually(lambda: (cpo.party, Role.CPO) in named(emsp))
        with_old = emsp.get("locations", to=cpo.party, token=before)

        assert with_old.status_code == 1000
        assert emsp.get("locations", to=cpo.party).status_code == 1000

        # The partner has its new token a moment before the hub has noted the end of the old one.
        eventually(lambda: any('"roles_named"' in line and emsp.name in line for line in log_of(hub)))
        asyncio.run(time_is_up(stores))
        hub.operator.change(platform_of(hub, emsp), credentials_refresh=2 * REFRESH_S)  # the hub looks at it anew
        eventually(lambda: emsp.get("locations", to=cpo.party, token=before).http_status == 401)
        assert emsp.get("locations", to=cpo.party).status_code == 1000


async def time_is_up(stores: StoreUrls) -> None:
    """Let no token that was replaced be good any more: their time would take a minute."""
    engine = create_async_engine(stores.database_url)
    async with engine.begin() as database:
        await database.execute(text("UPDATE replaced_tokens SET not_after = '2026-01-01 00:00:00.000000'"))
    await engine.dispose()


def test_who_is_offline_is_named_still_and_who_has_left_is_not(hub: HubProcess) -> None:
    with newest(hub) as emsp, registered(hub, partner(CPO)) as [cpo]:
        eventually(lambda: (cpo.party, Role.CPO) in named(emsp))
        cpo.unregister()
        eventually(lambda: (cpo.party, Role.CPO) not in named(emsp))


def test_nothing_is_sent_for_what_the_partner_knows_already(hub: HubProcess) -> None:
    with registered(hub, partner(EMSP, Version.V2_3_0)) as [emsp], partner(CPO).running() as cpo:
        hub.operator.registered(cpo)  # of which the hub would tell in ten minutes
        emsp.update()
        emsp.ledger.clear()
        known = named(emsp)
        hub.operator.change(platform_of(hub, emsp), credentials_refresh=REFRESH_S)  # the hub looks at it anew
        time.sleep(REFRESH_S + 0.5)  # that nothing comes can only be waited for

        # Those of tests before this one may leave meanwhile, which is news.
        assert not [each for each in refreshes(emsp) if _named_in(each.json()) == known]


def test_a_refresh_that_fails_cuts_nothing_and_is_tried_again(hub: HubProcess) -> None:
    with newest(hub) as emsp, partner(CPO).running() as cpo:
        token = emsp.connection.our_token
        emsp.answers_next(envelope(status_code=3000, http_status=500), module=CREDENTIALS, method="PUT")
        hub.operator.registered(cpo)
        eventually(lambda: refreshes(emsp))

        assert emsp.connection.our_token == token
        assert emsp.get("locations", to=cpo.party).status_code == 1000
        eventually(lambda: (cpo.party, Role.CPO) in named(emsp))
        said = [json.loads(line) for line in log_of(hub) if '"roles_not_named"' in line]
        assert [each["platform"] for each in said if each["platform"] == emsp.name] == [emsp.name]
        closed = event_of(hub, EventKind.CREDENTIALS_REFRESH_FAILED, platform_of(hub, emsp), state="closed")
        assert (closed["count"], "500" in closed["sentence"]) == (1, True)


def test_a_partner_that_the_hub_registered_at_is_told_whom_it_can_reach(hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [cpo], partner(EMSP, Version.V2_3_0).running() as emsp:
        platform_id = hub.operator.connected(emsp)
        assert (cpo.party, Role.CPO) not in named(emsp)
        hub.operator.change(platform_id, credentials_refresh=1)
        hub.operator.invite("somebody", parties={new_party(): CPO})
        emsp.ledger.clear()
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/suspend")
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/resume")

        eventually(lambda: (cpo.party, Role.CPO) in named(emsp))
