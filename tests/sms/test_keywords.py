"""Who asks to stop is heeded, who does not is not, and nobody is opted in by a guess."""

from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentmessage.sms.keywords import PHRASES, Keyword, Kind, Method, canonical, classify, own_part

STOP_WORDS = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "REMOVE", "ARRET"]

BY_KEYWORD = [
    *STOP_WORDS,
    "stop",
    "Stop.",
    "sToP!!!",
    "  stop  ",
    "\n\tSTOP\r\n",
    '"STOP"',
    "\u201cstop\u201d",
    "'stop'",
    "(stop)",
    "*STOP*",
    "_stop_",
    "#stop",
    "\U0001f6d1 STOP \U0001f6d1",
    "stop \U0001f44e\U0001f3fd",
    "\uff33\uff34\uff2f\uff30",  # full width
    "st\u200bop",
    "stop\u00a0",
    "opt out",
    "Opt-Out",
    "OPT  OUT",
    "opt\u2014out",
    "stop all",
    "Stop-All",
    "Arr\u00eat",
    "arre\u0302t",
    "unsubscribe please",
    "Unsubscribe me from this",
    "STOP please",
    "stop texting me",
    "Stop it now!!",
    "stop messaging my phone number",
    "STOP to end",
    "STOP\n\nSent from my iPhone",
    "STOP\n--\nJohn Smith\nAcme Incorporated\n1 Main Street, Springfield",
    "Stop\nSent from my Galaxy, a very long signature indeed",
    "STOP STOP STOP",
    "STOP!!! STOP!!! STOP!!!",
    "Stop sending me messages",
    "Unsubscribe me",
    "UNSUBSCRIBE!!",
    "stop spamming me",
    "Stop the spam",
    "quit",
    "stop bothering me",
    "stop these messages",
    "stop messages",
    "Stop text",
    "Stop texts",
]

