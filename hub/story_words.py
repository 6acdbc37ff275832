"""What happened to a message in a sentence, and what to do where it failed. Nothing in it is a partner's own text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from hub.store.journal_entries import Failure, JournalEntry, Receivers
from routing.vocabulary import ModuleID, Party

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
    Failure.NOT_AUTHENTICATED: "the hub does not know the token it was sent with",
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
    Failure.REFUSES_TOKEN: "{receiver} refuses the hub's token",
    Failure.GATEWAY: "a gateway in front of {receiver} answered in its place",
    Failure.NOT_OCPI: "the answer of {receiver} is not OCPI",
    Failure.UNTRANSLATABLE: "it cannot be said in the version of {receiver}",
    Failure.LOOP: "it came back to this hub",
    Failure.PARTNER_ERROR: "{receiver} refused it with {said}",
    Failure.HUB_ERROR: "the hub itself failed",
}
_ADVICE: Final[Mapping[Failure, str]] = {
    Failure.NOT_AUTHENTICATED: "Tell the sender to use the token of its last credentials exchange, in Base64 "
    "unless it speaks 2.1.1; `ocpi-hub platform invite ID` begins anew.",
    Failure.LIMITED: "Tell the sender to wait as Retry-After says; raise HUB_RATE_LIMIT if it needs more.",
    Failure.UNREADABLE: "Tell the sender: the reason below says what is wrong with its body.",
    Failure.REFUSED: "Tell the sender: the reason below says what is wrong with its request.",
    Failure.UNKNOWN_RECEIVER: "Check the country code and party id the sender named: `ocpi-hub party list "
    "--q TEXT`; where it named nobody, the hub has not seen the object yet.",
    Failure.NO_AGREEMENT: "See `ocpi-hub agreement list --party {receiver}`. If the two have a contract: "
    "`ocpi-hub agreement add {sender} {receiver}`, or `ocpi-hub agreement import` to replace what they have.",
    Failure.NOT_OFFERED: "Ask the receiver to offer the module and to send its credentials again (PUT); "
    "`ocpi-hub platform show {platform}` lists what it offers.",
    Failure.RECEIVER_PLANNED: "The receiver has to register; `ocpi-hub platform show {platform}` shows its invitation.",
    Failure.RECEIVER_OFFLINE: "Call the receiver's operators. The hub keeps looking, and connects it again by itself.",
    Failure.RECEIVER_SUSPENDED: "`ocpi-hub platform resume {platform}`, or `ocpi-hub party resume {receiver}`, "
    "if it is to take part again.",
    Failure.CIRCUIT_OPEN: "See what failed before, `ocpi-hub messages --party {receiver} --outcome failed`; "
    "the hub tries again by itself.",
    Failure.CONNECT_FAILED: "Check that the receiver's URLs are right and can be reached from here, DNS, TLS "
    "and firewall included: `ocpi-hub platform show {platform}`.",
    Failure.TIMEOUT: "Ask the receiver why it takes that long; it may have got the message all the same. "
    "Its time can be changed: `ocpi-hub platform set {platform} timeout_s=60`.",
    Failure.REFUSES_TOKEN: "It has lost or changed its token: `ocpi-hub platform rotate {platform}`, or let it "
    "register again.",
    Failure.GATEWAY: "Ask the receiver's operators about the proxy or firewall in front of their platform.",
    Failure.NOT_OCPI: "Show the receiver its answer: it has to be an envelope of OCPI, in JSON.",
    Failure.UNTRANSLATABLE: "docs/translation.md says what the rule in the reason means, and which setting "
    "allows more.",
    Failure.LOOP: "Two hubs send it to each other: one of them has to stop announcing the receiver.",
    Failure.PARTNER_ERROR: "The receiver got it and did not want it: show it its request id {upstream_request_id}.",
    Failure.HUB_ERROR: "See the hub's log for this correlation id, and /readyz for its stores.",
}
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


def advice_of(entry: JournalEntry) -> str | None:
    """What an operator can do about it; None where nothing failed."""
    if entry.failure is None:
        return None
    return _ADVICE[entry.failure].format(
        upstream_request_id=entry.upstream_request_id,
        platform=entry.receiver_platform_id or "ID",
        sender=_in_a_shell(entry.sender),
        receiver=_in_a_shell(entry.receiver),
    )


def general_advice(failure: Failure, receiver_platform_id: str | None) -> str:
    """What an operator can do about messages that fail in this way; None for the platform where there are several."""
    return _ADVICE[failure].format(
        upstream_request_id="of an example",
        platform=receiver_platform_id or "ID",
        sender=_in_a_shell(None),
        receiver=_in_a_shell(None),
    )


def _in_a_shell(party: Party | None) -> str:
    return "PARTY" if party is None else shlex.quote(str(party))


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
