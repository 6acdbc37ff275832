"""What the page of help explains: words of the console, and what to do for two tasks that everybody has."""

from __future__ import annotations

from typing import Final, NamedTuple


class Task(NamedTuple):
    """Something to be done, step by step; each step may lead to a page."""

    id: str
    title: str
    about: str
    steps: tuple[tuple[str, str | None], ...]
    """What to do, and the page on which it is done."""


TASKS: Final = (
    Task(
        "bring-in",
        "Bring in a partner",
        "A partner and the hub exchange access tokens once. One of the two has to call the other first.",
        (
            (
                "Open Partners, and there “Add a partner”. Name it, and its parties with their roles.",
                "/partners/new",
            ),
            (
                (
                    "They are to call: hand the registration token and the lines of curl to their engineer. "
                    "The token is shown once; a lost one is replaced by a new invitation."
                ),
                None,
            ),
            (
                "They gave you a versions URL and a token: choose “We call them”, and give both of these.",
                "/partners/new?way=we-call",
            ),
            (
                (
                    "Watch the page of their registration: it shows each step as it happens, what is most likely wrong "
                    "where one failed, and what to write to their engineer."
                ),
                "/partners?status=PLANNED",
            ),
            (
                "Once they are Connected, look at what they see of others, and where agreements are needed, make one.",
                "/client-info",
            ),
        ),
    ),
    Task(
        "explain",
        "Explain a failed bill",
        "A partner says that a CDR was not accepted, and names its id.",
        (
            (
                "Type the id into the search on top, or filter Messages by the partner's name and by the module cdrs.",
                "/messages?module=cdrs&outcome=failed",
            ),
            (
                "Open the message. Its story says in one sentence what happened, whose turn it is, and what to do.",
                None,
            ),
            (
                (
                    "Mind whose failure it is: “receiver refuses the hub's access token” and “no answer” are the "
                    "receiver's, “refused by the hub” is the sender's. A driver's Token has nothing to do with an "
                    "access token."
                ),
                None,
            ),
            ("Look at the receiver's page: whether it is there, and what else failed.", "/partners?sort=worst"),
            (
                "What was refused is not kept and not sent again: the sender sends it again when the cause is gone.",
                None,
            ),
        ),
    ),
)
WORDS: Final = (
    ("Partner", "One platform: a company, with its access tokens and endpoints."),
    ("Party", "A country code and a party id, such as NL*ABC, with its role behind it. A partner has one or more."),
    ("Planned", "Not registered yet: it was invited, or is to be called by the hub."),
    ("Connected", "Registered, and it answers."),
    ("Offline", "Registered, and it does not answer as it should: not at all, or with an error such as HTTP 401."),
    ("Suspended", "It gets and sends nothing: an operator suspended it, or its registration ended."),
    (
        "Access token",
        "The secret with which one side of a connection calls the other. Each side gave the other one of its own.",
    ),
    (
        "Registration token",
        "Also TOKEN_A: who has it may make the first call, and only that. Both sides get access tokens by it.",
    ),
    ("Fingerprint", "Tells two access tokens apart, and shows neither."),
    ("Token age", "How long ago a partner and the hub exchanged access tokens."),
    ("Token", "In OCPI, what a driver identifies himself with, such as a card. The module tokens is about these."),
    ("Message", "One exchange: a request and its answer."),
    ("Correlation id", "The same in all messages that belong together; the first sender chooses it."),
    ("Request id", "Of one request: one on the way to the hub, another one on the way on."),
    ("Story", "All messages of one correlation id."),
    (
        "Route",
        (
            "Why a message went where it did. Direct: the sender named the receiver. Open: the hub found it. Broadcast "
            "and get all: to everybody who may know. Callback: a result. Hub: the hub answered itself. Refused: it "
            "went nowhere."
        ),
    ),
    ("Hub added, hub adds", "The time that the hub itself took. What partners took is counted apart."),
    (
        "Loss",
        (
            "What a translation between versions could not carry over, by its id in the catalogue, such as L-24. A "
            "number of losses is that of different ones, in a message or a story. Lossy is a message with any."
        ),
    ),
    (
        "L-24, M-08, RF-10",
        "Rules of translation: L and M lose, replace or assume something, RF refuses the message. Each has a page.",
    ),
    ("Answer", "The OCPI status of an answer, and its HTTP status where that is not 200."),
    ("1xxx", "Statuses from 1000 to 1999: it went well. The share of messages that were answered so."),
    ("To them, from them", "What a partner was sent, and what it sent. Both ways is the sum of the two."),
    (
        "Errors of theirs",
        "What a partner, as receiver, did not answer, or not well. What the hub refused is not among it.",
    ),
    (
        "Partner error, hub error, refused",
        (
            "Whose failure it is: the receiver's; the hub's own; or the sender's, whose message the hub did not let "
            "through."
        ),
    ),
    (
        "Noted 13 times",
        "How often an event was seen: in messages, and in what the hub tried by itself. Errors count messages only.",
    ),
    ("p50, p95, p99", "So many of a hundred took no longer than that. p95 of 200 ms: 95 took at most 200 ms."),
    ("In flight", "Calls at a partner that are not answered yet, and how many of them there may be at once."),
    ("Last sign of life", "When a partner last called the hub, or answered it, be it with an error."),
    (
        "Circuit",
        (
            "Closed: the hub calls the partner. Open: after several failures in a row it answers for it for a while, "
            "and then tries again, half open."
        ),
    ),
    ("Quirk", "A setting of one partner: where it differs from the text of OCPI, and the hub puts up with it."),
    ("Capture", "Headers and bodies of a partner's messages are kept for some hours, to be looked at."),
    ("What it sees", "The parties that a partner is told of, and with which status: the module hubclientinfo."),
    ("Client info", "The same of all: who is told of whom."),
    (
        "The hub poses as",
        "In 2.1.1 there are no hubs: the hub speaks to a CPO as if it were an eMSP, and the other way round.",
    ),
    ("Directory", "The list of partners and parties by which each process of the hub routes messages."),
    (
        "Agreement",
        (
            "What two parties may send each other. With “none” and HUB_AGREEMENTS=open they may send everything, "
            "and it is no cause of anything."
        ),
    ),
    ("Broadcast", "One message to all who may know it."),
    (
        "Left out, skipped",
        "Receivers of a broadcast that were not called, each for a reason that its row has.",
    ),
    ("Probe", "The hub asks a partner for its versions, to see whether it is there."),
    (
        "Needs you",
        (
            "Open events that nobody has acknowledged, each with a step to take. What comes of another one stands with "
            "it, and is acknowledged with it."
        ),
    ),
    ("Acknowledged", "Somebody knows of an event: it needs nobody any more, and closes when its cause is gone."),
    ("Journal", "What the hub writes down of messages. Lists and stories are made of it."),
    ("Leader", "The one process of the hub that looks after partners which are offline, and tells the others."),
    ("Draining", "The hub ends: it finishes what is under way, and takes no new messages."),
    ("Rate limit, burst", "How many messages a second a partner may send, and how many more at once."),
)
ANSWERS: Final = (
    ("1000", "Done."),
    ("2000", "The server that was asked finds fault with the request: its contents, or the token it came with."),
    ("2001 to 2004", "The request is wrong: a parameter, too little information, an unknown Location or Token."),
    ("3000 to 3003", "The hub, or the server that was asked, cannot do it."),
    ("4000", "The hub refuses: it would break a rule."),
    ("4001", "Nobody here has the party or object that was named."),
    ("4002", "The receiver did not answer in time."),
    ("4003", "The receiver cannot be reached, or is not called at the moment."),
    ("HTTP 401", "Whoever was called does not take the access token. Beside a status, it is what the call got."),
)