BY_PHRASE = [
    "please stop",
    "Please stop!",
    "pls stop",
    "plz stop thx",
    "Please, stop.",
    "can you please stop",
    "will you just stop",
    "No, stop",
    "STOP. By the way, you are very rude people.",
    "I already have one, thank you. Stop.",
    "Please stop, I am at work and cannot read this many messages",
    "stoppp",
    "Stooooop",
    "S.T.O.P",
    "stpo",
    "unsub",
    "unsubscibe",
    "please unsubscribe",
    "I want to unsubscribe",
    "how do I unsubscribe?",
    "please unsubscribe me from all of your lists today",
    "text STOP",
    "do not text me",
    "Don't text me",
    "dont text me again",
    "Don\u2019t ever text me again!",
    "DO NOT TXT ME ANYMORE",
    "please do not contact me any more",
    "I told you do not text me",
    "remove me",
    "Remove me please",
    "please remove me from your list",
    "Pls remove me from this list asap",
    "Not interested remove me from your list",
    "remove my number",
    "take me off your list",
    "Take me off this list right now or I report you",
    "take my number off your system",
    "lose my number",
    "Delete my number.",
    "wrong number",
    "Sorry, wrong number",
    "You have the wrong number",
    "u have the wrong number",
    "I think you have the wrong number.",
    "Wrong number, this is Dave",
    "Hi, wrong number, no Maria here",
    "not interested stop texting me",
    "please stop texting me",
    "I don't care stop texting me",
    "You need to stop texting me or I will call a lawyer",
    "please stop fucking texting me",
    "never text me again",
    "quit texting me",
    "Quit sending me these messages every single day please",
    "no more texts please",
    "no more messages",
    "leave me alone",
    "Leave me alone!!!",
    "fuck off",
    "go away",
    "I revoke my consent",
    "I hereby withdraw my consent to be contacted",
    "I would like to opt out",
    "I want to opt-out of these texts",
    "opt me out",
    "How do I opt out of this",
    "I no longer wish to receive these messages",
    "I don't want your texts",
    "i dont want any more messages from you",
    "I do not wish to be contacted",
    "Put me on your do not call list",
    "cease and desist",
    "please stop sending me texts",
    "stop all communication with me and my whole family now",
    "Alto",
    "no más mensajes por favor",
    "No me envíe más",
    "quiero darme de baja",
    "Número equivocado",
    "Arrêtez svp",
    "désabonnement",
    "Please remove my number from your contact list",
    "I asked you to stop texting me",
    "Who is this? Stop texting me",
    "stop stop stop stop stop stop",
    "Take me off of your mailing list",
    "Take me off ur list",
    "TAKE ME OFF",
    "Do not contact me again",
    "Do not contact this number",
    "Don't contact me anymore",
    "dont message me again",
    "Please do not send me any more messages",
    "please don't send me any more texts",
    "I want to stop receiving these texts",
    "I want to stop getting texts",
    "I do not want to receive texts from you",
    "I don't want to receive these anymore",
    "I'm not interested, please remove me",
    "Not interested. Remove me.",
    "Not interested, stop",
    "Not interested stop",
    "I am not interested please stop contacting me",
    "This is the wrong number please remove me",
    "You've got the wrong number",
    "Hey this is the wrong number",
    "Nope wrong number",
    "No this is not her, wrong number",
    "U got wrong number",
    "Plz unsubscribe",
    "I unsubscribe",
    "Please opt me out",
    "Opt me out of all messages",
    "I'd like to opt out please",
    "I want out of this list",
    "Quit texting my phone",
    "never contact me again",
    "Do not ever contact me again",
    "Get me off this list",
    "Remove from list",
    "Please remove",
    "remove from your list",
    "Please take my name off your list",
    "Take off list",
    "Leave me alone please",
    "F off",
    "I will report you if you don't stop texting me",
    "If you don't stop texting me I'm calling the police",
    "Please stop all messages",
    "please stop texts",
    "end texts",
    "end messages",
    "Cancel texts",
    "cancel messages",
    "please cancel my subscription to these texts",
    "Cancel alerts",
    "I am going to sue you if you dont stop",
    "stop contacting me or legal action will follow immediately",
    "Don't text this number again",
    "Do not call or text this number",
    "do not text",
    "No texts",
    "Revoke my consent",
    "I withdraw consent",
    "I do not consent to receive messages",
    "block me",
    "pls stp",
    "Please discontinue",
    "Please discontinue these texts",
    "discontinue",
    "Kindly stop sending me messages",
    "Please cease all communications",
    "He died. Please remove his number.",
    "This person is deceased, remove from list",
    "I SAID STOP",
    "I said STOP!",
    "ya basta",
    "ya no me manden mensajes",
    "No quiero mas mensajes",
    "Deje de mandarme mensajes",
    "por favor no me escriban mas",
    "parar",
    "cancelar",
    "Detener",
    "Eliminar",
]

