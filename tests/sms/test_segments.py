"""Counting, cutting and laying out, against libraries that know nothing of each other and against the definition."""

from collections.abc import Sequence
from itertools import accumulate

import gsm0338
import pytest
import regex
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from agentmessage.sms import gsm
from agentmessage.sms.segments import Coding, Encoding, ReferenceBits, measure, parts, split
from tests.sms.texts import CLUSTERS, FAMILY, gsm_texts, texts

ORACLE = gsm0338.Codec()
ZHE = "\u0436"
SMILE = "\U0001f600"
LIMITS: dict[tuple[Encoding, ReferenceBits], int] = {
    (Encoding.GSM7, 8): 153,
    (Encoding.GSM7, 16): 152,
    (Encoding.UCS2, 8): 67,
    (Encoding.UCS2, 16): 66,
}

references: st.SearchStrategy[ReferenceBits] = st.sampled_from((8, 16))


def oracle(text: str, reference_bits: ReferenceBits) -> Sequence[str]:
    """What smsutil cuts the text into; it is wrong for an empty one and for the escape alone."""
    if gsm.is_gsm(text):
        found = smsutil.gsm_split(text, multi_part_bytes=LIMITS[Encoding.GSM7, reference_bits])
    else:
        found = smsutil.unicode_split(text, multi_part_bytes=2 * LIMITS[Encoding.UCS2, reference_bits])
    return [part.content for part in found.parts]


def length(text: str, encoding: Encoding) -> int:
    """Septets or UTF-16 units, by the oracles' encoders."""
    return len(ORACLE.encode(text)[0]) if encoding is Encoding.GSM7 else len(text.encode("utf-16-be")) // 2


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        (ZHE * 70, "ucs2", 70, 1),
        (ZHE * 71, "ucs2", 71, 2),
        (ZHE * 66 + SMILE + ZHE * 66, "ucs2", 134, 3),
        (SMILE * 35, "ucs2", 70, 1),
        (SMILE * 36, "ucs2", 72, 2),
        ("a" * 1600, "gsm7", 1600, 11),
        (ZHE * 1600, "ucs2", 1600, 24),
        ("@" * 160, "gsm7", 160, 1),
        ("a\x00", "ucs2", 2, 1),
    ],
)
def test_the_known_texts_cost_what_they_are_known_to(text: str, encoding: str, units: int, segments: int) -> None:
    found = measure(text)

    assert (found.encoding, found.units, found.segments) == (encoding, units, segments)


@given(texts.filter(bool), references)
def test_a_text_is_cut_as_often_as_the_oracle_cuts_it(text: str, reference_bits: ReferenceBits) -> None:
    assert measure(text, reference_bits=reference_bits).segments == len(oracle(text, reference_bits))


@given(texts, references)
@example("a" * 152 + "€" + "a" * 152, 8)
@example(ZHE * 66 + SMILE + ZHE * 66, 8)
@example(ZHE * 60 + FAMILY + ZHE * 66, 8)
def test_the_price_and_the_cut_agree(text: str, reference_bits: ReferenceBits) -> None:
    found = measure(text, reference_bits=reference_bits)
    bodies = split(text, reference_bits=reference_bits)

    assert len(bodies) == found.segments
    assert "".join(bodies) == text
    assert found.units == length(text, found.encoding)
    if len(bodies) > 1:
        limit = LIMITS[found.encoding, reference_bits]
        assert all(0 < length(body, found.encoding) <= limit for body in bodies)


@given(texts)
def test_the_coding_is_gsm_exactly_when_the_alphabet_has_the_text(text: str) -> None:
    assert (measure(text).encoding is Encoding.GSM7) == gsm.is_gsm(text)


@given(texts.filter(bool))
def test_a_text_without_clusters_is_cut_where_the_oracle_cuts_it(text: str) -> None:
    """Each part is filled; where nothing is to be kept together, there is one way to do it."""
    if all(len(cluster) == 1 for cluster in regex.findall(r"\X", text)):
        assert list(split(text)) == list(oracle(text, 8))


@pytest.mark.parametrize("cluster", CLUSTERS[:-1])
@pytest.mark.parametrize("before", range(60, 68))
def test_a_cluster_at_the_end_of_a_part_goes_whole_to_the_next(cluster: str, before: int) -> None:
    text = ZHE * before + cluster + ZHE * 20

    bodies = split(text)

    assert len(bodies) == 2
    assert any(cluster in body for body in bodies)


def test_a_line_break_of_two_characters_stays_in_one_part() -> None:
    assert split("a" * 152 + "\r\n" + "b" * 20) == ("a" * 152, "\r\n" + "b" * 20)


def test_a_cluster_is_cut_rather_than_paid_for() -> None:
    text = ZHE * 66 + "e\u0301" + ZHE * 66

    assert [len(body) for body in split(text)] == [67, 67]


def test_a_cluster_longer_than_a_part_is_cut_between_characters() -> None:
    stack = "e" + "\u0301" * 200

    assert "".join(split(stack)) == stack
    assert len(split(stack)) == measure(stack).segments == 3


