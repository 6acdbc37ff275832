from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.registration.attempts import AttemptState, attempts_of
from hub.store.registration_steps import Begun, Step, StepFacts, StepRecord

START = datetime(2026, 11, 22, 14, tzinfo=UTC)


def at(second: float, step: Step, *, failed: bool = False, begun_by: Begun = Begun.PARTNER) -> StepRecord:
    moment = START + timedelta(seconds=second)
    return StepRecord(f"{second}", "plt", step, begun_by, failed, 1, moment, moment, StepFacts())


def test_what_follows_a_failure_is_another_attempt() -> None:
    newest, first = attempts_of(
        [
            at(0, Step.HUB_VERSIONS),
            at(1, Step.CREDENTIALS_RECEIVED),
            at(2, Step.PARTNER_VERSIONS, failed=True),
            at(3, Step.CREDENTIALS_RECEIVED),
        ]
    )

    assert (first.state, newest.state) == (AttemptState.FAILED, AttemptState.OPEN)
    assert first.to_come == (Step.PARTNER_DETAILS, Step.CONNECTED)
    assert newest.to_come == (Step.PARTNER_VERSIONS, Step.PARTNER_DETAILS, Step.CONNECTED)


def test_who_looks_several_times_before_it_registers_makes_one_attempt() -> None:
    looks = [at(second, Step.HUB_VERSIONS if second % 2 else Step.HUB_DETAILS) for second in range(6)]

    [attempt] = attempts_of([*looks, at(9, Step.CREDENTIALS_RECEIVED), at(10, Step.CONNECTED)])

    assert [(each.step, each.times) for each in attempt.steps] == [
        (Step.HUB_DETAILS, 3),
        (Step.HUB_VERSIONS, 3),
        (Step.CREDENTIALS_RECEIVED, 1),
        (Step.CONNECTED, 1),
    ]
    assert (attempt.state, attempt.to_come) == (AttemptState.DONE, ())
    assert attempt.last_at == START + timedelta(seconds=10)


def test_who_comes_back_later_begins_anew() -> None:
    assert len(attempts_of([at(0, Step.HUB_VERSIONS), at(901, Step.CREDENTIALS_RECEIVED)])) == 2


def test_attempts_of_the_hub_begin_at_the_partner_s_versions() -> None:
    hub = Begun.HUB
    steps = [at(0, Step.PARTNER_VERSIONS, begun_by=hub), at(1, Step.HUB_VERSIONS, begun_by=hub)]
    rotation = [at(2, Step.PARTNER_VERSIONS, begun_by=hub), at(3, Step.CREDENTIALS_SENT, begun_by=hub, failed=True)]

    newest, first = attempts_of([*steps, *rotation, at(4, Step.HUB_VERSIONS)][:4])

    assert [each.step for each in first.steps] == [Step.PARTNER_VERSIONS, Step.HUB_VERSIONS]
    assert (newest.state, newest.to_come) == (AttemptState.FAILED, (Step.CONNECTED,))
