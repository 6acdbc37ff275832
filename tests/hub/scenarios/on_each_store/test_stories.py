"""What happened to a message: the whole story, from nothing but its correlation id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, Json, Partner, envelope
from loadtests.simulator.stations import cards, cdr, charging_network, tariff
from routing.vocabulary import InterfaceRole, Party
from tests.hub.failures.waiting import eventually
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.stories import story
from tests.hub.scenarios.translated import made, new_id, seeded
from tests.hub.test_cli import Shell, check_refusal
from tests.partners import location, path_of

HUB = Party("EU", "HUB")
MASK = "••••"


def of_a_charge(cpo: Partner, emsp: Partner) -> Json:
    """A CDR of a session that the hub has never heard of."""
    where = charging_network(cpo.party, cpo.version, stations=1).locations[0]
    where["evses"] = where["evses"][:1]
    card = cards(emsp.party, cpo.version, count=1)[0] | {"uid": new_id("UID")}
    return cdr(cpo.version, new_id("CDR"), where, card, tariff(cpo.party, cpo.version, new_id("TARIFF"), seeded()))


@contextmanager
def captured(hub: HubProcess, *partners: Partner) -> Iterator[None]:
    """Bodies of these partners are kept meanwhile."""
    urls = [f"/api/v1/platforms/{platform_of(hub, each)}/capture" for each in partners]
    for url in urls:
        hub.operator.ask("POST", url, json={"hours": 1})
    yield
    for url in urls:
        hub.operator.ask("DELETE", url)


def details(hub: HubProcess, message_id: str) -> Json:
    found: Json = hub.operator.ask("GET", f"/api/v1/messages/{message_id}")
    return found


def captured_details(hub: HubProcess, message_id: str) -> Json:
    """The same, once what was captured of it is there, too: entries of the journal are written before that."""
    eventually(lambda: details(hub, message_id)["request_headers"] is not None)
    return details(hub, message_id)


def found(hub: HubProcess, **query: object) -> list[Json]:
    items: list[Json] = hub.operator.ask("GET", "/api/v1/messages", params=query)["items"]
    return items


def candidates(hub: HubProcess, pasted: str) -> list[tuple[str, str, int | None]]:
    answer = hub.operator.ask("GET", "/api/v1/resolve", params={"q": pasted})
    assert answer["unfinished"] == []
    return [(each["kind"], each["id"], each["messages"]) for each in answer["candidates"]]


def failed_cdr(cpo: Partner, emsp: Partner) -> tuple[str, Answer]:
    """A CDR that its receiver does not want, and its correlation id."""
    correlation_id = new_id("charge/?#%2F")
    body = of_a_charge(cpo, emsp)
    refusal = envelope(status_code=2001, status_message="total_cost does not add up")
    with emsp.behaving(Behaviour(answer=refusal)):
        answer = cpo.post("cdrs", to=emsp.party, json=body, headers={"x-correlation-id": correlation_id})
    return correlation_id, answer


def arrows(told: Json) -> list[tuple[str, str, str]]:
    """Kind, from and to of each hop, the hub's own work left out."""
    return [(hop["kind"], hop["from"], hop["to"]) for hop in told["hops"] if hop["kind"] != "hub"]


# --- a failed CDR


def test_a_failed_cdr_is_told_from_its_correlation_id_alone(
    hub: HubProcess, older_cpo: Partner, emsp: Partner, tmp_path: Path
) -> None:
    correlation_id, answer = failed_cdr(older_cpo, emsp)
    assert answer.status_code == 2001, answer.body

    told = story(hub, correlation_id)

    cpo_name, emsp_name = str(older_cpo.party), str(emsp.party)
    assert arrows(told) == [
        ("request", cpo_name, str(HUB)),
        ("request", str(HUB), emsp_name),
        ("answer", emsp_name, str(HUB)),
        ("answer", str(HUB), cpo_name),
    ]
    assert [hop["ocpi_status"] for hop in told["hops"] if hop["kind"] == "answer"] == [2001, 2001]
    summary = told["summary"]
    assert (summary["outcome"], summary["failure"]) == ("failed", "partner_error")
    assert summary["hub_ms"] + summary["upstream_ms"] == pytest.approx(summary["whole_ms"], abs=0.01)
    assert {"L-05", "L-31", "L-50", "L-57"} <= {lost["loss"] for lost in summary["losses"]}
    offsets = [hop["at"] for hop in told["hops"]]
    assert offsets == sorted(offsets)

    text = Shell(hub, tmp_path).text("trace", correlation_id)
    for words in (
        f"{cpo_name} sent CDR ",
        f"to {emsp_name}. It failed: {emsp_name} refused it with 2001.",
        "2.1.1 → 2.2.1",
        "total_cost does not add up",
        "What to do",
        f"= hub {summary['hub_ms']:.1f} + {emsp_name} {summary['upstream_ms']:.1f}",
        "POST /ocpi/2.1.1/emsp/cdrs",
        "2001 (partner_error)",
        "The embedded Location is reduced",
    ):
        assert words in text
    assert Shell(hub, tmp_path).json("trace", correlation_id)["summary"] == summary
    listed = Shell(hub, tmp_path).text("messages", "--party", cpo_name, "--peer", emsp_name, "--outcome", "failed")
    assert correlation_id in listed


