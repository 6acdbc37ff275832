"""Crossings for tests: a 2.2.1 CPO's object on its way to an eMSP, unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from routing.quirks import Quirks
from routing.translation.crossing import Crossing, Side, Step
from routing.translation.questions import Question
from routing.vocabulary import Party, Version

CPO = Party("NL", "CPO")
EMSP = Party("DE", "MSP")
PLAIN = Quirks()
NOW = datetime(2024, 6, 1, 12, 0, 0, tzinfo=UTC)


def crossing(
    source: Version = Version.V2_2_1,
    target: Version = Version.V2_1_1,
    *,
    origin: Quirks = PLAIN,
    destination: Quirks = PLAIN,
    known: Mapping[Question[Any], Any] | None = None,
    **more: Any,  # noqa: ANN401 - the remaining fields of a Crossing, as they are
) -> Crossing:
    """A crossing from the CPO to the eMSP; `more` are fields of `Crossing`, such as `patch=True`."""
    fields: dict[str, Any] = {"owner": CPO, "now": NOW, "cpo": CPO, "emsp": EMSP, **more}
    return Crossing(
        origin=Side(source, CPO, origin), destination=Side(target, EMSP, destination), known=known or {}, **fields
    )


def losses_of(over: Crossing) -> list[tuple[str, str]]:
    """The losses so far, each with its pointer."""
    return [(loss.id, loss.pointer) for loss in over.losses]


def lost(step: Step, body: dict[str, Any], over: Crossing) -> set[tuple[str, str]]:
    """The losses of a step, each with its pointer."""
    step(body, over)
    return set(losses_of(over))
