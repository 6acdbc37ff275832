"""Messages that the hub had to refuse, where that is something an operator should know of."""

from __future__ import annotations

from typing import Final

from hub.events import EventKind
from hub.figures import Habit
from hub.hub import Hub
from hub.trace import Trace
from routing.bodies import owner_in_path
from routing.errors import ForeignOwner, ForeignSender, HubError, NoSuchPath, Untranslatable
from routing.message import read_routing_headers
from routing.paths import read_path
from routing.vocabulary import ModuleID

_MODULES: Final = frozenset(map(str, ModuleID))


def note_refusal(error: HubError, trace: Trace, hub: Hub) -> None:
    """Make it an event. One of a platform that writes as somebody else, or cannot be translated, and the like."""
    if trace.source is None:
        return
    about, correlation_id = trace.source.platform_id, trace.ids.correlation_id
    module = trace.operation.module if trace.operation else "unknown"
    match error:
        case ForeignSender():
            party = read_routing_headers(list(trace.headers)).sender
            hub.events.happened(
                EventKind.FOREIGN_SENDER, platform_id=about, correlation_id=correlation_id, party=str(party)
            )
        case ForeignOwner():
            owner = owner_in_path(trace.segments)
            hub.events.happened(
                EventKind.FOREIGN_OWNER,
                platform_id=about,
                correlation_id=correlation_id,
                owner=str(owner),
                module=module,
            )
        case Untranslatable():
            hub.events.happened(
                EventKind.UNTRANSLATABLE,
                platform_id=about,
                subject=error.rule,
                correlation_id=correlation_id,
                receiver=str(trace.receiver),
                module=module,
            )
        case NoSuchPath() if trace.operation is None and _is_custom(trace.path):
            hub.figures.habits.saw(about, Habit.CUSTOM_MODULE)
        case _:
            pass  # those who sent it know what to do


def _is_custom(path: str) -> bool:
    """Whether a path names a module that OCPI does not have."""
    try:
        module, _ = read_path(path)
    except NoSuchPath:
        return False
    return module.lower() not in _MODULES
