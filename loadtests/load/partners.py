"""Who the platforms of a load test are where an operator names them, and what answers for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from loadtests.hub_process import Invitation, Operator
from loadtests.inviting import LOAD_TEST, Inviting
from loadtests.load.plan import LOOPBACK, PARTIES_OF_A_PROCESS, Part, Plan
from loadtests.load.targets import check_target
from loadtests.simulator.server import free_port
from loadtests.traffic import cast
from loadtests.traffic.simulator_process import Connection, Platform, SimulatorProcess
from routing.vocabulary import Party, Role, Version

_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - a hub on another machine has to reach us


class FreeCast(cast.Cast):
    """Numbered parties of one process, without those that somebody else is."""

    def __init__(self, first_party: int, seed: int, taken: Collection[str]) -> None:
        super().__init__(first_party, seed)
        self._taken = taken

    def new_party(self, role: Role) -> Party:
        """The next one with this role."""
        while str(party := super().new_party(role)) in self._taken:
            pass
        return party


def senders(plan: Plan, processes: int, taken: Collection[str]) -> set[str]:
    """Parties that this run plays."""
    if plan.parts:
        return {str(part.named) for part in plan.parts}
    each = -(-plan.platforms // processes)
    casts = [FreeCast(process * PARTIES_OF_A_PROCESS, plan.seed, taken) for process in range(processes)]
    return {str(played.new_party(plan.part(number).role)) for played in casts for number in range(each)}


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
    """Invitations to a hub whose partners' side is somewhere that may be put under load; `noted` hears of each."""

    def __init__(self, operator: Operator, owned: Sequence[str], noted: Callable[[str], None]) -> None:
        super().__init__(operator, LOAD_TEST)
        self._owned = owned
        self._noted = noted

    def name(self, party: Party, role: Role) -> str:  # noqa: ARG002 - of a simulation there is one for each role
        """What the platform of this party is called: the next time it may play the other role."""
        return f"{LOAD_TEST} {party}"

    def invite(self, name: str, role: Role, version: Version) -> Invitation:
        """See `Inviting.invite`. Raises TargetRefused."""
        invitation = super().invite(name, role, version)
        self._noted(name)
        check_target(invitation.versions_url, self._owned)
        return invitation


def simulated_partners(plan: Plan) -> SimulatorProcess:
    """What the hub reaches when it calls the partners we play."""
    if plan.address == LOOPBACK:
        return SimulatorProcess.started(profile=plan.profile, seed=plan.seed)
    port = free_port()
    origin = f"http://{plan.address}:{port}"
    return SimulatorProcess.started(profile=plan.profile, seed=plan.seed, host=_EVERY_ADDRESS, port=port, origin=origin)
