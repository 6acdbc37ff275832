"""Commands, what the CPO says to them at once, and what became of them. OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0, "Commands".

=============================  ======================  =======================  =====================  ==============
object, member                 2.1.1                   2.2                      2.2.1                  2.3.0
=============================  ======================  =======================  =====================  ==============
ReserveNow, StartSession
`token`                        see `tokens`            the same                 the same               the same
`authorization_reference`      -                       optional                 the same               the same
`location_id`, `evse_uid`      up to 39 characters     up to 36                 the same               the same
ReserveNow `reservation_id`    a number                a text                   the same               the same
StartSession `connector_id`    -                       -                        optional               the same
CancelReservation              -                       there                    the same               the same
the answer                     CommandResponse with    and `timeout`,           the same               the same
                               `result`                `message`
the result                     CommandResponse again   CommandResult with its   the same               the same
                                                       own values of `result`
=============================  ======================  =======================  =====================  ==============

The URL a result goes to is one of the hub's own and no matter of translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation import tokens
from routing.translation.crossing import Crossing, Json
from routing.translation.fields import drop, inside, is_absent, moments, only_valid, renamed, replace
from routing.translation.identifiers import check_id
from routing.translation.questions import ReservationNumber
from routing.translation.stand_ins import english, no_number
from routing.vocabulary import Party

_LONGEST_ID: Final = 36
_MOMENTS: Final = ("expiry_date",)
_IDS: Final = ("location_id", "evse_uid")
_LOST_OF_RESERVE_NOW: Final = {"authorization_reference": "L-33"}
_LOST_OF_START_SESSION: Final = {"authorization_reference": "L-33", "connector_id": "L-81"}
_LOST_OF_RESPONSE: Final = {"timeout": "L-82", "message": "L-82"}
_LOST_OF_RESULT: Final = {"message": "L-87"}

_NOT_IN_RESPONSE: Final = {"TIMEOUT": "REJECTED"}
"""What 2.1.1 answers to a command at once, and later versions only as its result."""
_NOT_IN_RESULT: Final = {"UNKNOWN_SESSION": "FAILED"}
_REJECTED: Final = dict.fromkeys(
    ("CANCELED_RESERVATION", "EVSE_OCCUPIED", "EVSE_INOPERATIVE", "FAILED", "UNKNOWN_RESERVATION"), "REJECTED"
)
"""Results that 2.1.1 does not have."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_COMPUTED: Final = 1 << 30
"""From here on reservations have numbers that the hub made; below are those that were numbers already."""


