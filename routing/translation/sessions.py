"""Session. OCPI 2.1.1, 2.2.1 and 2.3.0, "Sessions". 2.2 has it as 2.2.1 does, except for its CdrToken.

=============================  ====================  ==========================  ==============
member                         2.1.1                 2.2, 2.2.1                  2.3.0
=============================  ====================  ==========================  ==============
owner                          in the URL only       `country_code`, `party_id`  the same
times                          `start_`,             `start_`, `end_date_time`   the same
                               `end_datetime`
who pays                       `auth_id`             `cdr_token`                 its type is open
where                          `location`            `location_id`, `evse_uid`,  the same
                                                     `connector_id`
`authorization_reference`      -                     optional                    the same
`auth_method` `COMMAND`        -                     yes                         yes
`status` `RESERVATION`         -                     yes                         yes
`total_cost`                   number without VAT    Price                       Price with taxes
`charging_periods` in a PATCH  replace the old ones  come after the old ones     the same
=============================  ====================  ==========================  ==============

The times of a charging period are spelled `start_date_time` in all versions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from routing.errors import Untranslatable
from routing.timestamps import read_timestamp
from routing.translation import cdr_tokens, charging_periods, prices
from routing.translation.authorization_references import refer_to_authorization
from routing.translation.cdr_tokens import auth_id_to_token, token_to_auth_id
from routing.translation.crossing import Crossing, Json
from routing.translation.embedded_locations import held_by_receiver, ids_to_location, location_to_ids, tariff_at
from routing.translation.fields import add_last_updated, drop, each, inside, kept, moments, only_valid, renamed, replace
from routing.translation.identifiers import LONGEST
from routing.vocabulary import Version

_NEWER_NAMES: Final = {
    "start_datetime": "start_date_time",
    "end_datetime": "end_date_time",
    "auth_id": "cdr_token",
    "location": "location_id",
}
_OLDER_NAMES: Final = {new: old for old, new in _NEWER_NAMES.items()}
_NEWER_MOMENTS: Final = ("start_date_time", "end_date_time", "last_updated")
_OLDER_MOMENTS: Final = ("start_datetime", "end_datetime", "last_updated")
_OWNER: Final = {"country_code": "L-01", "party_id": "L-01"}
_LOST_IN_2_1_1: Final = {"country_code": "L-06", "party_id": "L-06", "authorization_reference": "L-33"}
_REBUILT: Final = ("cdr_token", "location_id", "evse_uid", "connector_id")
_OLDER_METHODS: Final = {"COMMAND": "AUTH_REQUEST"}
_OLDER_STATUSES: Final = {"RESERVATION": "PENDING", "RESERVED": "PENDING"}
"""The text of 2.2.1 says RESERVED in one place where it means RESERVATION."""
_PRICES: Final = ("total_cost",)
_PERIODS: Final = "charging_periods"


def _is_id(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= LONGEST


_NEWER_MEMBERS: Final = {"authorization_reference": _is_id}


# ------------------------------------------------------------------------------------------------ 2.1.1 and 2.2.1


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1. A PATCH may become a PUT of the whole Session.

    Raises:
        Untranslatable: it does not say whose or where it is, or an id is too long, or its charging periods replace
            some that cannot be read.
        UnknownReceiver: nobody can be named as the one who pays.
    """
    session = renamed(body, _NEWER_NAMES)
    if crossing.patch:
        drop(session, _OWNER, crossing)
        only_valid(session, _NEWER_MEMBERS, crossing)
    else:
        session["country_code"], session["party_id"] = crossing.owner
    session_id = _session_id(body, crossing)
    auth_id_to_token(session, crossing, session_id)
    place = location_to_ids(session, crossing)
    prices.number_to_price(session, "total_cost")
    moments(session, _NEWER_MOMENTS, crossing)
    if crossing.patch:
        return _with_periods_of_patch(session, tariff_at(place), crossing)
    refer_to_authorization(session, session_id, session["location_id"], crossing)
    charging_periods.all_from_2_1_1(session, tariff_at(place), crossing)
    return session


