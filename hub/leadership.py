"""Work that one process of the hub does for all of them: the one that leads.

Without Redis there is one process, and it leads. With Redis the one that holds the lease does, see `hub.store.leases`:
any process with an operator listener may come to hold it, within seconds after the one before it has gone.

    take the lease ─▶ begin a term ─▶ (the term before may not be over: wait) ─▶ duties, while the lease is renewed
        ─▶ duties are cancelled ─▶ release the lease

While Redis is away nobody leads, and messages go on: what the duties do is late then, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import structlog
from msgspec import Struct

from hub.events import EventKind
from hub.hub import Hub
from hub.observability import FilteringBoundLogger
from hub.store.leases import Lease
from hub.store.redis import CacheUnreachable
from hub.store.single_flight import cancelled
from hub.store.terms import TermOver
from routing.errors import HubFault

log: FilteringBoundLogger = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0
"""Between two attempts to get the lease."""
_GIVE_WAY_S: Final = 30.0
"""Before the next attempt of a process without Redis that found out that it is not the only one."""
_DUTY_AGAIN_S: Final = 1.0


class Term(Struct, frozen=True):
    """The time one process leads."""

    number: int
    """Grows with every term; the truth knows the present one, see `hub.store.terms`."""


Duty: TypeAlias = Callable[[Hub, Term], Awaitable[None]]
"""What the leading process does for as long as it leads; it is cancelled at the end of the term, and ends only then.

What it writes and must not be written twice it writes with `hub.store.terms.check_term`. It may let `TermOver` out,
which ends the term, and nothing else: a duty that fails is begun anew.
"""


@asynccontextmanager
async def leading(hub: Hub, duties: Sequence[Duty]) -> AsyncIterator[None]:
    """Do these duties whenever this process leads, for as long as the block runs."""
    task = asyncio.create_task(_stand(hub, duties), name="leading")
    try:
        yield
    finally:
        await cancelled([task])


async def _stand(hub: Hub, duties: Sequence[Duty]) -> None:
    """Lead whenever it is possible."""
    while True:
        try:
            if hub.lead.lease is None:
                await _lead_alone(hub, duties)
            else:
                await _lead_if_nobody_does(hub.lead.lease, hub, duties)
        except (HubFault, CacheUnreachable) as error:
            _nobody_leads(hub, str(error))
        except Exception:  # a bug in one term must not end all later ones
            log.exception("leading_failed")
        await asyncio.sleep(LOOK_EVERY_S)


async def _lead_alone(hub: Hub, duties: Sequence[Duty]) -> None:
    await _do(Term(await hub.lead.terms.begin()), duties, hub)
    log.error(
        "not_the_only_process",
        advice="another process leads this hub; give all of them the same HUB_REDIS_URL, so that they take turns",
    )
    await asyncio.sleep(_GIVE_WAY_S)


async def _lead_if_nobody_does(lease: Lease, hub: Hub, duties: Sequence[Duty]) -> None:
    is_ours = await lease.take()
    if not is_ours:
        _somebody_leads(hub)
        return
    term: Term | None = None
    keeping = asyncio.create_task(lease.keep(), name="keeping the lease")
    try:
        term = Term(await hub.lead.terms.begin())
        ruling = asyncio.create_task(_rule(term, lease, duties, hub), name=f"term {term.number}")
        await _first_to_end(keeping, ruling)
    finally:
        await cancelled([keeping])
        await lease.release(hub.lead.last_term)


async def _rule(term: Term, lease: Lease, duties: Sequence[Duty], hub: Hub) -> None:
    await asyncio.sleep(lease.pause_before(term.number))
    await _do(term, duties, hub)


async def _do(term: Term, duties: Sequence[Duty], hub: Hub) -> None:
    """Do these until cancelled, or until it turns out that another process leads."""
    hub.lead.term = hub.lead.last_term = term.number
    _somebody_leads(hub)
    log.info("term_begins", term=term.number)
    # No TaskGroup: it cancels only once, and a duty that waits for Redis may lose that.
    tasks = [asyncio.create_task(_keep_doing(duty, term, hub)) for duty in duties]
    try:
        over, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in over:
            task.result()
    except TermOver:
        log.warning("term_overtaken", term=term.number)
    finally:
        await cancelled(tasks)
        hub.lead.term = None
        log.info("term_ends", term=term.number)


async def _keep_doing(duty: Duty, term: Term, hub: Hub) -> None:
    while True:
        try:
            await duty(hub, term)
        except TermOver:
            raise
        except ExceptionGroup as group:
            if group.subgroup(TermOver) is not None:
                raise TermOver from group
            log.exception("duty_failed", duty=getattr(duty, "__name__", repr(duty)))
        except Exception:  # a bug in one duty must not end the others
            log.exception("duty_failed", duty=getattr(duty, "__name__", repr(duty)))
        await asyncio.sleep(_DUTY_AGAIN_S)


async def _first_to_end(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of these has ended, and end the other ones."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


def _nobody_leads(hub: Hub, reason: str) -> None:
    if hub.lead.problem is None:
        log.error("nobody_leads", reason=reason)
    hub.lead.problem = f"Nobody leads: {reason}"
    hub.events.happened(EventKind.NO_LEADER, reason=reason)


def _somebody_leads(hub: Hub) -> None:
    if hub.lead.problem is not None:
        log.warning("somebody_leads_again")
        hub.events.over(EventKind.NO_LEADER)
    hub.lead.problem = None
