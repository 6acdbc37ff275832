"""`GET /api/v1/quirks`: every setting that says what is odd about a partner."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise

import msgspec
from litestar import get
from msgspec import Struct

from hub.operator.platforms import TheHub
from hub.operator.problems import documented
from hub.operator.resources import effective_settings
from hub.operator.roles import FOR_AUDITORS
from routing.quirks import Quirks


class QuirkView(Struct, frozen=True):
    """One of the keys that a platform's `settings` has."""

    id: str
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
    return QuirksView(tuple(QuirkView(name, defaults[name], text) for name, text in _texts().items()), None)


@cache
def _texts() -> dict[str, str]:
    """What the source says below each field, which is the one place that describes them."""
    [struct] = ast.parse(inspect.getsource(Quirks)).body
    body = struct.body if isinstance(struct, ast.ClassDef) else []
    texts = {}
    for field, below in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            texts[field.target.id] = inspect.cleandoc(str(below.value.value))
    return texts
