"""What an operator should know of, and what to do about it: one event for each cause, open until the cause is gone."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """Everything there can be an event of."""

    PARTNER_OFFLINE = "partner_offline"
    PARTNER_REFUSES_TOKEN = "partner_refuses_token"  # noqa: S105  the name of an event
    CIRCUIT_OPEN = "circuit_open"
    FOREIGN_SENDER = "foreign_sender"
    UNTRANSLATABLE = "untranslatable"
    ID_CLASH = "id_clash"
    FOREIGN_OWNER = "foreign_owner"
    REGISTRATION_FAILING = "registration_failing"
    CREDENTIALS_REFRESH_FAILED = "credentials_refresh_failed"
    CLIENT_INFO_MISSED = "client_info_missed"
    BROADCAST_MISSED = "broadcast_missed"
    AMPLIFICATION = "amplification"
    REMOTE_PARTY_CONFLICT = "remote_party_conflict"
    AUTH_FAILURES = "auth_failures"
    REDIS_AWAY = "redis_away"
    DATABASE_AWAY = "database_away"
    JOURNAL_DROPPING = "journal_dropping"
    NO_LEADER = "no_leader"


class Events:
    """Notes events. Neither method waits for anything, nor fails."""

    def happened(
        self,
        kind: EventKind,
        *,
        platform_id: str | None = None,
        subject: str = "",
        correlation_id: str | None = None,
        **facts: str | float,
    ) -> None:
        """Open the event of this kind about this platform and subject, or count once more in the open one.

        `facts` are for the sentence an operator reads.
        """

    def over(self, kind: EventKind, *, platform_id: str | None = None, subject: str = "") -> None:
        """Its cause is gone: close it, if it is open."""
