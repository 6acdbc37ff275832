"""SIGTERM and SIGINT while a process does not serve yet. To be imported before all else, so it imports little."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final

END_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def end_on_signals() -> None:
    """End this process at once, and well, when it is told to. Main thread only."""
    for number in END_SIGNALS:
        signal.signal(number, _end)


def _end(_: int, __: FrameType | None) -> None:
    os._exit(0)