NOTHING = [
    "",
    " ",
    "!!!",
    "\U0001f44d",
    "Stop by the shop tomorrow at five",
    "Stop by anytime!",
    "stop by",
    "please stop by",
    "Can you stop by at 5?",
    "Stop sign on Elm Street",
    "please don't stop",
    "Don't stop",
    "dont stop texting me",
    "Please do not stop sending me these, I love them",
    "never stop sending me texts like this",
    "I don't want you to stop texting me",
    "I didn't say stop texting me",
    "I did not ask to unsubscribe",
    "I don't want to unsubscribe",
    "please don't remove me from your list",
    "Why did you stop texting me?",
    "did you stop sending texts",
    "If you stop texting me I will be sad",
    "I will stop sending messages to the other number",
    "The bus stop is on the left",
    "I'm at the last stop",
    "non-stop flight please",
    "We can start after the next stop, see you there",
    "end of the day works for me",
    "At the end",
    "the end.",
    "cancel my appointment tomorrow",
    "Can I cancel?",
    "please cancel the order and refund me",
    "I quit smoking",
    "quit it",
    "remove the pepperoni please",
    "can you remove me from tomorrow's yoga class",
    "remove the item from the list",
    "I gave you the wrong number, it is 12 Main St",
    "I typed the wrong number",
    "wrong number of items in the box",
    "Is this the wrong number?",
    "I think I put the wrong number in",
    "don't text me after 9pm, mornings are fine",
    "Do not text me while I am driving",
    "do not text me on weekends",
    "they don't text me",
    "if you don't text me I will come over",
    "why don't you text me the address",
    "don't contact me about the couch, only the table",
    "you can stop worrying",
    "not interested",
    "No thanks",
    "No more, thanks",
    "no",
    "N",
    "who is this",
    "What is this about?",
    "start tomorrow",
    "Start please",
    "please start",
    "restart",
    "let's start",
    "yes please",
    "Yes!! See you there",
    "yeah",
    "yep",
    "ok",
    "confirmed",
    "I confirm",
    "subscribe",
    "opt in",
    "help me",
    "Can you help?",
    "need info on pricing",
    "information",
    "unstoppable",
    "stopwatch",
    "cancelled",
    "ended",
    "weekend",
    "Leave the box at the door, don't leave me alone with it",
    "I need to take the kids off the bus",
    "Please stop by the office to sign",
    "I'll stop by later",
    "Stop over for coffee whenever you like this week",
    "Can we stop at the store on the way home tonight",
    "Make sure to stop the machine before opening it",
    "The rain won't stop",
    "Does the promo end tomorrow?",
    "I need to cancel my appointment",
    "Can you cancel my 3pm and move it to Friday?",
    "What number should I call?",
    "My number is wrong in your system",
    "you have my wrong number on file? it's 555-0134",
    "I want to remove an item from my cart",
    "Can I unsubscribe one of my two accounts but keep the other one?",
    "Do you have an opt out form for the insurance?",
    "Yes I want to continue, don't stop",
    "Please keep sending me texts",
    "Text me when you arrive, don't call me",
    "Please text, don't call me at work",
    "Please don't call me, text me instead",
    "Don't call me, I'm at work. Text is better",
    "Do not call, text only",
    "I never stop working",
    "Leave it at the front door",
    "Take me off hold please",
    "take me off speaker lol",
    "I'm not stopping",
    "stop worrying about it, everything will be fine my friend",
    "I'll be there at the bus stop at noon",
    "The delivery was left with the wrong person",
    "I am looking at the invoice that came today and it has the wrong number for my house, can you correct it",
    "wrong size",
    "you sent me the wrong number of chairs",
    "I ordered the wrong number of tickets by mistake",
    "No more pain since yesterday, thank you",
    "Go away for the weekend? sure",
    "I would like to end my lease in June",
    "Quit my job today",
    "I revoke nothing lol",
    "remind me tomorrow",
    "Remove Friday from the schedule",
    "Don't remove me",
    "Help, I need somebody",
    "When does it start?",
    "Y not?",
    "yes or no?",
    "YES STOP",
    "no stop",
    "lol stop",
    "haha stop it you're killing me with these jokes",
    "Can you send me more info",
    "How do I stop the water heater?",
    "how do I stop the alarm",
    "I don't want these shoes, can I return them?",
    "I dont want these",
    "we don't want to receive the package on Monday, Tuesday is better",
    "I do not want to receive the delivery today",
    "Delete my number from the order and use my wife's",
    "I no longer want these, can I exchange?",
    "I want to opt out of the insurance",
    "we are no longer able to come",
    "I lost my number plate",
    "Did I enter the wrong number?",
]

OTHERS = [
    ("HELP", Kind.HELP, "HELP"),
    ("help!", Kind.HELP, "HELP"),
    ("Info?", Kind.HELP, "INFO"),
    ("START", Kind.START, "START"),
    ("start.", Kind.START, "START"),
    ("Unstop", Kind.START, "UNSTOP"),
    ("YES", Kind.CONFIRM, "YES"),
    ("Yes!", Kind.CONFIRM, "YES"),
    ("y", Kind.CONFIRM, "Y"),
    ("\U0001f44d\U0001f3fd yes", Kind.CONFIRM, "YES"),
    ("Confirm", Kind.CONFIRM, "CONFIRM"),
]


