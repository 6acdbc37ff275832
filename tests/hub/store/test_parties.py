from __future__ import annotations

import pytest

from hub.store.truth import UnknownParty
from tests.hub.store.opened import CPO, EMSP, Process

pytestmark = pytest.mark.anyio


async def test_a_party_nobody_has_cannot_be_suspended(store: Process) -> None:
    await store.connected(CPO)

    with pytest.raises(UnknownParty):
        await store.parties.suspend(EMSP)
