"""The report as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1280px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .45rem; border-bottom: 1px solid #e4e4e4; text-align: right; white-space: nowrap }
th:first-child, td:first-child, th.text, td.text { text-align: left }
td.text { white-space: normal; min-width: 11rem }
.pass { color: #0f7b6c } .fail { color: #c4261d } .verdict { font-weight: 600 }
.scroll { overflow-x: auto } img { max-width: 100% } dd { margin: 0 } dt, .note { color: #666 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }
"""
_FIGURES = (
    ("messages", "messages"), ("per_s", "per s"), ("p50_ms", "p50 ms"), ("p95_ms", "p95 ms"), ("p99_ms", "p99 ms"),
    ("max_ms", "max ms"), ("errors", "errors"),
)  # fmt: skip
_PLAYS = ("plays", "plays")
_HUB = (("sampled", "sampled"), ("hub_p50_ms", "hub p50"), ("hub_p99_ms", "hub p99"))
_SENT_NOTE = (
    "From when a message was due to its answer. Of a sample of the messages that waited for a receiver, as large as "
    "“sampled” says: the hub's own time, and the time the receivers took (“others'”), who have tables of their own "
    "below. What is left is outside of the hub's clock: the load test, the network, and what waited for the hub. "
    "Messages to everybody are answered before they are delivered: they are not sampled, and can make p50 the smaller."
)
_RECEIVED_NOTE = "Of messages to this partner, whoever sent them. “Own” is the time it took itself."


def page(report: Json, pictures: Mapping[str, Path]) -> str:
    """The whole page, pictures included."""
    plan = report["plan"]
    title = f"Load test: {plan['shape']}, {plan['rate']:g} actions/s, {_who(plan)}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _verdicts(report),
        _facts(report),
        *(f'<p><img alt="{escape(name)}" src="{_embedded(file)}"></p>' for name, file in pictures.items()),
        "<h2>Partners, as senders</h2>",
        f"<p class=note>{_SENT_NOTE}</p>",
        _table("sender", report["partners"], [_PLAYS, *_FIGURES, *_HUB, *_waited("others'")]),
        "<h2>Partners, as receivers</h2>",
        f"<p class=note>{_RECEIVED_NOTE}</p>",
        _table("receiver", report["receivers"], [_PLAYS, *_FIGURES, *_HUB, *_waited("own")]),
        "<h2>Kinds of messages</h2>",
        _table("kind", report["kinds"], _FIGURES),
        _hub(report["hub"]),
        "<h2>Each partner's kinds of messages</h2><details><summary>show</summary>",
        _table("partner, kind", {f"{row['partner']}, {row['kind']}": row for row in report["messages"]}, _FIGURES),
        "</details>",
    ]
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return "\n".join([head, *parts, "</html>"])


def _who(plan: Json) -> str:
    """How many take part."""
    counts = ((plan["platforms"], "platform"), (len(plan.get("peers", ())), "peer"))
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts if count)


def _waited(whose: str) -> list[tuple[str, str]]:
    """Columns with the time that the hub waited."""
    return [(f"partner_{each}_ms", f"{whose} {each}") for each in ("p50", "p95", "p99")]


def _verdicts(report: Json) -> str:
    style = "pass" if report["passed"] else "fail"
    word = report["verdict"].capitalize()
    items = (
        f'<li class="{"pass" if verdict["passed"] else "fail"}">{escape(verdict["text"])}</li>'
        for verdict in report["verdicts"]
    )
    notes = (f'<li class="note">{escape(note)}</li>' for note in report["notes"])
    return f'<p class="verdict {style}">{word}</p><ul>{"".join(items)}{"".join(notes)}</ul>'


def _facts(report: Json) -> str:
    plan, overall, generator, machine = (report[name] for name in ("plan", "overall", "generator", "machine"))
    facts = {
        "begun": report["begun_at"],
        "hub": f"{plan['operator_url']}, version {report['hub_version'] or 'not known'}",
        "offered": f"{overall['offered']:,} actions, {overall['offered_per_s']:,.1f} a second",
        "achieved": f"{overall['achieved']:,} actions, {overall['achieved_per_s']:,.1f} a second",
        "messages": f"{overall['messages']:,}, {overall['errors']:,} of them failed; "
        f"{overall['unanswered']:,} had no answer when the run was over",
        "p99": f"{_text(overall['p99_ms'])} ms from when a message was due, "
        f"{_text(overall['p99_from_sending_ms'])} ms from when it was sent",
        "sent late": f"p50 {_text(generator['late_p50_ms'])} ms, p99 {_text(generator['late_p99_ms'])} ms after due",
        "platforms answer": plan["profile"] + (", peers as they do" if plan.get("peers") else ""),
        "generator": f"{plan['processes']} process(es), busiest at {_percent(generator['cpu_share'])} of a core",
        "machine": f"{machine['cores']} cores, Python {machine['python']}, {machine['system']}",
    }
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(str(text))}</dd>" for name, text in facts.items()) + "</dl>"


def _hub(hub: Json | None) -> str:
    if hub is None:
        return ""
    modules = [
        ("messages", "messages"),
        ("whole_mean_ms", "mean ms"),
        ("partners_mean_ms", "partner ms"),
        ("hub_mean_ms", "hub ms"),
    ]
    return (
        "<h2>What the hub counted</h2>"
        "<p class=note>Means over all messages of the run that one partner was asked for.</p>"
        + _table("module", hub["modules"], modules, has_outcomes=False)
        + "<p class=note>How long each partner took to answer the hub.</p>"
        + _table("partner", hub["platforms"], [("calls", "calls"), ("mean_ms", "mean ms")], has_outcomes=False)
    )


def _table(
    name: str, rows: Mapping[str, Json], columns: Sequence[tuple[str, str]], *, has_outcomes: bool = True
) -> str:
    outcomes = "<th class=text>outcomes</th>" if has_outcomes else ""
    head = f"<tr><th>{name}</th>{''.join(f'<th>{escape(text)}</th>' for _, text in columns)}{outcomes}</tr>"
    return f'<div class="scroll"><table>{head}{"".join(_rows(rows, columns, has_outcomes=has_outcomes))}</table></div>'


def _rows(rows: Mapping[str, Json], columns: Sequence[tuple[str, str]], *, has_outcomes: bool) -> Iterable[str]:
    for name, row in rows.items():
        cells = "".join(f"<td>{_text(row[column])}</td>" for column, _ in columns)
        ends = ""
        if has_outcomes:
            ends = f"<td class=text>{escape(outcomes_text(row))}</td>"
        yield f"<tr><td>{escape(name)}</td>{cells}{ends}</tr>"


def _text(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return escape(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _embedded(file: Path) -> str:
    return f"data:image/png;base64,{b64encode(file.read_bytes()).decode()}"


def outcomes_text(row: Json) -> str:
    """How messages ended, the most frequent first."""
    return ", ".join(f"{outcome}: {times:,}" for outcome, times in row["outcomes"].items())
