"""Versions and version details: what the hub lists for each partner, and what it reads in a partner's lists.

OCPI 2.2.1, "Versions". The URLs written here are those the hub's own endpoints listen on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, assert_never

import msgspec

from routing.dialects import DIALECTS, Dialect, newest_first
from routing.directory import Caller, EndpointKey, Handshaking, Invited, Registered
from routing.errors import (
    CannotUsePartnerAPI,
    HubError,
    MissingEndpoints,
    NoCommonVersion,
    NoSuchPath,
    UnsupportedVersion,
)
from routing.modules import FACE_MODULES
from routing.vocabulary import CONFIGURATION_MODULES, Face, InterfaceRole, ModuleID, Version

VERSIONS_PATH: Final = "/ocpi/versions"
CREDENTIALS: Final[EndpointKey] = (ModuleID.CREDENTIALS, InterfaceRole.SENDER)
"""Where a partner's credentials endpoint is kept: the module has one interface, whatever role a partner wrote."""

_BOOKINGS_IN_THE_CHAPTER: Final = "Booking"
_ALIASES: Final = {"booking": ModuleID.BOOKINGS}
"""The Bookings chapter calls its module `Booking` and writes `bookings` in every URL. Partners follow either."""
_DETAILS_OF_ANY: Final = re.compile(r"/ocpi/[^/]+/?$")
_NUMBERS: Final = frozenset(map(str, DIALECTS))
_PARTNER_FACE: Final = {Face.CPO: Face.EMSP, Face.EMSP: Face.CPO}
"""The side a 2.1.1 partner has, by the side the hub shows it."""


def details_path(version: Version) -> str:
    """Path of the details of this version, and the start of the paths of all its modules."""
    return f"/ocpi/{version}"


def face_for(caller: Caller) -> Face | None:
    """How the hub poses towards this caller, should it speak 2.1.1."""
    match caller:
        case Registered(connection=connection):
            return connection.face_in_2_1_1
        case Invited(invitation=invitation):
            return invitation.face
        case Handshaking(face=face):
            return face
        case unhandled:
            assert_never(unhandled)


def missing_path(path: str) -> HubError:
    """What it means that the hub has nothing at this path: details of a version that it does not speak, or nothing."""
    version = _DETAILS_OF_ANY.search(path)
    if version is None:
        return NoSuchPath("There is no such path")
    return UnsupportedVersion(f"The hub speaks OCPI {_names(DIALECTS)}")


def offered_versions(face: Face | None, pinned: Version | None = None) -> tuple[Version, ...]:
    """The versions a partner may use, the oldest first.

    2.1.1 only with a face, because its endpoint lists cannot say which side they are. An invitation for one
    version offers just that one: a partner picks the newest it finds, and would pick one it is refused with.
    """
    return tuple(
        version
        for version in reversed(newest_first())
        if (DIALECTS[version].interface_roles or face is not None) and pinned in (None, version)
    )


def may_be_hub(caller: Caller) -> bool:
    """Whether the caller is another hub, or may become one. What it is shown before it registers, it keeps."""
    match caller:
        case Registered(platform=platform):
            return platform.is_hub
        case Invited(invitation=invitation):
            return invitation.allow_hub
        case Handshaking(allow_hub=allow_hub):
            return allow_hub
        case unhandled:
            assert_never(unhandled)


def versions_for(caller: Caller) -> tuple[Version, ...]:
    """The versions this caller may use, the oldest first."""
    pinned = caller.invitation.version if isinstance(caller, Invited) else None
    return offered_versions(face_for(caller), pinned)


def versions_list(base: str, versions: Iterable[Version]) -> list[dict[str, str]]:
    """The hub's answer on its versions URL. `base` is the hub's public URL without a slash at the end."""
    return [{"version": version, "url": base + details_path(version)} for version in versions]


def version_details(
    base: str, version: Version, face: Face | None, custom_modules: Collection[str] = (), *, is_hub: bool = False
) -> dict[str, Any]:
    """The hub's answer on a details URL. A 2.1.1 partner sees one side, every other one both.

    `custom_modules` are those this very partner is configured for; nobody else may be told of them
    ("Custom Modules"). Another hub may say who is behind it.
    """
    url = base + details_path(version)
    dialect = DIALECTS[version]
    if not dialect.interface_roles:
        if face is None:
            raise ValueError(f"a partner on {version} has a face")
        endpoints = _endpoints_of_face(url, face)
    else:
        endpoints = _endpoints_with_roles(url, [*sorted(dialect.modules), *custom_modules], is_hub=is_hub)
    return {"version": version, "endpoints": endpoints}


def mark_of_details(details: dict[str, Any]) -> bytes:
    """16 bytes that are others whenever the details are."""
    return hashlib.blake2b(msgspec.json.encode(details, order="deterministic"), digest_size=16).digest()


def _endpoints_of_face(url: str, face: Face) -> list[dict[str, str]]:
    modules = [{"identifier": str(module), "url": f"{url}/{face}/{module}"} for module in sorted(FACE_MODULES[face])]
    return [{"identifier": str(ModuleID.CREDENTIALS), "url": f"{url}/credentials"}, *modules]


