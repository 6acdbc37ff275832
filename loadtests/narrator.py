"""Prints what really went over the wire: who sent what to whom, and what came back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import click
import msgspec

from loadtests.hub_process import Operator
from loadtests.simulator import Answer, Json, Partner, Received
from loadtests.simulator.messages import Sent
from routing.translation.losses import CATALOGUE

_WIDEST_BODY = 96
_WIDEST_CHANGE = 400
_JOURNAL_WITHIN_S = 2.0
_MOST_MESSAGES = 200


class _Line(NamedTuple):
    at: datetime
    who: str
    text: str


class Narrator:
    """Tells, step by step, what these partners and the hub said to each other."""

    def __init__(self, partners: Sequence[Partner], operator: Operator) -> None:
        """`operator` can say what was lost between versions."""
        self._partners = partners
        self._operator = operator
        self._told: Counter[str] = Counter()
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
            self._tell_losses()

    def became(self, sender: Partner, before: Json, receiver: Partner, after: Json) -> None:
        """Print what an object was and what it has become, as far as it changed."""
        click.echo()
        for partner, this, other in ((sender, before, after), (receiver, after, before)):
            changed = {name: value for name, value in this.items() if name not in other or other[name] != value}
            click.echo(f"   {partner.version:<5}  {_clipped(msgspec.json.encode(changed), _WIDEST_CHANGE)}")

    def _tell_losses(self) -> None:
        losses = self._losses()
        for loss, times in sorted((losses - self._told).items()):
            often = "" if times == 1 else f", {times} times"
            click.echo(f"   {'':<{self._width}}    {loss}{often}: {CATALOGUE[loss].happens}")
        self._told = losses

    def _losses(self) -> Counter[str]:
        """How often each loss is in the journal, as soon as that has every message."""
        deadline = time.monotonic() + _JOURNAL_WITHIN_S
        said = sum(_is_message(sent) for partner in self._partners for sent in partner.sent)
        while True:
            messages = self._operator.ask("GET", f"/api/v1/messages?limit={_MOST_MESSAGES}")["items"]
            if len(messages) >= said or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        found: Counter[str] = Counter()
        for message in messages:
            for lost in message["losses"]:
                found[lost["loss"]] += lost["count"]
        return found

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


def _is_message(sent: Sent) -> bool:
    """Whether the hub carries this, or answers it for another: everything but registration."""
    path = urlsplit(sent.url).path
    return "/sender/" in path or "/receiver/" in path or "/cpo/" in path or "/emsp/" in path


def _clipped(body: bytes, widest: int = _WIDEST_BODY) -> str:
    try:
        body = msgspec.json.encode(_masked(msgspec.json.decode(body)))
    except msgspec.MsgspecError:
        return repr(body[:widest])
    text = body.decode()
    return text if len(text) <= widest else f"{text[:widest]}…"
