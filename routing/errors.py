"""Every way a message can fail in the hub, each with the OCPI and the HTTP status a partner gets.

    HubError
    ├── Unauthorized                401 / 2000  no token the hub knows ("Authorization header")
    ├── ForeignSender               403 / 2001  OCPI-from names a party of another platform
    ├── SuspendedSender             403 / 2001  OCPI-from names a suspended party
    ├── InvalidParameters           200 / 2001  readable, but wrong
    ├── UnreadableBody              400 / 2001  not JSON, not UTF-8, or ambiguous
    ├── NoSuchPath                  404 / 2000  unknown module, interface or object
    │   └── ForeignOwner            404 / 2000  an object in a path that is another's
    ├── NotShared                   200 / 2000  a push for everybody, of a role that has nothing to push
    ├── UnknownLocation             200 / 2003  or 404, where a Location was to be read
    ├── UnknownToken                404 / 2004  a Token that is nobody's
    ├── UnsupportedVersion          404 / 3002  details of a version the hub does not have
    ├── WrongMethod                 405 / 2000  with Allow
    │   └── AlreadyRegistered       405 / 2000  POST of credentials where PUT is meant
    ├── TooLarge                    413 / 2001
    ├── TooManyRequests             429 / 2000  with Retry-After
    ├── Overloaded                  503 / 3000  with Retry-After
    ├── HubFault                    200 / 3000  the hub itself cannot serve this now
    ├── RegistrationError                       "Credentials"
    │   ├── CannotUsePartnerAPI     200 / 3001
    │   ├── NoCommonVersion         200 / 3002
    │   └── MissingEndpoints        200 / 3003
    └── RoutingError                            "Status codes", Hub errors
        ├── NotRoutable             200 / 4000
        ├── UnknownReceiver         200 / 4001
        ├── ReceiverTimeout         200 / 4002
        ├── ReceiverUnreachable     200 / 4003
        └── Untranslatable          200 / 4000  or what its rule says

A bug is not a HubError. Messages of these errors reach partners: they never contain a token, and
partner text in them is cut.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Refusal(StrEnum):
    """Why a message did not get through, where the error itself does not say it. For the operator.

    A partner is told less: somebody it has no agreement with reads like nobody.
    """

    UNKNOWN_RECEIVER = "unknown_receiver"
    NO_AGREEMENT = "no_agreement"
    NOT_OFFERED = "not_offered"
    RECEIVER_PLANNED = "receiver_planned"
    RECEIVER_OFFLINE = "receiver_offline"
    RECEIVER_SUSPENDED = "receiver_suspended"
    CIRCUIT_OPEN = "circuit_open"
    REFUSES_TOKEN = "refuses_token"  # noqa: S105 - the name of a failure
    GATEWAY = "gateway"
    NOT_OCPI = "not_ocpi"
    LOOP = "loop"


class HubError(Exception):
    """A failure with an answer. `str(error)` is the status_message."""

    ocpi_status: int = 2000
    http_status: int = 200
    headers: ClassVar[dict[str, str]] = {}
    refusal: Refusal | None = None
    """What the operator is told beyond the answer; none where the class of the error says it all."""

    def answer_headers(self) -> dict[str, str]:
        """HTTP headers that belong to this failure, such as Allow."""
        return dict(self.headers)


class Unauthorized(HubError):
    """No token, or none that may be used here. One text for all reasons, so that nothing can be probed."""

    http_status = 401
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Token"}

    def __init__(self) -> None:
        super().__init__("The Authorization header carries no token that is valid here")


class ForeignSender(HubError):
    """OCPI-from is not a party of the platform that authenticated."""

    http_status = 403
    ocpi_status = 2001


class SuspendedSender(HubError):
    """OCPI-from is a party the operator has suspended."""

    http_status = 403
    ocpi_status = 2001


class InvalidParameters(HubError):
    """The message can be read, and something in it is wrong."""

    ocpi_status = 2001


class UnreadableBody(HubError):
    """A body that is no JSON text, or one that two readers could understand differently."""

    http_status = 400
    ocpi_status = 2001


class NoSuchPath(HubError):
    """A path the hub does not have, or an object nobody owns."""

    http_status = 404


class ForeignOwner(NoSuchPath):
    """A path to an object whose owner is not of the platform that authenticated."""


class NotShared(HubError):
    """A push that names no receiver, of a party whose role is not one that pushes such objects to everybody."""


class UnknownLocation(HubError):
    """Nobody is known to have the Location that a message is about, in a version where that is all there is to say."""

    ocpi_status = 2003

    def __init__(self, message: str, *, http_status: int = 200) -> None:
        super().__init__(message)
        self.http_status = http_status


class UnknownToken(HubError):
    """A Token that none of those who were asked has. OCPI 2.2.1, "Tokens", real-time authorization."""

    http_status = 404
    ocpi_status = 2004


class UnsupportedVersion(HubError):
    """Details of a version the hub does not speak, or not with this partner."""

    http_status = 404
    ocpi_status = 3002


class WrongMethod(HubError):
    """The path exists, the method does not."""

    http_status = 405

    def __init__(self, message: str, allowed: tuple[str, ...]) -> None:
        super().__init__(message)
        self.allowed = allowed

    def answer_headers(self) -> dict[str, str]:
        """Allow, as HTTP demands of a 405."""
        return {"Allow": ", ".join(self.allowed)}


class TooLarge(HubError):
    """The body exceeds what the module may carry."""

    http_status = 413
    ocpi_status = 2001


class _Later(HubError):
    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def answer_headers(self) -> dict[str, str]:
        """Retry-After, in whole seconds."""
        return {"Retry-After": str(self.retry_after_s)}


class TooManyRequests(_Later):
    """The platform, or the address it calls from, sends more than it may."""

    http_status = 429


class Overloaded(_Later):
    """The hub is full, draining or starting."""

    http_status = 503
    ocpi_status = 3000


class HubFault(HubError):
    """The hub cannot do this now: its store is down, or it met a bug."""

    ocpi_status = 3000


class RegistrationError(HubError):
    """A credentials exchange that cannot be completed. OCPI 2.2.1, "Credentials" and "Status codes"."""


class CannotUsePartnerAPI(RegistrationError):
    """3001: a call back to the partner failed."""

    ocpi_status = 3001


class NoCommonVersion(RegistrationError):
    """3002: the partner does not offer the version of the URL it called."""

    ocpi_status = 3002


class MissingEndpoints(RegistrationError):
    """3003: the partner's details lack an endpoint that is needed."""

    ocpi_status = 3003


