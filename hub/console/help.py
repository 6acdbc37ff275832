"""Keys, words and answers."""

from __future__ import annotations

from typing import Final

from litestar import get
from litestar.response import Template

from hub.console.api import PageRequest
from hub.console.frame import page
from hub.operator.roles import FOR_PARTNERS

_KEYS: Final = (
    ("/", "search"),
    ("g o", "overview"),
    ("g m", "messages"),
    ("g l", "messages, live"),
    ("g n", "network"),
    ("g p", "partners"),
    ("g e", "events"),
    ("g r", "agreements"),
    ("g s", "settings"),
    ("g a", "audit"),
    ("j, k", "next and previous row"),
    ("], [", "older messages, and the newest again"),
    ("p", "pause the live messages, and go on"),
    ("c", "copy the link of a story"),
    ("?", "this page"),
)
_WORDS: Final = (
    ("Partner", "One platform: a company, with its tokens and endpoints."),
    ("Party", "A country code and a party id, such as NL*ABC, with its role behind it."),
    ("Message", "One exchange: a request and its answer."),
    ("Story", "All messages of one correlation id."),
    ("Loss", "What a translation between versions could not carry over, by its id in the catalogue."),
    ("Answer", "The OCPI status of an answer."),
    ("Needs you", "Open events that nobody has acknowledged, each with a step to take."),
)
_ANSWERS: Final = (
    ("1000", "Done."),
    ("2000 to 2004", "The sender made a mistake."),
    ("3000 to 3003", "The hub, or the server that was asked, cannot do it."),
    ("4000", "The hub refuses: it would break a rule."),
    ("4001", "Nobody here has the party or object that was named."),
    ("4002", "The receiver did not answer in time."),
    ("4003", "The receiver cannot be reached."),
)


@get("/help", opt=FOR_PARTNERS, include_in_schema=False)
async def show_help(request: PageRequest) -> Template:
    """The page."""
    return await page(request, "help.html", at="help", keys=_KEYS, words=_WORDS, answers=_ANSWERS)
