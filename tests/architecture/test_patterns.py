"""A pattern ends where the text ends: `$` alone would let a line feed pass behind it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentmessage
from agentmessage.web.types import END, STORABLE
from tools import house_rules

SRC = Path(agentmessage.__file__).parent
LOOKS_LIKE_A_PATTERN = ("^", "[", "\\d", "(?")
OF_LINES = "(?m"
"""Here `$` is meant to be the end of a line."""


def patterns(file: Path) -> Iterator[tuple[int, str]]:
    """Every text of a module that can be a regular expression with an end: SQL and prose are none."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Constant(value=str(text)) if "$" in text and "\n" not in text and text != STORABLE:
                is_pattern = any(mark in text for mark in LOOKS_LIKE_A_PATTERN) and OF_LINES not in text
                if is_pattern and not house_rules.SQL.match(text):
                    yield node.lineno, text
            case _:
                pass


def has_loose_end(pattern: str) -> bool:
    """Whether a `$` stands in a pattern, outside of a class and unescaped, that a line feed may follow."""
    in_class = False
    place = 0
    while place < len(pattern):
        match pattern[place]:
            case "\\":
                place += 1
            case "[" if not in_class:
                in_class = True
            case "]" if in_class:
                in_class = False
            case "$" if not in_class and not pattern.startswith(END, place):
                return True
            case _:
                pass
        place += 1
    return False


@pytest.mark.parametrize("pattern", [r"^[a-z]+$", r"^a$|^b\Z", "^[^@]+$"])
def test_a_loose_end_is_found(pattern: str) -> None:
    assert has_loose_end(pattern)


def test_no_pattern_lets_a_line_feed_pass_behind_it() -> None:
    loose = [
        f"{file.relative_to(SRC)}:{line}: {pattern}"
        for file in sorted(SRC.rglob("*.py"))
        for line, pattern in patterns(file)
        if has_loose_end(pattern)
    ]

    assert loose == []
