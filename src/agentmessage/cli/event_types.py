"""Event types as a person may write them: one by its name, or many by a pattern such as `message.*`."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(event_type: str, patterns: Sequence[str]) -> bool:
    """Whether a type is one of those that were asked for."""
    return any(fnmatchcase(event_type, pattern) for pattern in patterns)


def is_pattern(word: str) -> bool:
    """Whether it stands for many types."""
    return any(sign in word for sign in "*?[")
