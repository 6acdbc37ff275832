"""What the operator API takes and gives, and how it follows from what the store knows.

Parties are objects in bodies and `NL*ABC` wherever they are one word. Tokens are in no answer but the one that
creates them. `face` here is the **partner's** role; elsewhere in the hub a `Face` is how the hub poses towards it,
which is the opposite. `hub_face` and `partner_face` are the only places where one becomes the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from hub.circuits import CircuitNow, State
from hub.settings import Settings
from hub.store.records import ConnectionRecord, Direction, InvitationRecord, LossRecord, PartyRecord, PlatformRecord
from routing.quirks import Quirks
from routing.translation.losses import CATALOGUE
from routing.vocabulary import ConnectionStatus, Face, InterfaceRole, Party, Role, Version

CountryCode = Annotated[str, Meta(pattern=r"^[A-Za-z]{2}$(?!\n)", description="ISO 3166 alpha-2.", examples=["NL"])]
PartyID = Annotated[str, Meta(pattern=r"^[!-~]{1,3}$(?!\n)", description="As in OCPI.", examples=["ABC"])]
PartyText = Annotated[str, Meta(description="Country code and party id in one word.", examples=["NL*ABC"])]
Name = Annotated[str, Meta(min_length=1, max_length=100, examples=["Example Charging"])]
ModuleName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$(?!\n)", examples=["locations"])]
PartnerURL = Annotated[str, Meta(min_length=1, max_length=255, examples=["https://example.com/ocpi/versions"])]
Token = Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
_FINGERPRINT: Final = 8
Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339, with an offset or Z.")]


class PartnerFace(StrEnum):
    """Which of the two roles a 2.1.1 partner has on one connection; 2.1.1 itself cannot say it."""

    CPO = "CPO"
    EMSP = "EMSP"


def hub_face(partner: PartnerFace | None) -> Face | None:
    """How the hub poses towards a partner of this role."""
    match partner:
        case None:
            return None
        case PartnerFace.CPO:
            return Face.EMSP
        case PartnerFace.EMSP:
            return Face.CPO


def partner_face(face: Face | None) -> PartnerFace | None:
    """The role of a partner towards whom the hub poses like this."""
    match face:
        case None:
            return None
        case Face.EMSP:
            return PartnerFace.CPO
        case Face.CPO:
            return PartnerFace.EMSP


# ---------------------------------------------------------------- what goes in


class InvitedParty(Struct, frozen=True, forbid_unknown_fields=True):
    """A party and role that a platform is expected to register."""

    country_code: CountryCode
    party_id: PartyID
    role: Role

    @property
    def party(self) -> Party:
        """In the spelling the hub uses."""
        return Party.read(self.country_code, self.party_id)


class NewPlatform(Struct, frozen=True, forbid_unknown_fields=True):
    """An invitation for a platform that is not connected yet."""

    name: Name
    parties: Annotated[list[InvitedParty], Meta(max_length=1000)] = []
    """The only ones it may register; whichever are free when empty."""
    face: PartnerFace | None = None
    version: Version | None = None
    require_modules: Annotated[list[ModuleName], Meta(max_length=100)] = []
    allow_hub: bool = False
    expires_at: Moment | None = None


class PlatformChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; the rest stays."""

    name: Name | None = None
    settings: Annotated[
        dict[str, Any],
        Meta(description="Some of the keys that a platform's `settings` has; null brings back the default."),
    ] = {}


