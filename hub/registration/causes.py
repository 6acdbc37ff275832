"""Why a registration most likely failed, and what to tell the partner's engineer. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from hub.store.registration_steps import Begun, Step
from routing.errors import (
    AlreadyRegistered,
    CannotUsePartnerAPI,
    HubError,
    HubFault,
    InvalidParameters,
    MissingEndpoints,
    NoCommonVersion,
    NotRoutable,
    ReceiverTimeout,
    ReceiverUnreachable,
    Unauthorized,
    UnreadableBody,
    UnsupportedVersion,
    WrongMethod,
)


class Cause(StrEnum):
    """What is most likely wrong."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105 - the name of a cause
    WRONG_URL = "wrong_url"
    URL_REFUSED = "url_refused"
    REDIRECT = "redirect"
    TLS = "tls"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    THEIR_FAULT = "their_fault"
    NOT_OCPI = "not_ocpi"
    THEY_REFUSED = "they_refused"
    NO_COMMON_VERSION = "no_common_version"
    MISSING_ENDPOINTS = "missing_endpoints"
    BAD_CREDENTIALS = "bad_credentials"
    UNREADABLE = "unreadable"
    PARTY_TAKEN = "party_taken"
    ALREADY_REGISTERED = "already_registered"
    NOT_REGISTERED = "not_registered"
    INVITATION_ENDED = "invitation_ended"
    HUB_FAULT = "hub_fault"


class Advice(NamedTuple):
    """About one cause."""

    likely: str
    tell: str
    """To their engineer."""


ADVICE: Final[dict[Cause, Advice]] = {
    Cause.TOKEN_REFUSED: Advice(
        "They compare the Base64 text with the plain token, or do not accept yet the token that they sent us.",
        "Accept the token of your credentials before you send them. From 2.2 on we send it in "
        "Base64: decode it first, and leave out any line end.",
    ),
    Cause.WRONG_URL: Advice(
        "The URL is not the one of their versions, or it lacks a part of the path.",
        "Look at the URL with curl and our token: it must answer 200 with a list of versions. Mind /ocpi, /versions "
        "and a slash at the end.",
    ),
    Cause.URL_REFUSED: Advice(
        "The URL is relative, without https, on an unusual port, or leads to a private address.",
        "Give absolute https URLs with a public host name, in your credentials, your versions and your endpoints.",
    ),
    Cause.REDIRECT: Advice(
        "A proxy sends callers from http to https, or to another path. The hub does not follow, as it has a token.",
        "Give the URL that answers by itself, without a redirect.",
    ),
    Cause.TLS: Advice(
        "The chain of their certificate is incomplete, has expired, is for another name, or TLS is older than 1.2.",
        "Let the server send the intermediate certificates too, and check the name and the end of the certificate: "
        "openssl s_client -connect HOST:443 -servername HOST",
    ),
    Cause.UNREACHABLE: Advice(
        "The host name leads nowhere, or a firewall keeps the hub out.",
        "Check the host name and the port, and let our addresses through your firewall.",
    ),
    Cause.TIMEOUT: Advice(
        "A firewall drops what the hub sends, or their server waits for something that needs the answer of the hub.",
        "Answer versions and details while your POST still waits for our answer, and let us through your firewall.",
    ),
    Cause.THEIR_FAULT: Advice(
        "Their server met an error of its own.",
        "The log of your server has more about it, at the time given here.",
    ),
    Cause.NOT_OCPI: Advice(
        "A web page or another interface answers there, or what OCPI wants as data is missing.",
        "Answer with the OCPI envelope: status_code 1000, timestamp, and as data what the chapter says.",
    ),
    Cause.THEY_REFUSED: Advice(
        "Their system refused the request, with an OCPI status of its own.",
        "The log of your system says why it gave this status.",
    ),
    Cause.NO_COMMON_VERSION: Advice(
        "They offer no version that this invitation allows.",
        "List a version that we offer in your versions; if you speak 2.1.1, say so, as that takes another invitation.",
    ),
    Cause.MISSING_ENDPOINTS: Advice(
        "The details lack modules that were asked for, or their endpoints have no role.",
        "List credentials and the modules that were agreed on in the details of the version, from 2.2 on each with "
        "its role SENDER or RECEIVER.",
    ),
    Cause.BAD_CREDENTIALS: Advice(
        "They name a party or a role that the invitation is not for, or a member of the object is wrong.",
        "Send the country_code, party_id and role that were agreed on, in capitals, and a token without blanks.",
    ),
    Cause.UNREADABLE: Advice(
        "The body is no JSON: often a shell has eaten its quotes.",
        "Send JSON in UTF-8, with Content-Type: application/json.",
    ),
    Cause.PARTY_TAKEN: Advice(
        "The party is another partner's at this hub.",
        "Check country_code and party_id; if they are yours, tell us, and we look who else has them.",
    ),
    Cause.ALREADY_REGISTERED: Advice(
        "They are registered already, and register again.",
        "Use PUT with your present token to change your credentials.",
    ),
    Cause.NOT_REGISTERED: Advice(
        "They want to change or end a registration that there is none of.",
        "Register with POST, and the token of the invitation.",
    ),
    Cause.INVITATION_ENDED: Advice(
        "The invitation has ended.",
        "Wait for a new token from us.",
    ),
    Cause.HUB_FAULT: Advice(
        "The hub itself could not do it; the partner did nothing wrong.",
        "Try again in some minutes.",
    ),
}

