"""Who may do what at the operator API. Every route names the least role it takes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final


class OperatorRole(StrEnum):
    """What somebody with a token of the operator API may do."""

    PARTNER = "partner"
    """An engineer of one platform: sees that platform's own side of things."""
    AUDITOR = "auditor"
    """Sees everything but bodies, and changes nothing."""
    OPERATOR = "operator"
    ADMIN = "admin"


FOR_PARTNERS: Final[dict[str, Any]] = {"needs": OperatorRole.PARTNER}
FOR_AUDITORS: Final[dict[str, Any]] = {"needs": OperatorRole.AUDITOR}
FOR_OPERATORS: Final[dict[str, Any]] = {"needs": OperatorRole.OPERATOR}
FOR_ADMINS: Final[dict[str, Any]] = {"needs": OperatorRole.ADMIN}
"""`opt` of a route handler."""
