"""How simulated partners are: what a person may write, and what luck makes of it."""

from __future__ import annotations

import statistics
from itertools import pairwise
from random import Random

import pytest

from loadtests.simulator.latency import Constant, Distribution, Lognormal, Uniform, read_distribution
from loadtests.simulator.misbehaviour import FAST, RESETTING
from loadtests.simulator.profiles import PROFILES, Mood, Outage, Profile, read_outage, read_profile, read_share


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("constant:80ms", Constant(0.08)),
        ("constant:3s", Constant(3)),
        ("uniform:50ms-200ms", Uniform(0.05, 0.2)),
        ("lognormal:80ms", Lognormal(0.08, 0.5)),
        ("lognormal:1.5s,0.8", Lognormal(1.5, 0.8)),
    ],
)
def test_a_distribution_is_written_in_words(text: str, meant: Distribution) -> None:
    assert read_distribution(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "80ms",
        "gamma:80ms",
        "constant:",
        "constant:80",
        "constant:-80ms",
        "constant:80 ms",
        "constant:1e3s",
        "constant:nans",
        "uniform:80ms",
        "uniform:200ms-50ms",
        "uniform:50ms-200ms-300ms",
        "lognormal:0s",
        "lognormal:80ms,",
        "lognormal:80ms,-1",
        "lognormal:80ms,inf",
        "lognormal:80ms\n",
    ],
)
def test_what_is_no_distribution_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as refused:
        read_distribution(text)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "quick", "outage", "outage 60s", "outage 5m every 60s", "outage 0s every 5m"])
def test_what_is_no_profile_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read_profile(text)


@pytest.mark.parametrize("text", ["", "1", "101%", "-1%", "1e1%", "nan%"])
def test_what_is_no_share_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"^'[^\n]* is no share like 1%$"):
        read_share(text)


def test_shares_and_outages_are_read() -> None:
    assert (read_share("1%"), read_share("0.5%"), read_share("100%")) == (0.01, 0.005, 1)
    assert read_outage("60s every 5m") == read_profile("outage 60s every 5m").outage == Outage(60, 300)


def test_the_same_seed_draws_the_same_latencies() -> None:
    drawn = [[Lognormal(0.08).drawn(dice) for _ in range(5)] for dice in (Random("1"), Random("1"), Random("2"))]

    assert drawn[0] == drawn[1] != drawn[2]
    assert [round(seconds * 1000) for seconds in drawn[0]] == EXACT_MS


EXACT_MS = [78, 134, 35, 79, 107]


def test_a_lognormal_latency_has_its_median_and_its_tail() -> None:
    dice = Random("1")
    drawn = [Lognormal(0.08, 0.5).drawn(dice) for _ in range(20_000)]

    assert statistics.median(drawn) == pytest.approx(0.08, rel=0.02)
    assert statistics.quantiles(drawn, n=20)[-1] == pytest.approx(0.08 * 2.276, rel=0.03)


def test_a_partner_fails_as_often_as_its_profile_says_and_the_same_seed_at_the_same_requests() -> None:
    moods = [Mood(PROFILES["flaky"], seed) for seed in ("1", "1", "2")]
    met = [[mood.next() is not FAST for _ in range(10_000)] for mood in moods]

    assert met[0] == met[1] != met[2]
    assert 400 < sum(met[0]) < 600


def test_failing_partners_are_no_faster_than_others() -> None:
    assert Mood(Profile(Constant(3), errors=1), "1").next().delay_s == 3


def test_an_outage_lasts_as_long_and_comes_as_often_as_it_should() -> None:
    now = 1000.0
    mood = Mood(read_profile("outage 60s every 5m"), "1", lambda: now)
    away = []
    for _ in range(3000):
        away.append(mood.next() is RESETTING)
        now += 1

    assert not away[0]
    assert sum(away) == 10 * 60
    begins = [second for second in range(1, 3000) if away[second] and not away[second - 1]]
    assert {later - earlier for earlier, later in pairwise(begins)} == {300}


def test_partners_of_one_seed_are_away_at_times_of_their_own() -> None:
    now = 0.0
    moods = [Mood(read_profile("outage 60s every 5m"), f"1 {number}", lambda: now) for number in range(500)]
    now = 10_000.0

    assert 60 < sum(mood.away for mood in moods) < 140
