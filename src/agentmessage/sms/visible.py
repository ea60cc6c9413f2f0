"""Which texts show nothing: white space, controls, joiners, marks of direction, fillers. Pure."""

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"})
"""General categories without a shape of their own: controls, formats, halves of surrogate pairs, separators, and marks
that have no letter to stand on."""

BLANK_SHAPES = frozenset(
    chr(code)
    for first, last in (
        (0x115F, 0x1160),  # Hangul fillers
        (0x2065, 0x2065),  # unassigned among the invisible operators
        (0x2800, 0x2800),  # Braille without dots
        (0x3164, 0x3164),  # Hangul filler
        (0xFFA0, 0xFFA0),  # half-width Hangul filler
        (0xFFF0, 0xFFF8),  # unassigned, to be ignored where unknown
        (0xFFFC, 0xFFFC),  # the place of an object that is not there
        (0x1D159, 0x1D159),  # musical null notehead
        (0xE0000, 0xE0FFF),  # tags, more variation selectors, and what is kept for their like
    )
    for code in range(first, last + 1)
)
"""Letters and symbols by category that are drawn as nothing (Unicode: Default_Ignorable_Code_Point, and a few that are
empty by their design)."""


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    if "!" <= text[:1] <= "~":  # most begin with a character of ASCII that shows
        return False
    return all(char in BLANK_SHAPES or unicodedata.category(char) in UNSEEN for char in text)
