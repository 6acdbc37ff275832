"""Messages that name no receiver, and where they go: the words of the tests of open routing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from routing.bodies import read_members
from routing.clues import Clues, Index, SessionFacts, SessionKnown, Way, WaysOf
from routing.decision import decide
from routing.directory import PartyDirectory, PlatformPart
from routing.message import Message
from routing.modules import operation_at
from routing.open_routing import Rules
from routing.routes import FanOut, Forward, Route
from routing.translation.questions import Question, TokenFacts, TokensOfContract, TokensOfUid
from routing.vocabulary import ConnectionStatus, InterfaceRole, Party, Role, Version
from tests.routing.directories import company

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
HUB: Final = Party("EU", "HUB")
C1, C2, C3, E1, E2, NSP, NAP, SCSP, OTHER, PTP = (
    Party("NL", name) for name in ("CP1", "CP2", "CP3", "MS1", "MS2", "NSP", "NAP", "SCS", "OTH", "PTP")
)
SIBLING: Final = Party("NL", "SIB")
NOBODY: Final = Party("XX", "XXX")
OLD_CPO, OLD_EMSP = Party("DE", "OLC"), Party("DE", "OLM")

Known = Mapping[Question[Any], Any]


def market(*more: PlatformPart) -> PartyDirectory:
    """A directory with a party of every role, two CPOs and two eMSPs among them, the newest version everywhere."""
    newest = Version.V2_3_0
    parts = [
        company("c1", {C1: [Role.CPO], SIBLING: [Role.EMSP]}, newest),
        company("c2", {C2: [Role.CPO]}, newest),
        company("e1", {E1: [Role.EMSP]}, newest),
        company("e2", {E2: [Role.EMSP]}, newest),
        company("n", {NSP: [Role.NSP]}, newest),
        company("a", {NAP: [Role.NAP]}, newest),
        company("s", {SCSP: [Role.SCSP]}, newest),
        company("o", {OTHER: [Role.OTHER]}, newest),
        company("p", {PTP: [Role.PTP]}, newest),
    ]
    by_id = {each.platform.id: each for each in [*parts, *more]}
    return PartyDirectory.of(1, by_id.values())


MARKET: Final = market()


def message(
    sender: Party,
    module: str,
    interface: InterfaceRole,
    method: str,
    path: str = "",
    *,
    query: str = "",
    body: Mapping[str, Any] | None = None,
    to: Party | None = None,
    version: Version = Version.V2_3_0,
) -> Message:
    """A message of the newest version that names no receiver, unless another is wanted."""
    segments = tuple(path.split("/")) if path else ()
    written = None if body is None else json.dumps(body).encode()
    return Message(
        version, operation_at(version, module, interface, method, segments), segments, query, sender, to, written
    )


def way(
    sent: Message, known: Known | None = None, directory: PartyDirectory = MARKET, rules: Rules | None = None
) -> Route:
    """Where it goes, with this known and nothing else."""
    platform = directory.platform_of(sent.sender)
    own = () if platform is None else directory.voices_of(platform)
    members = {} if sent.body is None else read_members(sent.body)
    return decide(sent, members, own, directory, HUB, rules or Rules(), Clues(known or {}))


def receiver(
    sent: Message, known: Known | None = None, directory: PartyDirectory = MARKET, rules: Rules | None = None
) -> Party:
    """The one party that it goes to."""
    route = way(sent, known, directory, rules)
    assert isinstance(route, Forward), route
    return route.receiver


def asked(
    sent: Message, known: Known | None = None, directory: PartyDirectory = MARKET, rules: Rules | None = None
) -> list[Party]:
    """Those who are asked about a Token."""
    route = way(sent, known, directory, rules)
    assert isinstance(route, FanOut), route
    return [each.receiver for each in route.asked]


# What is known


def leads(index: Index, *key: str, to: Party | Iterable[Way]) -> dict[Question[Any], Any]:
    """That this leads there."""
    ways = (Way(to),) if isinstance(to, Party) else tuple(to)
    return {WaysOf(index, key): ways}


def of(party: Party, identifier: str) -> tuple[str, str, str]:
    """The key of an id of this party."""
    return (*party, identifier)


def session(owner: Party, session_id: str, emsp: Party | None, status: str = "ACTIVE") -> dict[Question[Any], Any]:
    """That this Session is that eMSP's."""
    return {SessionKnown(owner, session_id): SessionFacts(emsp, status)}


def token(
    owner: Party,
    *,
    uid: str = "U1",
    contract_id: str = "C1",
    token_type: str = "RFID",  # noqa: S107 - no secret
    valid: bool = True,
    last_updated: str = "2026-01-01T00:00:00Z",
) -> TokenFacts:
    """A Token that was seen."""
    return TokenFacts(owner, uid, token_type, contract_id, valid, last_updated)


def of_uid(uid: str, *tokens: TokenFacts) -> dict[Question[Any], Any]:
    """The Tokens that have this uid."""
    return {TokensOfUid(None, uid): tokens}


def of_contract(contract_id: str, *tokens: TokenFacts) -> dict[Question[Any], Any]:
    """The Tokens of this contract."""
    return {TokensOfContract(None, contract_id): tokens}


def away(platform_id: str, party: Party, role: Role, status: ConnectionStatus) -> PlatformPart:
    """A company of one party that cannot be called."""
    return company(platform_id, {party: [role]}, Version.V2_3_0, status=status)
