"""How numbers, times and partners' texts stand on a page: the filters of the templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from markupsafe import Markup, escape

UNKNOWN: Final = "\N{EN DASH}"
"""Never to be mistaken for nought."""
ZONE_COOKIE: Final = "zone"
_LONGEST: Final = 500
# Control characters, and those that show nothing or turn the text around them.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_FORMS: Final = {
    "moment": "%-d %b %H:%M",
    "year": "%-d %b %Y %H:%M",
    "second": "%-d %b %H:%M:%S",
    "full": "%-d %b %Y, %H:%M:%S %Z",
    "clock": "%H:%M:%S.%f",
    "minute": "%H:%M",
}
_MANY: Final = 100_000


def number(value: float | None) -> str:
    """`74,318`, and `118k` from a hundred thousand on."""
    if value is None:
        return UNKNOWN
    if value >= _MANY:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}"


def share(value: float | None) -> str:
    """`97.4 %` of a number from 0 to 1."""
    return UNKNOWN if value is None else f"{value * 100:.3g} %"


def milliseconds(value: float | None) -> str:
    """`0.4 ms`, `482 ms`, `2.94 s`, `4 min 10 s`, `3 d`."""
    if value is None:
        return UNKNOWN
    if 0 < value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 1000 else duration(value / 1000)


def duration(seconds: float | None) -> str:
    """`2.94 s`, `4 min 10 s`, `2 h 5 min`, `3 d`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d"


@jinja2.pass_context
def moment(context: jinja2.runtime.Context, value: str | datetime | None, form: str = "moment") -> Markup:
    """A time in the reader's zone, which the element has in UTC, too; with the year where it is not this one."""
    if value is None:
        return Markup(UNKNOWN)  # noqa: S704 - a constant
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    zone = zone_named(context.get("zone"))
    local = at.astimezone(zone)
    if form == "moment" and local.year != datetime.now(zone).year:
        form = "year"
    text = local.strftime(_FORMS[form])
    if form == "clock":
        text = text[:-3]
    exact = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, text)


@lru_cache(64)
def zone_named(name: str | None) -> ZoneInfo:
    """The reader's time zone, from a cookie anybody may have written."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def event_heading(event: Mapping[str, Any]) -> Markup:
    """What happened to whom: `Roam is offline`."""
    title, name = str(event["title"]), event["platform"] or event["platform_id"]
    if not name:
        return escape(title)
    about = next((each for each in _SOMEBODY if title.startswith(each)), None)
    if about is None:
        return _ABOUT.format(partner_text(name, _LONGEST_NAME), title)
    return _WITH.format(partner_text(name, _LONGEST_NAME), title.removeprefix(about))


def event_predicate(event: Mapping[str, Any]) -> str:
    """The same beside an event about the same partner, without its name: `is offline`."""
    title = str(event["title"])
    return next((title.removeprefix(each) for each in _SOMEBODY if title.startswith(each)), title)


def partner_text(value: object, limit: int = _LONGEST) -> Markup:
    """Text that somebody else wrote: cut, its hidden characters named, kept from turning what stands around it."""
    if value is None or value == "":
        return Markup(UNKNOWN)  # noqa: S704 - a constant
    text = str(value)
    cut = text[:limit]
    parts, last = [], 0
    for hidden in _HIDDEN.finditer(cut):
        parts += [escape(cut[last : hidden.start()]), _NAMED.format(ord(hidden[0]))]
        last = hidden.end()
    parts.append(escape(cut[last:]))
    if len(text) > limit:
        parts.append(_LENGTH.format(limit, len(text)))
    return _ISOLATED.format(Markup().join(parts))


_NAMED: Final = Markup('<span class="rule">U+{:04X}</span>')
_LENGTH: Final = Markup('… <span class="faint">({} of {} characters)</span>')
_SOMEBODY: Final = ("A partner ", "A platform ")
_LONGEST_NAME: Final = 100
_ABOUT: Final = Markup("{}: {}")
_WITH: Final = Markup("{} {}")
_ISOLATED: Final = Markup("<bdi>{}</bdi>")

FILTERS: Final = {
    "number": number,
    "share": share,
    "milliseconds": milliseconds,
    "duration": duration,
    "moment": moment,
    "event_heading": event_heading,
    "event_predicate": event_predicate,
    "partner_text": partner_text,
}
