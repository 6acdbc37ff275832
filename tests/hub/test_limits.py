from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.limits import _REMEMBERED, Buckets, Limits
from hub.setting_types import RateLimit
from routing.errors import TooManyRequests


class Clock:
    """Seconds that go on when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_gives_its_burst_at_once_and_then_says_how_long_to_wait(clock: Clock) -> None:
    buckets = Buckets(RateLimit(2, 3), clock)

    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_bucket_fills_with_time_and_never_beyond_its_burst(clock: Clock) -> None:
    buckets = Buckets(RateLimit(2, 3), clock)
    for _ in range(3):
        buckets.take("a")

    clock.now += 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") == 0.5

    clock.now += 3600
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_who_is_refused_does_not_wait_longer_for_having_asked(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 1), clock)
    buckets.take("a")

    for _ in range(100):
        assert buckets.take("a") == 1
    clock.now += 1
    assert buckets.take("a") == 0


def test_looking_takes_nothing(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 1), clock)

    assert [buckets.wait("a") for _ in range(3)] == [0, 0, 0]
    buckets.take("a")
    clock.now += 0.25
    assert [buckets.wait("a") for _ in range(3)] == [0.75, 0.75, 0.75]


def test_each_key_has_a_bucket_of_its_own(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 1), clock)

    assert [buckets.take(key) for key in "abab"] == [0, 0, 1, 1]


def test_the_keys_that_were_quiet_longest_are_forgotten_first(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 1), clock)
    for key in ("quiet", "busy", *map(str, range(_REMEMBERED - 2)), "busy", "new"):
        buckets.take(key)

    assert len(buckets._buckets) == _REMEMBERED
    assert buckets.wait("busy") == 1
    assert buckets.wait("quiet") == 0


def test_a_platform_that_sends_too_much_learns_in_whole_seconds_when_to_come_again() -> None:
    limited = Limits(RateLimit(0.4, 2))
    limited.message_of("a")
    limited.message_of("a")
    limited.message_of("b")

    with pytest.raises(TooManyRequests) as refusal:
        limited.message_of("a")

    assert refusal.value.answer_headers() == {"Retry-After": "3"}


def test_without_a_rate_no_platform_sends_too_much() -> None:
    limited = Limits(None)
    for _ in range(10_000):
        limited.message_of("a")


def refused_after_ten(limited: Limits, source: str) -> None:
    """See that this address may fail ten times and no more."""
    for _ in range(10):
        limited.may_authenticate(source)
        limited.failed_authentication(source)
    with pytest.raises(TooManyRequests) as refusal:
        limited.may_authenticate(source)
    assert 1 <= refusal.value.retry_after_s <= 6


def test_an_address_may_fail_ten_times_and_then_has_to_wait() -> None:
    limited = Limits(None)

    refused_after_ten(limited, "192.0.2.1")
    limited.may_authenticate("192.0.2.2")


def test_the_addresses_of_one_ipv6_network_are_one_address() -> None:
    limited = Limits(None)

    refused_after_ten(limited, "2001:db8:0:1::1")
    with pytest.raises(TooManyRequests):
        limited.may_authenticate("2001:db8:0:1:ffff::9")
    limited.may_authenticate("2001:db8:0:2::1")


def test_ipv4_addresses_written_as_ipv6_are_addresses_of_their_own() -> None:
    limited = Limits(None)

    refused_after_ten(limited, "::ffff:192.0.2.1")
    limited.may_authenticate("::ffff:192.0.2.2")
    with pytest.raises(TooManyRequests):
        limited.may_authenticate("192.0.2.1")


def test_who_has_no_address_is_limited_too() -> None:
    refused_after_ten(Limits(None), "")


class Listener:
    """Who would tell other processes what was given out."""

    def __init__(self) -> None:
        self.heard: list[bool] = []

    def given(self, *, much: bool) -> None:
        self.heard.append(much)


def test_others_hear_of_what_is_given_out_and_at_once_of_much(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 100), clock)
    buckets.listener = listener = Listener()
    for key in "aabaaa":
        buckets.take(key)
    assert listener.heard == [False, False, True]
    buckets.take("c", 40)

    assert listener.heard == [False, False, True, True]
    assert buckets.given() == {"a": 5, "b": 1, "c": 40}
    assert buckets.given() == {}


def test_what_all_processes_have_left_counts_without_what_was_given_out_meanwhile(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 10), clock)
    buckets.listener = Listener()
    buckets.take("a")
    buckets.given()
    buckets.take("a")

    buckets.settle("a", 2)

    assert [buckets.take("a"), buckets.take("a")] == [0, 1]
    buckets.settle("a", -2)
    assert buckets.wait("a") == 5  # a token is missing, two are owed, and two were given out meanwhile


def test_what_is_refused_is_not_given_out(clock: Clock) -> None:
    buckets = Buckets(RateLimit(1, 1), clock)
    buckets.listener = Listener()
    buckets.take("a")
    buckets.take("a")

    assert buckets.given() == {"a": 1}


def test_every_limit_has_a_name_of_its_own() -> None:
    assert set(Limits(RateLimit(1, 1)).buckets) == {
        "messages",
        "broadcasts",
        "lists",
        "fan-outs",
        "failed-authentications",
    }
    assert set(Limits(None).buckets) == {"failed-authentications"}


def test_who_takes_more_than_there_is_leaves_a_debt(clock: Clock) -> None:
    buckets = Buckets(RateLimit(2, 3), clock)

    assert buckets.take("a", 10) == 0
    assert buckets.take("a") == 4
    clock.now += 4
    assert buckets.take("a") == 0


def refused_at(check: Callable[[], None]) -> tuple[int, int]:
    """How often it goes well at once, and how long one has to wait then."""
    for times in range(1000):
        try:
            check()
        except TooManyRequests as refusal:
            return times, refusal.retry_after_s
    raise AssertionError


def test_messages_that_cause_many_calls_have_limits_of_their_own() -> None:
    limited = Limits(RateLimit(1000, 1000))

    assert refused_at(lambda: limited.broadcast_of("a", 100)) == (50, 1)
    assert refused_at(lambda: limited.broadcast_of("b", 5000)) == (1, 1)
    assert refused_at(lambda: limited.broadcast_of("c", 50_000)) == (1, 91)
    assert refused_at(lambda: limited.broadcast_of("d", 0)) == (50, 1)
    assert refused_at(lambda: limited.snapshot_of("a")) == (10, 6)
    assert refused_at(lambda: limited.fan_out_of("a")) == (5, 1)
    limited.message_of("a")


def test_without_a_rate_nothing_causes_too_many_calls() -> None:
    limited = Limits(None)
    for _ in range(100):
        limited.broadcast_of("a", 10_000)
        limited.snapshot_of("a")
        limited.fan_out_of("a")
