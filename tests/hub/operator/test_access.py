from __future__ import annotations

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner

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
        answer = anyone.request(method, path.format(platform_id="x"), headers=headers)

        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_all_refusals_for_want_of_a_token_read_alike(anyone: httpx.Client) -> None:
    url = "/api/v1/platforms"
    tokens = ["wrong", "x" * 10_000, "nö", "a b"]
    answers = {anyone.get(url, headers={b"authorization": f"Bearer {token}".encode()}).text for token in tokens}

    assert answers == {anyone.get(url).text}


def test_the_scheme_may_be_written_in_any_case(hub: HubProcess, anyone: httpx.Client) -> None:
    token = hub.operator.api.headers["authorization"].removeprefix("Bearer ")
    answer = anyone.get("/api/v1/parties", headers={"authorization": f"bearer {token}"})

    assert answer.status_code == 200


def test_health_metrics_and_description_need_no_token(anyone: httpx.Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/schema", "/schema/openapi.json"):
        assert anyone.get(path).status_code == 200, path


def test_a_partner_opens_nothing_here_with_its_token(anyone: httpx.Client, cpo: Partner) -> None:
    token = cpo.connection.our_token
    for authorization in (f"Bearer {token}", f"Token {token}", cpo.authorization):
        answer = anyone.get("/api/v1/platforms", headers={"authorization": authorization})

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
