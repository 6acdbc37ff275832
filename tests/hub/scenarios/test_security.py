"""What the hub does not let itself be used for, and what it never tells.

OCPI 2.2.1, "Transport and format" (Security, Authorization header) and "Credentials".
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import sqlite3
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import psutil
import pytest
import trustme

from loadtests.hub_process import HubProcess
from loadtests.simulator import Answer, Behaviour, HubRefused, Json, Partner, envelope
from loadtests.simulator.client import authorization
from loadtests.simulator.misbehaviour import DEAD, FOREIGN_HEADERS, HUGE, UNAUTHORIZED, gzip_bomb
from routing.errors import InvalidParameters
from routing.vocabulary import InterfaceRole, Role, Secret, Version
from tests.hub.running_hub import RunningHub
from tests.hub.scenarios.conftest import platform_of
from tests.hub.scenarios.logs import log_lines
from tests.hub.scenarios.wire import routed, say, send_bytes
from tests.partners import CPO, EMSP, location, new_party, partner, path_of, registered, token

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
MIB = 1024 * 1024


def status(answer: Answer) -> tuple[int, int]:
    return answer.http_status, answer.status_code


# --- who is calling


class Stranger(NamedTuple):
    """Somebody at an address of its own: the hub counts wrong tokens by address."""

    address: str

    def asks(self, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
        transport = httpx.HTTPTransport(local_address=self.address)
        with httpx.Client(trust_env=False, transport=transport) as client:
            return client.get(url, headers=headers)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "spelling", ["Token {b}", "token {b}", "TOKEN   {b}", "Token {p}", "Token {n}", "  Token {b}\t"]
)
def test_a_token_is_known_in_every_spelling_partners_use(cpo: Partner, emsp: Partner, spelling: str) -> None:
    own = emsp.connection.our_token
    value = spelling.format(b=in_base64(own), p=own, n=in_base64(own + "\n"))
    headers = (("Authorization", value), *routed(cpo.party, emsp.party))

    answer = say(emsp, "GET", emsp.connection.url("locations", SENDER), headers, anonymous=True)

    assert status(answer) == (200, 1000)


def test_all_refusals_of_a_token_are_alike(hub: HubProcess, cpo: Partner) -> None:
    with registered(hub, partner(EMSP), partner(EMSP), partner(EMSP)) as [rotated, suspended, left]:
        retired, of_left = rotated.connection.our_token, left.connection.our_token
        rotated.update()
        left.unregister()
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_of(hub, suspended)}/suspend")
        values = {
            "none at all": None,
            "unknown": in_base64("nobody-has-this-token"),
            "retired": in_base64(retired),
            "of a partner that left": in_base64(of_left),
            "of a suspended platform": in_base64(suspended.connection.our_token),
            "only for registration": in_base64(hub.operator.invite("invited").token_a),
            "of the operator": in_base64(hub.operator.api.headers["authorization"].removeprefix("Bearer ")),
        }
        url = f"{hub.url}/ocpi/2.2.1/sender/locations"
        ids = {"x-request-id": "r", "x-correlation-id": "c"}
        answers = [
            Stranger("127.0.0.31").asks(url, ids | ({} if value is None else {"authorization": f"Token {value}"}))
            for value in values.values()
        ]
        answers.append(Stranger("127.0.0.31").asks(url, ids | {"authorization": f"Bearer {cpo.connection.our_token}"}))

    told = {(each.status_code, tuple(sorted((each.json() | {"timestamp": ""}).items()))) for each in answers}
    headers = {tuple((name, value) for name, value in each.headers.items() if name != "date") for each in answers}
    assert len(told) == len(headers) == 1
    assert answers[0].status_code == 401
    assert answers[0].headers["www-authenticate"] == "Token"
    assert answers[0].headers["x-correlation-id"] == "c"


def test_an_address_with_many_wrong_tokens_has_to_wait_and_nobody_else(
    hub: HubProcess, cpo: Partner, emsp: Partner
) -> None:
    url = f"{hub.url}/ocpi/2.2.1/sender/locations"
    guessing, calm = Stranger("127.0.0.32"), Stranger("127.0.0.33")
    answers = [guessing.asks(url, {"authorization": f"Token {in_base64(f'guess-{n}')}"}) for n in range(50)]

    statuses = [each.status_code for each in answers]
    assert statuses[:10] == [401] * 10
    assert set(statuses) == {401, 429}
    assert statuses.count(429) >= 30, "and not more than come back meanwhile"
    assert answers[-1].json()["status_code"] == 2000
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert calm.asks(url).status_code == 401
    headers = (*routed(cpo.party, emsp.party), ("X-Forwarded-For", "10.0.0.1"))
    good = say(emsp, "GET", url, headers, source=guessing.address)
    assert status(good) == (200, 1000), "a partner pays for a neighbour behind the same address"


def test_partners_and_operators_never_meet(hub: HubProcess, emsp: Partner) -> None:
    partners_token = emsp.connection.our_token
    for value in (f"Bearer {partners_token}", f"Token {in_base64(partners_token)}", f"Token {partners_token}"):
        for path in ("/api/v1/platforms", "/api/v1/parties"):
            answer = httpx.get(hub.operator.url + path, headers={"authorization": value}, trust_env=False)

            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{hub.operator.url}/ocpi/versions", trust_env=False).status_code in {401, 404}
    for path in ("/api/v1/platforms", "/metrics", "/healthz", "/readyz", "/schema"):
        assert emsp.get(hub.url + path).http_status == 404


# --- what is in a message


@pytest.mark.parametrize(
    "value",
    ["N\xd6", "N", "NLD", "N1", "", "N%0d%0aX-Injected:1", "N L", "\u00a0L"],
)
def test_a_country_code_that_is_none_is_2001(cpo: Partner, emsp: Partner, value: str) -> None:
    headers = [
        (name, value if name == "OCPI-from-country-code" else given) for name, given in routed(cpo.party, emsp.party)
    ]

    answer = say(emsp, "GET", emsp.connection.url("locations", SENDER), headers)

    assert status(answer) == (200, 2001)
    assert not cpo.received


@pytest.mark.parametrize("value", ["ABCD", "", "A B", "\xe9", "%0d%0a"])
def test_a_party_id_that_is_none_is_2001(cpo: Partner, emsp: Partner, value: str) -> None:
    headers = [(name, value if name == "OCPI-to-party-id" else given) for name, given in routed(cpo.party, emsp.party)]

    assert status(say(emsp, "GET", emsp.connection.url("locations", SENDER), headers)) == (200, 2001)
    assert not cpo.received


@pytest.mark.parametrize("name", ["OCPI-from-party-id", "X-Correlation-ID", "X-Request-ID"])
@pytest.mark.parametrize(
    "bad", ["A\rX-Injected: 1", "A\nX-Injected: 1", "A\0", "A\r\n X-Injected: 1"], ids=["cr", "lf", "nul", "fold"]
)
def test_a_header_cannot_be_smuggled_inside_of_another(cpo: Partner, emsp: Partner, name: str, bad: str) -> None:
    headers = [line for line in routed(cpo.party, emsp.party) if line[0] != name]

    answer = say(emsp, "GET", emsp.connection.url("locations", SENDER), [*headers, (name, bad)])

    assert status(answer) == (400, 2001)
    assert not cpo.received


def test_a_header_behind_a_line_break_is_a_header_and_does_not_go_on(cpo: Partner, emsp: Partner) -> None:
    ids = [("X-Correlation-ID", "mine\r\nX-Injected: 1")]

    answer = say(emsp, "GET", emsp.connection.url("locations", SENDER), [*ids, *routed(cpo.party, emsp.party)])

    assert answer.header("x-correlation-id") == "mine"
    assert cpo.received[0].header("x-injected") is None
    assert answer.header("x-injected") is None


@pytest.mark.parametrize(
    "path",
    [
        "sender/locations/../tokens",
        "sender/locations/..",
        "sender/locations/.",
        "sender/locations/%2e%2e",
        "sender/locations/.%2E/tokens",
        "sender/locations/..%2ftokens",
        "sender/locations/..%5ctokens",
        "sender/locations/x%2f..%2ftokens",
        "sender/locations/..;/tokens",
        "sender/../receiver/tokens",
        "sender//locations",
        "sender/locations//",
        "sender/locations/%",
        "sender/locations/%0",
        "sender/locations/a|b",
        "receiver/locations/{cc}%2F{pid}/LOC1",
        "receiver/locations/{cc}/{pid}%2Fx/LOC1",
        "receiver/locations/{cc}/{pid}//E1",
    ],
)
def test_a_path_that_climbs_or_hides_a_slash_where_none_belongs_is_404(
    hub: HubProcess, cpo: Partner, emsp: Partner, path: str
) -> None:
    url = f"{hub.url}/ocpi/2.2.1/" + path.format(cc=emsp.party.country_code, pid=emsp.party.party_id)

    answer = say(emsp, "GET", url, routed(cpo.party, emsp.party))

    assert status(answer) == (404, 2000)
    assert not cpo.received


@pytest.mark.parametrize("target", ["/ocpi/2.2.1/sender/locations#x", "*", "ocpi/versions"])
def test_a_request_target_that_is_no_path_is_400(hub: HubProcess, emsp: Partner, target: str) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: hub\r\nAuthorization: {emsp.authorization}\r\n\r\n"

    assert send_bytes(hub.url, head.encode()).http_status == 400


@pytest.mark.parametrize("query", ["a=\xe9", "a=\x7f"])
def test_a_query_that_cannot_be_put_into_a_url_again_goes_nowhere(cpo: Partner, emsp: Partner, query: str) -> None:
    url = emsp.connection.url("locations", SENDER) + f"?{query}"

    answer = say(emsp, "GET", url, routed(cpo.party, emsp.party))

    assert status(answer) in {(200, 2001), (400, 2001)}
    assert not cpo.received


# --- what a partner answers


def memory_of(hub: HubProcess) -> int:
    return int(psutil.Process(hub.pid).memory_info().rss)


@pytest.mark.parametrize("answer", [HUGE, gzip_bomb()], ids=["1 GiB", "100 MB in a gzip bomb"])
def test_an_answer_without_end_is_4000_and_costs_no_memory(
    hub: HubProcess, cpo: Partner, other_cpo: Partner, emsp: Partner, answer: Behaviour
) -> None:
    emsp.get("locations", to=cpo.party)
    before = memory_of(hub)
    for path in ("", "LOC1"):
        cpo.answers_next(answer, module="locations")

        assert status(emsp.get("locations", path, to=cpo.party)) == (200, 4000)
        assert memory_of(hub) - before < 64 * MIB
    assert status(emsp.get("locations", to=other_cpo.party)) == (200, 1000)


def test_a_single_object_may_have_one_mebibyte_and_a_list_sixteen(cpo: Partner, emsp: Partner) -> None:
    for path, size, expected in (
        ("LOC1", MIB // 2, 1000),
        ("LOC1", MIB, 4000),
        ("", 15 * MIB, 1000),
        ("", 16 * MIB, 4000),
    ):
        body = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z","data":"%b"}' % (b"x" * size)
        cpo.answers_next(Answer(200, (), body))

        assert status(emsp.get("locations", path, to=cpo.party)) == (200, expected)


def test_a_header_that_is_costly_to_read_holds_up_nobody(cpo: Partner, emsp: Partner) -> None:
    for costly in ("<" * 30_000, "<a>;a" + " " * 30_000 + "x", '<a>;a="' + "\\" * 30_000, "<a>" + ";a=" * 9_000 + '"'):
        cpo.answers_next(envelope([], headers={"link": costly}))
        began = time.monotonic()

        assert emsp.get("locations", to=cpo.party).http_status == 200
        assert time.monotonic() - began < 5


def test_a_partner_that_hangs_holds_up_nobody_else(
    hub: HubProcess, cpo: Partner, other_cpo: Partner, emsp: Partner
) -> None:
    other_cpo.hold("locations", location(other_cpo.party))
    platform_id = platform_of(hub, cpo)
    hub.operator.change(platform_id, timeout_s=5, concurrency=8)
    try:
        with cpo.behaving(DEAD):
            stuck: list[Future[Answer]] = [emsp.start("GET", "locations", to=cpo.party) for _ in range(40)]
            cpo.received.wait_for("locations", count=8)
            for _ in range(20):
                began = time.monotonic()
                assert status(emsp.get("locations", "LOC1", to=other_cpo.party)) == (200, 1000)
                assert time.monotonic() - began < 4
            codes = [each.result().status_code for each in stuck]
    finally:
        hub.operator.change(platform_id, timeout_s=None, concurrency=None)

    assert set(codes) <= {4002, 4003}


def test_what_a_partner_says_is_never_a_page_to_an_operator(hub: HubProcess) -> None:
    script = "<script>alert(1)</script>"
    with partner(CPO).running() as mocking:
        mocking.answers_next(envelope(status_code=2000, status_message=script), module="versions", times=9)
        invitation = hub.operator.invite(script)
        body = {"versions_url": mocking.versions_url, "token_a": mocking.invite("token-a-of-the-mocking-one")}
        answer = hub.operator.api.post(f"/api/v1/platforms/{invitation.platform_id}/connect", json=body)
        shown = hub.operator.api.get(f"/api/v1/platforms/{invitation.platform_id}")

    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/problem+json")
    assert shown.headers["content-type"].startswith("application/json")
    assert {answer.headers["x-content-type-options"], shown.headers["x-content-type-options"]} == {"nosniff"}


# --- where the hub can be sent

FORBIDDEN_URLS = [
    "http://partner.example.com/versions",
    "ftp://partner.example.com/versions",
    "https://127.0.0.1/versions",
    "https://127.0.0.99:8443/versions",
    "https://10.0.0.1/versions",
    "https://172.16.0.1/versions",
    "https://192.168.1.1/versions",
    "https://100.64.0.1/versions",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/versions",
    "https://[::1]/versions",
    "https://[fd00::1]/versions",
    "https://[::ffff:127.0.0.1]/versions",
    "https://[64:ff9b::7f00:1]/versions",
    "https://localhost/versions",
    "https://partner.localhost/versions",
    "https://intranet/versions",
    "https://2130706433/versions",
    "https://0x7f.1/versions",
    "https://127.1/versions",
    "https://user:password@partner.example.com/versions",
    "https://partner.example.com:22/versions",
    "https://partner.example.com/versions#x",
    "https://partner.example.com\\@127.0.0.1/versions",
    "https://partner.example.com/ve rsions",
    "https://partner.example.com/" + "x" * 255,
    "//partner.example.com/versions",
    "/versions",
    "",
]


class Strict(NamedTuple):
    """A hub whose partners have to be on the public net, and two that registered when they did not have to."""

    hub: RunningHub
    cpo: Partner
    emsp: Partner

    def asks(self, method: str, path: str, body: Json | None = None) -> Answer:
        """A message of the eMSP to the CPO."""
        headers = dict(routed(self.cpo.party, self.emsp.party))
        return self.hub.ask(method, path, self.emsp.connection.our_token, json=body, headers=headers)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Strict]:
    with partner(CPO).running() as cpo, partner(EMSP).running() as emsp:
        with RunningHub(tmp_path) as open_hub:
            for each in (cpo, emsp):
                open_hub.registered(each)
        for each in (cpo, emsp):
            each.ledger.clear()
        with RunningHub(tmp_path, allow_private_partners=False) as hub:
            yield Strict(hub, cpo, emsp)


def test_credentials_with_a_url_that_no_partner_has_are_refused_without_a_call(tmp_path: Path) -> None:
    with (
        RunningHub(tmp_path, allow_private_partners=False) as hub,
        closing(socket.create_server(("127.0.0.99", 8443))) as trap,
        partner(CPO).running() as anybody,
    ):
        token_a = hub.invite().token_a
        for url in FORBIDDEN_URLS:
            body = anybody.registration.credentials(Version.V2_2_1, "token-b-of-anybody") | {"url": url}

            assert status(hub.ask("POST", "/ocpi/2.2.1/credentials", token_a, json=body)) == (200, 2001), url
        assert status(hub.ask("GET", "/ocpi/2.2.1/credentials", token_a)) == (200, 1000)
        assert not anybody.ledger
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_the_hub_is_no_partner_of_its_own(hub: HubProcess) -> None:
    invitation = hub.operator.invite("the hub itself")
    with partner(CPO).running() as pretending:
        body = pretending.registration.credentials(Version.V2_2_1, "token-b")
        for url in (hub.versions_url, hub.versions_url.replace("127.0.0.1", "localhost"), hub.operator.url):
            answer = httpx.post(
                f"{hub.url}/ocpi/2.2.1/credentials",
                json=body | {"url": url},
                headers={"authorization": f"Token {in_base64(invitation.token_a)}"},
                trust_env=False,
            )

            assert (answer.status_code, answer.json()["status_code"]) in {(200, 2001), (200, 3001)}


def test_an_operator_cannot_send_the_hub_there_either(strict: Strict) -> None:
    for url in FORBIDDEN_URLS:
        with pytest.raises(InvalidParameters):
            strict.hub.do(
                strict.hub.hub.initiator.connect(strict.hub.invite().platform_id, url, Secret("token-of-the-partner"))
            )


def test_a_partner_at_a_private_address_is_not_called_once_that_is_forbidden(strict: Strict) -> None:
    assert status(strict.asks("GET", "/ocpi/2.2.1/sender/locations")) == (200, 4003)
    assert not strict.cpo.ledger


def test_results_cannot_be_sent_to_where_no_partner_is(strict: Strict) -> None:
    own = strict.emsp.url("commands", SENDER, "1")
    for url in (own, own.replace("http:", "https:"), "http://localhost/1", "https://localhost/1", "https://[::1]/1"):
        body = {"session_id": "1", "response_url": url}

        assert status(strict.asks("POST", "/ocpi/2.2.1/receiver/commands/STOP_SESSION", body)) == (200, 2001)
    assert not strict.cpo.ledger


@pytest.mark.parametrize("addresses", [["127.0.0.91"], ["93.184.215.14", "127.0.0.92"]])
def test_a_public_name_that_leads_inside_is_not_called(tmp_path: Path, addresses: list[str]) -> None:
    with (
        RunningHub(tmp_path, allow_private_partners=False) as hub,
        closing(socket.create_server((f"127.0.0.{90 + len(addresses)}", 8443))) as trap,
        partner(CPO).running() as rebinding,
    ):
        asked: list[str] = []

        def look_up(name: str) -> list[str]:
            asked.append(name)
            return addresses

        hub.hub.partners._dialer._gate._lookup = look_up
        url = "https://rebinding.example.com:8443/versions"
        body = rebinding.registration.credentials(Version.V2_2_1, "token-b") | {"url": url}

        answer = hub.ask("POST", "/ocpi/2.2.1/credentials", hub.invite().token_a, json=body)

        assert status(answer) == (200, 3001)
        assert asked == ["rebinding.example.com"]
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


# --- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_hub(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[RunningHub]:
    """A hub on a machine that trusts the authority, and has a proxy set that no partner is called through."""
    folder = tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            environment.setenv(name, "http://127.0.0.1:9")
        with RunningHub(folder) as running:
            yield running


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def with_tls(context: ssl.SSLContext, roles: list[Role]) -> Partner:
    return Partner("with TLS", {new_party(): roles}, tls=context)


def test_partners_with_good_certificates_exchange_messages(tls_hub: RunningHub, authority: trustme.CA) -> None:
    one, other = (with_tls(serving(authority.issue_cert("127.0.0.1")), roles) for roles in (CPO, EMSP))
    with one.running(), other.running():
        for each in (one, other):
            tls_hub.registered(each)
        assert status(other.get("locations", to=one.party)) == (200, 1000)
        assert one.base.startswith("https://")


@pytest.mark.parametrize(
    "context",
    [
        lambda authority: serving(authority.issue_cert("other.example")),
        lambda _: serving(trustme.CA().issue_cert("127.0.0.1")),
        lambda authority: old(serving(authority.issue_cert("127.0.0.1"))),
    ],
    ids=["another name", "another authority", "TLS 1.0"],
)
def test_a_partner_that_cannot_be_trusted_is_not_registered(
    tls_hub: RunningHub, authority: trustme.CA, context: Callable[[trustme.CA], ssl.SSLContext]
) -> None:
    with with_tls(context(authority), CPO).running() as one, pytest.raises(HubRefused) as refusal:
        tls_hub.registered(one)

    assert refusal.value.answer.status_code == 3001
    assert not one.ledger


def test_a_partner_that_cannot_be_trusted_any_more_is_4003(tls_hub: RunningHub, authority: trustme.CA) -> None:
    context = serving(authority.issue_cert("127.0.0.1"))
    with with_tls(context, CPO).running() as cpo, partner(EMSP).running() as emsp:
        for each in (cpo, emsp):
            tls_hub.registered(each)
        for certificate, expected in (("other.example", 4003), ("127.0.0.1", 1000)):
            authority.issue_cert(certificate).configure_cert(context)
            with cpo.port_closed():
                pass  # ends the connections that are open
            cpo.received.clear()

            assert status(emsp.get("locations", to=cpo.party)) == (200, expected)
            assert len(cpo.received) == (expected == 1000)


# --- what nobody is told

UID, CONTRACT, WRONG_TOKEN = "MARKER0UID0OF0A0CARD", "DE-MRK-C0MARKER0-1", "marker-of-a-token-nobody-has"
LAST = "last-of-the-watched-messages"


class Run(NamedTuple):
    """Everything a hub has said and kept during one run with traffic of all kinds."""

    said: dict[str, bytes]
    kept: dict[str, bytes]
    inbound: set[str]
    """Tokens that partners present."""
    outbound: set[str]
    """Tokens that the hub presents."""
    handed_out: set[str]
    """Callback ids and sealed links."""
    personal: set[str]


@pytest.fixture(scope="module")
def run(hub: HubProcess) -> Run:
    """One run of partners of its own. The hub logs all there is to log."""
    answers: list[Answer] = []
    with registered(hub, partner(CPO), partner(EMSP)) as [cpo, emsp], partner(CPO).running() as initiated:
        platform_id = hub.operator.connected(initiated)
        everyone = (cpo, emsp, initiated)
        inbound = {each.connection.our_token for each in everyone}
        outbound = {each for one in everyone for each in one.registration.their_tokens}
        inbound.add(hub.operator.invite("waiting").token_a)
        handed_out = _traffic(cpo, emsp, answers)
        emsp.update()
        hub.operator.ask("POST", f"/api/v1/platforms/{platform_id}/rotate")
        inbound |= {each.connection.our_token for each in everyone}
        outbound |= {each for one in everyone for each in one.registration.their_tokens}
        log_lines(hub, lambda line: line.get("correlation_id") == LAST)
        said = _views(hub) | {"log": hub.log.read_bytes(), "answers": repr(answers).encode()}
    kept = {path.name: path.read_bytes() for path in hub.log.parent.glob("hub.db*")}
    with closing(sqlite3.connect(hub.log.parent / "hub.db")) as database:
        kept["dump"] = "\n".join(database.iterdump()).encode()
    return Run(said, kept, inbound, outbound, handed_out, {UID, CONTRACT})


def _traffic(cpo: Partner, emsp: Partner, answers: list[Answer]) -> set[str]:
    """Good and bad messages with marks in them; returns what the hub handed out in its URLs."""
    card = token(emsp.party, UID) | {"contract_id": CONTRACT}
    path = path_of(emsp.party, UID)
    emsp.hold("tokens", card)
    answers += [
        emsp.put("tokens", path, to=cpo.party, json=card | {"party_id": "XXX"}),
        emsp.put("tokens", path, to=new_party(), json=card),
        emsp.put("tokens", path, to=cpo.party, body=f'{{"uid":"{UID}"'.encode()),
        emsp.get("locations", to=cpo.party, token=WRONG_TOKEN),
        emsp.get(f"{emsp.connection.versions_url}?token={WRONG_TOKEN}"),
        emsp.post(emsp.connection.url("locations", SENDER) + f"/{UID}?uid={UID}", to=cpo.party),
        cpo.post("tokens", f"{UID}/authorize/{UID}", to=emsp.party),
    ]
    for behaviour in (UNAUTHORIZED, FOREIGN_HEADERS, Behaviour(reset=True), Behaviour(raw=f"{UID}".encode())):
        cpo.answers_next(behaviour, module="tokens")
        answers.append(emsp.put("tokens", path, to=cpo.party, json=card))
    cpo.post("tokens", f"{UID}/authorize", to=emsp.party)
    command = {"token": card, "location_id": "L1", "response_url": emsp.url("commands", SENDER, "START_SESSION", "1")}
    emsp.post("commands", "START_SESSION", to=cpo.party, json=command)
    callback = cpo.received.wait_for("commands")[0].json()["response_url"]
    emsp.received.wait_for("commands")
    answers.append(emsp.post(callback, json={"result": "ACCEPTED"}))
    session = {"id": "S1", "cdr_token": {"uid": UID, "contract_id": CONTRACT}}
    cpo.put("sessions", path_of(cpo.party, "S1"), to=emsp.party, json=session)
    cpo.answers_next(envelope([], headers={"link": f'<{cpo.url("locations", SENDER)}?cursor={UID}>; rel="next"'}))
    page = emsp.get("locations", to=cpo.party).next_url or ""
    emsp.get(page)
    answers.append(emsp.get(page + "x", headers={"x-correlation-id": LAST}))
    return {callback.rpartition("/")[2], parse_qs(urlsplit(page).query)["hub_next"][0]}


def _views(hub: HubProcess) -> dict[str, bytes]:
    platforms = hub.operator.ask("GET", "/api/v1/platforms")["items"]
    each: list[Json] = [hub.operator.platform(platform["id"]) for platform in platforms]
    return {
        "metrics": hub.operator.api.get("/metrics").content,
        "platforms": msgspec.json.encode(each),
        "parties": hub.operator.api.get("/api/v1/parties").content,
        "readiness": hub.operator.api.get("/readyz").content,
    }


def spellings(text: str) -> list[bytes]:
    in_hex = text.encode().hex()
    return [each.encode() for each in (text, in_base64(text).rstrip("="), in_hex, in_hex.upper())]


def test_no_token_is_in_logs_metrics_errors_or_operator_views(run: Run) -> None:
    assert len(run.inbound) == 6
    assert len(run.outbound) == 5
    for where, text in run.said.items():
        for secret in {*run.inbound, *run.outbound, WRONG_TOKEN}:
            assert not any(each in text for each in spellings(secret)), f"a token is in the {where}"


def test_no_callback_and_no_sealed_link_is_in_logs_metrics_errors_or_operator_views(run: Run) -> None:
    assert len(run.handed_out) == 2
    for where, text in run.said.items():
        assert not any(each.encode() in text for each in run.handed_out), (
            f"a URL for one partner only is in the {where}"
        )


def test_nothing_of_what_messages_are_about_is_in_the_log(run: Run) -> None:
    assert b"message_forwarded" in run.said["log"]
    for where in ("log", "metrics", "platforms", "parties"):
        assert not any(each.encode() in run.said[where] for each in run.personal)


def test_the_database_has_no_token_that_could_be_used(run: Run) -> None:
    assert b"INSERT INTO" in run.kept["dump"]
    for text in run.kept.values():
        for secret in run.inbound | run.outbound:
            assert not any(each in text for each in spellings(secret))
            for plain_hash in (hashlib.sha256, hashlib.sha1, hashlib.md5):
                digest = plain_hash(secret.encode())  # without the key, anybody could try tokens out
                assert digest.digest() not in text
                assert digest.hexdigest().upper().encode() not in text.upper()


def test_of_what_messages_are_about_the_database_has_only_whose_token_and_whose_authorization_it_is(run: Run) -> None:
    lines = [line for line in run.kept["dump"].splitlines() if any(each.encode() in line for each in run.personal)]
    assert lines
    for line in lines:
        assert re.match(rb'INSERT INTO "(learned_tokens|recent_tokens|authorization_references|ways)"', line), line


def test_the_hubs_tokens_cannot_be_guessed(run: Run) -> None:
    for each in run.inbound:
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,64}", each)
        assert len(set(each)) > 10


def test_the_hub_presents_a_token_to_its_owner_only(hub: HubProcess, cpo: Partner, emsp: Partner) -> None:
    emsp.get("locations", to=cpo.party)
    cpo.put("locations", path_of(cpo.party, "LOC1"), to=emsp.party, json=location(cpo.party))

    for one in (cpo, emsp):
        [theirs] = one.registration.their_tokens
        assert {request.header("authorization") for request in one.received} == {authorization(theirs, Version.V2_2_1)}
    assert hub.url not in cpo.base
