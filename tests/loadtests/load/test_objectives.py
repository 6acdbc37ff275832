"""Limits come from a file, and each says whether it was kept."""

from pathlib import Path

import pytest

from loadtests.load.journal_times import Times
from loadtests.load.objectives import Objectives, ObjectivesError
from loadtests.load.recording import EVERYBODY, Kind, Recording, Sample

PATCH, RESULT = Kind("locations.PATCH.CPO"), Kind("commands.START_SESSION.EMSP", result=True)


def recorded(*, offered: int = 100, done: int = 100, failed: int = 0) -> Recording:
    """Messages of 1, 2, … 100 ms of one partner."""
    recording = Recording()
    for index in range(offered):
        recording.add_due(index / 10)
    for index in range(done):
        late = Sample(PATCH, "NL*ABC", "DE*XYZ", index + 1.0, 0.0, "1000", failed=index < failed)
        recording.add_sent(index / 10, 0.001)
        recording.add_done(index / 10, 10)
        recording.add(index / 10, late)
    return recording


def verdicts(tmp_path: Path, text: str, recording: Recording, cpu_share: float = 0.1) -> dict[str, bool]:
    file = tmp_path / "objectives.toml"
    file.write_text(text, encoding="utf-8")
    judged = Objectives.load(file).judge(recording, cpu_share)
    return {f"{each.about} {each.limit.figure}": each.passed for each in judged}


def test_limits_are_kept_or_not(tmp_path: Path) -> None:
    text = """
        [overall]
        p50_ms = 49
        p99_ms = 100
        error_share = 0.02
        [kinds."locations.*"]
        max_ms = 100
        messages = 101
        [partners."NL*ABC"]
        error_share = 0.001
        [each_partner]
        p95_ms = 96
    """
    assert verdicts(tmp_path, text, recorded(failed=2)) == {
        "overall achieved_share": True,
        "overall p50_ms": False,
        "overall p99_ms": True,
        "overall error_share": True,
        "generator cpu_share": True,
        "generator late_p99_ms": True,
        "generator faults": True,
        "kind locations.* max_ms": True,
        "kind locations.* messages": False,
        "sender NL*ABC error_share": False,
        "sender NL*ABC p95_ms": True,
    }


def test_without_a_file_a_run_fails_when_less_was_achieved_than_offered() -> None:
    failed = [str(each) for each in Objectives({}).judge(recorded(offered=106), 0.1) if not each.passed]
    assert failed == ["FAIL  overall: achieved_share 94.34%, at least 95.00%"]


def test_without_a_file_a_run_fails_when_the_generator_was_out_of_cpu() -> None:
    failed = [str(each) for each in Objectives({}).judge(recorded(), 0.97) if not each.passed]
    assert failed == ["FAIL  generator: cpu_share 97.00%, at most 85.00%"]


def test_without_a_file_a_run_fails_when_many_messages_did() -> None:
    failed = [str(each) for each in Objectives({}).judge(recorded(failed=11), 0.1) if not each.passed]
    assert failed == ["FAIL  overall: error_share 11.00%, at most 10.00%"]


def test_a_file_may_ask_for_less_than_what_always_holds(tmp_path: Path) -> None:
    text = "[overall]\nachieved_share = 0.5\n[generator]\ncpu_share = 1\n"
    assert all(verdicts(tmp_path, text, recorded(offered=150), cpu_share=0.97).values())


def test_a_kind_or_a_partner_that_was_not_seen_fails(tmp_path: Path) -> None:
    text = '[kinds."cdrs.POST.CPO"]\np99_ms = 500\n[partners."FR*NON"]\nerror_share = 0.5\n'
    seen = verdicts(tmp_path, text, recorded())
    assert not seen["kind cdrs.POST.CPO p99_ms"]
    assert not seen["sender FR*NON error_share"]


def test_a_receiver_is_judged_by_what_it_was_sent_and_by_its_own_time(tmp_path: Path) -> None:
    file = tmp_path / "objectives.toml"
    file.write_text(
        """
        [receivers."DE*XYZ"]
        partner_p95_ms = 100
        p95_ms = 96
        [each_receiver]
        error_share = 0.01
        [receivers."FR*NON"]
        partner_p50_ms = 1
        """,
        encoding="utf-8",
    )
    times = Times()
    times.partner.add(809)
    recording = recorded(failed=2)
    recording.add(1, Sample(PATCH, "NL*ABC", EVERYBODY, 9_000.0, 0.0, "2000", failed=True))
    judged = Objectives.load(file).judge(recording, 0.1, {"DE*XYZ": times})
    assert [str(each) for each in judged if each.about.startswith("receiver")] == [
        "FAIL  receiver DE*XYZ: partner_p95_ms 809.0 ms, at most 100.0 ms",
        "pass  receiver DE*XYZ: p95_ms 95.0 ms, at most 96.0 ms",
        "FAIL  receiver FR*NON: partner_p50_ms not measured, at most 1.0 ms",
        "FAIL  receiver DE*XYZ: error_share 2.00%, at most 1.00%",
    ]


def test_the_result_of_a_command_counts_for_its_own_kind_only(tmp_path: Path) -> None:
    recording = recorded()
    recording.add(1, Sample(RESULT, "NL*ABC", "DE*XYZ", 9_000.0, 0.0, "ACCEPTED", failed=False))
    text = '[overall]\nmax_ms = 100\n[each_partner]\nmax_ms = 100\n[kinds."commands.* → result"]\nmax_ms = 9000\n'
    assert all(verdicts(tmp_path, text, recording).values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[overall", "this is not TOML"),
        ("[speed]\np99_ms = 1", "there is no section [speed]"),
        ("overall = 3", "[overall] is no section with limits such as p99_ms = 500"),
        ("[overall]\np98_ms = 1", "[overall] has no figure p98_ms"),
        ('[overall]\np99_ms = "fast"', "[overall] p99_ms = 'fast' is no number of 0 or more"),
        ("[overall]\np99_ms = true", "p99_ms = True is no number"),
        ("[overall]\np99_ms = nan", "p99_ms = nan is no number"),
        ("[overall]\nerror_share = 5", "error_share = 5 is no share of 1"),
        ("[kinds]\np99_ms = 1", '[kinds."p99_ms"] is no section'),
        ('[kinds."a.*"]\nachieved_share = 1', "has no figure achieved_share"),
        ('[partners."NL*ABC"]\npartner_p50_ms = 1', "has no figure partner_p50_ms"),
        ("kinds = 3", "there is no section [kinds]"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_file_and_fault(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "objectives.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ObjectivesError) as refused:
        Objectives.load(file)
    assert str(file) in str(refused.value)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ObjectivesError, match=r"none\.toml: No such file"):
        Objectives.load(tmp_path / "none.toml")
