from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from hub.operator.roles import Me, OperatorRole, is_allowed, needed
from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.operator.people import somebody
from tests.hub.operator.route_table import ApiRoute, api_routes

ROUTES = api_routes()
HAS_EFFECT_WITHOUT_AN_ID = {"/api/v1/drain"}
FOR_ADMINS_ONLY = ("/api/v1/tokens", "/api/v1/agreements", "/api/v1/reload")


@pytest.fixture(scope="module")
def people(hub: HubProcess) -> Iterator[dict[OperatorRole, httpx.Client]]:
    """Somebody of each role; the partner's engineer is one of a platform that is there."""
    with ExitStack() as stack:
        platform = hub.operator.invite("Own").platform_id
        yield {
            role: stack.enter_context(
                somebody(hub, role, **({"platform": platform} if role is OperatorRole.PARTNER else {}))
            )
            for role in OperatorRole
        }


def name(route: ApiRoute) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_every_route_names_the_least_role_it_takes(route: ApiRoute) -> None:
    assert isinstance(needed(route.opt), OperatorRole), f"{name(route)} needs opt=FOR_…"


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_the_least_role_is_that_of_the_table_of_roles(route: ApiRoute) -> None:
    needs = needed(route.opt)
    if route.path.startswith("/api/v1/tokens"):
        assert needs is OperatorRole.ADMIN
    elif route.method == "GET":
        assert needs in {OperatorRole.PARTNER, OperatorRole.AUDITOR, OperatorRole.OPERATOR}
    elif name(route) == "DELETE /api/v1/platforms/{platform_id}" or route.path.startswith(FOR_ADMINS_ONLY):
        assert needs is OperatorRole.ADMIN
    else:
        assert needs is OperatorRole.OPERATOR


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_what_a_partners_engineer_may_call_knows_who_is_asking(route: ApiRoute) -> None:
    """Either the path names the platform, which the guard compares, or the handler asks who is asking."""
    me = Me("paul", OperatorRole.PARTNER, "own")
    if is_allowed(me, route.opt):
        parameters = inspect.signature(route.handler.fn).parameters
        is_of_the_version = route.path == "/api/v1/rules/{rule_id}"  # the same for every hub
        assert "{platform_id}" in route.path or "me" in parameters or is_of_the_version, name(route)


@pytest.mark.parametrize("role", OperatorRole)
def test_each_role_may_call_what_takes_it_and_nothing_else(
    people: dict[OperatorRole, httpx.Client], role: OperatorRole
) -> None:
    for route in ROUTES:
        may = is_allowed(Me("somebody", role), route.opt)
        if may and route.path in HAS_EFFECT_WITHOUT_AN_ID:
            continue
        answer = people[role].request(route.method, route.at())

        assert (answer.status_code == 403) is not may, (name(route), answer.text)
        assert answer.status_code not in {401, 500}, name(route)
        if not may:
            problem = answer.json()
            assert problem["status"] == 403
            assert str(needed(route.opt)) in problem["detail"]


def test_a_partners_engineer_sees_the_own_platform_and_of_others_not_even_that_they_exist(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    found = {each["name"]: each["id"] for each in hub.operator.ask("GET", "/api/v1/platforms")["items"]}
    own, other = found[cpo.name], found[emsp.name]
    with somebody(hub, "partner", platform=own) as paul:
        assert paul.get(f"/api/v1/platforms/{own}").json()["name"] == cpo.name
        assert [each["id"] for each in paul.get("/api/v1/platforms").json()["items"]] == [own]
        unknown = paul.get(f"/api/v1/platforms/{'0' * 32}")
        for path in (f"/api/v1/platforms/{other}", f"/api/v1/platforms/{other}/losses"):
            answer = paul.get(path)
            assert (answer.status_code, answer.json()) == (404, unknown.json())
        assert paul.post(f"/api/v1/platforms/{other}/rotate").status_code == 404
        assert paul.post(f"/api/v1/platforms/{own}/rotate").status_code == 200
        assert paul.post(f"/api/v1/platforms/{own}/suspend").status_code == 403


def test_a_route_without_a_role_lets_nobody_in() -> None:
    assert not any(is_allowed(Me("somebody", role), {}) for role in OperatorRole)
