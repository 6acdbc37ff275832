"""What happened to a message in a sentence. Nothing in it is a partner's own text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from hub.store.journal_entries import Failure, JournalEntry, Receivers
from routing.vocabulary import ModuleID

_OBJECTS: Final = {
    "booking": "Booking",
    "booking_location": "BookingLocation",
    "cdr": "CDR",
    "confirmation": "confirmation",
    "invoice_record": "invoice reconciliation record",
    "location": "Location",
    "reservation": "reservation",
    "session": "Session",
    "tariff": "Tariff",
    "terminal": "terminal",
    "token": "Token",  # the name of an object
}
_LISTS: Final[Mapping[str, str]] = {
    ModuleID.CDRS: "CDRs",
    ModuleID.LOCATIONS: "Locations",
    ModuleID.SESSIONS: "Sessions",
    ModuleID.TARIFFS: "Tariffs",
    ModuleID.TOKENS: "Tokens",
}
_VERBS: Final = {
    "DELETE": "{sender} deleted {what} at {receiver}",
    "GET": "{sender} asked {receiver} for {what}",
    "PATCH": "{sender} sent a change of {what} to {receiver}",
    "POST": "{sender} sent {what} to {receiver}",
    "PUT": "{sender} sent {what} to {receiver}",
}
_WHY: Final[Mapping[Failure, str]] = {
    Failure.NOT_AUTHENTICATED: "the hub does not know the access token it was sent with",
    Failure.LIMITED: "the hub took no more messages of this sender at that moment",
    Failure.UNREADABLE: "the hub could not read it",
    Failure.REFUSED: "the hub refused it",
    Failure.UNKNOWN_RECEIVER: "nobody that the sender may see has it, or has this address",
    Failure.NO_AGREEMENT: "the two have no agreement that covers it",
    Failure.NOT_OFFERED: "{receiver} has no such interface",
    Failure.RECEIVER_PLANNED: "{receiver} is not connected yet",
    Failure.RECEIVER_OFFLINE: "{receiver} was OFFLINE",
    Failure.RECEIVER_SUSPENDED: "{receiver} is suspended",
    Failure.CIRCUIT_OPEN: "{receiver} had failed too often just before, and was not called",
    Failure.CONNECT_FAILED: "no connection to {receiver} could be made",
    Failure.TIMEOUT: "{receiver} did not answer within {seconds:.3g} s",
    Failure.REFUSES_TOKEN: "{receiver} can be reached, but refuses the hub's access token",
    Failure.GATEWAY: "a gateway in front of {receiver} answered in its place",
    Failure.NOT_OCPI: "the answer of {receiver} is not OCPI",
    Failure.UNTRANSLATABLE: "it cannot be said in the version of {receiver}",
    Failure.LOOP: "it came back to this hub",
    Failure.PARTNER_ERROR: "{receiver} refused it with {said}",
    Failure.HUB_ERROR: "the hub itself failed",
}
_RESULT_IN_BODY: Final = frozenset({ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES})
"""Where an answer of success may say that nothing is done."""
_BY_HUB: Final = frozenset(
    {
        Failure.NOT_AUTHENTICATED,
        Failure.LIMITED,
        Failure.UNREADABLE,
        Failure.REFUSED,
        Failure.UNKNOWN_RECEIVER,
        Failure.NO_AGREEMENT,
        Failure.NOT_OFFERED,
        Failure.RECEIVER_PLANNED,
        Failure.RECEIVER_SUSPENDED,
        Failure.UNTRANSLATABLE,
        Failure.LOOP,
        Failure.HUB_ERROR,
    }
)
REFUSED: Final = _BY_HUB
"""Failures that are the hub's own answer, with nobody else to blame."""
BY_RECEIVER: Final = frozenset(Failure) - _BY_HUB
"""Failures that have their cause at the receiver, or on the way to it."""


def what_of(entry: JournalEntry) -> str:
    """What a message is about."""
    name = _OBJECTS.get(entry.object_type or "")
    if entry.module == ModuleID.COMMANDS:
        return f"{_command_in(entry.path)}{_about(name, entry.object_id)}"
    if entry.module == ModuleID.TOKENS and entry.method == "POST":
        return "an authorization"
    if name is not None:
        return name if entry.object_id is None else f"{name} {entry.object_id}"
    if entry.method == "GET" and entry.module in _LISTS:
        return f"its {_LISTS[entry.module]}"
    return f"a message of {entry.module}" if entry.module != "unknown" else "something unknown"


def sentence_of(entry: JournalEntry, receivers: Receivers | None) -> str:
    """Who wanted what of whom, and what came of it."""
    return f"{asked_of(entry)} {_came_of(entry, receivers)}"


def why(entry: JournalEntry) -> str:
    """Why it failed, in a few words."""
    return "" if entry.failure is None else _WHY[entry.failure].format(**_names(entry))


def asked_of(entry: JournalEntry) -> str:
    """Who wanted what of whom."""
    names = _names(entry)
    if entry.route == "callback":
        return "{sender} sent the result of an earlier request to {receiver}.".format(**names)
    if entry.route == "broadcast":
        names["receiver"] = "everybody concerned"
    if entry.route == "get_all" and entry.receivers is not None:
        names["receiver"] = "everybody"
    verb = _VERBS.get(entry.method, _VERBS["POST"])
    if entry.module == ModuleID.COMMANDS or (entry.module == ModuleID.TOKENS and entry.method == "POST"):
        verb = _VERBS["GET"]
    return f"{verb}.".format(**names)


def _came_of(entry: JournalEntry, told: Receivers | None) -> str:
    if entry.failure is not None:
        return f"It failed: {why(entry)}."
    if told is not None:
        parts = [f"{told.ok} took it" if entry.route == "broadcast" else f"{told.ok} answered"]
        parts += [f"{told.failed} failed"] if told.failed else []
        parts += [f"{told.skipped} were left out"] if told.skipped else []
        called = "told" if entry.route == "broadcast" else "asked"
        return f"The hub {called} {told.told}: {', '.join(parts)}."
    if entry.upstream_request_id is None:
        return f"The hub answered itself: {entry.ocpi_status}."
    if entry.module in _RESULT_IN_BODY and entry.route != "callback":
        return "{receiver} answered {said}; whether it does it stands in its answer.".format(**_names(entry))
    return "It worked: {receiver} answered {said}.".format(**_names(entry))


def _names(entry: JournalEntry) -> dict[str, str | float]:
    return {
        "sender": str(entry.sender or "Somebody"),
        "receiver": str(entry.receiver or "the hub"),
        "what": what_of(entry),
        "seconds": entry.upstream_ms / 1000,
        "said": _said(entry),
    }


def _said(entry: JournalEntry) -> str:
    status, http_status = entry.upstream_ocpi_status, entry.upstream_http_status
    if status is None:
        return f"HTTP {http_status}" if http_status is not None else str(entry.ocpi_status)
    return str(status) if http_status in (None, 200, 201) else f"{status} in HTTP {http_status}"


def _command_in(path: str) -> str:
    parts = path.partition("?")[0].rstrip("/").split("/")
    if "commands" in parts[:-1]:
        return unquote(parts[parts.index("commands") + 1])
    return "a command"


def _about(name: str | None, object_id: str | None) -> str:
    return "" if name is None or object_id is None else f" at {name} {object_id}"
