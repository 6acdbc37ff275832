"""What eMSPs say."""

from __future__ import annotations

from loadtests.traffic.users import OcpiUser
from routing.vocabulary import Role, Version


class EmspUser(OcpiUser):
    """Cards, commands whose result is waited for, and lists read to the end."""

    abstract = True
    role = Role.EMSP


class Emsp211(EmspUser):
    """On 2.1.1."""

    version = Version.V2_1_1


class Emsp221(EmspUser):
    """On 2.2.1."""

    version = Version.V2_2_1


class Emsp230(EmspUser):
    """On 2.3.0."""

    version = Version.V2_3_0
