"""A hub inside the test's process, on a loop and a real port of its own: for tests that look behind its answers."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx

from hub.hub import Hub
from hub.limits import Buckets
from hub.listener.drain import Drain
from hub.partner_app import create_partner_app
from hub.parts import running_hub
from hub.registration import HubSide, Registrar
from hub.setting_types import RateLimit
from hub.settings import Settings
from hub.store.records import PlatformRecord
from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.messages import header_lines
from loadtests.simulator.server import Listener, Loop, free_port
from loadtests.simulator.trust import usual_authorities
from routing.vocabulary import Face, Party, Role, Secret, Version
from tests.migrated import migrated_file

T = TypeVar("T")


class Invited(NamedTuple):
    """What an operator would send to a partner."""

    platform_id: str
    token_a: str


class RunningHub:
    """Serves while the block lasts. `hub` has its parts; what they await is done with `do`."""

    def __init__(
        self,
        folder: Path,
        *,
        callbacks_within_s: float = 2.0,
        forward_timeout_s: float = 2.0,
        authorize_timeout_s: float = 10.0,
        allow_private_partners: bool = True,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.callbacks_within_s = callbacks_within_s
        self.database_file = folder / "hub.db"
        self.settings = Settings(
            public_url=self.url,
            port=port,
            database_url=migrated_file(folder),
            forward_timeout_s=forward_timeout_s,
            authorize_timeout_s=authorize_timeout_s,
            connect_timeout_s=1,
            allow_private_partners=allow_private_partners,
            rate_limit=None,
            operator_token=Secret("operator-token-of-the-tests"),
            secret_key=Secret("secret-key-of-the-tests"),
        )
        self._loop = Loop("hub")
        self._running = AsyncExitStack()
        self._http = httpx.Client(base_url=self.url, verify=usual_authorities(), trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        self.hub = self.do(self._open())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()
        self.do(self._running.aclose())
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of something the hub's parts do, on its loop."""
        return self._loop.run(work)

    def in_database(self, statement: str) -> None:
        """Change what the hub keeps, behind its back.

        A lock that is taken only at the change would fail without waiting. On the hub's own loop this is to be called
        in a thread: who holds the lock could not go on to give it back.
        """
        with closing(sqlite3.connect(self.database_file, isolation_level=None, timeout=10)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(statement)
            database.execute("COMMIT")

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin something the hub's parts do, on its loop."""
        return self._loop.start(work)

    async def _open(self) -> Hub:
        parts = await self._running.enter_async_context(running_hub(self.settings, Drain()))
        side = HubSide(
            settings=parts.settings,
            directory=parts.directory,
            platforms=parts.platforms,
            partners=parts.partners,
            vault=parts.vault,
            events=parts.events,
        )
        hub = replace(parts, registrar=Registrar(side, callbacks_within_s=self.callbacks_within_s))
        # Many tests present tokens that have to be refused, all from one address.
        hub.limits._failures = Buckets(RateLimit(1000, 1000))
        listener = Listener(create_partner_app(hub), None)
        listener.port = self.settings.port
        await listener.open()
        self._running.push_async_callback(listener.close)
        return hub

    # --- what an operator does

    def invite(
        self,
        *,
        parties: Sequence[tuple[Party, Role]] = (),
        face: Face | None = None,
        version: Version | None = None,
        require_modules: Sequence[str] = (),
        allow_hub: bool = False,
        expires_at: datetime | None = None,
    ) -> Invited:
        """A new platform, and the TOKEN_A it may register with."""
        record, token_a = self.do(
            self.hub.platforms.create(
                "invited",
                parties=parties,
                face=face,
                version=version,
                require_modules=require_modules,
                allow_hub=allow_hub,
                expires_at=expires_at,
            )
        )
        return Invited(record.id, token_a.reveal())

    def registered(self, partner: Partner, **choices: Any) -> str:  # noqa: ANN401 - as for `invite`
        """Invite this partner, which registers; returns the platform's id."""
        if partner.version is Version.V2_1_1:
            face = Face.EMSP if Role.CPO in partner.parties[partner.party] else Face.CPO
            choices = {"face": face, **choices}
        invited = self.invite(**choices)
        partner.register(self.versions_url, invited.token_a)
        return invited.platform_id

    def record(self, platform_id: str) -> PlatformRecord:
        """All that is stored of a platform."""
        return self.do(self.hub.platforms.get(platform_id))

    # --- what a partner asks

    def ask(
        self,
        method: str,
        where: str,
        token: str,
        *,
        json: Json | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request with this token, to a path or a whole URL of the hub."""
        plain = "/ocpi/2.1.1" in where
        value = token if plain else base64.b64encode(token.encode()).decode()
        sent = {"authorization": f"Token {value}"} | (headers or {})
        response = self._http.request(method, where, headers=sent, json=json, content=body)
        return Answer(response.status_code, header_lines(response.headers.multi_items()), response.content)