@pytest.mark.parametrize("text", BY_KEYWORD)
def test_a_stop_word_stops(text: str) -> None:
    found = classify(text)

    assert found is not None
    assert (found.kind, found.method) == (Kind.STOP, Method.KEYWORD)
    assert found.keyword in STOP_WORDS


FCC_WORDS = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe", "stopall", "remove", "arret"]
"""Those of 47 CFR 64.1200(a)(10) and the field's own."""

TAILS = [
    "{}. Thank you", "{}, thanks", "{} please", "{}!!! Thx", "{}, ty", "{} now", "{}. Thanks!", "{} - thank you",
    "{}, please and thank you", "{} thank you very much", "{}.\nThanks", "{}, thanks! John",
    "{}\n\nSent from my iPhone",
    "{}\n--\nJohn Smith\nAcme Incorporated, 1 Main Street", "{} {}", "{} 2 end", "\U0001f6d1 {}, thanks \U0001f64f",
]  # fmt: skip
BEFORE = ["please {}", "Pls {}!", "no thanks. {}.", "Thank you. {}", "ok, {}", "Hi, please {}. Have a nice day!"]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("word", FCC_WORDS)
def test_every_stop_word_behaves_alike_before_manners(word: str, tail: str) -> None:
    for written in (word, word.upper(), word.capitalize()):
        assert classify(tail.format(written, written)) == Keyword(Kind.STOP, canonical(word), Method.KEYWORD)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("word", FCC_WORDS)
def test_every_stop_word_behaves_alike_behind_manners(word: str, before: str) -> None:
    assert classify(before.format(word)) == Keyword(Kind.STOP, canonical(word), Method.NATURAL_LANGUAGE)


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("STOP2END", "STOP"), ("stop2end", "STOP"), ("Stop 2 end", "STOP"), ("STOP TO END", "STOP"),
        ("STOPTOEND", "STOP"), ("STOP2QUIT", "STOP"), ("stop2stop", "STOP"), ("STOP2END, thanks", "STOP"),
        ("END2STOP", "END"), ("quit to end", "QUIT"), ("CANCEL2END", "CANCEL"), ("STOP/END", "STOP"),
        ("stop cancel unsubscribe", "STOP"), ("STOP2OPTOUT", "STOP"), ("stop all 2 end", "STOPALL"),
    ],
)  # fmt: skip
def test_stop_words_that_run_together_are_one(text: str, keyword: str) -> None:
    assert classify(text) == Keyword(Kind.STOP, keyword, Method.KEYWORD)


@pytest.mark.parametrize(
    "text",
    [
        "Txt STOP2END", "End these messages", "Cancel all your texts please", "quit these messages", "cancel my alerts",
        "stop any further notifications", "I already have one, thank you. Cancel.", "stoptexting me ok", "ST0P",
    ],
)  # fmt: skip
def test_siblings_of_the_words_are_phrases(text: str) -> None:
    found = classify(text)

    assert found is not None
    assert (found.kind, found.method) == (Kind.STOP, Method.NATURAL_LANGUAGE)


@pytest.mark.parametrize(
    "text", ["Stop at the store first", "stop in tomorrow", "Unsubscribe my wife's account", "STOP the car now"]
)
def test_a_stop_that_may_mean_another_thing_is_marked_for_somebody_to_look_at(text: str) -> None:
    found = classify(text)

    assert found is not None
    assert (found.kind, found.method) == (Kind.STOP, Method.NATURAL_LANGUAGE)


