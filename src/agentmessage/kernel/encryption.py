"""Secrets at rest: tax ids and stored credentials, sealed with a key that is not in the database.

A sealed value is `version (1 byte) | key id (4 bytes) | nonce (24) | ciphertext and tag`, XSalsa20-Poly1305 (libsodium
secretbox). The key id is the first bytes of a hash of the key, so that a value says which key opens it and keys can be
rotated: seal with the newest, open with any that is still configured.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

VERSION = b"\x01"
KEY_BYTES = SecretBox.KEY_SIZE
ID_BYTES = 4
_HEAD = len(VERSION) + ID_BYTES


class BadSealKey(Exception):
    """The configured key is not base64 of 32 bytes; the words never repeat it."""


class BrokenSeal(Exception):
    """A sealed value was changed, cut, or sealed with a key that is no longer configured."""


class Sealer:
    """Seals with `key`, opens what `key` or one of `older_keys` sealed. Keys are 32 bytes."""

    def __init__(self, key: bytes, older_keys: Sequence[bytes] = ()) -> None:
        if any(len(one) != KEY_BYTES for one in (key, *older_keys)):
            raise BadSealKey(f"an encryption key must be {KEY_BYTES} bytes")
        self._newest = _key_id(key)
        self._boxes: Mapping[bytes, SecretBox] = {_key_id(one): SecretBox(one) for one in (*older_keys, key)}

    def seal(self, plain: bytes) -> bytes:
        """The value sealed with the newest key; twice the same value gives two different results."""
        return VERSION + self._newest + bytes(self._boxes[self._newest].encrypt(plain))

    def open(self, sealed: bytes) -> bytes:
        """What was sealed. Raises BrokenSeal."""
        box = self._boxes.get(sealed[len(VERSION) : _HEAD])
        if not sealed.startswith(VERSION) or box is None:
            raise BrokenSeal("sealed in another way or with another key")
        try:
            return box.decrypt(sealed[_HEAD:])
        except (CryptoError, ValueError) as error:
            raise BrokenSeal("a sealed value was changed") from error


def parse_keys(setting: str) -> Sealer:
    """A sealer from a setting: base64 keys (standard or URL alphabet), newest first, separated by commas.

    Raises BadSealKey.
    """
    keys = [_decode(part) for part in setting.split(",")]
    return Sealer(keys[0], keys[1:])


def newest_key(setting: str) -> bytes:
    """The first key of a setting, to derive other secrets from. Raises BadSealKey."""
    key = _decode(setting.split(",", maxsplit=1)[0])
    Sealer(key)
    return key


def every_key(setting: str) -> Sequence[bytes]:
    """All keys of a setting, newest first: what was made with an older one is still good. Raises BadSealKey."""
    parse_keys(setting)
    return [_decode(part) for part in setting.split(",")]


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, from which neither the key nor another purpose's bytes can be told (BLAKE2b, keyed)."""
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=KEY_BYTES).digest()


def _decode(text: str) -> bytes:
    plain = text.strip().translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSealKey(f"an encryption key must be base64 of {KEY_BYTES} bytes") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.blake2b(key, person=b"agentmsg-key-id", digest_size=ID_BYTES).digest()
