"""Connector. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "Locations", Connector Object.

====================  ===========  =============  ===========  ==================
member                2.1.1        2.2            2.2.1        2.3.0
====================  ===========  =============  ===========  ==================
volts at most         `voltage`    `max_voltage`  as 2.2       as 2.2
amperes at most       `amperage`   `max_amperage` as 2.2       as 2.2
tariffs               `tariff_id`  `tariff_ids`   as 2.2       as 2.2
`max_electric_power`  -            optional       as 2.2       as 2.2
`standard`            25 values    2 more         13 more      2 more, open enum
`power_type`          3 values     as 2.1.1       two phases   as 2.2.1
`capabilities`        -            -              -            optional
====================  ===========  =============  ===========  ==================

No version has a word for a plug it does not know, and a wrong one sends drivers to a station they cannot use. So such
a Connector is left out of its EVSE, and refused when the message is about nothing else. `parts_...` are for the
Connectors of an EVSE, the other functions for the Connector that a message is about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from routing.errors import Untranslatable
from routing.timestamps import read_timestamp
from routing.translation.crossing import Crossing, Json
from routing.translation.enums import is_agreed, is_lost, is_unknown
from routing.translation.fields import add_last_updated, drop, each, moments, renamed, taken_over
from routing.translation.publishing import check_published
from routing.translation.questions import TariffFacts, TariffSeen
from routing.vocabulary import Version

_NEWER_NAMES: Final = {"voltage": "max_voltage", "amperage": "max_amperage", "tariff_id": "tariff_ids"}
_OLDER_NAMES: Final = {newer: older for older, newer in _NEWER_NAMES.items()}
_MOMENTS: Final = ("last_updated",)
_LOST_TO_2_1_1: Final = {"max_electric_power": "L-23"}
_LOST_TO_2_2_1: Final = {"capabilities": "M-24"}
_TWO_PHASES: Final = ("AC_2_PHASE", "AC_2_PHASE_SPLIT")
_AD_HOC: Final = "AD_HOC_PAYMENT"
_FOR_EVERYBODY: Final = (None, "REGULAR")
_PLUG: Final = "ConnectorType"
_J3400: Final = "SAE_J3400"
_lost_to_2_1_1 = is_lost(_PLUG, Version.V2_2_1, Version.V2_1_1)
_newer_than_2_1_1 = is_lost(_PLUG, Version.V2_3_0, Version.V2_1_1)
_lost_to_2_2 = is_lost(_PLUG, Version.V2_2_1, Version.V2_2)
_unknown_to_2_2_1 = is_unknown(_PLUG, Version.V2_2_1)


def _is_whole(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is int


_NEWER_MEMBERS: Final[dict[str, Callable[[Any], bool]]] = {
    "max_voltage": _is_whole,
    "max_amperage": _is_whole,
    "max_electric_power": _is_whole,
    "tariff_ids": lambda value: type(value) is list,
}
_OLDER_MEMBERS: Final[dict[str, Callable[[Any], bool]]] = {
    "voltage": _is_whole,
    "amperage": _is_whole,
    "tariff_id": lambda value: type(value) is str,
}


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1, on its own and in its EVSE."""
    connector = renamed(taken_over(body, _NEWER_MEMBERS, crossing), _NEWER_NAMES)
    if "tariff_id" in body:
        _tariff_from_2_1_1(connector, crossing)
    moments(connector, _MOMENTS, crossing)
    add_last_updated(connector, crossing)
    return connector


def _tariff_from_2_1_1(connector: Json, crossing: Crossing) -> None:
    """One tariff becomes a list of one. In a PATCH, null says that there is none any more."""
    tariff = connector["tariff_ids"]
    if tariff is not None:
        connector["tariff_ids"] = tariff if type(tariff) is list else [tariff]
    elif crossing.patch:
        connector["tariff_ids"] = []
    else:
        del connector["tariff_ids"]


