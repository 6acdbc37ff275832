"""The specification's words, as types.

Everything here is a value: immutable, comparable, free of behaviour that would need the world.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple


class Version(StrEnum):
    """An OCPI version the hub speaks. OCPI 2.2.1, "Version information endpoint"."""

    V2_1_1 = "2.1.1"
    V2_2 = "2.2"
    V2_2_1 = "2.2.1"
    V2_3_0 = "2.3.0"


class ModuleID(StrEnum):
    """The modules of the specification. Custom module identifiers are plain strings beside these.

    OCPI 2.3.0, "Version information endpoint" and the chapters of the additional modules.
    """

    BOOKINGS = "bookings"
    CDRS = "cdrs"
    CHARGING_PROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUB_CLIENT_INFO = "hubclientinfo"
    INVOICE_RECONCILIATION = "invoicereconciliation"
    LOCATIONS = "locations"
    PAYMENTS = "payments"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"


CONFIGURATION_MODULES = frozenset({ModuleID.CREDENTIALS, ModuleID.HUB_CLIENT_INFO})
"""Modules that are spoken with the hub itself and never routed (beside versions, which has no identifier)."""


class InterfaceRole(StrEnum):
    """Which side of a module an endpoint is. OCPI 2.2.1, "Version information endpoint"."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


class Face(StrEnum):
    """How the hub poses towards a 2.1.1 peer, whose endpoint lists have no interface role.

    A 2.1.1 CPO meets the hub as an eMSP, a 2.1.1 eMSP meets it as a CPO.
    """

    CPO = "cpo"
    EMSP = "emsp"


class Role(StrEnum):
    """What a party does. OCPI 2.2.1, "Types", and 2.3.0 "Payments" for PTP."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    PTP = "PTP"
    SCSP = "SCSP"


class ConnectionStatus(StrEnum):
    """How a party can be reached. OCPI 2.2.1, "HubClientInfo"."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class Party(NamedTuple):
    """One company in one country, written NL*ABC and kept in upper case (both parts are CiStrings)."""

    country_code: str
    """ISO 3166 alpha-2."""
    party_id: str
    """One to three printable characters."""

    @staticmethod
    def read(country_code: str, party_id: str) -> Party:
        """The party of these two spellings, whatever their case."""
        if len(country_code) + len(party_id) > _LONGEST_REMEMBERED:  # nobody, and as long as somebody wants it to be
            return _party(country_code, party_id)
        return _remembered_party(country_code, party_id)

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id}"


def _party(country_code: str, party_id: str) -> Party:
    return Party(country_code.upper(), party_id.upper())


_LONGEST_REMEMBERED: Final = 10
_remembered_party: Final = lru_cache(maxsize=16_384)(_party)  # each object of a page names its owner


class Secret:
    """A token in memory. It prints as `***`; `reveal()` is the one way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that must send it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
