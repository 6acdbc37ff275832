"""Whole messages between versions: the body of a request, and the envelope that answers it.

A list is translated object by object. One that cannot be said in the other version is left out and named, the others
arrive. OCPI 2.2.1, "Transport and format", GET.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Raw, Struct

from routing.dialects import DIALECTS
from routing.errors import NotRoutable, UnknownReceiver, UnreadableBody, Untranslatable
from routing.timestamps import read_timestamp
from routing.translation import numbers
from routing.translation.aliases import with_originals
from routing.translation.cdr_tokens import ANOTHERS
from routing.translation.crossing import Crossing, Json, Loss
from routing.translation.identifiers import may_hold_alias
from routing.translation.kinds import Kind
from routing.translation.numbers import Reader
from routing.translation.publishing import NOT_PUBLISHED
from routing.translation.residue import with_residue
from routing.translation.steps import looked_at, steps_between, translate
from routing.vocabulary import Party, Version

_MOST_NAMED: Final = 10
_UNNAMED: Final = frozenset({ANOTHERS, NOT_PUBLISHED})
"""Refusals of objects that the reader must not even hear of."""
_RESULTS: Final = frozenset({Kind.COMMAND_RESPONSE, Kind.COMMAND_RESULT})
_envelope = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode
_list = msgspec.json.Decoder(list[Raw]).decode

Moments: TypeAlias = tuple[datetime | None, datetime | None]
"""`date_from` and `date_to` of a list, the second exclusive."""
NO_MOMENTS: Final[Moments] = (None, None)


class Withheld(NamedTuple):
    """An object of a list that the other version cannot express."""

    body: Json
    refusal: Untranslatable

    @property
    def object_id(self) -> str:
        """How a list names it."""
        return str(self.body.get("id") or self.body.get("uid") or "?")[:36]


class Pair(Struct, frozen=True):
    """An object before its translation and after it."""

    before: Json
    after: Json


class Translated(Struct, frozen=True):
    """A body, or a whole envelope, in the other version."""

    body: bytes
    pairs: Sequence[Pair] = ()
    """The objects in it; none where the bytes went on as they came."""
    withheld: Sequence[Withheld] = ()
    """What had to be left out of a list."""


def request_body(body: bytes, kind: Kind, crossing: Crossing, members: Mapping[str, Raw] | None = None) -> Translated:
    """The body of a request in the version of its receiver. `members` are its own, where they have been told apart.

    Raises:
        Untranslatable: it cannot be said there.
        UnreadableBody: it cannot be read.
    """
    versions = crossing.origin.version, crossing.destination.version
    is_unchanged = not steps_between(*versions, kind)
    has_aliases = may_hold_alias(body)
    if is_unchanged and not has_aliases:
        return Translated(body)
    try:
        readers = None if crossing.whole else looked_at(*versions, kind)
        value = _read(body, readers) if members is None or readers is None else numbers.read_members(readers, members)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableBody("The body is not well-formed JSON") from error
    value = value if type(value) is dict else _object(value, kind)
    if value is None:
        return Translated(body)
    was_patch = crossing.patch
    owners = with_originals(value, kind, crossing) if has_aliases else value
    if is_unchanged and owners is value:
        return Translated(body)
    after = translate(owners, kind, crossing)
    crossing.nothing_left = was_patch and not after
    return Translated(numbers.write(after), (Pair(value, after),))


def _read(text: bytes | Raw, readers: Mapping[str, Reader] | None) -> Any:  # noqa: ANN401 - any JSON
    """The object, as far as anybody looks at it. What no rule looks at goes on byte for byte."""
    return numbers.read(text) if readers is None else numbers.read_only(readers, text)


def _read_list(text: Raw, readers: Mapping[str, Reader] | None) -> Any:  # noqa: ANN401 - any JSON
    if readers is None or not bytes(text).startswith(b"["):
        return numbers.read(text)
    return [numbers.read_only(readers, value) for value in _list(text)]


def answer_body(
    body: bytes, kind: Kind, crossing: Crossing, *, paged: bool = False, within: Moments = NO_MOMENTS
) -> Translated:
    """An envelope with success in it, its data in the requester's version.

    Raises:
        Untranslatable: the one object that was asked for cannot be said there.
        NotRoutable: the data cannot be read.
    """
    members: dict[str, Any] = _members(body)
    versions = crossing.origin.version, crossing.destination.version
    is_unchanged = not steps_between(*versions, kind)
    if "data" not in members or (is_unchanged and within == NO_MOMENTS):
        return Translated(body)
    try:
        readers = None if crossing.whole else looked_at(*versions, kind)
        data = _read_list(members["data"], readers) if paged else _read(members["data"], readers)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotRoutable("The data of the receiver's answer is not well-formed JSON") from error
    pairs: list[Pair] = []
    withheld: list[Withheld] = []
    crossing.answered_at = _text_in(members, "timestamp")
    if paged:
        members["data"] = _translated_list(data, kind, crossing, pairs, withheld, within)
        _name(withheld, members)
    elif (one := _object(data, kind)) is not None:
        owners = with_originals(one, kind, crossing) if may_hold_alias(body) else one
        after = with_residue(one, _translated_answer(owners, kind, crossing), kind, crossing)
        members["data"] = after
        pairs.append(Pair(one, after))
    return Translated(numbers.write(members), pairs, withheld)


def listed(data: Sequence[Json], kind: Kind, crossing: Crossing) -> Translated:
    """Objects of a list in the requester's version: those that can be said there are the pairs, the others withheld."""
    pairs: list[Pair] = []
    withheld: list[Withheld] = []
    _translated_list(list(data), kind, crossing, pairs, withheld, NO_MOMENTS)
    return Translated(b"", pairs, withheld)


