from __future__ import annotations

import random

import msgspec
import pytest

from hub.console.diff import MOST_ROWS, Change, Diff, Row, diff_of, paths_of

DROPPED = Change("Dropped", "L-81", "L-81", "/connector_id")
RENAMED = Change("Renamed", "Token.contract_id", None, "/token/contract_id", "/token/auth_id")
FOLDED = Change("Folded", "Location.type", None, "/type", "/evses/0/type")


def shown(diff: Diff | None) -> list[tuple[str | None, str | None, str]]:
    assert diff is not None
    return [(row.left, row.right, " ".join(change.action for change in row.changes)) for row in diff.rows]


def test_lines_stand_beside_what_became_of_them() -> None:
    before = '{"token":{"uid":"1","contract_id":"C"},"connector_id":"1","cost":4.00}'
    after = '{"token":{"uid":"1","auth_id":"C"},"cost":4.00,"timeout":60}'

    diff = diff_of(before, after, [DROPPED, RENAMED], in_envelope=False)

    assert shown(diff) == [
        ("{", "{", ""),
        ('"token": {', '"token": {', ""),
        ('"uid": "1",', '"uid": "1",', ""),
        ('"contract_id": "C"', '"auth_id": "C"', "Renamed"),
        ("},", "},", ""),
        ('"connector_id": "1",', None, "Dropped"),
        ('"cost": 4.00', '"cost": 4.00,', ""),
        (None, '"timeout": 60', ""),
        ("}", "}", ""),
    ]
    assert diff is not None
    assert diff.summary == "1 dropped, 1 renamed, 2 unchanged"
    assert [row.depth for row in diff.rows] == [0, 1, 2, 2, 1, 1, 1, 1, 0]


def test_numbers_keep_the_digits_that_were_sent() -> None:
    diff = diff_of('{"a":4.00,"b":1.10}', '{"a":4.0,"b":1.10}', [], in_envelope=False)
    assert diff is not None
    assert [(row.left, row.is_same) for row in diff.rows[1:3]] == [('"a": 4.00,', False), ('"b": 1.10', True)]


def test_elements_of_lists_are_known_again_by_their_ids() -> None:
    diff = diff_of('[{"id":"A"},{"id":"B"}]', '[{"id":"B"}]', [], in_envelope=False)
    assert ('"id": "B"', '"id": "B"', "") in shown(diff)
    assert ('"id": "A"', None, "") in shown(diff)


def test_elements_are_known_again_by_what_names_them_on_both_sides() -> None:
    before = '[{"start_date_time":"2026-11-22T10:00:00Z","volume":1.5}]'
    after = '[{"start_date_time":"2026-11-22T10:00:00Z","volume":1.5,"tariff_id":"T1"}]'
    added = Change("Added", "L-42", "L-42", None, "/0/tariff_id")

    said = shown(diff_of(before, after, [added], in_envelope=False))

    assert ('"volume": 1.5', '"volume": 1.5,', "") in said
    assert (None, '"tariff_id": "T1"', "Added") in said


def test_what_would_be_there_and_is_unknown_was_not_received_either() -> None:
    missing = Change("Missing", "L-50", "L-50", None, "/session_id")
    assert shown(diff_of('{"id":"C"}', '{"id":"C"}', [missing], in_envelope=False))[-1] == (None, None, "Missing")
    assert shown(paths_of([missing])) == [(None, None, "Missing")]


def test_of_one_document_alone_nothing_is_said_to_be_lost_or_new() -> None:
    received = diff_of('{"id":"C"}', None, [], in_envelope=False)
    made = diff_of(None, '{"data":{"id":"C"}}', [], in_envelope=True)
    assert received is not None
    assert made is not None
    assert all(row.is_same for row in (*received.rows, *made.rows))
    assert (received.summary, made.summary) == ("as it was received", "as the hub wrote it")


def test_an_envelope_that_differs_is_no_change_of_the_object() -> None:
    one, other = (f'{{"status_code":{code},"timestamp":"x"}}' for code in (2000, 3000))
    diff = diff_of(one, other, [], in_envelope=True)
    assert diff is not None
    assert diff.summary == "the envelope is the hub's own"


