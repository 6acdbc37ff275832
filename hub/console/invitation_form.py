"""The form that invites a partner: what was typed, what is wrong with it, what the API is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from routing.vocabulary import Role

Json = dict[str, Any]

LABELS: Final = {
    "name": "Name",
    "parties": "Parties and roles",
    "version": "Version",
    "face": "Their role, if they speak 2.1.1",
    "require_modules": "Modules they must offer",
    "expires_at": "The invitation ends, in UTC",
}
"""Of the fields, in their order."""
_PARTY: Final = re.compile(r"([A-Za-z]{2})[*\- ]?([!-~]{1,3})[\s:,]+(.+)")
_SECONDS: Final = ":00"
_TO_THE_MINUTE: Final = len("2026-12-31T00:00")


class NewPartner(Struct, frozen=True):
    """What was typed. The moment is as browsers send it, without an offset."""

    name: str = ""
    parties: str = ""
    version: str = ""
    face: str = ""
    require_modules: str = ""
    expires_at: str = ""
    allow_hub: str = ""
    reason: str = ""


def read(form: NewPartner) -> tuple[Json, dict[str, str]]:
    """The body for the API, and what is wrong with which field."""
    parties, wrong = _parties(form.parties)
    faults = {"parties": wrong} if wrong else {}
    if not form.name.strip():
        faults = {"name": "Give the partner a name"} | faults
    body: Json = {"name": form.name.strip(), "parties": parties, "allow_hub": bool(form.allow_hub)}
    body["require_modules"] = [each for each in re.split(r"[\s,]+", form.require_modules) if each]
    if form.version:
        body["version"] = form.version
    if form.face:
        body["face"] = form.face
    if form.expires_at:
        body["expires_at"] = moment_of(form.expires_at)
    return body, faults


def moment_of(typed: str) -> str:
    """A moment in UTC, as the API takes it, from how browsers send it."""
    return f"{typed}{_SECONDS if len(typed) == _TO_THE_MINUTE else ''}Z"


def faults_of(detail: str, faults: Mapping[str, str], form: NewPartner) -> dict[str, str]:
    """What the API refused, by field; under no name what is about none of them."""
    found = {key.partition(".")[0].partition("[")[0]: message for key, message in faults.items()}
    found = {key: message for key, message in found.items() if key in LABELS}
    if found:
        return found
    named = {f"{party['country_code']}*{party['party_id']}".upper() for party in _parties(form.parties)[0]}
    if any(each in detail.upper() for each in named):
        return {"parties": detail}
    words = re.findall(r"\w+", detail)
    return {next((name for name in LABELS if name in words), ""): detail}


def _parties(text: str) -> tuple[list[Json], str | None]:
    """One party a line, with its roles; and the first thing that is wrong."""
    found: list[Json] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _PARTY.fullmatch(line)
        if match is None:
            return [], f"“{line[:40]}” is not a party and its roles, such as NL*ABC CPO"
        country_code, party_id, roles = match.groups()
        for role in re.split(r"[\s,]+", roles):
            if role.upper() not in set(Role):
                return [], f"“{role[:40]}” is no role of OCPI; the roles are {', '.join(Role)}"
            found.append({"country_code": country_code.upper(), "party_id": party_id.upper(), "role": role.upper()})
    return found, None
