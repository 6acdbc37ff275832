"""Hubs of which one process begins something and another one goes on with it, or the same after a restart."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from routing.vocabulary import InterfaceRole
from tests.conftest import StoreUrls
from tests.hub.forked import ForkedHub


class Places:
    """Where things begin, and where they go on: at another replica, if there is one."""

    def __init__(self, begin: HubProcess, other: HubProcess | None) -> None:
        self.begin = begin
        self._other = other

    def elsewhere(self, url: str) -> str:
        """The same URL at a process that has seen nothing of what came before; the only one is as good."""
        return url if self._other is None else url.replace(self.begin.url, self._other.url)

    def url(self, one: Partner, module: str, interface: InterfaceRole, path: str = "") -> str:
        """An endpoint of the hub for this partner, or something behind it, at such a process."""
        url = "/".join(filter(None, (one.connection.url(module, interface), path)))
        return self.elsewhere(url)

    def restart(self) -> None:
        """End all processes, which write what they have learned, and start them again with what is in the stores."""
        hubs = [self.begin] if self._other is None else [self.begin, self._other]
        for hub in hubs:
            hub.stop()
        for hub in hubs:
            hub.start()


@contextmanager
def places(folder: Path, stores: StoreUrls) -> Iterator[Places]:
    """On SQLite one hub, else two replicas."""
    settings = {**stores._asdict(), "secret_key": secrets.token_urlsafe(32), "authorize_timeout_s": "2"}
    with ExitStack() as stack:
        hubs = []
        for name in ("one", "other") if stores.redis_url else ("one",):
            (folder / name).mkdir()
            hubs.append(stack.enter_context(ForkedHub(folder / name, settings)))
        yield Places(hubs[0], hubs[1] if len(hubs) > 1 else None)
