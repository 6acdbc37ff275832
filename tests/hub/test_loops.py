"""Messages that hubs send in circles, in one process and in several."""

from __future__ import annotations

import msgspec
import pytest

from hub.loops import Leg, Loops
from hub.store.redis import open_redis
from hub.store.under_way import MessagesUnderWay
from routing.errors import NotRoutable
from routing.message import RoutingHeaders
from routing.modules import operation_at
from routing.vocabulary import InterfaceRole, Party, Version
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

CPO, EMSP = Party("NL", "VLT"), Party("DE", "MSP")
LEG = Leg.of(
    "correlation",
    operation_at(Version.V2_2_1, "tokens", InterfaceRole.SENDER, "GET", ()),
    (),
    "offset=0",
    RoutingHeaders(EMSP, CPO),
)
OTHERS = [
    msgspec.structs.replace(LEG, correlation_id="another"),
    msgspec.structs.replace(LEG, paging="offset=50"),
    msgspec.structs.replace(LEG, segments=("CARD1",)),
    msgspec.structs.replace(LEG, addresses=RoutingHeaders(CPO, EMSP)),
    msgspec.structs.replace(LEG, operation=operation_at(Version.V2_2_1, "cdrs", InterfaceRole.SENDER, "GET", ())),
]


async def test_a_message_may_come_from_a_hub_once_at_a_time() -> None:
    loops = Loops(None)

    for _ in range(2):
        async with loops.to_hub(LEG):
            with pytest.raises(NotRoutable, match="loop"):
                async with loops.from_hub(LEG):
                    pass
            for other in OTHERS:
                async with loops.from_hub(other):
                    pass
    async with loops.from_hub(LEG):
        with pytest.raises(NotRoutable, match="loop"):
            async with loops.from_hub(LEG):
                pass
    async with loops.from_hub(LEG):
        pass


async def test_a_message_is_noted_until_the_first_that_noted_it_ends() -> None:
    loops = Loops(None)

    async with loops.to_hub(LEG):
        async with loops.to_hub(LEG):
            pass
        with pytest.raises(NotRoutable, match="loop"):
            async with loops.from_hub(LEG):
                pass


async def test_processes_that_share_a_redis_see_each_others_messages(redis_url: str) -> None:
    client = open_redis(redis_url)
    one, other = (Loops(MessagesUnderWay(client, "identity")) for _ in range(2))

    async with one.to_hub(LEG):
        with pytest.raises(NotRoutable, match="loop"):
            async with other.from_hub(LEG):
                pass
    async with other.from_hub(LEG), one.to_hub(OTHERS[0]):
        pass
    await client.aclose()


async def test_without_its_redis_a_process_knows_its_own_messages() -> None:
    with RedisServer() as server:
        client = open_redis(server.url)
        loops = Loops(MessagesUnderWay(client, "identity"))
        server.stop()

        async with loops.to_hub(LEG):
            with pytest.raises(NotRoutable, match="loop"):
                async with loops.from_hub(LEG):
                    pass
        async with loops.from_hub(LEG):
            pass
        await client.aclose()
