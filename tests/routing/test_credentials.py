from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from routing.credentials import (
    PartnerCredentials,
    check_parties,
    hub_credentials,
    reachable_roles,
    read_credentials,
)
from routing.dialects import DIALECTS
from routing.directory import CredentialsRole, PartyEntry
from routing.errors import InvalidParameters, UnreadableBody
from routing.vocabulary import ConnectionStatus, Face, Party, Role, Secret, Version

Json = dict[str, Any]

HUB = Party("EU", "HUB")
VLT = Party("NL", "VLT")
URL = "https://volt.example/ocpi/versions"
TOKEN = "9e80aca8-28be-11e9-b210-d663bd873d93"
WITH_ROLES = [Version.V2_2, Version.V2_2_1, Version.V2_3_0]


def role(name: str = "CPO", country_code: str = "NL", party_id: str = "VLT", **more: object) -> Json:
    details = {"name": "Volt"}
    return {
        "role": name,
        "country_code": country_code,
        "party_id": party_id,
        "business_details": details,
    } | more


def with_roles(*roles: Json, **more: object) -> Json:
    return {"token": TOKEN, "url": URL, "roles": list(roles or [role()])} | more


def flat(**more: object) -> Json:
    business_details = {"name": "Volt", "website": "https://volt.example"}
    return {
        "token": TOKEN,
        "url": URL,
        "party_id": "VLT",
        "country_code": "NL",
        "business_details": business_details,
    } | more


def read(body: Json, version: Version = Version.V2_2_1, face: Face | None = None) -> PartnerCredentials:
    return read_credentials(msgspec.json.encode(body), DIALECTS[version], face)


# --- what a partner says


@pytest.mark.parametrize("version", WITH_ROLES)
def test_a_platform_names_its_parties_and_their_roles(version: Version) -> None:
    read_as = read(with_roles(role("CPO"), role("EMSP"), role("CPO", "de", "rom")), version)

    assert read_as.token == Secret(TOKEN)
    assert read_as.versions_url == URL
    assert not read_as.is_hub
    details = {"name": "Volt"}
    assert read_as.parties == {
        VLT: (CredentialsRole(Role.CPO, details), CredentialsRole(Role.EMSP, details)),
        Party("DE", "ROM"): (CredentialsRole(Role.CPO, details),),
    }


@pytest.mark.parametrize(("face", "partner"), [(Face.EMSP, Role.CPO), (Face.CPO, Role.EMSP)])
def test_a_2_1_1_platform_has_the_role_opposite_to_the_face_of_the_hub(face: Face, partner: Role) -> None:
    read_as = read(flat(), Version.V2_1_1, face)

    [(party, [registered])] = read_as.parties.items()
    assert party == VLT
    assert registered.role is partner
    assert registered.business_details["website"] == "https://volt.example"


def test_a_body_with_a_byte_order_mark_and_unknown_fields_is_read() -> None:
    body = b"\xef\xbb\xbf" + msgspec.json.encode(with_roles(role(logo_colour="red"), future={"field": 1}))

    assert read_credentials(body, DIALECTS[Version.V2_2_1], None).versions_url == URL


