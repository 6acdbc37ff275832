"""How a process itself does: what it has in hand, how late it is, and whether it should get messages."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge


class Vitals:
    """What says whether there are enough processes, and whether each of them is well."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._in_flight = Gauge(
            "ocpi_hub_messages_inflight",
            "Messages of partners that are being handled.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._lag = Gauge(
            "ocpi_hub_event_loop_lag_seconds",
            "By how much a process was late at worst within the last 15 seconds, looked at once a second.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._tasks = Gauge(
            "ocpi_hub_tasks",
            "Tasks of the event loops.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._ready = Gauge(
            "ocpi_hub_ready",
            "1 while /readyz answers 200.",
            registry=registry,
            multiprocess_mode="livemax",
        )

    def in_flight(self, messages: int) -> None:
        """Say how many messages are being handled."""
        self._in_flight.set(messages)

    def tasks(self, tasks: int) -> None:
        """Say how many tasks the event loop of this process has."""
        self._tasks.set(tasks)

    def lag(self, seconds: float) -> None:
        """Say how late the process was at worst of late."""
        self._lag.set(seconds)

    def ready(self, *, ready: bool) -> None:
        """Say whether the hub should get messages."""
        self._ready.set(ready)
