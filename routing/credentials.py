"""The Credentials object in its three forms: what a partner says of itself, and what the hub says.

OCPI 2.1.1, "Credentials endpoint"; OCPI 2.2.1 and 2.3.0, "Credentials".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, TypeAlias, assert_never

import msgspec
from msgspec import Struct

from routing.bodies import read_members, without_bom
from routing.client_info import COUNTRY_CODE, PARTY_ID, read_party, shown_roles
from routing.dialects import CredentialsShape, Dialect
from routing.directory import CredentialsRole, PartyEntry
from routing.errors import InvalidParameters
from routing.vocabulary import ConnectionStatus, Face, Party, Role, Secret

_TOKEN: Final = re.compile(r"[!-~]{1,64}")
_HUB_PARTY_ID: Final = re.compile(COUNTRY_CODE.pattern + PARTY_ID.pattern)
_LONGEST_URL: Final = 255
_LARGEST_BUSINESS_DETAILS: Final = 4096
"""Bytes of JSON. The hub repeats them to every 2.3.0 partner."""
_REACHABLE: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})
_ROLE_OF_PARTNER: Final = {Face.CPO: Role.EMSP, Face.EMSP: Role.CPO}
"""A 2.1.1 partner does not say what it is; it is the opposite of the face the hub has for it."""


class PartnerCredentials(Struct, frozen=True):
    """What a partner's Credentials object says."""

    token: Secret
    """The token the hub has to present at this partner."""
    versions_url: str
    parties: Mapping[Party, tuple[CredentialsRole, ...]]
    """The parties that are the platform's own."""
    is_hub: bool
    remote: Mapping[Party, tuple[CredentialsRole, ...]] | None = None
    """The parties that a hub reaches; None where the version does not have a hub say so here."""


def read_credentials(body: bytes, dialect: Dialect, face: Face | None) -> PartnerCredentials:
    """Read the Credentials object of a partner that speaks this version.

    `face` is how the hub poses towards it and decides the role in 2.1.1. A hub's own party is the hub's alone: in
    2.3.0 its roles are those of other companies, which it reaches.

    Raises:
        UnreadableBody: not JSON, or ambiguous.
        InvalidParameters: not a Credentials object of this version. The text never repeats the token.
    """
    body = without_bom(body)
    read_members(body)
    fields: dict[str, Any] = msgspec.json.decode(body)
    token, url = _token(fields), _text(fields, "url", "")
    if len(url) > _LONGEST_URL:
        raise InvalidParameters(f"url has {len(url)} characters, {_LONGEST_URL} are allowed")
    match dialect.credentials:
        case CredentialsShape.FLAT:
            return PartnerCredentials(token, url, _flat_party(fields, face), is_hub=False)
        case CredentialsShape.ROLES:
            parties, is_hub = _parties_of_2_2(fields, dialect)
            return PartnerCredentials(token, url, parties, is_hub)
        case CredentialsShape.HUB_PARTY:
            hub, parties = _hub_and_parties(fields, dialect)
            if hub is None:
                return PartnerCredentials(token, url, parties, is_hub=False)
            return PartnerCredentials(token, url, hub, is_hub=True, remote=parties)
        case unhandled:
            assert_never(unhandled)


def checked_token(token: Secret) -> Secret:
    """The token itself, when it can be one.

    Raises:
        InvalidParameters: it cannot; the text does not repeat it.
    """
    if not _TOKEN.fullmatch(token.reveal()):
        raise InvalidParameters("token is not 1 to 64 printable ASCII characters without blanks")
    return token


def check_parties(
    credentials: PartnerCredentials, *, hub_party: Party, allowed: Collection[Party], allow_hub: bool
) -> None:
    """Refuse what can be refused without asking who owns which party. `allowed` empty: any party.

    Raises:
        InvalidParameters: it names the hub's own party or one outside its invitation, or is a hub without leave.
    """
    if credentials.is_hub and not allow_hub:
        raise InvalidParameters("Peering between hubs is not allowed for this connection; ask the operator of this hub")
    if hub_party in credentials.parties:
        raise InvalidParameters(f"{hub_party} is the party of this hub")
    outside = sorted(set(credentials.parties) - set(allowed)) if allowed else []
    if outside:
        raise InvalidParameters(f"The invitation does not cover {', '.join(map(str, outside))}")


def hub_credentials(
    dialect: Dialect, token: Secret, url: str, hub_party: Party, hub_name: str, roles: list[dict[str, Any]]
) -> dict[str, Any]:
    """The hub's Credentials object. `roles` is what `reachable_roles` found, and is used where the version says so.

    2.2 and 2.2.1 report the hub alone, with role HUB. 2.3.0 names the hub in `hub_party_id` and lists whom it
    reaches; that list may not be empty and has no role HUB, so a hub that reaches nobody lists itself as OTHER.
    """
    own = _role(Role.HUB, hub_party, {"name": hub_name})
    common: dict[str, Any] = {"token": token.reveal(), "url": url}
    match dialect.credentials:
        case CredentialsShape.FLAT:
            del own["role"]
            return common | own
        case CredentialsShape.ROLES:
            return common | {"roles": [own]}
        case CredentialsShape.HUB_PARTY:
            hub_party_id = hub_party.country_code + hub_party.party_id
            return common | {"hub_party_id": hub_party_id, "roles": roles or [own | {"role": Role.OTHER}]}
        case unhandled:
            assert_never(unhandled)