def test_a_correlation_id_that_nobody_used_is_one_line(hub: HubProcess, tmp_path: Path) -> None:
    check_refusal(Shell(hub, tmp_path)("trace", "nobody-used-it"), "No message has this correlation id")


def test_what_failed_is_found_by_everything_one_may_know_of_it(
    hub: HubProcess, older_cpo: Partner, emsp: Partner
) -> None:
    correlation_id, _ = failed_cdr(older_cpo, emsp)
    [message] = story(hub, correlation_id)["messages"]
    cpo_name, emsp_name = str(older_cpo.party), str(emsp.party)
    cdr_id, at = message["object_id"], {"since": message["time"]}

    for query in (
        {"correlation_id": correlation_id},
        {"request_id": message["request_id"]},
        {"request_id": message["upstream_request_id"]},
        {"object_type": "cdr", "object_id": cdr_id},
        {"party": cpo_name, "peer": emsp_name, **at},
        {"party": emsp_name, "module": "cdrs", **at},
        {"platform": platform_of(hub, emsp), "peer": platform_of(hub, older_cpo), **at},
        {"outcome": "partner_error", "loss": "L-57", **at},
        {"outcome": "unanswered", "lossy": True, "ocpi_status": "2xxx", **at},
        {"source_version": "2.1.1", "target_version": "2.2.1", "ocpi_status": 2001, "min_ms": 0.01, **at},
    ):
        assert [each["id"] for each in found(hub, **query)] == [message["id"]], query
    for query in (
        {"outcome": "ok", "correlation_id": correlation_id},
        {"outcome": "refused", "correlation_id": correlation_id},
        {"lossy": False, "correlation_id": correlation_id},
        {"until": message["time"], "correlation_id": correlation_id},
        {"min_ms": 60_000, "correlation_id": correlation_id},
    ):
        assert found(hub, **query) == [], query
    assert ("correlation_id", correlation_id, 1) in candidates(hub, f' "{correlation_id}" ')
    assert candidates(hub, message["upstream_request_id"]) == [("request_id", message["upstream_request_id"], 1)]
    assert candidates(hub, cdr_id) == [("object", cdr_id, 1)]
    assert candidates(hub, emsp_name.replace("*", "-").lower()) == [("party", emsp_name, None)]
    assert candidates(hub, emsp.name.upper()) == [("platform", platform_of(hub, emsp), None)]


# --- a command and its result


