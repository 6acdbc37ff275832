"""What the hub does with tokens and other secrets: make them, recognise them, keep them unreadable.

Tokens that partners present are stored as a keyed hash, which is enough to recognise them. Tokens that
the hub presents must be sent again, so they are stored encrypted. Both keys come from one key that is
not in the database; whoever has only the database has no usable token.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from routing.errors import HubFault
from routing.vocabulary import Secret

_NONCE_BYTES = 12
_TOKEN_BYTES = 32
_HASH_BYTES = 32
_REMEMBERED = 16_384
_LONGEST_UID = 36


class VaultError(HubFault):
    """A sealed secret that cannot be opened: another key, another context, or a changed byte."""


class Vault:
    """Holds the keys. Every use of the key material has a derived key of its own (RFC 5869).

    While one key replaces another there are two: `other` recognises and opens what was written with it, and writes
    nothing.
    """

    def __init__(self, key: Secret, other: Secret | None = None) -> None:
        material = key.reveal().encode()
        self.other = None if other is None else Vault(other)
        self._hash_key = _derived(material, "token hashes")
        self._cipher = AESGCM(_derived(material, "sealed secrets"))
        self._mark = _derived(material, "mark")
        self._name_key = _derived(material, "names")
        self._chain_key = _derived(material, "chains")
        self._uid_key = _derived(material, "token uids")
        self._session_key = _derived(material, "console sessions")
        self.forms_key = Secret(_derived(material, "console forms").hex())
        """What signs the tokens in the console's forms, the same in every process."""
        self._hash = lru_cache(_REMEMBERED)(self._token_hash)
        self._remembered_uid_hash = lru_cache(_REMEMBERED)(self._uid_hash)

    def token_hash(self, token: str) -> bytes:
        """32 bytes by which this token is recognised: keyed BLAKE2b (RFC 7693).

        As strong as HMAC-SHA-256, in a third of its time. Those of the tokens in use are remembered: a partner
        presents the same one with every message.
        """
        return self._hash(token)

    def _token_hash(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), key=self._hash_key, digest_size=_HASH_BYTES).digest()

    def uid_hash(self, uid: str) -> bytes:
        """32 bytes by which the uid of a Token is found again, in whatever case it is written: keyed BLAKE2b.

        Remembered, unless it is longer than a uid is: a partner may send any text for one.
        """
        return self._remembered_uid_hash(uid) if len(uid) <= _LONGEST_UID else self._uid_hash(uid)

    def _uid_hash(self, uid: str) -> bytes:
        key = uid.upper().encode(errors="surrogatepass")
        return hashlib.blake2b(key, key=self._uid_key, digest_size=_HASH_BYTES).digest()

    def session_hash(self, session_id: str) -> bytes:
        """32 bytes by which a session of the console is recognised. Not remembered, as anybody may make them up."""
        return hashlib.blake2b(session_id.encode(), key=self._session_key, digest_size=_HASH_BYTES).digest()

    def new_token(self) -> Secret:
        """A fresh token: 256 random bits as 43 URL-safe ASCII characters. OCPI 2.2.1, "Credentials"."""
        return Secret(secrets.token_urlsafe(_TOKEN_BYTES))

    def seal(self, secret: Secret, context: str) -> bytes:
        """The secret under AES-256-GCM, to be opened only with the same context."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), context.encode())

    def unseal(self, sealed: bytes, context: str) -> Secret:
        """The secret that `seal` was given.

        Raises:
            VaultError: the bytes were not sealed by this key, or the other one, with this context.
        """
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return Secret(self._cipher.decrypt(nonce, ciphertext, context.encode()).decode())
        except (InvalidTag, ValueError) as error:
            if self.other is not None:
                return self.other.unseal(sealed, context)
            raise VaultError("A sealed secret cannot be opened with this key") from error

    def sealed_by_other(self, sealed: bytes, context: str) -> bool:
        """Whether only the other key opens this."""
        if self.other is None:
            return False
        try:
            self.other.unseal(sealed, context)
        except VaultError:
            return False
        return True

    def fingerprint(self, text: str) -> str:
        """A name for this text that says nothing about it, always the same: keyed BLAKE2b (RFC 7693), 128 bits."""
        return hashlib.blake2b(text.encode(), key=self._name_key, digest_size=16).hexdigest()

    def chained(self, before: bytes, content: bytes) -> bytes:
        """32 bytes that prove this content after what had these 32 bytes before: keyed BLAKE2b (RFC 7693)."""
        return hashlib.blake2b(before + content, key=self._chain_key, digest_size=_HASH_BYTES).digest()

    def has_chained(self, mac: bytes, before: bytes, content: bytes) -> bool:
        """Whether `mac` is what `chained` made of this, with this key or the other one."""
        if mac == self.chained(before, content):
            return True
        return self.other is not None and self.other.has_chained(mac, before, content)

    @property
    def mark(self) -> bytes:
        """32 bytes that tell this key from others and reveal nothing of it."""
        return self._mark


def _derived(material: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"ocpi-hub {purpose}".encode()).derive(material)
