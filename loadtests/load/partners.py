"""Who the platforms of a load test are where an operator names them, and what answers for them."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.hub_process import Invitation, Operator
from loadtests.inviting import Inviting
from loadtests.load.plan import LOOPBACK, Part, Plan
from loadtests.load.targets import check_target
from loadtests.simulator.server import free_port
from loadtests.traffic import cast
from loadtests.traffic.simulator_process import Connection, Platform, SimulatorProcess
from routing.vocabulary import Party, Role, Version

_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - a hub on another machine has to reach us


class NamedCast(cast.Cast):
    """Parties with names: those we play, and those somebody else plays, who are only talked to."""

    def __init__(self, parts: Sequence[Part], peers: Sequence[Part], seed: int) -> None:
        super().__init__(seed=seed)
        self._waiting = {
            role: [part.named for part in parts if part.role is role and part.named is not None]
            for role in self.playing
        }
        for peer in peers:
            if peer.named is not None:
                self._enter_peer(peer, peer.named)

    def new_party(self, role: Role) -> Party:
        """The next one with this role."""
        return self._waiting[role].pop(0)

    def _enter_peer(self, peer: Part, party: Party) -> None:
        """Its stations and cards are made up: it has to take what it does not know for what it is."""
        played = cast.Part(peer.role, peer.version, party, Platform(-1, ""), Connection("", {}, []))
        self.equip(played)
        self.enter(played)


class CheckedInviting(Inviting):
    """Invitations to a hub whose partners' side is somewhere that may be put under load."""

    def __init__(self, operator: Operator, owned: Sequence[str]) -> None:
        super().__init__(operator)
        self._owned = owned

    def invite(self, name: str, role: Role, version: Version) -> Invitation:
        """See `Inviting.invite`. Raises TargetRefused."""
        invitation = super().invite(name, role, version)
        check_target(invitation.versions_url, self._owned)
        return invitation


def simulated_partners(plan: Plan) -> SimulatorProcess:
    """What the hub reaches when it calls the partners we play."""
    if plan.address == LOOPBACK:
        return SimulatorProcess.started(profile=plan.profile, seed=plan.seed)
    port = free_port()
    origin = f"http://{plan.address}:{port}"
    return SimulatorProcess.started(profile=plan.profile, seed=plan.seed, host=_EVERY_ADDRESS, port=port, origin=origin)
