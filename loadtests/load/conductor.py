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

from loadtests.load.plan import MEASURED, PLATFORMS, Plan
from loadtests.load.progress import Progress
from loadtests.load.recording import GRACE_S, Recording
from loadtests.load.troupe import BEGIN, ENDED, READY, REPORT

_REGISTERED_WITHIN_S = 60.0
_LONGER_FOR_EACH_S = 0.25
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
        self._clear()
        environment.events.test_start.add_listener(lambda **_: self._wait())
        environment.events.test_stop.add_listener(lambda **_: self._save())
        environment.events.quitting.add_listener(lambda **_: self._save())
        runner.register_message(READY, self._ready)
        runner.register_message(REPORT, lambda msg, **_: self._merge(msg.data))
        runner.register_message(ENDED, lambda **_: self._end_of_one())

    def _clear(self) -> None:
        self._recording = Recording()
        self._ready_ones: dict[str, list[str]] = {}
        self._ended = 0
        self._all_ended = Event()
        self._looks: list[str] = []
        self._is_saved = True  # nothing to save

    def _wait(self) -> None:
        self._clear()
        self._waiting = gevent.spawn_later(
            _REGISTERED_WITHIN_S + self._plan.platforms * _LONGER_FOR_EACH_S, self._give_up, ["it takes too long"]
        )

    def _ready(self, msg: Any, **_: object) -> None:  # noqa: ANN401 - locust's message
        self._ready_ones[msg.node_id] = msg.data["platforms"]
        platforms = [name for names in self._ready_ones.values() for name in names]
        Path(self._plan.folder, PLATFORMS).write_bytes(msgspec.json.encode(platforms))
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
        print(f"not all platforms could register at the hub: {'; '.join(reasons)}", flush=True)  # noqa: T201 - to people
        self._environment.process_exit_code = 1
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
        self._all_ended.wait(shape.duration_s + GRACE_S + _LONGER_S)
        showing.kill()
        self._save()
        (self._runner.stop if self._is_web else self._runner.quit)()

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

    def _save(self) -> None:
        """Write down what was measured, once."""
        if self._is_saved:
            return
        self._is_saved = True
        gevent.sleep(1.1)  # the hub tells its figures every second
        self._look()
        options = self._options
        as_it_was = {"rate": options.rate, "duration_s": options.duration, "shape": options.shape}
        measured = {
            "plan": {**self._plan.plain(), **as_it_was, "platforms": sum(map(len, self._ready_ones.values()))},
            "processes": self._processes,
            "begun_at": self._begun_at.isoformat(),
            "ended_at": datetime.now(UTC).isoformat(),
            "recording": self._recording.plain(),
            "metrics": self._looks,
        }
        Path(self._plan.folder, MEASURED).write_bytes(msgspec.json.encode(measured))
