"""What may be agreed on with a partner: by its invitation, its connection, its settings."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from hub.store.records import ConnectionRecord, LearnedEncoding, PlatformRecord
from routing.dialects import DIALECTS
from routing.errors import AlreadyRegistered, InvalidParameters, NoCommonVersion
from routing.quirks import Quirks
from routing.versions import offered_versions
from routing.vocabulary import Face, Party, Version


class Terms(Struct, frozen=True):
    """What the hub knows about a partner before it asks, and what it asks for."""

    platform_id: str
    versions: Collection[Version]
    """Those that may be agreed on."""
    face: Face | None
    quirks: Quirks
    require_modules: Collection[str]
    learned: LearnedEncoding | None = None
    """How the partner was seen to want the hub's token."""


def terms_of(record: PlatformRecord, connection: ConnectionRecord, versions: tuple[Version, ...]) -> Terms:
    """What may be agreed on with a platform that has this connection."""
    return Terms(
        platform_id=record.id,
        versions=versions,
        face=connection.face_in_2_1_1,
        quirks=record.quirks,
        require_modules=record.require_modules,
        learned=connection.auth_encoding,
    )


def terms_to_connect(record: PlatformRecord) -> tuple[Terms, tuple[Party, ...]]:
    """What the platform's latest invitation says, and the parties it is for.

    Raises:
        AlreadyRegistered: the platform has its connection, and is not invited to a second one.
        InvalidParameters: the invitation is for 2.1.1 and says no face.
    """
    invitation = max(record.invitations, key=lambda each: each.created_at, default=None)
    face = invitation.face if invitation is not None else None
    versions = offered_versions(face, record.version)
    if not versions:
        raise InvalidParameters(f"OCPI {record.version} takes an invitation that says which role the partner has")
    if record.connections:
        if face is None or any(connection.face_in_2_1_1 in {None, face} for connection in record.connections):
            raise AlreadyRegistered("This platform is registered; rotate its tokens, or delete it first", ())
        # Only where one connection cannot have both sides may a company have two.
        versions = tuple(version for version in versions if not DIALECTS[version].interface_roles)
    terms = Terms(
        platform_id=record.id,
        versions=versions,
        face=face,
        quirks=record.quirks,
        require_modules=record.require_modules,
    )
    return terms, invitation.parties if invitation is not None else ()


def only(offered: Collection[Version], version: Version) -> tuple[Version]:
    """This version, when it is offered.

    Raises:
        NoCommonVersion: it is not.
    """
    if version not in offered:
        raise NoCommonVersion(f"OCPI {version} is not offered to this connection; see the versions URL of this hub")
    return (version,)