def fewest_torn(text: str, encoding: Encoding, limit: int) -> int:
    """How few clusters can be torn with the fewest parts: every way to cut is tried, character by character."""
    ends = list(accumulate((length(one, encoding) for one in text), initial=0))
    starts = set(accumulate((len(one) for one in regex.findall(r"\X", text)), initial=0))
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(text) + 1):
        torn = 0 if end in starts else 1
        candidates = [start for start in range(end) if ends[end] - ends[start] <= limit]
        best.append(min((best[start][0] + 1, best[start][1] + torn) for start in candidates))
    return best[-1][1]


@given(st.lists(st.sampled_from((*CLUSTERS, "ж", "жж", "a" * 9)), min_size=8, max_size=90).map("".join))
def test_no_way_to_cut_into_as_few_parts_tears_fewer_clusters(text: str) -> None:
    found = measure(text)
    if found.segments == 1:
        return
    starts = set(accumulate((len(one) for one in regex.findall(r"\X", text)), initial=0))

    cuts = list(accumulate(len(body) for body in split(text)))
    torn = sum(cut not in starts for cut in cuts)

    assert torn == fewest_torn(text, found.encoding, LIMITS[found.encoding, 8])


@given(texts, references, st.integers(0, 70_000))
def test_parts_carry_the_split_text_and_fit_the_air(text: str, reference_bits: ReferenceBits, reference: int) -> None:
    found = measure(text, reference_bits=reference_bits)
    coding = Coding.GSM_UNPACKED if found.encoding is Encoding.GSM7 else Coding.UCS2

    made = parts(text, coding, reference=reference, reference_bits=reference_bits)

    bodies = split(text, reference_bits=reference_bits)
    encoded = [ORACLE.encode(one)[0] if coding is Coding.GSM_UNPACKED else one.encode("utf-16-be") for one in bodies]
    assert [part.body for part in made] == encoded
    assert [part.units for part in made] == [length(one, found.encoding) for one in bodies]
    assert len({part.udh[:-1] for part in made}) == 1
    for part in made:
        bits = part.units * (7 if coding is Coding.GSM_UNPACKED else 16)
        assert len(part.udh) * 8 + bits <= 1120


@given(gsm_texts, references)
def test_packed_parts_fill_140_octets_at_most_and_are_read_again(text: str, reference_bits: ReferenceBits) -> None:
    made = parts(text, Coding.GSM_PACKED, reference=7, reference_bits=reference_bits)

    read = "".join(gsm.decode_unpacked(gsm.unpack(part.body, -len(part.udh) * 8 % 7, part.units)) for part in made)
    assert read == text
    assert all(len(part.octets) <= 140 for part in made)


def test_a_header_names_the_reference_the_count_and_the_place() -> None:
    short = parts("a" * 400, Coding.GSM_UNPACKED, reference=0x1234)
    long = parts("a" * 400, Coding.GSM_PACKED, reference=0x1234, reference_bits=16)

    assert [part.udh for part in short] == [bytes((5, 0, 3, 0x34, 3, index)) for index in (1, 2, 3)]
    assert [part.udh for part in long] == [bytes((6, 8, 4, 0x12, 0x34, 3, index)) for index in (1, 2, 3)]
    assert short[1].octets == short[1].udh + b"a" * 153


def test_a_text_of_one_part_has_no_header() -> None:
    (only,) = parts("hi €", Coding.GSM_UNPACKED, reference=1)

    assert (only.udh, only.body, only.units) == (b"", b"hi \x1be", 5)


def test_a_gsm_text_can_be_sent_in_ucs2_and_is_cut_for_it() -> None:
    made = parts("a" * 71, Coding.UCS2, reference=1)

    assert [part.units for part in made] == [67, 4]
    assert split("a" * 71, encoding=Encoding.UCS2) == ("a" * 67, "a" * 4)


@pytest.mark.parametrize("text", ["\ud83d", "a" * 200 + "\udc00", "\ude00\ud83d"])
def test_half_a_surrogate_pair_is_refused_with_its_place(text: str) -> None:
    for refuse in (measure, split, lambda one: parts(one, Coding.UCS2, reference=1)):
        with pytest.raises(
            ValueError, match=f"surrogate pair at index {min(len(text) - 1, 200) if 'a' in text else 0}"
        ):
            refuse(text)


def test_a_text_that_gsm_lacks_is_refused_for_a_gsm_link() -> None:
    with pytest.raises(ValueError, match="can't encode"):
        parts(ZHE, Coding.GSM_PACKED, reference=1)


def test_a_text_beyond_255_parts_is_refused() -> None:
    fits = "a" * (255 * 153)

    assert len(parts(fits, Coding.GSM_UNPACKED, reference=1)) == 255
    with pytest.raises(ValueError, match="256 parts"):
        parts(fits + "a", Coding.GSM_UNPACKED, reference=1)
