"""Pictures of the console for the documentation: the hub and the partners of the demonstration, light and dark."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import click
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from loadtests.demo import Play, companies, stranded
from loadtests.hub_process import HubProcess
from tests.console.browser import ARGUMENTS, chromium

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE: Final = ViewportSize(width=1280, height=800)
MOST_BYTES: Final = 150_000
_COLOURS: Final = 256
_FIGURES_WITHIN_S: Final = 30.0
_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


class Shot(NamedTuple):
    """One picture, which is taken twice."""

    name: str
    path: str
    at: str | None = None
    """What is to be on top of it, as a selector; the top of the page without."""


@click.command("make screenshots")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, help="Where to.")
@click.option("--only", metavar="NAME", multiple=True, help="Only this picture, such as overview.")
def main(folder: Path, only: tuple[str, ...]) -> None:
    """Take the pictures of the console that the documentation shows."""
    click.echo("Playing the demonstration …")
    with demonstration() as (hub, outside):
        shots = [shot for shot in shots_of(hub, outside) if not only or shot.name in only]
        for path in take(hub, shots, folder):
            click.echo(f"{path.name:<32}{path.stat().st_size / 1000:6.0f} kB")


@contextlib.contextmanager
def demonstration() -> Iterator[tuple[HubProcess, str]]:
    """A hub after the demonstration, and the id of the platform that is still outside."""
    with tempfile.TemporaryDirectory(prefix="ocpi-hub-screenshots-") as folder, contextlib.ExitStack() as stack:
        hub = stack.enter_context(HubProcess(Path(folder)))
        cast = companies()
        for partner in cast:
            stack.enter_context(partner.running())
        with contextlib.redirect_stdout(io.StringIO()):
            Play(hub, *cast).perform()
        outside = stack.enter_context(stranded(hub))
        _wait_for_figures(hub)
        yield hub, outside


def shots_of(hub: HubProcess, outside: str) -> list[Shot]:
    """The pictures."""
    ask = hub.operator.ask
    [command] = ask("GET", "/api/v1/messages", params={"module": "commands", "route": "direct", "limit": 1})["items"]
    story = f"/story?id={command['correlation_id']}"
    [refused] = [each["id"] for each in hub.operator.platforms() if each["name"] == "Roam"]
    return [
        Shot("overview", "/"),
        Shot("messages", "/messages"),
        Shot("story", story),
        Shot("diff", story, at="div.diff"),
        Shot("partners", "/partners"),
        Shot("partner", f"/partners/{refused}"),
        Shot("registration", f"/partners/{outside}/registration"),
        Shot("events", "/events"),
    ]


def take(hub: HubProcess, shots: Sequence[Shot], folder: Path) -> Iterator[Path]:
    """Take these pictures, and give the file of each."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for scheme in _SCHEMES:
            with _signed_in(browser, hub, scheme) as page:
                for shot in shots:
                    path = folder / f"console-{shot.name}-{scheme}.png"
                    path.write_bytes(_small(_picture(page, shot)))
                    yield path
        browser.close()


@contextlib.contextmanager
def _signed_in(browser: Browser, hub: HubProcess, scheme: Literal["light", "dark"]) -> Iterator[Page]:
    context = browser.new_context(
        base_url=hub.operator.url, viewport=SIZE, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Token").fill(hub.operator.token)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def _picture(page: Page, shot: Shot) -> bytes:
    page.goto(shot.path)
    if shot.at is not None:
        page.locator(shot.at).first.evaluate("each => window.scrollTo(0, each.getBoundingClientRect().top - 160)")
    return page.screenshot()


def _small(picture: bytes) -> bytes:
    """The picture with the colours it needs: a page of text has few."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def _wait_for_figures(hub: HubProcess) -> None:
    """Figures come some seconds after the messages."""
    deadline = time.monotonic() + _FIGURES_WITHIN_S
    while time.monotonic() < deadline:
        overview: dict[str, Any] = hub.operator.ask("GET", "/api/v1/overview")
        if overview["last_hour"]["messages"]:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main()
