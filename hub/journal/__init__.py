"""The journal: what happened to each message, written a moment after it was answered.

No message waits for it. What a message leaves behind is a few references (`Noted`), from which rows are made in small
lots between messages (`rows`), and written in large ones (`writing`). What is secret or personal is masked on the way
(`masking`, `bodies`).
"""

from __future__ import annotations

from hub.journal.failures import failure_of
from hub.journal.rows import Noted
from hub.journal.writing import Journal

__all__ = ["Journal", "Noted", "failure_of"]
