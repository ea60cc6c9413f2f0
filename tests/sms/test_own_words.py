"""What a reaction or a quote repeats is not the contact's word; what stands beside it is."""

from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.sms.keywords import Keyword, Kind, Method, classify, own_part

OURS = [
    "Acme: 20% off until Friday. Reply STOP to unsubscribe.",
    "Reply STOP to unsubscribe",
    "STOP",
    "Acme:\nYour order is on its way.\n\nSTOP2END",
    "You are unsubscribed and will get no more messages. Reply START to resubscribe",
    "Txt HELP for help",
    "HELP",
    "START",
    "YES",
    "please stop texting me",
    "Responda ALTO para cancelar",
    "Répondez ARRET pour ne plus recevoir de messages",
    'Say "hello" at the desk. Reply STOP to end',
]
REACTIONS = [
    # iOS
    "Liked “{}”",
    "Loved “{}”",
    "Disliked “{}”",
    "Laughed at “{}”",
    "Emphasized “{}”",
    "Emphasised “{}”",
    "Questioned “{}”",
    "Reacted \U0001f64f to “{}”",
    "Reacted \u2764\ufe0f to “{}”",
    "Reacted with a sticker to “{}”",
    "Removed a like from “{}”",
    "Removed a heart from “{}”",
    "Removed an exclamation from “{}”",
    "Removed a question mark from “{}”",
    "Removed \U0001f602 from “{}”",
    'Liked "{}"',
    "Le gustó “{}”",
    "Le ha gustado “{}”",
    "Le encantó «{}»",
    "No le gustó “{}”",
    "Se rió de “{}”",
    "Se ha reído de “{}”",
    "Enfatizó “{}”",
    "Preguntó por “{}”",
    "Reaccionó con \U0001f44d a “{}”",
    "Eliminó un me gusta de “{}”",
    "Ha eliminado un corazón de “{}”",
    "A aimé «\u00a0{}\u00a0»",
    "A adoré « {} »",
    "N\u2019a pas aimé « {} »",
    "A ri de « {} »",
    "A accentué « {} »",
    "A mis en doute « {} »",
    "A réagi par \U0001f44d à «\u202f{}\u202f»",
    "A supprimé un cœur de « {} »",
    # Android
    "\u200a\u200b\U0001f44d\u200b to “\u200a{}\u200b”\u200a",
    "\u200b\u2764\ufe0f\u200b to “{}”",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 to “{}”",
    "\U0001f44d\U0001f3fd a “{}”",
    "\u200b\U0001f602\u200b à « {} »",
    "\U0001f44d removed from “{}”",
    '\U0001f44d to "{}"',
]


@pytest.mark.parametrize(("form", "ours"), list(product(REACTIONS, OURS)))
def test_a_reaction_asks_for_nothing(form: str, ours: str) -> None:
    assert classify(form.format(ours)) is None


@pytest.mark.parametrize("form", REACTIONS)
def test_a_stop_behind_a_reaction_is_one(form: str) -> None:
    assert classify(f"{form.format(OURS[0])}\nSTOP") == Keyword(Kind.STOP, "STOP", Method.KEYWORD)


