"""Partners of all versions, what they exchange, and what an object needs to be sayable in every version."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, NamedTuple

from loadtests.simulator import Answer, Json, Partner
from routing.vocabulary import InterfaceRole, Party, Role, Version
from tests.ocpi import example

V211, V22, V221, V230 = Version
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
_numbers = itertools.count(1)
_SAID_BY_SOME = {
    "booking",
    "credit",
    "credit_reference_id",
    "max_current",
    "min_current",
    "publish_allowed_to",
    "reservation",
}


class Both(NamedTuple):
    """A CPO and an eMSP, each of its version."""

    cpo: Partner
    emsp: Partner


Everyone = dict[tuple[Role, Version], Partner]


def between(everyone: Everyone, cpo: Version, emsp: Version) -> Both:
    """The CPO and the eMSP of these versions, well-behaved and with empty hands."""
    both = Both(everyone[Role.CPO, cpo], everyone[Role.EMSP, emsp])
    for each in both:
        each.script.clear()
        each.shelf.own.clear()
        each.shelf.pushed.clear()
        each.ledger.clear()
        each.received.clear()
        each.interfaces.page_size = 50
        each.interfaces.command_response = {"result": "ACCEPTED", "timeout": 30}
        each.command_result = {"result": "ACCEPTED"}
    return both


def new_id(start: str = "T") -> str:
    """An id of which the hub never heard: it remembers some of what it has seen."""
    return f"{start}{next(_numbers)}"


def seeded() -> Random:
    """Dice that always fall alike."""
    return Random(7)


def status(answer: Answer) -> tuple[int, int]:
    """Both statuses of an answer."""
    return answer.http_status, answer.status_code


def owned(body: Json, owner: Party) -> Json:
    """The object with this owner, where it has one."""
    codes = {"country_code": owner.country_code, "party_id": owner.party_id}
    return body | {name: code for name, code in codes.items() if name in body}


def path_of(owner: Party, *ids: str) -> str:
    """The segments of a RECEIVER URL behind the endpoint."""
    return "/".join((*owner, *ids))


def made(version: Version, name: str, owner: Party, *, emsp: Party | None = None, **fields: Any) -> Json:  # noqa: ANN401 - any JSON
    """A valid object of this version that every version can express; `fields` are set, None takes one away."""
    body: Json = example(version, name, Random(f"{version} {name} {next(_numbers)}"))
    sayable(body, owner, emsp)
    body |= fields
    return {name: value for name, value in body.items() if value is not None}


def sayable(body: Json, owner: Party, emsp: Party | None = None) -> Json:
    """Take out of an object, in place, what some version cannot express, and set who owns what."""
    for thing in list(_objects(body)):
        for name in _SAID_BY_SOME & thing.keys():
            del thing[name]
        for name, value in (("publish", True), ("standard", "IEC_62196_T2"), ("connector_standard", "IEC_62196_T2")):
            if name in thing:
                thing[name] = value
    body.update(owned(body, owner))
    for name in ("cdr_token", "token"):
        if isinstance(body.get(name), dict):
            body[name] = owned(body[name], emsp or owner)
    return body


def _objects(value: Any) -> Iterator[Json]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        yield value
    inside: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in inside:
        yield from _objects(part)
