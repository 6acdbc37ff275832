"""The hubs of the bench that leave something out: they do, and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from loadtests.hub_process import HubProcess
from tests.partners import CPO, EMSP, location, partner, registered


@pytest.mark.parametrize(
    ("program", "journal", "ways"),
    [
        (["hub"], True, True),
        (["loadtests.hub_without", "journal"], False, True),
        (["loadtests.hub_without", "learning"], True, False),
        (["loadtests.hub_without", "journal,learning"], False, False),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_hub_without_something_carries_messages_all_the_same(
    tmp_path: Path, program: list[str], journal: bool, ways: bool
) -> None:
    with HubProcess(tmp_path, program=program) as hub, registered(hub, partner(CPO), partner(EMSP)) as (cpo, emsp):
        path = f"{'/'.join(cpo.party)}/LOC1"
        answer = cpo.put("locations", path, to=emsp.party, json=location(cpo.party))
        [arrived] = emsp.received.wait_for("locations")

    assert answer.status_code == 1000
    assert arrived.raw_path.endswith(path)
    with closing(sqlite3.connect(tmp_path / "hub.db")) as database:
        kept = [bool(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("journal", "ways")]  # noqa: S608 - names of this file
    assert kept == [journal, ways]
