"""Invitations for simulated partners, again and again: who was there in an earlier run is let in anew.

Those of a simulation and those of a load test have different names, so that neither takes the other's for its own.
"""

from __future__ import annotations

import threading

from loadtests.hub_process import Invitation, Operator
from loadtests.simulator import Json
from routing.vocabulary import Party, Role, Version

SIMULATED, LOAD_TEST = "Simulated", "Load test"
"""What the names of their platforms begin with: nobody else's registration is ever ended."""


def platform_name(mark: str, party: Party, role: Role) -> str:
    """What the platform of a simulated partner is called."""
    return f"{mark} {role} {party}"


class Inviting:
    """What an operator does before partners can register. May be used from several threads."""

    def __init__(self, operator: Operator, mark: str = SIMULATED) -> None:
        """Platforms whose names begin with `mark` are those that may begin anew."""
        self._operator = operator
        self._mark = mark
        self._lock = threading.Lock()
        self._known: dict[str, str] | None = None

    def name(self, party: Party, role: Role) -> str:
        """What the platform of this partner is called."""
        return platform_name(self._mark, party, role)

    def invite(self, name: str, role: Role, version: Version) -> Invitation:
        """An invitation for a platform of this name, which is a new one or begins anew. Raises HubFailed."""
        face = role if version is Version.V2_1_1 else None
        platform_id = self._ids().get(name)
        if platform_id is None:
            return self._operator.invite(name, face=face)
        self._operator.ask("DELETE", f"/api/v1/platforms/{platform_id}")
        body: Json = {} if face is None else {"face": face.value}
        invited = self._operator.ask("POST", f"/api/v1/platforms/{platform_id}/invite", json=body)
        return Invitation(platform_id, invited["token_a"], invited["versions_url"])

    def _ids(self) -> dict[str, str]:
        with self._lock:
            if self._known is None:
                self._known = self._listed()
            return self._known

    def _listed(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = self._operator.ask(
                "GET", "/api/v1/platforms", params={"limit": "200", **({"cursor": cursor} if cursor else {})}
            )
            found |= {each["name"]: each["id"] for each in page["items"] if each["name"].startswith(f"{self._mark} ")}
            if page["next_cursor"] is None:
                return found
            cursor = page["next_cursor"]
