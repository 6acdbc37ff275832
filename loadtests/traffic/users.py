"""A locust user that is a platform of OCPI."""

from __future__ import annotations

from locust import task
from locust.contrib.fasthttp import FastHttpUser

from routing.vocabulary import Role, Version


class OcpiUser(FastHttpUser):
    """One platform with one party.

    `on_start` registers at the hub, or takes up a part that a user before it left, with new credentials.
    `do(action)` sends one message, whatever `wait_time` there is: it may be called from several greenlets at once.
    """

    abstract = True
    role: Role
    version: Version

    @task
    def act(self) -> None:
        """One message of the day."""
        self.do(self.chosen())

    def chosen(self) -> str:
        """What to say next, by the day's weights."""
        raise NotImplementedError

    def do(self, action: str) -> bool:
        """Send one message; False when there is nothing to say yet, for want of somebody to say it to."""
        raise NotImplementedError

    def reconnect(self) -> None:
        """Read the hub's versions and give it new credentials, as after a fall of the whole network."""
        raise NotImplementedError
