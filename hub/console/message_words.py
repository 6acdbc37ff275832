"""What pages say of messages: what one is about, how it went, and why it took its way. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeGuard
from urllib.parse import unquote, urlencode

from markupsafe import Markup, escape

from hub.console.remedies import FILTERS as REMEDY_FILTERS
from hub.console.words import partner_text
from hub.plain_text import readable
from hub.store.journal_entries import Failure
from routing.vocabulary import ModuleID

Json = Mapping[str, Any]

FAILURES: Final[Mapping[str, str]] = {
    Failure.NOT_AUTHENTICATED: "unknown access token",
    Failure.LIMITED: "too many at once",
    Failure.UNREADABLE: "not readable",
    Failure.REFUSED: "refused by the hub",
    Failure.UNKNOWN_RECEIVER: "no such receiver",
    Failure.NO_AGREEMENT: "no agreement",
    Failure.NOT_OFFERED: "not offered by the receiver",
    Failure.RECEIVER_PLANNED: "receiver not connected yet",
    Failure.RECEIVER_OFFLINE: "receiver offline",
    Failure.RECEIVER_SUSPENDED: "receiver suspended",
    Failure.CIRCUIT_OPEN: "not called, it had failed before",
    Failure.CONNECT_FAILED: "no connection",
    Failure.TIMEOUT: "no answer in time",
    Failure.REFUSES_TOKEN: "receiver refuses the hub's access token",
    Failure.GATEWAY: "a gateway answered",
    Failure.NOT_OCPI: "no answer of OCPI",
    Failure.UNTRANSLATABLE: "cannot be said in its version",
    Failure.LOOP: "came back to the hub",
    Failure.PARTNER_ERROR: "refused by the partner",
    Failure.HUB_ERROR: "the hub failed",
}
_STATUS_WORDS: Final = {
    1000: "success",
    2000: "client error",
    2001: "invalid or missing parameters",
    2002: "not enough information",
    2003: "unknown Location",
    2004: "unknown Token of a driver",
    3000: "server error",
    3001: "the API of the client cannot be used",
    3002: "unsupported version",
    3003: "no matching endpoints",
    4000: "error of the hub",
    4001: "unknown receiver",
    4002: "no answer of the receiver in time",
    4003: "connection problem",
}
_ROUTES: Final = {
    "direct": "the sender named the receiver",
    "open": "found by what the hub has seen",
    "broadcast": "to everybody who may know it",
    "get_all": "asked of everybody",
    "callback": "the result of an earlier request",
    "hub": "the hub answered itself",
    "by_hub": "made by the hub",
    "refused": "the hub let it go nowhere",
}
_OBJECTS: Final = {"cdr": "CDR", "evse": "EVSE"}
_MODULES: Final[Mapping[str, str]] = {
    ModuleID.CDRS: "CDRs",
    ModuleID.CHARGING_PROFILES: "Charging profiles",
    ModuleID.HUB_CLIENT_INFO: "Client info",
    ModuleID.INVOICE_RECONCILIATION: "Invoice reconciliation",
}
_RESULTS_LATER: Final = frozenset({ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES})
_SUCCESS: Final = range(1000, 2000)
_ACCEPTED: Final = "ACCEPTED"
_SENTENCE: Final = 1000


def subject_of(message: Json) -> str:
    """`Session S-1`, `START_SESSION`, `Locations`. A partner's id may be in it."""
    command = _command_in(message["path"] or message["upstream_path"] or "")
    if message["module"] == ModuleID.COMMANDS and command:
        return command
    kind, object_id = message["object_type"], message["object_id"]
    if kind is None:
        module: str = message["module"]
        return _MODULES.get(module, module.replace("_", " ").capitalize())
    name = _OBJECTS.get(kind, kind.replace("_", " ").capitalize())
    return f"{name} {readable(object_id)}" if object_id else name


