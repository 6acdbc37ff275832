"""What the requester of a list of everybody's is told: the objects, where the list goes on, and what is missing.

There is no status for a list that is not complete. So such a page is a success that says it in two places: in
`status_message` for people, and in the header Hub-Incomplete, as `NL-ABC;4002, DE-XYZ;4003`, for programs. Every page
says it, not only the one where something is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from hub.delivery import own_url
from hub.get_all.asked import SNAPSHOT, Asked
from hub.get_all.pages import Page
from hub.hub import Hub
from routing.envelope import SUCCESS
from routing.joined_lists import Snapshot
from routing.links import link_header
from routing.message import Answer, RawHeaders
from routing.timestamps import write_timestamp
from routing.translation.messages import note_of
from routing.vocabulary import Party

_MOST_NAMED: Final = 10
_LONGEST_HEADER: Final = 4096
_AND_MORE: Final = ", ...;more"
_BEGUN_ANEW: Final = "the hub no longer knew this list and began it anew; some objects may come twice, or not at all"
_encode: Final = msgspec.json.Encoder().encode


def answered(asked: Asked, snapshot: Snapshot, page: Page, hub: Hub, *, is_begun_anew: bool) -> Answer:
    """One page."""
    goes_on = page.position < snapshot.positions
    covered = page.position - asked.page.offset
    limit = min(asked.page.limit, covered) if goes_on else asked.page.limit
    headers = [(b"x-total-count", b"%d" % snapshot.total), (b"x-limit", b"%d" % limit)]
    if goes_on:
        query = f"offset={page.position}&limit={asked.page.limit}&{SNAPSHOT}={snapshot.id}"
        query = "&".join(filter(None, (asked.filters, query)))
        headers.append(link_header(_own_url(asked, hub), _safe(query)))
    notes = []
    if missing := snapshot.missing:
        notes.append(_partial(missing, sum(len(part.parties) for part in snapshot.parts)))
        headers.append((b"hub-incomplete", _incomplete(missing)))
    if page.omitted:
        notes.append(note_of(page.omitted))
    if is_begun_anew:
        notes.append(_BEGUN_ANEW)
    return _answer(page.pieces, headers, "; ".join(notes), asked, hub)


def empty(asked: Asked, hub: Hub) -> Answer:
    """The list of a requester for whom nobody has one."""
    return _answer([], [(b"x-total-count", b"0"), (b"x-limit", b"%d" % asked.page.limit)], "", asked, hub)


def _answer(pieces: list[bytes], headers: RawHeaders, message: str, asked: Asked, hub: Hub) -> Answer:
    fields: dict[str, Any] = {"status_code": SUCCESS}
    if message:
        fields["status_message"] = message
    fields["timestamp"] = write_timestamp(datetime.now(UTC))
    body = b"".join((b'{"data":[', b",".join(pieces), b"],", _encode(fields)[1:]))
    return Answer(200, SUCCESS, body, asked.named or hub.party, headers)


def _own_url(asked: Asked, hub: Hub) -> str:
    return own_url(asked.message, asked.source, hub)


def _safe(query: str) -> str:
    """The query with what would end a URL in a Link header encoded."""
    return query.replace("<", "%3C").replace(">", "%3E").replace('"', "%22")


def _partial(missing: list[tuple[Party, int]], of: int) -> str:
    named = ", ".join(f"{_name(party)} ({status})" for party, status in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return f"partial result: {len(missing)} of {of} parties missing: {named}{more}"


def _incomplete(missing: list[tuple[Party, int]]) -> bytes:
    text = ""
    for party, status in missing:
        longer = f"{text}, {_name(party)};{status}" if text else f"{_name(party)};{status}"
        if len(longer) + len(_AND_MORE) > _LONGEST_HEADER:
            return (text + _AND_MORE).encode("latin-1")
        text = longer
    return text.encode("latin-1")


def _name(party: Party) -> str:
    return f"{party.country_code}-{party.party_id}"
