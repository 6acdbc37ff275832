"""A fleet that is told what to do over HTTP, by a process that cannot be asynchronous itself.

All of it is below `/control`, for whoever knows the token that this process was started with.
"""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
import msgspec
from msgspec import Struct

from loadtests.simulator.fleet import Fleet, Member
from loadtests.simulator.messages import Sent
from loadtests.simulator.profiles import read_profile
from loadtests.simulator.registration import HubRefused
from loadtests.simulator.site import Receive, Scope, Send, body_of
from routing.vocabulary import Party, Role, Version

PATH: Final = "control"


class NewPlatform(Struct):
    """Whom to play."""

    name: str
    parties: list[tuple[str, str, Role]]
    """Country code, party id, role."""
    version: Version


class Registering(Struct):
    """Where to register."""

    versions_url: str
    token_a: str


class Becoming(Struct):
    """How partners are from now on: these numbers, or all."""

    profile: str
    numbers: list[int] | None = None


class Step(Struct):
    """One request of a handshake."""

    method: str
    url: str
    ms: float
    ocpi_status: int | None


class Registered(Struct):
    """What a partner knows of its hub."""

    token: str
    endpoints: list[tuple[str, str | None, str]]
    """Module, interface, URL."""
    steps: list[Step]


class Control:
    """The ASGI application below `/control`."""

    def __init__(self, fleet: Fleet, token: str) -> None:
        self._fleet = fleet
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        body = await body_of(receive)
        if not hmac.compare_digest(dict(scope["headers"]).get(b"authorization", b""), self._expected):
            status, answer = HTTPStatus.UNAUTHORIZED, _detail("this is not the token of this simulator")
        else:
            status, answer = await self._answer(scope, body)
        content = msgspec.json.encode(answer)
        lines = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[HTTPStatus, Any]:
        try:
            return await self._done(scope, body)
        except (HubRefused, httpx.HTTPError) as error:
            return HTTPStatus.BAD_GATEWAY, _detail(str(error) or repr(error))
        except (ValueError, IndexError, KeyError, msgspec.MsgspecError) as error:
            return HTTPStatus.BAD_REQUEST, _detail(str(error))

    async def _done(self, scope: Scope, body: bytes) -> tuple[HTTPStatus, Any]:
        fleet = self._fleet
        match scope["method"], scope["raw_path"].decode("latin-1").strip("/").split("/"):
            case "POST", ["platforms"]:
                return HTTPStatus.CREATED, self._add(msgspec.json.decode(body, type=NewPlatform))
            case "POST", ["platforms", number, "register"]:
                where = msgspec.json.decode(body, type=Registering)
                member = fleet.members[int(number)]
                await member.register(where.versions_url, where.token_a)
                return HTTPStatus.OK, _registered(member)
            case "POST", ["platforms", number, "update"]:
                member = fleet.members[int(number)]
                await member.update()
                return HTTPStatus.OK, _registered(member)
            case "GET", ["platforms", number, "result"]:
                return await _result(fleet.members[int(number)], dict(parse_qsl(scope["query_string"].decode())))
            case "POST", ["profile"]:
                wanted = msgspec.json.decode(body, type=Becoming)
                fleet.become(read_profile(wanted.profile), wanted.numbers)
                return HTTPStatus.OK, {}
            case "GET", ["tallies"]:
                return HTTPStatus.OK, {member.partner.name: member.tally for member in fleet.members}
            case _:
                return HTTPStatus.NOT_FOUND, _detail("there is no such thing here")

    def _add(self, wanted: NewPlatform) -> dict[str, Any]:
        parties: dict[Party, list[Role]] = {}
        for country_code, party_id, role in wanted.parties:
            parties.setdefault(Party(country_code, party_id), []).append(role)
        member = self._fleet.add(wanted.name, parties, wanted.version)
        return {"number": member.number, "base": member.partner.base}


def _registered(member: Member) -> Registered:
    hub = member.partner.connection
    endpoints = [(module, interface and interface.value, url) for (module, interface), url in hub.endpoints.items()]
    return Registered(hub.our_token, endpoints, [_step(sent) for sent in member.partner.registration.handshake])


def _step(sent: Sent) -> Step:
    return Step(sent.method, sent.url, (sent.answered_at - sent.at).total_seconds() * 1000, sent.answer.status_code)


async def _result(member: Member, query: dict[str, str]) -> tuple[HTTPStatus, Any]:
    found = await member.result(query["command"], float(query["within_s"]))
    if found is None:
        return HTTPStatus.NOT_FOUND, _detail("the result did not come in time")
    return HTTPStatus.OK, {"at": found.at, "result": msgspec.json.decode(found.body)}


def _detail(text: str) -> dict[str, str]:
    return {"detail": text}
