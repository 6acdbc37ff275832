"""What differs between OCPI versions, in one table. No other module compares version numbers."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from routing.vocabulary import ModuleID, Role, Version


class CredentialsShape(StrEnum):
    """The three forms the Credentials object has had."""

    FLAT = "flat"
    """2.1.1: one party, named in the object itself, without a role."""
    ROLES = "roles"
    """2.2 and 2.2.1: a list of roles; a hub is one entry with role HUB."""
    HUB_PARTY = "hub_party"
    """2.3.0: a list of roles, and `hub_party_id` when the sender is a hub."""


class Dialect(Struct, frozen=True):
    """One version's way of saying things."""

    version: Version
    order: int
    """Place among the versions; a higher one is newer."""
    modules: frozenset[str]
    """Functional modules the version has."""
    credentials: CredentialsShape
    roles: frozenset[Role]
    """What a party can be. "Types", Role enum, and in 2.3.0 the PTP of the Payments module."""
    tokens_in_base64: bool
    """Whether Authorization carries the token Base64 encoded. "Transport and format", Authorization header."""
    routing_headers: bool
    """Whether messages name their sender and receiver. "Transport and format", Message Routing."""
    interface_roles: bool
    """Whether an endpoint says which interface it is. 2.1.1 endpoints do not, hence the faces."""
    client_info: bool
    """Whether the version has the HubClientInfo module."""
    hub_status_codes: bool
    """Whether a partner understands 4xxx and 2004. 2.1.1 ends at 3003."""
    cdr_tokens: bool
    """Whether a Session and a CDR say which Token was used. 2.1.1 names a contract only, as `auth_id`."""


_CORE = frozenset(
    {
        ModuleID.CDRS,
        ModuleID.COMMANDS,
        ModuleID.LOCATIONS,
        ModuleID.SESSIONS,
        ModuleID.TARIFFS,
        ModuleID.TOKENS,
    }
)
_WITH_PROFILES = _CORE | {ModuleID.CHARGING_PROFILES}
_WITH_EXTENSIONS = _WITH_PROFILES | {ModuleID.BOOKINGS, ModuleID.INVOICE_RECONCILIATION, ModuleID.PAYMENTS}
_FIRST_ROLES = frozenset({Role.CPO, Role.EMSP})
_COMMON_ROLES = _FIRST_ROLES | {Role.NAP, Role.NSP, Role.OTHER, Role.SCSP}

DIALECTS: dict[Version, Dialect] = {
    Version.V2_1_1: Dialect(
        version=Version.V2_1_1,
        order=0,
        modules=frozenset(_CORE),
        credentials=CredentialsShape.FLAT,
        roles=_FIRST_ROLES,
        tokens_in_base64=False,
        routing_headers=False,
        interface_roles=False,
        client_info=False,
        hub_status_codes=False,
        cdr_tokens=False,
    ),
    Version.V2_2: Dialect(
        version=Version.V2_2,
        order=1,
        modules=frozenset(_WITH_PROFILES),
        credentials=CredentialsShape.ROLES,
        roles=_COMMON_ROLES | {Role.HUB},
        tokens_in_base64=True,
        routing_headers=True,
        interface_roles=True,
        client_info=True,
        hub_status_codes=True,
        cdr_tokens=True,
    ),
    Version.V2_2_1: Dialect(
        version=Version.V2_2_1,
        order=2,
        modules=frozenset(_WITH_PROFILES),
        credentials=CredentialsShape.ROLES,
        roles=_COMMON_ROLES | {Role.HUB},
        tokens_in_base64=True,
        routing_headers=True,
        interface_roles=True,
        client_info=True,
        hub_status_codes=True,
        cdr_tokens=True,
    ),
    Version.V2_3_0: Dialect(
        version=Version.V2_3_0,
        order=3,
        modules=frozenset(_WITH_EXTENSIONS),
        credentials=CredentialsShape.HUB_PARTY,
        roles=_COMMON_ROLES | {Role.PTP},
        tokens_in_base64=True,
        routing_headers=True,
        interface_roles=True,
        client_info=True,
        hub_status_codes=True,
        cdr_tokens=True,
    ),
}


def newest_first() -> list[Version]:
    """Every version, the newest first: the order in which the hub as initiator prefers them."""
    return sorted(DIALECTS, key=lambda version: DIALECTS[version].order, reverse=True)
