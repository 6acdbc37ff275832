"""The little the hub reads of a body it only carries: is it JSON, whose object is it, which one.

A body between partners of one version goes on as the bytes that came. What is read here decides whether
it goes on at all, so everything that two readers could understand differently is refused.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec
from msgspec import Raw

from routing.errors import InvalidParameters, NoSuchPath, UnreadableBody
from routing.modules import Body, Operation
from routing.vocabulary import ModuleID, Party

MAX_DEPTH: Final = 64
_DECIDING: Final = frozenset(
    {
        "id",
        "uid",
        "request_id",
        "country_code",
        "party_id",
        "last_updated",
        "response_url",
        "token",
        "tokens",
        "cdr_token",
    }
)
"""Fields the hub decides on. A second one of the same name would be a second truth."""
_BOM: Final = b"\xef\xbb\xbf"
_NOT_MARKS: Final = bytes(set(range(256)) - set(b'[]{}"'))
_STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

Members = dict[str, Raw]
"""The top-level members of a JSON object, each value unread."""

_members = msgspec.json.Decoder(Members)
_raw = msgspec.json.Decoder(Raw)
_list = msgspec.json.Decoder(list[Raw])
_string = msgspec.json.Decoder(str)


def without_bom(body: bytes) -> bytes:
    """The body without the byte order mark that some partners put in front."""
    return body.removeprefix(_BOM)


def check_charset(content_type: bytes | None) -> None:
    """Refuse a Content-Type that names another charset than UTF-8. "Transport and format", JSON/HTTP.

    Raises:
        UnreadableBody: it does.
    """
    if content_type is None or b"charset" not in content_type.lower():
        return
    match = re.search(rb'charset\s*=\s*"?([^\s";]+)', content_type, re.IGNORECASE)
    if match is None or match[1].lower() not in {b"utf-8", b"utf8", b"us-ascii"}:
        raise UnreadableBody("Bodies are JSON in UTF-8; Content-Type names another charset")


def read_members(body: bytes) -> Members:
    """The top-level members of the JSON object in `body`.

    Raises:
        UnreadableBody: not UTF-8, not JSON, deeper than 64, or two members of one name that the hub decides on.
        InvalidParameters: JSON, but not an object.
    """
    if not body.isascii():
        _check_utf8(body)
    try:
        members = _members.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unreadable(body, error) from error
    # What is deep has many brackets. To take them out and see what is left takes a third of what `count` takes.
    if 2 * len(body) - len(body.replace(b"[", b"")) - len(body.replace(b"{", b"")) > MAX_DEPTH:
        _check_depth(body)
    _check_unique(body, members)
    return members


def is_bare(body: bytes) -> bool:
    """Whether the body is JSON, and no object.

    Raises:
        UnreadableBody: it is no JSON.
    """
    if body.lstrip()[:1] == b"{":
        return False
    try:
        _raw.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableBody("The body is not well-formed JSON") from error
    return True


def is_absent(body: bytes) -> bool:
    """Whether there is no object: nothing, blanks or null."""
    return body.strip() in (b"", b"null")


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise UnreadableBody("The body is not UTF-8") from error


def _unreadable(body: bytes, error: Exception) -> UnreadableBody | InvalidParameters:
    if isinstance(error, msgspec.ValidationError):
        try:
            _raw.decode(body)
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            return InvalidParameters("The body is not a JSON object")
    if isinstance(error, RecursionError):
        return UnreadableBody(f"The body is nested deeper than {MAX_DEPTH}")
    return UnreadableBody("The body is not well-formed JSON")


def _check_depth(body: bytes) -> None:
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A bracket counts where an even number of quotes stands before it, and two quotes side by side change no count.
    marks = body.translate(None, _NOT_MARKS).replace(b'""', b"")
    brackets = b"".join(marks.split(b'"')[::2])
    if max(accumulate(map(_STEP.__getitem__, brackets))) > MAX_DEPTH:
        raise UnreadableBody(f"The body is nested deeper than {MAX_DEPTH}")


def _check_unique(body: bytes, members: Members) -> None:
    values = b"".join(members.values())
    # Where nobody put blanks or escapes, a member takes four marks beside its name and its value, and the object one.
    # So if the members left explain every byte, none was lost.
    if len(body) == len("".join(members)) + len(values) + 4 * len(members) + 1:
        return
    # Every comma outside of the values separates two members, or is part of a name. So if there are no more than the
    # members left need, none was lost. Counting is some twenty times cheaper than reading the names one by one.
    if body.count(b",") == values.count(b",") + max(len(members) - 1, 0):
        return
    twice = {name for name, times in Counter(_names(body)).items() if times > 1} & _DECIDING
    if twice:
        raise UnreadableBody(f"The body has more than one {min(twice)!r}")


def _names(body: bytes) -> list[str]:
    """The names of the top-level members, in order and with repetitions."""
    names: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        names[:] = [name for name, _ in pairs]  # the outermost object comes last

    json.loads(body, object_pairs_hook=keep, parse_int=str, parse_float=str)
    return names


def text(members: Members, name: str) -> str | None:
    """The member as text, anything but a string as it is written; None when absent, null, [] or the mark "no data"."""
    value = members.get(name)
    if value is None:
        return None
    try:
        read = _string.decode(value)
    except msgspec.ValidationError:
        written = bytes(value)
        return None if written in (b"null", b"[]") else written.decode()
    return None if read == "#NA" else read


def check_body(operation: Operation, rule: Body, members: Members, segments: tuple[str, ...], query: str) -> None:
    """Check an object against the path it was sent to. "Transport and format", Errors; "Client Owned Objects".

    Ids are compared as CiStrings; what the object leaves out is not compared.

    Raises:
        InvalidParameters: it contradicts the path, or lacks what this operation demands.
    """
    for name in rule.required:
        if not text(members, name):
            raise InvalidParameters(f"The object lacks {name!r}")
    if rule.ids:
        _check_ids(operation, rule, members, segments)
    if rule.owner and operation.owned:
        owner = owner_in_path(segments)
        _check_same(members, "country_code", owner.country_code)
        _check_same(members, "party_id", owner.party_id)
    if operation.module == ModuleID.TOKENS and operation.owned and query:
        for asked in parse_qs(query).get("type", []):
            _check_same(members, "type", asked)


def _check_ids(operation: Operation, rule: Body, members: Members, segments: tuple[str, ...]) -> None:
    wrong: tuple[str, str] | None = None
    for field, segment in rule.ids:
        expected = unquote(segments[operation.path.index(segment)])
        value = text(members, field)
        if value is not None:
            if value.upper() == expected.upper():
                return
            wrong = wrong or (field, segment)
    if wrong is not None:
        field, segment = wrong
        raise InvalidParameters(f"{field!r} in the body is not the {segment.strip('{}')} of the URL")


def _check_same(members: Members, name: str, expected: str) -> None:
    value = text(members, name)
    if value is not None and value.upper() != expected.upper():
        raise InvalidParameters(f"{name!r} in the body is not the one of the URL")


def owner_in(members: Members) -> Party | None:
    """The owner an object names in its `country_code` and `party_id`, if it names both."""
    country_code, party_id = text(members, "country_code"), text(members, "party_id")
    if country_code is None or party_id is None:
        return None
    return Party.read(country_code, party_id)


def owners_of_tokens(members: Members) -> list[Party]:
    """The owners of the tokens that a command or a booking request carries, as far as it names them.

    Raises:
        UnreadableBody: a token names its owner twice.
    """
    found = [bytes(members[name]) for name in ("token", "tokens") if name in members]
    tokens = [bytes(token) for value in found for token in _one_or_many(value)]
    owners = [owner_in(read_members(token)) for token in tokens if token.startswith(b"{")]
    return [owner for owner in owners if owner is not None]


def _one_or_many(value: bytes) -> list[Raw]:
    return _list.decode(value) if value.startswith(b"[") else [Raw(value)]


def owner_in_path(segments: tuple[str, ...]) -> Party:
    """The owner that the first two segments of a client-owned path name.

    Raises:
        NoSuchPath: they name nobody, because they hide a slash.
    """
    return _owner(segments[0], segments[1])


@lru_cache(maxsize=16_384)
def _owner(country_code: str, party_id: str) -> Party:
    country_code, party_id = unquote(country_code), unquote(party_id)
    if "/" in country_code or "/" in party_id:
        raise NoSuchPath("The owner in the path is not a country code and a party id")
    return Party.read(country_code, party_id)
