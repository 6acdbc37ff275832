"""What a translation loses is named in the log, counted for both partners, and told to a sender who wants to hear."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Json, envelope
from loadtests.simulator.stations import cards, cdr, charging_network, tariff
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import conversation, log_lines
from tests.hub.scenarios.translated import (
    V22,
    V211,
    V221,
    V230,
    Both,
    Everyone,
    between,
    new_id,
    path_of,
    seeded,
    status,
)


def losing(both: Both) -> Json:
    """A location that loses something on its way to 2.1.1 and to 2.2.1."""
    place = charging_network(both.cpo.party, both.cpo.version, stations=1).locations[0]
    place["evses"] = place["evses"][:1]
    return place | {"id": new_id("LOC"), "help_phone": "+31301234567", "state": "Utrecht", "address": "x" * 60}


def pushed(both: Both, body: Json) -> Answer:
    answer = both.cpo.put("locations", path_of(both.cpo.party, body["id"]), to=both.emsp.party, json=body)
    assert status(answer) == (200, 1000)
    return answer


def count_of(hub: HubProcess, loss: str) -> float:
    families = text_string_to_metric_families(hub.operator.api.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.labels.get("loss") == loss]
    return sum(sample.value for sample in samples if not sample.name.endswith("_created"))


def counted(hub: HubProcess, platform_id: str, loss: str, answer: Answer) -> Json:
    """What the hub's operator sees of this loss, as soon as it is written."""
    deadline, said = time.monotonic() + 10, answer.header("x-correlation-id")
    params = {"limit": "100"}
    while time.monotonic() < deadline:
        page = hub.operator.ask("GET", f"/api/v1/platforms/{platform_id}/losses", params=params)
        for each in page["items"]:
            if (each["loss"], each["last_correlation_id"]) == (loss, said):
                found: Json = each
                return found
        cursor = page["next_cursor"]
        params = {"limit": "100"} | ({} if cursor is None else {"cursor": cursor})
    raise TimeoutError(f"{loss} is not counted")


def test_the_log_names_what_a_message_lost(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)

    answer = pushed(both, losing(both))

    conversation_id = answer.header("x-correlation-id") or ""
    [line] = [each for each in conversation(hub, conversation_id, count=2) if each["event"] == "message_forwarded"]
    assert (line["version"], line["target_version"]) == ("2.2.1", "2.1.1")
    assert {"L-04": 1, "L-14": 1, "L-19": 1}.items() <= line["losses"].items()
    lost = log_lines(
        hub,
        lambda each: each.get("correlation_id") == conversation_id and each["event"] == "translation_lost",
        count=sum(line["losses"].values()),
    )
    assert ("L-04", "/address", "Location", False) in [
        (each["loss"], each["at"], each["object"], each["in_answer"]) for each in lost
    ]


def test_the_operator_sees_losses_of_both_partners(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V230, V22)
    body = losing(both)

    answer = pushed(both, body)

    for partner, direction, other in ((both.cpo, "from", "2.2"), (both.emsp, "to", "2.3.0")):
        found = counted(hub, platform_of(hub, partner), "M-21", answer)
        assert (found["direction"], found["other_version"], found["module"]) == (direction, other, "locations")
        assert found["count"] >= 1


def test_the_metrics_count_losses(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V230, V221)
    before = count_of(hub, "M-21")

    pushed(both, losing(both))
    pushed(both, losing(both))

    deadline = time.monotonic() + 10
    while count_of(hub, "M-21") < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sender_that_wants_to_hear_of_losses_hears_of_them(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V230, V221)
    platform_id = platform_of(hub, both.cpo)
    assert pushed(both, losing(both)).header("translation-loss") is None
    hub.operator.change(platform_id, notify_losses=True)
    try:
        place = losing(both)
        assert pushed(both, place).header("translation-loss") == "M-21"
        harmless = {name: value for name, value in place.items() if name != "help_phone"}
        assert pushed(both, harmless).header("translation-loss") is None
    finally:
        hub.operator.change(platform_id, notify_losses=False)


def test_what_is_lost_in_an_answer_is_told_as_such(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    both.cpo.hold("locations", losing(both))

    answer = both.emsp.get("locations", to=both.cpo.party)

    lost = log_lines(
        hub,
        lambda each: (
            each.get("correlation_id") == answer.header("x-correlation-id") and each["event"] == "translation_lost"
        ),
    )
    assert {each["in_answer"] for each in lost} == {True}
    assert "/0/address" in {each["at"] for each in lost}


def test_an_object_that_was_refused_is_counted_as_lost(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    where = charging_network(both.cpo.party, V221, stations=1).locations[0]
    card, price = cards(both.emsp.party, V221, count=1)[0], tariff(both.cpo.party, V221, "T1", seeded())
    record = cdr(V221, new_id("CDR"), where, card, price) | {"credit": True, "credit_reference_id": new_id("CDR")}

    answer = both.cpo.post("cdrs", to=both.emsp.party, json=record)

    assert status(answer) == (200, 4000)
    [line] = [
        each
        for each in conversation(hub, answer.header("x-correlation-id") or "", count=2)
        if each["event"] == "message_refused"
    ]
    assert line["losses"] == {"RF-05": 1}
    assert line["reason"].startswith("RF-05: ")
    assert counted(hub, platform_of(hub, both.cpo), "RF-05", answer)["object"] == "CDR"


def test_identities_of_cards_are_in_no_log(hub: HubProcess, everyone: Everyone) -> None:
    both = between(everyone, V221, V211)
    card = cards(both.emsp.party, V211, count=1)[0] | {"uid": "PRIVATEUID77", "auth_id": "PRIVATECONTRACT77"}
    both.emsp.put("tokens", path_of(both.emsp.party, card["uid"]), to=both.cpo.party, json=card)
    both = between(everyone, V211, V221)
    card = cards(both.emsp.party, V221, count=1)[0] | {"uid": "PRIVATEUID78", "contract_id": "PRIVATECONTRACT78"}
    both.emsp.answers_next(envelope([card | {"type": each} for each in ("RFID", "APP_USER")]))
    both.cpo.get("tokens", to=both.emsp.party)
    both.emsp.answers_next(envelope([card | {"type": each} for each in ("RFID", "APP_USER")]))

    answer = both.cpo.get("tokens", to=both.emsp.party)

    assert answer.envelope.status_message == "M-72: 1 object(s) omitted: PRIVATEUID78"
    conversation(hub, answer.header("x-correlation-id") or "")
    assert "PRIVATE" not in hub.log.read_text()
