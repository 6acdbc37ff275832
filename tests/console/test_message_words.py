from __future__ import annotations

import pytest

from hub.console.lanes import lanes_of
from hub.console.message_words import FAILURES, answer_of, headline_of, path_in, story_url, subject_of, ticks
from hub.console.search import page_of
from hub.store.journal_entries import Failure

MESSAGE = {
    "id": "m1",
    "correlation_id": "a/b?c",
    "module": "sessions",
    "route": "direct",
    "path": "/ocpi/2.2.1/receiver/sessions/NL/ABC/S1",
    "upstream_path": None,
    "object_type": "session",
    "object_id": "S1",
    "ocpi_status": 1000,
    "http_status": 200,
}


def hop(kind: str, sender: str, receiver: str, at: int, **more: object) -> dict[str, object]:
    empty = {"http_status": None, "ocpi_status": None, "ms": None, "failure": None, "message_id": "m1"}
    return {"kind": kind, "from": sender, "to": receiver, "at": f"2026-11-22T10:00:0{at}Z"} | empty | more


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Session S1"),
        ({"object_id": None}, "Session"),
        ({"object_type": None, "module": "cdrs"}, "CDRs"),
        ({"object_type": None, "module": "locations", "path": None}, "Locations"),
        ({"module": "commands", "path": "/ocpi/2.2.1/receiver/commands/STOP_SESSION/x"}, "STOP_SESSION"),
        ({"object_id": "\u202eS1"}, "Session \\u202eS1"),
    ],
)
def test_what_a_message_is_about_has_a_name(more: dict[str, object], words: str) -> None:
    assert subject_of(MESSAGE | more) == words


@pytest.mark.parametrize(
    ("http_status", "ocpi_status", "words"),
    [(200, 1000, "1000"), (404, 2001, "2001 in HTTP 404"), (502, None, "HTTP 502"), (None, None, "no answer")],
)
def test_an_answer_is_its_ocpi_status_and_http_only_where_it_differs(
    http_status: int | None, ocpi_status: int | None, words: str
) -> None:
    assert answer_of({"http_status": http_status, "ocpi_status": ocpi_status}) == words


def test_every_failure_has_words() -> None:
    assert FAILURES.keys() == set(Failure)


@pytest.mark.parametrize(
    ("outcome", "failure", "is_waiting", "words"),
    [
        ("ok", None, False, "Session S1: done"),
        ("ok", None, True, "Session S1: waiting for the result"),
        ("partly", "timeout", False, "Session S1: done, but not everywhere"),
        ("failed", "timeout", False, "Session S1: no answer in time"),
    ],
)
def test_the_headline_is_what_came_of_it(outcome: str, failure: str | None, is_waiting: bool, words: str) -> None:
    story = {"messages": [MESSAGE], "use": "m1", "hops": [], "summary": {"outcome": outcome, "failure": failure}}
    assert headline_of(story, is_waiting=is_waiting) == words


def test_the_headline_names_who_refuses_the_hubs_token() -> None:
    summary = {"outcome": "failed", "failure": "refuses_token"}
    story = {"messages": [MESSAGE | {"to": "DE*MSP"}], "use": "m1", "hops": [], "summary": summary}
    assert headline_of(story, is_waiting=False) == "Session S1: DE*MSP refuses the hub's access token"
    assert headline_of(story, is_waiting=False, names={"DE*MSP": "Roam"}).startswith("Session S1: Roam refuses")


@pytest.mark.parametrize(
    ("result", "has_come", "words"),
    [
        ("ACCEPTED", False, "START_SESSION: done"),
        ("ACCEPTED", True, "START_SESSION: done, and its result came"),
        ("NOT_SUPPORTED", False, "START_SESSION: not done, NOT_SUPPORTED"),
        ("FAILED", True, "START_SESSION: not done, FAILED"),
        (None, False, "START_SESSION: answered"),
        (None, True, "START_SESSION: answered, and its result came"),
    ],
)
def test_a_command_is_done_only_where_its_result_says_so(result: str | None, has_come: bool, words: str) -> None:
    message = MESSAGE | {"module": "commands", "path": "/ocpi/2.2.1/receiver/commands/START_SESSION"}
    hops = [hop("callback", "B", "HUB", 1)] if has_come else []
    story = {"messages": [message], "use": "m1", "hops": hops, "summary": {"outcome": "ok", "failure": None}}
    assert headline_of(story, is_waiting=False, result=result) == words


def test_ids_of_partners_stand_in_queries_and_never_in_paths() -> None:
    assert story_url(MESSAGE) == "/story?id=a%2Fb%3Fc&use=m1"
    assert page_of("/api/v1/stories?correlation_id=a%2Fb%3Fc&use=m1") == "/story?id=a%2Fb%3Fc&use=m1#m-m1"
    assert page_of("/api/v1/platforms/plt_1") == "/partners/plt_1"
    assert page_of("/api/v1/messages?object_id=a%26b") == "/messages?object_id=a%26b"
    assert page_of("/api/v1/rules/L-81") == "/rules/L-81"


def test_of_a_path_only_what_is_behind_the_module_is_said() -> None:
    assert path_in(MESSAGE, MESSAGE["path"]) == "/NL/ABC/S1"  # type: ignore[arg-type]  # a text
    assert path_in(MESSAGE, "/elsewhere") == "/elsewhere"
    assert path_in(MESSAGE, None) is None


def test_our_own_texts_may_hold_code_and_no_markup() -> None:
    assert ticks("`uid` <b>") == "<code>uid</code> &lt;b&gt;"


def test_arrows_point_to_whom_the_message_goes_and_pauses_are_told() -> None:
    story = {
        "first": "2026-11-22T10:00:00Z",
        "messages": [MESSAGE, MESSAGE | {"id": "m2"}],
        "hops": [
            hop("request", "A", "HUB", 0),
            hop("request", "HUB", "B", 0),
            hop("answer", "B", "HUB", 3, ocpi_status=1000),
            hop("answer", "HUB", "A", 3, ocpi_status=2001),
            hop("callback", "B", "HUB", 5, message_id="m2"),
            hop("callback", "HUB", "A", 5, message_id="m2"),
            hop("answer", "A", "HUB", 5, message_id="m2"),
            hop("answer", "HUB", "B", 5, message_id="m2", http_status=502),
        ],
    }

    lanes = lanes_of(story, "HUB")

    assert [(lane.is_right, lane.points_left, lane.state) for lane in lanes] == [
        (False, False, ""),
        (True, False, ""),
        (True, True, "good"),
        (False, True, "bad"),
        (True, True, ""),
        (False, True, ""),
        (False, False, "lost"),
        (True, False, "bad"),
    ]
    assert [lane.after_s for lane in lanes] == [None, None, None, None, 2.0, None, None, None]
