"""`GET /api/v1/quirks`: every setting that says what is odd about a partner."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from litestar import get
from msgspec import Struct, inspect

from hub.operator.described import texts_of
from hub.operator.platforms import TheHub
from hub.operator.problems import documented
from hub.operator.resources import effective_settings
from hub.operator.roles import FOR_AUDITORS
from routing.quirks import Quirks


class QuirkType(StrEnum):
    """What a setting takes."""

    SWITCH = "switch"
    CHOICE = "choice"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    LIST = "list"
    """Of texts."""
    MAP = "map"
    """Of lists of texts, by name."""


class QuirkView(Struct, frozen=True):
    """One of the keys that a platform's `settings` has."""

    id: str
    type: QuirkType
    choices: tuple[str, ...]
    """All values that a choice takes; none of what is no choice."""
    default: bool | float | str | tuple[str, ...] | dict[str, tuple[str, ...]] | None
    """Null where there is none."""
    text: str
    """What it is for."""


class QuirksView(Struct, frozen=True):
    """All of them."""

    items: tuple[QuirkView, ...]
    next_cursor: str | None
    """Always null: the list is whole."""


@get("/quirks", tags=["platforms"], responses=documented(), opt=FOR_AUDITORS)
async def list_quirks(hub: TheHub) -> QuirksView:
    """Every setting of platforms, with its default and what it is for."""
    defaults = msgspec.to_builtins(effective_settings(Quirks(), hub.settings))
    return QuirksView(tuple(_view(name, defaults[name], text) for name, text in texts_of(Quirks).items()), None)


def _view(name: str, default: Any, text: str) -> QuirkView:  # noqa: ANN401 - whatever settings are
    of_value = _types()[name]
    choices = tuple(map(str, of_value.values)) if isinstance(of_value, inspect.LiteralType) else ()
    return QuirkView(
        name, next(_KINDS[each] for each in type(of_value).mro() if each in _KINDS), choices, default, text
    )


@cache
def _types() -> dict[str, inspect.Type]:
    """What each setting takes when it is not absent."""
    settings = inspect.type_info(Quirks)
    fields = settings.fields if isinstance(settings, inspect.StructType) else ()
    return {each.name: _unless_absent(each.type) for each in fields}


def _unless_absent(of_value: inspect.Type) -> inspect.Type:
    if isinstance(of_value, inspect.UnionType):
        return next(each for each in of_value.types if not isinstance(each, inspect.NoneType))
    return of_value


_KINDS: Final[dict[type, QuirkType]] = {
    inspect.BoolType: QuirkType.SWITCH,
    inspect.LiteralType: QuirkType.CHOICE,
    inspect.IntType: QuirkType.INTEGER,
    inspect.FloatType: QuirkType.NUMBER,
    inspect.StrType: QuirkType.TEXT,
    inspect.VarTupleType: QuirkType.LIST,
    inspect.DictType: QuirkType.MAP,
}
