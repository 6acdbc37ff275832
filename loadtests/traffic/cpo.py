"""What CPOs say."""

from __future__ import annotations

from loadtests.traffic.users import OcpiUser
from routing.vocabulary import Role, Version


class CpoUser(OcpiUser):
    """Stations that change, sessions, CDRs, and cards that want to charge."""

    abstract = True
    role = Role.CPO


class Cpo211(CpoUser):
    """On 2.1.1."""

    version = Version.V2_1_1


class Cpo221(CpoUser):
    """On 2.2.1."""

    version = Version.V2_2_1


class Cpo230(CpoUser):
    """On 2.3.0."""

    version = Version.V2_3_0
