"""CDR. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "CDRs".

================================  ====================  ============================  ===============================
member                            2.1.1                 2.2, 2.2.1                    2.3.0
================================  ====================  ============================  ===============================
`country_code`, `party_id`        -                     the CPO                       the same
`id`                              36 characters         39                            39
end                               `stop_date_time`      `end_date_time`               the same
`session_id`                      -                     optional                      the same
who pays                          `auth_id`             `cdr_token`                   its type is open
where                             `location`            `cdr_location`                its connectors are open
`auth_method` `COMMAND`           -                     yes                           yes
`authorization_reference`         -                     optional                      the same
`total_cost`                      number without VAT    Price                         Price with taxes
five parts of the cost            -                     Prices                        Prices with taxes
`signed_data`                     -                     optional, see `signed_data`   the same
`invoice_reference_id`            -                     optional                      the same
`credit`, `credit_reference_id`   -                     optional                      the same
`home_charging_compensation`      -                     optional, not in 2.2          the same
`booking_id`                      -                     -                             optional (Bookings)
================================  ====================  ============================  ===============================

A CDR is a bill: it should arrive. What is lost is lost from it; what is refused is what would be paid twice.
"""

from __future__ import annotations

from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation import cdr_locations, cdr_tokens, charging_periods, tariffs
from routing.translation.authorization_references import refer_to_authorization
from routing.translation.cdr_locations import cdr_location_to_location, location_to_cdr_location
from routing.translation.cdr_tokens import auth_id_to_token, token_to_auth_id
from routing.translation.crossing import Crossing, Json, Step
from routing.translation.embedded_locations import Place, tariff_at
from routing.translation.fields import cut, drop, each, in_ascii, inside, kept, moments, only_valid, renamed, replace
from routing.translation.identifiers import LONGEST, check_id
from routing.translation.prices import from_2_3_0 as prices_from_2_3_0
from routing.translation.prices import is_amount, number_to_price, price_to_number
from routing.translation.prices import to_2_3_0 as prices_to_2_3_0
from routing.translation.questions import CreditedSession, SessionOfCdr
from routing.translation.signed_data import limit, limit_for_2_2
from routing.vocabulary import Version

CREDIT_REFUSED: Final = "RF-05"
"""Of a credit CDR, which must not be forgotten: the CDR it corrects would be paid twice."""

_NEWER_NAMES: Final = {"stop_date_time": "end_date_time", "auth_id": "cdr_token", "location": "cdr_location"}
_OLDER_NAMES: Final = {newer: older for older, newer in _NEWER_NAMES.items()}
_OLDER_MOMENTS: Final = ("start_date_time", "stop_date_time", "last_updated")
_NEWER_MOMENTS: Final = ("start_date_time", "end_date_time", "last_updated")
_PARTS_OF_COST: Final = (
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)
_COSTS: Final = ("total_cost", *_PARTS_OF_COST)
_LOST_IN_2_1_1: Final = {
    "country_code": "L-06",
    "party_id": "L-06",
    "session_id": "L-50",
    "authorization_reference": "L-33",
    "signed_data": "L-51",
    **dict.fromkeys(_PARTS_OF_COST, "L-52"),
    "invoice_reference_id": "L-53",
    "home_charging_compensation": "L-54",
    "credit": "L-55",
    "credit_reference_id": "L-55",
}
_REBUILT: Final = ("cdr_token", "cdr_location")
_OLDER_METHODS: Final = {"COMMAND": "AUTH_REQUEST"}
_LONGEST_REFERENCE: Final = 39
_LONGEST_REMARK: Final = 255
_TEXTS: Final = ("remark",)
_BOOKINGS: Final = {"booking_id": "M-50"}