def _endpoints_with_roles(url: str, modules: Iterable[str], *, is_hub: bool) -> list[dict[str, str]]:
    endpoints = [
        _endpoint(ModuleID.CREDENTIALS, InterfaceRole.SENDER, f"{url}/credentials"),
        _endpoint(ModuleID.HUB_CLIENT_INFO, InterfaceRole.SENDER, f"{url}/hubclientinfo"),
    ]
    if is_hub:
        endpoints.append(_endpoint(ModuleID.HUB_CLIENT_INFO, InterfaceRole.RECEIVER, f"{url}/hubclientinfo"))
    for module in modules:
        names = [module, _BOOKINGS_IN_THE_CHAPTER] if module == ModuleID.BOOKINGS else [module]
        endpoints += [
            _endpoint(name, interface, f"{url}/{interface.lower()}/{module}")
            for name in names
            for interface in (InterfaceRole.SENDER, InterfaceRole.RECEIVER)
        ]
    return endpoints


def _endpoint(identifier: str, role: InterfaceRole, url: str) -> dict[str, str]:
    return {"identifier": str(identifier), "role": str(role), "url": url}


def read_versions(data: bytes | msgspec.Raw) -> dict[Version, str]:
    """The details URL of each version a partner lists, of those the hub knows.

    Versions nobody knows yet and entries that cannot be read are passed over: the others still work.

    Raises:
        CannotUsePartnerAPI: there is no list.
    """
    versions: dict[Version, str] = {}
    for entry in _objects(data, "versions list"):
        number, url = entry.get("version"), entry.get("url")
        if isinstance(number, str) and number in _NUMBERS and isinstance(url, str):
            versions.setdefault(Version(number), url)
    return versions


def choose_version(listed: Collection[Version], allowed: Collection[Version]) -> Version:
    """The newest version that the partner lists and the hub may use with it.

    Raises:
        NoCommonVersion: there is none.
    """
    for version in newest_first():
        if version in listed and version in allowed:
            return version
    raise NoCommonVersion(
        f"The partner lists {_names(listed) or 'no version the hub knows'}; the hub may use {_names(allowed)} with it"
    )


def read_endpoints(
    data: bytes | msgspec.Raw, dialect: Dialect, face: Face | None, custom_modules: Collection[str] = ()
) -> dict[EndpointKey, str]:
    """The URL of every module interface in a partner's details that the hub can use, as the partner wrote it.

    Identifiers are compared without case. What is unknown (an identifier, a role, a field) is passed over.
    2.1.1 does not say which side an endpoint is; that follows from the face the hub has for this partner.

    Raises:
        CannotUsePartnerAPI: there is no list of endpoints.
    """
    details = _decoded(data, "version details")
    if not isinstance(details, dict):
        raise CannotUsePartnerAPI("The version details of the partner are not an object")
    endpoints: dict[EndpointKey, str] = {}
    for entry in _objects(msgspec.json.encode(details.get("endpoints") or []), "list of endpoints"):
        key, url = _key_of(entry, dialect, face, custom_modules), entry.get("url")
        if key is not None and isinstance(url, str):
            endpoints.setdefault(key, url)
    return endpoints


def check_endpoints(endpoints: Mapping[EndpointKey, str], required_modules: Collection[str]) -> None:
    """Refuse a partner without the endpoints a connection needs. "Credentials", Required endpoints not available.

    Raises:
        MissingEndpoints: no credentials endpoint, no other module of the hub's, or a required one is missing.
    """
    modules = {module for module, _ in endpoints}
    if ModuleID.CREDENTIALS not in modules:
        raise MissingEndpoints("The version details have no credentials endpoint")
    if modules == {ModuleID.CREDENTIALS}:
        raise MissingEndpoints("The version details have no endpoint of a module that the hub shares")
    missing = {module.lower() for module in required_modules} - {module.lower() for module in modules}
    if missing:
        raise MissingEndpoints(f"The version details lack modules that are required: {_names(missing)}")


def _key_of(
    entry: dict[str, Any], dialect: Dialect, face: Face | None, custom_modules: Collection[str]
) -> EndpointKey | None:
    module = _module_of(entry.get("identifier"), dialect, custom_modules)
    if module is None:
        return None
    if module == ModuleID.CREDENTIALS:
        return CREDENTIALS
    if not dialect.interface_roles:
        return (module, FACE_MODULES[_PARTNER_FACE[face]][module]) if face is not None else None
    role = entry.get("role")
    if isinstance(role, str) and role.upper() in InterfaceRole.__members__:
        return module, InterfaceRole[role.upper()]
    return None


def _module_of(identifier: object, dialect: Dialect, custom_modules: Collection[str]) -> str | None:
    if not isinstance(identifier, str):
        return None
    name = _ALIASES.get(identifier.lower(), identifier.lower())
    if name in dialect.modules or (name in CONFIGURATION_MODULES and (dialect.client_info or name == "credentials")):
        return ModuleID(name)
    return next((module for module in custom_modules if module.lower() == name), None)


def _objects(data: bytes | msgspec.Raw, what: str) -> list[dict[str, Any]]:
    entries = _decoded(data, what)
    if not isinstance(entries, list):
        raise CannotUsePartnerAPI(f"The {what} of the partner is not a list")
    return [entry for entry in entries if isinstance(entry, dict)]


def _decoded(data: bytes | msgspec.Raw, what: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CannotUsePartnerAPI(f"The {what} of the partner is not well-formed JSON") from error


def _names(words: Iterable[str]) -> str:
    return ", ".join(sorted(map(str, words)))
