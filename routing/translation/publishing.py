"""Locations that are not published, which 2.1.1 cannot say. OCPI 2.2.1, "Locations", Location Object.

A partner of 2.1.1 shows every Location it gets. One that it must not show is refused, as is all that happens there;
in a list it is left out. One that it was given before is given once more with every EVSE removed, so that it goes.
"""

from __future__ import annotations

from typing import Any, Final

from routing.errors import Untranslatable
from routing.translation.crossing import Crossing, Json
from routing.translation.questions import LocationOf, Published, ShownBefore
from routing.vocabulary import ModuleID

NOT_PUBLISHED: Final = "RF-03"
"""Of a Location that must not be shown, which holds for its EVSEs and Connectors, too."""
_REMOVED: Final = {"status": "REMOVED"}


def check_published(crossing: Crossing) -> None:
    """Refuse what concerns a Location that is known not to be published: a PATCH, an EVSE, a Connector.

    Raises:
        Untranslatable: RF-03.
    """
    if not crossing.object_ids or _may_see_all(crossing):
        return
    if crossing.ask(Published(crossing.owner, crossing.object_ids[0])) is False:
        raise _unpublished(crossing)


def visible(body: Json, crossing: Crossing) -> Json:
    """What the partner gets of a Location: the object itself, or another one, which is then complete.

    A PATCH that publishes or withdraws becomes the whole Location, since the EVSEs have to change with it.

    Raises:
        Untranslatable: RF-03, it gets nothing; RF-19, the whole Location cannot be had.
    """
    publish = body.get("publish")
    if publish is not False and not crossing.patch:
        return body
    if _may_see_all(crossing):
        return body
    if publish is False:
        return _withdrawn(body, crossing)
    if publish is True:
        return _published(body, crossing)
    check_published(crossing)
    return body


def _may_see_all(crossing: Crossing) -> bool:
    return crossing.destination.quirks.forward_unpublished or crossing.destination.party == crossing.owner


def _withdrawn(body: Json, crossing: Crossing) -> Json:
    """The Location with every EVSE removed, for a partner that has it. Who asks for just this one is told nothing."""
    location_id = _location_id(body, crossing)
    viewer = crossing.destination.party
    asked_for = crossing.answer and not crossing.since
    if asked_for or not crossing.ask(ShownBefore(viewer, ModuleID.LOCATIONS, crossing.owner, location_id)):
        raise _unpublished(crossing)
    location = _merged(body, location_id, crossing)
    if location is None:
        raise _unpublished(crossing)
    evses = location.get("evses")
    if type(evses) is not list:
        return location
    return {**location, "evses": [{**evse, **_REMOVED} if type(evse) is dict else evse for evse in evses]}


def _published(body: Json, crossing: Crossing) -> Json:
    location = _merged(body, _location_id(body, crossing), crossing)
    if location is None:
        raise Untranslatable(
            "RF-19", "the whole Location is needed, send it with PUT", ocpi_status=2000, http_status=404
        )
    return location


def _merged(body: Json, location_id: str, crossing: Crossing) -> Json | None:
    """The whole Location: that of its owner with the changes of the PATCH."""
    if not crossing.patch:
        return body
    location = crossing.ask(LocationOf(crossing.owner, location_id))
    if location is None:
        return None
    crossing.put = True
    return {**location, **body}


def _location_id(body: Json, crossing: Crossing) -> str:
    location_id: Any = crossing.object_ids[0] if crossing.object_ids else body.get("id")
    return location_id if type(location_id) is str else ""


def _unpublished(crossing: Crossing) -> Untranslatable:
    if crossing.answer:
        return Untranslatable(NOT_PUBLISHED, "there is no such Location", ocpi_status=2003, http_status=404)
    return Untranslatable(NOT_PUBLISHED, "the Location is not published, which OCPI 2.1.1 cannot say")