@pytest.mark.parametrize(
    "text",
    [
        "Cancel, I can't make it tomorrow", "Yes, cancel", "Yes. Cancel.", "End it", "cancel the order",
        "End of the day, thanks",
        "the weekend, thanks", "Don't cancel. Thank you", "do not end", "Cancel my appointment. Thank you", "quit it",
        "Opt out of the insurance", "end, then start again tomorrow",
    ],
)  # fmt: skip
def test_words_with_an_everyday_object_ask_for_nothing(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize("text", BY_PHRASE)
def test_a_phrase_that_means_stop_stops(text: str) -> None:
    found = classify(text)

    assert found is not None
    assert (found.kind, found.method) == (Kind.STOP, Method.NATURAL_LANGUAGE)
    assert found.keyword == found.keyword.upper().strip() != ""


@pytest.mark.parametrize(
    "phrase", [*PHRASES.whole.phrases, *(one for group in PHRASES.anywhere for one in group.phrases)]
)
def test_every_published_phrase_stops(phrase: str) -> None:
    """None is misspelled by the list's own spellings, or turned by its own guards."""
    found = classify(f"Please {phrase.lower()}!")

    assert found is not None
    assert found.kind is Kind.STOP


@pytest.mark.parametrize("text", NOTHING)
def test_any_other_text_asks_for_nothing(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(("text", "kind", "keyword"), OTHERS)
def test_the_other_words_are_exact(text: str, kind: Kind, keyword: str) -> None:
    assert classify(text) == Keyword(kind, keyword, Method.KEYWORD)


@given(st.text(max_size=60))
def test_only_the_very_word_opts_in_or_confirms(text: str) -> None:
    found = classify(text)

    if found is not None and found.kind in {Kind.START, Kind.CONFIRM}:
        assert canonical(own_part(text)) == found.keyword


@given(
    st.sampled_from(STOP_WORDS),
    st.text(st.sampled_from(" .,!?\"'()*-\u201c\u201d\u2019\U0001f6d1\ufe0f\n\u200b"), max_size=6),
    st.text(st.sampled_from(" .,!?\"'()*-\u201c\u201d\u2019\U0001f6d1\ufe0f\n\u200b"), max_size=6),
    st.randoms(use_true_random=False),
)
def test_no_case_punctuation_or_emoji_hides_a_stop_word(word: str, before: str, after: str, dice: Random) -> None:
    written = "".join(dice.choice((one.lower(), one)) for one in word)

    found = classify(before + written + after)

    assert found == Keyword(Kind.STOP, word, Method.KEYWORD)


@given(
    st.lists(
        st.sampled_from(["dont", "stop", "texting", "me", "please", "wrong", "number", ",", ".", "\n"]), max_size=9
    )
)
def test_a_text_of_loaded_words_never_opts_in(words: list[str]) -> None:
    found = classify(" ".join(words))

    assert found is None or found.kind is Kind.STOP


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert classify(text) == classify(f" {text}\n")


def test_a_campaigns_own_words_add_to_the_list() -> None:
    own = {"HALT": Kind.STOP, canonical("Join-Us"): Kind.START}

    assert classify("halt!", own=own) == Keyword(Kind.STOP, "HALT", Method.KEYWORD)
    assert classify("join us", own=own) == Keyword(Kind.START, "JOIN US", Method.KEYWORD)
    assert classify("halt!") is None


def test_a_campaigns_own_words_do_not_overrule_stop() -> None:
    found = classify("stop", own={"STOP": Kind.START})

    assert found is not None
    assert found.kind is Kind.STOP


@pytest.mark.parametrize(
    "text",
    [
        "dont stop texting me " * 2_000,
        f"zebra {'hi hello hey ' * 5_000} zebra",  # asides that lead to nothing
        "\ufdfa" * 65_000,  # one character that is eighteen once it is taken apart
    ],
    ids=["phrases", "asides", "ligatures"],
)
def test_a_long_text_of_near_misses_is_read_in_no_time(text: str) -> None:
    """No pattern goes back and forth over the text: that would take minutes, not a fraction of a second."""
    began_at = process_time()

    found = classify(text)

    assert found is None
    assert process_time() - began_at < 1


def test_of_a_very_long_text_the_ends_are_read_for_a_stop_and_for_nothing_else() -> None:
    rest = "so it goes on and on " * 300

    assert classify(f"STOP\n{rest}") == Keyword(Kind.STOP, "STOP", Method.KEYWORD)
    assert classify(f"{rest}. please stop texting me") is not None
    assert classify("START" + "." * 5_000) is None
