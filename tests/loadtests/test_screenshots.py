from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image

from loadtests.screenshots import FOLDER, MOST_BYTES, SIZE, Shot, take
from tests.hub.forked import ForkedHub

DOCUMENTATION = FOLDER.parent


def test_a_picture_is_taken_in_light_and_in_dark(tmp_path: Path) -> None:
    with ForkedHub(tmp_path) as hub:
        files = list(take(hub, [Shot("overview", "/")], tmp_path / "images"))

    assert [each.name for each in files] == ["console-overview-light.png", "console-overview-dark.png"]
    light, dark = (Image.open(io.BytesIO(each.read_bytes())).convert("L") for each in files)
    assert light.size == dark.size == (SIZE["width"], SIZE["height"])
    assert light.resize((1, 1)).tobytes() > bytes([200])
    assert dark.resize((1, 1)).tobytes() < bytes([60])


def test_the_pictures_of_the_documentation_are_small_and_all_are_shown() -> None:
    taken = {path.name for path in FOLDER.glob("console-*.png") if path.stat().st_size < MOST_BYTES}
    texts = [(DOCUMENTATION.parent / "README.md").read_text(), (DOCUMENTATION / "operating.md").read_text()]
    shown = set(re.findall(r"images/(console-[a-z]+-(?:light|dark)\.png)", "\n".join(texts)))

    assert shown <= taken
    assert {each.rpartition("-")[0] for each in taken} == {each.rpartition("-")[0] for each in shown}
