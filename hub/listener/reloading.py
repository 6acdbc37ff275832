"""What a reload is: which settings it takes on, and how it is getting on."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from hub.settings import Settings, SettingsError

RELOADED: Final = (
    "HUB_ALLOW_PRIVATE_PARTNERS",
    "HUB_FORWARD_TIMEOUT_S",
    "HUB_CONNECT_TIMEOUT_S",
    "HUB_AUTHORIZE_TIMEOUT_S",
    "HUB_GET_ALL_PARTIAL",
    "HUB_OPEN_BROADCAST",
    "HUB_AUTHORIZE_FANOUT",
    "HUB_PAGE_MAX",
    "HUB_MAX_BODY_BYTES",
    "HUB_RATE_LIMIT",
)
"""Settings of the way of a message, which workers alone go by. All others also concern the process above them."""


ONE_PROCESS: Final = (
    "This hub is one process, and a reload replaces workers: restart it, or run it with HUB_WORKERS of 2 or more"
)


class ReloadRefused(Exception):
    """No reload begins now. The message is one line."""


class ReloadState(StrEnum):
    """How the last reload is getting on."""

    NEVER = "never"
    """There was none since the start."""
    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


class Reload(Struct, frozen=True):
    """The last reload."""

    workers: int
    """How many there are."""
    state: ReloadState = ReloadState.NEVER
    replaced: int = 0
    """How many of them are new."""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    """Why it failed. The workers that were not replaced go on."""

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.state is ReloadState.UNDER_WAY

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        if self.began_at is None or self.ended_at is None:
            return None
        return round((self.ended_at - self.began_at).total_seconds(), 1)

    def begun(self) -> Reload:
        """Another one."""
        return Reload(self.workers, ReloadState.UNDER_WAY, began_at=datetime.now(UTC))

    def one_more(self) -> Reload:
        """The same with one more worker replaced."""
        return replace(self, replaced=self.replaced + 1)

    def done(self) -> Reload:
        """The same, which has ended well."""
        return replace(self, state=ReloadState.DONE, ended_at=datetime.now(UTC))

    def failed(self, reason: str) -> Reload:
        """The same, which could not go on."""
        return replace(self, state=ReloadState.FAILED, ended_at=datetime.now(UTC), reason=reason)


def reloadable(old: Settings) -> Settings:
    """The settings that are found now, if workers can have them while the process above them keeps its own.

    Raises:
        SettingsError: they are wrong, or others have changed than a reload takes on.
    """
    new = Settings.load()
    fixed = [variable for variable in old.changed(new) if variable not in RELOADED]
    if fixed:
        raise SettingsError(f"{', '.join(fixed)} changed, which takes a restart; nothing was reloaded")
    return new
