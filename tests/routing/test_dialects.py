"""The table of versions, against the specification."""

from __future__ import annotations

import pytest

from routing.dialects import DIALECTS, CredentialsShape, newest_first
from routing.vocabulary import CONFIGURATION_MODULES, ModuleID, Role, Version
from tests.ocpi import Schema, load

CONFIGURATION = CONFIGURATION_MODULES | {"versions"}


def schema_of(version: Version) -> Schema:
    """With the additional modules that the version has."""
    return load("2.3.0+bookings+payments" if version is Version.V2_3_0 else version)


def test_every_version_has_a_row_of_its_own() -> None:
    assert set(DIALECTS) == set(Version)
    assert all(dialect.version is version for version, dialect in DIALECTS.items())
    assert len({dialect.order for dialect in DIALECTS.values()}) == len(Version)


def test_the_newest_version_is_preferred() -> None:
    assert newest_first() == ["2.3.0", "2.2.1", "2.2", "2.1.1"]


@pytest.mark.parametrize("version", Version)
def test_a_version_has_the_modules_of_its_specification(version: Version) -> None:
    modules = {entry["module"] for entry in schema_of(version).interfaces}

    assert DIALECTS[version].modules == modules - CONFIGURATION
    assert DIALECTS[version].client_info == (ModuleID.HUB_CLIENT_INFO in modules)


@pytest.mark.parametrize("version", Version)
def test_every_module_of_a_version_has_an_identifier(version: Version) -> None:
    assert DIALECTS[version].modules <= set(ModuleID)


@pytest.mark.parametrize("version", [version for version in Version if version is not Version.V2_1_1])
def test_a_party_can_be_what_the_version_has_roles_for(version: Version) -> None:
    named = set(schema_of(version).enums["Role"].values)

    # The Payments module brings a kind of party, and forgets to add it to the enumeration.
    extra = {Role.PTP} if ModuleID.PAYMENTS in DIALECTS[version].modules else set()
    assert DIALECTS[version].roles == named | extra


def test_a_party_of_2_1_1_is_a_cpo_or_an_emsp() -> None:
    assert "Role" not in schema_of(Version.V2_1_1).enums
    assert DIALECTS[Version.V2_1_1].roles == {Role.CPO, Role.EMSP}


@pytest.mark.parametrize("version", Version)
def test_credentials_have_the_shape_that_the_version_gives_them(version: Version) -> None:
    fields = schema_of(version).objects["Credentials"].fields
    shape = {
        (False, False): CredentialsShape.FLAT,
        (True, False): CredentialsShape.ROLES,
        (True, True): CredentialsShape.HUB_PARTY,
    }["roles" in fields, "hub_party_id" in fields]

    assert DIALECTS[version].credentials is shape


@pytest.mark.parametrize("version", Version)
def test_an_endpoint_says_which_interface_it_is_where_the_version_has_a_field_for_it(version: Version) -> None:
    assert DIALECTS[version].interface_roles == ("role" in schema_of(version).objects["Endpoint"].fields)


@pytest.mark.parametrize("version", Version)
def test_only_2_1_1_has_no_hubs(version: Version) -> None:
    dialect = DIALECTS[version]
    newer = version is not Version.V2_1_1

    assert dialect.routing_headers == newer
    assert dialect.tokens_in_base64 == newer
    assert dialect.hub_status_codes == newer
