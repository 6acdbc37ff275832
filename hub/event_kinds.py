"""Every kind of event: how bad it is, the sentence an operator reads, what to do about it, and how it ends.

A sentence has its facts in braces. A part in square brackets is left out where one of its facts is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from hub.plain_text import readable

_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_FACT: Final = re.compile(r"\{(\w+)\}")
_FACT_LENGTH: Final = 200
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3600.0


class EventKind(StrEnum):
    """Everything there can be an event of."""

    PARTNER_OFFLINE = "partner_offline"
    PARTNER_REFUSES_TOKEN = "partner_refuses_token"  # noqa: S105  the name of an event
    PARTNER_SLOW = "partner_slow"
    CIRCUIT_OPEN = "circuit_open"
    FOREIGN_SENDER = "foreign_sender"
    UNTRANSLATABLE = "untranslatable"
    ID_CLASH = "id_clash"
    FOREIGN_OWNER = "foreign_owner"
    REGISTRATION_FAILING = "registration_failing"
    CREDENTIALS_REFRESH_FAILED = "credentials_refresh_failed"
    CLIENT_INFO_MISSED = "client_info_missed"
    BROADCAST_MISSED = "broadcast_missed"
    AMPLIFICATION = "amplification"
    REMOTE_PARTY_CONFLICT = "remote_party_conflict"
    AUTH_FAILURES = "auth_failures"
    REDIS_AWAY = "redis_away"
    DATABASE_AWAY = "database_away"
    JOURNAL_DROPPING = "journal_dropping"
    NO_LEADER = "no_leader"
    RELOAD_FAILED = "reload_failed"


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    """When there is time."""
    WARNING = "warning"
    """Today."""
    CRITICAL = "critical"
    """Now."""


class Explained(Struct, frozen=True):
    """What there is to say of one kind of event."""

    severity: Severity
    title: str
    sentence: str
    do: str
    """What an operator does about it."""
    ends: str
    """When the event is closed."""
    quiet_s: float | None = None
    """It closes by itself when it did not happen for so long; None where something tells that the cause is gone."""


def sentence(
    kind: EventKind, *, platform: str | None, subject: str, count: int, facts: Mapping[str, str | float]
) -> str:
    """What happened, in words. Facts may come from partners: they are cut, and cannot break the line."""
    known = {name: _text(value) for name, value in facts.items()}
    known |= {"count": str(count), "platform": _text(platform or "The hub")}
    if subject:
        known["subject"] = _text(subject)

    def part(match: re.Match[str]) -> str:
        return _filled(match[1], known) if set(_FACT.findall(match[1])) <= known.keys() else ""

    return _filled(_PART.sub(part, KINDS[kind].sentence), known)


def what_to_do(kind: EventKind, facts: Mapping[str, str | float]) -> str:
    """What an operator does about it: what `KINDS` has, or what helps against the cause where that is known."""
    if kind is EventKind.PARTNER_OFFLINE and facts.get("cause") == EventKind.PARTNER_REFUSES_TOKEN:
        kind = EventKind.PARTNER_REFUSES_TOKEN
    return KINDS[kind].do


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _FACT.sub(lambda match: known.get(match[1], "?"), text)


def _text(value: str | float) -> str:
    if isinstance(value, str):
        # Braces and brackets have a meaning here, so that a partner's must not be taken for the hub's own.
        return readable(value, _FACT_LENGTH).translate(_NO_MARKS)
    return str(round(value, 3)).removesuffix(".0")


_NO_MARKS: Final = str.maketrans("{}[]", "()()")

CALL_THEM: Final = (
    "Call {them}. The hub goes on asking, and lets messages through again as soon as they answer as they should; "
    "it sends nothing again that failed meanwhile."
)
"""What helps while a partner, `{them}`, is offline."""
SEND_CREDENTIALS_AGAIN: Final = (
    "Ask {them} to send the hub their credentials again: PUT, with the access token that the hub gave them; the hub "
    "then uses the one they send. If they cannot, remove the partner and invite it again: they register with a new "
    "registration token. Rotating the access tokens helps only where they still take the hub's at their versions URL."
)
"""What helps when a partner, `{them}`, refuses the hub's access token: a PUT of the hub begins with that token, too."""


