"""What an inbound text asks for: to stop, to start again, for help, or to confirm.

Words always count, and are exact. Beyond them only stopping is understood, by the published list `phrases.toml`: the
FCC wants any reasonable way of revoking heeded (47 CFR 64.1200(a)(10)), and nobody may be opted in by a guess. Only the
contact's own words are read: what a reaction or a quote repeats asks for nothing (`quotes`).
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from agentmessage.sms.quotes import OwnWords, Quotes, Reactions, canonical_words


class Kind(StrEnum):
    """What is asked; `confirm` means something only to whoever was asked a question, such as a double opt-in."""

    STOP = "stop"
    HELP = "help"
    START = "start"
    CONFIRM = "confirm"


class Method(StrEnum):
    """How it was said: by a word that is always heeded, or by a phrase, which an operator may want to look at."""

    KEYWORD = "keyword"
    NATURAL_LANGUAGE = "natural_language"


class Keyword(Struct, frozen=True):
    """What a text asks for, and the word or phrase of the list by which it does."""

    kind: Kind
    keyword: str
    method: Method


class _Joins(Struct, frozen=True, forbid_unknown_fields=True):
    words: list[str]
    by: list[str]
    ends: list[str]


class _Openers(Struct, frozen=True, forbid_unknown_fields=True):
    words: list[str]
    max_words: int
    unless_followed_by: list[str]
    about_texts: list[str]


class _Tails(Struct, frozen=True, forbid_unknown_fields=True):
    clauses: list[str]
    yes: list[str]
    signatures: list[str]


class _Objects(Struct, frozen=True, forbid_unknown_fields=True):
    verbs: list[str]
    between: list[str]
    nouns: list[str]


class _Asides(Struct, frozen=True, forbid_unknown_fields=True):
    anywhere: list[str]
    around: list[str]


class _Whole(Struct, frozen=True, forbid_unknown_fields=True):
    phrases: list[str]


class _Guard(Struct, frozen=True, forbid_unknown_fields=True):
    not_after: list[str]


class _Anywhere(Struct, frozen=True, forbid_unknown_fields=True):
    phrases: list[str]
    not_before: list[str] = []
    not_after: list[str] = []
    not_with: list[str] = []
    max_words: int | None = None


class PhraseList(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `phrases.toml`; its comments tell what each table is for."""

    words: dict[Kind, list[str]]
    joins: _Joins
    openers: _Openers
    tails: _Tails
    objects: _Objects
    reactions: Reactions
    quotes: Quotes
    spellings: dict[str, str]
    asides: _Asides
    whole: _Whole
    guard: _Guard
    anywhere: list[_Anywhere]


class _Pattern(Struct, frozen=True):
    """Phrases to find in a clause, and what turns their sense when it stands before them."""

    phrase: re.Pattern[str]
    turned_by: re.Pattern[str]
    max_words: int | None


def _any_of(phrases: Iterator[str] | list[str]) -> str:
    return "|".join(sorted(map(re.escape, phrases), key=len, reverse=True)) or r"(?!)"


def _pattern(group: _Anywhere, guard: _Guard) -> _Pattern:
    phrase = rf" (?:{_any_of(group.phrases)})(?= )(?! (?:{_any_of(group.not_before)}) )"
    right_before = rf" (?:{_any_of(guard.not_after + group.not_after)}) $"
    somewhere = rf" (?:{_any_of(group.not_with)}) "
    return _Pattern(re.compile(phrase), re.compile(f"{right_before}|{somewhere}"), group.max_words)


PHRASES = msgspec.toml.decode(Path(__file__).with_name("phrases.toml").read_bytes(), type=PhraseList)
"""The list that is acted on, for whoever publishes it."""

