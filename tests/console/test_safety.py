from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from hub.console.app import console
from hub.console.safety import POLICY
from hub.operator.app import create_operator_app
from hub.operator.roles import OperatorRole, is_open, needed
from loadtests.hub_process import HubProcess
from tests.console.test_sign_in import posted, token_of_form
from tests.hub.operator.people import client_from_elsewhere, new_token
from tests.hub.running_hub import RunningHub

NOT_PAGES = ("/api/", "/schema", "/metrics", "/healthz", "/readyz")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, HTTPRouteHandler]]:
    """Every route of the console: method, path, handler."""
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        app = create_operator_app(running.hub, console)
    return [
        (method, route.path_format, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path_format.startswith(NOT_PAGES)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"})
    ]


@contextmanager
def somebody(hub: HubProcess, role: str) -> Iterator[httpx.Client]:
    """A client that is signed in as one of this role."""
    with client_from_elsewhere(hub) as client:
        posted(client, new_token(hub, role)["token"])
        yield client


def test_every_page_names_a_role_or_says_that_it_takes_nobody(pages: list[tuple[str, str, HTTPRouteHandler]]) -> None:
    unnamed = [path for _, path, handler in pages if needed(handler.opt) is None and not is_open(handler.opt)]

    assert unnamed == []
    assert {path for _, path, handler in pages if is_open(handler.opt)} == {"/login", "/assets/{digest}/{name}"}


def test_no_page_opens_without_a_session(hub: HubProcess, pages: list[tuple[str, str, HTTPRouteHandler]]) -> None:
    with client_from_elsewhere(hub) as client:
        client.headers["accept"] = "text/html"
        for method, path, handler in pages:
            if method == "GET" and not is_open(handler.opt):
                answer = client.get(path.replace("{", "").replace("}", ""))
                assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path


def test_what_a_role_may_not_do_is_refused(hub: HubProcess, pages: list[tuple[str, str, HTTPRouteHandler]]) -> None:
    with somebody(hub, "auditor") as client:
        form = {"_csrf_token": token_of_form(client, "/help")}
        for method, path, handler in pages:
            if needed(handler.opt) in {OperatorRole.OPERATOR, OperatorRole.ADMIN}:
                answer = client.request(method, path.replace("{", "").replace("}", ""), data=form)
                assert answer.status_code == 403, path


@pytest.mark.parametrize("path", ["/login", "/events", "/audit", "/help", "/nothing-here", "/help/nothing"])
def test_every_answer_says_what_its_page_may_do(hub: HubProcess, path: str) -> None:
    with somebody(hub, "admin") as client:
        headers = client.get(path).headers

        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_form_needs_the_token_of_its_own_browser(
    hub: HubProcess, pages: list[tuple[str, str, HTTPRouteHandler]]
) -> None:
    with somebody(hub, "admin") as client, somebody(hub, "admin") as other:
        lines = hub.operator.ask("GET", "/api/v1/audit")["items"]
        for method, path, _ in pages:
            if method != "POST":
                continue
            for form in ({}, {"_csrf_token": "x" * 128}, {"_csrf_token": token_of_form(other, "/help")}):
                assert client.post(path.replace("{", "").replace("}", ""), data=form).status_code == 403, path

        assert hub.operator.ask("GET", "/api/v1/audit")["items"] == lines


def test_a_form_on_another_site_does_nothing(hub: HubProcess) -> None:
    with somebody(hub, "admin") as client:
        form = {"_csrf_token": token_of_form(client, "/help")}

        answer = client.post("/logout", data=form, headers={"origin": "https://evil.example"})

        assert answer.status_code == 403
        assert client.get("/help").status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_the_console_is_met_under_its_own_names_only(hub: HubProcess, name: str) -> None:
    with somebody(hub, "admin") as client:
        answer = client.get("/audit", headers={"host": name})

        assert answer.status_code in {400, 403}
        assert "Who changed what" not in answer.text


def test_looking_changes_nothing_but_that_looking_at_a_message_and_exporting_are_noted(
    hub: HubProcess, pages: list[tuple[str, str, HTTPRouteHandler]]
) -> None:
    def state() -> list[object]:
        kept = ("/api/v1/tokens", "/api/v1/agreements")
        settings = {each["id"]: each["settings"] for each in hub.operator.platforms()}
        return [settings, *(hub.operator.ask("GET", path)["items"] for path in kept)]

    with somebody(hub, "admin") as client:
        before = state()
        [last] = hub.operator.ask("GET", "/api/v1/audit", params={"limit": 1})["items"]
        for method, path, _ in pages:
            if method == "GET":
                client.get(path.replace("{", "").replace("}", ""))
        assert state() == before
        noted = hub.operator.ask("GET", "/api/v1/audit", params={"since": last["at"], "limit": 200})["items"]
        assert noted[-1]["id"] == last["id"]
        assert {each["action"] for each in noted[:-1]} <= {"message.read", "agreement.export"}


def test_files_may_be_kept_for_ever_as_their_names_change_with_them(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as client:
        found = client.get("/login").text.split('rel="stylesheet" href="')[1].split('"')[0]

        assert "immutable" in client.get(found).headers["cache-control"]
        digest = found.split("/")[2]
        assert client.get(found.replace(digest, "0" * 16)).status_code == 404
