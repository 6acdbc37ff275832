"""The hubs of the bench that leave something out: they do, and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from loadtests.hub_process import HubProcess
from tests.hub.failures.waiting import eventually
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
        # A hub that ends waits some seconds for a disk that stands still, and not until all is written.
        eventually(lambda: kept(tmp_path) == (journal, ways))

    assert answer.status_code == 1000
    assert arrived.raw_path.endswith(path)
    assert kept(tmp_path) == (journal, ways)


def kept(folder: Path) -> tuple[bool, bool]:
    """Whether anything is in the journal, and whether anything was learned."""
    with closing(sqlite3.connect(folder / "hub.db")) as database:
        counts = (database.execute(f"SELECT count(*) FROM {table}") for table in ("journal", "ways"))  # noqa: S608 - names of this file
        journal, ways = (bool(count.fetchone()[0]) for count in counts)
    return journal, ways