KINDS: Final[Mapping[EventKind, Explained]] = {
    EventKind.PARTNER_OFFLINE: Explained(
        Severity.CRITICAL,
        "A partner is offline",
        "{platform} is OFFLINE[: {reason}].",
        CALL_THEM.format(them="them"),
        "when the platform answers again",
    ),
    EventKind.PARTNER_REFUSES_TOKEN: Explained(
        Severity.CRITICAL,
        "A partner refuses the hub's access token",
        "{platform} can be reached, but refuses the hub's access token: {count} so far"
        "[, last with HTTP {http_status}].",
        SEND_CREDENTIALS_AGAIN.format(them="them"),
        "with the next message that the partner takes",
    ),
    EventKind.PARTNER_SLOW: Explained(
        Severity.WARNING,
        "A partner is much slower than usual",
        "{platform} takes {p95_ms} ms for 95 % of its answers[, usually {usual_ms} ms][; slowest in module {module}].",
        "Tell them since when, and which module: the health of the platform has it by module and method. "
        "Messages go on; one that takes longer than the platform's time is answered 4002.",
        "when it has been faster for ten minutes",
    ),
    EventKind.CIRCUIT_OPEN: Explained(
        Severity.CRITICAL,
        "A partner is not called for now",
        "{platform} failed so often that the hub answers in its place[ after {failures} failures][: {reason}].",
        "Look at its latest errors, and call them. The hub tries again by itself.",
        "when a trial call succeeds",
    ),
    EventKind.FOREIGN_SENDER: Explained(
        Severity.WARNING,
        "A platform writes in the name of a party that is not its own",
        "{platform} writes in the name of a party that is not its own: {count} so far[, last from {party}].",
        "Ask them which party they mean. If it is theirs, they have to register it with PUT credentials; "
        "if it is not, their routing headers are wrong.",
        "after an hour without another one",
        _HOUR_S,
    ),
    EventKind.UNTRANSLATABLE: Explained(
        Severity.INFO,
        "Messages that the receiver's version has no words for",
        "{platform} sends what cannot be said in the receiver's version[, by rule {subject}]: {count} so far"
        "[, last for {receiver}][, module {module}].",
        "docs/translation.md says what the rule means and what the sender can do instead. "
        "It ends for good when the receiver moves to a newer version.",
        "after a day without another one",
        24 * _HOUR_S,
    ),
    EventKind.ID_CLASH: Explained(
        Severity.WARNING,
        "Two parties use one id",
        "{platform} cannot be shown everything under its own id[: {reason}][, {subject}].",
        "2.1.1 has no owners in its ids, so only one of the objects can be shown under it. Ask the parties that are "
        "named to use ids that nobody else has.",
        "after a day without another one",
        24 * _HOUR_S,
    ),
    EventKind.FOREIGN_OWNER: Explained(
        Severity.WARNING,
        "A platform writes to objects of others",
        "{platform} writes to objects whose owner is not one of its parties: {count} so far"
        "[, last of {owner}][, module {module}].",
        "Ask them to put their own country code and party id into the URL, or to register the party.",
        "after an hour without another one",
        _HOUR_S,
    ),
    EventKind.REGISTRATION_FAILING: Explained(
        Severity.WARNING,
        "Credentials cannot be exchanged with a partner",
        "{platform} and the hub could not exchange credentials: {count} so far[; last tried {method}"
        "][. It failed when {step}][: {reason}].",
        "The page of its registration, and `ocpi-hub platform registration`, show each step, what is most likely wrong "
        "where it failed, and what to tell the partner's engineer.",
        "when credentials are exchanged, or the platform is removed",
    ),
    EventKind.CREDENTIALS_REFRESH_FAILED: Explained(
        Severity.WARNING,
        "A partner was not told who can be reached",
        "{platform} did not take the hub's new credentials[: {reason}].",
        "Partners on 2.3.0 learn from the hub's credentials who can be reached. Call them if it stays; the hub "
        "tries again by itself, and `ocpi-hub platform rotate` does so at once.",
        "when it has taken them",
    ),
    EventKind.CLIENT_INFO_MISSED: Explained(
        Severity.WARNING,
        "A partner does not take client info",
        "{platform} did not take what the hub said about other parties[: {reason}].",
        "Call them; where another event says what is wrong with them, see to that first. They can read the whole list "
        "at hubclientinfo at any time.",
        "with the next one it takes",
    ),
    EventKind.BROADCAST_MISSED: Explained(
        Severity.WARNING,
        "A partner misses broadcasts",
        "{platform} does not get most of its broadcasts, and missed more since that was noticed: {count} so far"
        "[, last by {outcome}][, module {module}].",
        "Call them. What they missed they can read with a GET of the list; the hub does not send it again.",
        "with the next one it gets, or after a day without another miss",
        24 * _HOUR_S,
    ),
    EventKind.AMPLIFICATION: Explained(
        Severity.WARNING,
        "A platform causes very many calls",
        "{platform} causes very many calls[: {calls} by {requests} requests within {window_s} seconds].",
        "Ask them what they send so often to everybody; messages that name their receiver cause one call each.",
        "after ten minutes without another one",
        10 * _MINUTE_S,
    ),
    EventKind.REMOTE_PARTY_CONFLICT: Explained(
        Severity.WARNING,
        "Another hub announces parties that somebody else has",
        "{platform} announces parties that are connected here, or behind another hub as well[: {number}, {parties}].",
        "Messages go to the party that is nearest. Agree with the other hub about who connects the party.",
        "when there are none left",
    ),
    EventKind.AUTH_FAILURES: Explained(
        Severity.WARNING,
        "Wrong tokens from one address",
        "An address has to wait, since it presented too many wrong tokens[: {subject}][, at the {listener} listener].",
        "A partner's old deployment, or a stranger. Ask the partners whose address it is; block it if it is nobody's.",
        "after an hour without another one",
        _HOUR_S,
    ),
    EventKind.REDIS_AWAY: Explained(
        Severity.CRITICAL,
        "Redis does not answer",
        "Redis does not answer. Messages go on; changes reach other processes more slowly.",
        "Start Redis again. Nothing has to be repaired: the hub fills it from the database.",
        "when it answers again",
    ),
    EventKind.DATABASE_AWAY: Explained(
        Severity.CRITICAL,
        "The database does not answer",
        "The database does not answer. Messages between platforms go on; nobody can register or be changed, "
        "and what needs the database is refused.",
        "Start it again. What was to be written waits in the hub as long as there is room.",
        "when it answers again",
    ),
    EventKind.JOURNAL_DROPPING: Explained(
        Severity.CRITICAL,
        "The journal loses entries",
        "The journal could not be written fast enough, and entries were left out[: {dropped}].",
        "Messages are not affected. Look whether the database is slow or full, or keep the journal for fewer days.",
        "when everything is written again",
    ),
    EventKind.NO_LEADER: Explained(
        Severity.CRITICAL,
        "No process of the hub leads",
        "No process looks after partners that are offline, and tells others who is there[: {reason}].",
        "Look whether Redis and the database answer, and whether the hub has a process with the operator listener.",
        "when one leads again",
    ),
    EventKind.RELOAD_FAILED: Explained(
        Severity.WARNING,
        "Workers could not be replaced",
        "A reload could not replace all workers[, only {replaced} of {workers}][: {reason}].",
        "The reason says what a new worker needs. Repair it and reload again, or put back what was there before.",
        "when a reload has replaced them all",
    ),
}
