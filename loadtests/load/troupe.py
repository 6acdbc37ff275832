"""The platforms of one process of a load test: who plays, what each is told to do, and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from os import environ
from random import Random
from typing import Any, Final

import gevent
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.runners import LocalRunner, WorkerRunner

from loadtests.hub_process import Operator
from loadtests.load.arrivals import Arrivals
from loadtests.load.cpu import CpuShare
from loadtests.load.hubs import taken_parties
from loadtests.load.partners import CheckedInviting, FreeCast, NamedCast, simulated_partners
from loadtests.load.plan import PARTIES_OF_A_PROCESS, TOKEN_VARIABLE, Plan
from loadtests.load.recording import EVERYBODY, GRACE_S, NO_RESULT, RATE_LIMITED, UNANSWERED, Kind, Recording, Sample
from loadtests.traffic.cpo import Cpo211, Cpo221, Cpo230
from loadtests.traffic.day import DAY
from loadtests.traffic.emsp import Emsp211, Emsp221, Emsp230
from loadtests.traffic.stage import Stage, close_stage, open_stage
from loadtests.traffic.users import EVERYBODY as TO_EVERYBODY
from loadtests.traffic.users import OcpiUser, Refused, Unanswered
from routing.vocabulary import Role

INVITED, READY, BEGIN, REPORT, ENDED = "ocpi_invited", "ocpi_ready", "ocpi_begin", "ocpi_report", "ocpi_ended"
"""What the processes of a run say to each other, besides what locust's say."""
_REGISTERING_AT_ONCE = 8
_REPORT_EVERY_S = 1.0
_LOOK_EVERY_S = 0.05
_TOO_MANY = 429
_PLAYERS: Final = {(each.role, each.version): each for each in (Cpo211, Cpo221, Cpo230, Emsp211, Emsp221, Emsp230)}
_TROUPES: Final[dict[int, Troupe]] = {}
_log = logging.getLogger(__name__)


def troupe_of(environment: Environment) -> Troupe:
    """The platforms of this process."""
    return _TROUPES[id(environment)]


