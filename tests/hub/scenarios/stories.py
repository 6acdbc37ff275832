"""What a hub tells of a message, as soon as its journal has it."""

from __future__ import annotations

from loadtests.hub_process import HubProcess
from loadtests.simulator import Json
from tests.hub.failures.waiting import eventually


def story(hub: HubProcess, correlation_id: str, *, messages: int = 1, **query: str) -> Json:
    """The story, once the journal has that many entries of it."""

    found: Json = {}

    def is_told() -> bool:
        answer = hub.operator.api.get("/api/v1/stories", params={"correlation_id": correlation_id, **query})
        found.update(answer.json())
        return answer.status_code == 200 and len(found["messages"]) >= messages

    eventually(is_told)
    return found
