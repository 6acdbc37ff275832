"""How a user hears that the run is over. It loads gevent and not locust, which would patch whoever imports it."""

from __future__ import annotations

from gevent import GreenletExit


class RunOver(GreenletExit):
    """What ends a greenlet that still waits for an answer; locust ends them with its own, and nothing is said then."""
