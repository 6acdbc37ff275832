"""A locust user that is a platform of OCPI."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from locust import task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser

from loadtests.simulator.messages import Envelope
from loadtests.traffic.cast import Part
from loadtests.traffic.day import drawn
from loadtests.traffic.ending import RunOver
from loadtests.traffic.simulator_process import Connection, NotRegistered, Step
from loadtests.traffic.stage import Stage, stage_of
from routing.vocabulary import InterfaceRole, Role, Version

EVERYBODY = "*"
"""The peer of a message that is for whom it concerns, which the hub knows."""
_STEPS = ("versions", "details", "credentials")


class Refused(Exception):
    """What failed, in a few words that are the same each time: they are counted."""


class Unanswered(Refused):
    """Nothing had come when the run was over, or after as long as is waited for the result of a command."""


class OcpiUser(FastHttpUser):
    """One platform with one party.

    `on_start` registers at the hub, or takes up a part that a user before it left, with new credentials.
    `do(action)` sends one message, whatever `wait_time` there is: it may be called from several greenlets at once.

    Every request is locust's `request` event: its name is like `locations.PATCH.CPO`, and its context has `partner`,
    `peer`, `version`, `correlation_id` and, once answered in OCPI, `ocpi_status`.
    """

    abstract = True
    host = "http://hub.invalid"  # the hub itself says where its endpoints are
    concurrency = 100
    role: ClassVar[Role]
    version: ClassVar[Version]

    def on_start(self) -> None:
        """Take a part. Raises StopUser when the hub refuses it."""
        self.stage: Stage = stage_of(self.environment)
        self._behind: set[threading.Thread] = set()
        rested = self.stage.cast.rested(self.role, self.version)
        if rested is None:
            self.part = self._registered()
            self.dice = self.stage.dice(str(self.part.party))
        else:
            self.part = rested
            self.dice = self.stage.dice(str(self.part.party))
            self.reconnect()
        self.stage.cast.enter(self.part)

    def on_stop(self) -> None:
        """Wait for results that are to come, unless `give_up` was called; the part is free for another."""
        if hasattr(self, "part"):
            for waiting in [each for each in self._behind if each.is_alive()]:
                waiting.join(self.stage.within_s)
            self.stage.cast.leave(self.part)

    @task
    def act(self) -> None:
        """One message of the day."""
        self.do(self.chosen())

    def chosen(self) -> str:
        """What to say next, by the day's weights."""
        return drawn(self.role, self.dice, self.stage.day)

    def do(self, action: str) -> bool:
        """Send one message; False when there is nothing to say yet, for want of somebody to say it to.

        Raises:
            ValueError: this role has no such action.
        """
        raise NotImplementedError

    @property
    def is_waiting(self) -> bool:
        """Whether something is to come still that is no answer: the result of a command."""
        return bool(self._behind)

    def give_up(self) -> None:
        """Wait for nothing any more: the run is over."""
        self._behind.clear()

    def reconnect(self) -> None:
        """Read the hub's versions and give it new credentials, as after a fall of the whole network."""
        self.part.connection = self._greeted(self.part.platform.number)

    # --- registering

    def _registered(self) -> Part:
        stage, inviting = self.stage, self.stage.inviting
        party = stage.cast.new_party(self.role)
        name = inviting.name(party, self.role)
        platform = stage.simulator.add(name, party, self.role, self.version)
        invitation = inviting.invite(name, self.role, self.version)
        connection = self._greeted(platform.number, str(party), (invitation.versions_url, invitation.token_a))
        part = Part(self.role, self.version, party, platform, connection)
        stage.cast.equip(part)
        return part

    def _greeted(self, number: int, partner: str = "", invitation: tuple[str, str] | None = None) -> Connection:
        """Register, or give new credentials. Raises StopUser."""
        simulator, begun = self.stage.simulator, time.perf_counter()
        method = "PUT" if invitation is None else "POST"
        context = self._context(None, partner or str(self.part.party))
        try:
            connection = simulator.update(number) if invitation is None else simulator.register(number, *invitation)
        except NotRegistered as error:
            took_ms = (time.perf_counter() - begun) * 1000
            self._fire(method, f"credentials.{method}.{self.role}", took_ms, context, Refused(str(error)[:200]))
            raise StopUser from error
        except RunOver:
            took_ms = (time.perf_counter() - begun) * 1000
            self._fire(method, f"credentials.{method}.{self.role}", took_ms, context, Unanswered("unanswered"))
            raise
        for module, step in zip(_STEPS, connection.steps, strict=True):
            self._tell(module, step, context)
        return connection

    def _tell(self, module: str, step: Step, context: dict[str, Any]) -> None:
        name = f"{module}.{step.method}.{self.role}"
        self._fire(step.method, name, step.ms, context | {"ocpi_status": step.ocpi_status})

    # --- sending

    def send(
        self,
        method: str,
        module: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        to: Part | None,
        interface: InterfaceRole,
        action: str | None = None,
    ) -> Envelope | None:
        """One message to the hub's `interface` of this module: the answer, None if refused.

        `to` is whom it is for, named where the version names anybody; None for whom it concerns.
        """
        url = self.url(module, interface) + path
        return self.ask(method, url, body, to=to, name=f"{module}.{action or method}.{self.role}")[0]

    def ask(
        self,
        method: str,
        url: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        to: Part | None,
        name: str,
    ) -> tuple[Envelope | None, str | None]:
        """One message to this URL: the answer, None if refused, and its `Link`."""
        context = self._context(to, str(self.part.party))
        data = None if body is None else msgspec.json.encode(body)
        begun = time.perf_counter()
        try:
            with self.client.request(
                method,
                url,
                name=name,
                data=data,  # type: ignore[arg-type]  # bytes are sent as they are, whatever the signature says
                headers=self._headers(to, context["correlation_id"], has_body=data is not None),
                context=context,
                catch_response=True,
            ) as response:
                return self._read(response), (response.headers or {}).get("Link")
        except RunOver:  # locust says nothing of what had no answer by then
            self._fire(method, name, (time.perf_counter() - begun) * 1000, context, Unanswered("unanswered"))
            raise

    def behind(self, work: Callable[[], None]) -> None:
        """Do something while this user goes on. What locust has patched is no thread but a greenlet, which is cheap."""

        def done() -> None:
            try:
                work()
            finally:
                self._behind.discard(thread)

        thread = threading.Thread(target=done)
        self._behind.add(thread)
        thread.start()

    def callback(self, name: str, took_ms: float, to: Part, error: Exception | None) -> None:
        """Report how long it took until the result of a command came."""
        self._fire("CALLBACK", name, took_ms, self._context(to, str(self.part.party)), error)

    def _read(self, response: Any) -> Envelope | None:  # noqa: ANN401 - locust's type says less than it is
        context = response.request_meta["context"]
        if not response.status_code:
            return None  # locust says what happened to the connection
        try:
            found = msgspec.json.decode(response.content or b"", type=Envelope)
        except msgspec.MsgspecError:
            response.failure(Refused(f"HTTP {response.status_code} and no OCPI"))
            return None
        context["ocpi_status"] = found.status_code
        if not 1000 <= found.status_code < 2000:  # OCPI 2.2.1, "Status codes"
            response.failure(Refused(f"{found.status_code} {found.status_message or ''}"[:100].strip()))
            return None
        response.success()
        return found

    def url(self, module: str, interface: InterfaceRole) -> str:
        """Where the hub has this interface."""
        endpoints = self.part.connection.endpoints
        return (endpoints.get((module, interface)) or endpoints[module, None]).rstrip("/")

    def _headers(self, to: Part | None, correlation_id: str, *, has_body: bool) -> dict[str, str]:
        part = self.part
        token = part.connection.token
        headers = {"X-Request-ID": f"r-{correlation_id}", "X-Correlation-ID": correlation_id}
        if part.version is Version.V2_1_1:
            headers["Authorization"] = f"Token {token}"
        else:
            headers["Authorization"] = f"Token {base64.b64encode(token.encode()).decode()}"
            headers["OCPI-from-country-code"], headers["OCPI-from-party-id"] = part.party
            if to is not None:
                headers["OCPI-to-country-code"], headers["OCPI-to-party-id"] = to.party
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers

    def _context(self, to: Part | None, partner: str) -> dict[str, Any]:
        return {
            "partner": partner,
            "peer": EVERYBODY if to is None else str(to.party),
            "version": self.version.value,
            "ocpi_status": None,
            "correlation_id": f"{self.stage.run}-{next(self.stage.numbers)}",
        }

    def _fire(
        self, method: str, name: str, took_ms: float, context: dict[str, Any], error: Exception | None = None
    ) -> None:
        self.environment.events.request.fire(
            request_type=method,
            name=name,
            response_time=took_ms,
            response_length=0,
            response=None,
            context=context,
            exception=error,
            start_time=time.time() - took_ms / 1000,
            url=None,
        )
