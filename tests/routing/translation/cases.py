"""Examples of translations, as data: what goes in, what comes out, and what is known meanwhile.

A file of `examples/` has one theme. `defaults` are members of all its cases; a case is one sentence that is true:

- `from`, `to`: version, side and party, such as `2.1.1 CPO NL*HUA`; without a party it is one that nobody knows
- `kind`: what travels; null where the text defines no data
- `mode`: `full` and `patch` are the body of a request, `query` is its query. `answer` is the data of an answer, `list`
  and `envelope` are whole answers, `status` is one with its HTTP status, and `by_hub` is what the hub says instead
- `request`: which one it is, or the one that is answered, such as `PUT tokens RECEIVER FR/EMO/T1`
- `body`: what the request of a `query` carries
- `owner`: whose object it is, unless it is the sender's
- `known`: answers to questions, each named by its class in `routing.translation.questions`
- `before` and `after`: the members of `after` are in the order they are sent in. `losses` are ids
- `put`, `nothing_left`, `withheld`: what else has to be true afterwards
- `refusal`: instead of an `after`
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from routing.dialects import DIALECTS
from routing.message import Answer
from routing.modules import Operation, operation_at
from routing.outcome import in_codes_of
from routing.quirks import Quirks
from routing.translation import messages, questions
from routing.translation.crossing import AnsweredByHub, Crossing, Side
from routing.translation.kinds import Kind
from routing.translation.queries import query_to
from routing.translation.questions import Question
from routing.translation.stand_ins import stand_in
from routing.vocabulary import InterfaceRole, Party, Version

NOW: Final = datetime(2024, 3, 1, 9, 0, 0, tzinfo=UTC)
"""When the hub receives every message of the examples."""
NOBODY: Final = Party("XX", "XXX")
_FILES: Final = Path(__file__).with_name("examples")
_SECOND: Final = "2024-03-01T09:00:00Z"
_PARTIES: Final = ("cpo", "emsp", "owner", "receiver", "viewer")
_read = msgspec.json.Decoder(float_hook=Decimal).decode
_write = msgspec.json.Encoder(decimal_format="number").encode


class Refusal(Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender is told instead: the id of the reason, and both statuses."""

    rule: str
    ocpi_status: int
    http_status: int


