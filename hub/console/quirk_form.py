"""The form of a partner's quirks: how each is typed, what was typed, and what that changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from hub.console.partner_words import setting_text

Json = dict[str, Any]

FIELD: Final = "q_"
"""How the fields of the form begin."""
_SWITCH: Final = ("on", "off")
_REFUSED: Final = re.compile(r"settings\.(\w+)\S* ?(.*)", re.DOTALL)
_DAY: Final = timedelta(days=1)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class Field(NamedTuple):
    """One quirk in the form."""

    id: str
    text: str
    typed: str
    default: str
    options: tuple[str, ...]
    """Where one of several is chosen; the first, empty, is the default."""
    is_odd: bool
    """Whether it is not what it is by default."""
    fault: str | None
    seen: Json | None
    """What the hub saw of it; None where it cannot see such a thing."""


class Row(NamedTuple):
    """One quirk that is to be changed."""

    id: str
    text: str
    began: object
    """What it was when the form was opened."""
    now: object
    yours: object

    @property
    def is_changed_meanwhile(self) -> bool:
        """Whether somebody else changed the same one."""
        return self.began != self.now


def fields_of(
    settings: Json,
    catalogue: Iterable[Json],
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, str] = {},
    seen: Mapping[str, Json | None] = {},
) -> list[Field]:
    """The form, those that are odd first. `typed` is what was in it when it was refused."""
    fields = [
        Field(
            id=each["id"],
            text=each["text"],
            typed=(typed or {}).get(each["id"], _typed(settings[each["id"]], each)),
            default=setting_text(each["default"]),
            options=_options(each),
            is_odd=settings[each["id"]] != each["default"],
            fault=faults.get(each["id"]),
            seen=seen.get(each["id"]),
        )
        for each in catalogue
        if each["id"] in settings
    ]
    return sorted(fields, key=lambda field: (field.fault is None, not field.is_odd))


def read(typed: Mapping[str, str], was: Json, catalogue: Iterable[Json]) -> Json:
    """What somebody changed: those fields that differ from how they were shown. None brings back the default."""
    return {
        each["id"]: _value(typed[each["id"]].strip(), each)
        for each in catalogue
        if each["id"] in typed and each["id"] in was
        if typed[each["id"]].strip() != _typed(was[each["id"]], each)
    }


def typed_in(form: Mapping[str, Any]) -> dict[str, str]:
    """What is in the fields of a form, by the name of the quirk."""
    fields = {name: value for name, value in form.items() if name.startswith(FIELD) and isinstance(value, str)}
    return {name.removeprefix(FIELD): value for name, value in fields.items()}


def rows_of(change: Json, was: Json, now: Json, catalogue: Sequence[Json]) -> list[Row]:
    """What the change makes of what is there now."""
    known = {each["id"]: each for each in catalogue}
    return [
        Row(
            id=name,
            text=known[name]["text"],
            began=was.get(name),
            now=now.get(name),
            yours=known[name]["default"] if value is None else value,
        )
        for name, value in change.items()
        if name in known
    ]


def begins_late(covers: Json, now: datetime) -> datetime | None:
    """When counting began, if that is less than a day ago."""
    since = datetime.fromisoformat(covers["since"])
    return since if since > now - _DAY else None


def fault_of(detail: str) -> dict[str, str]:
    """What the API refused, by the name of the quirk."""
    found = _REFUSED.match(detail)
    return {} if found is None else {found[1]: found[2] or detail}


def decoded(text: object) -> Json:
    """JSON that was carried through a form."""
    try:
        return msgspec.json.decode(text if isinstance(text, str) else "", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):  # it was changed on its way; then nothing is to be changed
        return {}


def encoded(values: Json) -> str:
    """JSON to carry through a form."""
    return msgspec.json.encode(values).decode()


def _options(quirk: Json) -> tuple[str, ...]:
    if not _is_chosen(quirk):
        return ()
    every = _SWITCH if quirk["type"] == "switch" else quirk["choices"]
    return ("", *(each for each in every if each != setting_text(quirk["default"])))


def _is_chosen(quirk: Json) -> bool:
    return quirk["type"] in {"switch", "choice"}


def _typed(value: object, quirk: Json) -> str:
    """How a value stands in its field. What is so by default is left empty where one can choose that."""
    if value is None or value == [] or value == {} or (_is_chosen(quirk) and value == quirk["default"]):
        return ""
    return setting_text(value)


def _value(text: str, quirk: Json) -> Any:  # noqa: ANN401 - JSON
    """What the text means. What means nothing goes to the API as it is, which says what is wrong with it."""
    if not text or text == _typed(quirk["default"], quirk):
        return None
    match quirk["type"]:
        case "switch":
            return text == _SWITCH[0] if text in _SWITCH else text
        case "integer" | "number" if _NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
        case "list":
            return _words(text)
        case "map":
            parts = (part.partition(":") for part in re.split(r"[;\n]+", text) if part.strip())
            return {name.strip(): _words(rest) for name, _, rest in parts}
        case _:
            return text


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
