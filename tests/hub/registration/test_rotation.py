"""Tokens that are old are replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.registration import HubSide, Initiator
from hub.registration.initiator import TOKENS_LAST
from loadtests.simulator import Behaviour, Partner
from loadtests.simulator.misbehaviour import HTML
from routing.quirks import Quirks
from tests.hub.running_hub import RunningHub


def rotated_at(hub: RunningHub, moment: datetime) -> None:
    hub.do(hub.hub.initiator.rotate_due(moment))


def test_tokens_are_replaced_when_they_are_a_month_old_and_not_before(
    fresh_hub: RunningHub, cpo: Partner, emsp: Partner
) -> None:
    platform_id, _ = fresh_hub.registered(cpo), fresh_hub.registered(emsp)
    before = [cpo.connection.our_token, emsp.connection.our_token]
    begun = datetime.now(UTC)

    rotated_at(fresh_hub, begun + TOKENS_LAST - timedelta(minutes=1))
    assert [cpo.connection.our_token, emsp.connection.our_token] == before

    emsp.update()  # which replaces its tokens, but not those of the other
    before[1] = emsp.connection.our_token
    [connection] = fresh_hub.record(platform_id).connections
    rotated_at(fresh_hub, connection.tokens_since + TOKENS_LAST)
    assert cpo.connection.our_token != before[0]
    assert emsp.connection.our_token == before[1]


def test_a_partner_that_does_not_answer_keeps_its_tokens_and_others_get_new_ones(
    fresh_hub: RunningHub, cpo: Partner, emsp: Partner
) -> None:
    for each in (cpo, emsp):
        fresh_hub.registered(each)
    before = [cpo.connection.our_token, emsp.connection.our_token]
    cpo.answers_next(HTML, module="versions")

    rotated_at(fresh_hub, datetime.now(UTC) + TOKENS_LAST)

    assert cpo.connection.our_token == before[0]
    assert emsp.connection.our_token != before[1]
    assert fresh_hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", before[0]).http_status == 200


def test_a_platform_that_left_or_is_suspended_is_left_alone(fresh_hub: RunningHub, cpo: Partner, emsp: Partner) -> None:
    fresh_hub.registered(cpo)
    cpo.unregister()
    suspended = fresh_hub.registered(emsp)
    fresh_hub.do(fresh_hub.hub.platforms.suspend(suspended))
    for each in (cpo, emsp):
        each.ledger.clear()

    rotated_at(fresh_hub, datetime.now(UTC) + TOKENS_LAST)

    assert not cpo.ledger
    assert not emsp.ledger


def test_a_partner_is_told_once_that_the_hub_has_other_endpoints_for_it(
    fresh_hub: RunningHub, cpo: Partner, emsp: Partner
) -> None:
    platform_id, _ = fresh_hub.registered(cpo), fresh_hub.registered(emsp)
    before = [cpo.connection.our_token, emsp.connection.our_token]
    custom = Quirks(custom_modules=("nlvlt-bookings",))
    fresh_hub.do(fresh_hub.hub.platforms.change(platform_id, quirks=custom))

    rotated_at(fresh_hub, datetime.now(UTC))
    told = [cpo.connection.our_token, emsp.connection.our_token]
    rotated_at(fresh_hub, datetime.now(UTC))

    assert told[0] != before[0]
    assert told[1] == before[1]
    assert [cpo.connection.our_token, emsp.connection.our_token] == told


def test_of_two_processes_that_replace_tokens_at_once_one_does_it_and_the_partner_stays_connected(
    fresh_hub: RunningHub, cpo: Partner
) -> None:
    platform_id = fresh_hub.registered(cpo)
    parts = fresh_hub.hub
    other = Initiator(
        HubSide(
            settings=parts.settings,
            directory=parts.directory,
            platforms=parts.platforms,
            partners=parts.partners,
            vault=parts.vault,
            events=parts.events,
        )
    )
    cpo.ledger.clear()
    cpo.answers_next(Behaviour(delay_s=0.5), module="credentials", method="PUT", times=2)
    due = datetime.now(UTC) + TOKENS_LAST

    both = [fresh_hub.start(initiator.rotate_due(due)) for initiator in (parts.initiator, other)]
    for each in both:
        each.result(10)

    assert len(cpo.ledger.of("credentials", "PUT")) == 1
    assert fresh_hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", cpo.connection.our_token).http_status == 200
    rotated_at(fresh_hub, due + TOKENS_LAST)  # for which the partner has to know the hub
    assert len(cpo.ledger.of("credentials", "PUT")) == 2
    assert fresh_hub.record(platform_id).handshakes == ()


def test_an_exchange_that_has_begun_is_completed_when_the_process_ends(fresh_hub: RunningHub, cpo: Partner) -> None:
    platform_id = fresh_hub.registered(cpo)
    cpo.ledger.clear()
    cpo.answers_next(Behaviour(delay_s=0.5), module="credentials", method="PUT")

    rotation = fresh_hub.start(fresh_hub.hub.initiator.rotate(platform_id))
    cpo.ledger.wait_for("credentials")
    rotation.cancel()

    fresh_hub.do(fresh_hub.hub.initiator.rotate(platform_id))
    assert len(cpo.ledger.of("credentials", "PUT")) == 2
    assert fresh_hub.ask("GET", "/ocpi/2.2.1/hubclientinfo", cpo.connection.our_token).http_status == 200
