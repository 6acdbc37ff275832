from __future__ import annotations

import string
import sys

import pytest

from hub.store.vault import Vault, VaultError
from routing.vocabulary import Secret

VAULT = Vault(Secret("key material"))


def test_a_token_is_recognised_by_its_hash_and_only_with_the_same_key() -> None:
    assert VAULT.token_hash("token") == Vault(Secret("key material")).token_hash("token")
    assert len(VAULT.token_hash("token")) == 32
    assert VAULT.token_hash("token") != VAULT.token_hash("Token")
    assert VAULT.token_hash("token") != Vault(Secret("other")).token_hash("token")


def test_a_text_that_is_longer_than_a_uid_has_a_hash_and_is_not_kept() -> None:
    short, long = (b"0123".decode(), (b"0123" * 1000).decode())
    counts = sys.getrefcount(short), sys.getrefcount(long)

    assert VAULT.uid_hash(short) == Vault(Secret("key material")).uid_hash("0123")
    assert VAULT.uid_hash(long) == Vault(Secret("key material")).uid_hash("0123" * 1000)

    assert sys.getrefcount(short) > counts[0]
    assert sys.getrefcount(long) == counts[1]


def test_a_new_token_has_128_random_bits_or_more_and_fits_every_partner() -> None:
    tokens = {VAULT.new_token().reveal() for _ in range(100)}

    assert len(tokens) == 100
    for token in tokens:
        assert set(token) <= set(string.ascii_letters + string.digits + "-_")
        assert 22 <= len(token) <= 64


def test_a_sealed_secret_opens_with_the_same_key_and_context() -> None:
    sealed = VAULT.seal(Secret("tökén"), "connection 1")

    assert "tökén".encode() not in sealed
    assert VAULT.unseal(sealed, "connection 1") == Secret("tökén")
    assert VAULT.seal(Secret("tökén"), "connection 1") != sealed


@pytest.mark.parametrize(
    ("vault", "context", "change"),
    [
        pytest.param(VAULT, "connection 2", b"", id="another context"),
        pytest.param(Vault(Secret("other")), "connection 1", b"", id="another key"),
        pytest.param(VAULT, "connection 1", b"x", id="a changed byte"),
    ],
)
def test_a_sealed_secret_opens_in_no_other_way(vault: Vault, context: str, change: bytes) -> None:
    sealed = VAULT.seal(Secret("token"), "connection 1") + change

    with pytest.raises(VaultError) as raised:
        vault.unseal(sealed, context)
    assert "token" not in str(raised.value)


@pytest.mark.parametrize("length", [0, 1, 12, 27])
def test_bytes_that_are_no_sealed_secret_are_refused(length: int) -> None:
    with pytest.raises(VaultError):
        VAULT.unseal(b"\0" * length, "connection 1")


def test_the_mark_of_a_key_tells_it_from_others() -> None:
    assert VAULT.mark == Vault(Secret("key material")).mark
    assert VAULT.mark != Vault(Secret("other")).mark


def test_a_fingerprint_is_always_the_same_and_another_with_another_key() -> None:
    one, other = Vault(Secret("one key, long enough")), Vault(Secret("another key, long enough"))

    assert one.fingerprint("tokens DE*MSP 01") == one.fingerprint("tokens DE*MSP 01")
    assert len({one.fingerprint("01"), one.fingerprint("02"), other.fingerprint("01")}) == 3
    assert one.fingerprint("01") not in one.token_hash("01").hex()


def test_what_the_other_key_has_made_is_understood_and_nothing_is_made_with_it() -> None:
    old, new = Vault(Secret("the old key")), Vault(Secret("the new key"), Secret("the old key"))
    sealed = old.seal(Secret("token"), "connection 1")

    assert new.unseal(sealed, "connection 1") == Secret("token")
    assert new.sealed_by_other(sealed, "connection 1")
    assert not new.sealed_by_other(new.seal(Secret("token"), "connection 1"), "connection 1")
    assert new.token_hash("token") != old.token_hash("token")
    assert new.has_chained(old.chained(b"before", b"content"), b"before", b"content")
    assert not new.has_chained(old.chained(b"before", b"content"), b"before", b"changed")
    assert not old.has_chained(new.chained(b"before", b"content"), b"before", b"content")