def test_of_an_answer_the_rules_are_about_its_data() -> None:
    change = Change("Added", "L-83", "L-83", None, "/timeout")
    diff = diff_of('{"data":{},"timeout":1}', '{"data":{"timeout":60},"timeout":1}', [change], in_envelope=True)
    assert (None, '"timeout": 60', "Added") in shown(diff)
    assert ('"timeout": 1', '"timeout": 1', "") in shown(diff)
    assert diff is not None
    assert diff.summary == "1 added, 0 unchanged"


def test_what_moved_elsewhere_is_told_at_both_places() -> None:
    diff = diff_of(
        '{"type":"X","evses":[{"uid":"1"}]}', '{"evses":[{"uid":"1","type":"X"}]}', [FOLDED], in_envelope=False
    )
    assert ('"type": "X",', None, "Folded") in shown(diff)
    assert (None, '"type": "X"', "Folded") in shown(diff)


def test_a_rule_without_a_line_comes_at_the_end_and_every_rule_is_shown() -> None:
    refused = Change("Refused", "RF-05", "RF-05")
    diff = diff_of('{"credit":true}', None, [refused], in_envelope=False)
    assert shown(diff)[-1] == (None, None, "Refused")
    assert shown(diff)[1] == ('"credit": true', None, "")


def test_without_documents_there_are_the_places_only() -> None:
    diff = paths_of([DROPPED, RENAMED, Change("Added", "L-83", "L-83", None, "/timeout")])
    assert [(row.left, row.right) for row in diff.rows] == [
        ("/connector_id", None),
        ("/token/contract_id", "/token/auth_id"),
        (None, "/timeout"),
    ]
    assert (diff.is_known, diff.summary) == (False, "1 added, 1 dropped, 1 renamed")


@pytest.mark.parametrize("text", ["", "<html>", '{"a":', "[" * 100_000])
def test_what_is_no_json_has_no_lines(text: str) -> None:
    assert diff_of(text, text, [], in_envelope=False) is None


def test_long_documents_are_shortened_where_nothing_changed() -> None:
    before = msgspec.json.encode([{"id": str(number), "a": 1} for number in range(5000)]).decode()
    after = before.replace('"id":"2500","a":1', '"id":"2500","a":2')

    diff = diff_of(before, after, [], in_envelope=False)

    assert diff is not None
    assert len(diff.rows) < 30
    assert [(row.left, row.right) for row in diff.rows if not row.is_same] == [('"a": 1', '"a": 2')]
    assert sum(row.folded or 1 for row in diff.rows) == 4 * 5000 + 2
    other = diff_of(before, "[]", [], in_envelope=False)
    assert other is not None
    assert (len(other.rows), other.left_out > 0) == (MOST_ROWS, True)


def test_left_is_what_was_received_and_right_is_what_was_sent_whatever_was_changed() -> None:
    dice = random.Random(5)
    for _ in range(150):
        before, after = _document(dice, 4), _document(dice, 4)
        changes = [Change(action, "x", None, *(_place(dice) for _ in "ab")) for action in ("Dropped", "Renamed")]
        left, right = (msgspec.json.encode(each).decode() for each in (before, after))

        diff = diff_of(left, right, changes, in_envelope=dice.random() < 0.3)

        assert diff is not None
        for side, document in (("left", before), ("right", after)):
            written = [line for row in _before_rest(diff, changes) if (line := getattr(row, side)) is not None]
            assert msgspec.json.decode("\n".join(written)) == document or len(diff.rows) >= MOST_ROWS


def _before_rest(diff: Diff, changes: list[Change]) -> list[Row]:
    paths = {change.from_path for change in changes} | {change.to_path for change in changes}
    return [row for row in diff.rows if row.left not in paths and row.right not in paths]


def _place(dice: random.Random) -> str:
    return "/" + "/".join(dice.choice("abc") for _ in range(dice.randint(1, 3)))


def _document(dice: random.Random, depth: int) -> object:
    match dice.randint(0, 3 if depth else 1):
        case 0:
            return dice.choice([1, True, None, "x", "é\u202e", {}, []])
        case 1:
            return dice.choice(["a", 4, False])
        case 2:
            return [_document(dice, depth - 1) for _ in range(dice.randint(0, 3))]
        case _:
            return {name: _document(dice, depth - 1) for name in dice.sample("abcd", dice.randint(0, 4))}
