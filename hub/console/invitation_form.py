"""The form that adds a partner: what was typed, what is wrong with it, what the API is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from routing.vocabulary import Role

Json = dict[str, Any]

WE_CALL: Final = "we-call"
"""The way on which the hub registers at the partner; on any other the partner registers here."""
FACES: Final = ("CPO", "EMSP")
"""The roles that a partner on 2.1.1 may have, of which an invitation names one."""
LABELS: Final = {
    "name": "Name",
    "versions_url": "The URL of their versions",
    "token_a": "The token they gave us",
    "parties": "Parties and roles",
    "version": "Version",
    "face": "Their role, if they speak 2.1.1",
    "require_modules": "Modules they must offer",
    "expires_at": "The invitation ends, in UTC",
}
"""Of the fields, in their order."""
_PARTY: Final = re.compile(r"([A-Za-z]{2})[*\- ]?([!-~]{1,3})[\s:,]+(.+)")
_BARE_PARTY: Final = re.compile(r"([A-Za-z]{2})[*\- ]?([!-~]{1,3})[\s:,]*")
_TOKEN: Final = re.compile("[!-~]{1,64}")
_SECONDS: Final = ":00"
_TO_THE_MINUTE: Final = len("2026-12-31T00:00")


class Called(Struct, frozen=True):
    """What a partner gave for the first call."""

    versions_url: str = ""
    token_a: str = ""
    reason: str = ""

    @property
    def body(self) -> Json:
        """For the API."""
        return {"versions_url": self.versions_url.strip(), "token_a": self.token_a.strip()}


class NewPartner(Called, frozen=True):
    """What was typed. The moment is as browsers send it, without an offset."""

    way: str = ""
    name: str = ""
    parties: str = ""
    version: str = ""
    face: str = ""
    require_modules: str = ""
    expires_at: str = ""
    allow_hub: str = ""


def read(form: NewPartner) -> tuple[Json, dict[str, str]]:
    """The body for the API, and what is wrong with which field."""
    parties, wrong = _parties(form.parties)
    faults = faults_of_call(form) if form.way == WE_CALL else {}
    if wrong:
        faults |= {"parties": wrong}
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
    typed = "T".join(typed.split())
    return f"{typed}{_SECONDS if len(typed) == _TO_THE_MINUTE else ''}Z"


def faults_of_call(form: Called) -> dict[str, str]:
    """What is wrong with what the partner gave, as far as it shows."""
    url, token = form.body["versions_url"], form.body["token_a"]
    faults = {}
    if not url:
        faults["versions_url"] = "Give the URL that they gave you for their versions"
    elif not _is_url(url):
        faults["versions_url"] = "That is no URL, such as https://example.com/ocpi/versions"
    if not token:
        faults["token_a"] = "Give the token that they gave you for the first call"  # noqa: S105 - a sentence
    elif not _TOKEN.fullmatch(token):
        faults["token_a"] = "A token has 1 to 64 letters, digits and signs of ASCII, and no blanks"  # noqa: S105 - a sentence
    return faults


def faults_of_refused_call(detail: str, faults: Mapping[str, str]) -> dict[str, str]:
    """What the API refused before anybody was called, by field; under no name what is about neither."""
    found = {key: message for key, message in faults.items() if key in {"versions_url", "token_a"}}
    if found:
        return found
    if detail.startswith("token "):
        return {"token_a": detail}
    return {"versions_url" if detail.startswith("The ") and " URL" in detail else "": detail}


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


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
        if match is None and (bare := _BARE_PARTY.fullmatch(line)):
            party = "*".join(bare.groups()).upper()
            return [], f"The role of {party} is missing: write {party} CPO, or one or more of {', '.join(Role)}"
        if match is None:
            return [], f"“{line[:40]}” is not a party and its roles, such as NL*ABC CPO"
        country_code, party_id, roles = match.groups()
        for role in re.split(r"[\s,]+", roles):
            if role.upper() not in set(Role):
                return [], f"“{role[:40]}” is no role of OCPI; the roles are {', '.join(Role)}"
            found.append({"country_code": country_code.upper(), "party_id": party_id.upper(), "role": role.upper()})
    return found, None
