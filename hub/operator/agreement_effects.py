"""What would come of an agreement that is made, changed or ended, before somebody does it. Nothing is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from hub.figures.cells import CODE_OF, COUNT
from hub.hub import Hub
from hub.operator.figure_views import CoversView, Window, covers, up_to_date
from hub.operator.resources import PartyText
from hub.store.agreements import AlreadyAgreed, Terms, is_turned
from hub.store.journal_entries import Failure
from routing.agreements import Agreement, Agreements, Sending
from routing.dialects import DIALECTS, CredentialsShape
from routing.directory import PartyDirectory, Platform
from routing.telling import told_through, views_after_agreeing
from routing.vocabulary import ConnectionStatus, Party, Version

_REFUSED: Final = CODE_OF[Failure.NO_AGREEMENT]
_NAMED: Final = frozenset({ConnectionStatus.CONNECTED, ConnectionStatus.OFFLINE})


class SightView(Struct, frozen=True):
    """One of the two as the platform of the other sees it."""

    platform_id: str
    name: str
    versions: tuple[Version, ...]
    """That the platform speaks with the hub."""
    sees: PartyText
    before: ConnectionStatus | None
    """Null: not at all."""
    after: ConnectionStatus | None
    told: bool
    """Whether the hub tells it that this is different, as client info."""
    new_credentials: bool
    """Whether it gets new credentials of the hub, which name whom the hub reaches: from 2.3.0 on."""


class AgreementEffectView(Struct, frozen=True):
    """What would come of it."""

    a: PartyText
    b: PartyText
    modules: tuple[str, ...] | None
    """As they would be; null means all."""
    direction: Sending
    sights: tuple[SightView, ...]
    """One for each of the two that has a platform here."""
    messages_24h: int
    """That went from one of the two to the other within 24 h."""
    would_be_refused: int
    """Of these: that went through, and would not have."""
    would_go_through: int
    """Of these: that were refused for want of an agreement, and would not have been."""
    covers: CoversView
    dry_run: bool = True


async def effect_of(hub: Hub, terms: Terms, held: Agreement | None, *, ends: bool = False) -> AgreementEffectView:
    """What would come of these terms between two who have, or had, `held`."""
    before = hub.directory.snapshot
    after = before.agreeing(_with(before.agreements, terms, held, ends=ends))
    went, refused, through = await _messages(hub, terms, before.agreements, after.agreements)
    views = (_sight(before, after, *pair) for pair in ((terms.a, terms.b), (terms.b, terms.a)))
    return AgreementEffectView(
        a=str(terms.a),
        b=str(terms.b),
        modules=None if terms.modules is None else tuple(sorted(terms.modules)),
        direction=terms.sending,
        sights=tuple(view for view in views if view is not None),
        messages_24h=went,
        would_be_refused=refused,
        would_go_through=through,
        covers=covers(hub),
    )


def new_between(hub: Hub, terms: Terms) -> Agreement | None:
    """What the two had before, if they had anything.

    Raises:
        AlreadyAgreed: they have an agreement.
    """
    held = hub.directory.snapshot.agreements.between(terms.a, terms.b)
    if held is not None and held.ended_at is None:
        raise AlreadyAgreed(held)
    return held


def _with(agreements: Agreements, terms: Terms, held: Agreement | None, *, ends: bool) -> Agreements:
    now, revision = datetime.now(UTC), agreements.revision + 1
    if held is None:
        changed = Agreement("", terms.a, terms.b, terms.modules, terms.sending, now, revision)
    elif ends:
        changed = msgspec.structs.replace(held, ended_at=now, revision=revision)
    else:
        is_other = held.ended_at is not None or is_turned(held, terms)
        changed = msgspec.structs.replace(
            held,
            a=terms.a,
            b=terms.b,
            modules=terms.modules,
            sending=terms.sending,
            revision=revision,
            turned_at=now if is_other else held.turned_at,
            ended_at=None,
        )
    return agreements.replacing(revision, [changed])


async def _messages(hub: Hub, terms: Terms, before: Agreements, after: Agreements) -> tuple[int, int, int]:
    """How many went between the two, would be refused, and would not be refused any more."""
    figures = await up_to_date(hub)
    went = refused = through = 0
    for pair, cell in figures.pairs.since(Window.DAY.seconds, figures.now).items():
        if {pair.sender, pair.receiver} != {str(terms.a), str(terms.b)}:
            continue
        sender, receiver = (Party.read(name[:2], name[3:]) for name in (pair.sender, pair.receiver))
        number, for_want = cell.get(COUNT, 0), cell.get(_REFUSED, 0)
        went += number
        if not after.allows(sender, receiver, pair.module):
            refused += number - for_want if before.allows(sender, receiver, pair.module) else 0
        else:
            through += for_want
    return went, refused, through


def _sight(before: PartyDirectory, after: PartyDirectory, party: Party, other: Party) -> SightView | None:
    """How the platform of a party sees the other; None where the party is not here, or both are of one platform."""
    viewer, entry = before.platform_of(party), before.entry(other)
    if viewer is None or entry is None or entry.platform_id == viewer.id:
        return None
    was, will_be = before.shown_to(viewer, entry), after.shown_to(viewer, entry)
    is_named = {was in _NAMED, will_be in _NAMED} == {True, False}
    return SightView(
        platform_id=viewer.id,
        name=viewer.name,
        versions=tuple(dict.fromkeys(each.version for each in viewer.connections)),
        sees=str(other),
        before=was,
        after=will_be,
        told=told_through(viewer, before) is not None and bool(views_after_agreeing(after, viewer, entry, before)),
        new_credentials=is_named and _names_parties(viewer),
    )


def _names_parties(viewer: Platform) -> bool:
    return any(DIALECTS[each.version].credentials is CredentialsShape.HUB_PARTY for each in viewer.connections)
