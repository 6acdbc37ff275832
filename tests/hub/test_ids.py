from __future__ import annotations

import subprocess
import sys
from time import time_ns
from uuid import RFC_4122, UUID

from hub.ids import new_id, new_ids

MANY = 20_000


def test_ids_are_uuids_and_never_repeat() -> None:
    ids = [new_id() for _ in range(MANY)]

    assert len(set(ids)) == MANY
    for each in ids:
        uuid = UUID(each)
        assert (uuid.version, uuid.variant, str(uuid)) == (7, RFC_4122, each)


def test_all_but_the_time_and_what_is_fixed_is_chance() -> None:
    ones, zeros = 0, 0
    for _ in range(1000):
        number = UUID(new_id()).int
        ones, zeros = ones | number, zeros | ~number

    chance = (1 << 80) - 1 - (0xF << 76) - (0b11 << 62)  # less the version and the variant
    assert ones & zeros & ((1 << 80) - 1) == chance


def test_ids_begin_with_the_time_and_so_sort_by_it() -> None:
    before = time_ns() // 1_000_000
    made = [UUID(new_id()).int >> 80 for _ in range(MANY)]
    after = time_ns() // 1_000_000

    assert before <= made[0]
    assert made[-1] <= after
    assert made == sorted(made)


def test_a_request_of_the_hubs_own_has_two_different_ids() -> None:
    ids = new_ids()

    assert ids.request_id != ids.correlation_id


def test_two_processes_make_different_ids() -> None:
    program = "from hub.ids import new_id; print(new_id())"
    made = {subprocess.check_output([sys.executable, "-c", program]) for _ in range(2)}

    assert len(made) == 2
