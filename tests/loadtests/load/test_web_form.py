"""What the web pages of a load test take, and what they say to the rest."""

import pytest

from loadtests.load.web_form import complaint, style

URL = "http://127.0.0.1:8001"
FORM = {"user_count": "4", "spawn_rate": "4", "rate": "10", "duration": "60", "shape": "steady", "host": URL}


def said(changes: dict[str, str], *, has_names: bool = False) -> str | None:
    return complaint({**FORM, **changes}, platforms=4, has_names=has_names, fewest=2, url=URL)


def test_a_form_with_what_can_be_chosen_is_taken() -> None:
    assert said({}) is None
    assert said({"user_count": "6", "rate": "0.5", "run_time": "", "profile": ""}) is None
    assert said({}, has_names=True) is None


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("user_count", "1", "at least 2"),
        ("user_count", "four", "a whole number"),
        ("rate", "0", "rate is a number above 0"),
        ("duration", "30s", "duration is a number above 0"),
        ("duration", "inf", "duration is a number above 0"),
        ("run_time", "20s", "no run time beside duration"),
        ("profile", "slow", "said with --profile"),
        ("host", "http://10.0.0.1", f"the hub of this load test is {URL}"),
    ],
)
def test_anything_else_is_refused_in_one_line(field: str, value: str, text: str) -> None:
    assert text in str(said({field: value}))


def test_parties_with_names_are_as_many_as_they_are() -> None:
    assert said({"user_count": "6"}, has_names=True) == (
        "the parties of this run were named with --party: the number of users stays 4"
    )
    assert 'name="userCount"' in style(has_names=True)
    assert 'name="userCount"' not in style(has_names=False)
