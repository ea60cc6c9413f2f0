"""Media types as callers write them: without case, with parameters, weighed (RFC 9110, 8.3.1 and 12.5.1); pure."""

import re
from collections.abc import Iterator

from agentmessage.kernel.errors import UnsupportedMediaType

PART = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*")+')
PARAMETER = re.compile(r';\s*([^\s;="]+)=("(?:\\.|[^"\\])*"|[^;"]*)')


def essence(media_type: str) -> str:
    """A media type without its parameters, in small letters."""
    return media_type.partition(";")[0].strip().lower()


def require_plain(content_encoding: str) -> None:
    """Raises UnsupportedMediaType for a body that is compressed: what it would grow to has no limit."""
    if content_encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("the body must not be compressed")


def preferred(accept: str | None, offered: tuple[str, ...]) -> str:
    """Which of what is offered a caller likes best; the first of them where it does not care, or likes none.

    Of two that it likes the same, the one that it named itself, and first.
    """
    ranges = list(_ranges(accept or ""))
    best, best_rank = offered[0], (0.0, False, 0.0)
    for media_type in offered:
        rank = _rank(media_type, ranges)
        if rank > best_rank:
            best, best_rank = media_type, rank
    return best


def accepts(accept_encoding: str | None, coding: str) -> bool:
    """Whether an Accept-Encoding admits a coding."""
    weights = dict(_ranges(accept_encoding or ""))
    return weights.get(coding, weights.get("*", 0.0)) > 0


def _rank(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, bool, float]:
    """Weight, whether it was named itself, and how early."""
    for pattern in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        for place, (named, weight) in enumerate(ranges):
            if named == pattern:
                return (weight, pattern == media_type, -place) if weight else (0.0, False, 0.0)
    return 0.0, False, 0.0


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in PART.findall(accept):
        weight = 1.0
        for name, value in PARAMETER.findall(part):
            if name.lower() == "q":
                weight = _weight(value.strip(' \t"'))
        yield essence(part), weight


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](?:\.[0-9]{0,3})?", text) else 0.0
