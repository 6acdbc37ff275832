"""Realistic objects to exchange: stations with EVSEs, connectors and tariffs, cards, sessions and CDRs.

The same seed gives the same objects. Each function writes one version's shape.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from loadtests.simulator.messages import Json, stamp
from routing.vocabulary import Party, Version

_SINCE = datetime(2026, 9, 1, tzinfo=UTC)


class City(Struct, frozen=True):
    """Where stations stand."""

    name: str
    country: str
    zone: str
    latitude: float
    longitude: float
    streets: tuple[str, ...]


class Hardware(Struct, frozen=True):
    """One kind of connector."""

    standard: str
    format: str
    power_type: str
    voltage: int
    amperage: int
    power: int


_CITIES = (
    City("Utrecht", "NLD", "Europe/Amsterdam", 52.0907, 5.1214, ("Oudegracht", "Croeselaan", "Biltstraat")),
    City("Rotterdam", "NLD", "Europe/Amsterdam", 51.9225, 4.4792, ("Coolsingel", "Witte de Withstraat", "Maashaven")),
    City("Gent", "BEL", "Europe/Brussels", 51.0543, 3.7174, ("Korenmarkt", "Veldstraat", "Kouter")),
    City("Köln", "DEU", "Europe/Berlin", 50.9375, 6.9603, ("Aachener Straße", "Hohenzollernring", "Am Hof")),
    City("Århus", "DNK", "Europe/Copenhagen", 56.1629, 10.2039, ("Søndergade", "Åboulevarden", "Frederiksgade")),
)
_HARDWARE = (
    Hardware("IEC_62196_T2", "SOCKET", "AC_3_PHASE", 230, 16, 11_000),
    Hardware("IEC_62196_T2", "CABLE", "AC_3_PHASE", 230, 32, 22_000),
    Hardware("IEC_62196_T2_COMBO", "CABLE", "DC", 500, 300, 150_000),
    Hardware("CHADEMO", "CABLE", "DC", 500, 125, 50_000),
)
_STATUSES = ("AVAILABLE", "AVAILABLE", "AVAILABLE", "CHARGING", "CHARGING", "OUTOFORDER")
_PLACES = ("ON_STREET", "PARKING_GARAGE", "PARKING_LOT")


class Network(Struct, frozen=True):
    """What a CPO shows."""

    locations: list[Json]
    tariffs: list[Json]


def charging_network(
    party: Party, version: Version, *, stations: int = 200, tariffs: int = 12, seed: int = 1, prefix: str = ""
) -> Network:
    """Stations of 1 to 6 EVSEs, each connector with one of the tariffs. `prefix` makes ids unlike everybody's."""
    dice = random.Random(f"{party}{seed}")  # noqa: S311 - realistic, not secret
    prices = [tariff(party, version, f"{prefix}T{number}", dice) for number in range(1, tariffs + 1)]
    ids = [str(entry["id"]) for entry in prices]
    locations = [location(party, version, f"{prefix}LOC{number}", ids, dice) for number in range(1, stations + 1)]
    return Network(locations, prices)


def location(party: Party, version: Version, location_id: str, tariffs: list[str], dice: random.Random) -> Json:
    """OCPI 2.2.1, "Location Object"."""
    city, updated = dice.choice(_CITIES), _some_time(dice)
    place = dice.choice(_PLACES)
    address = f"{dice.choice(city.streets)} {dice.randint(1, 240)}"
    evses = [
        _evse(party, version, f"{location_id}-{number}", tariffs, updated, dice)
        for number in range(1, dice.randint(1, 6) + 1)
    ]
    common: Json = {
        "id": location_id,
        "name": f"{city.name} {address}",
        "address": address,
        "city": city.name,
        "postal_code": str(dice.randint(1000, 9999)),
        "country": city.country,
        "coordinates": {
            "latitude": f"{city.latitude + dice.uniform(-0.05, 0.05):.6f}",
            "longitude": f"{city.longitude + dice.uniform(-0.05, 0.05):.6f}",
        },
        "evses": evses,
        "operator": {"name": f"{party.party_id} Charging", "website": "https://example.org"},
        "time_zone": city.zone,
        "opening_times": {"twentyfourseven": True},
        "charging_when_closed": True,
        "last_updated": updated,
    }
    if version is Version.V2_1_1:
        return common | {"type": place}
    return _owned(party) | {"publish": True, "parking_type": place} | common


def _evse(party: Party, version: Version, uid: str, tariffs: list[str], updated: str, dice: random.Random) -> Json:
    connectors = [
        _connector(version, str(number), tariffs, updated, dice) for number in range(1, dice.randint(1, 2) + 1)
    ]
    return {
        "uid": uid,
        "evse_id": f"{party.country_code}*{party.party_id}*E{uid.replace('-', '*')}",
        "status": dice.choice(_STATUSES),
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE"],
        "connectors": connectors,
        "physical_reference": uid[-1],
        "last_updated": updated,
    }


def _connector(version: Version, connector_id: str, tariffs: list[str], updated: str, dice: random.Random) -> Json:
    kind, tariff_id = dice.choice(_HARDWARE), dice.choice(tariffs)
    electric: Json = {
        "max_voltage": kind.voltage,
        "max_amperage": kind.amperage,
        "max_electric_power": kind.power,
        "tariff_ids": [tariff_id],
    }
    if version is Version.V2_1_1:
        electric = {"voltage": kind.voltage, "amperage": kind.amperage, "tariff_id": tariff_id}
    return {
        "id": connector_id,
        "standard": kind.standard,
        "format": kind.format,
        "power_type": kind.power_type,
        **electric,
        "last_updated": updated,
    }


