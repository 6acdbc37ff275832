"""Who may do what at the operator API. Every route names the least role it takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct


class OperatorRole(StrEnum):
    """What somebody with a token of the operator API may do. Each may do what those before it may."""

    PARTNER = "partner"
    """An engineer of one platform: sees that platform's own side of things."""
    AUDITOR = "auditor"
    """Sees everything but bodies, and changes nothing."""
    OPERATOR = "operator"
    ADMIN = "admin"


_RANKS: Final = {role: rank for rank, role in enumerate(OperatorRole)}
_NEEDS: Final = "needs"
_OWN: Final = "own"
_AUDITED: Final = "audited"
_OPEN: Final = "open"
_TRIED: Final = "tried"

FOR_PARTNERS: Final[dict[str, Any]] = {_NEEDS: OperatorRole.PARTNER}
FOR_AUDITORS: Final[dict[str, Any]] = {_NEEDS: OperatorRole.AUDITOR}
FOR_OPERATORS: Final[dict[str, Any]] = {_NEEDS: OperatorRole.OPERATOR}
FOR_ADMINS: Final[dict[str, Any]] = {_NEEDS: OperatorRole.ADMIN}
"""`opt` of a route handler."""
OPEN: Final[dict[str, Any]] = {_OPEN: True}
"""`opt` of a page of the console that takes nobody to be signed in."""
FOR_OPERATORS_AND_OWN: Final[dict[str, Any]] = {**FOR_OPERATORS, _OWN: True}
"""Changes that an engineer of the platform may make, too."""


class Me(Struct, frozen=True):
    """Who is asking."""

    name: str
    role: OperatorRole
    platform_id: str | None = None
    """The platform whose engineer it is."""
    expires_at: datetime | None = None
    """Of the token."""

    @property
    def only_platform(self) -> str | None:
        """The one platform that this caller may see anything of; None when it may see all."""
        return self.platform_id if self.role is OperatorRole.PARTNER else None


def needed(opt: Mapping[str, Any]) -> OperatorRole | None:
    """The least role that a route takes; None when it names none, and so takes nobody."""
    return opt.get(_NEEDS)


def is_open(opt: Mapping[str, Any]) -> bool:
    """Whether a page takes nobody to be signed in."""
    return bool(opt.get(_OPEN))


def is_allowed(me: Me, opt: Mapping[str, Any]) -> bool:
    """Whether this caller may use a route, as far as its role goes."""
    needs = needed(opt)
    if needs is None:
        return False
    return _RANKS[me.role] >= _RANKS[needs] or (bool(opt.get(_OWN)) and me.role is OperatorRole.PARTNER)


def audited_read(opt: Mapping[str, Any]) -> dict[str, Any]:
    """The same `opt` for a GET that is noted in the audit log, as all changes are."""
    return {**opt, _AUDITED: True}


def may_be_tried(opt: Mapping[str, Any]) -> dict[str, Any]:
    """The same `opt` for a change that takes `?dry_run=true`, of which there is nothing to note."""
    return {**opt, _TRIED: True}


def is_to_be_tried(opt: Mapping[str, Any]) -> bool:
    """Whether a route takes `?dry_run=true`."""
    return bool(opt.get(_TRIED))


def is_audited_read(opt: Mapping[str, Any]) -> bool:
    """Whether a GET is noted in the audit log."""
    return bool(opt.get(_AUDITED))