class AlreadyRegistered(WrongMethod):
    """405: POST of a registered platform, or the second of two POSTs with one TOKEN_A."""


class RoutingError(HubError):
    """The hub errors of "Status codes": always inside HTTP 200, since the message did reach the hub."""

    def __init__(self, message: str, refusal: Refusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class NotRoutable(RoutingError):
    """4000: any routing failure that has no code of its own."""

    ocpi_status = 4000


class UnknownReceiver(RoutingError):
    """4001: nobody has this address, or nobody the sender may see. Both read alike."""

    ocpi_status = 4001


class ReceiverTimeout(RoutingError):
    """4002: forwarded, and no complete answer in time."""

    ocpi_status = 4002


class ReceiverUnreachable(RoutingError):
    """4003: planned, offline or suspended, or no connection could be made."""

    ocpi_status = 4003


class Untranslatable(RoutingError):
    """The message cannot be said in the receiver's version. `rule` is the id of the reason, see docs/translation.md.

    4000 when the message is sound, 2001 when it lacks what the translation needs. `withdraw` says that the receiver
    was shown the object before, and should be told to remove it.
    """

    ocpi_status = 4000

    def __init__(
        self, rule: str, message: str, *, ocpi_status: int = 4000, http_status: int = 200, withdraw: bool = False
    ) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.ocpi_status = ocpi_status
        self.http_status = http_status
        self.withdraw = withdraw