def _with_periods_of_patch(session: Json, tariff_id: str | None, crossing: Crossing) -> Json:
    replaced = None
    if crossing.origin.quirks.patch_periods == "auto":
        replaced = _append_periods(session, tariff_id, crossing)
    else:
        charging_periods.all_from_2_1_1(session, tariff_id, crossing)
    add_last_updated(session, crossing)
    return session if replaced is None else {**replaced, **session}


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1.

    Raises:
        Untranslatable: it does not say whose or where it is.
    """
    session, wanted = renamed(body, _OLDER_NAMES), kept("session", crossing)
    drop(session, _LOST_IN_2_1_1, crossing, "session")
    moments(session, _OLDER_MOMENTS, crossing)
    token_to_auth_id(session, crossing)
    ids_to_location(session, crossing)
    replace(session, "auth_method", _OLDER_METHODS, "L-32", crossing)
    replace(session, "status", _OLDER_STATUSES, "L-38", crossing)
    prices.price_to_number(session, "total_cost", crossing)
    if crossing.patch:
        _replace_periods(session, crossing)
    else:
        each(session, _PERIODS, charging_periods.to_2_1_1, crossing)
    if wanted:
        session.update({name: body[name] for name in _REBUILT if name in wanted and name in body})
    return session


def _session_id(body: Json, crossing: Crossing) -> str | None:
    own = body.get("id")
    if type(own) is str and own:
        return own
    return crossing.object_ids[-1] if crossing.object_ids else None


# ------------------------------------------------------------------------------ charging periods in a PATCH of 2.1.1


def _replace_periods(session: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1: the periods that are new, after those that the receiver has.

    The new ones alone would erase what the receiver knows.
    """
    new = session.get(_PERIODS)
    if new is None or new == []:
        session.pop(_PERIODS, None)
        return
    if type(new) is not list:
        return
    held = held_by_receiver(crossing, Version.V2_1_1)
    if held is None:
        del session[_PERIODS]
        crossing.lose("L-43", f"/{_PERIODS}")
        return
    each(session, _PERIODS, charging_periods.to_2_1_1, crossing)
    session[_PERIODS] = [*_periods_of(held), *session[_PERIODS]]


def _append_periods(session: Json, tariff_id: str | None, crossing: Crossing) -> Json | None:
    """2.1.1 to 2.2.1: of the periods, those that the receiver does not have yet.

    CPOs send all the periods of a Session, or only new ones, or a last one again that has grown: joined with what the
    receiver has by when they start, all come to the same. Where the receiver has to forget a period, only a PUT of the
    whole Session does it; the receiver's own is then returned.

    Raises:
        Untranslatable: what the receiver has cannot be read.
    """
    if _PERIODS not in session or not (session[_PERIODS] is None or type(session[_PERIODS]) is list):
        return None
    held = held_by_receiver(crossing, Version.V2_2_1)
    if held is None:
        raise Untranslatable(
            "RF-17", "the Session that charging_periods belong to cannot be read", ocpi_status=2000, http_status=404
        )
    old = _periods_of(held)
    if tariff_id is None and old:
        tariff_id = old[-1].get("tariff_id")
    charging_periods.all_from_2_1_1(session, tariff_id, crossing)
    joined = _joined(old, _periods_of(session), session.get("start_date_time"))
    if not _begins_with(joined, old):
        session[_PERIODS] = joined
        crossing.put = True
        return held
    session[_PERIODS] = joined[len(old) :]
    if not session[_PERIODS]:
        del session[_PERIODS]
    return None


def _periods_of(session: Json) -> list[Json]:
    periods = session.get(_PERIODS)
    return [each_one for each_one in periods if type(each_one) is dict] if type(periods) is list else []


def _joined(old: list[Json], new: list[Json], session_start: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    """The old periods from before the first new one, and the new ones."""
    starts = [start for period in new if (start := _moment(period.get("start_date_time"))) is not None]
    if not starts:
        return new
    first, begin = min(starts), _moment(session_start)
    return [period for period in old if _is_between(begin, _moment(period.get("start_date_time")), first)] + new


def _is_between(begin: datetime | None, moment: datetime | None, end: datetime) -> bool:
    return moment is not None and (begin is None or begin <= moment) and moment < end


def _moment(text: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    try:
        return read_timestamp(text) if type(text) is str else None
    except ValueError:
        return None


def _begins_with(joined: list[Json], old: list[Json]) -> bool:
    return len(old) <= len(joined) and all(_is_same(*pair) for pair in zip(old, joined, strict=False))


def _is_same(one: Json, other: Json) -> bool:
    """Whether two periods start at one moment with the same quantities, whatever their spelling and order."""
    starts = _moment(one.get("start_date_time")), _moment(other.get("start_date_time"))
    return starts[0] == starts[1] and _quantities(one) == _quantities(other)


def _quantities(period: Json) -> list[tuple[str, Any]]:
    dimensions = period.get("dimensions")
    found = [each_one for each_one in dimensions if type(each_one) is dict] if type(dimensions) is list else []
    return sorted(((str(each_one.get("type")), each_one.get("volume")) for each_one in found), key=lambda pair: pair[0])


# ------------------------------------------------------------------------------------------------ 2.2 and 2.2.1


def from_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2 to 2.2.1.

    Raises:
        Untranslatable: nobody knows whose Token it was.
    """
    session = body.copy()
    inside(session, "cdr_token", cdr_tokens.from_2_2, crossing)
    return session


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2."""
    session = body.copy()
    inside(session, "cdr_token", cdr_tokens.to_2_2, crossing)
    return session


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1.

    Raises:
        Untranslatable: an amount of `total_cost` cannot be used.
    """
    session = body.copy()
    prices.from_2_3_0(session, _PRICES, crossing)
    inside(session, "cdr_token", cdr_tokens.from_2_3_0, crossing)
    each(session, _PERIODS, charging_periods.from_2_3_0, crossing)
    return session


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0.

    Raises:
        Untranslatable: an amount of `total_cost` cannot be used.
    """
    session = body.copy()
    prices.to_2_3_0(session, _PRICES, crossing)
    inside(session, "cdr_token", cdr_tokens.to_2_3_0, crossing)
    return session
