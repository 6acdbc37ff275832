"""The parts of a running hub, in one value. `hub.app` builds it, everything else gets it as an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.knowledge import Knowledge
from hub.limits import Limits
from hub.listener.drain import Drain
from hub.losses import Losses
from hub.observability import Metrics
from hub.one_at_a_time import OneAtATime
from hub.partners.client import PartnerClient
from hub.presence import Presence
from hub.registration import Registrar
from hub.settings import Settings
from hub.store.live_directory import LiveDirectory
from hub.store.losses import LossCounts
from hub.store.platforms import Platforms
from hub.store.return_addresses import ReturnAddresses
from hub.store.vault import Vault
from routing.vocabulary import Party


@dataclass(frozen=True, slots=True)
class Hub:
    """What one exchange may touch. `directory.snapshot` is the directory of this moment."""

    settings: Settings
    directory: LiveDirectory
    platforms: Platforms
    return_addresses: ReturnAddresses
    partners: PartnerClient
    vault: Vault
    registrar: Registrar
    presence: Presence
    knowledge: Knowledge
    losses: Losses
    loss_counts: LossCounts
    limits: Limits
    metrics: Metrics
    drain: Drain
    one_at_a_time: OneAtATime = field(default_factory=OneAtATime)
    problems_elsewhere: Callable[[], list[str]] = list
    """What is wrong with other processes of this hub; part of whether it is ready."""
    party: Party = field(init=False)
    """The hub's own country code and party id."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "party", self.settings.hub_party)
