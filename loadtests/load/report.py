"""What a load test leaves: one page for people, JSON and CSV for programs, and the pictures; and what it prints."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.load.page import outcomes_text, page
from loadtests.load.plots import draw
from loadtests.load.results import Results, figures

Json = dict[str, Any]
_SHOWN = 20


def write(results: Results, folder: Path) -> Json:
    """Write every form of the report into a folder; returns the figures."""
    report = figures(results)
    folder.joinpath("report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
    _write_csv(folder / "partners.csv", "partner", report["partners"])
    _write_csv(folder / "receivers.csv", "partner", report["receivers"])
    _write_csv(folder / "kinds.csv", "kind", report["kinds"])
    _write_rows(folder / "messages.csv", report["messages"])
    _write_rows(folder / "timeline.csv", report["timeline"])
    folder.joinpath("report.html").write_text(page(report, draw(report, folder)), encoding="utf-8")
    return report


def summary(report: Json) -> str:
    """The report for a terminal."""
    overall = report["overall"]
    rates = (
        f"offered {overall['offered_per_s']:,.1f} actions/s, achieved {overall['achieved_per_s']:,.1f}"
        f" ({_share(overall['achieved_share'])}); {overall['messages']:,} messages, {overall['errors']:,} errors"
        f"{_unanswered(overall)};"
        f" p50 {_ms(overall['p50_ms'])} ms, p95 {_ms(overall['p95_ms'])} ms, p99 {_ms(overall['p99_ms'])} ms"
    )
    lines = [
        rates,
        "",
        _table("kind", report["kinds"]),
        "",
        _table("sender", report["partners"], whose="others' p50"),
        "",
        _table("receiver", report["receivers"], whose="own p50"),
        "",
        *(verdict["text"] for verdict in report["verdicts"]),
        *(f"note  {note}" for note in report["notes"]),
    ]
    return "\n".join(lines)


def _table(name: str, rows: Mapping[str, Json], *, whose: str | None = None) -> str:
    """`whose` time it is that the hub waited: the receivers' or, in their own rows, that receiver's. None: unknown."""
    head = [name, *(["plays"] if whose else []), "messages", "per s", "p50 ms", "p95 ms", "p99 ms", "errors"]
    if whose:
        head += ["sampled", "hub p50", whose]
    head.append("outcomes")
    body = [_cells(each, row, hub=whose is not None) for each, row in list(rows.items())[:_SHOWN]]
    text = _columns([head, *body])
    left_out = len(rows) - _SHOWN
    return text if left_out <= 0 else f"{text}\n… and {left_out} more, in the report"


def _cells(name: str, row: Json, *, hub: bool) -> list[str]:
    cells = [name, *([row["plays"] or "-"] if hub else [])]
    cells += [f"{row['messages']:,}", f"{row['per_s']:,.1f}", *(_ms(row[f"p{each}_ms"]) for each in (50, 95, 99))]
    cells.append(f"{row['errors']:,}")
    if hub:
        cells += [f"{row['sampled']:,}", _ms(row["hub_p50_ms"]), _ms(row["partner_p50_ms"])]
    return [*cells, outcomes_text(row)]


def _columns(rows: Sequence[Sequence[str]]) -> str:
    """Names and outcomes to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index in {0, last} else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _unanswered(row: Json) -> str:
    return f", {row['unanswered']:,} of them unanswered" if row["unanswered"] else ""


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _write_csv(file: Path, name: str, rows: Mapping[str, Json]) -> None:
    _write_rows(file, [{name: each, **row} for each, row in rows.items()])


def _write_rows(file: Path, rows: Iterable[Json]) -> None:
    """Rows of the same members; what is in them by name becomes one cell, such as `1000=812 2001=3`."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        for index, row in enumerate(rows):
            if index == 0:
                writer.writerow(row)
            writer.writerow([_cell(value) for value in row.values()])


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return " ".join(f"{name}={each:g}" for name, each in value.items())
    return round(value, 3) if isinstance(value, float) else value
