"""The list of who is there as one platform gets it: made in one place for those who ask, and for who looks at it."""

from __future__ import annotations

from functools import lru_cache

from routing.client_info import client_infos
from routing.dialects import Dialect
from routing.directory import PartyDirectory, PartyEntry, Platform
from routing.vocabulary import Role


@lru_cache(maxsize=4)
def client_infos_of(directory: PartyDirectory, viewer: Platform, dialect: Dialect) -> list[tuple[PartyEntry, Role]]:
    """The whole list, kept while partners follow its pages: a hub of 100,000 parties should not sort them for each.

    To be called in a thread: with so many it takes a good part of a second, which messages must not wait for.
    """
    return client_infos(directory, viewer, dialect)
