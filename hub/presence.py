"""Whether partners are there: a look at their versions endpoint. OCPI 2.2.1, "HubClientInfo", Still alive check."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from hub.ids import new_ids
from hub.observability import FilteringBoundLogger
from hub.partners.client import CallLimits, PartnerClient
from hub.store.platforms import Platforms
from routing.bodies import without_bom
from routing.directory import Connection
from routing.envelope import SUCCESS, read_envelope
from routing.errors import HubError
from routing.message import Call, id_headers

log: FilteringBoundLogger = structlog.get_logger()

NOTE_EVERY_S: Final = 10.0
"""Between two writings of what was heard; a platform's `last_seen` is that much behind at most."""
_CHECK_WITHIN_S: Final = 10.0
_ANSWER_BYTES: Final = 1024 * 1024


class Presence:
    """Looks after partners in the background: at most one look at a connection at a time."""

    def __init__(
        self,
        partners: PartnerClient,
        platforms: Platforms,
        *,
        connect_timeout_s: float,
        allow_private: bool,
        note_every_s: float = NOTE_EVERY_S,
    ) -> None:
        self._partners = partners
        self._platforms = platforms
        self._connect_timeout_s = connect_timeout_s
        self._allow_private = allow_private
        self._note_every_s = note_every_s
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._seen: set[str] = set()
        self._noting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to note when platforms were last heard of."""
        self._noting = asyncio.create_task(self._note_for_ever(), name="noting signs of life")

    def seen(self, connection_id: str) -> None:
        """A sign of life came through this connection: a request, or a complete answer."""
        self._seen.add(connection_id)

    def check_soon(self, connection: Connection) -> None:
        """Look at this partner now, without waiting for the result."""
        if connection.id in self._looking:
            return
        task = asyncio.create_task(self._check(connection), name=f"still alive check of {connection.platform_name}")
        self._looking[connection.id] = task
        task.add_done_callback(lambda _: self._looking.pop(connection.id, None))

    async def close(self) -> None:
        """Stop looking, and note what was seen until now."""
        tasks = [*self._looking.values(), *([self._noting] if self._noting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._note()

    async def _note_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._note_every_s)
            await self._note()

    async def _note(self) -> None:
        if not self._seen:
            return
        seen, self._seen = self._seen, set()
        try:
            await self._platforms.seen(seen, datetime.now(UTC))
        except HubError as error:
            log.warning("signs_of_life_not_noted", reason=str(error))
            self._seen |= seen
        except asyncio.CancelledError:
            self._seen |= seen  # `close` notes them
            raise
        except Exception:  # a bug in one round must not end all later ones
            log.exception("signs_of_life_not_noted")

    async def _check(self, connection: Connection) -> None:
        authorization = (b"authorization", connection.authorization.reveal().encode())
        call = Call("GET", connection.versions_url, [authorization, *id_headers(new_ids())])
        limits = CallLimits(
            total_s=_CHECK_WITHIN_S,
            connect_s=self._connect_timeout_s,
            max_answer_bytes=_ANSWER_BYTES,
            concurrency=connection.quirks.concurrency,
            platform_id=connection.platform_id,
            allow_private=self._allow_private,
        )
        bound = log.bind(platform=connection.platform_name, platform_id=connection.platform_id)
        try:
            reply = await self._partners.call(call, limits)
        except HubError as error:
            bound.warning("partner_check_failed", reason=str(error))
            return
        head = read_envelope(without_bom(reply.body))
        self.seen(connection.id)
        if reply.http_status == 200 and head is not None and head.status_code // 1000 * 1000 == SUCCESS:
            bound.info("partner_checked", http_status=reply.http_status)
        else:
            bound.warning("partner_check_failed", http_status=reply.http_status, ocpi_status=head and head.status_code)