def reachable_roles(entries: Iterable[PartyEntry], dialect: Dialect, *, payments: bool) -> list[dict[str, Any]]:
    """The roles of these parties that a 2.3.0 partner is told of: those that are connected, or will be again."""
    return [
        _role(role, entry.party, details)
        for entry in entries
        if entry.status in _REACHABLE
        for role, details in shown_roles(entry.roles, dialect, payments=payments)
    ]


def mark_of_roles(credentials: Mapping[str, Any]) -> bytes | None:
    """A mark of which roles of which parties a Credentials object of the hub names, in whatever order.

    None for an object of a version in which it names nobody but itself.
    """
    if "hub_party_id" not in credentials:
        return None
    roles = {f"{each['role']} {each['country_code']} {each['party_id']}" for each in credentials["roles"]}
    return sha256("\n".join(sorted(roles)).encode()).digest()


def _role(role: Role, party: Party, business_details: dict[str, Any]) -> dict[str, Any]:
    return {
        "role": role,
        "business_details": business_details or {"name": str(party)},
        "party_id": party.party_id,
        "country_code": party.country_code,
    }


_Parties: TypeAlias = dict[Party, tuple[CredentialsRole, ...]]


def _flat_party(fields: dict[str, Any], face: Face | None) -> _Parties:
    if face is None:
        raise InvalidParameters("This connection has no side of 2.1.1")
    role = CredentialsRole(_ROLE_OF_PARTNER[face], _business_details(fields, ""))
    return {read_party(fields, ""): (role,)}


def _parties_of_2_2(fields: dict[str, Any], dialect: Dialect) -> tuple[_Parties, bool]:
    parties = _parties(fields, dialect)
    hubs = [party for party, roles in parties.items() if any(entry.role is Role.HUB for entry in roles)]
    if hubs and len(parties) > 1:
        raise InvalidParameters("roles names other parties beside a HUB; a hub reports only itself")
    return parties, bool(hubs)


def _hub_and_parties(fields: dict[str, Any], dialect: Dialect) -> tuple[_Parties | None, _Parties]:
    """The hub that speaks, if it is one, and the parties in `roles`, without the hub's own."""
    parties = _parties(fields, dialect)
    hub_party_id = fields.get("hub_party_id")
    if hub_party_id is None:
        return None, parties
    if not isinstance(hub_party_id, str) or not _HUB_PARTY_ID.fullmatch(hub_party_id):
        raise InvalidParameters("hub_party_id is not a country code of two letters followed by a party id")
    party = Party.read(hub_party_id[:2], hub_party_id[2:])
    details = next((entry.business_details for entry in parties.pop(party, ())), {"name": str(party)})
    return {party: (CredentialsRole(Role.HUB, details),)}, parties


def _parties(fields: dict[str, Any], dialect: Dialect) -> _Parties:
    entries = fields.get("roles")
    if not isinstance(entries, list) or not entries:
        raise InvalidParameters("roles is missing or empty")
    parties: _Parties = {}
    for number, entry in enumerate(entries):
        where = f"roles[{number}]."
        if not isinstance(entry, dict):
            raise InvalidParameters(f"roles[{number}] is not an object")
        role = CredentialsRole(_role_name(entry, where, dialect), _business_details(entry, where))
        party = read_party(entry, where)
        if any(earlier.role is role.role for earlier in parties.get(party, ())):
            raise InvalidParameters(f"roles names {role.role} {party} twice")
        parties[party] = (*parties.get(party, ()), role)
    return parties


def _token(fields: dict[str, Any]) -> Secret:
    token = fields.get("token")
    if not isinstance(token, str):
        raise InvalidParameters("token is missing")
    return checked_token(Secret(token))


def _text(fields: dict[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidParameters(f"{where}{name} is missing")
    return value


def _role_name(fields: dict[str, Any], where: str, dialect: Dialect) -> Role:
    name = _text(fields, "role", where)
    if name not in dialect.roles:
        raise InvalidParameters(f"{where}role is none of {', '.join(sorted(dialect.roles))}")
    return Role(name)


def _business_details(fields: dict[str, Any], where: str) -> dict[str, Any]:
    details = fields.get("business_details")
    if not isinstance(details, dict):
        raise InvalidParameters(f"{where}business_details is missing")
    _text(details, "name", f"{where}business_details.")
    if len(msgspec.json.encode(details)) > _LARGEST_BUSINESS_DETAILS:
        raise InvalidParameters(f"{where}business_details is longer than {_LARGEST_BUSINESS_DETAILS} bytes")
    return details
