"""The hub's own URLs, read and written.

    {base}/ocpi/versions                                    versions
    {base}/ocpi/{version}                                   version details
    {base}/ocpi/{version}/credentials, …/hubclientinfo      configuration modules
    {base}/ocpi/{version}/sender/{module}/…                 SENDER interfaces, 2.2 and newer
    {base}/ocpi/{version}/receiver/{module}/…               RECEIVER interfaces, 2.2 and newer
    {base}/ocpi/2.1.1/cpo/{module}/…                        what a 2.1.1 eMSP finds: the hub poses as a CPO
    {base}/ocpi/2.1.1/emsp/{module}/…                       what a 2.1.1 CPO finds: the hub poses as an eMSP

The version in a path is the one its caller speaks, so that a body can be read without guessing.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from routing.dialects import DIALECTS
from routing.errors import InvalidParameters, NoSuchPath
from routing.modules import FACE_MODULES, LONGEST_MODULE
from routing.vocabulary import Face, InterfaceRole, Version

_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]++|%[0-9A-Fa-f]{2})+)+/?")
"""Each character fits in one way only, so nothing is tried twice. Repeating groups with `++` is broken until 3.11.3."""
_CLIMBING: Final = re.compile(r"(?:/|%2[Ff]|%5[Cc])(?:\.|%2[Ee]){1,2}(?:$|[/;]|%2[Ff]|%5[Cc])")
"""`.` and `..`, also where a server that decodes slashes first, or cuts parameters at a semicolon, would find them."""
_QUERY: Final = re.compile(r"[\x21-\x7e]*")


class Entrance(NamedTuple):
    """One group of functional endpoints: those of an interface, or those of a face in 2.1.1."""

    version: Version
    interface: InterfaceRole | None
    face: Face | None

    @property
    def path(self) -> str:
        """Its path, from `/ocpi` on."""
        last = self.face or self.interface
        return f"/ocpi/{self.version}/{str(last).lower()}"

    def interface_of(self, module: str) -> InterfaceRole:
        """Which interface of this module is meant here.

        Raises:
            NoSuchPath: under this face there is no such module.
        """
        if self.face is None:
            return InterfaceRole.SENDER if self.interface is InterfaceRole.SENDER else InterfaceRole.RECEIVER
        interface = FACE_MODULES[self.face].get(module)
        if interface is None:
            raise NoSuchPath(f"There is no module {module[:LONGEST_MODULE]!r} here")
        return interface


ENTRANCES: Final = tuple(
    entrance
    for version, dialect in DIALECTS.items()
    for entrance in (
        [Entrance(version, interface, None) for interface in InterfaceRole]
        if dialect.interface_roles
        else [Entrance(version, None, face) for face in Face]
    )
)


def endpoint_path(version: Version, module: str, interface: InterfaceRole, face: Face | None) -> str:
    """The path of a functional module's endpoint, from `/ocpi` on."""
    return f"{Entrance(version, None if face else interface, face).path}/{module}"


def read_path(path: str) -> tuple[str, tuple[str, ...]]:
    """Module and remaining segments of a path below an entrance, percent-encoded as they came.

    Raises:
        NoSuchPath: an empty segment, one that climbs, or characters no path has.
    """
    if _PATH.fullmatch(path) is None or (("." in path or "%" in path) and _CLIMBING.search(path) is not None):
        raise NoSuchPath("There is no such path")
    _, module, *segments = path.removesuffix("/").split("/")
    return module, tuple(segments)


def check_query(query: str) -> str:
    """The query as it came, if it can be put into a URL again.

    Raises:
        InvalidParameters: it has blanks, control characters or unencoded letters beyond ASCII.
    """
    if query and (_QUERY.fullmatch(query) is None or "#" in query):
        raise InvalidParameters("The query has characters that must be percent-encoded")
    return query
