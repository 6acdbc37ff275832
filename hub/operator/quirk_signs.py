"""What the hub sees of the habits that settings of platforms are for: one sign for each setting, or why there is none.

Rules are those of docs/translation.md, and are counted for good. All else is counted within a day.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from hub.figures import Habit
from hub.store.journal_entries import Failure
from hub.store.records import Direction
from routing.vocabulary import Version

_EVERY: Final = frozenset(Version)
_OLD: Final = frozenset({Version.V2_1_1})
_NEWER: Final = _EVERY - _OLD
_TO: Final = (Direction.TO,)
_FROM: Final = (Direction.FROM,)


class Sign(Struct, frozen=True):
    """What speaks for a setting. Exactly one of `habit`, `failure` and `rules` says where it is counted."""

    what: str
    habit: Habit | None = None
    failure: Failure | None = None
    """Of calls at the platform."""
    rules: Collection[str] = ()
    directions: tuple[Direction, ...] = _TO
    """Of the objects that the rules were applied to, seen from the platform."""
    versions: frozenset[Version] = _EVERY
    """Those of the platform that have such a thing."""
    hidden_at: tuple[object, ...] = ()
    """Values of the setting with which it cannot be seen."""


_LEFT_OUT: Final = (
    *("L-06", "L-14", "L-23", "L-33", "L-42", "L-50", "L-51", "L-52", "L-53", "L-54", "L-60", "L-61", "L-62"),
    *("L-63", "L-71", "L-72", "L-73", "L-75", "L-81", "L-82", "L-87"),
)
"""Rules that leave out members which `keep_fields` can keep."""
_VALUES_211: Final = ("L-16", "L-20", "L-21", "L-22", "L-32", "L-38", "L-40", "L-58", "L-70", "L-85", "RF-04")
"""Rules that `enum_passthrough` can do without."""
_EXTRA: Final = (
    *("L-16", "L-20", "L-21", "L-22", "L-40", "L-58", "RF-04"),
    *("M-25", "M-26", "M-27", "M-28", "M-29", "M-30", "M-31", "M-32", "M-33", "M-35", "M-36"),
    *("M-40", "M-41", "M-51", "M-52", "M-89", "M-90"),
)
"""Rules about values that `extra_enum_values` can let pass."""
_ADDED: Final = ("M-10", "M-20", "M-21", "M-22", "M-23", "M-24", "M-50", "M-82", "M-83", "M-85", "M-87")
"""Rules that `additive` can do without."""

SIGNS: Final[dict[str, Sign]] = {
    "auth_encoding": Sign("calls at it where it refused the hub's token", failure=Failure.REFUSES_TOKEN),
    "strict_ids": Sign(
        "messages without X-Request-ID or X-Correlation-ID", habit=Habit.NO_MESSAGE_IDS, versions=_NEWER
    ),
    "infer_from": Sign("messages without OCPI-from", habit=Habit.NO_SENDER, versions=_NEWER),
    "routing_headers_211": Sign("messages with routing headers", habit=Habit.ROUTING_HEADERS_211, versions=_OLD),
    "owner_mode": Sign("objects put there that it answered with 404", habit=Habit.PUT_NOT_FOUND, versions=_OLD),
    "trailing_slash": Sign("calls that it answered with a redirect", habit=Habit.REDIRECTED),
    "lowercase_party_ids": Sign("messages with OCPI-from in lower case", habit=Habit.LOWER_CASE, versions=_NEWER),
    "no_patch": Sign("PATCHes that it answered with 405 or 501", habit=Habit.PATCH_REFUSED, hidden_at=(True,)),
    "timeout_s": Sign("calls that it did not answer in time", failure=Failure.TIMEOUT),
    "concurrency": Sign("messages for it that found no free slot", habit=Habit.NO_SLOT),
    "hosts_allowed": Sign("links to hosts that are not its own", habit=Habit.FOREIGN_HOST),
    "custom_modules": Sign("messages to modules that OCPI does not have", habit=Habit.CUSTOM_MODULE),
    "default_time_zone": Sign("Locations without time_zone", rules=("L-17",), directions=_FROM, versions=_OLD),
    "keep_fields": Sign("members left out of what it got", rules=_LEFT_OUT, versions=_OLD),
    "enum_passthrough": Sign(
        "values 2.1.1 does not have, on their way to it", rules=_VALUES_211, versions=_OLD, hidden_at=(True,)
    ),
    "ascii_only": Sign("texts spelled in ASCII for it", rules=("L-03",), versions=_OLD, hidden_at=(False,)),
    "id_alias": Sign("ids too long for the other version", rules=("L-10", "RF-01"), directions=(*_FROM, *_TO)),
    "no_fraction": Sign("fractions of seconds cut for it", rules=("L-02",), hidden_at=(False,)),
    "dates_without_z": Sign("moments without a zone, in what was translated", habit=Habit.NO_ZONE),
    "forward_unpublished": Sign(
        "times that a Location was kept from it as not public", rules=("RF-03",), versions=_OLD, hidden_at=(True,)
    ),
    "credit_as_negative": Sign(
        "CDRs kept from it for a credit", rules=("RF-05", "RF-18"), versions=_OLD, hidden_at=(True,)
    ),
    "strict_tariffs": Sign("Tariffs or elements of them kept from it", rules=("RF-06", "L-64"), versions=_OLD),
    "patch_periods": Sign(
        "PATCHes with charging_periods refused, as the receiver's copy could not be read",
        rules=("RF-17",),
        directions=_FROM,
        versions=_OLD,
        hidden_at=("append",),
    ),
    "command_timeout_s": Sign("answers to commands without timeout", rules=("L-83",), directions=_FROM, versions=_OLD),
    "default_vat_pct": Sign(
        "prices that got the VAT", rules=("L-63",), directions=_FROM, versions=_OLD, hidden_at=(None,)
    ),
    "fill_operator": Sign("Locations for it without operator", rules=("L-27",), versions=_OLD, hidden_at=(False,)),
    "additive": Sign(
        "members that its version does not have left out for it", rules=_ADDED, versions=_NEWER, hidden_at=("keep",)
    ),
    "extra_enum_values": Sign("values that its version does not have, on their way to it", rules=_EXTRA),
    "lengths": Sign("texts and signed data too long for it", rules=("M-76", "M-86"), versions=_NEWER),
    "default_tax_name": Sign(
        "prices that got the name of a tax", rules=("M-02",), directions=_FROM, versions=_NEWER - {Version.V2_3_0}
    ),
    "gross_tariff": Sign(
        "prices of Tariffs with tax at a rate nobody states", rules=("M-07",), versions=_NEWER - {Version.V2_3_0}
    ),
    "signed_oversize": Sign(
        "CDRs whose signed data was too long for it", rules=("M-86",), versions=_NEWER, hidden_at=("pass",)
    ),
    "home_compensation": Sign(
        "CDRs for home charging compensation", rules=("M-83",), versions=frozenset({Version.V2_2})
    ),
    "cdr_unknown_connector": Sign(
        "CDRs with a connector it does not know", rules=("M-36",), versions=_NEWER - {Version.V2_3_0}
    ),
}
"""By the name of the setting."""

UNSEEN: Final[dict[str, str]] = {
    "id_mode": "It is a choice: the partner shows nothing that speaks for it",
    "operator_owner_id": "It is a choice: the partner shows nothing that speaks for it",
    "empty_data": "A partner that cannot do without data does not say so to the hub",
    "max_page": "A partner that gives shorter pages than it was asked for may have no more",
    "broadcast_per": "It is a choice: the partner shows nothing that speaks for it",
    "get_all_partial": "It is a choice: the partner shows nothing that speaks for it",
    "hub_priority": "It is a choice: the partner shows nothing that speaks for it",
    "trace_context": "It is a choice: the partner shows nothing that speaks for it",
    "credentials_refresh": "It is a choice: the partner shows nothing that speaks for it",
    "synth_command_timeout": "A result that is missing is the other side's doing, not this eMSP's",
    "residue": "Whether the partner misses what it reads back does not show",
    "notify_losses": "It is a choice: the partner shows nothing that speaks for it",
}
"""Settings of which nothing can be seen, and why."""
