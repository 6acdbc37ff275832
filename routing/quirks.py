"""What is odd about one partner, as data. Nothing else in the project knows a partner's habits.

A quirk is one field here, read in one place, described in `docs/quirks.md`, with one test. An
operator switches quirks per platform in its `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

AuthEncoding: TypeAlias = Literal["auto", "base64", "plain"]
Lengths: TypeAlias = Literal["original", "errata"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=300)]
HostName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=253)]


class Quirks(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The settings of one platform, which hold for all its connections. Durations are seconds."""

    auth_encoding: AuthEncoding = "auto"
    """How the partner wants our token in Authorization; `auto` follows its version and what it accepted."""
    strict_ids: bool = False
    """Refuse messages of this partner without X-Request-ID or X-Correlation-ID, instead of giving them one."""
    infer_from: bool = True
    """Fill in a missing OCPI-from when the partner has one party."""
    routing_headers_211: bool = False
    """Believe the routing headers a 2.1.1 partner sends although its version has none."""
    owner_mode: Literal["original", "hub"] = "original"
    """Whose objects this 2.1.1 partner is shown: everybody's, or none but the hub's."""
    id_mode: Literal["first_come", "always"] = "first_come"
    """Which ids a 2.1.1 partner is shown as aliases: those that another owner came with first, or all."""
    operator_owner_id: bool = False
    """Tell a 2.1.1 partner whose an object is: in the name of a Location's operator, and in the issuer of a Token."""
    trailing_slash: bool = False
    """End every URL called at this partner in a slash."""
    lowercase_party_ids: bool = False
    """Write country codes and party ids in lower case to this partner: in routing headers and in owner segments."""
    no_patch: bool = False
    """This partner takes no PATCH of objects that are pushed to it: it gets the whole object in a PUT."""
    empty_data: Literal["null", "{}", "[]"] | None = None
    """The `data` of answers to this partner where the text demands none; left out when absent."""
    timeout_s: Seconds | None = None
    """How long this partner may take to answer a message; the hub's own limit when absent."""
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 32
    """How many messages the hub has under way at this partner at once."""
    max_page: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    """The longest page this partner is asked for; that of the module when absent."""
    hosts_allowed: tuple[HostName, ...] = ()
    """Hosts of this partner beside those of its versions URL and its endpoints."""
    custom_modules: tuple[HostName, ...] = ()
    """Custom module identifiers this partner may use. OCPI 2.2.1, "Custom Modules"."""
    broadcast_per: Literal["party", "platform"] = "party"
    """How often this partner gets what is pushed to everybody: for each of its parties, or once."""
    get_all_partial: Literal["allow", "reject"] | None = None
    """What this partner gets when a part of a list of everybody's is missing; the hub's own choice when absent."""
    hub_priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 100
    """Of two hubs that both announce a party, the one with the lower number is called."""

    trace_context: bool = False
    """This partner takes part in the hub's traces: it gets `traceparent`, and is believed when it sends one."""
    credentials_refresh: Annotated[int, Meta(ge=1, le=86400)] = 600
    """How soon this partner of 2.3.0 is told, in the hub's credentials, that other parties can be reached."""

    # What a 2.1.1 partner gets, and how what it sends is understood, when the other side speaks a later version.
    default_time_zone: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    """IANA name of the `time_zone` of this partner's Locations that have none."""
    keep_fields: tuple[Annotated[str, Meta(min_length=1, max_length=255)], ...] = ()
    """Members of later versions this partner wants all the same, such as `cdr.signed_data` or `*.party_id`."""
    enum_passthrough: bool = False
    """Leave values of enums as they are, also those that 2.1.1 does not have."""
    ascii_only: bool = False
    """Spell texts for people in ASCII."""
    id_alias: bool = False
    """Shorten identifiers that are too long for the other version, instead of refusing them."""
    no_fraction: bool = False
    """Cut fractions of seconds off."""
    dates_without_z: bool = False
    """Add the Z to moments that come without one, from this partner and for it."""
    forward_unpublished: bool = False
    """Deliver Locations with `publish` false, which 2.1.1 cannot say."""
    credit_as_negative: bool = False
    """Deliver credit CDRs as CDRs with a negative total, instead of refusing them."""
    strict_tariffs: bool = True
    """Refuse a Tariff restricted by current, instead of leaving that element out."""
    patch_periods: Literal["auto", "append"] = "auto"
    """What `charging_periods` in a PATCH of this CPO are: found out by a look at the receiver's copy, or new ones."""
    command_timeout_s: Annotated[int, Meta(ge=0, le=86400)] = 60
    """The `timeout` of this CPO's answers to commands, which 2.1.1 does not have."""
    default_vat_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    """The VAT in percent on the prices of this CPO, which 2.1.1 does not say."""
    fill_operator: bool = True
    """Fill a Location's missing `operator` with the business details of its owner."""
    synth_command_timeout: bool = False
    """Tell this eMSP `TIMEOUT` when the result of a command did not come in time."""

    # What a partner of 2.2, 2.2.1 or 2.3.0 gets when the other side speaks another version.
    residue: bool = False
    """Put back what 2.1.1 took away when this partner reads its own object at a partner of 2.1.1."""
    additive: Literal["drop", "keep"] = "drop"
    """What becomes of members that are new in a later version and change the meaning of nothing else."""
    extra_enum_values: Mapping[str, tuple[str, ...]] = {}
    """Values beyond those of its version that this partner understands, by enum: `{"ConnectorType": ["MCS"]}`."""
    lengths: Lengths | None = None
    """Which lengths of texts this partner holds to; when absent, `original` for 2.2 and `errata` for later ones."""
    default_tax_name: Annotated[str, Meta(min_length=1, max_length=255)] = "VAT"
    """The name of the tax on the prices of this owner, for 2.3.0."""
    gross_tariff: Literal["pass", "refuse"] = "pass"
    """What becomes of a Tariff with tax included at a rate nobody states."""
    signed_oversize: Literal["drop", "pass"] = "drop"
    """What becomes of signed data that is too long for this partner."""
    home_compensation: Literal["drop", "refuse"] = "drop"
    """What becomes of a CDR for home charging compensation at a partner of 2.2, which has no mark for it."""
    cdr_unknown_connector: str = "pass"
    """The ConnectorType that stands in CDRs for one that this partner does not know; `pass` leaves it."""
    notify_losses: bool = False
    """Name the rules that changed a pushed object in the header Translation-Loss of the answer."""
