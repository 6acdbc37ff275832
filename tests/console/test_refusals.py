"""What somebody sees in place of a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import FunctionLoader
from litestar import Litestar, get
from litestar.testing import TestClient
from playwright.sync_api import Page, expect
from structlog.testing import capture_logs

from hub.console import frame
from hub.console.app import bug_page
from hub.console.frame import templates
from hub.settings import Settings
from loadtests.hub_process import HubProcess
from tests.console.conftest import sign_in
from tests.hub.operator.people import client_from_elsewhere

TEMPLATES = Path(frame.__file__).parent / "templates"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings.load()


def test_a_page_that_is_not_there_keeps_the_frame_and_leads_back(console: Page) -> None:
    console.goto("/help")
    console.evaluate("location.href = '/partners/nobody'")

    expect(console.get_by_role("heading", level=1)).to_have_text("Not found")
    expect(console.get_by_role("navigation", name="Console")).to_be_visible()
    console.get_by_role("link", name="Back").click()
    expect(console).to_have_url(re.compile("/help$"))


def test_an_address_without_a_page_keeps_the_frame_too_and_a_program_is_told_in_its_own_way(
    page: Page, hub: HubProcess
) -> None:
    sign_in(page, hub.operator.token, "/nothing?at=all")
    for path in ("/nothing?at=all", "/partners/a/nothing/at/all", "/logout"):
        answer = page.goto(path)
        assert (answer and answer.status) == 404, path
        expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
        expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    page.get_by_role("link", name="To the start").click()
    expect(page).to_have_url(f"{hub.operator.url}/")

    with client_from_elsewhere(hub) as program:
        answers = [program.get(path) for path in ("/health", "/platforms/a/b", "/api/v1/nothing")]
    assert [each.status_code for each in answers[:2]] == [404, 404]
    assert {each.headers["content-type"] for each in answers} == {"application/problem+json"}


@get("/broken")
async def broken() -> None:
    """A page with a bug."""
    raise RuntimeError("a bug")


def test_a_bug_has_an_id_that_stands_in_the_line_of_the_log(settings: Settings) -> None:
    app = Litestar([broken], template_config=templates(settings), exception_handlers={Exception: bug_page})
    with TestClient(app) as client, capture_logs() as logs:
        answer = client.get("/broken", headers={"referer": "http://testserver.local/messages?party=NL*ABC"})

    [line] = [each for each in logs if each["event"] == "console_request_failed"]
    assert answer.status_code == 500
    assert f'<code class="id">{line["fault_id"]}</code>' in answer.text
    assert 'href="/messages?party=NL*ABC"' in answer.text


def test_templates_are_those_with_which_the_hub_began(settings: Settings) -> None:
    engine = templates(settings).engine_instance.engine

    assert not engine.auto_reload
    assert isinstance(engine.loader, FunctionLoader)
    looks_at_files = [path.name for path in TEMPLATES.iterdir() if engine.loader.get_source(engine, path.name)[2]]
    assert looks_at_files == []