def test_a_command_its_result_and_what_the_versions_made_of_it_are_one_story(
    hub: HubProcess, emsp: Partner, older_cpo: Partner
) -> None:
    correlation_id, uid = new_id("start"), new_id("UID")
    card = made(emsp.version, "Token", emsp.party, uid=uid, type="AD_HOC_USER")
    url = emsp.url("commands", InterfaceRole.SENDER, "START_SESSION", correlation_id)
    command = made(emsp.version, "StartSession", emsp.party, token=card, response_url=url, connector_id="1")
    with captured(hub, emsp, older_cpo):
        emsp.post(
            "commands",
            "START_SESSION",
            to=older_cpo.party,
            json=command,
            headers={"x-correlation-id": correlation_id},
        )
        older_cpo.settle()
        told = story(hub, correlation_id, messages=2)

    emsp_name, cpo_name = str(emsp.party), str(older_cpo.party)
    assert arrows(told) == [
        ("request", emsp_name, str(HUB)),
        ("request", str(HUB), cpo_name),
        ("answer", cpo_name, str(HUB)),
        ("answer", str(HUB), emsp_name),
        ("callback", cpo_name, str(HUB)),
        ("callback", str(HUB), emsp_name),
        ("answer", emsp_name, str(HUB)),
        ("answer", str(HUB), cpo_name),
    ]
    assert told["summary"]["sentence"].startswith(f"{emsp_name} asked {cpo_name} for START_SESSION")
    assert (told["summary"]["outcome"], told["used_times"]) == ("ok", 1)
    request = captured_details(hub, told["use"])
    translation = request["translation"]
    assert translation["exact"], (translation, request["upstream_request_body"])
    lines = {(each["action"], each["loss"], each["from_path"], each["to_path"]) for each in translation["rules"]}
    assert {
        ("Dropped", "L-81", "/connector_id", None),
        ("Dropped", "L-06", "/token/country_code", None),
        ("Replaced", "L-70", "/token/type", "/token/type"),
        ("Renamed", None, "/token/contract_id", "/token/auth_id"),
        ("Replaced", None, "/response_url", "/response_url"),
        ("Added", "L-83", None, "/timeout"),
    } <= lines
    sums = translation["summary"]
    assert sum(sums.values()) - sums["unchanged"] == len(translation["rules"])
    assert uid not in str(request)
    assert f'"uid":"{MASK}"' in request["upstream_request_body"]
    assert candidates(hub, uid) == [("token", MASK, 1)]
    assert [each["id"] for each in found(hub, token_uid=uid)] == [told["use"]]


def test_without_capture_the_losses_are_told_with_their_places(
    hub: HubProcess, older_cpo: Partner, emsp: Partner
) -> None:
    correlation_id, _ = failed_cdr(older_cpo, emsp)
    message = details(hub, story(hub, correlation_id)["use"])

    assert (message["request_body"], message["request_headers"]) == (None, None)
    translation = message["translation"]
    assert translation["exact"] is False
    assert {("L-57", "/location"), ("L-31", "/auth_id")} <= {
        (each["loss"], each["from_path"]) for each in translation["rules"]
    }
    assert "unchanged" not in translation["summary"]


