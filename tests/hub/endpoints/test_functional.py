"""Requests nobody has thought of: whatever a partner sends is answered in OCPI, and nothing odd goes on."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hub.circuits import Circuits
from hub.observability import Metrics
from hub.partner_app import create_partner_app
from loadtests.simulator import Partner
from routing.message import RawHeaders
from routing.paths import ENTRANCES
from routing.vocabulary import Party
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, EMSP, partner

IDS = [(b"x-request-id", b"request-1"), (b"x-correlation-id", b"correlation-1")]
STATUSES = {200, 201, 400, 401, 403, 404, 405, 413, 429}


@dataclass(frozen=True)
class Network:
    """A hub, whom it serves, and its app without a listener before it, which would refuse some of this."""

    hub: RunningHub
    app: Any
    cpo: Partner
    emsp: Partner

    def ask(self, method: str, raw_path: bytes, query: bytes, headers: RawHeaders, body: bytes) -> Answered:
        """The answer of the app."""
        return self.hub.do(self._ask(method, raw_path, query, headers, body))

    async def _ask(self, method: str, raw_path: bytes, query: bytes, headers: RawHeaders, body: bytes) -> Answered:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": unquote(raw_path.decode("latin-1")),
            "raw_path": raw_path,
            "root_path": "",
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), *headers],
            "client": ("127.0.0.1", 12345),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        said: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(event: dict[str, Any]) -> None:
            said.append(event)

        await self.app(scope, receive, send)
        text = b"".join(event.get("body", b"") for event in said)
        return Answered(said[0]["status"], list(said[0]["headers"]), text)


@dataclass(frozen=True)
class Answered:
    """An answer of the app."""

    status: int
    headers: RawHeaders
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with (
        RunningHub(tmp_path_factory.mktemp("hub"), forward_timeout_s=5) as hub,
        partner(CPO).running() as cpo,
        partner(EMSP).running() as emsp,
    ):
        hub.registered(cpo)
        hub.registered(emsp)
        yield Network(hub, create_partner_app(hub.hub), cpo, emsp)


SENDER, RECEIVER = "/ocpi/2.2.1/sender", "/ocpi/2.2.1/receiver"
WORDS = st.sampled_from(
    ["locations", "tokens", "cdrs", "sessions", "commands", "chargingprofiles", "LOCATIONS", "payments", "callback"]
) | st.sampled_from(
    [
        "LOC1",
        "{owner}",
        "{other}",
        "",
        " ",
        ".",
        "..",
        "%2e%2e",
        "%2F",
        "%00",
        "%ff",
        "a%20b",
        "caf\xe9",
        "a?b",
        "x" * 300,
    ]
)
ANYTHING = st.tuples(
    st.sampled_from([entrance.path for entrance in ENTRANCES]),
    st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PURGE"]),
    st.builds("/".join, st.lists(WORDS, max_size=5)).map("/{}".format)
    | st.text(st.characters(max_codepoint=0xFF), max_size=40),
)
EXISTING = st.sampled_from(
    [
        (SENDER, "GET", "/locations"),
        (SENDER, "GET", "/tokens"),
        (SENDER, "POST", "/tokens/T1/authorize"),
        (SENDER, "PUT", "/sessions/S1/charging_preferences"),
        (SENDER, "POST", "/commands/START_SESSION/" + "0" * 32),
        (SENDER, "PUT", "/chargingprofiles/S1"),
        (RECEIVER, "PUT", "/locations/{owner}/LOC1"),
        (RECEIVER, "PATCH", "/locations/{owner}/LOC1/1/1"),
        (RECEIVER, "PUT", "/locations/{other}/LOC1"),
        (RECEIVER, "PUT", "/tokens/{owner}/T1"),
        (RECEIVER, "POST", "/cdrs"),
        (RECEIVER, "GET", "/cdrs/" + "0" * 32),
        (RECEIVER, "POST", "/commands/START_SESSION"),
        (RECEIVER, "GET", "/chargingprofiles/S1"),
        (RECEIVER, "PUT", "/chargingprofiles/S1"),
    ]
)
QUERIES = st.one_of(
    st.just(""),
    st.sampled_from(["", "offset=0&limit=5", "hub_next=AAAA", "hub_next=%C3%A9", "hub_next=", "response_url=http://[x"])
    | st.sampled_from(
        ["response_url=", "response_url=http%3A%2F%2Fa&duration=5", "type=RFID&type=", "a=%zz", "limit=x"]
    ),
    st.text(st.characters(max_codepoint=0xFF), max_size=40),
)
VALUES = st.text(st.characters(max_codepoint=0xFF), max_size=12).map(lambda text: text.encode("latin-1"))
ADDRESSES = (b"ocpi-to-country-code", b"ocpi-to-party-id", b"ocpi-from-country-code", b"ocpi-from-party-id")
NAMES = st.sampled_from(
    [*ADDRESSES, b"content-type", b"accept", b"cookie", b"x-forwarded-for", b"expect", b"content-encoding"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "uid", "country_code", "party_id", "last_updated", "response_url", "token", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(msgspec.json.encode),
    st.sampled_from(
        [b"", b"null", b"\xef\xbb\xbf{}", b'{"id":"\\ud800"}', b"[" * 5000, b'{"a":' * 5000, b'{"id":1,"id":2}']
    ),
)
ROUTED, FOREIGN, RANDOM = "routed", "in the name of another", "random"


def addresses(sender: Party, receiver: Party) -> RawHeaders:
    return [(name, part.encode()) for name, part in zip(ADDRESSES, (*receiver, *sender), strict=True)]


def token_of(one: Partner) -> tuple[bytes, bytes]:
    return b"authorization", b"Token " + base64.b64encode(one.connection.our_token.encode())


@given(
    what=EXISTING | ANYTHING,
    query=QUERIES,
    odd=st.lists(st.tuples(NAMES, VALUES), max_size=3),
    body=BODIES,
    addressed=st.sampled_from([ROUTED, ROUTED, FOREIGN, RANDOM]),
    known=st.sampled_from([True, True, True, False]),
)
@settings(max_examples=400, deadline=None, database=None)
def test_every_request_is_answered_in_ocpi_and_nothing_odd_goes_on(
    network: Network,
    what: tuple[str, str, str],
    query: str,
    odd: RawHeaders,
    body: bytes,
    addressed: str,
    *,
    known: bool,
) -> None:
    cpo, emsp = network.cpo.party, network.emsp.party
    network.emsp.received.clear()
    network.cpo.received.clear()
    owner, other = "/".join(cpo), "/".join(emsp)
    entrance, method, path = what
    raw_path = (entrance + path.replace("{owner}", owner).replace("{other}", other)).encode("latin-1")
    headers = [token_of(network.cpo)] if known else [(b"authorization", b"Token nobody")]
    if addressed != RANDOM:
        headers += addresses(cpo if addressed == ROUTED else emsp, emsp)
    headers += [line for line in odd if addressed == RANDOM or line[0] not in ADDRESSES] + IDS

    answer = network.ask(method, raw_path, query.encode("latin-1"), headers, body)

    assert answer.status in STATUSES
    envelope = msgspec.json.decode(answer.body)
    assert envelope["status_code"] // 1000 in {1, 2, 3, 4}
    assert envelope["status_code"] != 3000, envelope
    assert envelope["timestamp"]
    assert {name: answer.header(name) for name, _ in IDS} == dict(IDS)
    assert answer.header(b"content-length") == b"%d" % len(answer.body)
    arrived = [*network.emsp.received, *network.cpo.received]
    if not known or addressed == FOREIGN or answer.status in {400, 401, 403, 413}:
        assert not arrived
    for request in arrived:
        assert request.sender == cpo, (request.method, request.raw_path, request.headers)
        assert request.header("x-correlation-id") == "correlation-1"
        assert request.header("cookie") is None
        assert ".." not in unquote(request.raw_path).split("/")
        assert request.body in {b"", body.removeprefix(b"\xef\xbb\xbf")} or b"response_url" in request.body


@pytest.mark.parametrize(
    "path",
    [
        b"/ocpi/2.2.1/senderx/locations",
        b"/ocpi/2.2.1/sender%2Flocations",
        b"/ocpi/2.2.1//sender/locations",
        b"/ocpi/2.2.1/x",
        b"/ocpix/2.2.1/sender/locations",
        b"/ocpi/",
    ],
)
def test_what_only_begins_like_an_entrance_is_no_path(network: Network, path: bytes) -> None:
    headers = [token_of(network.emsp), *addresses(network.emsp.party, network.cpo.party), *IDS]
    network.cpo.received.clear()

    answer = network.ask("GET", path, b"", headers, b"")

    assert answer.status == 404
    assert msgspec.json.decode(answer.body)["status_code"] == 2000
    assert not network.cpo.received


def test_behind_a_prefix_messages_arrive_below_it(network: Network) -> None:
    settings = network.hub.settings.model_copy(update={"public_url": f"{network.hub.url}/roaming"})
    behind = replace(network, app=create_partner_app(replace(network.hub.hub, settings=settings)))
    headers = [token_of(network.emsp), *addresses(network.emsp.party, network.cpo.party), *IDS]

    assert behind.ask("GET", b"/roaming/ocpi/2.2.1/sender/locations", b"", headers, b"").status == 200
    assert behind.ask("GET", b"/ocpi/2.2.1/sender/locations", b"", headers, b"").status == 404


def test_a_bug_is_the_hubs_fault_is_counted_and_tells_nothing(network: Network) -> None:
    broken = replace(network.hub.hub, circuits=cast("Circuits", None), metrics=Metrics())
    headers = [token_of(network.cpo), *addresses(network.cpo.party, network.emsp.party), *IDS]

    with capture_logs() as logged:
        answer = replace(network, app=create_partner_app(broken)).ask(
            "GET", b"/ocpi/2.2.1/sender/tokens", b"secret", headers, b""
        )

    assert msgspec.json.decode(answer.body)["status_code"] == 3000
    assert {name: answer.header(name) for name, _ in IDS} == dict(IDS)
    assert answer.header(b"ocpi-to-party-id") == network.cpo.party.party_id.encode()
    [bug] = [line for line in logged if line["log_level"] == "error"]
    assert (bug["event"], bug["correlation_id"]) == ("message_failed", "correlation-1")
    assert not any("secret" in str(line) for line in logged)
    assert b'ocpi_status="3000"' in broken.metrics.exposition()