def headline_of(
    story: Json, *, is_waiting: bool, result: str | None = None, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What came of it, in a few words. `names` are those of partners, by their parties.

    `result` is what its receiver said of the command at last, where that is known.
    """
    message = first_of(story)
    subject, summary = subject_of(message), story["summary"]
    if is_waiting:
        return f"{subject}: waiting for the result"
    match summary["outcome"]:
        case "failed":
            return f"{subject}: {_why(message, summary['failure'], names)}"
        case "partly":
            return f"{subject}: done, but not everywhere"
        case _:
            return f"{subject}: {_went(story, message, result)}"


def _went(story: Json, message: Json, result: str | None) -> str:
    """Of what did not fail on its way. An answer of success may say that nothing is done."""
    if message["module"] not in _RESULTS_LATER:
        return "done"
    if message["route"] == "callback":
        return "its result was delivered"
    if is_refused(result):
        return f"not done, {readable(result)}"
    came = "answered" if result is None else "done"
    return f"{came}, and its result came" if any(hop["kind"] == "callback" for hop in story["hops"]) else came


def is_refused(result: str | None) -> TypeGuard[str]:
    """Whether this result of a command says that it is not done."""
    return result is not None and result != _ACCEPTED


def _why(message: Json, failure: str | None, names: Mapping[str, str]) -> str:
    words = failure_of(failure)
    party = message["to"] if failure == Failure.REFUSES_TOKEN else None
    return words.replace("receiver", names.get(party, party), 1) if party else words


def failure_of(failure: str | None) -> str:
    """`no answer in time`."""
    return "failed" if failure is None else FAILURES.get(failure, failure.replace("_", " "))


def answer_of(message: Json) -> str:
    """`1000`, `2001 in HTTP 404`, `HTTP 502`, `no answer`."""
    status, http_status = message["ocpi_status"], message["http_status"]
    if status is None:
        return "no answer" if http_status is None else f"HTTP {http_status}"
    return str(status) if http_status in {None, 200, 201} else f"{status} in HTTP {http_status}"


def words_of(status: int | None, http_status: int | None) -> str:
    """What the codes of an answer mean, as OCPI and HTTP have it: `client error, HTTP 401 Unauthorized`."""
    words = [] if status is None else [_STATUS_WORDS.get(status, "")]
    if http_status not in {None, 200, 201} and http_status in set(HTTPStatus):
        words.append(f"HTTP {http_status} {HTTPStatus(http_status).phrase}")
    return ", ".join(filter(None, words))


def answer_words(message: Json) -> str:
    """The same of a message or a hop."""
    return words_of(message["ocpi_status"], message["http_status"])


def status_words(message: Json) -> str:
    """What the OCPI status alone means."""
    return words_of(message["ocpi_status"], None)


def named(text: str, names: Mapping[str, str], *, codes: bool = False) -> Markup:
    """Our own text, in which partners have their names instead of their codes; with both where each comes first."""
    parts: list[Markup] = []
    seen: set[str] = set()
    pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    for at, part in enumerate(re.split(f"({pattern})", text) if names else [text]):
        if at % 2 == 0:
            parts += [partner_text(part, _SENTENCE)] if part else []
            continue
        parts.append(partner_text(names[part], 100))
        if codes and part not in seen:
            seen.add(part)
            parts.append(_PARTY.format(part))
    return Markup().join(parts)


def route_of(message: Json) -> str:
    """Why a message took its way."""
    return _ROUTES.get(message["route"], "")


def story_url(message: Json, *, at: str | None = None) -> str:
    """The story of a message, at the place of it, or at another one."""
    query = urlencode({"id": message["correlation_id"], "use": message.get("id") or message["message_id"]})
    return f"/story?{query}{f'#m-{at}' if at else ''}"


def first_of(story: Json) -> Json:
    """The message that a story begins with."""
    found: Json = next(message for message in story["messages"] if message["id"] == story["use"])
    return found


def is_result_awaited(story: Json, answer: Json | None) -> bool:
    """Whether a result is to come. `answer` is the data of the answer, where it was captured."""
    message = first_of(story)
    return (
        message["module"] in _RESULTS_LATER
        and message["upstream_ocpi_status"] in _SUCCESS
        and message["route"] != "callback"
        and not any(hop["kind"] == "callback" for hop in story["hops"])
        and (answer is None or answer.get("result") == _ACCEPTED)
    )


def losses_of(message: Json) -> list[str]:
    """The rules that were applied, each once."""
    return list(dict.fromkeys(lost["loss"] for lost in message["losses"]))


def grouped(messages: Sequence[Json]) -> list[list[Json]]:
    """Messages by correlation id, in the order in which each first comes."""
    groups: dict[str, list[Json]] = {}
    for message in messages:
        groups.setdefault(message["correlation_id"], []).append(message)
    return list(groups.values())


def path_in(message: Json, path: str | None) -> str | None:
    """Of a path what stands behind its module, where all of it says no more."""
    _, found, rest = (path or "").partition(f"/{message['module']}")
    return rest if found else path


def ticks(text: str) -> Markup:
    """Our own text, in which what stands between backticks is code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup().join(_CODE.format(part) if at % 2 else part for at, part in enumerate(parts))


def _command_in(path: str) -> str | None:
    parts = path.partition("?")[0].rstrip("/").split("/")
    if "commands" not in parts[:-1]:
        return None
    return readable(unquote(parts[parts.index("commands") + 1]))


_CODE: Final = Markup("<code>{}</code>")
_PARTY: Final = Markup(' <span class="party">{}</span>')
FILTERS: Final = {
    "answer_words": answer_words,
    "failure": failure_of,
    "losses": losses_of,
    "named": named,
    "ocpi_answer": answer_of,
    "path_in": path_in,
    "status_words": status_words,
    "story_url": story_url,
    "subject": subject_of,
    "ticks": ticks,
    **REMEDY_FILTERS,
}