_WHERE_WE_BEGAN: Final[dict[Cause, Advice]] = {
    Cause.TOKEN_REFUSED: Advice(
        "The token is not the one they gave us, or is used up, or belongs to another URL of theirs; or they compare "
        "its Base64 text with the plain token.",
        "Look whether the token that you gave us is still good, or give us a new one. From 2.2 on we send it in "
        "Base64: decode it first, and leave out any line end.",
    ),
    Cause.WRONG_URL: Advice(
        "The URL has a typing error, or is not the one of their versions.",
        "Give us the URL of your versions: with our token it must answer 200 and a list of versions. Mind /ocpi, "
        "/versions and a slash at the end.",
    ),
    Cause.TIMEOUT: Advice(
        "A firewall drops what the hub sends, or their server waits for something that needs the answer of the hub.",
        "Let us through your firewall; and answer our POST when you have read our versions and details, not later.",
    ),
    Cause.NO_COMMON_VERSION: Advice(
        "They offer no version that we asked for.",
        "List a version that we offer in your versions, or tell us which one you speak.",
    ),
    Cause.BAD_CREDENTIALS: Advice(
        "They answered with a party or a role that we did not expect, or a member of the object is wrong.",
        "Answer our POST with the country_code, party_id and role that were agreed on, in capitals, and a token "
        "without blanks.",
    ),
    Cause.PARTY_TAKEN: Advice(
        "They answered with a party that we did not expect, or that is another partner's at this hub.",
        "Tell us which country_code and party_id are yours; we look who else has them.",
    ),
}
"""Where something else is likely when the hub called first."""


def advice_on(cause: Cause, begun_by: Begun) -> Advice:
    """About a cause, in an attempt that one side began."""
    usual = ADVICE[cause]
    return _WHERE_WE_BEGAN.get(cause, usual) if begun_by is Begun.HUB else usual


_BY_TYPE: Final[tuple[tuple[type[BaseException], Cause], ...]] = (
    (NoCommonVersion, Cause.NO_COMMON_VERSION),
    (UnsupportedVersion, Cause.NO_COMMON_VERSION),
    (MissingEndpoints, Cause.MISSING_ENDPOINTS),
    (AlreadyRegistered, Cause.ALREADY_REGISTERED),
    (WrongMethod, Cause.NOT_REGISTERED),
    (Unauthorized, Cause.INVITATION_ENDED),
    (UnreadableBody, Cause.UNREADABLE),
    (ssl.SSLError, Cause.TLS),
    (ReceiverTimeout, Cause.TIMEOUT),
    (TimeoutError, Cause.TIMEOUT),
    (ReceiverUnreachable, Cause.UNREACHABLE),
    (NotRoutable, Cause.NOT_OCPI),
    (HubFault, Cause.HUB_FAULT),
)
_STATUSES: Final = {401: Cause.TOKEN_REFUSED, 403: Cause.TOKEN_REFUSED, 404: Cause.WRONG_URL, 405: Cause.WRONG_URL}
_BY_STEP: Final = {Step.CREDENTIALS_RECEIVED: Cause.BAD_CREDENTIALS, Step.CONNECTED: Cause.PARTY_TAKEN}


def cause_of(step: Step, error: HubError) -> Cause | None:
    """The likeliest; None where nothing is known."""
    chain = list(_chain(error))
    answered = next((each for each in chain if isinstance(each, PartnerAnswered)), None)
    if answered is not None:
        return _of_answer(answered)
    for kind, cause in _BY_TYPE:  # what is behind an error says more than the error
        if any(isinstance(each, kind) for each in chain):
            return cause
    if any(isinstance(each, InvalidParameters) for each in chain):
        return _BY_STEP.get(step, Cause.URL_REFUSED)
    return Cause.NOT_OCPI if isinstance(error, CannotUsePartnerAPI) else None


class PartnerAnswered(CannotUsePartnerAPI):
    """The partner answered, and not with what it was asked for."""

    def __init__(self, message: str, http_status: int, ocpi_status: int | None = None) -> None:
        super().__init__(message)
        self.partner_http_status = http_status
        self.partner_ocpi_status = ocpi_status


def _of_answer(answer: PartnerAnswered) -> Cause:
    status = answer.partner_http_status
    if status in _STATUSES:
        return _STATUSES[status]
    match status // 100:
        case 2:
            return Cause.NOT_OCPI if answer.partner_ocpi_status is None else Cause.THEY_REFUSED
        case 3:
            return Cause.REDIRECT
        case 5:
            return Cause.THEIR_FAULT
        case _:
            return Cause.THEY_REFUSED


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
