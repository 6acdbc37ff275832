"""Messages with stories to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import InterfaceRole, Party
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.translated import V211, made, new_id
from tests.partners import CPO, EMSP, location, partner, path_of, registered


@contextmanager
def kobalt_and_lindhain(hub: HubProcess) -> Iterator[tuple[Partner, Partner]]:
    """An eMSP on 2.2.1 and a CPO on 2.1.1, whose messages are captured."""
    with registered(hub, partner(EMSP), partner(CPO, V211)) as [emsp, cpo]:
        for each in (emsp, cpo):
            hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, each)}/capture", json={"hours": 1})
        yield emsp, cpo


def command(hub: HubProcess, emsp: Partner, cpo: Partner, correlation_id: str, *, uid: str = "UID0042") -> None:
    """A charging session is asked for, accepted, and the result comes."""
    card = made(emsp.version, "Token", emsp.party, uid=uid, type="AD_HOC_USER")
    url = emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", new_id())
    body = made(emsp.version, "StartSession", emsp.party, token=card, response_url=url, connector_id="1")
    asked = {"x-correlation-id": correlation_id}
    emsp.post("commands", "START_SESSION", to=cpo.party, json=body, headers=asked)
    if cpo.command_result is None:
        story(hub, correlation_id)
        return
    cpo.settle()
    story(hub, correlation_id, messages=2)


def put_location(
    hub: HubProcess, cpo: Partner, to: Party, correlation_id: str | None = None, *, messages: int = 1, name: str = "L1"
) -> str:
    """One Location; returns the correlation id, once the journal has it."""
    correlation_id = correlation_id or new_id("put")
    headers = {"x-correlation-id": correlation_id}
    cpo.put("locations", path_of(cpo.party, name), to=to, json=location(cpo.party, name), headers=headers)
    story(hub, correlation_id, messages=messages)
    return correlation_id
