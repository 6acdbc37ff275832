"""`GET /api/v1/quirks`: every setting that says what is odd about a partner."""

from __future__ import annotations

import msgspec
from litestar import get
from msgspec import Struct

from hub.operator.described import texts_of
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
    return QuirksView(tuple(QuirkView(name, defaults[name], text) for name, text in texts_of(Quirks).items()), None)
