import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.kernel.encryption import BadSealKey, BrokenSeal, Sealer, derive, newest_key, parse_keys

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=300))
def test_what_was_sealed_is_what_opens(plain: bytes) -> None:
    sealer = Sealer(NEW)

    assert sealer.open(sealer.seal(plain)) == plain


def test_the_same_value_never_looks_the_same_twice() -> None:
    sealer = Sealer(NEW)

    assert sealer.seal(b"12-3456789") != sealer.seal(b"12-3456789")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_one_changed_byte_anywhere_breaks_the_seal(place: int, change: int) -> None:
    sealed = bytearray(Sealer(NEW).seal(b"12-3456789"))
    sealed[place % len(sealed)] ^= change

    with pytest.raises(BrokenSeal):
        Sealer(NEW).open(bytes(sealed))


@given(st.binary(max_size=120))
def test_bytes_that_nobody_sealed_never_open(stray: bytes) -> None:
    with pytest.raises(BrokenSeal):
        Sealer(NEW).open(stray)


def test_a_rotated_key_still_opens_what_it_sealed() -> None:
    sealed = Sealer(OLD).seal(b"secret")

    rotated = Sealer(NEW, [OLD])

    assert rotated.open(sealed) == b"secret"
    assert Sealer(NEW).open(rotated.seal(b"fresh")) == b"fresh"


def test_a_key_that_was_taken_away_opens_nothing() -> None:
    with pytest.raises(BrokenSeal):
        Sealer(NEW).open(Sealer(OLD).seal(b"secret"))


def test_a_setting_names_the_newest_key_first() -> None:
    setting = f" {base64.b64encode(NEW).decode()}, {base64.urlsafe_b64encode(OLD).decode().rstrip('=')} "

    sealer = parse_keys(setting)

    assert Sealer(NEW).open(sealer.seal(b"x")) == b"x"
    assert sealer.open(Sealer(OLD).seal(b"y")) == b"y"
    assert newest_key(setting) == NEW


@pytest.mark.parametrize("setting", ["", "short", "=", "a" * 43 + "!", base64.b64encode(b"x" * 31).decode(), "é" * 44])
def test_a_key_of_another_shape_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(BadSealKey):
        newest_key(setting)
    with pytest.raises(BadSealKey) as refused:
        parse_keys(setting)

    assert not setting or setting not in str(refused.value)


def test_derived_secrets_differ_by_purpose_and_are_stable() -> None:
    assert derive(NEW, "callbacks") == derive(NEW, "callbacks")
    assert derive(NEW, "callbacks") != derive(NEW, "cursors")
    assert derive(NEW, "callbacks") != derive(OLD, "callbacks")