def tariff(party: Party, version: Version, tariff_id: str, dice: random.Random) -> Json:
    """OCPI 2.2.1, "Tariff Object": so much to start and so much a kWh."""
    start, energy = dice.randint(0, 100) / 100, dice.randint(19, 79) / 100
    vat: Json = {} if version is Version.V2_1_1 else {"vat": 21.0}
    components = [
        {"type": "FLAT", "price": start, **vat, "step_size": 1},
        {"type": "ENERGY", "price": energy, **vat, "step_size": 1},
    ]
    common: Json = {
        "id": tariff_id,
        "currency": "EUR",
        "tariff_alt_text": [{"language": "en", "text": f"{start:.2f} € to start, {energy:.2f} € per kWh"}],
        "elements": [{"price_components": components}],
        "last_updated": _some_time(dice),
    }
    if version is Version.V2_1_1:
        return common
    included: Json = {"tax_included": "NO"} if version is Version.V2_3_0 else {}
    return _owned(party) | common | included


def cards(party: Party, version: Version, *, count: int = 50, seed: int = 1) -> list[Json]:
    """The tokens of an eMSP. OCPI 2.2.1, "Token Object"."""
    dice = random.Random(f"{party}{seed}")  # noqa: S311 - realistic, not secret
    return [_card(party, version, number, dice) for number in range(1, count + 1)]


def _card(party: Party, version: Version, number: int, dice: random.Random) -> Json:
    contract = f"{party.country_code}{party.party_id}C{number:08d}"
    common: Json = {
        "uid": f"{dice.getrandbits(56):014X}",
        "type": "RFID",
        "visual_number": f"{party.party_id}-{number:06d}",
        "issuer": f"{party.party_id} Mobility",
        "valid": dice.random() > 0.02,
        "whitelist": "ALLOWED",
        "language": "en",
        "last_updated": _some_time(dice),
    }
    if version is Version.V2_1_1:
        return common | {"auth_id": contract}
    return _owned(party) | common | {"contract_id": contract}


def session(version: Version, session_id: str, where: Json, card: Json, *, kwh: float = 0) -> Json:
    """A session under way at the first connector of a location. OCPI 2.2.1, "Session Object"."""
    begun = datetime.now(UTC)
    common: Json = {
        "id": session_id,
        "kwh": kwh,
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "charging_periods": [],
        "status": "ACTIVE",
        "last_updated": stamp(begun),
    }
    if version is Version.V2_1_1:
        older = {"start_datetime": stamp(begun), "auth_id": card["auth_id"], "location": where, "total_cost": 0}
        return common | older
    evse = where["evses"][0]
    return {
        **_owner_of(where),
        **common,
        "start_date_time": stamp(begun),
        "cdr_token": _cdr_token(version, card),
        "location_id": where["id"],
        "evse_uid": evse["uid"],
        "connector_id": evse["connectors"][0]["id"],
    }


def cdr(version: Version, cdr_id: str, where: Json, card: Json, price: Json, *, kwh: float = 20.5) -> Json:
    """The record of an hour's charging. OCPI 2.2.1, "CDR Object"."""
    ended = datetime.now(UTC)
    begun = stamp(ended - timedelta(hours=1))
    common: Json = {
        "id": cdr_id,
        "start_date_time": begun,
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "tariffs": [price],
        "charging_periods": [{"start_date_time": begun, "dimensions": [{"type": "ENERGY", "volume": kwh}]}],
        "total_cost": _amount(version, round(kwh * 0.35, 2)),
        "total_energy": kwh,
        "total_time": 1.0,
        "last_updated": stamp(ended),
    }
    if version is Version.V2_1_1:
        return common | {"stop_date_time": stamp(ended), "auth_id": card["auth_id"], "location": where}
    return {
        **_owner_of(where),
        **common,
        "end_date_time": stamp(ended),
        "cdr_token": _cdr_token(version, card),
        "cdr_location": _cdr_location(where),
    }


def _cdr_token(version: Version, card: Json) -> Json:
    owner = {} if version is Version.V2_2 else _owner_of(card)
    return owner | {name: card[name] for name in ("uid", "type", "contract_id")}


def _cdr_location(where: Json) -> Json:
    evse = where["evses"][0]
    connector = evse["connectors"][0]
    names = ("id", "name", "address", "city", "postal_code", "country", "coordinates")
    return {name: where[name] for name in names} | {
        "evse_uid": evse["uid"],
        "evse_id": evse["evse_id"],
        "connector_id": connector["id"],
        "connector_standard": connector["standard"],
        "connector_format": connector["format"],
        "connector_power_type": connector["power_type"],
    }


def _amount(version: Version, excluding_vat: float) -> float | Json:
    """A price: a number in 2.1.1, with VAT beside it in 2.2 and 2.2.1, with named taxes in 2.3.0."""
    vat = round(excluding_vat * 0.21, 2)
    match version:
        case Version.V2_1_1:
            return excluding_vat
        case Version.V2_2 | Version.V2_2_1:
            return {"excl_vat": excluding_vat, "incl_vat": round(excluding_vat + vat, 2)}
        case Version.V2_3_0:
            return {"before_taxes": excluding_vat, "taxes": [{"name": "VAT", "amount": vat}]}


def _owned(party: Party) -> Json:
    return {"country_code": party.country_code, "party_id": party.party_id}


def _owner_of(thing: Json) -> Json:
    return {"country_code": thing["country_code"], "party_id": thing["party_id"]}


def _some_time(dice: random.Random) -> str:
    return stamp(_SINCE + timedelta(seconds=dice.randrange(60 * 86_400)))
