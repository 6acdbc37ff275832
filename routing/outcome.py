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
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from routing.bodies import without_bom
from routing.dialects import Dialect
from routing.envelope import envelope, read_envelope
from routing.errors import HubError, NotRoutable, ReceiverUnreachable
from routing.message import Answer, RawHeaders, Reply, routing_headers
from routing.modules import Operation
from routing.vocabulary import ModuleID, Party

_OK: Final = range(200, 300)
_REFUSES_OUR_TOKEN: Final = frozenset({401, 403})
_GATEWAY: Final = frozenset({502, 503, 504})
_AS_IT_IS: Final = frozenset({404, 405})
_HUB_ERRORS: Final = range(4000, 5000)
_UNKNOWN_RECEIVER: Final = 4001
_UNKNOWN_TOKEN: Final = 2004
_KEPT: Final = frozenset({b"x-total-count", b"x-limit", b"allow"})
"""Headers of an answer that mean the same to whoever reads them."""


def refuses_our_token(reply: Reply) -> bool:
    """Whether the partner no longer accepts the hub, which its operator and the hub's have to hear of."""
    return reply.http_status in _REFUSES_OUR_TOKEN


def misaddressed(reply: Reply, sender: Party, receiver: Party) -> dict[str, str]:
    """The routing headers of an answer from `receiver` to `sender` that say something else.

    The hub knows by itself who answers whom; a partner who is wrong about it should hear of it one day.
    """
    said = [(name, value) for name, value in reply.headers if name.startswith(b"ocpi-")]
    if not said:
        return {}
    right = dict(routing_headers(sender, receiver))
    wrong = {name: value for name, value in said if value.upper() != right.get(name, value.upper())}
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in wrong.items()}


def answer_of(reply: Reply, receiver: Party, now: datetime) -> Answer:
    """The receiver's reply as the requester gets it; see the table on top.

    Raises:
        ReceiverUnreachable: the receiver, or a gateway before it, did not take the message.
        NotRoutable: it answered, and not in OCPI.
    """
    status = reply.http_status
    if status in _REFUSES_OUR_TOKEN:
        raise ReceiverUnreachable(f"{receiver} does not accept this hub at present")
    if status in _GATEWAY:
        raise ReceiverUnreachable(f"A gateway of {receiver} answers {status}")
    if 300 <= status < 400:
        raise NotRoutable(f"{receiver} answers with a redirect")
    body = without_bom(reply.body)
    head = read_envelope(body)
    if head is None:
        return _without_envelope(reply, receiver, now)
    kept = status if status in _OK or status in _AS_IT_IS else 200
    return Answer(kept, head.status_code, body, receiver, _kept_headers(reply))


def _without_envelope(reply: Reply, receiver: Party, now: datetime) -> Answer:
    status = reply.http_status
    if status not in _AS_IT_IS:
        raise NotRoutable(f"{receiver} answers {status} without an OCPI envelope")
    body = envelope(2000, now, message=f"{receiver} answers {status}")
    return Answer(status, 2000, body, receiver, _kept_headers(reply))


def in_codes_of(dialect: Dialect, answer: Answer, operation: Operation, now: datetime) -> Answer:
    """The answer of a receiver in codes that the requester's version has; one without newer codes stays as it is."""
    status = answer.ocpi_status
    if dialect.hub_status_codes or not (status == _UNKNOWN_TOKEN or status in _HUB_ERRORS):
        return answer
    http_status, known = (404, 2000) if status == _UNKNOWN_TOKEN else (200, _code_of_2_1_1(status, operation))
    head = read_envelope(answer.body)
    body = envelope(known, now, message=None if head is None else head.status_message)
    return Answer(http_status, known, body, answer.sender, answer.headers)


def _kept_headers(reply: Reply) -> RawHeaders:
    return [line for line in reply.headers if line[0] in _KEPT]


def failure(error: HubError, dialect: Dialect, operation: Operation | None, hub: Party, now: datetime) -> Answer:
    """The hub's own answer to a message it could not carry, in codes the requester's version has."""
    status = error.ocpi_status if dialect.hub_status_codes else _code_of_2_1_1(error.ocpi_status, operation)
    headers = [(name.lower().encode(), value.encode()) for name, value in error.answer_headers().items()]
    return Answer(error.http_status, status, envelope(status, now, message=str(error)), hub, headers)


def _code_of_2_1_1(status: int, operation: Operation | None) -> int:
    """2.1.1 ends at 3003: an unknown receiver is an unknown location or too little information, the rest 3000."""
    if status < 4000:
        return status
    if status != _UNKNOWN_RECEIVER:
        return 3000
    return 2003 if operation is not None and operation.module == ModuleID.LOCATIONS and operation.path else 2002
