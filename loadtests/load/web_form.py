"""Locust's web form, cut down to what means something here: fields that are shown do what they say."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

_HIDDEN = ("spawnRate", "host")
_STYLE = """<style>
.MuiFormControl-root:has(> div > input[name="{name}"]) {{ display: none !important }}
.MuiAccordion-root:has(input[name="runTime"]), a[href^="https://aka.ms/"] {{ display: none !important }}
.MuiAccordion-root:has([name="rate"]) .MuiCollapse-root {{ height: auto !important; visibility: visible !important }}
</style>"""


def style(*, has_names: bool) -> str:
    """What hides the other fields, an advertisement, and the fold over our own; of parties with names, the number."""
    names = (*_HIDDEN, "userCount") if has_names else _HIDDEN
    return "\n".join(_STYLE.format(name=name) for name in names)


def complaint(form: Mapping[str, str], *, platforms: int, has_names: bool, fewest: int, url: str) -> str | None:
    """What is wrong with a form that was sent, in one line; None if nothing is.

    `platforms` play, of parties with names if `has_names`, and there are at least `fewest`, at the hub at `url`.
    """
    if has_names and form.get("user_count") != str(platforms):
        return f"the parties of this run were named with --party: the number of users stays {platforms}"
    if not has_names and not (form.get("user_count", "").isdecimal() and int(form["user_count"]) >= fewest):
        return f"the number of users is the number of platforms: a whole number, at least {fewest}"
    for name in ("rate", "duration"):
        if not _is_positive(form.get(name, "")):
            return f"{name} is a number above 0, such as 60"
    if form.get("run_time"):
        return "there is no run time beside duration: leave it empty"
    if form.get("profile"):
        return "locust's profile means nothing here: leave it empty; how partners answer is said with --profile"
    if form.get("host", url).rstrip("/") != url:
        return f"the hub of this load test is {url}; for another one, begin another load test"
    return None


def _is_positive(text: str) -> bool:
    try:
        return isfinite(float(text)) and float(text) > 0
    except ValueError:
        return False
