"""What to do, what words mean, and keys."""

from __future__ import annotations

from typing import Final

from litestar import get
from litestar.response import Template

from hub.console.api import PageRequest
from hub.console.frame import page
from hub.console.help_words import ANSWERS, TASKS, WORDS
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


@get("/help", opt=FOR_PARTNERS, include_in_schema=False)
async def show_help(request: PageRequest) -> Template:
    """The page."""
    return await page(request, "help.html", at="help", keys=_KEYS, tasks=TASKS, words=WORDS, answers=ANSWERS)
