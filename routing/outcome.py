"""What a partner's answer means to the one who asked. OCPI 2.2.1, "Status codes" and "Transport and format".

=====================================  =================================================
the receiver's HTTP status             what the requester gets
=====================================  =================================================
2xx with an envelope                   the same, whatever the OCPI status in it
404, 405                               the same status, its envelope or one of the hub's
401, 403                               4003: the hub's token is its own affair
502, 503, 504                          4003: a gateway in front of the receiver speaks
3xx                                    4000: redirects are not followed
400, 409, other 4xx, other 5xx         its envelope inside HTTP 200, or 4000 without one
2xx without an envelope                4000
=====================================  =================================================

and, where the two speak different versions:

=====================================  =================================================
the receiver's OCPI status             what the requester gets
=====================================  =================================================
19xx, 29xx, 39xx                       in 2.1.1: 1000, 2000, 3000
2004                                   in 2.1.1: 404 and 2000
4001                                   in 2.1.1: 2003 for the id of a Location, else 2002
4xxx                                   in 2.1.1: 3000
404 on authorize from 2.1.1            since 2.2: 404 and 2004, unless it says 2002, 2003
=====================================  =================================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from routing.bodies import without_bom
from routing.dialects import Dialect
from routing.envelope import SUCCESS, envelope, read_envelope
from routing.errors import HubError, NotRoutable, ReceiverUnreachable, Refusal, Untranslatable
from routing.message import ADDRESSES, Answer, RawHeaders, Reply, routing_headers
from routing.modules import Operation
from routing.timestamps import write_timestamp
from routing.vocabulary import ModuleID, Party

_OK: Final = range(200, 300)
_REFUSES_OUR_TOKEN: Final = frozenset({401, 403})
_GATEWAY: Final = frozenset({502, 503, 504})
_AS_IT_IS: Final = frozenset({404, 405})
_SUCCESS: Final = range(1000, 2000)
_EMPTY: Final = frozenset({b"null", b'""', b"{}", b"[]"})
_HUB_ERRORS: Final = range(4000, 5000)
_UNKNOWN_RECEIVER: Final = 4001
_UNKNOWN_TOKEN: Final = 2004
_AGREED: Final = frozenset({*range(1900, 2000), *range(2900, 3000), *range(3900, 4000)})
"""Codes with a meaning only between two partners: "Status codes", reserved for custom use."""
_COMMANDS_AT_LOCATIONS: Final = frozenset({"RESERVE_NOW", "START_SESSION", "UNLOCK_CONNECTOR"})
_SAYS_NO_MORE: Final = frozenset({2000, 2001})
_KEPT: Final = frozenset({b"x-total-count", b"x-limit", b"allow"})
"""Headers of an answer that mean the same to whoever reads them."""
_raw_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def refuses_our_token(reply: Reply) -> bool:
    """Whether the partner no longer accepts the hub, which its operator and the hub's have to hear of."""
    return reply.http_status in _REFUSES_OUR_TOKEN


def misaddressed(reply: Reply, sender: Party, receiver: Party) -> dict[str, str]:
    """The routing headers of an answer from `receiver` to `sender` that say something else.

    The hub knows by itself who answers whom; a partner who is wrong about it should hear of it one day.
    """
    said = [line for line in reply.headers if line[0] in ADDRESSES]
    if not said:
        return {}
    right = dict(routing_headers(sender, receiver))
    wrong = {name: value for name, value in said if value.upper() != right[name]}
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in wrong.items()}


def answer_of(reply: Reply, receiver: Party, now: datetime) -> Answer:
    """The receiver's reply as the requester gets it; see the table on top.

    Raises:
        ReceiverUnreachable: the receiver, or a gateway before it, did not take the message.
        NotRoutable: it answered, and not in OCPI.
    """
    status = reply.http_status
    if status in _REFUSES_OUR_TOKEN:
        raise ReceiverUnreachable(f"{receiver} does not accept this hub at present", Refusal.REFUSES_TOKEN)
    if status in _GATEWAY:
        raise ReceiverUnreachable(f"A gateway of {receiver} answers {status}", Refusal.GATEWAY)
    if 300 <= status < 400:
        raise NotRoutable(f"{receiver} answers with a redirect", Refusal.NOT_OCPI)
    body = without_bom(reply.body)
    head = read_envelope(body)
    if head is None:
        return _without_envelope(reply, receiver, now)
    kept = status if status in _OK or status in _AS_IT_IS else 200
    return Answer(kept, head.status_code, body, receiver, _kept_headers(reply))


def _without_envelope(reply: Reply, receiver: Party, now: datetime) -> Answer:
    status = reply.http_status
    if status not in _AS_IT_IS:
        raise NotRoutable(f"{receiver} answers {status} without an OCPI envelope", Refusal.NOT_OCPI)
    body = envelope(2000, now, message=f"{receiver} answers {status}")
    return Answer(status, 2000, body, receiver, _kept_headers(reply))


