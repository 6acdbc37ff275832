"""Who talks to whom and who hears of what, for people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.operator.tables import columns, pairs

Json = Mapping[str, Any]


def matrix_text(matrix: Json) -> str:
    """Pair by pair, the busiest first."""
    heads = ("FROM", "TO", "MESSAGES", "ERRORS", "MOSTLY")
    rows = [
        (_name(cell["sender"], matrix), _name(cell["receiver"], matrix), cell["n"], cell["errors"], cell["mostly"])
        for cell in matrix["cells"]
    ]
    rest = matrix["rest"]
    counted = f"Counted since {matrix['covers']['since']}"
    others = f"Between all others: {rest['n']:,} messages, {rest['errors']:,} errors."
    return f"{columns(heads, rows)}\n\n{others} {counted}."


def silent_pairs_text(page: Json) -> str:
    """Who may talk to whom, and does not."""
    rows = [(each["a"], each["b"], each["last_at"], each["agreed_at"], each["agreement"]) for each in page["items"]]
    text = columns(("A", "B", "LAST MESSAGE", "AGREED", "ID"), rows)
    text += f"\n\nOf {page['of']:,} agreements {page['count']:,} without a message since {page['since']}."
    return text if page["next_cursor"] is None else f"{text} There are more: --cursor {page['next_cursor']}"


def broadcasts_text(page: Json) -> str:
    """A list of broadcasts, the newest first."""
    heads = ("TIME", "FROM", "WHAT", "TOLD", "TOOK IT", "FAILED", "SKIPPED", "WHY", "CORRELATION ID")
    text = columns(heads, map(_broadcast, page["items"]))
    if page["covered_from"] is not None:
        text += f"\n\nThere was no time to look at what is older than {page['covered_from']}."
    return text if page["next_cursor"] is None else f"{text}\n\nThere are more: --cursor {page['next_cursor']}"


def broadcast_text(broadcast: Json) -> str:
    """One broadcast, and what became of it at each receiver."""
    head = {
        "Correlation id": broadcast["correlation_id"],
        "When": broadcast["at"],
        "From": broadcast["from"],
        "What": _what(broadcast),
        "Not accepted": broadcast["failure"],
        "Receivers": _receivers(broadcast),
    }
    heads = ("RECEIVER", "OUTCOME", "WHY", "VERSION", "ANSWER", "AFTER MS", "HUB MS", "PARTNER MS")
    rows = [
        (
            each["party"],
            each["outcome"],
            each["reason"] or each["failure"],
            each["version"],
            each["ocpi_status"],
            each["after_ms"],
            each["hub_ms"],
            each["partner_ms"],
        )
        for each in broadcast["receivers"]
    ]
    text = f"{pairs({name: value for name, value in head.items() if value is not None})}\n\n{columns(heads, rows)}"
    if broadcast["under_way"]:
        text += f"\n\nStill on its way to {', '.join(each['party'] for each in broadcast['under_way'])}."
    more = broadcast["next_cursor"]
    return text if more is None else f"{text}\n\nThere are more: --cursor {more}"


def client_info_text(found: Json) -> str:
    """What one partner gets, and what it was told last."""
    head = {"Seen by": found["name"], "Version": found["version"] or "it gets no list", "Is told": found["is_told"]}
    rows = [
        (
            f"{each['info']['country_code']}*{each['info']['party_id']}",
            each["info"]["role"],
            each["info"]["status"],
            each["info"]["last_updated"],
            _told(each["told"]),
        )
        for each in found["items"]
    ]
    parts = [pairs(head), columns(("PARTY", "ROLE", "STATUS", "LAST UPDATED", "TOLD LAST"), rows)]
    if found["missed"]:
        missed = [(each["party"], each["role"], _told(each), each["reason"]) for each in found["missed"]]
        parts.append("Pushes that did not arrive:\n" + columns(("PARTY", "ROLE", "TOLD LAST", "WHY"), missed))
    return "\n\n".join(parts)


def _name(name: str, matrix: Json) -> str:
    about = matrix["about"].get(name)
    return name if about is None or about["platform"] != name else str(about["name"])


def _broadcast(each: Json) -> tuple[object, ...]:
    why = each["failure"] or ", ".join(f"{reason['count']} {reason['why']}" for reason in each["reasons"])
    numbers = (each["told"], each["delivered"], each["failed"], each["skipped"])
    return (each["at"], each["from"], _what(each), *numbers, why or None, each["correlation_id"])


def _what(broadcast: Json) -> str:
    about = filter(None, (broadcast["method"], broadcast["object_type"] or broadcast["module"], broadcast["object_id"]))
    return " ".join(about)


def _receivers(broadcast: Json) -> str:
    counted = (("took it", "delivered"), ("failed", "failed"), ("skipped", "skipped"), ("under way", "waiting"))
    ends = [f"{broadcast[key]} {word}" for word, key in counted if broadcast[key]]
    return ", ".join([f"{broadcast['told']} told", *ends])


def _told(told: Json | None) -> str | None:
    return None if told is None else f"{told['status']}, {told['outcome']} {told['at']}"
