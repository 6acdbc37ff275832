"""What locust runs: one class of users, whose instances are the platforms, and the two ends of a distributed run.

It is started by `ocpi-hub loadtest`, which writes the plan, and puts its path and the hub's operator token into the
environment.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from locust import User, events, task
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, Runner, WorkerRunner
from locust.web import WebUI

from loadtests.load.conductor import Conductor
from loadtests.load.plan import PLAN_VARIABLE, Plan
from loadtests.load.shapes import SHAPES
from loadtests.load.troupe import Troupe, troupe_of
from loadtests.load.web_form import complaint, style
from loadtests.traffic.users import OcpiUser

PLAN = Plan.load(Path(os.environ[PLAN_VARIABLE]))


class Platform(User):
    """One platform: a CPO or an eMSP, by its number. It acts when something is due, not when it has its last answer."""

    _player: OcpiUser | None = None

    def wait_time(self) -> float:
        """For ever."""
        return 1e9

    def on_start(self) -> None:
        """Register at the hub."""
        self._player = troupe_of(self.environment).joined()

    def on_stop(self) -> None:
        """Be told nothing any more."""
        if self._player is not None:
            troupe_of(self.environment).leave(self._player)

    @task
    def rest(self) -> None:
        """Nothing: `Arrivals` says what to do."""
        self.wait()  # type: ignore[no-untyped-call]  # locust says nothing of it


def _options(parser: ArgumentParser) -> None:
    """Not in a group of their own: of those the web pages do not know."""
    parser.add_argument("--shape", choices=list(SHAPES), default=PLAN.shape, help="How the rate changes")
    parser.add_argument("--rate", type=float, default=PLAN.rate, help="Highest rate, in actions a second")
    parser.add_argument("--duration", type=float, default=PLAN.duration_s, help="In seconds, once all have registered")


def _begin(environment: Environment, runner: Any, web_ui: WebUI | None, **_: Any) -> None:  # noqa: ANN401 - as locust calls it
    if not isinstance(runner, MasterRunner):
        Troupe(environment, runner, PLAN)
    if not isinstance(runner, WorkerRunner):
        Conductor(environment, runner, PLAN, web_ui)
    if web_ui is not None and web_ui.app is not None:
        _fit(web_ui.app, runner)


def _fit(app: Flask, runner: Runner) -> None:
    """Have the web pages offer what can be chosen, and say why not where something cannot be."""

    def refuse() -> dict[str, Any] | None:
        if request.method != "POST" or request.path != "/swarm":
            return None
        said = (
            "a run is under way; stop it first"
            if runner.state in {STATE_RUNNING, STATE_SPAWNING}
            else complaint(
                request.form,
                platforms=PLAN.platforms,
                has_names=bool(PLAN.parts),
                fewest=PLAN.fewest,
                url=PLAN.operator_url,
            )
        )
        return None if said is None else {"success": False, "message": said}

    def dress(response: Response) -> Response:
        if request.path == "/":
            text = response.get_data(as_text=True)
            response.set_data(text.replace("</head>", f"{style(has_names=bool(PLAN.parts))}</head>"))
        return response

    app.before_request(refuse)
    app.after_request(dress)


events.init_command_line_parser.add_listener(_options)
events.init.add_listener(_begin)
