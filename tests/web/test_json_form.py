"""Two texts of one JSON value have one form, and texts of different values have not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.web.json_form import canonical_json

SAME = [
    [b'{"a":1,"b":2}', b'{ "b" : 2,\n"a":1 }', b'{"a":9,"b":2,"a":1}', b'{"\\u0061":1,"b":2.0}'],
    [b"1", b"1.0", b"1e0", b"10e-1", b"0.1E+1", b"1.000"],
    [b"0", b"-0", b"0.0", b"-0.0", b"0e5"],
    [b"-2.5", b"-25e-1", b"-2.50"],
    [b"10000000000000000000000", b"1e22", b"1.0E22"],
    [b"18446744073709551615", b"1.8446744073709551615e19"],
    [b"123456789012345678901234567890", b"1.2345678901234567890123456789e29"],
    ['"\U0001f600é"'.encode(), b'"\\ud83d\\ude00\\u00e9"'],
    [b"1e400", b"10e399", b"1.0e400"],
]

OTHER = [
    (b"1", b'"1"'),
    (b"1", b"true"),
    (b"0", b"false"),
    (b"null", b'""'),
    (b"[1,2]", b"[2,1]"),
    (b'{"a":null}', b"{}"),
    (b"123456789012345678901", b"123456789012345678902"),
    (b"0.1", b"0.10000000000000001"),
    (b"1.00000000000000000001", b"1"),
    (b'"e\xcc\x81"', '"é"'.encode()),
    (b"1e400", b"1e401"),
    (b'{"a":{"b":1},"c":2}', b'{"a":{"b":1,"c":2}}'),
]


@pytest.mark.parametrize("texts", SAME)
def test_one_value_has_one_form(texts: list[bytes]) -> None:
    assert len({canonical_json(text) for text in texts}) == 1


@pytest.mark.parametrize("texts", OTHER)
def test_different_values_have_different_forms(texts: tuple[bytes, bytes]) -> None:
    assert canonical_json(texts[0]) != canonical_json(texts[1])


@pytest.mark.parametrize("text", [b"", b"no json", b"[" * 100_000, b"\xff", b"1" * 5000, b"1e99999999999"])
def test_what_has_no_form_is_itself(text: bytes) -> None:
    assert canonical_json(text) == text


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_layout_and_order_do_not_matter(value: Any) -> None:
    def turned(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: turned(inner) for name, inner in reversed(part.items())}
        return [turned(inner) for inner in part] if isinstance(part, list) else part

    texts = [json.dumps(value), json.dumps(turned(value), indent=2), json.dumps(value, ensure_ascii=False)]

    assert len({canonical_json(text.encode()) for text in texts}) == 1
