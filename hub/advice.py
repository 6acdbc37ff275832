"""What to do where a message failed, and what becomes of the message. Nothing in it is a partner's own text.

One cause has one advice, wherever it is met: in a story, among the errors of a partner, in an event. A text says what
helps; a command is the same for a shell, and is there only where all of its values are known.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from string import Formatter
from typing import Final

from msgspec import Struct

from hub.event_kinds import CALL_THEM, SEND_CREDENTIALS_AGAIN
from hub.store.journal_entries import Failure, Hop, JournalEntry
from hub.story_words import BY_RECEIVER
from routing.vocabulary import ModuleID, Party


class Advice(Struct, frozen=True):
    """What helps."""

    text: str
    commands: tuple[str, ...] = ()


_SHOW: Final = "ocpi-hub platform show {platform}"
_ADVICE: Final[Mapping[Failure, Advice]] = {
    Failure.NOT_AUTHENTICATED: Advice(
        "Tell the sender to use the access token of its last exchange of credentials, in Base64 unless it speaks "
        "2.1.1. Who has lost it needs a new registration token."
    ),
    Failure.LIMITED: Advice("Tell the sender to wait as Retry-After says; raise HUB_RATE_LIMIT if it needs more."),
    Failure.UNREADABLE: Advice("Tell the sender: what it was told says what is wrong with its body."),
    Failure.REFUSED: Advice("Tell the sender: what it was told says what is wrong with its request."),
    Failure.UNKNOWN_RECEIVER: Advice(
        "Check the country code and party id the sender named; where it named nobody, the hub has not seen the object "
        "yet.",
        ("ocpi-hub party list --q {receiver}",),
    ),
    Failure.NO_AGREEMENT: Advice(
        "Agree, if the two have a contract; or widen the agreement that they have.",
        ("ocpi-hub agreement list --party {receiver}", "ocpi-hub agreement add {sender} {receiver}"),
    ),
    Failure.NOT_OFFERED: Advice(
        "Ask {them} to offer the module, and to send their credentials again (PUT): then the hub looks what they have.",
        (_SHOW,),
    ),
    Failure.RECEIVER_PLANNED: Advice("Ask {them} to register with their invitation.", (_SHOW,)),
    Failure.RECEIVER_OFFLINE: Advice(CALL_THEM),
    Failure.RECEIVER_SUSPENDED: Advice(
        "Resume {them}, if they are to take part again.",
        ("ocpi-hub platform resume {platform}", "ocpi-hub party resume {receiver}"),
    ),
    Failure.CIRCUIT_OPEN: Advice(
        "See what failed before, and ask {them}. The hub tries again by itself.",
        ("ocpi-hub messages --party {receiver} --outcome failed",),
    ),
    Failure.CONNECT_FAILED: Advice(
        "Ask {them} whether their URLs are right and can be reached from here: DNS, TLS and firewall included.",
        (_SHOW,),
    ),
    Failure.TIMEOUT: Advice(
        "Ask {them} why it takes that long. The time that they get is a setting of theirs.",
        ("ocpi-hub platform set {platform} timeout_s=60",),
    ),
    Failure.REFUSES_TOKEN: Advice(
        SEND_CREDENTIALS_AGAIN,
        ("ocpi-hub platform rotate {platform}",),
    ),
    Failure.GATEWAY: Advice("Ask {them} about the proxy or firewall in front of their platform."),
    Failure.NOT_OCPI: Advice("Show {them} their answer: it has to be an envelope of OCPI, in JSON."),
    Failure.UNTRANSLATABLE: Advice(
        "docs/translation.md says what the rule in the reason means, and which setting allows more."
    ),
    Failure.LOOP: Advice("Two hubs send it to each other: one of them has to stop announcing the receiver."),
    Failure.PARTNER_ERROR: Advice("{Them} got it and did not want it: show them the request id {example}."),
    Failure.HUB_ERROR: Advice("See the hub's log for this correlation id, and /readyz for its stores."),
}
_UNTIL: Final[Mapping[Failure, str]] = {
    Failure.LIMITED: "after the time in Retry-After",
    Failure.UNKNOWN_RECEIVER: "once the address is right, or its receiver is here",
    Failure.NO_AGREEMENT: "once the two have an agreement that covers it",
    Failure.NOT_OFFERED: "once {receiver} offers it",
    Failure.RECEIVER_PLANNED: "once {receiver} is connected",
    Failure.RECEIVER_OFFLINE: "once {receiver} is back",
    Failure.RECEIVER_SUSPENDED: "once {receiver} is resumed",
    Failure.CIRCUIT_OPEN: "once {receiver} answers again",
    Failure.CONNECT_FAILED: "once {receiver} can be reached",
    Failure.TIMEOUT: "once {receiver} is faster",
    Failure.REFUSES_TOKEN: "once {receiver} takes the hub's access token again",
    Failure.GATEWAY: "once {receiver} answers again",
    Failure.NOT_OCPI: "once {receiver} answers as OCPI has it",
    Failure.UNTRANSLATABLE: "in a form that the version of {receiver} has, too",
    Failure.PARTNER_ERROR: "once what {receiver} objects to is repaired",
    Failure.HUB_ERROR: "once the hub is well",
}
_UNTIL_REPAIRED: Final = "once that is repaired"
_MAY_HAVE_ARRIVED: Final = frozenset({Failure.TIMEOUT, Failure.NOT_OCPI, Failure.GATEWAY})
_ACTS: Final = frozenset({ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES})


def advice_of(entry: JournalEntry) -> Advice | None:
    """What an operator can do about it; None where nothing failed."""
    if entry.failure is None:
        return None
    return _filled(
        _ADVICE[entry.failure],
        them=str(entry.receiver or "the receiver"),
        example=entry.upstream_request_id or entry.request_id or "of the message",
        commands={
            "platform": entry.receiver_platform_id,
            "sender": _in_a_shell(entry.sender),
            "receiver": _in_a_shell(entry.receiver),
        },
    )


def general_advice(failure: Failure, receiver: str, receiver_platform_id: str) -> Advice:
    """What an operator can do about messages for this receiver that fail in this way."""
    commands = {"platform": receiver_platform_id}
    return _filled(_ADVICE[failure], them=receiver, example="of an example", commands=commands)


def advice_about_sent(failure: Failure, sender: str, receivers: tuple[str, ...]) -> Advice:
    """The same about messages that this sender sent: whose fault it is, and whether the sender is to repair it."""
    who = " and ".join(receivers) or "the receiver"
    if failure in BY_RECEIVER and failure is not Failure.PARTNER_ERROR:
        is_are = "is" if len(receivers) <= 1 else "are"
        return Advice(f"There is nothing for {sender} to repair: {who} {is_are} the cause.")
    return _filled(_ADVICE[failure], them=who, example="of an example", commands={})


def fate_of(entry: JournalEntry) -> str | None:
    """What becomes of a message that failed; None where none did."""
    if entry.failure is None:
        return None
    receiver, sender = str(entry.receiver or "the receiver"), str(entry.sender or "the sender")
    until = _UNTIL.get(entry.failure, _UNTIL_REPAIRED).format(receiver=receiver)
    if entry.hop is Hop.DELIVERY:
        return f"{receiver} missed it, and the hub does not send it again: a GET of the list has it."
    if entry.hop is Hop.UNIT:
        return f"What {receiver} has is missing in the answer: {sender} has to ask again {until}."
    if entry.method == "GET":
        return f"Nothing was read, and the hub does not ask again: {sender} has to ask again {until}."
    what = f"{_arrived(entry, entry.failure, receiver)}; the hub sends nothing again"
    if _is_a_question(entry):
        return f"{what}. {sender} can ask again {until}."
    return f"{what}; {sender} has to send it again {until}."


def _arrived(entry: JournalEntry, failure: Failure, receiver: str) -> str:
    if failure in _MAY_HAVE_ARRIVED:
        return f"It is not known whether {receiver} got it"
    if failure is Failure.PARTNER_ERROR:
        return f"{receiver} got it, and did not accept it"
    return "Not carried out" if _is_a_question(entry) else "Not delivered"


def _is_a_question(entry: JournalEntry) -> bool:
    """Whether it is a thing of the moment, and no object that has to arrive."""
    is_authorization = entry.module == ModuleID.TOKENS and entry.method == "POST"
    return is_authorization or (entry.module in _ACTS and entry.route != "callback")


def _filled(advice: Advice, *, them: str, example: str, commands: Mapping[str, str | None]) -> Advice:
    known = {name: value for name, value in commands.items() if value is not None}
    text = advice.text.format(them=them, Them=them[:1].upper() + them[1:], example=example)
    whole = (
        each for each in advice.commands if {name for _, name, _, _ in Formatter().parse(each) if name} <= set(known)
    )
    return Advice(text, tuple(each.format(**known) for each in whole))


def _in_a_shell(party: Party | None) -> str | None:
    return None if party is None else shlex.quote(str(party))
