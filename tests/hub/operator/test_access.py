from __future__ import annotations

import re

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.operator.people import client_from_elsewhere

NAME_IN_PATH = re.compile(r"\{\w+\}")
PUBLIC = {("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics")}


def routes(anyone: httpx.Client) -> list[tuple[str, str]]:
    paths = anyone.get("/schema").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", "Token {right}", "Basic {right}", "{right}", "Bearer {right}x"],
)
def test_every_route_refuses_without_the_operator_token(
    hub: HubProcess, anyone: httpx.Client, authorization: str | None
) -> None:
    right = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    headers = {} if authorization is None else {"authorization": authorization.format(right=right)}
    found = routes(anyone)
    assert set(found) > PUBLIC
    for method, path in set(found) - PUBLIC:
        with client_from_elsewhere(hub) as stranger:  # ten wrong tokens of one address are all that it may present
            answer = stranger.request(method, NAME_IN_PATH.sub("x", path), headers=headers)

        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_all_refusals_for_want_of_a_token_read_alike(hub: HubProcess) -> None:
    url = "/api/v1/platforms"
    tokens = ["wrong", "x" * 10_000, "nö", "a b", "ohk_wrong", "ohk_" + "x" * 10_000]
    with client_from_elsewhere(hub) as stranger:
        answers = {stranger.get(url, headers={b"authorization": f"Bearer {token}".encode()}).text for token in tokens}

        assert answers == {stranger.get(url).text}


def test_whoever_has_a_token_may_ask_which_methods_there_are(hub: HubProcess) -> None:
    answer = hub.operator.api.options("/api/v1/parties")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, OPTIONS")


def test_the_scheme_may_be_written_in_any_case(hub: HubProcess, anyone: httpx.Client) -> None:
    token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    answer = anyone.get("/api/v1/parties", headers={"authorization": f"bearer {token}"})

    assert answer.status_code == 200


def test_health_metrics_and_description_need_no_token(anyone: httpx.Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/schema", "/schema/openapi.json"):
        assert anyone.get(path).status_code == 200, path


def test_a_partner_opens_nothing_here_with_its_token(hub: HubProcess, cpo: Partner) -> None:
    token = cpo.connection.our_token
    with client_from_elsewhere(hub) as partner:
        for authorization in (f"Bearer {token}", f"Token {token}", cpo.authorization):
            answer = partner.get("/api/v1/platforms", headers={"authorization": authorization})

            assert answer.status_code == 401


def test_the_operator_token_opens_nothing_at_the_partner_listener(hub: HubProcess, anyone: httpx.Client) -> None:
    token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    for authorization in (f"Bearer {token}", f"Token {token}"):
        answer = anyone.get(hub.versions_url, headers={"authorization": authorization})

        assert answer.status_code == 401


def test_the_listeners_have_nothing_in_common(hub: HubProcess, anyone: httpx.Client) -> None:
    assert anyone.get("/ocpi/versions").status_code == 404
    for path in ("/api/v1/platforms", "/metrics", "/readyz", "/schema"):
        assert hub.operator.api.get(hub.url + path).status_code in {401, 404}, path