def in_codes_of(
    dialect: Dialect, answer: Answer, operation: Operation, now: datetime, spoken: Dialect | None = None
) -> Answer:
    """The answer of a receiver in codes that the requester's version has; one in which nothing is new stays as it is.

    `spoken` is how the receiver says things, where that is another version than the requester's. Only the code changes,
    and the message says which one it was. OCPI 2.1.1 and 2.2.1, "Status codes"; "Tokens", real-time authorization.
    """
    status = answer.ocpi_status
    if dialect.hub_status_codes:
        if spoken is None or spoken.hub_status_codes or not _is_unknown_token(answer, operation):
            return answer
        members = _members(answer.body)
        members.pop("data", None)
        return _with_code(answer, answer.http_status, _UNKNOWN_TOKEN, members, now)
    known = _code_of_2_1_1(status, operation)
    if known == status:
        return answer
    head = read_envelope(answer.body)
    members = _members(answer.body)
    members["status_message"] = _noted(status, None if head is None else head.status_message)
    return _with_code(answer, 404 if status == _UNKNOWN_TOKEN else answer.http_status, known, members, now)


def _is_unknown_token(answer: Answer, operation: Operation) -> bool:
    """Whether a 2.1.1 eMSP says that it does not know the Token it was asked about: it has no code for that."""
    if answer.http_status != 404 or answer.ocpi_status not in _SAYS_NO_MORE:
        return False
    return operation.module == ModuleID.TOKENS and operation.path[-1:] == ("authorize",)


def _members(body: bytes) -> dict[str, Any]:
    """Those of an envelope, each as it is written."""
    return dict(_raw_members(body))


def _with_code(answer: Answer, http_status: int, status: int, members: dict[str, Any], now: datetime) -> Answer:
    members["status_code"] = status
    members.setdefault("timestamp", write_timestamp(now))
    return Answer(http_status, status, msgspec.json.encode(members), answer.sender, answer.headers)


def _noted(status: int, message: str | None) -> str:
    """The message, with the code that the requester's version does not have in front."""
    return f"[{status}] {message or ''}".rstrip()


def with_data(answer: Answer, operation: Operation | None, data: str) -> Answer:
    """The answer with this `data`, as JSON, where it has none, or an empty one, and none is asked for."""
    if operation is not None and operation.returns_data and answer.ocpi_status in _SUCCESS:
        return answer
    members = _members(answer.body)
    if bytes(members.get("data", b"null")).strip() not in _EMPTY:
        return answer
    members["data"] = Raw(data.encode())
    return msgspec.structs.replace(answer, body=msgspec.json.encode(members))


def success(data: Any, speaker: Party, now: datetime, message: str | None = None) -> Answer:  # noqa: ANN401 - any JSON
    """The hub's own answer that says yes, in the name of `speaker`. Without data when it is UNSET."""
    return Answer(200, SUCCESS, envelope(SUCCESS, now, data=data, message=message), speaker)


def _kept_headers(reply: Reply) -> RawHeaders:
    return [line for line in reply.headers if line[0] in _KEPT]


def failure(error: HubError, dialect: Dialect, operation: Operation | None, hub: Party, now: datetime) -> Answer:
    """The hub's own answer to a message it could not carry, in codes the requester's version has."""
    status, message = error.ocpi_status, str(error)
    if not dialect.hub_status_codes:
        status = _code_of_2_1_1(error.ocpi_status, operation)
        # The message of a refusal starts with its rule, which says more than any code.
        if status != error.ocpi_status and not isinstance(error, Untranslatable):
            message = _noted(error.ocpi_status, message)
    headers = [(name.lower().encode(), value.encode()) for name, value in error.answer_headers().items()]
    return Answer(error.http_status, status, envelope(status, now, message=message), hub, headers)


def _is_of_a_location(operation: Operation) -> bool:
    """Whether the id of a Location says who is meant."""
    if operation.module == ModuleID.COMMANDS:
        return operation.path[0] in _COMMANDS_AT_LOCATIONS
    return operation.module == ModuleID.LOCATIONS and bool(operation.path)


def _code_of_2_1_1(status: int, operation: Operation | None) -> int:
    """2.1.1 ends at 3003: an unknown receiver is an unknown location or too little information, the rest 3000.

    It has no codes that partners agree upon either; those become the plain code of their range.
    """
    if status == _UNKNOWN_RECEIVER:
        return 2003 if operation is not None and _is_of_a_location(operation) else 2002
    if status == _UNKNOWN_TOKEN:
        return 2000
    if status in _HUB_ERRORS:
        return 3000
    return status // 1000 * 1000 if status in _AGREED else status
