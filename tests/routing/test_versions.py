from typing import Any

import msgspec
import pytest

from routing.dialects import DIALECTS
from routing.directory import Handshaking, Invitation, Invited
from routing.errors import CannotUsePartnerAPI, MissingEndpoints, NoCommonVersion
from routing.versions import (
    CREDENTIALS,
    check_endpoints,
    choose_version,
    missing_path,
    offered_versions,
    read_endpoints,
    read_versions,
    version_details,
    versions_for,
    versions_list,
)
from routing.vocabulary import Face, InterfaceRole, Version

HUB = "https://hub.example"
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
Details = dict[str, Any]


def invited(face: Face | None = None, version: Version | None = None) -> Invited:
    return Invited(Invitation("i", "p", face, version, (), (), allow_hub=False, expires_at=None))


def identifiers(details: Details) -> list[tuple[str, str | None]]:
    return [(each["identifier"], each.get("role")) for each in details["endpoints"]]


# --- what the hub lists


def test_everybody_is_offered_the_versions_with_interface_roles() -> None:
    assert versions_for(invited()) == (Version.V2_2, Version.V2_2_1, Version.V2_3_0)
    assert versions_for(Handshaking("p", None)) == (Version.V2_2, Version.V2_2_1, Version.V2_3_0)


def test_2_1_1_is_offered_to_who_has_a_face() -> None:
    assert versions_for(invited(Face.CPO)) == tuple(Version)


def test_an_invitation_for_one_version_offers_that_one() -> None:
    assert versions_for(invited(Face.CPO, Version.V2_2_1)) == (Version.V2_2_1,)
    assert versions_for(invited(None, Version.V2_1_1)) == ()


def test_the_versions_list_has_absolute_urls() -> None:
    assert versions_list(HUB, offered_versions(None)) == [
        {"version": "2.2", "url": "https://hub.example/ocpi/2.2"},
        {"version": "2.2.1", "url": "https://hub.example/ocpi/2.2.1"},
        {"version": "2.3.0", "url": "https://hub.example/ocpi/2.3.0"},
    ]


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_both_interfaces_of_every_functional_module_are_listed(version: Version) -> None:
    found = identifiers(version_details(HUB, version, None))

    for module in DIALECTS[version].modules:
        assert found.count((module, "SENDER")) == 1
        assert found.count((module, "RECEIVER")) == 1
    assert [name for name, _ in found].count("credentials") == 1
    assert ("hubclientinfo", "SENDER") in found
    assert ("hubclientinfo", "RECEIVER") not in found


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1])
def test_the_modules_of_2_3_0_are_not_offered_before_it(version: Version) -> None:
    names = {name.lower() for name, _ in identifiers(version_details(HUB, version, None))}

    assert names.isdisjoint({"payments", "bookings", "booking", "invoicereconciliation"})


def test_bookings_are_listed_under_both_names_with_the_same_urls() -> None:
    endpoints = version_details(HUB, Version.V2_3_0, None)["endpoints"]

    urls = {(each["identifier"], each["role"]): each["url"] for each in endpoints}
    for role in ("SENDER", "RECEIVER"):
        assert urls["bookings", role] == urls["Booking", role] == f"{HUB}/ocpi/2.3.0/{role.lower()}/bookings"


@pytest.mark.parametrize("face", Face)
def test_a_2_1_1_partner_sees_one_side_and_no_roles(face: Face) -> None:
    details = version_details(HUB, Version.V2_1_1, face)

    assert details["version"] == "2.1.1"
    assert {each["identifier"]: each["url"] for each in details["endpoints"]} == {
        "credentials": f"{HUB}/ocpi/2.1.1/credentials",
        **{
            module: f"{HUB}/ocpi/2.1.1/{face}/{module}"
            for module in ("cdrs", "commands", "locations", "sessions", "tariffs", "tokens")
        },
    }
    assert all("role" not in each for each in details["endpoints"])


def test_another_hub_is_told_where_to_announce_parties_and_nobody_else_is() -> None:
    for version in Version:
        face = Face.EMSP if version is Version.V2_1_1 else None
        for_hub = version_details(HUB, version, face, is_hub=True)["endpoints"]
        more = [each for each in for_hub if each not in version_details(HUB, version, face)["endpoints"]]

        url = f"{HUB}/ocpi/{version}/hubclientinfo"
        place = {"identifier": "hubclientinfo", "role": "RECEIVER", "url": url}
        assert more == ([] if version is Version.V2_1_1 else [place])


def test_a_custom_module_is_listed_only_for_who_is_configured_for_it() -> None:
    assert ("nltnm-tokens", "SENDER") in identifiers(version_details(HUB, Version.V2_2_1, None, ("nltnm-tokens",)))
    assert "nltnm-tokens" not in dict(identifiers(version_details(HUB, Version.V2_2_1, None)))


# --- what partners list


def test_versions_nobody_knows_and_broken_entries_are_passed_over() -> None:
    data = msgspec.json.encode(
        [
            {"version": "9.0", "url": "https://volt.example/9.0"},
            {"version": "2.2.1", "url": "https://volt.example/2.2.1", "colour": "red"},
            {"version": "2.2.1", "url": "https://volt.example/again"},
            {"version": "2.2"},
            {"version": 2.1, "url": "https://volt.example/2.1"},
            "2.3.0",
        ]
    )

    assert read_versions(data) == {Version.V2_2_1: "https://volt.example/2.2.1"}


