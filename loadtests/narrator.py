"""Prints what really went over the wire: who sent what to whom, and what came back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import click
import msgspec

from loadtests.simulator import Answer, Partner, Received
from loadtests.simulator.messages import Sent

_WIDEST_BODY = 96


class _Line(NamedTuple):
    at: datetime
    who: str
    text: str


class Narrator:
    """Tells, step by step, what these partners and the hub said to each other."""

    def __init__(self, partners: Sequence[Partner]) -> None:
        self._partners = partners
        self._width = max(len(partner.name) for partner in partners)
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print what happens in the block, when it is over, under this title."""
        self._steps += 1
        begun = datetime.now(UTC)
        click.echo(f"\n{self._steps}. {title}\n")
        try:
            yield
        finally:
            for line in self._lines(begun):
                click.echo(f"   {line.who}  {line.text}")

    def result(self, text: str) -> None:
        """Print what a step showed."""
        click.echo(f"\n   = {text}")

    def _lines(self, since: datetime) -> list[_Line]:
        lines: list[_Line] = []
        for partner in self._partners:
            outward, inward, back = (self._arrow(partner, arrow) for arrow in ("─▶ hub", "◀─ hub", "◀┄ hub"))
            for sent in partner.sent:
                if sent.at >= since:
                    lines.append(_Line(sent.at, outward, _request(sent, urlsplit(sent.url).path, sent.url)))
                    lines.append(_Line(sent.answered_at, back, _answer(sent.answer)))
            lines += [
                _Line(request.at, inward, _request(request, request.raw_path, f"?{request.query}"))
                for request in partner.ledger
                if request.at >= since
            ]
        return sorted(lines, key=lambda line: line.at)

    def _arrow(self, partner: Partner, arrow: str) -> str:
        return f"{partner.name:<{self._width}} {arrow}"


def _request(request: Sent | Received, path: str, url: str) -> str:
    query = urlsplit(url).query
    words = [request.method, f"{path}?{query}" if query else path]
    if request.sender is not None:
        words.append(f" {request.sender} → {request.receiver or 'whom it concerns'}")
    if request.body:
        words.append(f" {_clipped(request.body)}")
    return " ".join(words)


def _answer(answer: Answer) -> str:
    try:
        envelope = answer.envelope
    except msgspec.MsgspecError:
        return f"HTTP {answer.http_status} {_clipped(answer.body)}"
    words = [f"HTTP {answer.http_status}, {envelope.status_code}"]
    if envelope.status_message:
        words.append(envelope.status_message)
    if isinstance(envelope.data, list):
        words.append(f"{len(envelope.data)} of {answer.header('x-total-count') or len(envelope.data)}")
    elif envelope.data is not None:
        words.append(_clipped(msgspec.json.encode(_masked(envelope.data))))
    if answer.header("location"):
        words.append(f"Location {answer.header('location')}")
    return ", ".join(words) + (", and there is a next page" if answer.next_url else "")


def _masked(data: object) -> object:
    """Credentials without their token."""
    return data | {"token": "***"} if isinstance(data, dict) and "token" in data and "url" in data else data


def _clipped(body: bytes) -> str:
    try:
        body = msgspec.json.encode(_masked(msgspec.json.decode(body)))
    except msgspec.MsgspecError:
        return repr(body[:_WIDEST_BODY])
    text = body.decode()
    return text if len(text) <= _WIDEST_BODY else f"{text[:_WIDEST_BODY]}…"
