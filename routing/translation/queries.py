"""The query of a request in the receiver's version, and the Token that its URL means.

======================  ==================================  ==================================================
parameter               2.1.1                               2.2, 2.2.1, 2.3.0
======================  ==================================  ==================================================
`type` of a Token       only of authorize, where the text   the same everywhere; RFID where there is none, and
                        also calls it `token_type`          open in 2.3.0
`date_from`             later than                          at or later than
======================  ==================================  ==================================================

Everything else is left as it came. OCPI 2.1.1, 2.2.1 and 2.3.0, "Tokens" and "Transport and format", Pagination.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from routing.modules import Operation
from routing.timestamps import read_timestamp, write_seconds
from routing.translation import tokens
from routing.translation.crossing import Crossing, Json
from routing.translation.fields import replace
from routing.translation.questions import TokensOfUid
from routing.vocabulary import ModuleID, Version

_TYPE: Final = "type"
_TYPE_IN_2_1_1: Final = "token_type"
_SECOND: Final = timedelta(seconds=1)
_NO_TIME: Final = timedelta()
_TO_SECONDS: Final = len("2015-06-29T20:39:09")
_FRACTION: Final = re.compile(r"[.,][0-9]+")


class _Typed(Struct):
    type: Any = None


_typed: Final = msgspec.json.Decoder(_Typed).decode


def query_to(query: str, operation: Operation, body: bytes | None, crossing: Crossing) -> str:
    """The query of a request in the version it goes to, without the question mark.

    `body` is that of the request as it came: a Token that is pushed says its own type. Requests about Tokens have to
    pass here even when they have no query, because it is the URL that says which Token is meant.

    Raises:
        Untranslatable: the URL would mean another Token in the receiver's version.
    """
    if operation.module == ModuleID.TOKENS and not operation.paged:
        return _of_token(query, operation, _type_in(body) if operation.owned else None, crossing)
    if operation.paged and query and crossing.destination.version is Version.V2_1_1:
        return list_query(query, no_fraction=crossing.destination.quirks.no_fraction)
    return query


def token_type_in(query: str) -> str | None:
    """The Token type that a query names, in the words of whoever wrote it."""
    parts = query.split("&") if query else []
    return _value(parts, _TYPE) or _value(parts, _TYPE_IN_2_1_1)


# Which Token


def _of_token(query: str, operation: Operation, pushed: str | None, crossing: Crossing) -> str:
    parts = query.split("&") if query else []
    from_2_1_1 = crossing.origin.version is Version.V2_1_1
    if from_2_1_1 and not operation.owned:
        parts = _renamed(parts)
    named = _value(parts, _TYPE)
    if operation.owned:
        _check(named or pushed or tokens.RFID, operation, crossing)
        if crossing.destination.version is Version.V2_1_1:
            return _without_type(parts, crossing)
        if from_2_1_1:
            named = named or pushed or _remembered_type(crossing)
    if named is not None:
        parts = _with_type(parts, _translated(named, crossing, in_body=pushed is not None))
    return "&".join(parts)


def _check(token_type: str, operation: Operation, crossing: Crossing) -> None:
    uid, method = _uid(crossing), operation.method
    if crossing.origin.version is Version.V2_3_0 and method != "GET":
        tokens.refuse_unless_alone(token_type, crossing, uid)
    if crossing.destination.version is Version.V2_1_1:
        tokens.refuse_unless_shown(
            token_type, crossing, uid, is_there=method == "PUT", http_status=404 if method == "GET" else 200
        )


def _translated(token_type: str, crossing: Crossing, *, in_body: bool) -> str:
    token: Json = {"type": token_type}
    mark, source, target = len(crossing.losses), crossing.origin.version, crossing.destination.version
    if source is Version.V2_3_0:
        tokens.older_type(token, crossing)
    if target is Version.V2_1_1:
        replace(token, "type", tokens.TYPE_IN_2_1_1, "L-70", crossing)
    if target is Version.V2_3_0:
        tokens.newer_type(token, crossing, crossing.owner, _uid(crossing))
    elif source is Version.V2_1_1:
        tokens.restore_type(token, crossing, crossing.owner, _uid(crossing))
    if in_body:
        del crossing.losses[mark:]  # the body tells the same
    return str(token["type"])


def _type_in(body: bytes | None) -> str | None:
    try:
        token_type = _typed(body).type if body else None
    except msgspec.DecodeError:
        return None
    return token_type if type(token_type) is str else None


def _remembered_type(crossing: Crossing) -> str | None:
    """The type of the Token that a 2.1.1 eMSP means by its uid: what it last had there."""
    uid = _uid(crossing)
    known = crossing.ask(TokensOfUid(crossing.owner, uid)) if uid is not None else None
    return max(known, key=lambda token: token.last_updated).type if known else None


def _uid(crossing: Crossing) -> str | None:
    return crossing.object_ids[0] if crossing.object_ids else None


def _with_type(parts: list[str], token_type: str) -> list[str]:
    """The parameters with this type, at its place if there is one. RFID is not said where nothing was said."""
    if _value(parts, _TYPE) is None:
        return parts if token_type == tokens.RFID else [*parts, f"{_TYPE}={quote(token_type, safe='')}"]
    return [
        part if _name(part) != _TYPE or _text(part) == token_type else f"{_TYPE}={quote(token_type, safe='')}"
        for part in parts
    ]


def _without_type(parts: list[str], crossing: Crossing) -> str:
    others = [part for part in parts if _name(part) != _TYPE]
    if len(others) < len(parts):
        crossing.lose("L-77", "?type")
    return "&".join(others)


def _renamed(parts: list[str]) -> list[str]:
    """The parameters of an authorize of 2.1.1 with the name that both texts can read."""
    if _value(parts, _TYPE) is not None:
        return [part for part in parts if _name(part) != _TYPE_IN_2_1_1]
    return [_TYPE + part.removeprefix(_TYPE_IN_2_1_1) if _name(part) == _TYPE_IN_2_1_1 else part for part in parts]


# Which time


def list_query(query: str, *, no_fraction: bool) -> str:
    """The query of a list as a partner of 2.1.1 has to get it, so that it misses nothing of the time asked for."""
    return "&".join(_moment_in(part, no_fraction=no_fraction) for part in query.split("&"))


def _moment_in(part: str, *, no_fraction: bool) -> str:
    """2.1.1 leaves out what was updated exactly at `date_from`. One second earlier, nothing is missed."""
    name, written = _name(part), _text(part)
    if name == "date_from":
        moment = _shifted(written, -_SECOND, no_fraction=no_fraction)
    elif name == "date_to" and no_fraction:
        fraction = _FRACTION.match(written, _TO_SECONDS)
        moment = _shifted(written, _SECOND if fraction and fraction[0].strip(".,0") else _NO_TIME, no_fraction=True)
    else:
        return part
    return part if moment == written else f"{name}={quote(moment, safe=':')}"


def _shifted(written: str, by: timedelta, *, no_fraction: bool) -> str:
    """The moment, this much later, spelled as it was. What is no moment stays what it is."""
    seconds, rest = written[:_TO_SECONDS], written[_TO_SECONDS:]
    if no_fraction:
        rest = _FRACTION.sub("", rest, count=1)
    try:
        moment = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - the zone is in the rest, as text
        return (moment + by).isoformat() + rest
    except (ValueError, OverflowError):
        pass
    try:
        return write_seconds(read_timestamp(written) + by)
    except (ValueError, OverflowError):
        return written


# Parameters, as they are written


def _name(part: str) -> str:
    return unquote(part.partition("=")[0])


def _text(part: str) -> str:
    return unquote(part.partition("=")[2])


def _value(parts: list[str], name: str) -> str | None:
    """The first value of this parameter; an empty one is none."""
    return next((text for part in parts if _name(part) == name and (text := _text(part))), None)
