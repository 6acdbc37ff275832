"""The operator API as a page asks it: from inside, for whoever is signed in, with that person's role."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlencode

import msgspec
from litestar.connection import Request
from litestar.datastructures import State

from hub.operator.inside import Answered, ask
from hub.operator.roles import Me

Json: TypeAlias = dict[str, Any]
PageRequest: TypeAlias = Request[Me, Any, State]
"""A request of somebody who is signed in."""


class Seen(NamedTuple):
    """An object, and the tag of the state in which it was seen."""

    found: Json
    etag: str


_ROOT: Final = "/api/v1"
_ABOUT_THE_FORM: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.BAD_GATEWAY,
    }
)


class Refused(Exception):
    """The API did not do it: its problem document."""

    def __init__(self, status: int, problem: Json) -> None:
        self.status = status
        self.detail: str = problem.get("detail") or HTTPStatus(status).phrase
        self.faults: dict[str, str] = {each["key"]: each["message"] for each in problem.get("errors", [])}
        """What is wrong with which field."""
        self.owner: Json | None = problem.get("owner")
        """Who has the party that was asked for."""
        super().__init__(self.detail)

    @property
    def is_about_the_form(self) -> bool:
        """Whether it is to be said beside what was typed, which may be repaired."""
        return self.status in _ABOUT_THE_FORM

    @property
    def is_outdated(self) -> bool:
        """Whether somebody else changed the object meanwhile."""
        return self.status == HTTPStatus.PRECONDITION_FAILED


class Api:
    """The API for one request of a browser."""

    def __init__(self, request: PageRequest) -> None:
        self._request = request

    async def get(self, path: str, **query: str | int | None) -> Json:
        """What is at this path below /api/v1. A query parameter that is None or empty is left out. Raises Refused."""
        return _json(await self._call("GET", path, _given(query)))

    async def see(self, path: str) -> Seen:
        """The same, for who is about to change it."""
        answer = await self._call("GET", path)
        return Seen(_json(answer), answer.etag or "")

    async def file(self, path: str) -> bytes:
        """A file. Raises Refused."""
        return (await self._call("GET", path)).body

    async def post(
        self, path: str, body: Json | None = None, *, reason: str | None = None, seen: str | None = None
    ) -> Json:
        """Do something; `reason` is for the audit log, and `seen` the tag of what it is done to. Raises Refused."""
        return _json(await self._call("POST", path, {"reason": reason}, _encoded(body), seen=seen))

    async def patch(self, path: str, body: Json, *, reason: str | None = None, seen: str | None = None) -> Json:
        """Change something. Raises Refused."""
        return _json(await self._call("PATCH", path, {"reason": reason}, _encoded(body), seen=seen))

    async def delete(self, path: str, *, reason: str | None = None, seen: str | None = None) -> Json:
        """Remove something. Raises Refused."""
        return _json(await self._call("DELETE", path, {"reason": reason}, seen=seen))

    async def would(self, method: str, path: str, body: Json | None = None, *, seen: str | None = None) -> Json:
        """What would come of it, if it were done. Raises Refused."""
        return _json(await self._call(method, path, {"dry_run": "true"}, _encoded(body), seen=seen))

    async def upload(self, path: str, content: bytes, media_type: str, **query: str | None) -> Json:
        """Hand over a file. Raises Refused."""
        return _json(await self._call("POST", path, query, content, media_type=media_type))

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int | None] = MappingProxyType({}),
        body: bytes = b"",
        *,
        media_type: str = "application/json",
        seen: str | None = None,
    ) -> Answered:
        headers = {b"content-type": media_type.encode()} if body else {}
        if seen:
            headers[b"if-match"] = seen.encode("latin-1", "replace")
        answer = await ask(
            self._request,
            method,
            _ROOT + path,
            # The reason, too: a header holds no line breaks and no letters beyond ASCII.
            query=urlencode(_given(query)).encode(),
            headers=headers,
            body=body,
            me=self._request.auth,
        )
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise Refused(answer.status, _json(answer))
        return answer


def _given(query: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None and value != ""}


def _encoded(body: Json | None) -> bytes:
    return b"" if body is None else msgspec.json.encode(body)


def _json(answer: Answered) -> Json:
    found: Json = msgspec.json.decode(answer.body) if answer.body else {}
    return found
