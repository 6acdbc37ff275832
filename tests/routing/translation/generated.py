"""Random valid objects on random journeys, for statements that are true of all of them.

An object follows from a seed and from how many of its optional members are there, so Hypothesis shrinks towards small
ones. Two parties and their ids are made to fit the object: whoever an object names is the one who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations
from random import Random
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from msgspec import Struct, structs

from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Json, Side
from routing.translation.kinds import Kind
from routing.translation.steps import translate
from routing.vocabulary import Party, Version
from tests.ocpi import example, load

Path: TypeAlias = tuple[str | int, ...]
"""Where something is in a JSON value: names and indexes."""

CPO: Final = Party("NL", "CPO")
EMSP: Final = Party("DE", "MSP")
JOURNEYS: Final = tuple(permutations(Version, 2))
_NOW: Final = datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC)
_OF_EMSP: Final = frozenset(
    {
        Kind.AUTHORIZATION_INFO,
        Kind.CANCEL_RESERVATION,
        Kind.CHARGING_PREFERENCES,
        Kind.RESERVE_NOW,
        Kind.SET_CHARGING_PROFILE,
        Kind.START_SESSION,
        Kind.STOP_SESSION,
        Kind.TOKEN,
        Kind.UNLOCK_CONNECTOR,
    }
)
"""What eMSPs send; all else comes from CPOs."""
_ANSWERS: Final = frozenset({Kind.AUTHORIZATION_INFO, Kind.CHARGING_PROFILE_RESPONSE, Kind.COMMAND_RESPONSE})
_PATCHED: Final = (Kind.LOCATION, Kind.EVSE, Kind.CONNECTOR, Kind.SESSION, Kind.TOKEN)
_OFTEN: Final = (*_PATCHED, Kind.CDR, Kind.TARIFF)


class Sent(Struct, frozen=True):
    """One object that somebody sends. `path_ids` are those of its URL."""

    kind: Kind
    source: Version
    target: Version
    body: Json
    cpo: Party = CPO
    emsp: Party = EMSP
    patch: bool = False
    path_ids: tuple[str, ...] = ()
    quirks: Quirks = Quirks()

    def crossing(self) -> Crossing:
        """A new one for every translation: it collects what is lost."""
        by_emsp = self.kind in _OF_EMSP
        sender, receiver = (self.emsp, self.cpo) if by_emsp else (self.cpo, self.emsp)
        return Crossing(
            origin=Side(self.source, sender),
            destination=Side(self.target, receiver, self.quirks),
            owner=self.emsp if by_emsp or self.kind is Kind.COMMAND_RESPONSE else self.cpo,
            now=_NOW,
            cpo=self.cpo,
            emsp=self.emsp,
            patch=self.patch,
            answer=self.kind in _ANSWERS,
            owner_details={"name": "Stroomstal"},
            object_ids=self.path_ids,
            uid_asked=_uid(self.body),
            answered_at="2024-06-01T11:59:59Z",
        )

    def translated(self) -> Json:
        """The object in the other version. Raises Untranslatable."""
        return translate(self.body, self.kind, self.crossing())

    def back(self, body: Json) -> Sent:
        """The object that came of it, on the same way back."""
        return structs.replace(self, source=self.target, target=self.source, body=body)


def class_of(version: Version, kind: Kind) -> str:
    """The name of the class in a version. The result of a command has no class of its own in 2.1.1."""
    if version is Version.V2_1_1 and kind is Kind.COMMAND_RESULT:
        return "CommandResponse"
    return kind.value


def kinds_of(source: Version, target: Version) -> list[Kind]:
    """What can travel between two versions."""
    return [
        kind for kind in Kind if all(class_of(version, kind) in load(version).objects for version in (source, target))
    ]


def sent(source: Version, target: Version, kinds: Sequence[Kind] = ()) -> st.SearchStrategy[Sent]:
    """Complete objects."""
    possible = kinds or [*kinds_of(source, target), *_OFTEN, *_OFTEN]
    return st.builds(_sent, st.just(source), st.just(target), st.sampled_from(possible), _SEEDS, _SHARES, _SPELLINGS)


def patches(source: Version, target: Version, kinds: Sequence[Kind] = _PATCHED) -> st.SearchStrategy[Sent]:
    """Bodies of PATCH requests."""
    return st.builds(_patch, st.just(source), st.just(target), st.sampled_from(kinds), _SEEDS, _SHARES)


_SEEDS: Final = st.integers(0, 99_999)
_SHARES: Final = st.sampled_from((0.0, 0.2, 0.5, 0.8, 1.0))
_SPELLINGS: Final = st.booleans()


def _sent(source: Version, target: Version, kind: Kind, seed: int, share: float, spelled: bool) -> Sent:
    rng = Random(seed)
    class_name = class_of(source, kind)
    body = _decimal(example(source, class_name, rng, share), rng)
    if spelled:
        _empty_some(body, source, class_name, rng)
    return Sent(kind, source, target, body, *_parties(body, kind), path_ids=_path_ids(body, kind))


def _patch(source: Version, target: Version, kind: Kind, seed: int, share: float) -> Sent:
    rng = Random(seed)
    body = _decimal(example(source, class_of(source, kind), rng, share / 2, partial=True), rng)
    return Sent(kind, source, target, body, *_parties(body, kind), patch=True, path_ids=_path_ids(body, kind))


def _decimal(value: Any, rng: Random) -> Any:  # noqa: ANN401 - any JSON
    """As the hub reads it: numbers with a point are Decimals, and some are spelled with more zeros than they need."""
    if isinstance(value, dict):
        return {name: _decimal(part, rng) for name, part in value.items()}
    if isinstance(value, list):
        return [_decimal(part, rng) for part in value]
    return Decimal(f"{value}{rng.choice(('', '', '0', '00'))}") if isinstance(value, float) else value


def _empty_some(body: Json, version: Version, class_name: str, rng: Random) -> None:
    """Say of some optional members that they are not there, by null or by an empty list; of none that others need."""
    cls = load(version).objects[class_name]
    ruled = {name for rule in cls.rules for name in (*rule.get("needs", ()), *rule.get("at_least_one", ()))}
    for field in cls.fields.values():
        if not field.required and field.name not in ruled and rng.random() < 0.1:
            body[field.name] = [] if field.many and rng.random() < 0.5 else None


def _parties(body: Json, kind: Kind) -> tuple[Party, Party]:
    """Who the object says its CPO and its eMSP are."""
    owner = _owner(body)
    if kind in _OF_EMSP:
        return CPO, _owner(body.get("token")) or owner or EMSP
    return owner or CPO, _owner(body.get("cdr_token")) or EMSP


def _owner(value: Any) -> Party | None:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict) or not value.get("country_code") or not value.get("party_id"):
        return None
    return Party.read(value["country_code"], value["party_id"])


def _path_ids(body: Json, kind: Kind) -> tuple[str, ...]:
    own = str(body.get("id") or body.get("uid") or "1")
    return {Kind.EVSE: ("LOC1", own), Kind.CONNECTOR: ("LOC1", "1001", own)}.get(kind, (own,))


def _uid(body: Json) -> str:
    token = body.get("token")
    return token["uid"] if isinstance(token, dict) and "uid" in token else "04A1B2C3"


def objects(value: Any, path: Path = ()) -> Iterator[tuple[Path, Json]]:  # noqa: ANN401 - any JSON
    """Every JSON object in a value, with its place, the outer ones first."""
    if isinstance(value, dict):
        yield path, value
        for name, part in value.items():
            yield from objects(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from objects(part, (*path, index))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any JSON
    """Everything in a value that has no parts, with its place."""
    parts: Mapping[Any, Any] | None = None
    if isinstance(value, dict):
        parts = value
    elif isinstance(value, list):
        parts = dict(enumerate(value))
    if not parts:
        yield path, value
        return
    for name, part in parts.items():
        yield from leaves(part, (*path, name))


def meant(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """What an object means: null, an empty list and absence are one thing, and so are 4.4 and 4.40.

    OCPI 2.2.1, "Terminology and Definitions", Cardinality.
    """
    if isinstance(value, dict):
        return {name: meant(part) for name, part in value.items() if part is not None and part != []}
    return [meant(part) for part in value] if isinstance(value, list) else value


def changed(body: Json, change: Callable[[Json], object]) -> Json:
    """A copy of a body, with a change."""
    copy = deepcopy(body)
    change(copy)
    return copy
