"""How a run goes, while it goes: a line every few seconds."""

from __future__ import annotations

from time import monotonic

import gevent

from loadtests.load.histogram import Histogram
from loadtests.load.recording import Recording
from loadtests.load.shapes import Shape

_EVERY_S = 5
_BEHIND_S = 2
"""What happened in the last seconds may still be under way from other processes."""


class Progress:
    """Prints offered and achieved rate, p99 and errors of the seconds since the line before."""

    def __init__(self, recording: Recording, shape: Shape) -> None:
        self._recording = recording
        self._shape = shape
        self._shown_s = 0

    def show(self, begun: float) -> None:
        """Print until this greenlet is ended; the run began at this time of the monotonic clock."""
        print(f"{'time':>7} {'offered/s':>10} {'achieved/s':>11} {'p99 ms':>9} {'errors':>8}", flush=True)  # noqa: T201 - to people
        while True:
            gevent.sleep(_EVERY_S - (monotonic() - begun) % _EVERY_S)
            line = self._line(int(monotonic() - begun) - _BEHIND_S)
            if line is not None:
                print(line, flush=True)  # noqa: T201 - to people

    def _line(self, until_s: int) -> str | None:
        width = self._recording.span_s
        until_s -= until_s % width
        spans = [span for begin, span in list(self._recording.spans.items()) if self._shown_s <= begin < until_s]
        seconds = until_s - self._shown_s
        if seconds <= 0:
            return None
        self._shown_s = until_s
        together = Histogram()
        for span in spans:
            together.merge(span.histogram)
        p99 = together.quantile_ms(0.99)
        offered = sum(span.offered for span in spans) / seconds
        done = sum(span.done for span in spans) / seconds
        failed = sum(span.failed for span in spans)
        text = "-" if p99 is None else f"{p99:,.1f}"
        clock = f"{until_s // 60:02}:{until_s % 60:02}"
        return f"{clock:>7} {offered:>10,.1f} {done:>11,.1f} {text:>9} {failed:>8,}"
