"""Which of the journal's failures an error is."""

from __future__ import annotations

from typing import Final

from hub.store.journal_entries import Failure
from routing.errors import (
    HubError,
    HubFault,
    NotRoutable,
    Overloaded,
    ReceiverTimeout,
    ReceiverUnreachable,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnknownLocation,
    UnknownReceiver,
    UnknownToken,
    UnreadableBody,
    Untranslatable,
)

_BY_ERROR: Final[tuple[tuple[type[HubError], Failure], ...]] = (
    (Unauthorized, Failure.NOT_AUTHENTICATED),
    (TooManyRequests, Failure.LIMITED),
    (Overloaded, Failure.LIMITED),
    (UnreadableBody, Failure.UNREADABLE),
    (TooLarge, Failure.UNREADABLE),
    (UnknownReceiver, Failure.UNKNOWN_RECEIVER),
    (UnknownLocation, Failure.UNKNOWN_RECEIVER),
    (UnknownToken, Failure.UNKNOWN_RECEIVER),
    (ReceiverTimeout, Failure.TIMEOUT),
    (ReceiverUnreachable, Failure.CONNECT_FAILED),
    (Untranslatable, Failure.UNTRANSLATABLE),
    (HubFault, Failure.HUB_ERROR),
)
_SAID_BY_PARTNER: Final = frozenset({UnknownLocation, UnknownToken})
"""Errors that are a receiver's answer, if one was asked."""
SUCCESS: Final = range(1000, 2000)


def failure_of(error: HubError, *, was_called: bool) -> Failure:
    """Why a message failed with this error. `was_called`: somebody had been called for it."""
    if error.refusal is not None:
        return Failure(error.refusal.value)
    if was_called and type(error) in _SAID_BY_PARTNER:
        return Failure.PARTNER_ERROR
    if was_called and type(error) is NotRoutable:
        return Failure.NOT_OCPI
    return next((failure for kind, failure in _BY_ERROR if isinstance(error, kind)), Failure.REFUSED)


def failure_said(http_status: int, ocpi_status: int, *, was_called: bool) -> Failure | None:
    """Why a message failed that was answered with these statuses and no error of the hub; None where it did not."""
    if http_status < 400 and (ocpi_status in SUCCESS or not ocpi_status):
        return None
    return Failure.PARTNER_ERROR if was_called else Failure.REFUSED
