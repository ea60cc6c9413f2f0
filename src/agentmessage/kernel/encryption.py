"""Encrypts secrets at rest, such as tax ids and webhook secrets, with a key that is not in the database.

An encrypted value is `version (1 byte) | key id (4 bytes) | nonce (24) | ciphertext and tag`, XSalsa20-Poly1305 of
libsodium's secretbox. The key id is the start of a hash of the key, so a value names the key that decrypts it. Keys can
be rotated: the newest one encrypts, any key that is still configured decrypts.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence

from nacl import secret
from nacl.exceptions import CryptoError

VERSION = b"\x01"
KEY_BYTES = secret.SecretBox.KEY_SIZE
ID_BYTES = 4
_HEAD = len(VERSION) + ID_BYTES


class InvalidEncryptionKey(Exception):
    """The configured key is not base64 of 32 bytes. The message never contains the key."""


class DecryptionError(Exception):
    """The value was changed or truncated, or its key is no longer configured."""


class SecretBox:
    """Encrypts with `key`, decrypts with `key` or one of `older_keys`. Keys are 32 bytes."""

    def __init__(self, key: bytes, older_keys: Sequence[bytes] = ()) -> None:
        keys = (*older_keys, key)
        if any(len(each) != KEY_BYTES for each in keys):
            raise InvalidEncryptionKey(f"an encryption key must be {KEY_BYTES} bytes")
        self._newest = _key_id(key)
        self._boxes: Mapping[bytes, secret.SecretBox] = {_key_id(each): secret.SecretBox(each) for each in keys}

    def encrypt(self, plain: bytes) -> bytes:
        """Encrypts with the newest key; two calls with one value return different results."""
        return VERSION + self._newest + bytes(self._boxes[self._newest].encrypt(plain))

    def decrypt(self, encrypted: bytes) -> bytes:
        """Returns the plain value. Raises DecryptionError."""
        box = self._boxes.get(encrypted[len(VERSION) : _HEAD])
        if not encrypted.startswith(VERSION) or box is None:
            raise DecryptionError("encrypted in another format or with another key")
        try:
            return box.decrypt(encrypted[_HEAD:])
        except (CryptoError, ValueError) as error:
            raise DecryptionError("an encrypted value was changed") from error


def parse_keys(setting: str) -> SecretBox:
    """Returns the box of a setting: base64 keys (standard or URL alphabet), newest first, separated by commas.

    Raises InvalidEncryptionKey.
    """
    keys = [_decode(part) for part in setting.split(",")]
    return SecretBox(keys[0], keys[1:])


def newest_key(setting: str) -> bytes:
    """Returns the first key of a setting, to derive other secrets from. Raises InvalidEncryptionKey."""
    key = _decode(setting.split(",", maxsplit=1)[0])
    SecretBox(key)
    return key


def every_key(setting: str) -> Sequence[bytes]:
    """Returns all keys of a setting, newest first, to verify what older ones made. Raises InvalidEncryptionKey."""
    parse_keys(setting)
    return [_decode(part) for part in setting.split(",")]


def derive(key: bytes, purpose: str) -> bytes:
    """Returns 32 bytes for one purpose; they do not reveal the key or the bytes of other purposes (keyed BLAKE2b)."""
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=KEY_BYTES).digest()


def _decode(text: str) -> bytes:
    plain = text.strip().translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidEncryptionKey(f"an encryption key must be base64 of {KEY_BYTES} bytes") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.blake2b(key, person=b"agentmsg-key-id", digest_size=ID_BYTES).digest()