class Case(Struct, forbid_unknown_fields=True, rename={"origin": "from", "destination": "to"}):
    """One example."""

    name: str
    kind: Kind | None
    mode: Literal["full", "patch", "query", "answer", "list", "envelope", "status", "by_hub"]
    origin: str
    destination: str
    before: Any
    after: Any = None
    losses: tuple[str, ...] = ()
    refusal: Refusal | None = None
    request: str = ""
    body: Any = None
    owner: str | None = None
    origin_quirks: Quirks = Quirks()
    destination_quirks: Quirks = Quirks()
    owner_quirks: Quirks = Quirks()
    known: tuple[dict[str, Any], ...] = ()
    owner_details: dict[str, Any] | None = None
    object_ids: tuple[str, ...] = ()
    uid_asked: str | None = None
    type_asked: str | None = None
    type_sent: str | None = None
    answered_at: str = _SECOND
    put: bool = False
    nothing_left: bool = False
    withheld: tuple[str, ...] = ()

    def crossing(self) -> Crossing:
        """What the steps of this example may know."""
        origin, destination = _end(self.origin), _end(self.destination)
        parties = {end.side: end.party for end in (origin, destination)}
        return Crossing(
            origin=Side(origin.version, origin.party or NOBODY, self.origin_quirks),
            destination=Side(destination.version, destination.party or NOBODY, self.destination_quirks),
            owner=_party(self.owner) if self.owner else origin.party or NOBODY,
            now=NOW,
            cpo=parties["CPO"],
            emsp=parties["eMSP"],
            patch=self.mode == "patch",
            answer=self.mode in ("answer", "list", "envelope"),
            owner_details=self.owner_details,
            owner_quirks=self.owner_quirks,
            object_ids=self.object_ids,
            uid_asked=self.uid_asked,
            type_asked=self.type_asked,
            type_sent=self.type_sent,
            known=dict(map(_known, self.known)),
        )

    def translated(self, crossing: Crossing) -> tuple[Any, tuple[str, ...]]:
        """What comes out, and the ids of what was left out of a list."""
        match self.mode:
            case "full" | "patch":
                assert self.kind is not None
                return _read(messages.request_body(_write(self.before), self.kind, crossing).body), ()
            case "answer":
                assert self.kind is not None
                envelope = {"data": self.before, "status_code": 1000, "timestamp": self.answered_at}
                answered = messages.answer_body(_write(envelope), self.kind, crossing)
                return _read(answered.body)["data"], ()
            case "envelope" if self.kind is None:
                source, target = crossing.origin.version, crossing.destination.version
                body, loss = messages.without_data(_write(self.before), source, target)
                crossing.losses += () if loss is None else (loss,)
                return _read(body), ()
            case "list" | "envelope":
                assert self.kind is not None
                answered = messages.answer_body(_write(self.before), self.kind, crossing, paged=self.mode == "list")
                return _read(answered.body), tuple(one.object_id for one in answered.withheld)
            case "query":
                carried = None if self.body is None else _write(self.body)
                return query_to(self.before, self._operation(), carried, crossing), ()
            case "status":
                return self._with_status(), ()
            case "by_hub":
                return self._said_by_hub(crossing), ()

    def _segments(self) -> tuple[str, ...]:
        path = self.request.split()[3:]
        return tuple(path[0].split("/")) if path else ()

    def _operation(self) -> Operation:
        method, module, interface = self.request.split()[:3]
        return operation_at(_end(self.origin).version, module, InterfaceRole(interface), method, self._segments())

    def _with_status(self) -> Any:  # noqa: ANN401 - any JSON
        envelope, http_status = self.before["envelope"], self.before["http_status"]
        requester, receiver = (DIALECTS[_end(end).version] for end in (self.destination, self.origin))
        answer = Answer(http_status, envelope["status_code"], _write(envelope), NOBODY)
        answer = in_codes_of(requester, answer, self._operation(), NOW, receiver)
        return {"http_status": answer.http_status, "envelope": _read(answer.body)}

    def _said_by_hub(self, crossing: Crossing) -> Any:  # noqa: ANN401 - any JSON
        try:
            stand_in(self._operation(), self._segments(), crossing.destination.version, crossing.destination.quirks)
        except AnsweredByHub as answered:
            return {"rule": answered.rule, "data": answered.data}
        return None


class _End(Struct):
    version: Version
    side: str
    party: Party | None


def _end(text: str) -> _End:
    version, side, *party = text.split()
    return _End(Version(version), side, _party(party[0]) if party else None)


def _party(text: str) -> Party:
    return Party(*text.split("*"))


def _known(entry: Mapping[str, Any]) -> tuple[Question[Any], Any]:
    asked: type[Question[Any]] = getattr(questions, entry["question"])
    [of_answer] = get_args(asked.__orig_bases__[0])  # type: ignore[attr-defined]  # every generic class has them
    about = {name: value for name, value in entry.items() if name not in ("question", "answer")}
    return msgspec.convert(_with_parties(about), asked), msgspec.convert(_with_parties(entry["answer"]), of_answer)


def _with_parties(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same, with parties as the pairs they are."""
    if isinstance(value, dict):
        return {
            name: part.split("*") if name in _PARTIES and isinstance(part, str) else _with_parties(part)
            for name, part in value.items()
        }
    return [_with_parties(part) for part in value] if isinstance(value, list) else value


def read_cases() -> list[Case]:
    """All examples, in the order of their files."""
    return [
        msgspec.convert({**file["defaults"], **case}, Case)
        for file in (_read(path.read_bytes()) for path in sorted(_FILES.glob("*.json")))
        for case in file["cases"]
    ]