class Troupe:
    """All platforms of this process. It tells the conductor when they are there, plays when told to, and reports."""

    def __init__(self, environment: Environment, runner: LocalRunner | WorkerRunner, plan: Plan) -> None:
        """From now on it follows what happens in this environment."""
        _TROUPES[id(environment)] = self
        self._environment = environment
        self._runner = runner
        self._plan = plan
        self._stage: Stage | None = None
        self._door = BoundedSemaphore(_REGISTERING_AT_ONCE)
        self._cpu = CpuShare()
        self._clear()
        environment.events.test_start.add_listener(self._open)
        environment.events.spawning_complete.add_listener(lambda **_: gevent.spawn(self._say_ready))
        environment.events.request.add_listener(self._heard)
        environment.events.test_stop.add_listener(lambda **_: self._stop())
        environment.events.quitting.add_listener(lambda **_: self._close())
        runner.register_message(BEGIN, self._begin)

    # --- who is there

    def joined(self) -> OcpiUser:
        """The next platform, registered. Raises what its registration raised."""
        part = self._plan.part(self._next, self._runner.worker_index)
        self._next += 1
        try:
            player = _PLAYERS[(part.role, part.version)](self._environment)
            with self._door:
                player.on_start()
        except Exception as error:
            self._absent.append(f"{part.role} {part.version}: {error.__cause__ or error}")
            raise
        self._present[part.role].append(player)
        return player

    def leave(self, player: OcpiUser) -> None:
        """This platform does nothing any more."""
        self._present[player.role].remove(player)
        player.on_stop()

    def everybody(self) -> Sequence[OcpiUser]:
        """All who are there."""
        return [player for players in self._present.values() for player in players]

    def drawn(self, luck: Random) -> tuple[OcpiUser, str] | None:
        """Somebody, and what to say: as often as in a day of those roles that are there."""
        lines = [line for line in DAY if self._present[line.role]]
        if not lines:
            return None
        [line] = luck.choices(lines, [line.weight for line in lines])
        return luck.choice(self._present[line.role]), line.action

    # --- the run

    def _clear(self) -> None:
        self._present: dict[Role, list[OcpiUser]] = {Role.CPO: [], Role.EMSP: []}
        self._absent: list[str] = []
        self._next = 0
        self._arrivals: Arrivals | None = None
        self._playing: gevent.Greenlet[..., None] | None = None

    def _open(self, **_: object) -> None:
        self._clear()
        if self._stage is None:
            plan, process = self._plan, self._runner.worker_index
            first_party = process * PARTIES_OF_A_PROCESS
            operator = Operator(plan.operator_url, environ[TOKEN_VARIABLE])
            cast = (
                NamedCast(plan.parts, plan.peers, plan.seed)
                if plan.parts
                else FreeCast(first_party, plan.seed, taken_parties(operator))
            )
            self._stage = stage = open_stage(
                self._environment, operator, simulator=simulated_partners(plan), first_party=first_party, seed=plan.seed
            )
            stage.inviting, stage.cast = CheckedInviting(operator, plan.owned, self._say_invited), cast

    def _say_invited(self, name: str) -> None:
        self._runner.send_message(INVITED, {"name": name})

    def _say_ready(self) -> None:
        """Once everybody has registered, or has failed to."""
        while len(self.everybody()) + len(self._absent) < self._runner.target_user_count:
            gevent.sleep(_LOOK_EVERY_S)
        players = {str(player.part.party): f"{player.role} {player.version}" for player in self.everybody()}
        self._runner.send_message(READY, {"players": players, "absent": self._absent[:3]})

    def _begin(self, msg: Any, **_: object) -> None:  # noqa: ANN401 - locust's message
        self._playing = gevent.spawn(self._play, msg.data)

    def _play(self, order: dict[str, Any]) -> None:
        shape = self._plan.arrivals(order["rate"], order["duration_s"], order["shape"])
        luck = Random(f"{self._plan.seed} {self._runner.worker_index}")  # noqa: S311 - traffic, not secrets
        arrivals = self._arrivals = Arrivals(shape, order["share"], self, Recording(), luck)
        self._cpu.begin([] if self._stage is None else [self._stage.simulator.pid])
        reporting = gevent.spawn(self._report_on, arrivals)
        try:
            arrivals.run(GRACE_S)
            while arrivals.now_s < shape.duration_s + GRACE_S and any(each.is_waiting for each in self.everybody()):
                gevent.sleep(_LOOK_EVERY_S)
        finally:
            for player in self.everybody():
                player.give_up()
            reporting.kill()
            self._arrivals = None
            self._report(arrivals)
            self._runner.send_message(ENDED, None)

    def _report_on(self, arrivals: Arrivals) -> None:
        while True:
            gevent.sleep(_REPORT_EVERY_S)
            self._report(arrivals)

    def _report(self, arrivals: Arrivals) -> None:
        """Say what has come in since the report before."""
        recording, arrivals.recording = arrivals.recording, Recording()
        recording.cpu = self._cpu.taken(f"process {self._runner.worker_index}")
        self._runner.send_message(REPORT, recording.plain())

    def _heard(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float,
        exception: BaseException | None,
        context: dict[str, Any],
        response: object = None,
        **_: object,
    ) -> None:
        """One message was answered, or was not. What is said before the run begins is no part of it."""
        arrivals = self._arrivals
        if arrivals is None or "partner" not in context:
            return
        is_result = request_type == "CALLBACK"
        sample = Sample(
            Kind(name, is_result),
            context["partner"],
            EVERYBODY if context.get("peer") == TO_EVERYBODY else context.get("peer"),
            response_time or 0.0,
            0.0 if is_result else arrivals.take_lateness_ms(),
            (NO_RESULT if is_result else UNANSWERED)
            if isinstance(exception, Unanswered)
            else _outcome(context.get("ocpi_status"), exception, response),
            exception is not None,
        )
        arrivals.recording.add(arrivals.now_s, sample)

    def _stop(self) -> None:
        """Before the time: by hand."""
        if self._playing is not None and self._playing is not gevent.getcurrent():
            self._playing.kill(block=False)

    def _close(self) -> None:
        if self._stage is not None:
            self._stage = None
            close_stage(self._environment)


def _outcome(ocpi_status: int | None, exception: BaseException | None, response: object) -> str:
    """The OCPI status; without one what there is instead. Of each kind of failure always the same words."""
    if getattr(response, "status_code", 0) == _TOO_MANY:
        return RATE_LIMITED
    if ocpi_status is not None:
        return str(ocpi_status)
    if isinstance(exception, Refused):
        return str(exception)
    status = getattr(response, "status_code", 0)
    if status:
        return f"HTTP {status}"
    return "ACCEPTED" if exception is None else type(exception).__name__
