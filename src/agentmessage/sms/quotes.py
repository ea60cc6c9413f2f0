"""What of an inbound text its sender wrote: reactions to earlier messages, and quotes of them, are not the sender's.

A handset that cannot show a reaction sends it as a message that repeats the whole text reacted to, mostly with its
instruction how to stop. Which forms are known is data: the tables `reactions` and `quotes` of `phrases.toml`.
"""

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct


class Reactions(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands before the quote of a message: `with_words` with a few more words, `with_symbol` beside an emoji."""

    leads: list[str]
    with_words: list[str]
    with_symbol: list[str]


class Quotes(Struct, frozen=True, forbid_unknown_fields=True):
    """How an instruction of ours reads in canonical words, and who introduces a quote of their own words."""

    verbs: list[str]
    words: list[str]
    purposes: list[str]
    first_person: list[str]
    replied_above: list[str]


def canonical_words(text: str) -> list[str]:
    """A text's words as they are compared: no case, accents, punctuation, emoji or invisible characters."""
    if not text.isascii():
        text = "".join(
            one for one in unicodedata.normalize("NFKD", text) if unicodedata.category(one) not in {"Mn", "Cf"}
        )
    return _WORD.findall(_APOSTROPHE.sub("", text).upper())


class OwnWords:
    """Finds the words of a text that are its sender's own."""

    def __init__(self, reactions: Reactions, quotes: Quotes) -> None:
        leads, with_words = "|".join(reactions.leads), "|".join(reactions.with_words)
        self._lead = re.compile(rf"(?:{leads})|(?:{with_words})(?: \w+){{0,5}}")
        self._with_symbol = frozenset(reactions.with_symbol)
        verbs, words, purposes = ("|".join(each) for each in (quotes.verbs, quotes.words, quotes.purposes))
        self._instruction = re.compile(
            rf"\b(?:{verbs})(?: \w+){{0,3}}? (?:{words})\b|\b(?:{words})(?: ?(?:{purposes})\b|2[A-Z])"
        )
        self._words = re.compile(rf"(?:{words})")
        self._first_person = frozenset(quotes.first_person)
        self._replied_above = re.compile(rf"(?:{'|'.join(quotes.replied_above)})", re.IGNORECASE | re.MULTILINE)

    def of(self, text: str) -> str:
        """The text without what it quotes; empty where nothing else is in it, and as it is where nothing is quoted.

        A lone quote that is no instruction of ours counts as the sender's: who types `"stop texting me"` means it.
        """
        if not _MAY_QUOTE.search(text):
            return text
        plain = text if text.isascii() else "".join(one for one in text if unicodedata.category(one) != "Cf")
        reacted = self._behind_reaction(plain)
        if reacted is not None:
            return reacted
        return self._without_spans(self._without_lines(plain))

    def _behind_reaction(self, text: str) -> str | None:
        """What follows the quote of a reaction; None where the text is none."""
        opened = _OPENS.search(text, 0, _LEAD_CHARS)
        if opened is None:
            return None
        lead = text[: opened.start()]
        words = " ".join(canonical_words(lead))
        has_symbol = any(unicodedata.category(one) in _SYMBOLS for one in lead)
        if not (self._lead.fullmatch(words) or (has_symbol and words in self._with_symbol)):
            return None
        return text[_closed_at(text, opened.end() - 1) :]

    def _without_lines(self, text: str) -> str:
        """The text without lines marked as quoted, and without an earlier message below a line that announces it."""
        lines = text.splitlines()
        own = [line for line in lines if not _QUOTED_LINE.match(line)]
        if len(own) < len(lines):
            return self._replied_above.sub("", "\n".join(own))
        announced = self._replied_above.search(text)
        return text if announced is None else text[: announced.start()]

    def _without_spans(self, text: str) -> str:
        spans = [(start, end) for start, end in _spans(text) if self._is_foreign(text, start, end)]
        rest = _cut(text, spans)
        if canonical_words(rest) or not spans:
            return rest
        return _cut(text, [span for span in spans if self._is_instruction(text[slice(*span)])])

    def _is_foreign(self, text: str, start: int, end: int) -> bool:
        """Whether a quoted span is somebody else's words: told by what it says, where it stands, and what is before it.

        A single word in quotes is never taken out: `reply "STOP"` means STOP.
        """
        words = canonical_words(text[start:end])
        if len(words) <= 1:
            return False
        if self._is_instruction(text[start:end]):
            return True
        before = canonical_words(text[text.rfind("\n", 0, start) + 1 : start])
        after = text[end : _line_end(text, end)]
        if not before:
            return not canonical_words(after) or not self._words.fullmatch(words[0])
        return len(words) >= _MIN_FOREIGN_WORDS and not self._first_person.intersection(before)

    def _is_instruction(self, quoted: str) -> bool:
        return self._instruction.search(" ".join(canonical_words(quoted))) is not None


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where quoted spans begin and end, marks included, in order."""
    return (found.span() for found in _SPAN.finditer(text))


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        pieces.append(text[at:start])
        at = end
    return " ".join([*pieces, text[at:]])


def _closed_at(text: str, opened_at: int) -> int:
    """Behind the quote that begins there: at the text's end where the last mark closes it, or where none does."""
    opens, closes = text[opened_at], _CLOSING[text[opened_at]]
    if text.rstrip(_TRAILING).endswith(tuple(closes)):
        return len(text)
    depth = 0
    for at in range(opened_at, len(text)):
        if opens != closes:
            depth += (text[at] == opens) - (text[at] in closes)
            if depth == 0:
                return at + 1
    if opens == closes and (last := text.rfind(closes)) > opened_at:
        return last + 1
    return len(text)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end == -1 else end


_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"['\u2018\u2019\u02bc\u00b4`]")
_LEAD_CHARS = 80
_MIN_FOREIGN_WORDS = 4
_SYMBOLS = frozenset({"So", "Sk", "Sm"})  # what an emoji is made of, as Unicode sorts characters
_CLOSING = {
    "\u201c": "\u201d",
    "\u201d": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\u2018": "\u2019",
    "\u2039": "\u203a",
    '"': '"',
    "\uff02": "\uff02",
    "'": "'",
}
_OPENS = re.compile(rf"(?:^|(?<=\s))[{re.escape(''.join(_CLOSING))}]")
_TRAILING = " \t\r\n.\u2026\u00a0\u200a\u202f"
_MAY_QUOTE = re.compile(r"[\"'\u2018\u2019\u201c-\u201e\u00ab\u00bb\u2039\u203a\uff02>\uff1e|]|&gt;|-{2}|:\s")
_QUOTED_LINE = re.compile(r"\s*(?:>|\uff1e|\u203a|\u276f|\|(?=\s)|\u00bb(?=\s)|&gt;)")
_SPAN = re.compile(
    r"\u201c[^\u201c\u201d]{1,2000}\u201d"
    r"|\u201e[^\u201c\u201d\u201e]{1,2000}[\u201c\u201d]"
    r"|\u00ab[^\u00ab\u00bb]{1,2000}\u00bb"
    r"|\u2039[^\u2039\u203a]{1,2000}\u203a"
    r'|(?m:^)[ \t]*"[^"]{1,2000}"(?m:[ \t]*$)|(?<!\w)"[^"\n]{1,2000}"(?!\w)|\uff02[^\uff02\n]{1,2000}\uff02'
    r"|(?<!\w)[\u2018'](?=\S)(?:[^\u2019'\n]|[\u2019'](?=\w)){1,500}[\u2019'](?!\w)"
)
"""Of double marks also over several lines, of straight ones only where they stand at the ends of lines."""