def _is_id(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is str and len(value) <= _LONGEST_ID


def _is_timeout(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is int and value >= 0


def _is_message(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return type(value) is list and all(type(text) is dict and type(text.get("text")) is str for text in value)


_NEWER_MEMBERS: Final = {"authorization_reference": _is_id, "connector_id": _is_id}
_NEWER_MEMBERS_OF_ANSWER: Final = {"timeout": _is_timeout, "message": _is_message}


# What an eMSP wants


def reserve_now_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """ReserveNow, 2.1.1 to 2.2.1.

    Raises:
        Untranslatable: an id is too long.
    """
    command = start_session_from_2_1_1(body, crossing)
    number = command.get("reservation_id")
    if type(number) is int:
        command["reservation_id"] = str(number)
    moments(command, _MOMENTS, crossing)
    return command


def start_session_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """StartSession, 2.1.1 to 2.2.1. Which Connector of the EVSE it is, is left to the CPO.

    Raises:
        Untranslatable: an id is too long.
    """
    command = unlock_connector_from_2_1_1(body, crossing)
    only_valid(command, _NEWER_MEMBERS, crossing)
    inside(command, "token", tokens.from_2_1_1, crossing)
    return command


def unlock_connector_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """UnlockConnector, 2.1.1 to 2.2.1.

    Raises:
        Untranslatable: an id is too long.
    """
    command = renamed(body)
    for name in _IDS:
        check_id(command, name, _LONGEST_ID, crossing)
    return command


def reserve_now_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """ReserveNow, 2.2.1 to 2.1.1.

    Raises:
        AnsweredByHub: the reservation cannot have a number of its own.
    """
    command = renamed(body)
    inside(command, "token", tokens.embedded_to_2_1_1, crossing)
    drop(command, _LOST_OF_RESERVE_NOW, crossing, "reserve_now")
    moments(command, _MOMENTS, crossing)
    if type(body.get("reservation_id")) is str:
        command["reservation_id"] = number = _number(body["reservation_id"], crossing)
        if str(number) != body["reservation_id"]:
            crossing.lose("L-80", "/reservation_id")
    return command


def start_session_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """StartSession, 2.2.1 to 2.1.1."""
    command = renamed(body)
    inside(command, "token", tokens.embedded_to_2_1_1, crossing)
    drop(command, _LOST_OF_START_SESSION, crossing, "start_session")
    return command


def start_session_to_2_2(body: Json, crossing: Crossing) -> Json:
    """StartSession, 2.2.1 to 2.2, where each Connector is said to be an EVSE of its own."""
    command = renamed(body)
    if crossing.destination.quirks.additive == "drop":
        drop(command, {"connector_id": "M-87"}, crossing)
    return command


def token_from_2_3_0(body: Json, crossing: Crossing) -> Json:
    """ReserveNow and StartSession, 2.3.0 to 2.2.1."""
    command = renamed(body)
    inside(command, "token", tokens.embedded_from_2_3_0, crossing)
    return command


def token_to_2_3_0(body: Json, crossing: Crossing) -> Json:
    """ReserveNow and StartSession, 2.2.1 to 2.3.0."""
    command = renamed(body)
    inside(command, "token", tokens.to_2_3_0, crossing)
    return command


# What a reservation is called at a 2.1.1 CPO, to whom all eMSPs are one


def _number(reservation_id: str, crossing: Crossing) -> int:
    sender = crossing.emsp or crossing.origin.party
    receiver = crossing.cpo or crossing.destination.party
    computed = next(reservation_numbers(sender, reservation_id))
    question = ReservationNumber(receiver, sender, reservation_id, computed)
    number = crossing.ask(question)
    if number is None and question in crossing.known:
        # Whoever keeps the numbers could not give it one, and one used twice would replace a stranger's reservation.
        raise no_number()
    return computed if number is None else number


def reservation_numbers(emsp: Party, reservation_id: str) -> Iterator[int]:
    """The numbers this reservation can have at a 2.1.1 CPO, the best one first: it gets the first that is free there.

    A number that is no bigger than 2^30 - 1 stays what it is. Everything else gets one above that, from a hash, so
    that the same reservation has the same number again; where it is taken, the next one. Ids are compared as CiStrings.
    """
    if _NUMBER.fullmatch(reservation_id) and int(reservation_id) < _COMPUTED:
        yield int(reservation_id)
    key = f"{emsp.country_code}/{emsp.party_id}/{reservation_id}".lower()
    offset = int.from_bytes(sha256(key.encode()).digest()[:4]) % _COMPUTED
    for step in range(_COMPUTED):
        yield _COMPUTED + (offset + step) % _COMPUTED


# What the CPO says to it


def response_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """CommandResponse, 2.1.1 to 2.2.1.

    Raises:
        Untranslatable: it has no `result`.
    """
    response = _answer_from_2_1_1(body, _NOT_IN_RESPONSE, "L-84", crossing)
    if is_absent(response, "timeout"):
        accepted = response["result"] == "ACCEPTED"
        response["timeout"] = crossing.origin.quirks.command_timeout_s if accepted else 0
        crossing.lose("L-83", "/timeout")
    return response


def response_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """CommandResponse, 2.2.1 to 2.1.1.

    Raises:
        Untranslatable: it has no `result`.
    """
    response = _with_result(body)
    drop(response, _LOST_OF_RESPONSE, crossing, "command_response")
    return response


def result_from_2_1_1(body: Json, crossing: Crossing) -> Json:
    """CommandResponse of 2.1.1 that comes later, to CommandResult of 2.2.1.

    Raises:
        Untranslatable: it has no `result`.
    """
    return _answer_from_2_1_1(body, _NOT_IN_RESULT, "L-86", crossing)


def result_to_2_1_1(body: Json, crossing: Crossing) -> Json:
    """CommandResult of 2.2.1 to the CommandResponse of 2.1.1 that comes later.

    Raises:
        Untranslatable: it has no `result`.
    """
    result = _with_result(body)
    replace(result, "result", _REJECTED, "L-85", crossing)
    drop(result, _LOST_OF_RESULT, crossing, "command_result")
    return result


def _answer_from_2_1_1(body: Json, values: Mapping[str, str], loss: str, crossing: Crossing) -> Json:
    answer = _with_result(body)
    only_valid(answer, _NEWER_MEMBERS_OF_ANSWER, crossing)
    replace(answer, "result", values, loss, crossing)
    if answer["result"] != body["result"] and is_absent(answer, "message"):
        answer["message"] = english(f"2.1.1 result: {body['result']}")
    return answer


def _with_result(body: Json) -> Json:
    if is_absent(body, "result"):
        raise Untranslatable("RF-02", "result, which says what became of the command, is missing", ocpi_status=2001)
    return body.copy()