class Connect(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the partner's versions endpoint is, and the token it gave for a first contact."""

    versions_url: PartnerURL
    token_a: Token


class Invite(Struct, frozen=True, forbid_unknown_fields=True):
    """A further invitation. `face` is needed for a 2.1.1 partner."""

    face: PartnerFace | None = None


# ---------------------------------------------------------------- what comes out


class PartyView(Struct, frozen=True):
    """One role of one party. A party with two roles is two of these, with one id."""

    id: PartyText
    country_code: CountryCode
    party_id: PartyID
    role: Role
    name: str | None
    """Of the business details it registered with."""
    status: ConnectionStatus
    suspended: bool
    """By the operator, this party alone; a whole platform may be suspended, too."""
    platform_id: str
    """Of a party behind another hub, that hub's."""
    last_updated: datetime
    reachable_via: PartyText | None
    """The other hub that announced the party; null for parties of platforms here."""


class PartiesView(Struct, frozen=True):
    """Part of the list of parties."""

    items: tuple[PartyView, ...]
    next_cursor: str | None


class EndpointView(Struct, frozen=True):
    """Where the hub calls a partner. OCPI 2.2.1, "Version details endpoint"."""

    id: str
    module: str
    interface: InterfaceRole
    url: str
    version: Version
    face: PartnerFace | None
    """Set for 2.1.1 only."""


class ConnectionView(Struct, frozen=True):
    """One pair of tokens with a partner, and what goes over it."""

    id: str
    version: Version
    face: PartnerFace | None
    """Set for 2.1.1 only."""
    versions_url: str
    """Where the partner's versions are read."""
    tokens_since: datetime
    """When the present tokens were exchanged."""
    fingerprint: str
    """Of the token the partner presents: it changes with the token, and says nothing about it."""
    auth_encoding: Literal["base64", "plain"] | None
    """How the partner was found to want our token; null while that is not known."""


class InvitationView(Struct, frozen=True):
    """An invitation nobody has used yet, without its token."""

    id: str
    face: PartnerFace | None
    version: Version | None
    parties: tuple[PartyText, ...]
    expires_at: datetime | None
    created_at: datetime


class PlatformSettings(Quirks, frozen=True, omit_defaults=False):
    """The effective settings of a platform: what was set for it, and the defaults. Durations are seconds."""


class CircuitView(Struct, frozen=True):
    """Whether the hub calls a platform. It stops after calls in a row that nobody answered, until somebody does."""

    state: State
    """Of several processes the worst: `probing` is open, and looking whether the platform is back."""
    failures: int
    """Calls and looks in a row that nobody answered."""
    since: datetime | None
    """When it opened; of a closed one, when the failures began. Null where there are none."""


class PlatformHealthView(Struct, frozen=True):
    """How a platform is doing, in a list."""

    messages_1h: int
    """Of the last hour, that it sent and that it was called for; up to five minutes more."""
    ok_share: Annotated[float, Meta(ge=0, le=1)] | None
    """Of these, those that did not fail; null without messages."""
    p95_ms: float | None
    """What 95 % of the calls at it in that hour did not exceed; null below 20 of them."""
    spark: tuple[int, ...]
    """The messages of the last 24 hours, by the hour, the oldest first."""
    circuit: State | None
    open_events: int
    token_age_d: int | None
    """Days since its oldest tokens were exchanged."""
    last_seen: datetime | None
    since: datetime | None
    """Since when it has its status."""
    why: str | None
    """Why it has it."""


class PlatformView(Struct, frozen=True):
    """One platform as an operator sees it."""

    id: str
    name: str
    status: ConnectionStatus
    suspended: bool
    """By an operator, until it is resumed. It is SUSPENDED without that, too, where its registration has ended."""
    version: Version | None
    """In use; before it registers, the one it must register with, if any."""
    is_hub: bool
    allow_hub: bool
    require_modules: tuple[str, ...]
    parties: tuple[PartyView, ...]
    connections: tuple[ConnectionView, ...]
    endpoints: tuple[EndpointView, ...]
    invitations: tuple[InvitationView, ...]
    settings: PlatformSettings
    circuit: CircuitView | None
    """Null while Redis does not answer and other processes cannot be asked."""
    last_seen: datetime | None
    capture_until: datetime | None
    """Until when the journal keeps headers and bodies of its messages; null where it does not."""
    created_at: datetime
    health: PlatformHealthView | None = None
    """In the list of platforms only."""


class PlatformsView(Struct, frozen=True):
    """Part of the list of platforms."""

    items: tuple[PlatformView, ...]
    next_cursor: str | None
    counts: dict[str, int]
    """How many match by status, whichever status is asked for."""
    matched: int
    """How many are in the whole list."""


class LossView(Struct, frozen=True):
    """How often one rule of translation was applied to objects of one kind, to or from one platform."""

    id: str
    direction: Direction
    """`to`: the platform received the object; `from`: it was the platform's."""
    module: str
    object: str | None
    """None when it was something beside an object, such as a URL."""
    loss: Annotated[str, Meta(description="As in docs/translation.md.", examples=["L-24"])]
    other_version: Version
    """What the platform at the other end speaks."""
    count: int
    first_at: datetime
    last_at: datetime
    last_correlation_id: str
    meaning: str | None
    """What happens, and what that means; None for a rule that this version of the hub does not know."""


class LossesView(Struct, frozen=True):
    """Part of the list of what went lost to and from a platform."""

    items: tuple[LossView, ...]
    next_cursor: str | None


class Invited(Struct, frozen=True):
    """What the partner needs in order to register. The token is shown this once."""

    token_a: str
    versions_url: str


class CreatedPlatform(Struct, frozen=True):
    """A new platform, and what the partner needs in order to register. The token is shown this once."""

    id: str
    name: str
    status: ConnectionStatus
    token_a: str
    versions_url: str


def versions_url(settings: Settings) -> str:
    """Where partners begin."""
    return f"{settings.public_url}/ocpi/versions"


def platform_view(
    record: PlatformRecord, settings: Settings, circuits: Mapping[str, CircuitNow] | None
) -> PlatformView:
    """A platform as an operator sees it. `circuits` are those with failures; None when they cannot be known."""
    return PlatformView(
        id=record.id,
        name=record.name,
        status=record.status,
        suspended=record.suspended,
        version=record.connections[0].version if record.connections else record.version,
        is_hub=record.is_hub,
        allow_hub=record.allow_hub,
        require_modules=record.require_modules,
        parties=tuple(view for party in record.parties for view in party_views(party)),
        connections=tuple(map(_connection_view, record.connections)),
        endpoints=_endpoint_views(record),
        invitations=tuple(map(_invitation_view, record.invitations)),
        settings=effective_settings(record.quirks, settings),
        circuit=None if circuits is None else circuit_view(circuits.get(record.id)),
        last_seen=record.last_seen,
        capture_until=record.capture_until,
        created_at=record.created_at,
    )


def circuit_view(circuit: CircuitNow | None) -> CircuitView:
    """A circuit as an operator sees it; one without failures is none."""
    if circuit is None:
        return CircuitView(State.CLOSED, 0, None)
    return CircuitView(circuit.state, circuit.failures, circuit.since)


def party_views(record: PartyRecord) -> list[PartyView]:
    """One view for each role of a party; those that it has no longer are SUSPENDED."""
    roles = [(role.role, _business_name(role.business_details), record.status) for role in record.roles]
    former = [(each.role, None, ConnectionStatus.SUSPENDED) for each in record.former_roles]
    return [
        PartyView(
            id=str(record.party),
            country_code=record.party.country_code,
            party_id=record.party.party_id,
            role=role,
            name=name,
            status=status,
            suspended=record.suspended,
            platform_id=record.platform_id,
            last_updated=record.last_updated,
            reachable_via=None if record.reachable_via is None else str(record.reachable_via),
        )
        for role, name, status in (*roles, *former)
    ]


def loss_view(record: LossRecord) -> LossView:
    """A loss as an operator sees it."""
    rule = CATALOGUE.get(record.loss)
    place = (record.direction, record.module, record.kind, record.loss, record.other_version)
    return LossView(
        id="/".join(place),
        direction=record.direction,
        module=record.module,
        object=record.kind or None,
        loss=record.loss,
        other_version=record.other_version,
        count=record.count,
        first_at=record.first_at,
        last_at=record.last_at,
        last_correlation_id=record.last_correlation_id,
        meaning=None if rule is None else rule.meaning,
    )


def effective_settings(quirks: Quirks, settings: Settings) -> PlatformSettings:
    """The settings of a platform, with the hub's own limit where it has none."""
    values = msgspec.structs.asdict(quirks)
    if quirks.timeout_s is None:
        values["timeout_s"] = settings.forward_timeout_s
    return PlatformSettings(**values)


def _business_name(details: dict[str, Any]) -> str | None:
    name = details.get("name")
    return name if isinstance(name, str) else None


def _connection_view(record: ConnectionRecord) -> ConnectionView:
    return ConnectionView(
        id=record.id,
        version=record.version,
        face=partner_face(record.face),
        versions_url=record.versions_url,
        tokens_since=record.tokens_since,
        fingerprint=record.token_hash.hex()[:_FINGERPRINT],
        auth_encoding=record.auth_encoding,
    )


def _endpoint_views(record: PlatformRecord) -> tuple[EndpointView, ...]:
    return tuple(
        EndpointView(
            id=f"{connection.id}/{endpoint.module}/{endpoint.interface}",
            module=endpoint.module,
            interface=endpoint.interface,
            url=endpoint.url,
            version=connection.version,
            face=partner_face(connection.face),
        )
        for connection in record.connections
        for endpoint in connection.endpoints
    )


def _invitation_view(record: InvitationRecord) -> InvitationView:
    return InvitationView(
        id=record.id,
        face=partner_face(record.face),
        version=record.version,
        parties=tuple(map(str, record.parties)),
        expires_at=record.expires_at,
        created_at=record.created_at,
    )
