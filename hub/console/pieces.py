"""Parts of a page that may fail without the page."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NamedTuple

from hub.console.api import Json, Refused


class Piece(NamedTuple):
    """What the API gave for one part of a page, or why it gave nothing."""

    found: Json | None
    refused: str | None = None

    def items(self) -> list[Json]:
        """Of a list; none where there is no list."""
        return [] if self.found is None else list(self.found["items"])


async def piece(asked: Awaitable[Json]) -> Piece:
    """What was asked for, or the sentence with which the API refused."""
    try:
        return Piece(await asked)
    except Refused as error:
        return Piece(None, error.detail)
