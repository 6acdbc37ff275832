from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from loadtests.hub_process import HubProcess
from tests.console.conftest import sign_in, watched
from tests.hub.operator.people import client_from_elsewhere, new_token
from tests.partners import CPO, partner, registered


def token_of_form(client: httpx.Client, path: str = "/login") -> str:
    """What a form of this page sends back."""
    return client.get(path).text.split('name="_csrf_token" value="')[1].split('"')[0]


def posted(client: httpx.Client, token: str, **more: str) -> httpx.Response:
    """The sign-in form, filled in."""
    return client.post("/login", data={"_csrf_token": token_of_form(client), "token": token, **more})


@pytest.mark.parametrize("wanted", ["/audit?actor=operator", "/events?state=open"])
def test_who_is_not_signed_in_gets_there_after_signing_in(page: Page, hub: HubProcess, wanted: str) -> None:
    sign_in(page, hub.operator.token, wanted)

    expect(page).to_have_url(hub.operator.url + wanted)


def test_the_session_is_a_cookie_that_scripts_cannot_read_and_the_token_is_nowhere(page: Page, hub: HubProcess) -> None:
    sign_in(page, hub.operator.token)

    [session] = [each for each in page.context.cookies() if each["name"] == "hub"]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Lax")
    assert hub.operator.token not in page.content() + page.url + str(page.context.storage_state())
    assert session["value"] not in page.evaluate("document.cookie")


def test_every_sign_in_has_a_session_of_its_own(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as one, client_from_elsewhere(hub) as other:
        planted = {"cookie": "hub=chosen-by-somebody-else"}
        assert one.get("/help", headers=planted).status_code == 303
        for client in (one, other):
            posted(client, hub.operator.token)

        assert len({"chosen-by-somebody-else", one.cookies["hub"], other.cookies["hub"]}) == 3


def test_wrong_tokens_get_one_sentence_and_then_have_to_wait(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as client:
        answers = [posted(client, "wrong") for _ in range(11)]

        assert [each.status_code for each in answers] == [401] * 10 + [429]
        assert "This token opens nothing here." in answers[0].text
        assert "Wait a minute." in answers[-1].text
        assert int(answers[-1].headers["retry-after"]) > 0


def test_a_partners_token_opens_nothing(hub: HubProcess) -> None:
    with registered(hub, partner(CPO)) as [cpo], client_from_elsewhere(hub) as client:
        assert posted(client, cpo.connection.our_token).status_code == 401


def test_the_console_takes_no_bearer_token_and_the_api_no_cookie(hub: HubProcess) -> None:
    with client_from_elsewhere(hub) as client:
        posted(client, hub.operator.token)

        assert client.get("/audit").status_code == 200
        assert client.get("/api/v1/me").status_code == 401
        client.cookies.clear()
        assert client.get("/audit", headers={"authorization": f"Bearer {hub.operator.token}"}).status_code == 303


def test_who_signs_out_is_out_wherever_the_cookie_went(page: Page, hub: HubProcess) -> None:
    sign_in(page, hub.operator.token, "/help")
    [session] = [each for each in page.context.cookies() if each["name"] == "hub"]

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Token")).to_be_visible()
    with client_from_elsewhere(hub) as client:
        client.cookies.set("hub", session["value"])
        assert client.get("/audit").status_code == 303


def test_a_token_that_is_removed_signs_its_holder_out(browser: Browser, hub: HubProcess) -> None:
    made = new_token(hub, "auditor")
    with watched(browser, hub) as page:
        sign_in(page, made["token"], "/audit")
        expect(page.get_by_role("heading", level=1)).to_have_text("Who changed what")

        hub.operator.ask("DELETE", f"/api/v1/tokens/{made['id']}")
        page.reload()

        expect(page.get_by_label("Token")).to_be_visible()


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_after_signing_in_one_is_never_sent_to_another_site(hub: HubProcess, wanted: str) -> None:
    with client_from_elsewhere(hub) as client:
        assert posted(client, hub.operator.token, next=wanted).headers["location"] == "/"
