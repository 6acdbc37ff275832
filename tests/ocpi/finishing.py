"""What makes the fields of a random object fit together: totals, order of times, distinct days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tests.ocpi.ingredients import Ingredients

_SUPPLY: Final = {  # power type -> voltages, amperages, connector types
    "AC_1_PHASE": ((230,), (10, 16, 32), ("IEC_62196_T2", "DOMESTIC_F", "IEC_62196_T1")),
    "AC_2_PHASE": ((230,), (16, 32), ("IEC_62196_T2",)),
    "AC_2_PHASE_SPLIT": ((240,), (32, 40), ("IEC_62196_T1",)),
    "AC_3_PHASE": ((230,), (16, 32, 63), ("IEC_62196_T2", "IEC_60309_2_three_32")),
    "DC": ((400, 500, 920), (125, 200, 350), ("IEC_62196_T2_COMBO", "CHADEMO")),
}


def _finish_hours(m: Ingredients, made: dict[str, Any]) -> None:
    if "regular_hours" in made:
        days = sorted(m.rng.sample(range(1, 8), len(made["regular_hours"])))
        for day, hours in zip(days, made["regular_hours"], strict=True):
            hours["weekday"] = day


def _finish_energy_mix(m: Ingredients, made: dict[str, Any]) -> None:
    """Sources are distinct and their shares add up to 100."""
    sources = list({source["source"]: source for source in made.get("energy_sources", [])}.values())
    left = 100
    for source in sources[1:]:
        source["percentage"] = m.rng.randrange(1, left // 2)
        left -= source["percentage"]
    if sources:
        sources[0]["percentage"] = left
        made["energy_sources"] = sources


def _finish_connector(m: Ingredients, made: dict[str, Any]) -> None:
    if supply := _SUPPLY.get(made.get("power_type", "")):
        voltages, amperages, standards = supply
        for name, choices in (("voltage", voltages), ("amperage", amperages), ("standard", standards)):
            for key in (name, f"max_{name}"):
                if key in made:
                    made[key] = m.rng.choice(choices)


def _finish_evse(_: Ingredients, made: dict[str, Any]) -> None:
    for number, connector in enumerate(made.get("connectors", []), start=1):
        connector["id"] = str(number)


def _finish_price(m: Ingredients, made: dict[str, Any]) -> None:
    if "incl_vat" in made:
        made["incl_vat"] = round(made["excl_vat"] * (1 + m.place.vat / 100), 2)
    if "after_taxes" in made:
        made["after_taxes"] = round(made["before_taxes"] * (1 + m.place.vat / 100), 2)
    if "taxes" in made:
        tax = made["taxes"][0]
        tax["amount"] = round(made["before_taxes"] * m.place.vat / 100, 2)
        made["taxes"] = [tax]


def _finish_dimension(m: Ingredients, made: dict[str, Any]) -> None:
    if "volume" in made and "TIME" in made.get("type", ""):
        made["volume"] = m.amount(0.05, 4, 4)


def _finish_periods(m: Ingredients, made: dict[str, Any]) -> None:
    """Charging periods lie between start and end, and refer to the tariffs that are there."""
    names = [name for name in made if name.startswith("start_date")]
    if not names or "charging_periods" not in made:
        return
    start = datetime.fromisoformat(made[names[0]])
    ends = [made[name] for name in made if name.startswith(("end_date", "stop_date"))]
    end = datetime.fromisoformat(ends[0]) if ends else start + timedelta(hours=1)
    periods = made["charging_periods"]
    for index, period in enumerate(periods):
        period["start_date_time"] = m.moment(start + (end - start) * index / len(periods))
        if "tariff_id" in period and "tariffs" in made:
            period["tariff_id"] = m.rng.choice(made["tariffs"])["id"]


def _finish_cdr(m: Ingredients, made: dict[str, Any]) -> None:
    """The totals follow from the times, the periods and the partial costs."""
    _finish_periods(m, made)
    start, end = (datetime.fromisoformat(at) for name, at in made.items() if name.endswith("_date_time"))
    made["total_time"] = round((end - start).total_seconds() / 3600, 4)
    if "total_parking_time" in made:
        made["total_parking_time"] = round(m.rng.random() * made["total_time"], 4)
    dimensions = [dimension for period in made["charging_periods"] for dimension in period["dimensions"]]
    if volumes := [dimension["volume"] for dimension in dimensions if dimension["type"] == "ENERGY"]:
        made["total_energy"] = round(sum(volumes), 4)
    parts = [cost for name, cost in made.items() if name.startswith("total_") and name.endswith("_cost")]
    if isinstance(made["total_cost"], dict) and parts:
        for name in ("excl_vat", "before_taxes"):
            if name in made["total_cost"]:
                made["total_cost"][name] = round(sum(part[name] for part in parts), 2)
        _finish_price(m, made["total_cost"])
    if made.get("credit"):
        made["total_cost"] = _negative(made["total_cost"])


def _negative(price: dict[str, Any]) -> dict[str, Any]:
    """The same price of a Credit CDR, where the amounts, and only those, change their sign."""
    amounts = {name: -value for name, value in price.items() if name != "taxes"}
    taxes = [{**tax, "amount": -tax["amount"]} for tax in price.get("taxes", [])]
    return amounts | ({"taxes": taxes} if taxes else {})


def _finish_token(m: Ingredients, made: dict[str, Any]) -> None:
    if "uid" in made and made.get("type") in {"APP_USER", "AD_HOC_USER"}:
        made["uid"] = m.uuid()


def _finish_version(m: Ingredients, made: dict[str, Any]) -> None:
    if "endpoints" in made:
        for endpoint in made["endpoints"]:
            endpoint["url"] = m.url("ocpi", made["version"], endpoint["identifier"])
    elif "url" in made:
        made["url"] = m.url("ocpi", made["version"])


def _finish_profile(_: Ingredients, made: dict[str, Any]) -> None:
    for index, period in enumerate(made.get("charging_profile_period", [])):
        period["start_period"] = index * 900


FINISHERS: Final[Mapping[str, Callable[[Ingredients, dict[str, Any]], None]]] = {
    "CDR": _finish_cdr,
    "CdrDimension": _finish_dimension,
    "CdrToken": _finish_token,
    "ChargingProfile": _finish_profile,
    "Connector": _finish_connector,
    "EVSE": _finish_evse,
    "EnergyMix": _finish_energy_mix,
    "Hours": _finish_hours,
    "Price": _finish_price,
    "PriceLimit": _finish_price,
    "Session": _finish_periods,
    "Token": _finish_token,
    "Version": _finish_version,
    "VersionDetails": _finish_version,
}
