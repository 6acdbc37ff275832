from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.authentication import _spellings, authenticate, presented_token
from hub.limits import Buckets
from hub.setting_types import RateLimit
from loadtests.simulator import Partner
from routing.directory import Caller, Handshaking, Invited, Registered
from routing.errors import TooManyRequests, Unauthorized
from routing.message import RawHeaders
from tests.hub.running_hub import RunningHub
from tests.partners import CPO, partner

SOURCE = "192.0.2.1"
PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def cpo() -> Iterator[Partner]:
    with partner(CPO).running() as one:
        yield one


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def presenting(value: str) -> RawHeaders:
    return [(b"host", b"hub.example.com"), (b"authorization", value.encode("latin-1"))]


def caller(hub: RunningHub, token: str, source: str = SOURCE) -> Caller:
    return hub.do(authenticate(hub.hub, presenting(f"Token {base64_of(token)}"), source))


@pytest.mark.parametrize(
    "spelling", ["Token {b}", "token {b}", "TOKEN \t {b}", "  Token {b}  ", "Token {p}", "Token {n}", "Token {rn}"]
)
def test_a_token_is_known_in_every_spelling(hub: RunningHub, spelling: str) -> None:
    invited = hub.invite()
    own = invited.token_a
    value = spelling.format(b=base64_of(own), p=own, n=base64_of(own + "\n"), rn=base64_of(own + "\r\n"))

    found = hub.do(authenticate(hub.hub, presenting(value), SOURCE))

    assert isinstance(found, Invited)
    assert found.invitation.platform_id == invited.platform_id
    assert presented_token(hub.hub, presenting(value)) == own


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Token",
        "Token ",
        "Bearer {b}",
        "Token{b}",
        "{b}",
        "Token {b} {b}",
        "Token {b}, Token {b}",
        "Token {twice}",
        "Token {upper}",
        "Token \xff\xfe",
        "Token ====",
    ],
)
def test_anything_else_is_no_token(hub: RunningHub, value: str) -> None:
    own = hub.invite().token_a
    value = value.format(b=base64_of(own), twice=base64_of(base64_of(own)), upper=base64_of(own.swapcase()))

    with pytest.raises(Unauthorized):
        hub.do(authenticate(hub.hub, presenting(value), SOURCE))
    assert presented_token(hub.hub, presenting(value)) is None


def test_no_header_is_no_token(hub: RunningHub) -> None:
    with pytest.raises(Unauthorized):
        hub.do(authenticate(hub.hub, [], SOURCE))
    assert presented_token(hub.hub, []) is None


def test_an_invitation_counts_until_it_expires(hub: RunningHub) -> None:
    current = hub.invite(expires_at=datetime.now(UTC) + timedelta(minutes=1))
    expired = hub.invite(expires_at=PAST)

    assert isinstance(caller(hub, current.token_a), Invited)
    with pytest.raises(Unauthorized):
        caller(hub, expired.token_a)


def test_a_token_that_was_replaced_counts_no_longer_than_it_was_given(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    tokens = [cpo.connection.our_token]
    for _ in range(2):
        hub.do(hub.hub.initiator.rotate(platform_id))
        tokens.append(cpo.connection.our_token)

    for token in tokens[:-1]:
        with pytest.raises(Unauthorized):
            caller(hub, token)
    found = caller(hub, tokens[-1])
    assert isinstance(found, Registered)
    assert found.platform.id == platform_id


def test_the_token_of_an_exchange_that_was_given_up_counts_as_long_as_it_was_given(hub: RunningHub) -> None:
    platforms = hub.hub.platforms
    found = []
    for grace_s in (60.0, 1e-6):
        platform_id = hub.invite().platform_id
        handshake_id, token = hub.do(platforms.open_handshake(platform_id, face=None, connection_id=None))
        hub.do(platforms.abandon_handshake(handshake_id, grace_s=grace_s))
        found.append(token.reveal())

    assert isinstance(caller(hub, found[0]), Handshaking)
    with pytest.raises(Unauthorized):
        caller(hub, found[1])


def test_a_token_that_another_process_has_just_made_is_looked_up_in_the_truth(tmp_path: Path) -> None:
    with RunningHub(tmp_path) as one, RunningHub(tmp_path) as other:
        for _ in range(5):
            assert isinstance(caller(other, one.invite().token_a), Invited)


def test_what_the_hub_cannot_have_made_is_not_remembered(hub: RunningHub) -> None:
    before = _spellings.cache_info().currsize

    for length in (257, 16_000):
        with pytest.raises(Unauthorized):
            caller(hub, "x" * length)

    assert _spellings.cache_info().currsize == before


def test_an_address_with_many_wrong_tokens_has_to_wait_unless_it_presents_a_right_one(hub: RunningHub) -> None:
    hub.hub.limits._failures = Buckets(RateLimit(1 / 60, 2))
    try:
        for _ in range(2):
            with pytest.raises(Unauthorized):
                caller(hub, "a guess")
        with pytest.raises(TooManyRequests) as refusal:
            caller(hub, "a guess")
        assert 1 <= refusal.value.retry_after_s <= 60
        assert isinstance(caller(hub, hub.invite().token_a), Invited)
        with pytest.raises(Unauthorized):
            caller(hub, "a guess", source="192.0.2.2")
    finally:
        hub.hub.limits._failures = Buckets(RateLimit(1000, 1000))


def test_a_request_of_a_registered_platform_is_a_sign_of_life(hub: RunningHub, cpo: Partner) -> None:
    platform_id = hub.registered(cpo)
    [connection] = hub.record(platform_id).connections
    hub.hub.presence._seen.clear()

    caller(hub, cpo.connection.our_token)

    assert hub.hub.presence._seen == {connection.id}
