"""Entries of the journal as a story."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.advice import advice_about_sent, advice_of, fate_of, general_advice
from hub.store.journal_entries import Failure, Hop, JournalEntry, NotedLoss, Receivers
from hub.stories import SHOWN_CALLS, Story, Use, story_of, uses_of
from hub.story_words import BY_RECEIVER, REFUSED, sentence_of
from routing.vocabulary import Party, Version

HUB, CPO, EMSP = Party("EU", "HUB"), Party("NL", "CPO"), Party("DE", "MSP")
BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
CDR = JournalEntry(
    id="1",
    time=BEGAN,
    hop=Hop.MESSAGE,
    correlation_id="c",
    request_id="r",
    upstream_request_id="u",
    sender=CPO,
    receiver=EMSP,
    sender_platform_id="p1",
    receiver_platform_id="p2",
    route="direct",
    module="cdrs",
    interface="RECEIVER",
    method="POST",
    path="/ocpi/2.1.1/emsp/cdrs",
    upstream_path="/2.2.1/cdrs",
    source_version=Version.V2_1_1,
    target_version=Version.V2_2_1,
    http_status=200,
    ocpi_status=1000,
    upstream_http_status=200,
    upstream_ocpi_status=1000,
    hub_ms=2.5,
    upstream_ms=40.0,
    losses=(),
    object_type="cdr",
    object_id="CDR1",
    token_hash=None,
    failure=None,
    reason=None,
    receivers=None,
)


def entry(entry_id: str = "1", after_s: float = 0, **more: Any) -> JournalEntry:  # noqa: ANN401 - members of an entry
    return msgspec.structs.replace(CDR, id=entry_id, time=BEGAN + timedelta(seconds=after_s), **more)


def told(*entries: JournalEntry) -> Story:
    [use] = uses_of(entries)
    return story_of(use, HUB)


def steps(story: Story) -> list[tuple[str, str, str, float]]:
    return [
        (step.kind, str(step.sender), str(step.receiver), (step.at - BEGAN) / timedelta(milliseconds=1))
        for step in story.steps
    ]


def test_a_message_has_five_steps_whose_times_add_up() -> None:
    story = told(CDR)

    assert steps(story) == [
        ("request", "NL*CPO", "EU*HUB", 0),
        ("hub", "EU*HUB", "EU*HUB", 0),
        ("request", "EU*HUB", "DE*MSP", 2.5),
        ("answer", "DE*MSP", "EU*HUB", 42.5),
        ("answer", "EU*HUB", "NL*CPO", 42.5),
    ]
    assert sum(step.ms or 0 for step in story.steps) == story.summary.whole_ms == 42.5
    assert story.summary.sentence == "NL*CPO sent CDR CDR1 to DE*MSP. It worked: DE*MSP answered 1000."
    assert (story.summary.outcome, story.summary.advice) == ("ok", None)


def test_an_answer_to_a_command_is_not_yet_what_it_asked_for() -> None:
    story = told(entry(module="commands", path="/ocpi/2.2.1/receiver/commands/START_SESSION"))

    assert story.summary.sentence.endswith("DE*MSP answered 1000; whether it does it stands in its answer.")


def test_what_never_left_the_hub_has_no_step_outside() -> None:
    story = told(entry(failure=Failure.RECEIVER_OFFLINE, upstream_request_id=None, upstream_ms=0.0, ocpi_status=4003))

    assert [step.kind for step in story.steps] == ["request", "hub", "answer"]
    assert story.summary.sentence.endswith("It failed: DE*MSP was OFFLINE.")


def test_a_result_belongs_to_its_command_whatever_its_correlation_id_is() -> None:
    command = entry(module="commands", path="/ocpi/2.2.1/receiver/commands/START_SESSION", callback_hash=b"1")
    result = entry("2", 3, route="callback", correlation_id="other", callback_hash=b"1", sender=EMSP, receiver=CPO)
    stranger = entry("3", 4, callback_hash=b"2")

    uses = uses_of([command, result, stranger])

    assert [[each.id for each in use.entries] for use in uses] == [["1", "2"], ["3"]]
    story = story_of(uses[0], HUB)
    assert [str(step.kind) for step in story.steps].count("callback") == 2
    assert "The result came 3 s later." in story.summary.sentence
    assert story.summary.sentence.startswith("NL*CPO asked DE*MSP for START_SESSION at CDR CDR1.")


def test_a_result_that_the_hub_made_up_came_from_nobody() -> None:
    command = entry(module="commands", path="/ocpi/2.2.1/receiver/commands/START_SESSION", callback_hash=b"1")
    own = entry("2", 60, route="hub", sender_platform_id=None, callback_hash=b"1", sender=EMSP, receiver=CPO)

    story = told(command, own)

    assert [(step.kind, str(step.sender)) for step in story.steps if step.message_id == "2"] == [
        ("hub", "EU*HUB"),
        ("callback", "EU*HUB"),
        ("answer", "NL*CPO"),
    ]


def test_the_calls_of_a_broadcast_are_counted_and_the_failed_ones_shown_first() -> None:
    push = entry(route="broadcast", upstream_request_id=None, receiver=None, receivers=Receivers(70, 0, 0, 0))
    calls = [entry(str(n + 2), n / 10, hop=Hop.DELIVERY, route="broadcast") for n in range(68)]
    failed = entry("90", 9, hop=Hop.DELIVERY, route="broadcast", failure=Failure.TIMEOUT, ocpi_status=4002)
    merged = entry("91", 9, hop=Hop.DELIVERY, route="broadcast", upstream_request_id=None)

    story = told(push, *calls, failed, merged)

    assert story.summary.receivers == Receivers(70, 68, 1, 1)
    assert (story.summary.outcome, story.summary.left_out) == ("partly", 70 - SHOWN_CALLS)
    assert failed in story.entries
    assert story.summary.sentence == (
        "NL*CPO sent CDR CDR1 to everybody concerned. The hub told 70: 68 took it, 1 failed, 1 were left out. "
        "Of its calls, that at DE*MSP failed: DE*MSP did not answer within 0.04 s."
    )


def test_each_use_of_an_id_is_a_story_of_its_own() -> None:
    first, again = entry(), entry("3", 60)
    calls = entry("2", 1, hop=Hop.UNIT), entry("4", 61, hop=Hop.UNIT)

    uses = uses_of([first, calls[0], again, calls[1]])

    assert uses == [Use(first, (calls[0],)), Use(again, (calls[1],))]


def test_calls_that_are_a_day_later_belong_to_nothing_that_was_before() -> None:
    assert len(uses_of([entry(), entry("2", 90_000, hop=Hop.DELIVERY)])) == 2


def test_losses_are_summed_over_all_hops() -> None:
    lost = (NotedLoss("L-57", "CDR", "/location"), NotedLoss("L-05", "CDR", count=3))
    story = told(entry(losses=lost), entry("2", 1, hop=Hop.UNIT, losses=lost[:1]))

    assert [(each.loss, each.count) for each in story.summary.losses] == [("L-05", 3), ("L-57", 2)]


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_sentence_and_says_what_to_do(failure: Failure) -> None:
    failed = entry(failure=failure)

    assert sentence_of(failed, None).endswith(".")
    assert "{" not in sentence_of(failed, None)
    advice = advice_of(failed)
    assert advice is not None
    assert len(advice.text) > 20
    assert (failure in REFUSED) is not (failure in BY_RECEIVER)


@pytest.mark.parametrize(
    ("failure", "command"),
    [
        (Failure.TIMEOUT, "ocpi-hub platform set p2 timeout_s=60"),
        (Failure.NO_AGREEMENT, "ocpi-hub agreement add 'NL*CPO' 'DE*MSP'"),
        (Failure.RECEIVER_SUSPENDED, "ocpi-hub party resume 'DE*MSP'"),
    ],
)
def test_commands_in_an_advice_can_be_run_as_they_are(failure: Failure, command: str) -> None:
    advice = advice_of(entry(failure=failure))

    assert advice is not None
    assert command in advice.commands


@pytest.mark.parametrize("failure", Failure)
def test_no_advice_has_anything_that_is_to_be_filled_in(failure: Failure) -> None:
    unknown = advice_of(entry(failure=failure, receiver=None, receiver_platform_id=None, sender=None))

    assert unknown is not None
    for advice in (unknown, general_advice(failure, "Roam", "p2"), advice_about_sent(failure, "Volt", ("Roam",))):
        for text in (advice.text, *advice.commands):
            assert re.search(r"[{}]|\bID\b|\bPARTY\b", text) is None


def test_a_sender_has_nothing_to_repair_where_the_receiver_is_the_cause() -> None:
    assert advice_about_sent(Failure.REFUSES_TOKEN, "Volt", ("Roam",)).text == (
        "There is nothing for Volt to repair: Roam is the cause."
    )


@pytest.mark.parametrize(
    ("more", "fate"),
    [
        (
            {"failure": Failure.RECEIVER_OFFLINE},
            "Not delivered; the hub sends nothing again; NL*CPO has to send it again once DE*MSP is back.",
        ),
        (
            {"failure": Failure.PARTNER_ERROR, "module": "tokens", "method": "POST"},
            (
                "DE*MSP got it, and did not accept it; the hub sends nothing again. "
                "NL*CPO can ask again once what DE*MSP objects to is repaired."
            ),
        ),
        (
            {"failure": Failure.RECEIVER_OFFLINE, "method": "GET"},
            "Nothing was read, and the hub does not ask again: NL*CPO has to ask again once DE*MSP is back.",
        ),
        (
            {"failure": Failure.RECEIVER_OFFLINE, "module": "commands"},
            "Not carried out; the hub sends nothing again. NL*CPO can ask again once DE*MSP is back.",
        ),
        (
            {"failure": Failure.CONNECT_FAILED, "hop": Hop.DELIVERY},
            "DE*MSP missed it, and the hub does not send it again: a GET of the list has it.",
        ),
        ({}, None),
    ],
)
def test_what_becomes_of_what_failed_is_said(more: dict[str, Any], fate: str | None) -> None:
    assert fate_of(entry(**more)) == fate


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"method": "GET", "module": "tokens", "object_type": None}, "NL*CPO asked DE*MSP for its Tokens."),
        ({"method": "PATCH", "object_type": "session"}, "NL*CPO sent a change of Session CDR1 to DE*MSP."),
        ({"method": "DELETE", "object_type": "tariff"}, "NL*CPO deleted Tariff CDR1 at DE*MSP."),
        ({"module": "tokens", "object_type": "token"}, "NL*CPO asked DE*MSP for an authorization."),
        ({"module": "unknown", "object_type": None, "sender": None}, "Somebody sent something unknown to DE*MSP."),
    ],
)
def test_what_was_asked_is_said_in_words(more: dict[str, Any], sentence: str) -> None:
    assert sentence_of(entry(**more), None).startswith(sentence)