_WORDS = {word: kind for kind, words in PHRASES.words.items() for word in words}
_OWN_WORDS = OwnWords(PHRASES.reactions, PHRASES.quotes)
_STOP = _any_of(PHRASES.joins.words)
_BY = _any_of(PHRASES.joins.by)
_ENDS = _any_of(PHRASES.joins.ends)
_STOP_WORDS = re.compile(rf"({_STOP})(?: ?(?:{_BY}) ?(?:{_STOP}|{_ENDS})| ?(?:{_STOP}))*")
_RUN_TOGETHER = re.compile(rf" ({_STOP})(?:{_BY})(?:{_STOP}|{_ENDS})(?= )")
_BEGINS_WITH_STOP = re.compile(rf"(?:{_STOP})(?:(?:{_BY})?(?:{_STOP}|{_ENDS}))*\b")
_TAILS = frozenset(PHRASES.tails.clauses)
_SIGNATURE = re.compile(rf"(?:{_any_of(PHRASES.tails.signatures)})\b")
_OBJECTS = re.compile(
    rf"(?:{_any_of(PHRASES.objects.verbs)})(?: (?:{_any_of(PHRASES.objects.between)}))*"
    rf"(?: (?:{_any_of(PHRASES.objects.nouns)}))+"
)
_ABOUT_TEXTS = frozenset(PHRASES.openers.about_texts)
_OPENERS = frozenset(PHRASES.openers.words)
_OPENERS_TURNED = frozenset(PHRASES.openers.unless_followed_by)
_WHOLE = frozenset(PHRASES.whole.phrases)
_ANYWHERE = [_pattern(group, PHRASES.guard) for group in PHRASES.anywhere]
_SPELLINGS = re.compile(rf" (?:{_any_of(list(PHRASES.spellings))})(?= )")
_ASIDES = re.compile(rf" (?:{_any_of(PHRASES.asides.anywhere)})(?= )")
_AROUND_START = re.compile(rf"(?: (?:{_any_of(PHRASES.asides.around)})(?= ))+")
_AROUND_END = re.compile(rf"(?: (?:{_any_of([phrase[::-1] for phrase in PHRASES.asides.around])})(?= ))+")
"""Of a text that is read backwards: what ends with `$` is looked for at every place, which takes a minute of asides."""

_SENTENCE_END = re.compile(r"[.!?;\n\r…]+")
_CLAUSE_END = re.compile(r"[,:()\u2013\u2014]+|\s-+\s")
_DASHES = re.compile(r"\s*[-_\u2013\u2014]{2,}\s*")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_REPEATED = re.compile(r"( \S+)\1+(?= )")
_LOOK_BACK = 60  # characters before a phrase that can turn it
_NAME_WORDS = 2
_DIGIT = re.compile(r"\d")
_HALF = 2_000  # characters of a long text's beginning and of its end that are read: a hundred parts are nobody's words
_JOINED = {"OPT OUT": "OPTOUT", "STOP ALL": "STOPALL"}


def canonical(text: str) -> str:
    """A text as words are compared: no case, accents, punctuation or emoji, one space between words, OPT OUT as one."""
    plain = " ".join(canonical_words(text))
    return _JOINED.get(plain, plain)


def own_part(text: str) -> str:
    """What of a text its sender wrote: no reaction to an earlier message and no quote of one."""
    return _OWN_WORDS.of(text)


def classify(text: str, *, own: Mapping[str, Kind] | None = None) -> Keyword | None:
    """What the text asks for, or None if it is a text like any other.

    `own` are words of the sender's campaign, in canonical form: they add to the list and never overrule it. A text
    longer than 4,000 characters is no word; whether it asks to stop is looked for at its two ends.
    """
    if _WORDS.get(word := canonical(text[:_HALF])) is Kind.STOP and len(text) <= _HALF:
        return Keyword(Kind.STOP, word, Method.KEYWORD)  # a quoted one too: no text of ours is that word alone
    text = own_part(text)
    if len(text) > 2 * _HALF:
        text = f"{text[:_HALF]}\n{text[-_HALF:]}"
    elif kind := _WORDS.get(word := canonical(text)) or (own or {}).get(word):
        return Keyword(kind, word, Method.KEYWORD)
    text = _unsigned(text)
    if found := _politely(text) or _opener(text):
        return found
    if phrase := next(_phrases(text), None):
        return Keyword(Kind.STOP, phrase, Method.NATURAL_LANGUAGE)
    return None


def _unsigned(text: str) -> str:
    """The text above the line that a handset or a mail program signs it with."""
    lines = text.strip().splitlines()
    for index, line in enumerate(lines[1:], 1):
        if _DASHES.fullmatch(line) or _SIGNATURE.match(" ".join(canonical_words(line[:_LOOK_BACK]))):
            return "\n".join(lines[:index])
    return text