def parts_from_2_1_1(evse: Json, crossing: Crossing) -> None:
    """2.1.1 to 2.2.1, on the copy of an EVSE."""
    each(evse, "connectors", from_2_1_1, crossing)


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1.

    Raises:
        Untranslatable: RF-04, 2.1.1 does not have the plug; RF-03, the Location is not published.
    """
    check_published(crossing)
    connector = _to_2_1_1(body, crossing)
    if connector is None:
        raise Untranslatable("RF-04", f"{_plug(body)} cannot be expressed in OCPI 2.1.1")
    return connector


def _to_2_1_1(body: Json, crossing: Crossing) -> Json | None:
    """None where there is no such plug, here and below."""
    if _has_no_plug_of_2_1_1(body, crossing):
        return None
    connector = renamed(taken_over(body, _OLDER_MEMBERS, crossing), _OLDER_NAMES)
    drop(connector, _LOST_TO_2_1_1, crossing, "connector")
    to_one_phase(connector, "power_type", "L-22", crossing)
    if "tariff_id" in connector:
        _tariff_to_2_1_1(connector, crossing)
    moments(connector, _MOMENTS, crossing)
    return connector


def _tariff_to_2_1_1(connector: Json, crossing: Crossing) -> None:
    """One of several tariffs. In a PATCH, null says that there is none any more."""
    ids = connector["tariff_id"]
    if ids is not None and type(ids) is not list:
        return
    tariff = _tariff_among(ids, crossing) if ids else None
    if ids and ids.count(tariff) < len(ids):
        crossing.lose("L-24", "/tariff_ids")
    if tariff is not None or crossing.patch:
        connector["tariff_id"] = tariff
    else:
        del connector["tariff_id"]


def _tariff_among(values: Sequence[Any], crossing: Crossing) -> str | None:
    """The tariff of a driver with a card or an app and no wishes, as far as the tariffs are known.

    Never one for paying ad hoc: rather no price than that of the card terminal.
    """
    if len(values) == 1 and type(only := values[0]) is str:
        known = crossing.ask(TariffSeen(crossing.owner, only))
        return None if known is not None and known.type == _AD_HOC else only
    ids = [value for value in values if type(value) is str]
    facts = {tariff: crossing.ask(TariffSeen(crossing.owner, tariff)) for tariff in ids}
    offered = [tariff for tariff in ids if (known := facts[tariff]) is None or known.type != _AD_HOC]
    if len(offered) <= 1:
        return offered[0] if offered else None
    unknown = [tariff for tariff in offered if facts[tariff] is None]
    valid = [tariff for tariff in offered if (known := facts[tariff]) is not None and _is_valid(known, crossing)]
    usual = [tariff for tariff in valid if (known := facts[tariff]) is not None and known.type in _FOR_EVERYBODY]
    return next(chain(usual, unknown, valid, offered))


def _is_valid(tariff: TariffFacts, crossing: Crossing) -> bool:
    """Whether a Tariff is valid now. A time that cannot be read is no limit."""
    try:
        begun = tariff.start_date_time is None or read_timestamp(tariff.start_date_time) <= crossing.now
        return begun and (tariff.end_date_time is None or crossing.now < read_timestamp(tariff.end_date_time))
    except ValueError:
        return True


def parts_to_2_1_1(evse: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.1.1, on the copy of an EVSE."""
    each(evse, "connectors", _to_2_1_1, crossing, "L-21")


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2.

    Raises:
        Untranslatable: M-35, 2.2 does not have the plug.
    """
    connector = _to_2_2(body, crossing)
    if connector is None:
        raise Untranslatable("M-35", f"{_plug(body)} has no value in OCPI 2.2")
    return connector


def _to_2_2(body: Json, crossing: Crossing) -> Json | None:
    if _has_no_plug_of_2_2(body, crossing):
        return None
    if body.get("power_type") not in _TWO_PHASES:
        return body
    connector = body.copy()
    to_one_phase(connector, "power_type", "M-90", crossing)
    return connector


def parts_to_2_2(evse: Json, crossing: Crossing) -> None:
    """2.2.1 to 2.2, on the copy of an EVSE."""
    each(evse, "connectors", _to_2_2, crossing, "M-33")


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1.

    Raises:
        Untranslatable: M-35, 2.2.1 does not have the plug.
    """
    connector = _from_2_3_0(body, crossing)
    if connector is None:
        raise Untranslatable("M-35", f"{_plug(body)} has no value in OCPI 2.2.1")
    return connector


def _from_2_3_0(body: Json, crossing: Crossing) -> Json | None:
    if _has_no_plug_of_2_2_1(body, crossing):
        return None
    connector = body.copy()
    if crossing.destination.quirks.additive == "drop":
        drop(connector, _LOST_TO_2_2_1, crossing, "connector")
    if connector.get("standard") == _J3400 and not is_agreed(_PLUG, _J3400, crossing):
        connector["standard"] = "TESLA_S"  # the same inlet, which had no other name before
        crossing.lose("M-32", "/standard")
    return connector


def parts_from_2_3_0(evse: Json, crossing: Crossing) -> None:
    """2.3.0 to 2.2.1, on the copy of an EVSE."""
    each(evse, "connectors", _from_2_3_0, crossing, "M-33")


def to_one_phase(body: Json, name: str, loss: str, crossing: Crossing) -> None:
    """Understate a power type of two phases, for versions before 2.2.1: three would be too many."""
    power_type = body.get(name)
    if power_type in _TWO_PHASES and not is_agreed("PowerType", power_type, crossing):
        body[name] = "AC_1_PHASE"
        crossing.lose(loss, f"/{name}")


def folded_standard(standard: str, power_type: Any) -> str:  # noqa: ANN401 - any JSON
    """The plug in a Session or CDR for 2.1.1: a record has to arrive, so it names the likeliest that 2.1.1 has."""
    if not _newer_than_2_1_1(standard):
        return standard
    return "IEC_62196_T2_COMBO" if power_type == "DC" else "IEC_62196_T2"


def folded(body: Json, crossing: Crossing) -> Json:
    """A Connector of 2.2.1, in a Session, with a plug that 2.1.1 has."""
    if not _has_no_plug_of_2_1_1(body, crossing):
        return body
    crossing.lose("L-58", "/standard")
    return {**body, "standard": folded_standard(body["standard"], body.get("power_type"))}


def _has_no_plug_of_2_1_1(connector: Json, crossing: Crossing) -> bool:
    standard = connector.get("standard")
    return _lost_to_2_1_1(standard) and not is_agreed(_PLUG, standard, crossing)


def _has_no_plug_of_2_2(connector: Json, crossing: Crossing) -> bool:
    standard = connector.get("standard")
    return _lost_to_2_2(standard) and not is_agreed(_PLUG, standard, crossing)


def _has_no_plug_of_2_2_1(connector: Json, crossing: Crossing) -> bool:
    standard = connector.get("standard")
    return _unknown_to_2_2_1(standard) and standard != _J3400 and not is_agreed(_PLUG, standard, crossing)


def _plug(connector: Json) -> str:
    return f"the connector standard {str(connector.get('standard'))[:36]}"
