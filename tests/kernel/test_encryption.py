import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.kernel.encryption import (
    DecryptionError,
    InvalidEncryptionKey,
    SecretBox,
    derive,
    newest_key,
    parse_keys,
)

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=300))
def test_what_was_encrypted_is_what_is_decrypted(plain: bytes) -> None:
    secret_box = SecretBox(NEW)

    assert secret_box.decrypt(secret_box.encrypt(plain)) == plain


def test_the_same_value_never_looks_the_same_twice() -> None:
    secret_box = SecretBox(NEW)

    assert secret_box.encrypt(b"12-3456789") != secret_box.encrypt(b"12-3456789")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_anywhere_is_found(place: int, change: int) -> None:
    encrypted = bytearray(SecretBox(NEW).encrypt(b"12-3456789"))
    encrypted[place % len(encrypted)] ^= change

    with pytest.raises(DecryptionError):
        SecretBox(NEW).decrypt(bytes(encrypted))


@given(st.binary(max_size=120))
def test_bytes_of_another_origin_are_never_decrypted(stray: bytes) -> None:
    with pytest.raises(DecryptionError):
        SecretBox(NEW).decrypt(stray)


def test_a_rotated_key_still_decrypts_what_it_encrypted() -> None:
    encrypted = SecretBox(OLD).encrypt(b"secret")

    rotated = SecretBox(NEW, [OLD])

    assert rotated.decrypt(encrypted) == b"secret"
    assert SecretBox(NEW).decrypt(rotated.encrypt(b"fresh")) == b"fresh"


def test_a_key_that_was_taken_away_opens_nothing() -> None:
    with pytest.raises(DecryptionError):
        SecretBox(NEW).decrypt(SecretBox(OLD).encrypt(b"secret"))


def test_a_setting_names_the_newest_key_first() -> None:
    setting = f" {base64.b64encode(NEW).decode()}, {base64.urlsafe_b64encode(OLD).decode().rstrip('=')} "

    secret_box = parse_keys(setting)

    assert SecretBox(NEW).decrypt(secret_box.encrypt(b"x")) == b"x"
    assert secret_box.decrypt(SecretBox(OLD).encrypt(b"y")) == b"y"
    assert newest_key(setting) == NEW


@pytest.mark.parametrize("setting", ["", "short", "=", "a" * 43 + "!", base64.b64encode(b"x" * 31).decode(), "é" * 44])
def test_a_key_of_another_shape_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(InvalidEncryptionKey):
        newest_key(setting)
    with pytest.raises(InvalidEncryptionKey) as refused:
        parse_keys(setting)

    assert not setting or setting not in str(refused.value)


def test_derived_secrets_differ_by_purpose_and_are_stable() -> None:
    assert derive(NEW, "callbacks") == derive(NEW, "callbacks")
    assert derive(NEW, "callbacks") != derive(NEW, "cursors")
    assert derive(NEW, "callbacks") != derive(OLD, "callbacks")
