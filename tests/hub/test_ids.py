from __future__ import annotations

import subprocess
import sys
from uuid import RFC_4122, UUID

from hub.ids import new_id, new_ids

MANY = 20_000


def test_ids_are_random_uuids_and_never_repeat() -> None:
    ids = [new_id() for _ in range(MANY)]

    assert len(set(ids)) == MANY
    for each in ids:
        uuid = UUID(each)
        assert (uuid.version, uuid.variant, str(uuid)) == (4, RFC_4122, each)


def test_each_bit_that_is_not_fixed_is_sometimes_set_and_sometimes_not() -> None:
    ones, zeros = 0, 0
    for _ in range(1000):
        number = UUID(new_id()).int
        ones, zeros = ones | number, zeros | ~number

    fixed = (0xF << 76) | (0b11 << 62)  # the version and the variant
    always = (0x4 << 76) | (0b10 << 62)
    assert ones == (1 << 128) - 1 - fixed + always
    assert zeros & ((1 << 128) - 1) == (1 << 128) - 1 - always


def test_a_request_of_the_hubs_own_has_two_different_ids() -> None:
    ids = new_ids()

    assert ids.request_id != ids.correlation_id


def test_two_processes_make_different_ids() -> None:
    program = "from hub.ids import new_id; print(new_id())"
    made = {subprocess.check_output([sys.executable, "-c", program]) for _ in range(2)}

    assert len(made) == 2
