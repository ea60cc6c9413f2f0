"""A text is made cheaper only where nothing of its sense is lost, and never dearer."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.sms import gsm
from agentmessage.sms.segments import Encoding, measure
from agentmessage.sms.smart import REPLACEMENTS, simplify
from tests.sms.texts import texts

CURLY = "".join(map(chr, sorted(REPLACEMENTS)))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("It\u2019s \u201cready\u201d \u2013 come\u2026", 'It\'s "ready" - come...'),
        ("\u2022 one\u00a0two\u202fthree\u200b", "* one two three"),
        ("\uff21\uff42\uff11\uff01\u3000\uff5e", "Ab1! ~"),
        ("run `x` \t now", "run 'x'   now"),
        ("cafe\u0301 n\u0303", "caf\u00e9 \u00f1"),
        ("a\u2028b", "a\nb"),
        ("\u00ab\u00e0\u00bb", '"\u00e0"'),
    ],
)
def test_shapes_become_those_of_the_alphabet(text: str, plain: str) -> None:
    assert simplify(text) == plain
    assert measure(simplify(text)).encoding is Encoding.GSM7


@pytest.mark.parametrize(
    "text",
    [
        "\u201cready\u201d \U0001f600",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 it\u2019s us\u2026",
        "\u041f\u0440\u0438\u0432\u0435\u0442 \u2013 \u0434\u0430",
        "gar\u00e7on\u2019s",
        "\u2026" * 70,  # one part as it is, two as 210 dots
        "plain",
        "{json} stays \r\n",
        "",
    ],
)
def test_a_text_that_gains_nothing_is_left_alone(text: str) -> None:
    assert simplify(text) == text


def test_every_replacement_is_in_the_alphabet_and_none_is_of_it() -> None:
    assert all(gsm.is_gsm(plain) for plain in REPLACEMENTS.values())
    assert not any(gsm.is_gsm(chr(code)) for code in REPLACEMENTS)


def test_no_letter_is_replaced_by_another() -> None:
    letters = {chr(code): plain for code, plain in REPLACEMENTS.items() if chr(code).isalpha()}

    forms = {one: plain for one, plain in letters.items() if unicodedata.normalize("NFKC", one) == plain}
    assert all(not plain.isalpha() for one, plain in letters.items() if one not in forms)


@given(st.one_of(texts, st.text(st.sampled_from(CURLY + "abc \u00e9\u0301\u2026\u2026\u2026"), max_size=200)))
def test_a_simplified_text_costs_no_part_more_and_is_final(text: str) -> None:
    plain = simplify(text)

    assert measure(plain).segments <= measure(text).segments
    assert simplify(plain) == plain
    assert plain == text or gsm.is_gsm(plain)
