"""The end of a run that knows all of it: when it begins, how it goes, and what it was."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import gevent
import httpx
import msgspec
from gevent.event import Event
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner
from locust.web import WebUI

from loadtests.load.plan import LOOPBACK, MEASURED, PLATFORMS, Plan
from loadtests.load.progress import Progress
from loadtests.load.recording import GRACE_S, Recording
from loadtests.load.troupe import BEGIN, ENDED, INVITED, READY, REPORT

_REGISTERED_WITHIN_S = 60.0
_LONGER_FOR_EACH_S = 0.25
_MOMENT_S = 0.5
"""Answers come as soon as that mostly: then there is nothing to say about waiting."""
_LONGER_S = 15.0
"""So long after its end is waited for processes of a run that do not say they have ended."""


class Conductor:
    """Waits until all platforms have registered, begins, shows how it goes, ends, and writes down what was measured."""

    def __init__(
        self, environment: Environment, runner: LocalRunner | MasterRunner, plan: Plan, web_ui: WebUI | None
    ) -> None:
        """From now on it follows what happens in this environment."""
        self._environment = environment
        self._runner = runner
        self._plan = plan
        self._is_web = web_ui is not None
        self._invited: list[str] = []
        self._clear()
        environment.events.test_start.add_listener(lambda **_: self._wait())
        environment.events.test_stop.add_listener(lambda **_: self._save())
        environment.events.quitting.add_listener(lambda **_: self._quit())
        runner.register_message(INVITED, lambda msg, **_: self._invited.append(msg.data["name"]))
        runner.register_message(READY, self._ready)
        runner.register_message(REPORT, lambda msg, **_: self._merge(msg.data))
        runner.register_message(ENDED, lambda **_: self._end_of_one())

    def _clear(self) -> None:
        self._recording = Recording()
        self._ready_ones: dict[str, dict[str, str]] = {}  # by process, what each party plays
        self._ended = 0
        self._all_ended = Event()
        self._looks: list[str] = []
        self._is_saved = True  # nothing to save
        self._is_over = False

    def _wait(self) -> None:
        self._clear()
        self._waiting = gevent.spawn_later(
            _REGISTERED_WITHIN_S + self._plan.platforms * _LONGER_FOR_EACH_S, self._give_up, ["it takes too long"]
        )

    def _ready(self, msg: Any, **_: object) -> None:  # noqa: ANN401 - locust's message
        self._ready_ones[msg.node_id] = msg.data["players"]
        self._note_invited()
        if msg.data["absent"]:
            self._give_up(msg.data["absent"])
            return
        if len(self._ready_ones) == self._processes:
            self._waiting.kill(block=False)
            gevent.spawn(self._run)

    @property
    def _processes(self) -> int:
        return self._runner.worker_count if isinstance(self._runner, MasterRunner) else 1

    def _give_up(self, reasons: list[str]) -> None:
        """Without everybody a run would say nothing."""
        self._waiting.kill(block=False)
        said = f"not all platforms could register at the hub: {'; '.join(reasons)}"
        if self._plan.address != LOOPBACK:
            said += f" (it was to reach them at {self._plan.address}, as --address says)"
        if self._is_web:
            print(said, flush=True)  # noqa: T201 - to people, who can begin another run
        else:
            Path(self._plan.folder, MEASURED).write_bytes(msgspec.json.encode({"failed": said}))
        gevent.spawn(self._runner.stop if self._is_web else self._runner.quit)

    def _run(self) -> None:
        options = self._options
        shape = self._plan.arrivals(options.rate, options.duration, options.shape)
        self._is_saved = False
        self._begun_at = datetime.now(UTC)
        self._look()
        total = sum(map(len, self._ready_ones.values()))
        for process, joined in self._ready_ones.items():
            order = {
                "rate": options.rate,
                "duration_s": options.duration,
                "shape": options.shape,
                "share": len(joined) / total,
            }
            self._runner.send_message(BEGIN, order, process if isinstance(self._runner, MasterRunner) else None)
        progress = Progress(self._recording, shape)
        showing = gevent.spawn(progress.show, monotonic())
        self._wait_for_end(shape.duration_s)
        showing.kill()
        self._is_over = True
        self._save()
        (self._runner.stop if self._is_web else self._runner.quit)()

    def _wait_for_end(self, duration_s: float) -> None:
        if self._all_ended.wait(duration_s + _MOMENT_S):
            return
        print(f"waiting {GRACE_S:g} s at most for answers and results of commands", flush=True)  # noqa: T201 - to people
        self._all_ended.wait(GRACE_S + _LONGER_S)

    @property
    def _options(self) -> Namespace:
        """As they are now: the web pages can change them."""
        return self._environment.parsed_options or Namespace()

    def _merge(self, report: dict[str, Any]) -> None:
        self._recording.merge(Recording.read(report))

    def _end_of_one(self) -> None:
        self._ended += 1
        if self._ended == self._processes:
            self._all_ended.set()

    def _look(self) -> None:
        """At the hub's own figures; one that shows none leaves them out of the report."""
        try:
            answer = httpx.get(f"{self._plan.operator_url}/metrics", trust_env=False, timeout=10)
            self._looks.append(answer.text if answer.is_success else "")
        except httpx.HTTPError:
            self._looks.append("")

    def _quit(self) -> None:
        self._note_invited()
        self._save()

    def _note_invited(self) -> None:
        """Whom to remove from the hub, whatever becomes of the run."""
        Path(self._plan.folder, PLATFORMS).write_bytes(msgspec.json.encode(self._invited))

    def _save(self) -> None:
        """Write down what was measured, once."""
        if self._is_saved:
            return
        self._is_saved = True
        ended_at = datetime.now(UTC)
        cut_short_s = None if self._is_over else (ended_at - self._begun_at).total_seconds()
        gevent.sleep(1.1)  # the hub tells its figures every second
        self._look()
        options = self._options
        as_it_was = {"rate": options.rate, "duration_s": options.duration, "shape": options.shape}
        measured = {
            "plan": {**self._plan.plain(), **as_it_was, "platforms": sum(map(len, self._ready_ones.values()))},
            "processes": self._processes,
            "begun_at": self._begun_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "cut_short_s": cut_short_s,
            "players": {party: plays for joined in self._ready_ones.values() for party, plays in joined.items()},
            "recording": self._recording.plain(),
            "metrics": self._looks,
        }
        Path(self._plan.folder, MEASURED).write_bytes(msgspec.json.encode(measured))
