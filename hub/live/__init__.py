"""Messages as they end, for those who watch: of all processes of the hub, as far as a screen can take them.

    journal ─ rows ─▶ source ─ a few of them ─▶ (Redis) ─▶ channels ─▶ viewers at the operator API

While nobody watches, this is one look at a dictionary for each lot of rows. Whoever shows messages says every few
seconds which filters are watched; every process chooses what fits these, up to so many a second for each filter, and
counts the rest. Nothing waits for a viewer: who is slow misses rows, and is told how many.
"""

from __future__ import annotations

from hub.live.channels import News, Shown, Viewer
from hub.live.live import MOST_VIEWERS, Live
from hub.live.rows import FORM

__all__ = ["FORM", "MOST_VIEWERS", "Live", "News", "Shown", "Viewer"]