def _members(body: bytes) -> dict[str, Any]:
    try:
        return dict(_envelope(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotRoutable("The receiver's answer is not well-formed JSON") from error


def without_data(body: bytes, source: Version, target: Version) -> tuple[bytes, Loss | None]:
    """An envelope where the text defines no data: between versions none is passed on, nobody could say what it means.

    Raises:
        NotRoutable: it cannot be read.
    """
    if b'"data"' not in body and b"\\" not in body:  # a name may be spelled with escapes
        return body, None
    members = _members(body)
    data = members.pop("data", None)
    if data is None:
        return body, None
    is_empty = bytes(data) in (b"null", b'""', b"{}", b"[]")
    older = not (DIALECTS[source].interface_roles and DIALECTS[target].interface_roles)
    return numbers.write(members), None if is_empty else Loss("L-90" if older else "M-71", "/data")


def _object(value: Any, kind: Kind) -> Json | None:  # noqa: ANN401 - any JSON
    """The one object that is due. A list of just one is unwrapped, and 2.1.1's bare results get their object."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is str and kind in _RESULTS:
        return {"result": value}
    return value if type(value) is dict else None


def _translated_answer(value: Json, kind: Kind, crossing: Crossing) -> Json:
    try:
        return translate(value, kind, crossing)
    except Untranslatable as refusal:
        if refusal.ocpi_status < 4000 and refusal.http_status == 200:
            # Who asked did nothing wrong; it is the answer that lacks something.
            raise Untranslatable(refusal.rule, str(refusal).removeprefix(f"{refusal.rule}: ")) from refusal
        raise


def _translated_list(
    data: Any,  # noqa: ANN401 - any JSON
    kind: Kind,
    crossing: Crossing,
    pairs: list[Pair],
    withheld: list[Withheld],
    within: Moments,
) -> Any:  # noqa: ANN401
    if type(data) is not list:
        return data
    answerer, at, found = crossing.owner, crossing.at, []
    names_owners = DIALECTS[crossing.origin.version].routing_headers
    for index, value in enumerate(data):
        if type(value) is not dict:
            found.append(value)
            continue
        owner = _owner(value) or answerer
        if owner != answerer and not names_owners:
            continue  # an object of 2.1.1 has no owner; this one names one all the same, who is not the one who answers
        if within != NO_MOMENTS and not _is_within(value, within):
            continue
        mark = len(crossing.losses)
        crossing.owner, crossing.at = owner, f"{at}/{index}"
        try:
            after = translate(value, kind, crossing)
        except (Untranslatable, UnknownReceiver) as error:
            del crossing.losses[mark:]
            refusal = error if isinstance(error, Untranslatable) else Untranslatable("RF-02", str(error))
            withheld.append(Withheld(value, refusal))
        else:
            found.append(after)
            pairs.append(Pair(value, after))
    crossing.at = at
    return found


def _owner(value: Json) -> Party | None:
    """The owner an object names."""
    country_code, party_id = value.get("country_code"), value.get("party_id")
    return Party.read(country_code, party_id) if type(country_code) is str and type(party_id) is str else None


def _is_within(value: Json, within: Moments) -> bool:
    """Whether the object was updated in the time asked for. One version's `date_from` is not quite the other's."""
    since, until = within
    updated = value.get("last_updated")
    if type(updated) is not str:
        return True
    try:
        moment = read_timestamp(updated)
    except (ValueError, OverflowError):
        return True
    return (since is None or moment >= since) and (until is None or moment < until)


def omitted(withheld: Iterable[Withheld]) -> list[str]:
    """The ids of those that the reader may hear of."""
    return [left.object_id for left in withheld if left.refusal.rule not in _UNNAMED]


def note_of(ids: Sequence[str]) -> str:
    """What a reader is told of objects that were left out."""
    return f"M-72: {len(ids)} object(s) omitted: {', '.join(ids[:_MOST_NAMED])}"


def _name(withheld: Iterable[Withheld], members: dict[str, Any]) -> None:
    if named := omitted(withheld):
        note, said = note_of(named), _text_in(members, "status_message")
        members["status_message"] = f"{note}; {said}" if said else note


def _text_in(members: dict[str, Any], name: str) -> str | None:
    value = bytes(members.get(name, b""))
    return _text(value) if value.startswith(b'"') else None
