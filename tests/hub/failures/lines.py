"""Connections that stay with one process of the hub."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from http.client import HTTPConnection
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from loadtests.simulator import Answer, Json, Partner
from loadtests.simulator.client import HubConnection, interface_for
from loadtests.simulator.messages import HeaderLines, header_lines, routing_headers
from loadtests.simulator.registration import HubRefused
from routing.vocabulary import InterfaceRole, Party, Role
from tests.partners import path_of, token

_sources = (f"127.1.{number // 250 % 250}.{number % 250 + 1}" for number in itertools.count())
"""An address for each connection: the hub limits wrong tokens by address."""
_uids = itertools.count()


class Line:
    """One kept-alive connection. Whatever process of the hub took it answers everything that is asked on it."""

    def __init__(self, port: int, source: str | None = None) -> None:
        address = (source or next(_sources), 0)
        self._http = HTTPConnection("127.0.0.1", port, timeout=30, source_address=address)
        self._http.connect()
        self._http.auto_open = 0  # a new connection may end in another process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(self, method: str, url: str, headers: HeaderLines = (), body: bytes | None = None) -> Answer:
        """One request with exactly these headers, and its complete answer."""
        target = urlsplit(url)
        self._http.request(method, target.path + (f"?{target.query}" if target.query else ""), body, dict(headers))
        response = self._http.getresponse()
        return Answer(response.status, header_lines(response.getheaders()), response.read())

    def ask_json(self, method: str, url: str, headers: HeaderLines, body: Json) -> Answer:
        """The same with JSON."""
        headers = (*headers, ("content-type", "application/json"))
        return self.ask(method, url, headers, msgspec.json.encode(body))

    def knows(self, authorization: str) -> bool:
        """Whether this Authorization is good for anything."""
        url = f"http://{self._http.host}:{self._http.port}/ocpi/versions"
        status = self.ask("GET", url, (("authorization", authorization),)).http_status
        assert status in {200, 401}, status
        return status == 200

    def refuses(self, authorization: str) -> bool:
        """Whether it is not. To be asked about one that was good: the hub counts how often an address guesses."""
        return not self.knows(authorization)

    def say(
        self,
        sender: Partner,
        method: str,
        module: str,
        path: str = "",
        *,
        to: Party | None = None,
        json: Json | None = None,
        interface: InterfaceRole | None = None,
        headers: HeaderLines = (),
    ) -> Answer:
        """Any message of a partner; where it names a receiver it names itself, too."""
        interface = interface or interface_for(method, module, sender.identity.modules())
        url = "/".join(filter(None, (sender.connection.url(module, interface).rstrip("/"), path)))
        return self._send(method, url, sender, to, json, headers)

    def post_result(self, sender: Partner, url: str, result: str) -> Answer:
        """Post the result of a command where the hub wants it."""
        return self._send("POST", url, sender, None, {"result": result})

    def push_token(self, sender: Partner, to: Party) -> Answer:
        """An eMSP pushes a card nobody has seen before to a party."""
        uid = f"LINE{next(_uids)}"
        where = sender.connection.url("tokens", interface_for("PUT", "tokens", sender.identity.modules()))
        body = token(sender.party, uid)
        return self._send("PUT", f"{where}/{path_of(sender.party, uid)}", sender, to, body)

    def broadcast(self, sender: Partner, hub: Party, method: str, path: str, body: Json) -> Answer:
        """A CPO pushes something of a Location to everybody."""
        where = sender.connection.url("locations", InterfaceRole.RECEIVER)
        return self._send(method, f"{where}/{path}", sender, hub, body)

    def renew(self, partner: Partner, parties: dict[Party, Sequence[Role]] | None = None) -> None:
        """PUT credentials: a new token each way and, where given, other parties. Raises HubRefused."""
        if parties is not None:
            partner.parties = parties
        registration, old = partner.registration, partner.connection
        token_b = f"token-b-{next(_uids)}"
        registration.invitations.add(token_b)
        credentials = registration.credentials(old.version, token_b)
        url = old.url("credentials", InterfaceRole.SENDER)
        answer = self._send("PUT", url, partner, None, credentials)
        registration.invitations.discard(token_b)
        if answer.status_code != 1000:
            raise HubRefused("PUT credentials", answer)
        registration.their_tokens = {token_b}
        registration.connection = HubConnection(
            old.version, old.versions_url, answer.data["token"], old.endpoints, answer.data
        )

    def _send(
        self,
        method: str,
        url: str,
        sender: Partner,
        to: Party | None,
        body: Json | None,
        more_headers: HeaderLines = (),
    ) -> Answer:
        headers: HeaderLines = (
            ("authorization", sender.authorization),
            ("content-type", "application/json"),
            *routing_headers(to, sender.party if to is not None else None),
            *more_headers,
        )
        return self.ask(method, url, headers, None if body is None else msgspec.json.encode(body))
