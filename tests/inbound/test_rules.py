"""The room's arithmetic: ids of conversations, text that can be kept, answers that say what they must."""

import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.conversations.model import Place
from agentmessage.inbound import rules
from agentmessage.inbound.model import Line, Part, PartsKey
from agentmessage.organizations.model import AutoReplies
from agentmessage.sms.keywords import Kind
from agentmessage.sms.segments import measure

NUMBER_ID = UUID("01978a3e-7d52-7c4e-9c55-0d6b5f8a2f11")
ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


def line(*, name: str = "Acme", website: str | None = None, **fields: str) -> Line:
    return Line(NUMBER_ID, "+14155550123", name, website, fields, AutoReplies())


@given(number_id=st.uuids(), contact=st.from_regex(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}", fullmatch=True))
def test_a_conversations_id_is_read_back_as_its_pair(number_id: UUID, contact: str) -> None:
    place = Place(number_id, contact)

    assert Place.read(place.id) == place


@given(text=st.one_of(ANY_TEXT, st.from_regex(r"[A-Za-z0-9_-]{20,90}", fullmatch=True)))
def test_whatever_is_read_as_an_id_is_the_only_id_of_its_pair(text: str) -> None:
    place = Place.read(text)

    assert place is None or place.id == text


@given(text=ANY_TEXT)
def test_any_text_becomes_one_that_can_be_kept_and_a_good_one_stays_as_it_is(text: str) -> None:
    kept = rules.storable(text)

    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert rules.storable(kept) == kept
    if "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text


@given(text=st.text(max_size=200), cuts=st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_a_text_cut_anywhere_in_its_utf_16_is_whole_again(text: str, cuts: list[int]) -> None:
    octets = text.encode("utf-16-le", "surrogatepass")
    places = sorted({0, len(octets), *(min(2 * cut, len(octets)) for cut in cuts)})
    bodies = [octets[a:b].decode("utf-16-le", "surrogatepass") for a, b in itertools.pairwise(places)] or [""]
    key = PartsKey("live", "smpp", "+12125550188", "+14155550123", 7, len(bodies))

    whole = rules.joined(key, [Part(number, body, f"mo-{number}", None) for number, body in enumerate(bodies, 1)])

    assert whole.text == rules.storable(text)
    assert whole.segments == len(bodies)


@pytest.mark.parametrize("kind", [Kind.STOP, Kind.START, Kind.HELP])
def test_the_platforms_own_answers_name_the_sender_and_fit_one_text(kind: Kind) -> None:
    text = rules.reply(line(name="Acme Dental", website="https://acme.example"), kind)

    assert text.startswith("Acme Dental: ")
    assert measure(text).segments == 1
    if kind is not Kind.STOP:
        assert all(term in text for term in ("Msg frequency varies", "data rates may apply", "STOP"))


def test_help_says_where_there_is_more() -> None:
    assert "https://acme.example" in rules.reply(line(website="https://acme.example"), Kind.HELP)


def test_a_name_with_braces_is_just_a_name() -> None:
    assert rules.reply(line(name="{help} {0}"), Kind.STOP).startswith("{help} {0}: You are unsubscribed")


def test_the_words_of_a_campaign_are_read_as_texts_are() -> None:
    words = rules.own_words(line(optin_keywords="join,Count me in", optout_keywords="no-more,", help_keywords=""))

    assert words == {"JOIN": Kind.START, "COUNT ME IN": Kind.START, "NO MORE": Kind.STOP}
