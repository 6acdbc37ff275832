"""What pages say about partners: words for what the API says in codes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup, escape

Json = Mapping[str, Any]

_CAUSES: Final = {
    "registered": "registered",
    "left": "registration ended",
    "suspended": "suspended by an operator",
    "resumed": "resumed by an operator",
    "no_answer": "did not answer as it should",
    "answered": "answered again",
}
_ACTIONS: Final = {
    "platform.add": "added it",
    "platform.change": "changed",
    "platform.suspend": "suspended it",
    "platform.resume": "resumed it",
    "platform.rotate": "rotated the tokens",
    "platform.remove": "removed it",
    "platform.invite": "invited it again",
    "platform.connect": "registered the hub at it",
    "platform.probe": "looked whether it answers",
    "platform.capture": "turned capture on",
    "platform.capture.remove": "turned capture off",
    "platform.circuit.close": "closed its circuit",
}
_STATUSES: Final = {"CONNECTED": "Connected", "OFFLINE": "Offline", "PLANNED": "Planned", "SUSPENDED": "Suspended"}
_MOST_PARTIES: Final = 3


class PartyRoles(NamedTuple):
    """A party, and all its roles."""

    name: str
    roles: tuple[str, ...]


class Parties(NamedTuple):
    """The first parties of a partner, and how many more there are."""

    shown: tuple[PartyRoles, ...]
    more: int


class Banner(NamedTuple):
    """What is degraded now."""

    level: str
    """`warn` or `bad`, or nothing for a note."""
    headline: str
    text: str


def cause(code: str | None) -> str:
    """Why a partner has its status; other text stays as it is."""
    return _CAUSES.get(code or "", code or "")


def status_name(status: str) -> str:
    """As OCPI has it, in small letters."""
    return _STATUSES.get(status, status)


def is_telling(circuit: str | None, status: str) -> bool:
    """Whether a circuit says anything: one of somebody whom the hub does not call is closed, whatever it is like."""
    return status == "CONNECTED" or circuit != "closed"


def done(action: str) -> str:
    """What somebody did with a partner."""
    return _ACTIONS.get(action, action)


def parties_of(views: Iterable[Json], most: int = _MOST_PARTIES) -> Parties:
    """The roles of each party together."""
    roles: dict[str, list[str]] = {}
    for each in views:
        of_party = roles.setdefault(each["id"], [])
        if each["role"] not in of_party:
            of_party.append(each["role"])
    parties = tuple(PartyRoles(name, tuple(every)) for name, every in roles.items())
    return Parties(parties[:most], len(parties[most:]))


def odd_settings(settings: Json, catalogue: Sequence[Json]) -> list[Json]:
    """The settings that are not what they are by default, with what they are for."""
    return [
        {**each, "value": settings[each["id"]]}
        for each in catalogue
        if each["id"] in settings and settings[each["id"]] != each["default"]
    ]


def setting_text(value: object) -> str:
    """A setting as a person reads it."""
    match value:
        case None | "":
            return "none"
        case bool():
            return "on" if value else "off"
        case list() | tuple():
            return ", ".join(map(setting_text, value)) or "none"
        case dict():
            return "; ".join(f"{name}: {setting_text(item)}" for name, item in value.items()) or "none"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def with_code(text: str) -> Markup:
    """Our own sentences, with what is between backticks as code."""
    parts = [_CODE.format(part) if at % 2 else escape(part) for at, part in enumerate(text.split("`"))]
    return Markup().join(parts)


def banners_of(health: Json) -> list[Banner]:
    """What is on top of every page while the hub is degraded."""
    workers = health["workers"]
    redis, database = health["redis"], health["database"]
    found = []
    if not database["ok"]:
        waiting = sum(each["journal_waiting"] for each in workers)
        found.append(
            Banner(
                "bad",
                f"The database is away. {database['said']}.",
                "Messages between partners go on. Registration answers 3000, and nothing can be changed here. "
                f"{waiting:,} entries of the journal wait in memory; there is room for {health['journal_room']:,} "
                "in each process.",
            )
        )
    if redis is not None and not redis["ok"]:
        found.append(
            Banner(
                "warn",
                f"Redis is away. {redis['said']}.",
                "Messages flow from the directory of each process. Rate limits count by process, figures are those of "
                "the process that answers, and news for partners may come late.",
            )
        )
    draining = [each["id"] for each in workers if each["draining"]]
    if draining or health["draining"]:
        who = f"{len(draining)} of {len(workers)} processes" if len(workers) > 1 else "The hub"
        found.append(Banner("", "Draining.", f"{who} finishes what is under way and takes no new messages."))
    return found


def no_changes(health: Json | None) -> str | None:
    """Why nothing can be changed now; None when it can."""
    if health is not None and not health["database"]["ok"]:
        return "Not while the database is away"
    return None


_CODE: Final = Markup("<code>{}</code>")

FILTERS: Final = {
    "with_code": with_code,
    "cause": cause,
    "status_name": status_name,
    "done": done,
    "is_telling": is_telling,
    "setting_text": setting_text,
}
"""Of the templates."""
