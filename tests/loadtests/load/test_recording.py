"""What several processes keep of a run adds up to what one would have kept."""

from random import Random

import msgspec

from loadtests.load.recording import GRACE_S, MOST_SPANS, Kind, Recording, Sample

KINDS = (Kind("locations.PATCH.CPO"), Kind("tokens.authorize.CPO"), Kind("commands.START_SESSION.EMSP", result=True))


def sample(luck: Random) -> Sample:
    failed = luck.random() < 0.1
    return Sample(
        kind=luck.choice(KINDS),
        partner=luck.choice(["NL*ABC", "NL*DEF"]),
        peer=luck.choice(["DE*XYZ", None]),
        milliseconds=luck.lognormvariate(2, 1),
        late_ms=luck.random(),
        outcome="2001" if failed else "1000",
        failed=failed,
    )


def record(recording: Recording, luck: Random, seconds: int) -> None:
    for _ in range(300):
        due_s = luck.uniform(0, seconds)
        recording.add_due(due_s)
        recording.add_sent(due_s, 0.001)
        recording.add_done(due_s + 0.1, seconds)
        recording.add(due_s + 0.1, sample(luck))


def over_the_wire(recording: Recording) -> Recording:
    return Recording.read(msgspec.msgpack.decode(msgspec.msgpack.encode(recording.plain())))


def test_recordings_of_processes_add_up_to_the_recording_of_one() -> None:
    together, first, second = Recording(), Recording(), Recording()
    for part, seed in ((first, 1), (second, 2)):
        record(part, Random(seed), 30)
        record(together, Random(seed), 30)
    merged = Recording()
    for part in (second, first):
        merged.merge(over_the_wire(part))
    assert merged.plain() == together.plain()


def test_a_long_run_is_kept_in_longer_spans_and_loses_nothing() -> None:
    recording = Recording()
    record(recording, Random(1), 20 * MOST_SPANS)
    for second in range(0, 20 * MOST_SPANS, 7):
        recording.add_due(second)
    assert len(recording.spans) <= MOST_SPANS
    assert sum(span.offered for span in recording.spans.values()) == recording.offered
    assert all(begin % recording.span_s == 0 for begin in recording.spans)


def test_a_message_takes_as_long_as_from_when_it_was_due() -> None:
    recording = Recording()
    recording.add(0, Sample(KINDS[0], "NL*ABC", "DE*XYZ", 10.0, 90.0, "1000", failed=False))
    [tally] = recording.by_sender.values()
    assert tally.histogram.greatest_us == 100_000
    assert recording.from_sending.greatest_us == 10_000
    assert recording.from_due.greatest_us == 100_000


def test_what_ends_long_after_the_run_was_not_achieved() -> None:
    recording = Recording()
    recording.add_done(10 + GRACE_S, 10)
    recording.add_done(10 + GRACE_S + 0.1, 10)
    assert recording.done == 1


def test_the_result_of_a_command_is_no_message_of_its_own() -> None:
    recording = Recording()
    recording.add(1, Sample(KINDS[2], "DE*XYZ", "NL*ABC", 5_000.0, 0.0, "ACCEPTED", failed=False))
    assert recording.from_due.count == 0
    assert [str(kind) for _, kind in recording.by_sender] == ["commands.START_SESSION.EMSP → result"]
