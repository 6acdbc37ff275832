"""What differs between OCPI versions on the partner's side: modules by role, versions, details, credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from loadtests.simulator.messages import Json
from routing.vocabulary import InterfaceRole, ModuleID, Party, Role, Version

Roles: TypeAlias = Mapping[Party, Sequence[Role]]
Modules: TypeAlias = frozenset[tuple[str, InterfaceRole]]

_S, _R = InterfaceRole.SENDER, InterfaceRole.RECEIVER
_CLIENT_INFO = (ModuleID.HUB_CLIENT_INFO, _R)

MODULES_OF_ROLE: dict[Role, Modules] = {
    Role.CPO: frozenset(
        {
            (ModuleID.LOCATIONS, _S),
            (ModuleID.TARIFFS, _S),
            (ModuleID.SESSIONS, _S),
            (ModuleID.CDRS, _S),
            (ModuleID.TOKENS, _R),
            (ModuleID.COMMANDS, _R),
            (ModuleID.CHARGING_PROFILES, _R),
            (ModuleID.BOOKINGS, _R),
            (ModuleID.PAYMENTS, _R),
            (ModuleID.INVOICE_RECONCILIATION, _S),
            _CLIENT_INFO,
        }
    ),
    Role.EMSP: frozenset(
        {
            (ModuleID.LOCATIONS, _R),
            (ModuleID.TARIFFS, _R),
            (ModuleID.SESSIONS, _R),
            (ModuleID.CDRS, _R),
            (ModuleID.TOKENS, _S),
            (ModuleID.COMMANDS, _S),
            (ModuleID.CHARGING_PROFILES, _S),
            (ModuleID.BOOKINGS, _S),
            (ModuleID.INVOICE_RECONCILIATION, _R),
            _CLIENT_INFO,
        }
    ),
    Role.NSP: frozenset({(ModuleID.LOCATIONS, _R), (ModuleID.TARIFFS, _R), _CLIENT_INFO}),
    Role.NAP: frozenset(
        {
            (ModuleID.LOCATIONS, _S),
            (ModuleID.LOCATIONS, _R),
            (ModuleID.TARIFFS, _S),
            (ModuleID.TARIFFS, _R),
            _CLIENT_INFO,
        }
    ),
    Role.SCSP: frozenset({(ModuleID.SESSIONS, _R), (ModuleID.CHARGING_PROFILES, _S), _CLIENT_INFO}),
    Role.PTP: frozenset(
        {(ModuleID.LOCATIONS, _R), (ModuleID.TARIFFS, _R), (ModuleID.SESSIONS, _R), (ModuleID.PAYMENTS, _S)}
        | {(ModuleID.CDRS, _R), (ModuleID.COMMANDS, _S), _CLIENT_INFO}
    ),
    Role.OTHER: frozenset(
        {(ModuleID.LOCATIONS, _R), (ModuleID.TARIFFS, _R), (ModuleID.TOKENS, _S), (ModuleID.COMMANDS, _S), _CLIENT_INFO}
    ),
    Role.HUB: frozenset(
        {(module, side) for module in (ModuleID.LOCATIONS, ModuleID.TARIFFS, ModuleID.TOKENS) for side in (_S, _R)}
        | {_CLIENT_INFO}
    ),
}

_FROM_2_2 = frozenset(Version) - {Version.V2_1_1}
_FROM_2_3_0 = frozenset({Version.V2_3_0})
_VERSIONS_OF = {
    ModuleID.HUB_CLIENT_INFO.value: _FROM_2_2,
    ModuleID.CHARGING_PROFILES.value: _FROM_2_2,
    ModuleID.BOOKINGS.value: _FROM_2_3_0,
    ModuleID.PAYMENTS.value: _FROM_2_3_0,
    ModuleID.INVOICE_RECONCILIATION.value: _FROM_2_3_0,
}


def modules_of(parties: Roles) -> Modules:
    """The interfaces parties of these roles offer in the newest version."""
    return frozenset().union(*(MODULES_OF_ROLE[role] for roles in parties.values() for role in roles))


def offered(module: str, version: Version) -> bool:
    """Whether the version has this module; custom modules are in all."""
    return version in _VERSIONS_OF.get(module, frozenset(Version))


def endpoint_path(version: Version, module: str, interface: InterfaceRole | None = None) -> str:
    """Path of one of the partner's endpoints. It is unlike the hub's on purpose: only discovery finds it."""
    if version is Version.V2_1_1 or interface is None:
        return f"/{version}/{module}"
    return f"/{version}/{module}/{interface.lower()}"


def versions_list(base: str, versions: Iterable[Version]) -> list[Json]:
    """OCPI 2.2.1, "Version information endpoint"."""
    return [{"version": version.value, "url": f"{base}/{version}"} for version in versions]


def version_details(base: str, version: Version, modules: Modules, *, slash: bool = False) -> Json:
    """OCPI 2.2.1, "Version details endpoint"; without roles in 2.1.1."""
    endpoints = [("credentials", _S, endpoint_path(version, "credentials"))] + [
        (module, interface, endpoint_path(version, module, interface))
        for module, interface in sorted(modules)
        if offered(module, version)
    ]
    end = "/" if slash else ""
    named = [
        {"identifier": str(module), "role": interface.value, "url": base + path + end}
        for module, interface, path in endpoints
    ]
    if version is Version.V2_1_1:
        for entry in named:
            del entry["role"]
    return {"version": version.value, "endpoints": named}


def credentials_object(
    version: Version, token: str, url: str, name: str, parties: Roles, *, website: str = "https://example.org"
) -> Json:
    """OCPI 2.2.1, "Credentials object", and its forms in 2.1.1 and 2.3.0."""
    details = {"name": name, "website": website}
    common: Json = {"token": token, "url": url}
    if version is Version.V2_1_1:
        party = next(iter(parties))
        return common | {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "business_details": details,
        }
    roles: list[Json] = [
        {
            "role": role.value,
            "country_code": party.country_code,
            "party_id": party.party_id,
            "business_details": details,
        }
        for party, party_roles in parties.items()
        for role in party_roles
    ]
    if version is Version.V2_3_0:
        return common | _as_2_3_0(roles)
    return common | {"roles": roles}


def _as_2_3_0(roles: list[Json]) -> Json:
    """2.3.0 has no role HUB: the hub stands in `hub_party_id`."""
    hub = next((role for role in roles if role["role"] == Role.HUB), None)
    if hub is None:
        return {"roles": roles}
    rest = [role for role in roles if role["role"] != Role.HUB] or [hub | {"role": Role.OTHER.value}]
    return {"hub_party_id": hub["country_code"] + hub["party_id"], "roles": rest}
