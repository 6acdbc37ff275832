"""A report says, in every form, what was recorded."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.load.hub_time import HubFigures, Spent
from loadtests.load.journal_times import JournalTimes
from loadtests.load.notes import notes
from loadtests.load.objectives import Objectives
from loadtests.load.recording import EVERYBODY, NO_RESULT, RATE_LIMITED, UNANSWERED, Kind, Recording, Sample
from loadtests.load.report import summary, write
from loadtests.load.results import Results

PATCH, AUTHORIZE = Kind("locations.PATCH.CPO"), Kind("tokens.authorize.CPO")
PLAN = {
    "operator_url": "http://127.0.0.1:8001",
    "shape": "steady",
    "rate": 20.0,
    "duration_s": 10.0,
    "platforms": 3,
    "peers": [{"party": "DE*XYZ", "role": "EMSP", "version": "2.3.0"}],
}


def recorded() -> Recording:
    """20 actions a second for 10 seconds; one of four cards is refused, and one connection broke."""
    recording = Recording()
    for index in range(200):
        at_s = index / 20
        recording.add_due(at_s)
        recording.add_sent(at_s, 0.002)
        recording.add_done(at_s + 0.01, 10)
        refused = index % 8 == 0
        partner = "NL*ABC" if index % 2 else "NL*D<F"
        recording.add(
            at_s,
            Sample(
                AUTHORIZE if index % 4 == 0 else PATCH,
                partner,
                "DE*XYZ",
                10.0 + index / 100,
                2.0,
                "2004" if refused else "1000",
                failed=refused,
            ),
        )
    recording.add(5, Sample(PATCH, "NL*ABC", None, 1.0, 0.0, "ConnectionResetError", failed=True))
    recording.cpu = {"process 0": [0.2, 0.4]}
    return recording


def results(cut_short_s: float | None = None) -> Results:
    journal = JournalTimes()
    entry = {"hop": "message", "from": "NL*ABC", "to": "DE*XYZ", "upstream_request_id": "1", "failure": None}
    journal.add({**entry, "hub_ms": 0.7, "upstream_ms": 8.5})
    hub = HubFigures({("direct", "locations"): Spent(1.0, 100)}, {("locations", "id-of-roam"): Spent(0.8, 100)}, 7)
    return Results(
        plan={**PLAN, "profile": "fast"},
        processes=1,
        begun_at="2026-11-22T12:00:00+00:00",
        recording=recorded(),
        verdicts=Objectives({"overall": {"p99_ms": 5}}).judge(recorded(), 0.3),
        hub=hub,
        journal=journal,
        names={"id-of-roam": "DE*XYZ"},
        players={"NL*ABC": "CPO 2.2.1"},
        hub_version="1.2.3",
        cut_short_s=cut_short_s,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    write(results(), made)
    return made


def rows(file: Path) -> dict[str, dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return {next(iter(row.values())): row for row in csv.DictReader(stream)}


def test_json_has_the_rates_the_times_and_the_errors(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["overall"]["offered_per_s"] == report["overall"]["achieved_per_s"] == 20
    assert report["overall"]["messages"] == 201
    assert report["overall"]["errors"] == 26
    assert report["kinds"]["tokens.authorize.CPO"]["outcomes"] == {"1000": 25, "2004": 25}
    assert report["partners"]["NL*ABC"]["outcomes"] == {"1000": 100, "ConnectionResetError": 1}
    assert report["partners"]["NL*ABC"]["hub_p50_ms"] == 0.7
    assert report["receivers"]["DE*XYZ"]["partner_p50_ms"] == 8.5
    assert report["hub"]["modules"]["locations"]["hub_mean_ms"] == pytest.approx(2.0)
    assert report["hub"]["platforms"]["DE*XYZ"]["mean_ms"] == 8.0
    assert report["generator"]["cpu_share"] == pytest.approx(0.3)
    assert not report["passed"]


def test_p99_counts_from_when_a_message_was_due(folder: Path) -> None:
    overall = json.loads((folder / "report.json").read_text(encoding="utf-8"))["overall"]
    assert overall["p99_ms"] == pytest.approx(overall["p99_from_sending_ms"] + 2, rel=0.01)


def test_csv_has_a_row_for_each_partner_kind_and_second(folder: Path) -> None:
    assert set(rows(folder / "partners.csv")) == {"NL*ABC", "NL*D<F"}
    assert rows(folder / "kinds.csv")["tokens.authorize.CPO"]["outcomes"] == "1000=25 2004=25"
    assert rows(folder / "receivers.csv")["DE*XYZ"]["messages"] == "200"
    assert rows(folder / "timeline.csv")["5"]["partners_per_s"] == "NL*ABC=11 NL*D<F=10"
    assert len(rows(folder / "timeline.csv")) == 10


def test_the_page_needs_nothing_beside_itself(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 3
    assert "Failed" in text
    assert "http://127.0.0.1:8001, version 1.2.3" in text
    assert "<td>CPO 2.2.1</td>" in text
    assert "steady, 20 actions/s, 3 platforms, 1 peer</title>" in text
    assert "fast, peers as they do" in text
    assert "<th>others&#x27; p50</th>" in text
    assert "<th>own p50</th>" in text
    assert "NL*D&lt;F" in text
    assert "NL*D<F" not in text
    assert "ConnectionResetError: 1" in text
    assert 'src="http' not in text
    assert "<link" not in text


def test_there_are_pictures(folder: Path) -> None:
    for name in ("rate", "latency", "partners"):
        content = (folder / f"{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 100_000


def test_a_terminal_gets_a_table_and_a_line_for_each_objective(tmp_path: Path) -> None:
    text = summary(write(results(), tmp_path))
    assert "offered 20.0 actions/s, achieved 20.0 (100.0%); 201 messages, 26 errors" in text
    assert "FAIL  overall: p99_ms 14.0 ms, at most 5.0 ms" in text
    assert "pass  generator: cpu_share 30.00%, at most 85.00%" in text
    [line] = [line for line in text.splitlines() if line.startswith("NL*D<F")]
    assert line.split()[1:3] == ["-", "100"]
    assert line.endswith("1000: 75, 2004: 25")
    [row] = [line.split() for line in text.splitlines() if line.startswith("NL*ABC")]
    assert row[1:4] == ["CPO", "2.2.1", "101"]
    assert row[9:12] == ["1", "0.7", "8.5"]  # sampled, hub p50, others' p50


def test_a_terminal_says_whose_time_it_was(tmp_path: Path) -> None:
    senders, receivers = summary(write(results(), tmp_path)).split("\n\n")[2:4]
    assert senders.split(maxsplit=1)[0] == "sender"
    assert "hub p50  others' p50  outcomes" in senders
    assert "DE*XYZ" not in senders
    head, row = receivers.splitlines()
    assert head.split(maxsplit=1)[0] == "receiver"
    assert "hub p50  own p50  outcomes" in head
    assert row.split()[:3] == ["DE*XYZ", "EMSP", "2.3.0"]
    assert row.split()[9:12] == ["1", "0.7", "8.5"]


def test_what_had_no_answer_and_no_result_is_counted_and_said(tmp_path: Path) -> None:
    recording = recorded()
    recording.add(11, Sample(PATCH, "NL*ABC", "DE*XYZ", 3_000.0, 0.0, UNANSWERED, failed=True))
    order = Kind("commands.START_SESSION.EMSP", result=True)
    for outcome in ("ACCEPTED", NO_RESULT, NO_RESULT):
        recording.add(11, Sample(order, "DE*XYZ", "NL*ABC", 3_000.0, 0.0, outcome, failed=outcome == NO_RESULT))
    report = write(replace(results(), recording=recording), tmp_path)
    assert report["overall"]["unanswered"] == 1
    assert report["overall"]["errors"] == 27
    assert "202 messages, 27 errors, 1 of them unanswered;" in summary(report)
    said = "2 commands were accepted, and no result had come when the run was over"
    assert f"note  {said}" in summary(report)
    assert said in (tmp_path / "report.html").read_text(encoding="utf-8")


def noted(*outcomes: str) -> list[str]:
    """What is said of messages to DE*XYZ that ended so; everybody was sent something that failed, too."""
    recording = Recording()
    for receiver in (EVERYBODY, "DE*XYZ"):
        for outcome in outcomes:
            recording.add(1, Sample(PATCH, "NL*ABC", receiver, 1.0, 0.0, outcome, failed=outcome != "1000"))
    return [*notes(recording)]


def test_notes_name_the_partner_that_does_not_answer() -> None:
    [unreached] = noted("4003", "4003")
    assert unreached.startswith("2 of 2 messages to DE*XYZ ended with 4003: it could not be reached, ")
    assert noted("4002") == ["1 of 1 message to DE*XYZ ended with 4002: it did not answer the hub in time"]
    assert noted(UNANSWERED) == ["1 of 1 message to DE*XYZ had no answer when the run was over"]
    assert noted("4003", *["1000"] * 10) == []
    assert noted("2004", "1000") == []


def test_notes_name_the_rate_limit() -> None:
    assert noted(RATE_LIMITED) == [
        "the hub's rate limit refused 2 messages: start the hub with HUB_RATE_LIMIT=off, or this measures the limit"
    ]


def test_a_run_that_was_cut_short_has_not_passed(tmp_path: Path) -> None:
    report = write(replace(results(cut_short_s=4), verdicts=[]), tmp_path)
    assert report["verdict"] == "cut short after 4 of 10 s"
    assert not report["passed"]
    assert "Cut short after 4 of 10 s" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_run_in_which_nothing_came_back_has_a_report_too(tmp_path: Path) -> None:
    empty = Results({**PLAN, "profile": "dead"}, 1, "2026-11-22T12:00:00+00:00", Recording(), [])
    report = write(empty, tmp_path)
    assert report["overall"]["p99_ms"] is None
    assert "0 messages" in summary(report)
