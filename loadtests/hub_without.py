"""A hub that leaves out some of what it does for each message, so that it can be seen what that costs.

    python -m loadtests.hub_without journal,learning serve

For measurements only, the hub itself has no such switch: it could not say what happened to a message, nor carry one
whose receiver only earlier messages tell.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final
from unittest.mock import patch

from hub import __main__, delivery
from hub.journal import Journal

_PARTS: Final[Mapping[str, Sequence[tuple[Any, str]]]] = {
    # What became of each message: its entry, writing that, and the figures and live views that are made of entries.
    "journal": [(Journal, "note")],
    # Who ids lead to, where a message names no receiver.
    "learning": [(delivery, "learn_ways"), (delivery, "learn_untranslated")],
}


def _nothing(*_: object) -> None:
    """Done instead."""


def main() -> None:
    """Run the hub's command without the parts that the first argument names."""
    for name in sys.argv.pop(1).split(","):
        for owner, function in _PARTS[name]:
            patch.object(owner, function, _nothing).start()
    __main__.main()


if __name__ == "__main__":
    main()
