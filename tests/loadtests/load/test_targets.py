"""A load test is not pointed at somebody else's system."""

import pytest

from loadtests.load.targets import TargetRefused, check_target


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8001",
        "http://localhost:8001",
        "http://[::1]:8001",
        "https://10.1.2.3",
        "http://192.168.0.9:1/x",
    ],
)
def test_this_machine_and_private_networks_may_be_put_under_load(url: str) -> None:
    check_target(url, ())


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8", "https://[2001:4860:4860::8888]:1", "http://[::ffff:8.8.8.8]", "http://0.0.0.0"]
)
def test_anything_else_may_not(url: str) -> None:
    with pytest.raises(TargetRefused, match="say --i-own-this-target"):
        check_target(url, ("9.9.9.9",))


def test_what_is_ones_own_may_be() -> None:
    check_target("https://8.8.8.8:8001/x", ("8.8.8.8",))
    check_target("https://hub.example.invalid", ("HUB.example.invalid",))


@pytest.mark.parametrize("url", ["", "8.8.8.8", "ftp://127.0.0.1", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused, match="no http or https URL"):
        check_target(url, ())
