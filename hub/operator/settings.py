"""`GET /api/v1/settings`: with which settings this hub runs, where they come from, and what each is for."""

from __future__ import annotations

from typing import Annotated, Final

from litestar import get
from msgspec import Meta, Struct

from hub.listener.reloading import RELOADED
from hub.operator.described import texts_of
from hub.operator.platforms import TheHub
from hub.operator.problems import documented
from hub.operator.roles import FOR_AUDITORS
from hub.setting_types import Source
from hub.settings import Settings
from hub.store.migrations import newest
from hub.version import VERSION
from routing.dialects import DIALECTS
from routing.vocabulary import Version

SECTIONS: Final = {
    "The hub": ("country_code", "party_id", "name", "public_url"),
    "Listeners": ("host", "port", "operator_host", "operator_port", "console_url", "trusted_proxies", "workers"),
    "Stores": ("database_url", "redis_url", "journal_days"),
    "Secrets": ("operator_token", "secret_key", "other_secret_key"),
    "Partners": (
        "allow_private_partners",
        "agreements",
        "no_agreement_view",
        "alive_after_s",
        "offline_probe_every_s",
        "offline_after_failures",
    ),
    "Messages": (
        "forward_timeout_s",
        "connect_timeout_s",
        "authorize_timeout_s",
        "get_all_partial",
        "open_broadcast",
        "authorize_fanout",
        "page_max",
        "max_body_bytes",
        "rate_limit",
    ),
    "Running": ("drain_notice_s", "log_format", "log_level", "traces_url", "traces_ratio"),
}
"""What belongs together, in the order in which people look for it."""


class SettingView(Struct, frozen=True):
    """One setting."""

    id: Annotated[str, Meta(description="The variable.", examples=["HUB_PUBLIC_URL"])]
    section: str
    value: str | None
    """As one writes it; null where there is none, and of a secret. A password within is `***`."""
    secret: bool
    is_set: bool
    """Whether it has a value; of a secret that is all there is to know."""
    source: Source
    default: str | None
    """Null where there is none, or it follows from other settings."""
    text: str
    """What it is for."""
    reloaded: bool
    """Whether `ocpi-hub reload` takes it on; others take a restart."""


class OcpiView(Struct, frozen=True):
    """A version of OCPI that the hub speaks."""

    version: Version
    modules: tuple[str, ...]


class SettingsView(Struct, frozen=True):
    """All settings, and what runs with them."""

    items: tuple[SettingView, ...]
    next_cursor: str | None
    """Always null: the list is whole."""
    version: str
    """Of the hub."""
    schema: str
    """The form of the database that this version works with."""
    ocpi: tuple[OcpiView, ...]


@get("/settings", tags=["settings"], responses=documented(), opt=FOR_AUDITORS)
async def show_settings(hub: TheHub) -> SettingsView:
    """Every setting of the process that answers: its value, without secrets, where it comes from, what it is for."""
    ocpi = (OcpiView(version, tuple(sorted(dialect.modules))) for version, dialect in DIALECTS.items())
    return SettingsView(setting_views(hub.settings), None, VERSION, newest(), tuple(ocpi))


def setting_views(settings: Settings) -> tuple[SettingView, ...]:
    """All settings, by section."""
    shown = {each.field: (variable, each) for variable, each in settings.shown.items()}
    texts = texts_of(Settings)
    return tuple(
        SettingView(
            id=variable,
            section=section,
            value=each.value,
            secret=each.is_secret,
            is_set=each.is_set,
            source=each.source,
            default=each.default,
            text=texts[field],
            reloaded=variable in RELOADED,
        )
        for section, fields in SECTIONS.items()
        for field in fields
        for variable, each in [shown[field]]
    )