def test_between_partners_of_one_version_nothing_was_translated(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    correlation_id = new_id("same")
    with captured(hub, cpo):
        cpo.put(
            "locations",
            path_of(cpo.party, "LOC1"),
            to=emsp.party,
            json=location(cpo.party),
            headers={"x-correlation-id": correlation_id},
        )
        message = captured_details(hub, story(hub, correlation_id)["use"])

    assert message["translation"] is None
    assert message["request_body"] == message["upstream_request_body"] != ""
    assert ("authorization", MASK) in {(each["name"], each["value"]) for each in message["request_headers"]}


# --- many receivers


def test_a_broadcast_is_one_story_with_a_hop_for_each_receiver(
    hub: HubProcess, cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    correlation_id = new_id("all")
    emsp.behaves(Behaviour(answer=envelope(status_code=2001, status_message="no")))

    answer = cpo.put(
        "locations",
        path_of(cpo.party, "LOC1"),
        to=HUB,
        json=location(cpo.party),
        headers={"x-correlation-id": correlation_id},
    )

    assert answer.status_code == 1000
    told = story(hub, correlation_id, messages=3)
    emsp.behaves()
    calls = [hop for hop in told["hops"] if hop["kind"] == "request" and hop["from"] == str(HUB)]
    assert {str(emsp.party), str(other_emsp.party)} <= {hop["to"] for hop in calls}
    assert told["summary"]["outcome"] == "partly"
    assert told["summary"]["receivers"]["failed"] == 1
    assert f"that at {emsp.party} failed" in told["summary"]["sentence"]


def test_a_list_of_everybodys_tells_who_failed(
    hub: HubProcess, emsp: Partner, cpo: Partner, other_cpo: Partner
) -> None:
    correlation_id = new_id("list")
    other_cpo.behaves(Behaviour(answer=envelope(status_code=3000, status_message="no")))

    emsp.get("locations", to=HUB, headers={"x-correlation-id": correlation_id})

    told = story(hub, correlation_id, messages=3)
    other_cpo.behaves()
    units = {each["to"]: each["failure"] for each in told["messages"] if each["hop"] == "unit"}
    assert units[str(other_cpo.party)] is not None
    assert units[str(cpo.party)] is None


# --- ids, again and again


def test_an_id_that_was_used_again_says_so_and_mixes_nothing(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    correlation_id = new_id("again")
    for _ in range(3):
        emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": correlation_id})
    eventually(lambda: len(found(hub, correlation_id=correlation_id)) == 3)

    told = story(hub, correlation_id)
    oldest = story(hub, correlation_id, use=told["uses"][-1]["message_id"])

    assert (told["used_times"], len(told["uses"]), len(told["messages"])) == (3, 3, 1)
    assert told["use"] == told["uses"][0]["message_id"]
    assert oldest["first"] < told["first"]
    unknown = hub.operator.api.get("/api/v1/stories", params={"correlation_id": correlation_id, "use": "x"})
    assert unknown.status_code == 404


def test_pages_of_messages_show_each_once_though_new_ones_come(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    correlation_id = new_id("pages")

    def send(count: int) -> None:
        for _ in range(count):
            emsp.get("locations", "NOWHERE", to=cpo.party, headers={"x-correlation-id": correlation_id})

    send(5)
    eventually(lambda: len(found(hub, correlation_id=correlation_id)) == 5)
    for query in ({"correlation_id": correlation_id}, {"party": str(emsp.party), "correlation_id": correlation_id}):
        page = hub.operator.ask("GET", "/api/v1/messages", params={**query, "limit": 2})
        assert page["count"] >= 5
        assert page["covered_from"] is None
        seen = [each["id"] for each in page["items"]]
        send(1)
        while page["next_cursor"] is not None:
            page = hub.operator.ask(
                "GET", "/api/v1/messages", params={**query, "limit": 2, "cursor": page["next_cursor"]}
            )
            seen += [each["id"] for each in page["items"]]
        assert len(set(seen)) == len(seen) >= 5
        assert seen == sorted(seen, reverse=True)


# --- who sees what


def test_an_engineer_of_a_platform_sees_its_own_side_only(
    hub: HubProcess, older_cpo: Partner, emsp: Partner, other_emsp: Partner
) -> None:
    with captured(hub, older_cpo, emsp):
        correlation_id, _ = failed_cdr(older_cpo, emsp)
        told = story(hub, correlation_id)
    message_id = told["use"]
    as_sender, as_receiver, as_stranger = (
        view_of(hub, partner, correlation_id, message_id) for partner in (older_cpo, emsp, other_emsp)
    )

    assert as_stranger == (404, 404, [])
    [(sender, sent), (receiver, received)] = [(each[0], each[1]) for each in (as_sender, as_receiver)]
    assert isinstance(sender, dict)
    assert isinstance(sent, dict)
    assert isinstance(receiver, dict)
    assert isinstance(received, dict)
    for name in ("upstream_path", "upstream_request_id", "upstream_ocpi_status", "hub_ms", "upstream_ms", "failure"):
        assert (sent[name], sender["messages"][0][name]) == (None, None), name
    for name in ("upstream_request_headers", "upstream_answer_headers", "upstream_request_body"):
        assert sent[name] is None
    assert sent["request_body"] is not None
    assert [hop["kind"] for hop in sender["hops"]] == ["request", "answer"]
    for name in ("path", "request_id", "http_status", "ocpi_status", "hub_ms", "reason"):
        assert (received[name], receiver["messages"][0][name]) == (None, None), name
    assert (received["request_headers"], received["answer_headers"], received["request_body"]) == (None, None, None)
    assert received["upstream_request_body"] is not None
    assert [hop["from"] for hop in receiver["hops"]] == [str(HUB), str(emsp.party)]


def view_of(hub: HubProcess, partner: Partner, correlation_id: str, message_id: str) -> tuple[object, object, object]:
    """The story, the message and the list of messages, as an engineer of this partner sees them."""
    body = {"name": new_id("engineer"), "role": "partner", "platform": platform_of(hub, partner)}
    token = hub.operator.ask("POST", "/api/v1/tokens", json=body)["token"]
    headers = {"authorization": f"Bearer {token}"}

    def ask(path: str, **params: str) -> object:
        answer = hub.operator.api.get(f"/api/v1/{path}", params=params, headers=headers)
        return answer.json() if answer.status_code == 200 else answer.status_code

    listed = ask("messages", correlation_id=correlation_id)
    assert isinstance(listed, dict)
    return ask("stories", correlation_id=correlation_id), ask(f"messages/{message_id}"), listed["items"]
