"""A partner's platform: everything a CPO, an eMSP or another company is to a hub, in one object."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from typing import Self, Unpack

from loadtests.simulator.client import HubClient, HubConnection, Options, authorization, interface_for
from loadtests.simulator.interfaces import Interfaces
from loadtests.simulator.ledger import Ledger
from loadtests.simulator.messages import Answer, Json, Received, Sent, envelope
from loadtests.simulator.misbehaviour import FAST, Behaviour, Script
from loadtests.simulator.objects import Shelf
from loadtests.simulator.premises import Premises
from loadtests.simulator.registration import Identity, Registration
from loadtests.simulator.shapes import Modules, Roles, endpoint_path, modules_of
from loadtests.simulator.site import Site
from routing.vocabulary import CONFIGURATION_MODULES, InterfaceRole, ModuleID, Party, Version

_ANSWERED_LATER = {ModuleID.COMMANDS, ModuleID.CHARGING_PROFILES}
_CONFIGURATION = CONFIGURATION_MODULES | {"versions", "details"}


class Partner:
    """One platform with its parties, behind a real HTTP server.

        with Partner("Volt", {Party("NL", "VLT"): [Role.CPO]}).running() as cpo:
            cpo.register(versions_url, token_a)
            cpo.put("locations", "NL/VLT/LOC1", to=emsp.party, json=location)

    All methods may be called from any thread. The plain ones wait for the answer; in asynchronous code whose loop
    must go on meanwhile use `send`, or `start` for messages that travel at the same time.
    """

    def __init__(
        self,
        name: str,
        parties: Roles,
        *,
        version: Version = Version.V2_2_1,
        versions: Sequence[Version] | None = None,
        modules: Collection[tuple[str, InterfaceRole]] | None = None,
        tls: ssl.SSLContext | None = None,
        routing_headers_211: bool = False,
        shelf: Shelf | None = None,
        note: Callable[[Received], None] | None = None,
    ) -> None:
        """`version` is registered with, `versions` are offered; `modules` follow from the roles unless given.

        `routing_headers_211`: it names sender and receiver although 2.1.1 does not know that.
        `note` is called with every request instead of keeping it in the ledgers, which grow for ever.
        """
        self.name = name
        self.version = version
        self.modules: Modules | None = None if modules is None else frozenset(modules)
        self.identity = Identity(name, parties, tuple(versions or (version,)), self._offered)
        self.ledger = Ledger()
        """Every request."""
        self.received = Ledger(keep=lambda request: request.module not in _CONFIGURATION)
        """The messages: every request to a functional module."""
        self.shelf = shelf or Shelf()
        self.script = Script()
        self.interfaces = Interfaces(self.shelf, lambda: self.base)
        self.command_result: Json | None = {"result": "ACCEPTED"}
        """Posted to the response_url a little after a command was accepted; None posts nothing."""
        self._reports: list[Future[None]] = []
        self._tls = tls
        self._routing_headers_211 = routing_headers_211
        self._forgets = note is not None
        self._site = Site(self._offered, self.script, note or self._record, self._respond)

    # --- running

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve while the block lasts."""
        self.open()
        try:
            yield self
        finally:
            self.close()

    def open(self) -> None:
        """Begin to serve on a free loopback port."""
        premises = Premises(f"partner {self.name}", tls=self._tls)
        premises.open()
        self.move_in(premises)

    def close(self) -> None:
        """Stop serving."""
        self._premises.close()

    def move_in(self, premises: Premises, path: str = "") -> None:
        """Serve where others may, too, below this path; they are opened and closed by whoever owns the premises."""
        self._premises, self._loop = premises, premises.loop
        self._site.listener = premises.listener
        self.identity.base = premises.let(path, self._site)
        self._client = HubClient(premises.http, remembers=5 if self._forgets else 1000)
        self._client.routing_headers_211 = self._routing_headers_211
        self.registration = Registration(self.identity, self._client)

    @contextmanager
    def port_closed(self) -> Iterator[None]:
        """Refuse connections while the block lasts, and break those there are."""
        self._loop.run(self._premises.listener.close())
        try:
            yield
        finally:
            self._loop.run(self._premises.listener.open())

    # --- who it is

    @property
    def parties(self) -> Roles:
        """Its parties and their roles; after a change the hub learns of them by `update`."""
        return self.identity.parties

    @parties.setter
    def parties(self, parties: Roles) -> None:
        self.identity.parties = parties

    @property
    def party(self) -> Party:
        """Its first party."""
        return next(iter(self.parties))

    @property
    def base(self) -> str:
        """Origin of all its URLs."""
        return self.identity.base

    @property
    def versions_url(self) -> str:
        """Where a hub begins."""
        return f"{self.base}/versions"

    def url(self, module: str, interface: InterfaceRole, *path: str) -> str:
        """URL of one of its own endpoints, or of something behind it."""
        return "/".join((self.base + endpoint_path(self.version, module, interface), *path))

    # --- registered

    @property
    def connection(self) -> HubConnection:
        """What it knows of the hub it is registered at."""
        if self.registration.connection is None:
            raise RuntimeError(f"{self.name} is not registered at a hub")
        return self.registration.connection

    @property
    def authorization(self) -> str:
        """What it presents to the hub."""
        return authorization(self.connection.our_token, self.connection.version)

    @property
    def sent(self) -> Sequence[Sent]:
        """Its latest requests that were answered, oldest first."""
        return list(self._client.sent)

    def invite(self, token_a: str) -> str:
        """Let a hub that presents this TOKEN_A register; returns it."""
        self.registration.invitations.add(token_a)
        return token_a

    def register(self, versions_url: str, token_a: str) -> Answer:
        """Register at a hub by discovery; returns its answer to POST credentials. Raises HubRefused."""
        return self._loop.run(self.registration.register(versions_url, token_a, self.version))

    def update(self, version: Version | None = None) -> Answer:
        """Give the hub new credentials, maybe on another version. Raises HubRefused."""
        answer = self._loop.run(self.registration.update(version or self.version))
        self.version = version or self.version
        return answer

    def unregister(self) -> Answer:
        """Leave the hub. Raises HubRefused."""
        return self._loop.run(self.registration.unregister())

    # --- sending

    def start(self, method: str, where: str, path: str = "", **options: Unpack[Options]) -> Future[Answer]:
        """Begin a message to the hub.

        `where` is a module, reached at the endpoint discovered for it, with `path` behind; or a whole URL.
        """
        return self._loop.start(self._call(method, where, path, options))

    async def send(self, method: str, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """Send a message and await its answer, from any event loop."""
        return await asyncio.wrap_future(self.start(method, where, path, **options))

    def get(self, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """GET, and wait for the answer."""
        return self.start("GET", where, path, **options).result()

    def put(self, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """PUT, and wait for the answer."""
        return self.start("PUT", where, path, **options).result()

    def patch(self, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """PATCH, and wait for the answer."""
        return self.start("PATCH", where, path, **options).result()

    def post(self, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """POST, and wait for the answer."""
        return self.start("POST", where, path, **options).result()

    def delete(self, where: str, path: str = "", **options: Unpack[Options]) -> Answer:
        """DELETE, and wait for the answer."""
        return self.start("DELETE", where, path, **options).result()

    def pages(self, where: str, **options: Unpack[Options]) -> Iterator[Answer]:
        """GET a list page by page, to the last or to the first that is not a success."""
        answer = self.get(where, **options)
        options.pop("params", None)  # the links carry them on
        yield answer
        while answer.http_status == 200 and answer.next_url:
            answer = self.get(answer.next_url, **options)
            yield answer

    async def _call(self, method: str, where: str, path: str, options: Options) -> Answer:
        hub = self.registration.connection
        version = options.get("version") or (hub.version if hub else self.version)
        options = {"sender": None if where in _CONFIGURATION else self.party, **options}
        if "token" not in options and hub is not None:
            options["token"] = hub.our_token
        if not where.startswith("http"):
            interface = options.get("interface") or interface_for(method, where, self._offered())
            where = "/".join(filter(None, (self.connection.url(where, interface).rstrip("/"), path)))
        return await self._client.call(method, where, version, options)

    # --- receiving

    def hold(self, module: str, *things: Json) -> None:
        """Own these objects from now on; they are given out on GET."""
        self.shelf.hold(module, *things)

    def behaves(self, profile: Behaviour = FAST) -> None:
        """Meet every request this way that no `answers_next` is for; properly without an argument."""
        self.script.profile = profile

    @contextmanager
    def behaving(self, profile: Behaviour) -> Iterator[None]:
        """Meet requests this way while the block lasts."""
        self.behaves(profile)
        try:
            yield
        finally:
            self.behaves()

    def answers_next(
        self, what: Behaviour | Answer, *, module: str | None = None, method: str | None = None, times: int = 1
    ) -> None:
        """Meet the next request (to this module, with this method) this way instead of the usual one.

        Client info and versions have to be named: they come whenever somebody else comes or goes, or the hub looks
        whether this partner is there.
        """
        behaviour = Behaviour(answer=what) if isinstance(what, Answer) else what
        self.script.add(behaviour, module=module, method=method, times=times)

    @contextmanager
    def pausing(self, *, module: str | None = None, method: str | None = None, times: int = 1) -> Iterator[None]:
        """Answer the next request (to this module, with this method) when the block is over, and not before."""
        over: Future[None] = Future()
        self.answers_next(Behaviour(until=over), module=module, method=method, times=times)
        try:
            yield
        finally:
            over.set_result(None)

    def settle(self, timeout_s: float = 10) -> None:
        """Wait until the results of all commands so far are posted, and answered by the hub."""
        while self._reports:
            self._reports.pop().result(timeout_s)

    def _offered(self) -> Modules:
        return modules_of(self.parties) if self.modules is None else self.modules

    def _record(self, request: Received) -> None:
        self.ledger.record(request)
        self.received.record(request)

    async def _respond(self, request: Received) -> Answer:
        if not self.registration.admits(request):
            return envelope(status_code=2000, status_message="Unknown token", http_status=401)
        if request.module in {"versions", "details", "credentials"}:
            return await self.registration.answer(request)
        if request.place.interface is None:
            return envelope(status_code=2000, status_message="Not found", http_status=404)
        answer = self.interfaces.answer(request)
        if request.module in _ANSWERED_LATER and request.place.interface is InterfaceRole.RECEIVER:
            report = self._loop.start(self._report(request))
            if not self._forgets:
                self._reports.append(report)
        return answer

    async def _report(self, request: Received) -> None:
        """Post the result of a command. OCPI 2.2.1, "Commands module"."""
        response_url = (request.json() if request.body else request.params).get("response_url")
        if response_url and self.command_result is not None:
            await asyncio.sleep(0.05)  # the answer to the command itself goes first
            options: Options = {"to": request.sender, "sender": request.receiver, "json": self.command_result}
            hub = self.registration.connection
            token = "" if hub is None else hub.our_token
            answer = await self._call("POST", response_url, "", {**options, "token": token})
            if answer.http_status == HTTPStatus.UNAUTHORIZED and await self.registration.has_replaced(token):
                await self._call("POST", response_url, "", options)
