"""Countries and their time zones."""

from __future__ import annotations

import zoneinfo

import pytest

from routing.translation import countries
from routing.translation.countries import ALPHA_3, nearest_zone, only_zone


def test_every_country_of_iso_3166_has_both_codes() -> None:
    assert len(ALPHA_3) == len(set(ALPHA_3.values())) == 249
    assert all(len(code) == 2 and len(longer) == 3 for code, longer in ALPHA_3.items())


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("NLD", "Europe/Amsterdam"),
        ("FRA", "Europe/Paris"),
        ("BEL", "Europe/Brussels"),
        ("AUT", "Europe/Vienna"),
        ("CHE", "Europe/Zurich"),
        ("GBR", "Europe/London"),
        ("NL", "Europe/Amsterdam"),
    ],
)
def test_a_country_with_one_zone_has_no_other(country: str, zone: str) -> None:
    assert only_zone(country) == zone


@pytest.mark.parametrize(("country", "zone"), [("DEU", "Europe/Berlin"), ("ARG", "America/Argentina/Buenos_Aires")])
def test_a_country_whose_zones_share_a_clock_needs_only_one(country: str, zone: str) -> None:
    assert only_zone(country) == zone


@pytest.mark.parametrize("country", ["USA", "ESP", "PRT", "XXX", ""])
def test_a_country_with_several_clocks_or_none_that_is_known_has_no_single_zone(country: str) -> None:
    assert only_zone(country) is None


@pytest.mark.parametrize(
    ("country", "latitude", "longitude", "zone"),
    [
        ("ESP", 40.4, -3.7, "Europe/Madrid"),
        ("ESP", 28.1, -15.4, "Atlantic/Canary"),
        ("PRT", 32.6, -16.9, "Atlantic/Madeira"),
        ("USA", 34.05, -118.24, "America/Los_Angeles"),
        ("US", 21.3, -157.9, "Pacific/Honolulu"),
        ("RUS", 66.0, -170.0, "Asia/Anadyr"),
    ],
)
def test_the_nearest_zone_is_found_also_across_the_date_line(
    country: str, latitude: float, longitude: float, zone: str
) -> None:
    assert nearest_zone(country, latitude, longitude) == zone


def test_an_unknown_country_has_no_nearest_zone() -> None:
    assert nearest_zone("XXX", 0.0, 0.0) is None


@pytest.mark.skipif(not zoneinfo.available_timezones(), reason="this machine has no time zone database")
def test_every_zone_is_one_of_the_time_zone_database() -> None:
    named = {zone.name for zones in countries._zones().values() for zone in zones}
    assert len(named) > 400
    assert named | set(countries._ONE_CLOCK.values()) <= zoneinfo.available_timezones()
