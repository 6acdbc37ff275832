"""The partner's web site: reads each request, writes it into the ledger, and answers as the script wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

from loadtests.simulator.messages import Answer, Place, Received, routing_headers
from loadtests.simulator.misbehaviour import Behaviour, Script
from loadtests.simulator.server import Listener
from loadtests.simulator.shapes import Modules
from routing.vocabulary import CONFIGURATION_MODULES, InterfaceRole, Version

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Respond: TypeAlias = Callable[[Received], Awaitable[Answer]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""

_VERSIONS = {version.value: version for version in Version}


class Site:
    """The ASGI application of one partner."""

    def __init__(
        self,
        modules: Callable[[], Modules],
        script: Script,
        record: Callable[[Received], None],
        respond: Respond,
    ) -> None:
        self._modules = modules
        self._script = script
        self._record = record
        self._respond = respond
        self.listener: Listener | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request."""
        request = self._read(scope, await body_of(receive))
        self._record(request)
        behaviour = self._script.next_for(request)
        if behaviour.delay_s:
            await asyncio.sleep(behaviour.delay_s)
        if behaviour.until is not None:
            await asyncio.shield(asyncio.wrap_future(behaviour.until))  # others may be waiting for it, too
        if behaviour.silent:
            await _gone(receive)
        elif behaviour.reset or behaviour.raw is not None:
            await self._break(scope, behaviour)
            await _gone(receive)
        else:
            answer = behaviour.answer or await self._respond(request)
            answer = _addressed(answer, request)
            await _send(send, behaviour.edit(answer) if behaviour.edit else answer, behaviour)

    def _read(self, scope: Scope, body: bytes) -> Received:
        raw_path = scope["raw_path"].decode("latin-1")
        return Received(
            method=scope["method"],
            raw_path=raw_path,
            query=scope["query_string"].decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
            body=body,
            at=datetime.now(UTC),
            place=self._place(raw_path),
        )

    def _place(self, raw_path: str) -> Place:
        match [unquote(segment) for segment in raw_path.strip("/").split("/")]:
            case ["versions"]:
                return Place("versions")
            case [version] if version in _VERSIONS:
                return Place("details", _VERSIONS[version])
            case [version, module, *path] if version in _VERSIONS:
                return self._endpoint(_VERSIONS[version], module, path)
            case _:
                return Place("")

    def _endpoint(self, version: Version, module: str, path: list[str]) -> Place:
        sides = {interface for name, interface in self._modules() if name == module}
        if module == "credentials":
            return Place(module, version, None, tuple(path))
        if version is Version.V2_1_1 and sides:
            return Place(module, version, min(sides), tuple(path))
        if path and (side := path[0].upper()) in sides:
            return Place(module, version, InterfaceRole(side), tuple(path[1:]))
        return Place("", version)

    async def _break(self, scope: Scope, behaviour: Behaviour) -> None:
        """Answer outside HTTP: raw bytes and the end, or only the end."""
        transport = self.listener.transport_of(scope) if self.listener else None
        if transport is None:
            return
        if behaviour.raw is None:
            transport.abort()
        else:
            for piece in _pieces(behaviour.raw, behaviour):
                transport.write(piece)
                await asyncio.sleep(behaviour.drip_s)
            transport.close()


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request."""
    body = b""
    while True:
        event = await receive()
        piece: bytes = event.get("body", b"")
        body += piece
        if not event.get("more_body"):
            return body


async def _gone(receive: Receive) -> None:
    """Wait until the other side has had enough."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, answer: Answer, behaviour: Behaviour) -> None:
    pieces = _pieces(answer.body, behaviour) * behaviour.repeat
    headers = answer.headers + ((("connection", "close"),) if behaviour.close else ())
    if len(pieces) == 1 and answer.header("content-length") is None:
        headers += (("content-length", str(len(answer.body))),)
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.http_status, "headers": lines})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if behaviour.drip_s:
            await asyncio.sleep(behaviour.drip_s)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _pieces(body: bytes, behaviour: Behaviour) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))] if behaviour.drip_s else [body]


def _addressed(answer: Answer, request: Received) -> Answer:
    """The answer with the ids of its request, and the request's routing headers turned round.

    OCPI 2.2.1, "Unique message IDs" and "Message Routing".
    """
    ids = tuple((name, request.header(name)) for name in ("x-request-id", "x-correlation-id"))
    added = tuple((name, value) for name, value in ids if value is not None)
    configuration = request.module in CONFIGURATION_MODULES | {"versions", "details"}
    if request.place.version is not Version.V2_1_1 and not configuration:
        added += routing_headers(request.sender, request.receiver)
    given = {name for name, _ in answer.headers}
    added = tuple(line for line in added if line[0] not in given)
    return Answer(answer.http_status, answer.headers + added, answer.body)
