"""The versions list and the version details, as partners get them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from loadtests.simulator import Answer
from routing.dialects import DIALECTS
from routing.quirks import Quirks
from routing.vocabulary import Face, Version
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner

ROUTING = {
    "ocpi-to-country-code": "EU",
    "ocpi-to-party-id": "HUB",
    "ocpi-from-country-code": "nonsense",
    "ocpi-from-party-id": "NLX",
}
"""Headers that have no meaning here."""


def listed(answer: Answer) -> dict[str, str]:
    """Version to URL."""
    return {entry["version"]: entry["url"] for entry in answer.data}


def endpoints(answer: Answer) -> dict[tuple[str, str | None], str]:
    """Identifier and role to URL."""
    return {(entry["identifier"], entry.get("role")): entry["url"] for entry in answer.data["endpoints"]}


def test_who_is_invited_finds_the_versions_it_may_use(hub: RunningHub) -> None:
    answer = hub.ask("GET", "/ocpi/versions", hub.invite().token_a, headers=ROUTING)

    assert (answer.http_status, answer.status_code) == (200, 1000)
    assert listed(answer) == {version: f"{hub.url}/ocpi/{version}" for version in ("2.2", "2.2.1", "2.3.0")}
    assert answer.header("content-type") == "application/json"
    assert not [name for name, _ in answer.headers if name.startswith("ocpi-")]


@pytest.mark.parametrize("face", Face)
def test_who_is_invited_with_a_face_finds_one_side_of_2_1_1(hub: RunningHub, face: Face) -> None:
    token_a = hub.invite(face=face).token_a

    versions = listed(hub.ask("GET", "/ocpi/versions", token_a))
    details = hub.ask("GET", versions["2.1.1"], token_a)

    assert set(versions) == {"2.1.1", "2.2", "2.2.1", "2.3.0"}
    modules = {"cdrs", "commands", "locations", "sessions", "tariffs", "tokens"}
    assert endpoints(details) == {
        ("credentials", None): f"{hub.url}/ocpi/2.1.1/credentials",
        **{(module, None): f"{hub.url}/ocpi/2.1.1/{face}/{module}" for module in modules},
    }


def test_who_is_invited_to_one_version_finds_that_one(hub: RunningHub) -> None:
    token_a = hub.invite(version=Version.V2_2).token_a

    assert listed(hub.ask("GET", "/ocpi/versions", token_a)) == {"2.2": f"{hub.url}/ocpi/2.2"}
    answer = hub.ask("GET", "/ocpi/2.2.1", token_a)
    assert (answer.http_status, answer.status_code) == (404, 3002)


@pytest.mark.parametrize("version", [Version.V2_2, Version.V2_2_1, Version.V2_3_0])
def test_a_registered_platform_finds_both_sides_of_every_module(hub: RunningHub, version: Version) -> None:
    with partner(CPO, version).running() as cpo:
        hub.registered(cpo)
        answer = hub.ask("GET", f"/ocpi/{version}", cpo.connection.our_token, headers=ROUTING)

    base = f"{hub.url}/ocpi/{version}"
    expected = {
        ("credentials", "SENDER"): f"{base}/credentials",
        ("hubclientinfo", "SENDER"): f"{base}/hubclientinfo",
    }
    for module in DIALECTS[version].modules:
        for role in ("SENDER", "RECEIVER"):
            expected[module, role] = f"{base}/{role.lower()}/{module}"
    for role in ("SENDER", "RECEIVER") if version is Version.V2_3_0 else ():
        expected["Booking", role] = f"{base}/{role.lower()}/bookings"
    assert answer.data["version"] == version
    assert len(answer.data["endpoints"]) == len(expected)
    assert endpoints(answer) == expected
    assert not [name for name, _ in answer.headers if name.startswith("ocpi-")]


def test_a_custom_module_is_listed_for_the_platform_that_is_configured_for_it(hub: RunningHub) -> None:
    with partner(CPO).running() as configured, partner(EMSP).running() as other:
        platform_id = hub.registered(configured)
        hub.registered(other)
        hub.do(hub.hub.platforms.change(platform_id, quirks=Quirks(custom_modules=("nltnm-tokens",))))

        url = f"{hub.url}/ocpi/2.2.1"
        assert ("nltnm-tokens", "SENDER") in endpoints(hub.ask("GET", url, configured.connection.our_token))
        assert ("nltnm-tokens", "SENDER") not in endpoints(hub.ask("GET", url, other.connection.our_token))


@pytest.mark.parametrize("version", ["9.9", "2.2.2", "2.3", "two"])
def test_details_of_a_version_nobody_knows_are_not_found(hub: RunningHub, version: str) -> None:
    answer = hub.ask("GET", f"/ocpi/{version}", hub.invite().token_a)

    assert (answer.http_status, answer.status_code) == (404, 3002)


def test_2_1_1_does_not_exist_for_who_has_no_face(hub: RunningHub) -> None:
    answer = hub.ask("GET", "/ocpi/2.1.1", hub.invite().token_a)

    assert (answer.http_status, answer.status_code) == (404, 3002)


@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_exists_on_versions_and_details(hub: RunningHub, path: str, method: str) -> None:
    answer = hub.ask(method, path, hub.invite().token_a)

    assert answer.http_status == 405
    assert answer.header("allow") == "GET"


@pytest.mark.parametrize("path", ["/ocpi/versions/", "/ocpi/2.2.1/", "/ocpi/2.2.1/credentials/"])
def test_a_slash_at_the_end_makes_no_difference(hub: RunningHub, path: str) -> None:
    assert hub.ask("GET", path, hub.invite().token_a).status_code == 1000


PATHS = ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/credentials", "/ocpi/2.2.1/hubclientinfo"]


@pytest.mark.parametrize("path", PATHS)
def test_every_wrong_token_gets_the_same_401_with_the_ids_of_the_request(hub: RunningHub, path: str) -> None:
    expired = hub.invite(expires_at=datetime.now(UTC) - timedelta(seconds=1)).token_a
    ids = {"x-request-id": "my-request", "x-correlation-id": "my-correlation"}
    answers = [
        hub.ask("GET", path, "", headers=ids | {"authorization": "Bearer abc"}),
        hub.ask("GET", path, "nobody-has-this-token", headers=ids),
        hub.ask("GET", path, expired, headers=ids),
        hub.ask("DELETE", path, "nobody-has-this-token", headers=ids),
    ]

    assert {answer.http_status for answer in answers} == {401}
    assert {answer.header("www-authenticate") for answer in answers} == {"Token"}
    assert {answer.header("x-request-id") for answer in answers} == {"my-request"}
    assert {answer.header("x-correlation-id") for answer in answers} == {"my-correlation"}
    assert {(answer.status_code, answer.envelope.status_message) for answer in answers} == {
        (2000, answers[0].envelope.status_message)
    }