def _opener(text: str) -> Keyword | None:
    """The word that a short text begins with, or that stands alone above what follows.

    A keyword only with nothing behind it but what texts are stopped by: "Stop at the store" may mean another thing.
    """
    words = _joined_up(canonical_words(text))
    if not words or words[0] not in _OPENERS or _OPENERS_TURNED.intersection(words[1:2]):
        return None
    first_line = text.strip().splitlines()[0]
    if _joined_up(canonical_words(first_line)) == words[:1]:
        return Keyword(Kind.STOP, words[0], Method.KEYWORD)
    if len(words) > PHRASES.openers.max_words:
        return None
    rest = _without_asides(_read(" ".join(words[1:]))).split()
    is_clear = _ABOUT_TEXTS.issuperset(rest)
    return Keyword(Kind.STOP, words[0], Method.KEYWORD if is_clear else Method.NATURAL_LANGUAGE)


def _joined_up(words: list[str]) -> list[str]:
    joined = _JOINED.get(" ".join(words[:2]))
    return words if joined is None else [joined, *words[2:]]


def _politely(text: str) -> Keyword | None:
    """A word of the list with nothing around it but manners, in whichever clauses."""
    stops = [_STOP_WORDS.fullmatch(clause) for clause in _clauses_without_manners(text)]
    if not stops or stops[0] is None or None in stops:
        return None
    words = _joined_up(canonical_words(text))
    is_short = len(words) <= PHRASES.openers.max_words and _BEGINS_WITH_STOP.match(" ".join(words))
    return Keyword(Kind.STOP, stops[0][1], Method.KEYWORD if is_short else Method.NATURAL_LANGUAGE)


def _clauses_without_manners(text: str) -> list[str]:
    """What each clause says, but for those that are manners only and a name behind such a one."""
    found: list[str] = []
    thanked = False
    clauses = [clause for sentence in _SENTENCE_END.split(text) for clause in _CLAUSE_END.split(sentence)]
    read = [clause for clause in map(_read, clauses) if clause.strip()]
    for index, clause in enumerate(read):
        said = _without_asides(clause)
        is_name = thanked and index == len(read) - 1 and len(said.split()) <= _NAME_WORDS and not _DIGIT.search(said)
        if said and said not in _TAILS and not (is_name and not _STOP_WORDS.fullmatch(said)):
            found.append(said)
        thanked = bool(found) and (not said or said in _TAILS)
    return found


def _phrases(text: str) -> Iterator[str]:
    length = len(canonical_words(text))
    if (said := _without_asides(_read(text))) in _WHOLE or _OBJECTS.fullmatch(said):
        yield said
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if canonical_words(sentence)]
    is_answer = bool(sentences) and canonical_words(sentences[0])[0] in PHRASES.tails.yes
    for index, sentence in enumerate(sentences):
        clauses = [read for clause in _CLAUSE_END.split(sentence) if (read := _read(clause)).strip()]
        for candidate in (_read(sentence), *clauses[:1], *clauses[-1:]):
            if (said := _without_asides(candidate)) in _WHOLE or _OBJECTS.fullmatch(said):
                yield said
        is_at_an_end = index in (0, len(sentences) - 1) and not is_answer
        if is_at_an_end and (stop := _STOP_WORDS.fullmatch(_without_asides(_read(sentence)))):
            yield stop[1]
        for clause in clauses:
            yield from _within(clause, length)


def _within(clause: str, text_words: int) -> Iterator[str]:
    for pattern in _ANYWHERE:
        if pattern.max_words is not None and text_words > pattern.max_words:
            continue
        for found in pattern.phrase.finditer(clause):
            if not pattern.turned_by.search(clause, max(0, found.start() - _LOOK_BACK), found.start() + 1):
                yield found[0].strip()


def _read(text: str) -> str:
    """The words with a space around each, spelled as in the list, without asides."""
    drawn_in = _DRAWN_OUT.sub(r"\1", " ".join(canonical_words(text)))
    spelled = _SPELLINGS.sub(lambda found: f" {PHRASES.spellings[found[0][1:]]}", f" {drawn_in} ")
    single = _RUN_TOGETHER.sub(r" \1", spelled)
    return _REPEATED.sub(r"\1", _ASIDES.sub("", single))


def _without_asides(read: str) -> str:
    begun = _AROUND_START.match(read)
    rest = read if begun is None else read[begun.end() :]
    ended = _AROUND_END.match(rest[::-1])
    return (rest if ended is None else rest[: -ended.end()]).strip()