@pytest.mark.parametrize("data", [b"null", b"{}", b'"2.2.1"', b"{", b""])
def test_what_is_no_versions_list_cannot_be_used(data: bytes) -> None:
    with pytest.raises(CannotUsePartnerAPI, match="versions list"):
        read_versions(data)


def test_the_newest_version_both_have_is_chosen() -> None:
    assert choose_version([Version.V2_2, Version.V2_2_1], offered_versions(None)) is Version.V2_2_1
    assert choose_version([Version.V2_2, Version.V2_2_1], (Version.V2_2,)) is Version.V2_2


def test_without_a_version_in_common_there_is_no_choice() -> None:
    with pytest.raises(NoCommonVersion, match=r"lists 2\.1\.1; the hub may use 2\.2, 2\.2\.1, 2\.3\.0 with it"):
        choose_version([Version.V2_1_1], offered_versions(None))
    with pytest.raises(NoCommonVersion, match="no version the hub knows"):
        choose_version([], offered_versions(None))


def details(*endpoints: object, version: str = "2.2.1") -> bytes:
    return msgspec.json.encode({"version": version, "endpoints": list(endpoints)})


def endpoint(identifier: object, role: object = "SENDER", url: object = "https://volt.example/x") -> Details:
    return {"identifier": identifier, "role": role, "url": url}


def read(data: bytes, version: Version = Version.V2_2_1, face: Face | None = None) -> set[tuple[str, InterfaceRole]]:
    return set(read_endpoints(data, DIALECTS[version], face, ("nltnm-tokens",)))


def test_identifiers_are_compared_without_case() -> None:
    assert read(details(endpoint("Locations"), endpoint("CREDENTIALS"), endpoint("tokens", "receiver"))) == {
        ("locations", SENDER),
        ("tokens", RECEIVER),
        CREDENTIALS,
    }


def test_what_the_hub_does_not_know_in_details_is_passed_over() -> None:
    found = read(
        details(
            endpoint("xxabc-foo"),
            endpoint("payments"),
            endpoint("locations", "OBSERVER"),
            endpoint("sessions", None),
            endpoint(17),
            endpoint("cdrs", url=None),
            "tariffs",
            endpoint("nltnm-tokens") | {"since": "yesterday"},
        )
    )

    assert found == {("nltnm-tokens", SENDER)}


@pytest.mark.parametrize("role", ["SENDER", "RECEIVER", "", None])
def test_the_role_of_credentials_does_not_matter(role: object) -> None:
    assert read(details(endpoint("credentials", role))) == {CREDENTIALS}


@pytest.mark.parametrize("name", ["bookings", "booking", "Booking", "Bookings"])
def test_bookings_are_recognised_under_each_of_their_names(name: str) -> None:
    assert read(details(endpoint(name)), Version.V2_3_0) == {("bookings", SENDER)}
    assert read(details(endpoint(name)), Version.V2_2_1) == set()


@pytest.mark.parametrize(("face", "locations", "tokens"), [(Face.EMSP, SENDER, RECEIVER), (Face.CPO, RECEIVER, SENDER)])
def test_the_interfaces_of_a_2_1_1_partner_follow_from_the_face(
    face: Face, locations: InterfaceRole, tokens: InterfaceRole
) -> None:
    data = details(
        *({"identifier": name, "url": "https://volt.example/x"} for name in ("credentials", "locations", "tokens")),
        {"identifier": "hubclientinfo", "url": "https://volt.example/x"},
    )

    assert read(data, Version.V2_1_1, face) == {CREDENTIALS, ("locations", locations), ("tokens", tokens)}


def test_urls_are_kept_as_the_partner_wrote_them() -> None:
    data = details(endpoint("credentials", url="https://volt.example/credentials/"), endpoint("credentials"))

    assert read_endpoints(data, DIALECTS[Version.V2_2_1], None) == {CREDENTIALS: "https://volt.example/credentials/"}


@pytest.mark.parametrize("data", [b"[]", b"null", b"nonsense", b'{"endpoints": 5}', b'{"endpoints": {"a": 1}}'])
def test_what_is_no_list_of_endpoints_cannot_be_used(data: bytes) -> None:
    with pytest.raises(CannotUsePartnerAPI):
        read(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (details(), "no credentials endpoint"),
        (details(endpoint("locations")), "no credentials endpoint"),
        (details(endpoint("credentials")), "no endpoint of a module that the hub shares"),
        (details(endpoint("credentials"), endpoint("locations")), "lack modules that are required: cdrs"),
    ],
)
def test_a_partner_without_the_endpoints_that_are_needed_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(MissingEndpoints, match=said) as refused:
        check_endpoints(read_endpoints(data, DIALECTS[Version.V2_2_1], None), ["CDRs"])

    assert refused.value.ocpi_status == 3003


def test_a_partner_with_the_endpoints_that_are_needed_is_accepted() -> None:
    data = details(endpoint("credentials"), endpoint("cdrs", "RECEIVER"))

    check_endpoints(read_endpoints(data, DIALECTS[Version.V2_2_1], None), ["cdrs"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ocpi/9.9", 3002),
        ("/ocpi/9.9/", 3002),
        ("/prefix/ocpi/2.1", 3002),
        ("/ocpi/2.2.1/locations", 2000),
        ("/ocpi", 2000),
        ("/", 2000),
    ],
)
def test_a_path_without_anything_is_a_version_nobody_speaks_or_nothing(path: str, status: int) -> None:
    failure = missing_path(path)

    assert (failure.http_status, failure.ocpi_status) == (404, status)