@pytest.mark.parametrize(
    ("body", "version", "said"),
    [
        (with_roles(token=None), Version.V2_2_1, "token is missing"),
        (with_roles(token="x" * 65), Version.V2_2_1, "token is not 1 to 64"),
        (with_roles(token="two words"), Version.V2_2_1, "token is not 1 to 64"),
        (with_roles(token="naïve"), Version.V2_2_1, "token is not 1 to 64"),
        (with_roles(token=""), Version.V2_2_1, "token is not 1 to 64"),
        (with_roles(url=None), Version.V2_2_1, "url is missing"),
        (with_roles(url=17), Version.V2_2_1, "url is missing"),
        (with_roles(url="https://volt.example/" + "x" * 250), Version.V2_2_1, "url has 271 characters"),
        (with_roles(roles=[]), Version.V2_2_1, "roles is missing or empty"),
        (with_roles(roles={"role": "CPO"}), Version.V2_3_0, "roles is missing or empty"),
        (with_roles(roles=["CPO"]), Version.V2_2_1, r"roles\[0\] is not an object"),
        (with_roles(role(), role()), Version.V2_2_1, r"roles names CPO NL\*VLT twice"),
        (with_roles(role(), role(party_id="vlt")), Version.V2_2, r"roles names CPO NL\*VLT twice"),
        (with_roles(role("KING")), Version.V2_2_1, r"roles\[0\].role is none of CPO, EMSP, HUB, NAP"),
        (with_roles(role("HUB")), Version.V2_3_0, r"roles\[0\].role is none of CPO, EMSP, NAP, NSP, OTHER, PTP"),
        (with_roles(role("PTP")), Version.V2_2_1, r"roles\[0\].role is none of"),
        (with_roles(role(country_code="NLD")), Version.V2_2_1, r"roles\[0\].country_code is not two letters"),
        (with_roles(role(country_code="N1")), Version.V2_2_1, r"roles\[0\].country_code is not two letters"),
        (with_roles(role(), role(party_id="LONG")), Version.V2_2_1, r"roles\[1\].party_id is not one to three"),
        (with_roles(role(party_id="A/B")), Version.V2_2_1, r"roles\[0\].party_id is not one to three"),
        (with_roles(role(party_id="..")), Version.V2_2_1, r"roles\[0\].party_id is not one to three"),
        (with_roles(role(party_id="")), Version.V2_2_1, r"roles\[0\].party_id is missing"),
        (with_roles(role(business_details=None)), Version.V2_2_1, r"roles\[0\].business_details is missing"),
        (with_roles(role(business_details={})), Version.V2_2_1, r"roles\[0\].business_details.name is missing"),
        (with_roles(role(business_details={"name": "x" * 5000})), Version.V2_2_1, "longer than 4096 bytes"),
        (with_roles(role("HUB"), role(party_id="OTH")), Version.V2_2_1, "a hub reports only itself"),
        (with_roles(hub_party_id="N"), Version.V2_3_0, "hub_party_id is not a country code"),
        (with_roles(hub_party_id="NL"), Version.V2_3_0, "hub_party_id is not a country code"),
        (with_roles(hub_party_id="NLHUBS"), Version.V2_3_0, "hub_party_id is not a country code"),
        (with_roles(hub_party_id=12345), Version.V2_3_0, "hub_party_id is not a country code"),
        (flat(business_details="Volt"), Version.V2_1_1, "business_details is missing"),
        (flat(country_code=None), Version.V2_1_1, "country_code is missing"),
    ],
)
def test_a_broken_credentials_object_is_refused_with_the_place_of_the_fault(
    body: Json, version: Version, said: str
) -> None:
    with pytest.raises(InvalidParameters, match=said) as refused:
        read(body, version, Face.CPO)

    assert refused.value.ocpi_status == 2001
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize("version", WITH_ROLES)
def test_a_2_1_1_object_is_refused_by_every_newer_version(version: Version) -> None:
    with pytest.raises(InvalidParameters, match="roles is missing"):
        read(flat(), version)


def test_an_object_with_roles_is_refused_by_2_1_1() -> None:
    with pytest.raises(InvalidParameters, match="is missing"):
        read(with_roles(), Version.V2_1_1, Face.CPO)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"token": NaN}', b'{"token": "a", "token": "b", "url": ""}', b"[" * 100]
)
def test_what_is_no_json_or_has_two_tokens_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read_credentials(body, DIALECTS[Version.V2_2_1], None)


# --- hubs and parties that may not be named


def test_a_2_2_1_hub_is_known_by_its_role() -> None:
    read_as = read(with_roles(role("HUB", "DE", "KNO")))

    assert read_as.is_hub
    assert list(read_as.parties) == [Party("DE", "KNO")]


def test_of_a_2_3_0_hub_only_its_own_party_is_its_own_and_the_others_are_behind_it() -> None:
    others = [role("CPO", "NL", "AAA"), role("EMSP", "NL", "BBB"), role("OTHER", "DE", "KNO")]

    read_as = read(with_roles(*others, hub_party_id="DEKNO"), Version.V2_3_0)

    assert read_as.is_hub
    assert {party: [each.role for each in roles] for party, roles in read_as.parties.items()} == {
        Party("DE", "KNO"): [Role.HUB]
    }
    assert read_as.remote is not None
    assert {party: [each.role for each in roles] for party, roles in read_as.remote.items()} == {
        Party("NL", "AAA"): [Role.CPO],
        Party("NL", "BBB"): [Role.EMSP],
    }


def test_who_is_behind_a_hub_is_said_by_no_other_partner_and_in_no_other_version() -> None:
    assert read(with_roles(), Version.V2_3_0).remote is None
    assert read(with_roles(role("HUB", "DE", "KNO"))).remote is None


