"""The parts of a running hub, in one value. `hub.parts` builds it, everything else gets it as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hub.amplification import Amplification
from hub.circuits import Circuits
from hub.delivery_line import DeliveryLine
from hub.events import Events
from hub.figures import Figures
from hub.first_pushes import FirstPushes
from hub.journal import Journal
from hub.knowledge import Knowledge
from hub.lead import Lead
from hub.limits import Limits
from hub.list_counts import ListCounts
from hub.listener.drain import Drain
from hub.listener.workers import Workers
from hub.live import Live
from hub.loops import Loops
from hub.losses import Losses
from hub.missed_broadcasts import MissedBroadcasts
from hub.observability import Metrics
from hub.one_at_a_time import OneAtATime
from hub.partners.client import PartnerClient
from hub.passages import Passages
from hub.presence import Presence
from hub.registration import Initiator, Registrar, Steps
from hub.settings import VAR_DIR, Settings
from hub.snapshots import Snapshots
from hub.spools import Spools
from hub.store.accepted_broadcasts import AcceptedBroadcasts
from hub.store.agreements import KeptAgreements
from hub.store.audit import AuditLog
from hub.store.callback_posts import CallbackPosts
from hub.store.console_sessions import ConsoleSessions
from hub.store.events import EventRows
from hub.store.journal import JournalStore
from hub.store.journal_reads import JournalReads
from hub.store.live_directory import LiveDirectory
from hub.store.losses import LossCounts
from hub.store.operator_tokens import OperatorTokens
from hub.store.parties import Parties
from hub.store.platforms import Platforms
from hub.store.reachability import Reachability
from hub.store.registration_steps import RegistrationSteps
from hub.store.remote_parties import RemoteParties
from hub.store.return_addresses import ReturnAddresses
from hub.store.running_sessions import RunningSessions
from hub.store.shown_ids import ShownIds
from hub.store.telling_marks import TellingMarks
from hub.store.told_lately import ToldLately
from hub.store.vault import Vault
from hub.store.wanted_probes import WantedProbes
from routing.open_routing import Rules
from routing.vocabulary import Party

if TYPE_CHECKING:
    from hub.open_telemetry import Spans


@dataclass(frozen=True, slots=True)
class Hub:
    """What one exchange may touch. `directory.snapshot` is the directory of this moment."""

    settings: Settings
    directory: LiveDirectory
    platforms: Platforms
    parties: Parties
    remote_parties: RemoteParties
    agreements: KeptAgreements
    loops: Loops
    return_addresses: ReturnAddresses
    shown_ids: ShownIds
    partners: PartnerClient
    circuits: Circuits
    vault: Vault
    registrar: Registrar
    initiator: Initiator
    steps: Steps
    registration_steps: RegistrationSteps
    presence: Presence
    wanted_probes: WantedProbes
    reachability: Reachability
    knowledge: Knowledge
    losses: Losses
    figures: Figures
    live: Live
    journal: Journal
    journal_store: JournalStore
    journal_reads: JournalReads
    loss_counts: LossCounts
    limits: Limits
    metrics: Metrics
    events: Events
    event_rows: EventRows
    audit: AuditLog
    operator_tokens: OperatorTokens
    console_sessions: ConsoleSessions
    running_sessions: RunningSessions
    missed_broadcasts: MissedBroadcasts
    lead: Lead
    telling_marks: TellingMarks
    told_lately: ToldLately
    amplification: Amplification
    drain: Drain
    accepted_broadcasts: AcceptedBroadcasts
    callback_posts: CallbackPosts = field(default_factory=CallbackPosts)
    line: DeliveryLine = field(default_factory=DeliveryLine)
    """Where deliveries of broadcasts wait."""
    snapshots: Snapshots = field(default_factory=Snapshots)
    """Where the readers of lists of everybody's are."""
    spools: Spools = field(default_factory=lambda: Spools(VAR_DIR / "spool"))
    """Lists that had to be read as a whole."""
    list_counts: ListCounts = field(default_factory=ListCounts)
    one_at_a_time: OneAtATime = field(default_factory=OneAtATime)
    passages: Passages = field(default_factory=Passages)
    first_pushes: FirstPushes = field(default_factory=FirstPushes)
    spans: Spans | None = None
    """Where an OpenTelemetry collector is to hear of messages."""
    rules: Rules = field(init=False)
    """What the operator decided about messages that name no receiver."""
    workers: Workers | None = None
    """The processes of the partner listener, in the process that looks after them."""
    party: Party = field(init=False)
    """The hub's own country code and party id."""

    def __post_init__(self) -> None:
        settings = self.settings
        object.__setattr__(self, "party", settings.hub_party)
        rules = Rules(open_broadcast=settings.open_broadcast, authorize_fanout=settings.authorize_fanout)
        object.__setattr__(self, "rules", rules)
