"""What a partner's engineer pastes into a shell: is the door open, and register. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from routing.dialects import DIALECTS
from routing.vocabulary import Version

TOKEN_PLACE: Final = "the token our hub shall use with you"  # noqa: S105 - no token, the place for one
INVITED_PLACE: Final = "THE-TOKEN-WE-GAVE-YOU"
URL_PLACE: Final = "https://your-host/ocpi/versions"
_FIRST: Final = (Version.V2_2_1, Version.V2_3_0, Version.V2_2)


class Registration(NamedTuple):
    """How to register with one version."""

    version: Version
    text: str


class Blocks(NamedTuple):
    """The commands, in their order."""

    look: str
    register: tuple[Registration, ...]
    """With each version that may be meant; the usual first."""


def blocks(
    versions_url: str, token: str, name: str, parties: Sequence[dict[str, Any]], version: str | None, face: str | None
) -> Blocks:
    """For one invitation."""
    older = face is not None or version == Version.V2_1_1
    meant = (Version.V2_1_1,) if older else (Version(version),) if version else _FIRST
    base = versions_url.removesuffix("/versions")
    return Blocks(
        _look(versions_url, token, meant[0]),
        tuple(Registration(each, _register(base, name, parties, each)) for each in meant),
    )


def _look(versions_url: str, token: str, version: Version) -> str:
    if DIALECTS[version].interface_roles:
        head = "# From 2.2 on the token goes in Base64; printf and tr keep line ends out of it\n"
        auth = f"AUTH=$(printf %s {_quoted(token)} | base64 | tr -d '\\n')"
    else:
        head = "# In 2.1.1 the token goes as it is\n"
        auth = f"AUTH={_quoted(token)}"
    return f'{head}{auth}\ncurl -sS {_quoted(versions_url)} -H "Authorization: Token $AUTH"'


def _register(base: str, name: str, parties: Sequence[dict[str, Any]], version: Version) -> str:
    body = msgspec.json.format(msgspec.json.encode(_credentials(name, parties, version)), indent=2).decode()
    return (
        f"curl -sS {_quoted(f'{base}/{version}/credentials')} \\\n"
        '  -H "Authorization: Token $AUTH" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {_quoted(body)}"
    )


def _credentials(name: str, parties: Sequence[dict[str, Any]], version: Version) -> dict[str, Any]:
    known = parties or [{"country_code": "NL", "party_id": "ABC", "role": "CPO"}]
    details = {"name": name}
    common = {"token": TOKEN_PLACE, "url": URL_PLACE}
    if not DIALECTS[version].interface_roles:
        first = known[0]
        own = {"country_code": first["country_code"], "party_id": first["party_id"]}
        return common | own | {"business_details": details}
    return common | {"roles": [{**each, "business_details": details} for each in known]}


def _quoted(text: str) -> str:
    """One word of a shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"
