"""The operator API as a page asks it: from inside, for whoever is signed in, with that person's role."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

import msgspec
from litestar.connection import Request
from litestar.datastructures import State

from hub.operator.inside import ask
from hub.operator.roles import Me

Json: TypeAlias = dict[str, Any]
PageRequest: TypeAlias = Request[Me, Any, State]
"""A request of somebody who is signed in."""

_ROOT: Final = "/api/v1"


class Refused(Exception):
    """The API did not do it: its problem document."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.detail: str = problem.get("detail") or HTTPStatus(status).phrase
        self.faults: dict[str, str] = {each["key"]: each["message"] for each in problem.get("errors", [])}
        """What is wrong with which field."""
        super().__init__(self.detail)


class Api:
    """The API for one request of a browser."""

    def __init__(self, request: PageRequest) -> None:
        self._request = request

    async def get(self, path: str, **query: str | int | None) -> Json:
        """What is at this path below /api/v1. A query parameter that is None or empty is left out. Raises Refused."""
        return await self._call("GET", path, {name: value for name, value in query.items() if value not in {None, ""}})

    async def post(self, path: str, body: Json | None = None, *, reason: str | None = None) -> Json:
        """Do something; `reason` is for the audit log. Raises Refused."""
        return await self._call("POST", path, {}, body, reason)

    async def patch(self, path: str, body: Json, *, reason: str | None = None) -> Json:
        """Change something. Raises Refused."""
        return await self._call("PATCH", path, {}, body, reason)

    async def delete(self, path: str, *, reason: str | None = None) -> Json:
        """Remove something. Raises Refused."""
        return await self._call("DELETE", path, {}, None, reason)

    async def _call(
        self, method: str, path: str, query: dict[str, Any], body: Json | None = None, reason: str | None = None
    ) -> Json:
        headers = {b"content-type": b"application/json"} if body is not None else {}
        if reason:
            query = query | {"reason": reason}  # a header holds no line breaks and no letters beyond ASCII
        answer = await ask(
            self._request,
            method,
            _ROOT + path,
            query=urlencode(query).encode(),
            headers=headers,
            body=b"" if body is None else msgspec.json.encode(body),
            me=self._request.auth,
        )
        found: Json = msgspec.json.decode(answer.body) if answer.body else {}
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Refused(answer.status, found)
        return found
