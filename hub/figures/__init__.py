"""Figures of messages: of each platform, of pairs of parties, and of the whole hub, for the last seven days.

    journal ─ rows ─▶ flows ─ parts ─▶ (Redis) ─▶ rings, pairs ─▶ operator API

No message waits for them, and nothing is ever counted by reading the journal. They live in memory: a hub that is one
process begins anew when it starts, and says since when it counts.
"""

from __future__ import annotations

from hub.figures.cells import Cell
from hub.figures.figures import FORM, Counting, Figures
from hub.figures.flows import ProcessState
from hub.figures.habits import Habit, Habits
from hub.figures.rings import WHOLE_HUB, Direction, Kind

__all__ = ["FORM", "WHOLE_HUB", "Cell", "Counting", "Direction", "Figures", "Habit", "Habits", "Kind", "ProcessState"]
