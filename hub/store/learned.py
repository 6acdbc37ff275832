"""What is learned from traffic: kept in the truth, shared over Redis, remembered in the process.

Learning takes no time from a message: facts wait in the process and are written in batches. Asking takes little: what
was read not long ago is here; the rest is one look at Redis, and one at the truth. A store that does not answer soon
makes things unknown for the moment, which every asker can bear. It is not asked again for a while.

Whoever writes tells all processes what has changed. A notice that gets lost makes others know it later, by `KEEP_S`
at most; while notices cannot come at all, by `KEEP_WITHOUT_NOTICES_S`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import msgspec
import structlog

from hub.observability import FilteringBoundLogger
from hub.store import learned_claims, learned_reads, learned_writes
from hub.store.database import Database
from hub.store.facts import Fact, OwnPush, ResidueLeft
from hub.store.learned_claims import Charge
from hub.store.learned_ends import drop_expired
from hub.store.read_back import Key, pushed, write_pushes
from hub.store.redis import CacheUnreachable, LearnedCache, RedisClient
from hub.store.remembered import UNKNOWN, Remembered
from hub.store.residues import Key as ResidueKey
from hub.store.residues import residues, write_residues
from hub.store.shelves import GROUPS, READ_FRESH, Credit, Lookup, Shelf, empty, is_too_long, references
from hub.store.single_flight import SingleFlight, cancelled
from hub.store.truth import DirectoryTruth
from hub.store.vault import Vault
from routing.errors import HubFault, InvalidParameters
from routing.vocabulary import Party

log: FilteringBoundLogger = structlog.get_logger()
T = TypeVar("T")

SOON_S: Final = 0.5
"""How long somebody who asks may be kept."""
KEEP_S: Final = 60.0
"""How long a group that was read counts as current in the process and in Redis."""
KEEP_WITHOUT_NOTICES_S: Final = 1.0
GATHER_S: Final = 0.05
"""How long facts are gathered before they are written together."""
_REDIS_S: Final = 0.15
_SILENT_S: Final = 1.0
"""How long a store is not asked again after it did not answer."""
_RETRY_S: Final = 1.0
_END_S: Final = 2.0
_AT_ONCE: Final = 500
_decoders: Final = {shelf: msgspec.json.Decoder(group) for shelf, group in GROUPS.items()}


class _Notice(NamedTuple):
    sender: str
    changed: list[Lookup]


_notice_decoder: Final = msgspec.json.Decoder(_Notice)


class Learned:
    """Owns the facts. Without `redis` this is the only process. Who asks is kept for `soon_s` seconds at most."""

    def __init__(self, database: Database, vault: Vault, redis: RedisClient | None, *, soon_s: float = SOON_S) -> None:
        self.dropped = 0
        """Facts there was no room for."""
        self._database = database
        self._vault = vault
        self._redis = redis
        self._soon_s = soon_s
        self._name = uuid4().hex
        self.remembered = Remembered(KEEP_S)
        """What is known without asking a store."""
        self._shared: LearnedCache | None = None
        self._count_on(notices=redis is None)
        self._asked_again_at = {"truth": 0.0, "redis": 0.0}
        self._is_out = False
        self._write = SingleFlight(self._write_pending)
        self._wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Begin to write what is learned, and to hear what others have.

        Raises:
            HubFault: the database does not answer.
        """
        if self._redis is not None:
            identity = (await DirectoryTruth(self._database).revisions()).identity
            self._shared = LearnedCache(self._redis, identity)
            self._tasks.append(asyncio.create_task(self._listen(self._shared), name="notices of what was learned"))
        self._tasks.append(asyncio.create_task(self._keep_writing(), name="writing what was learned"))

    async def stop(self) -> None:
        """Stop, and write what is left."""
        await cancelled(self._tasks)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._write()
        await self._write.stop()
        await cancelled(list(self._under_way))

    # ------------------------------------------------------------ learning and asking

    def note(self, fact: Fact) -> bool:
        """Take up a fact, to be written soon. What is known already costs nothing. False when there is no room."""
        if self.remembered.note(fact):
            self._wanted.set()
            return True
        if self.dropped % _AT_ONCE == 0:
            log.warning("learned_facts_dropped", dropped=self.dropped + 1)
        self.dropped += 1
        return False

    def note_once(self, topic: int, facts: Iterable[Fact]) -> None:
        """Take up the facts of a topic, unless that was done within the last hour: then they are not even made.

        Not for what others can take back. A topic is the hash of all that its facts follow from.
        """
        if self.remembered.is_told(topic):
            return
        kept = [self.note(fact) for fact in facts]
        if all(kept):
            self.remembered.tell(topic)

    def note_unless_last(self, lookup: Lookup, said: int, facts: Iterable[Fact]) -> None:
        """Take up the facts that follow from what was said of this group, unless just that was said of it last.

        `said` is its hash. That counts as long as the group itself would, and until others change it.
        """
        if self.remembered.was_said_last(lookup, said):
            return
        kept = [self.note(fact) for fact in facts]
        if all(kept):
            self.remembered.say(lookup, said)

    async def groups(self, lookups: Collection[Lookup]) -> dict[Lookup, Any]:
        """What stands there. What cannot be told soon is missing; rather than nothing, it is what was known before."""
        here = {lookup: group for lookup in lookups if (group := self.remembered.get(lookup)) is not UNKNOWN}
        here |= {lookup: empty(lookup.shelf) for lookup in lookups if is_too_long(lookup)}
        missing = [lookup for lookup in lookups if lookup not in here]
        if missing:
            here |= await self._soon(self._fetched(missing)) or {
                lookup: group for lookup in missing if (group := self.remembered.get_outdated(lookup)) is not UNKNOWN
            }
        return here

    async def reservation_number(self, cpo: Party, emsp: Party, reservation_id: str, until: datetime) -> int | None:
        """The number that stands for this reservation at the CPO. None: it cannot be had now."""

        async def number() -> int:
            async with self._database.writing() as session:
                return await learned_claims.reservation_number(session, cpo, emsp, reservation_id, until)

        return await self._soon(number())

    async def bind_reference(self, charge: Charge) -> str | None:
        """The authorization reference of this charge, from now on bound to it; None when there is none."""

        async def bound() -> str | None:
            await self._write()  # it may have been given a moment ago
            with suppress(InvalidParameters):  # the same charge is bound elsewhere at this moment: see what to
                return await self._bound(charge)
            return await self._bound(charge)

        return await self._soon(bound())

    async def _bound(self, charge: Charge) -> str | None:
        async with self._database.writing() as session:
            value = await learned_claims.bind_reference(session, charge)
        changed = [references(charge.cpo, charge.emsp, charge.token_uid)]
        self.remembered.forget(changed)
        await self._tell(changed)
        return value

    async def note_credit(self, cpo: Party, receiver: Party, credit_id: str, credit: Credit, now: datetime) -> bool:
        """Remember that a credit CDR was held back. False: that failed."""

        async def noted() -> bool:
            async with self._database.writing() as session:
                await learned_claims.note_credit(session, cpo, receiver, credit_id, credit, now)
            return True

        return await self._soon(noted()) or False

    async def drop_expired(self, now: datetime) -> None:
        """Forget for good what was kept long enough.

        Raises:
            HubFault: the database does not answer.
        """
        await drop_expired(self._database, now)

    # ------------------------------------------------------------ reading

    async def _soon(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What it comes to, if that is soon. It goes on to its end all the same."""
        if monotonic() < self._asked_again_at["truth"]:
            work.close()
            return None
        task = self._begin(self._guarded(work))
        await asyncio.wait({task}, timeout=self._soon_s)
        if task.done():
            return task.result()
        self._is_silent("truth", None)
        return None

    async def _guarded(self, work: Coroutine[Any, Any, T]) -> T | None:
        try:
            result = await work
        except HubFault as error:
            self._is_silent("truth", error)
        except InvalidParameters as error:
            log.warning("learned_facts_refused", reason=str(error))
        except Exception:  # whoever waits for this can do without
            log.exception("learned_facts_failed")
        else:
            if self._is_out:
                log.warning("learned_facts_available_again")
            self._is_out = False
            return result
        return None

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def _is_silent(self, store: str, error: Exception | None) -> None:
        self._asked_again_at[store] = monotonic() + _SILENT_S
        if store == "truth" and not self._is_out:
            log.warning("learned_facts_unavailable", reason=str(error or "no answer in time"))
            self._is_out = True

    async def _fetched(self, lookups: Collection[Lookup]) -> dict[Lookup, Any]:
        if any(lookup.shelf in READ_FRESH for lookup in lookups) and not self.remembered.is_written:
            await self._write()
        reader = self.remembered.begin_reading(lookups)
        try:
            shared = await self._from_redis([lookup for lookup in lookups if lookup.shelf not in READ_FRESH])
            missing = [lookup for lookup in lookups if lookup not in shared]
            read = await self._from_truth(missing) if missing else {}
        except BaseException:
            self.remembered.give_up_reading(lookups, reader)
            raise
        if self._shared is not None:
            current = {lookup: group for lookup, group in read.items() if self.remembered.is_current(lookup, reader)}
            self._begin(self._share(self._shared, current))
        return self.remembered.end_reading(shared | read, reader)

    async def _from_truth(self, lookups: Collection[Lookup]) -> dict[Lookup, Any]:
        own = {lookup: _own_key(lookup) for lookup in lookups if lookup.shelf is Shelf.OWN}
        left = {lookup: _residue_key(lookup) for lookup in lookups if lookup.shelf is Shelf.RESIDUE}
        sealed = own.keys() | left.keys()
        async with self._database.reading() as session:
            found = await learned_reads.read(session, [lookup for lookup in lookups if lookup not in sealed])
            bodies = await pushed(session, own.values(), self._vault)
            rests = await residues(session, left.values(), self._vault)
        found |= {lookup: bodies.get(key) for lookup, key in own.items()}
        return found | {lookup: rests.get(key) for lookup, key in left.items()}

    # ------------------------------------------------------------ Redis

    async def _from_redis(self, lookups: Collection[Lookup]) -> dict[Lookup, Any]:
        shared = self._shared
        if shared is None or not lookups:
            return {}
        texts = await self._asking_redis(lambda: shared.get(list(map(_entry, lookups))))
        found: dict[Lookup, Any] = {}
        for lookup, text in zip(lookups, texts or (), strict=False):
            if text is not None:
                with suppress(msgspec.MsgspecError):  # an entry that cannot be read is none
                    found[lookup] = _decoders[lookup.shelf].decode(text)
        return found

    async def _share(self, shared: LearnedCache, groups: Mapping[Lookup, Any]) -> None:
        texts = {
            _entry(lookup): msgspec.json.encode(group)
            for lookup, group in groups.items()
            if lookup.shelf not in READ_FRESH
        }
        if texts:
            await self._asking_redis(lambda: shared.put(texts, int(KEEP_S)))

    async def _tell(self, changed: Collection[Lookup]) -> None:
        """Let nobody go on with what stood there before."""
        shared = self._shared
        if shared is not None and changed:
            notice = msgspec.json.encode(_Notice(self._name, list(changed)))
            await self._asking_redis(lambda: shared.forget(list(map(_entry, changed)), notice))

    async def _asking_redis(self, step: Callable[[], Awaitable[T]]) -> T | None:
        if monotonic() < self._asked_again_at["redis"]:
            return None
        try:
            async with asyncio.timeout(_REDIS_S):
                return await step()
        except (CacheUnreachable, TimeoutError) as error:
            self._is_silent("redis", error)
        except Exception:  # the truth knows it, too
            log.exception("learned_facts_not_shared")
        return None

    async def _listen(self, shared: LearnedCache) -> None:
        while True:
            try:
                async for text in shared.notices():
                    self._hears(text)
            except CacheUnreachable:
                pass  # those who ask Redis for something say so
            except Exception:  # a bug must not leave this process without news for good
                log.exception("notices_lost")
            self._count_on(notices=False)
            await asyncio.sleep(_RETRY_S)

    def _count_on(self, *, notices: bool) -> None:
        self._hears_notices = notices
        self.remembered.keep_s = KEEP_S if notices else KEEP_WITHOUT_NOTICES_S

    def _hears(self, text: bytes | None) -> None:
        if text is None:  # what was said before, nobody heard
            self.remembered.forget_all()
            self._count_on(notices=True)
            return
        try:
            notice = _notice_decoder.decode(text)
        except msgspec.MsgspecError:
            log.warning("notice_unreadable")
            self.remembered.forget_all()
            return
        if notice.sender != self._name:
            self.remembered.forget(notice.changed)

    # ------------------------------------------------------------ writing

    async def _keep_writing(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(GATHER_S)
            self._wanted.clear()
            await self._write()
            if not self.remembered.is_written:
                await asyncio.sleep(_RETRY_S)
                self._wanted.set()

    async def _write_pending(self) -> None:
        """Write all facts there are; leave them where they are when the database does not answer."""
        while facts := self.remembered.oldest(_AT_ONCE):
            changed = {lookup for fact in facts for lookup in fact.lookups}
            try:
                further = await self._written(facts)
            except HubFault as error:
                self._is_silent("truth", error)
                return
            except InvalidParameters as error:
                log.error("learned_facts_refused", facts=len(facts), reason=str(error))  # noqa: TRY400 - whose values are private
                further = changed
            except Exception:  # one fact that nobody can write must not keep all later ones from being written
                log.exception("learned_facts_lost", facts=len(facts))
                further = changed
            self.remembered.written(facts)
            self.remembered.forget(further)
            await self._tell(changed | further)

    async def _written(self, facts: Collection[Fact]) -> set[Lookup]:
        pushes = [fact for fact in facts if isinstance(fact, OwnPush)]
        left = [fact for fact in facts if isinstance(fact, ResidueLeft)]
        async with self._database.writing() as session:
            further = await learned_writes.write(session, facts)
            await write_pushes(session, pushes, self._vault)
            await write_residues(session, left, self._vault)
        return further


def _entry(lookup: Lookup) -> str:
    return msgspec.json.encode(lookup).decode()


def _own_key(lookup: Lookup) -> Key:
    module, country_code, party_id, object_key = lookup.key
    return Party(country_code, party_id), module, object_key


def _residue_key(lookup: Lookup) -> ResidueKey:
    *owner, kind, object_key, country_code, party_id = lookup.key
    return Party(*owner), kind, object_key, Party(country_code, party_id)