def test_a_hub_needs_leave_to_peer() -> None:
    hub = read(with_roles(role("HUB", "DE", "KNO")))

    with pytest.raises(InvalidParameters, match="Peering between hubs is not allowed"):
        check_parties(hub, hub_party=HUB, allowed=(), allow_hub=False)
    check_parties(hub, hub_party=HUB, allowed=(), allow_hub=True)


def test_nobody_may_claim_the_party_of_the_hub() -> None:
    with pytest.raises(InvalidParameters, match=r"EU\*HUB is the party of this hub"):
        check_parties(
            read(with_roles(role(country_code="eu", party_id="hub"))), hub_party=HUB, allowed=(), allow_hub=False
        )


def test_an_invitation_covers_the_parties_it_names_and_no_others() -> None:
    both = read(with_roles(role(), role(party_id="OTH")))

    check_parties(both, hub_party=HUB, allowed=(), allow_hub=False)
    with pytest.raises(InvalidParameters, match=r"does not cover NL\*OTH$"):
        check_parties(both, hub_party=HUB, allowed=(VLT,), allow_hub=False)


# --- what the hub says


def entry(party: Party, status: ConnectionStatus, *roles: Role) -> PartyEntry:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    registered = tuple(CredentialsRole(role, {"name": f"{party} {role}"}) for role in roles)
    return PartyEntry(party, "p1", status, registered, now, now)


def own(version: Version, roles: list[Json]) -> Json:
    return hub_credentials(DIALECTS[version], Secret("abc"), "https://hub.example/ocpi/versions", HUB, "A hub", roles)


def test_to_2_1_1_the_hub_is_one_flat_party() -> None:
    assert own(Version.V2_1_1, []) == {
        "token": "abc",
        "url": "https://hub.example/ocpi/versions",
        "business_details": {"name": "A hub"},
        "party_id": "HUB",
        "country_code": "EU",
    }


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1])
def test_to_2_2_the_hub_reports_only_itself(version: Version) -> None:
    said = own(version, [role()])

    assert said["roles"] == [
        {"role": "HUB", "business_details": {"name": "A hub"}, "party_id": "HUB", "country_code": "EU"}
    ]
    assert "hub_party_id" not in said


def test_to_2_3_0_the_hub_lists_whom_it_reaches() -> None:
    entries = [
        entry(VLT, ConnectionStatus.CONNECTED, Role.CPO, Role.EMSP),
        entry(Party("DE", "OFF"), ConnectionStatus.OFFLINE, Role.EMSP),
        entry(Party("DE", "PLA"), ConnectionStatus.PLANNED, Role.EMSP),
        entry(Party("DE", "SUS"), ConnectionStatus.SUSPENDED, Role.EMSP),
        entry(Party("DE", "KNO"), ConnectionStatus.CONNECTED, Role.HUB),
    ]

    said = own(Version.V2_3_0, reachable_roles(entries, DIALECTS[Version.V2_3_0], payments=False))

    assert said["hub_party_id"] == "EUHUB"
    assert [(each["role"], each["country_code"], each["party_id"]) for each in said["roles"]] == [
        ("CPO", "NL", "VLT"),
        ("EMSP", "NL", "VLT"),
        ("EMSP", "DE", "OFF"),
    ]
    assert said["roles"][0]["business_details"] == {"name": "NL*VLT CPO"}


def test_a_hub_that_reaches_nobody_lists_itself_as_other() -> None:
    said = own(Version.V2_3_0, [])

    assert [(each["role"], each["party_id"]) for each in said["roles"]] == [("OTHER", "HUB")]


@pytest.mark.parametrize(("payments", "shown"), [(True, ["PTP", "OTHER"]), (False, ["OTHER"])])
def test_a_payment_terminal_provider_is_named_as_such_only_to_who_publishes_payments(
    payments: bool,
    shown: list[str],
) -> None:
    entries = [entry(VLT, ConnectionStatus.CONNECTED, Role.PTP, Role.OTHER)]

    roles = reachable_roles(entries, DIALECTS[Version.V2_3_0], payments=payments)

    assert [each["role"] for each in roles] == shown


@pytest.mark.parametrize("version", Version)
def test_the_hub_can_read_its_own_credentials(version: Version) -> None:
    read_as = read(own(version, [role()]), version, Face.CPO)

    assert read_as.parties.keys() == {HUB}
