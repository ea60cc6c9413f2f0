"""The same text in the characters of the GSM alphabet, so that a curly quote does not more than double its price.

The replacements are of shape, not of sense: quotes, dashes, dots, bullets, full-width forms, spaces wide, narrow and
invisible. No letter loses its accent, and no sign is spelled out.
"""

import unicodedata

from agentmessage.sms.segments import Encoding, measure

_SHAPES = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb\u00b4`\u275b\u275c",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u02ba\u02ee\u3003\u301d\u301e\u301f\u275d\u275e",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7\u2e3a\u2e3b\ufe58\ufe63",
    "*": "\u2022\u2023\u25cf\u25e6\u25aa\u25ab\u2219\u2217\u204e",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t",
    "\n": "\u0085\u2028\u2029\u000b",
    "...": "\u2026",
    "..": "\u2025",
    ".": "\u2024\u00b7\u3002",
    ",": "\u3001",
    "/": "\u2044\u2215",
    "~": "\u02dc\u223c\u301c",
    "^": "\u02c6",
    "|": "\u2223\u2758",
    ":": "\u2236",
    "!!": "\u203c",
    "": "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufeff"  # invisible: hyphens, joiners, marks, orders
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}
_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
REPLACEMENTS: dict[int, str] = {ord(one): plain for plain, shapes in _SHAPES.items() for one in shapes} | {
    code: "'" if plain == "`" else plain for code, plain in _FULL_WIDTH.items()
}
"""Code point to what stands for it; NFC comes before it, so a letter with a loose accent is one letter first."""


def simplify(text: str) -> str:
    """The text in GSM characters if replacing shapes is enough for that and costs no part more; else the text itself.

    A text with a character that has no equal keeps its typography: it needs UCS-2 whatever is replaced, and the joiners
    inside its emoji must stay. What the customer wrote is theirs to keep; this is for the wire and the price.
    Raises ValueError for half a surrogate pair.
    """
    was = measure(text)
    if was.encoding is Encoding.GSM7:
        return text
    plain = unicodedata.normalize("NFC", text).translate(REPLACEMENTS)
    now = measure(plain)
    return plain if now.encoding is Encoding.GSM7 and now.segments <= was.segments else text
