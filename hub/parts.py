"""Builds every part of a hub, starts it, and stops it in the end. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from hub.amplification import Amplification
from hub.broadcasts import broadcasting
from hub.circuits import Circuits, Sharing
from hub.command_timeouts import command_timeouts
from hub.events import Events
from hub.figures import FORM, Figures, ProcessState
from hub.hub import Hub
from hub.ids import new_id
from hub.journal import Journal
from hub.knowledge import Knowledge
from hub.lead import Lead
from hub.limits import Limits
from hub.listener.drain import Drain
from hub.listener.workers import Workers
from hub.live import FORM as LIVE_FORM
from hub.live import Live
from hub.loops import Loops
from hub.losses import Losses
from hub.missed_broadcasts import MissedBroadcasts
from hub.observability import Metrics
from hub.partners.client import PartnerClient
from hub.presence import NOTE_EVERY_S, Presence
from hub.pulse import pulse
from hub.registration import HubSide, Initiator, Registrar, Steps
from hub.settings import Settings
from hub.snapshots import Snapshots
from hub.spools import Spools
from hub.store.accepted_broadcasts import AcceptedBroadcasts
from hub.store.agreements import KeptAgreements
from hub.store.audit import AuditLog
from hub.store.broadcast_stream import BroadcastStream
from hub.store.callback_posts import CallbackPosts
from hub.store.console_sessions import ConsoleSessions
from hub.store.database import Database
from hub.store.events import EventRows
from hub.store.journal import JournalStore
from hub.store.journal_reads import JournalReads
from hub.store.learned import Learned
from hub.store.leases import Lease
from hub.store.list_snapshots import ListSnapshots
from hub.store.live_directory import LiveDirectory
from hub.store.losses import LossCounts
from hub.store.operator_tokens import OperatorTokens
from hub.store.parties import Parties
from hub.store.platforms import Platforms
from hub.store.reachability import Reachability
from hub.store.redis import open_redis
from hub.store.registration_steps import RegistrationSteps
from hub.store.remote_parties import RemoteParties
from hub.store.return_addresses import ReturnAddresses
from hub.store.running_sessions import RunningSessions
from hub.store.shared_buckets import SharedBuckets
from hub.store.shared_circuits import SharedCircuits
from hub.store.shared_figures import SharedFigures
from hub.store.shared_live import SharedLive
from hub.store.shown_ids import ShownIds
from hub.store.telling_marks import TellingMarks
from hub.store.terms import Terms
from hub.store.told_lately import ToldLately
from hub.store.under_way import MessagesUnderWay
from hub.store.vault import Vault
from hub.store.wanted_probes import WantedProbes
from routing.vocabulary import Party

if TYPE_CHECKING:
    from hub.open_telemetry import Spans


@asynccontextmanager
async def running_hub(settings: Settings, drain: Drain, workers: Workers | None = None) -> AsyncIterator[Hub]:
    """The parts of a hub, started; stopped in the opposite order at the end."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        redis = None
        if settings.redis_url is not None:
            redis = open_redis(settings.redis_url)
            stack.push_async_callback(redis.aclose)
        vault = Vault(settings.secret_key, settings.other_secret_key)
        event_rows = EventRows(database)
        events = Events(event_rows)
        directory = LiveDirectory(database, vault, redis, events.server_away, rules=settings.agreement_rules)
        partners = PartnerClient(own_ports=(settings.port, settings.operator_port))
        stack.push_async_callback(partners.close)
        platforms = Platforms(database, vault, directory, settings.hub_party)
        registration_steps = RegistrationSteps(database)
        steps = Steps(registration_steps)
        side = HubSide(
            settings=settings,
            directory=directory,
            platforms=platforms,
            partners=partners,
            vault=vault,
            events=events,
            steps=steps,
        )
        spans = None if settings.traces_url is None else await _spans(settings.traces_url, settings.traces_ratio, stack)
        metrics, loss_counts = Metrics(), LossCounts(database)
        stack.callback(metrics.close)
        losses = Losses(loss_counts, metrics)
        amplification = Amplification(metrics, events)
        stack.callback(amplification.close)
        await directory.start()
        stack.push_async_callback(directory.stop)
        wanted_probes = WantedProbes(redis, directory.identity)
        presence = Presence(platforms, wanted_probes, note_every_s=min(NOTE_EVERY_S, settings.alive_after_s / 4))
        knowledge = Knowledge(Learned(database, vault, redis), directory)
        journal_store = JournalStore(database, vault, keep_days=settings.journal_days)
        shared_figures = None if redis is None else SharedFigures(redis, directory.identity, FORM)

        def state() -> ProcessState:
            revision, age_s = directory.snapshot.revision, round(directory.age_s, 1)
            return ProcessState(revision, age_s, journal.waiting, journal.dropped, drain.is_draining)

        def agreed(one: str, other: str) -> str | None:
            agreements = directory.snapshot.agreements
            if not agreements.live:
                return None
            agreement = agreements.between(*(Party.read(each[:2], each[3:]) for each in (one, other)))
            return None if agreement is None or agreement.ended_at is not None else agreement.id

        figures = Figures(new_id(), shared_figures, in_flight=partners.under_way, state=state, agreed=agreed)
        live = Live(new_id(), None if redis is None else SharedLive(redis, directory.identity, LIVE_FORM))
        drain.on_begin(live.end)
        journal = Journal(journal_store, vault, metrics, events, readers=(figures.note, live.note))
        stack.push_async_callback(live.stop)
        stack.push_async_callback(figures.stop)
        stack.push_async_callback(
            _at_once, presence.close, knowledge.stop, losses.close, journal.close, events.close, steps.close
        )
        events.start()
        steps.start()
        presence.start()
        losses.start()
        journal.start()
        figures.start()
        live.start(journal.make_rows)
        await knowledge.start()
        shown_ids = ShownIds(database, told=events.id_taken)
        stack.push_async_callback(shown_ids.close)
        spools = Spools(settings.var_dir / "spool")
        stack.push_async_callback(spools.close)
        limits = Limits(settings.rate_limit)
        if redis is not None:
            shared_buckets = SharedBuckets(redis, directory.identity, limits.buckets)
            shared_buckets.start()
            stack.push_async_callback(shared_buckets.stop)
        circuits = Circuits(
            partners=partners,
            directory=directory,
            events=events,
            metrics=metrics,
            check_soon=presence.check_soon,
            connect_timeout_s=settings.connect_timeout_s,
            allow_private=settings.allow_private_partners,
            sharing=Sharing(None if redis is None else SharedCircuits(redis, directory.identity, new_id())),
        )
        circuits.start()
        stack.push_async_callback(circuits.stop)
        stream = None if redis is None else BroadcastStream(redis, directory.identity, new_id())
        told_lately = ToldLately(redis, directory.identity)
        stack.push_async_callback(told_lately.stop)
        hub = Hub(
            settings=settings,
            directory=directory,
            platforms=platforms,
            parties=Parties(database, directory),
            remote_parties=RemoteParties(database, directory),
            agreements=KeptAgreements(database, directory),
            loops=Loops(None if redis is None else MessagesUnderWay(redis, directory.identity)),
            return_addresses=ReturnAddresses(database),
            shown_ids=shown_ids,
            partners=partners,
            circuits=circuits,
            vault=vault,
            registrar=Registrar(side),
            initiator=Initiator(side),
            steps=steps,
            registration_steps=registration_steps,
            presence=presence,
            wanted_probes=wanted_probes,
            reachability=Reachability(database, directory),
            knowledge=knowledge,
            losses=losses,
            figures=figures,
            live=live,
            journal=journal,
            journal_store=journal_store,
            journal_reads=JournalReads(database, vault),
            loss_counts=loss_counts,
            limits=limits,
            metrics=metrics,
            events=events,
            event_rows=event_rows,
            audit=AuditLog(database, vault),
            operator_tokens=OperatorTokens(database, vault),
            console_sessions=ConsoleSessions(database, vault, settings.operator_token),
            running_sessions=RunningSessions(database),
            missed_broadcasts=MissedBroadcasts(events),
            lead=Lead(Terms(database), None if redis is None else Lease(redis, directory.identity, new_id())),
            telling_marks=TellingMarks(database),
            told_lately=told_lately,
            amplification=amplification,
            drain=drain,
            accepted_broadcasts=AcceptedBroadcasts(stream, vault),
            callback_posts=CallbackPosts(redis),
            snapshots=Snapshots(None if redis is None else ListSnapshots(redis, directory.identity)),
            spools=spools,
            workers=workers,
            spans=spans,
        )
        await stack.enter_async_context(command_timeouts(hub))
        await stack.enter_async_context(broadcasting(hub))
        await stack.enter_async_context(pulse(metrics, lambda: drain.in_flight))
        yield hub


async def _spans(url: str, ratio: float, stack: AsyncExitStack) -> Spans:
    """What makes spans. Its packages are an extra, and take memory: who has no collector does not load them."""
    from hub.open_telemetry import Spans  # noqa: PLC0415 - as above

    spans = Spans(url, ratio)
    stack.push_async_callback(spans.close)
    return spans


async def _at_once(*endings: Callable[[], Awaitable[None]]) -> None:
    """Let all of these end side by side: each may wait some seconds for a store that does not answer."""
    ended = await asyncio.gather(*(ending() for ending in endings), return_exceptions=True)
    failed = [each for each in ended if isinstance(each, Exception)]
    if failed:
        raise ExceptionGroup("What was still to be written could not be", failed)
