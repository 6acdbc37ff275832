"""A run as pictures: what was offered and achieved, how long it took, and who sent how much, over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

Json = dict[str, Any]

SHOWN_PARTNERS: Final = 10
"""So many are drawn by name, the others as one line."""
_SIZE_INCHES: Final = (9.0, 3.6)
_DOTS_PER_INCH: Final = 100
_COLOURS: Final = (
    "#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#dfab01", "#e03e3e", "#64473a", "#3b7dd8", "#7a8b00",
)  # fmt: skip
_GREY: Final = "#9b9a97"


def draw(report: Json, folder: Path) -> dict[str, Path]:
    """Write the pictures of a report; their files by name."""
    timeline = [row for row in report["timeline"] if row["at_s"] < report["plan"]["duration_s"]]
    files = {name: folder / f"{name}.png" for name in ("rate", "latency", "partners")}
    with _plot(files["rate"], "Offered and achieved", "actions / s") as axes:
        _draw_rate(axes, timeline)
    with _plot(files["latency"], "Time from when a message was due to its answer", "ms") as axes:
        _draw_latency(axes, timeline)
    with _plot(files["partners"], "Messages of each partner", "messages / s") as axes:
        _draw_partners(axes, timeline, [*report["partners"]])
    return files


def _draw_rate(axes: Axes, timeline: Sequence[Json]) -> None:
    at = _times(timeline)
    axes.plot(at, [row["offered_per_s"] for row in timeline], color=_GREY, linewidth=3, label="offered")
    axes.plot(at, [row["achieved_per_s"] for row in timeline], color=_COLOURS[0], linewidth=1.2, label="achieved")
    wrong = [(row["at_s"], row["errors"]) for row in timeline if row["errors"]]
    if wrong:
        axes.scatter(
            [at_s for at_s, _ in wrong],
            [errors for _, errors in wrong],
            color=_COLOURS[6],
            s=12,
            label="errors",
            zorder=3,
        )
    axes.set_ylim(bottom=0)


def _draw_latency(axes: Axes, timeline: Sequence[Json]) -> None:
    for name, colour in (("p50", _COLOURS[2]), ("p95", _COLOURS[1]), ("p99", _COLOURS[6])):
        points = [row for row in timeline if row[f"{name}_ms"] is not None]
        axes.plot(_times(points), [row[f"{name}_ms"] for row in points], color=colour, linewidth=1.2, label=name)
    if any(row["p50_ms"] for row in timeline):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:g}"[0] in "25" else ""))


def _draw_partners(axes: Axes, timeline: Sequence[Json], partners: Sequence[str]) -> None:
    """Smoothed: a partner that sends twice a second would be a comb."""
    sums = {name: sum(row["partners_per_s"].get(name, 0.0) for row in timeline) for name in partners}
    ranked = sorted(partners, key=lambda name: (-sums[name], name))
    shown, others = ranked[:SHOWN_PARTNERS], ranked[SHOWN_PARTNERS:]
    at = _times(timeline)
    for name, colour in zip(shown, _COLOURS, strict=False):
        rates = _smooth([row["partners_per_s"].get(name, 0.0) for row in timeline])
        axes.plot(at, rates, color=colour, linewidth=1.2, label=name)
    if others:
        rates = _smooth([sum(row["partners_per_s"].get(name, 0.0) for name in others) for row in timeline])
        axes.plot(at, rates, color=_GREY, linewidth=1.2, linestyle="--", label=f"{len(others)} others together")
    axes.set_ylim(bottom=0)


def _times(timeline: Sequence[Json]) -> list[float]:
    return [float(row["at_s"]) for row in timeline]


def _smooth(rates: Sequence[float]) -> list[float]:
    """Each as the mean of those around it, over a twentieth of the run."""
    reach = max(1, len(rates) // 40)
    windows = (rates[max(0, index - reach) : index + reach + 1] for index in range(len(rates)))
    return [sum(window) / len(window) for window in windows]


@contextmanager
def _plot(file: Path, title: str, unit: str) -> Iterator[Axes]:
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("seconds")
    axes.set_ylabel(unit)
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    yield axes
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    # Without the version of the library, so that the same run gives the same file.
    figure.savefig(file, metadata={"Software": None})
