"""Whom somebody means who wrote a name where a filter takes a party: a party however it is spelled, or a partner."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from hub.console.api import Api, Refused
from hub.plain_text import readable
from hub.search import readings_of

_PARTY: Final = re.compile(r"[A-Za-z]{2}\*[!-~]{1,3}")
_PLATFORM: Final = re.compile(r"[0-9a-f]{32}")
_LOOKED_AT: Final = 20
_TOLD: Final = 5
_LONGEST: Final = 60
_FILTER: Final[Mapping[str, str]] = {"party": "platform", "platform": "platform", "peer": "peer"}
"""What filters by a partner, in place of one that was filled in with a name."""
_LABEL: Final[Mapping[str, str]] = {"party": "partner {}", "platform": "partner {}", "peer": "with {}"}


class Unknown(Exception):
    """The name is nobody's, or that of several. The text says so in words."""


class Meant(NamedTuple):
    """Who is meant by filters."""

    filters: Mapping[str, tuple[str, str]]
    """By the filter as it was filled in, the one that says the same in codes."""
    labels: Mapping[str, str]
    """How the chip of a filter reads, where a name says more than what was filled in."""
    refused: str | None = None

    def asked(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """Filters as the API takes them. Of a pair of which only the other side is given, it is the one."""
        found = {name: text for name, text in chosen.items() if name not in self.filters}
        found |= dict(self.filters[name] for name in self.filters if name in chosen)
        if "peer" in found and not found.keys() & {"party", "platform"}:
            peer = found.pop("peer")
            found["party" if _PARTY.fullmatch(peer) else "platform"] = peer
        return found


async def who_is_meant(api: Api, chosen: Mapping[str, str]) -> Meant:
    """Look up what the filters name. What nobody is called is said in `refused`."""
    named = [name for name in _FILTER if name in chosen and not _PARTY.fullmatch(chosen[name])]
    try:
        found = await asyncio.gather(*(_whom(api, name, chosen[name]) for name in named))
    except Unknown as error:
        return Meant({}, {}, str(error))
    except Refused as error:
        return Meant({}, {}, error.detail)
    filters = {name: (other, said) for name, (other, said, _) in zip(named, found, strict=True)}
    labels = {name: label for name, (_, _, label) in zip(named, found, strict=True) if label}
    return Meant(filters, labels)


async def which_party(api: Api, text: str) -> str:
    """The party of that name, or of a partner that has only one, however it is spelled. Raises Unknown, Refused."""
    if _PARTY.fullmatch(text):
        return text
    items = (await api.get("/parties", q=text, limit=_LOOKED_AT))["items"]
    found: list[str] = sorted({each["id"] for each in items})
    if len(found) == 1:
        return found[0]
    party = readings_of(text).party
    if party is None:
        raise Unknown(_several(text, found) if found else _nobody(text))
    return str(party)


async def _whom(api: Api, name: str, text: str) -> tuple[str, str, str]:
    """The filter, what it is filled in with, and how its chip reads. Raises Unknown, Refused."""
    if _PLATFORM.fullmatch(text):
        return _FILTER[name], text, await _label_of(api, name, text)
    if name == "platform":
        return name, text, ""
    found = (await api.get("/platforms", q=text, sort="name", limit=_LOOKED_AT))["items"]
    exactly = [each for each in found if each["name"].casefold() == text.casefold()]
    party = readings_of(text).party
    if len(exactly) != 1 and party is not None:
        return name, str(party), ""
    meant = exactly or found
    if len(meant) == 1:
        partner = meant[0]
        return _FILTER[name], partner["id"], _LABEL[name].format(readable(partner["name"], _LONGEST))
    raise Unknown(_nobody(text) if not meant else _several(text, [each["name"] for each in meant]))


async def _label_of(api: Api, name: str, platform_id: str) -> str:
    try:
        platform = await api.get(f"/platforms/{platform_id}")
    except Refused as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return ""  # of a partner that the reader may not see, or that is none
    return _LABEL[name].format(readable(platform["name"], _LONGEST))


def _nobody(text: str) -> str:
    return (
        f"No partner is called “{readable(text, _LONGEST)}”, and it is no party. "
        "Write part of the name of a partner, or a party such as NL*ABC."
    )


def _several(text: str, names: list[str]) -> str:
    told = ", ".join(readable(each, _LONGEST) for each in names[:_TOLD])
    more = ", and more" if len(names) > _TOLD else ""
    return f"“{readable(text, _LONGEST)}” may be {told}{more}. Write more of the name."