def _is_id(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= LONGEST


def _is_reference(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= _LONGEST_REFERENCE


def _is_price(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is dict and is_amount(value.get("excl_vat"))


def _is_signed_data(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is dict and type(value.get("encoding_method")) is str and bool(value.get("signed_values"))


def _is_true_or_false(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is bool


_NEWER_MEMBERS: Final = {
    "session_id": _is_id,
    "signed_data": _is_signed_data,
    **dict.fromkeys(_PARTS_OF_COST, _is_price),
    "invoice_reference_id": _is_reference,
    "credit": _is_true_or_false,
    "credit_reference_id": _is_reference,
    "home_charging_compensation": _is_true_or_false,
}


# ------------------------------------------------------------------------------------------------ 2.1.1 and 2.2.1


def from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.1.1 to 2.2.1.

    Raises:
        Untranslatable: it does not say who pays, where or how much, or an id is too long.
        UnknownReceiver: nobody can be named as the one who pays.
    """
    cdr = body.copy()
    moments(cdr, _OLDER_MOMENTS, crossing)
    cdr = renamed(cdr, _NEWER_NAMES)
    only_valid(cdr, _NEWER_MEMBERS, crossing)
    cdr["country_code"], cdr["party_id"] = crossing.owner
    place = location_to_cdr_location(cdr, crossing)
    location_id = _text(cdr["cdr_location"].get("id"))
    session_id = _name_session(cdr, body, crossing)
    auth_id_to_token(cdr, crossing, session_id)
    refer_to_authorization(cdr, session_id, location_id, crossing)
    each(cdr, "tariffs", tariffs.from_2_1_1, crossing)
    charging_periods.all_from_2_1_1(cdr, _tariff_of_periods(cdr, place), crossing)
    number_to_price(cdr, "total_cost")
    if not _is_price(cdr.get("total_cost")):
        raise Untranslatable("RF-02", "total_cost is no amount", ocpi_status=2001)
    return cdr


def _name_session(cdr: Json, body: Json, crossing: Crossing) -> str | None:
    """Say which Session this is the bill of, where just one fits."""
    told = _text(cdr.get("session_id"))
    start, auth_id = body.get("start_date_time"), body.get("auth_id")
    place = body.get("location") or body.get("cdr_location")
    location_id = _text(place.get("id")) if type(place) is dict else None
    if told is None and type(start) is str and type(auth_id) is str and location_id is not None:
        told = crossing.ask(SessionOfCdr(crossing.owner, start, auth_id, location_id))
    if told is None:
        crossing.lose("L-50", "/session_id")
    else:
        cdr["session_id"] = told
    return told


def _tariff_of_periods(cdr: Json, place: Place) -> str | None:
    """The Tariff that applied: the only one of the CDR, or else that of the Connector, if it is one of them."""
    tariff_id, listed = tariff_at(place), _objects(cdr.get("tariffs"))
    if len(listed) == 1 and type(listed[0].get("id")) is str:
        only: str = listed[0]["id"]
        return only
    if tariff_id is None or not listed:
        return tariff_id
    return tariff_id if tariff_id.casefold() in {str(each_one.get("id")).casefold() for each_one in listed} else None


def to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.1.1.

    Raises:
        Untranslatable: it does not say who pays, where or how much, its id is too long, or it is about a credit that
            2.1.1 cannot express.
    """
    credit = _is_credit(body)
    if credit and not crossing.destination.quirks.credit_as_negative:
        raise Untranslatable(CREDIT_REFUSED, "credit CDR cannot be expressed in OCPI 2.1.1")
    if not credit:
        _refuse_if_credited(body, crossing)
    cdr, wanted = body.copy(), kept("cdr", crossing)
    moments(cdr, _NEWER_MOMENTS, crossing)
    cdr = renamed(cdr, _OLDER_NAMES)
    check_id(cdr, "id", LONGEST, crossing)
    if credit:
        _remark_credit(cdr, crossing)
    drop(cdr, _LOST_IN_2_1_1, crossing, "cdr")
    token_to_auth_id(cdr, crossing)
    replace(cdr, "auth_method", _OLDER_METHODS, "L-32", crossing)
    cdr_location_to_location(cdr, _first_tariff(body), crossing)
    _translate_tariffs(cdr, tariffs.embedded_to_2_1_1, crossing, loss="L-66")
    each(cdr, "charging_periods", charging_periods.to_2_1_1, crossing)
    price_to_number(cdr, "total_cost", crossing, required=True)
    in_ascii(cdr, _TEXTS, crossing)
    if wanted:
        cdr.update({name: body[name] for name in _REBUILT if name in wanted and name in body})
    return cdr


def _is_credit(body: Json) -> bool:
    """Whether it takes back another CDR. In doubt it does: what 2.1.1 does not recognise would be billed once more."""
    credit = body.get("credit")
    return bool(credit) if credit is not None else body.get("credit_reference_id") is not None


def _remark_credit(cdr: Json, crossing: Crossing) -> None:
    """The one text that the hub writes into an object: nothing else but the negative total tells what this is."""
    said = [f"CREDIT {cdr.get('credit_reference_id') or ''}".rstrip()]
    remark = _text(cdr.get("remark"))
    if remark is not None:
        said.append(remark)
    cdr["remark"] = "; ".join(said)
    cut(cdr, "remark", _LONGEST_REMARK, "L-04", crossing)


def _refuse_if_credited(body: Json, crossing: Crossing) -> None:
    """A CDR that corrects one whose credit could not be delivered would be paid on top of it."""
    token, place = body.get("cdr_token"), body.get("cdr_location")
    start, session_id = _text(body.get("start_date_time")) or "", _text(body.get("session_id"))
    question = CreditedSession(
        cpo=crossing.owner,
        receiver=crossing.destination.party,
        cdr_id=_text(body.get("id")) or "",
        session_id=session_id,
        start_date_time=start,
        token_uid=_text(token.get("uid")) or "" if type(token) is dict else "",
        evse_uid=_text(place.get("evse_uid")) or "" if type(place) is dict else "",
    )
    if crossing.ask(question):
        session = f"session {session_id}" if session_id else f"the session of {start}"
        raise Untranslatable("RF-18", f"{session} has a credit CDR that OCPI 2.1.1 cannot express")


def _first_tariff(body: Json) -> str | None:
    periods = _objects(body.get("charging_periods"))
    return next((tariff_id for period in periods if (tariff_id := _text(period.get("tariff_id")))), None)


def _translate_tariffs(cdr: Json, step: Step, crossing: Crossing, *, loss: str | None = None) -> None:
    """Translate the Tariffs. One that cannot be said is left out; that is `loss`, or what its refusal says."""
    values = cdr.get("tariffs")
    if type(values) is not list:
        return
    cdr["tariffs"] = left = []
    for index, value in enumerate(values):
        mark = len(crossing.losses)
        try:
            left.append(crossing.nested(step, value, f"/tariffs/{index}") if type(value) is dict else value)
        except Untranslatable as refusal:
            del crossing.losses[mark:]
            crossing.lose(loss or refusal.rule, f"/tariffs/{index}")


def _objects(values: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    return [value for value in values if type(value) is dict] if type(values) is list else []


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    return value if type(value) is str and value else None


# ------------------------------------------------------------------------------------------------ 2.2 and 2.2.1


def from_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2 to 2.2.1.

    Raises:
        Untranslatable: nobody knows whose Token it was.
    """
    cdr = body.copy()
    inside(cdr, "cdr_token", cdr_tokens.from_2_2, crossing)
    inside(cdr, "cdr_location", cdr_locations.from_2_2, crossing)
    return cdr


def to_2_2(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.2.

    Raises:
        Untranslatable: it is a compensation for charging at home, which the receiver agreed to get in no other way.
    """
    cdr = body.copy()
    inside(cdr, "cdr_token", cdr_tokens.to_2_2, crossing)
    inside(cdr, "cdr_location", cdr_locations.to_2_2, crossing)
    limit_for_2_2(cdr, crossing)
    if "home_charging_compensation" in cdr and crossing.destination.quirks.additive != "keep":
        _drop_compensation(cdr, crossing)
    return cdr


def _drop_compensation(cdr: Json, crossing: Crossing) -> None:
    if cdr.pop("home_charging_compensation") is True:
        if crossing.destination.quirks.home_compensation == "refuse":
            raise Untranslatable("M-83", "OCPI 2.2 has no mark for a CDR that pays a driver for charging at home")
        crossing.lose("M-83", "/home_charging_compensation")


# ------------------------------------------------------------------------------------------------ 2.2.1 and 2.3.0


def from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.3.0 to 2.2.1.

    Raises:
        Untranslatable: an amount of a cost cannot be used.
    """
    cdr = body.copy()
    prices_from_2_3_0(cdr, _COSTS, crossing)
    inside(cdr, "cdr_token", cdr_tokens.from_2_3_0, crossing)
    inside(cdr, "cdr_location", cdr_locations.from_2_3_0, crossing)
    _translate_tariffs(cdr, tariffs.from_2_3_0, crossing)
    each(cdr, "charging_periods", charging_periods.from_2_3_0, crossing)
    if crossing.destination.quirks.additive != "keep":
        drop(cdr, _BOOKINGS, crossing)
    if crossing.destination.version is Version.V2_2_1:
        limit(cdr, crossing)
    return cdr


def to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """2.2.1 to 2.3.0.

    Raises:
        Untranslatable: an amount of a cost cannot be used.
    """
    cdr = body.copy()
    prices_to_2_3_0(cdr, _COSTS, crossing)
    inside(cdr, "cdr_token", cdr_tokens.to_2_3_0, crossing)
    _translate_tariffs(cdr, tariffs.to_2_3_0, crossing)
    limit(cdr, crossing)
    return cdr