@pytest.mark.parametrize(
    "text",
    [
        "Liked “Acme: sale. Reply STOP to end",  # cut off
        "Liked “Say “hello”. Reply STOP to unsubscribe",
        "Liked “The 6” pipe is here. Reply STOP to end”",
        "Ann loved “Your table is ready. Reply STOP to end”",
        "Gefällt „Deine Bestellung ist da. Reply STOP to end“",
        "> Reply STOP to unsubscribe\nYes I will be there",
        ">Reply STOP to unsubscribe\n>Thanks\n\nYes I will be there",
        "Yes\n>> > STOP\n> please stop texting me\nsee you",
        "&gt; Reply STOP to unsubscribe\nok",
        "| Reply STOP to unsubscribe\nok",
        "> START",
        "> HELP",
        "> Reply HELP for help\nok thanks",
        "“Reply STOP to unsubscribe”",
        "“Reply STOP to unsubscribe.” Yes I will be there",
        '"Reply STOP to unsubscribe" ok',
        "'Reply STOP to unsubscribe' ok",
        "\u2018Reply STOP to unsubscribe\u2019 ok",
        "« Répondez STOP pour arrêter » d'accord",
        "“Sale today!\nReply STOP to unsubscribe”\nsounds great",
        '"Sale today!\nReply STOP to unsubscribe"\nsounds great',
        "You wrote “Reply STOP to unsubscribe”, what does that mean?",
        "What is “text STOP to 12345” about?",
        "“We will stop sending messages after nine”\ngood",
        "I will come\n\nOn Tue, Dec 1, 2026 at 9:00 AM Acme <a@acme.example> wrote:\nReply STOP to unsubscribe",
        "Oui\n\nLe 1 d\u00e9c. 2026, Acme a \u00e9crit :\nReply STOP to unsubscribe",
        "I will come\n----- Original Message -----\nReply STOP to unsubscribe",
    ],
)
def test_a_quote_of_ours_asks_for_nothing(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("> Reply STOP to unsubscribe\nSTOP", Method.KEYWORD),
        ("STOP\n> Your order is on its way", Method.KEYWORD),
        ("“Reply STOP to unsubscribe”\nstop please", Method.KEYWORD),
        ('"Reply STOP to unsubscribe" please stop', Method.NATURAL_LANGUAGE),
        ("Liked “Sale” please stop texting me", Method.NATURAL_LANGUAGE),
        ('Liked “Sale” please stop texting me "now"', Method.NATURAL_LANGUAGE),
        ('"STOP"', Method.KEYWORD),
        ("“stop”", Method.KEYWORD),
        ("> stop", Method.KEYWORD),  # nothing of ours is that word alone
        ('Reply "STOP"', Method.NATURAL_LANGUAGE),
        ('I said "stop texting me"', Method.NATURAL_LANGUAGE),
        ("I told you: “stop texting me right now”", Method.NATURAL_LANGUAGE),
        ('"stop texting me"', Method.KEYWORD),
        ("please stop\n\nOn Tue, Dec 1, 2026 at 9:00 AM Acme wrote:\n> Hello", Method.NATURAL_LANGUAGE),
        ("On Tue, Dec 1, 2026 at 9:00 AM Acme wrote:\n> Hello\nSTOP", Method.KEYWORD),
        ("I'm tired of 'deals' y'all send, please stop texting me", Method.NATURAL_LANGUAGE),
        ('That 6" pipe is no good. Stop texting me about 6" pipes', Method.NATURAL_LANGUAGE),
    ],
)
def test_a_stop_of_the_contacts_own_counts_beside_a_quote(text: str, method: Method) -> None:
    found = classify(text)

    assert found is not None
    assert (found.kind, found.method) == (Kind.STOP, method)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("> Do you agree? Reply YES to confirm\nYes", Kind.CONFIRM),
        ("> You are unsubscribed. Reply START\nSTART", Kind.START),
        ("“Reply HELP for help”\nHELP", Kind.HELP),
    ],
)
def test_a_word_of_the_contacts_own_below_a_quote_counts(text: str, kind: Kind) -> None:
    found = classify(text)

    assert found is not None
    assert found.kind is kind


@given(
    st.text(st.characters(exclude_characters="\"'\u2018\u2019>|-:"), max_size=80).filter(
        lambda text: "&gt;" not in text
    )
)
def test_a_text_that_quotes_nothing_is_all_its_senders(text: str) -> None:
    if not set(text) & set("\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\uff02\uff1e"):
        assert own_part(text) == text


@given(st.text(st.sampled_from("\"'\u201c\u201d\u00ab\u00bb\u2018\u2019> \n:-STOPabc.|"), max_size=120))
def test_any_mixture_of_marks_is_read(text: str) -> None:
    own = own_part(text)

    assert len(own) <= 2 * len(text) + 1
    classify(text)


@pytest.mark.parametrize(
    "marks", ["'a ", '"', "\u201c", "\u201ca\u201d ", "> \n", "'", "\u00ab", "Liked \u201c", "--", "on a "]
)
def test_a_long_text_of_marks_is_read_in_no_time(marks: str) -> None:
    began_at = process_time()

    classify(marks * (65_000 // len(marks)))

    assert process_time() - began_at < 2
