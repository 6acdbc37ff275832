"""The values of the enums that differ between versions, and what a partner accepts beyond those of its version.

A value of both versions passes. One that only the version it comes from has meets the rule of its field. One that
neither has is an agreement between partners, or a mistake, and is left for the receiver to judge; except where the
older version's enum is closed and the newer one's is open ("OpenEnum" of OCPI 2.3.0): there it meets the rule too.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Final, TypeGuard

from routing.translation.crossing import Crossing
from routing.vocabulary import Version

_ADDED: Final[dict[str, tuple[str, str, str, str]]] = {
    "AuthMethod": ("AUTH_REQUEST WHITELIST", "COMMAND", "", ""),
    "Capability": (
        "CHARGING_PROFILE_CAPABLE CREDIT_CARD_PAYABLE REMOTE_START_STOP_CAPABLE RESERVABLE RFID_READER UNLOCK_CAPABLE",
        (
            "CHARGING_PREFERENCES_CAPABLE CHIP_CARD_SUPPORT CONTACTLESS_CARD_SUPPORT DEBIT_CARD_PAYABLE PED_TERMINAL"
            " TOKEN_GROUP_CAPABLE"
        ),
        "START_SESSION_CONNECTOR_REQUIRED",
        "",
    ),
    "CdrDimensionType": (
        "ENERGY MAX_CURRENT MIN_CURRENT PARKING_TIME TIME",
        "CURRENT ENERGY_EXPORT ENERGY_IMPORT MAX_POWER MIN_POWER POWER RESERVATION_TIME STATE_OF_CHARGE",
        "",
        "",
    ),
    "CommandType": ("RESERVE_NOW START_SESSION STOP_SESSION UNLOCK_CONNECTOR", "CANCEL_RESERVATION", "", ""),
    "ConnectorType": (
        (
            "CHADEMO DOMESTIC_A DOMESTIC_B DOMESTIC_C DOMESTIC_D DOMESTIC_E DOMESTIC_F DOMESTIC_G DOMESTIC_H DOMESTIC_I"
            " DOMESTIC_J DOMESTIC_K DOMESTIC_L IEC_60309_2_single_16 IEC_60309_2_three_16 IEC_60309_2_three_32"
            " IEC_60309_2_three_64 IEC_62196_T1 IEC_62196_T1_COMBO IEC_62196_T2 IEC_62196_T2_COMBO IEC_62196_T3A"
            " IEC_62196_T3C TESLA_R TESLA_S"
        ),
        "PANTOGRAPH_BOTTOM_UP PANTOGRAPH_TOP_DOWN",
        (
            "CHAOJI DOMESTIC_M DOMESTIC_N DOMESTIC_O GBT_AC GBT_DC NEMA_10_30 NEMA_10_50 NEMA_14_30 NEMA_14_50"
            " NEMA_5_20 NEMA_6_30 NEMA_6_50"
        ),
        "MCS SAE_J3400",
    ),
    "EnvironmentalImpactCategory": ("CARBON_DIOXIDE NUCLEAR_WASTE", "", "", ""),
    "Facility": (
        (
            "AIRPORT BUS_STOP CAFE CARPOOL_PARKING FUEL_STATION HOTEL MALL MUSEUM NATURE RECREATION_AREA RESTAURANT"
            " SPORT SUPERMARKET TAXI_STAND TRAIN_STATION WIFI"
        ),
        "BIKE_SHARING METRO_STATION PARKING_LOT TRAM_STOP",
        "",
        "",
    ),
    "ImageCategory": ("CHARGER ENTRANCE LOCATION NETWORK OPERATOR OTHER OWNER", "", "", ""),
    "ParkingRestriction": ("CUSTOMERS DISABLED EV_ONLY MOTORCYCLES PLUGGED", "", "", "EMPLOYEES TAXIS TENANTS"),
    "ParkingType": (
        "ON_STREET PARKING_GARAGE PARKING_LOT UNDERGROUND_GARAGE",
        "ALONG_MOTORWAY ON_DRIVEWAY",
        "",
        "",
    ),
    "PowerType": ("AC_1_PHASE AC_3_PHASE DC", "", "AC_2_PHASE AC_2_PHASE_SPLIT", ""),
    "SessionStatus": ("ACTIVE COMPLETED INVALID PENDING", "RESERVATION", "", ""),
    "TokenType": ("OTHER RFID", "AD_HOC_USER APP_USER", "", "EMAID"),
}
"""By name of the enum, what each version in its turn added. What 2.1.1 alone has is with the module that drops it."""


def _values(added: tuple[str, ...]) -> dict[Version, frozenset[str]]:
    return dict(zip(Version, map(frozenset, accumulate(values.split() for values in added)), strict=True))


VALUES: Final = {enum: _values(added) for enum, added in _ADDED.items()}
"""By name of the enum, then by version: the values the version has."""


def lost(enum: str, newer: Version, older: Version) -> frozenset[str]:
    """The values that `newer` has and `older` does not."""
    return VALUES[enum][newer] - VALUES[enum][older]


_NONE: Final[frozenset[str]] = frozenset()


def extra(enum: str, crossing: Crossing) -> frozenset[str]:
    """The values the receiver understands beyond those of its version."""
    agreed = crossing.destination.quirks.extra_enum_values
    return frozenset(agreed.get(enum, ())) if agreed else _NONE


def accepted(enum: str, version: Version, crossing: Crossing) -> frozenset[str]:
    """The values of an enum that the receiver of the open one of 2.3.0 takes, being of `version`."""
    more = extra(enum, crossing)
    return VALUES[enum][version] | more if more else VALUES[enum][version]


def is_agreed(enum: str, value: str, crossing: Crossing) -> bool:
    """Whether the receiver takes this value although its version does not have it."""
    return crossing.destination.quirks.enum_passthrough or value in extra(enum, crossing)


class Lacking:
    """Tells the values of an enum that a version lacks: called with one, `in_any` of a list at once."""

    __slots__ = ("_are_lacking", "_values", "enum")

    def __init__(self, enum: str, values: frozenset[str], *, are_lacking: bool) -> None:
        """`values` are those the version lacks, or else all it has."""
        self.enum = enum
        self._values = values
        self._are_lacking = are_lacking

    def __call__(self, value: Any) -> TypeGuard[str]:  # noqa: ANN401 - any JSON
        """Whether this is one."""
        return type(value) is str and (value in self._values) is self._are_lacking

    def in_any(self, values: list[Any]) -> bool:
        """Whether one of these is; perhaps, where something among them is no value of any enum."""
        try:
            return not (self._values.isdisjoint(values) if self._are_lacking else self._values.issuperset(values))
        except TypeError:
            return True


def is_lost(enum: str, newer: Version, older: Version) -> Lacking:
    """The values that `newer` has and `older` does not; what neither has is no such value."""
    return Lacking(enum, lost(enum, newer, older), are_lacking=True)


def is_unknown(enum: str, version: Version) -> Lacking:
    """The values, of an open enum, that `version` does not have."""
    return Lacking(enum, VALUES[enum][version], are_lacking=False)
