"""Timestamps and durations of options: `2026-11-23T18:00:00Z`, or relative to now such as `15m`."""

import re
from datetime import UTC, datetime, timedelta

import typer

WHILE = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FORMS = "a time such as 2026-11-23T18:00:00Z, or a while such as 90s, 15m, 2h, 3d"


def past(word: str) -> datetime:
    """A timestamp; a duration counts back from now. Raises BadParameter."""
    length = _while(word)
    return _moment(word) if length is None else datetime.now(UTC) - length


def coming(word: str) -> datetime:
    """A timestamp; a duration counts from now on. Raises BadParameter."""
    length = _while(word)
    return _moment(word) if length is None else datetime.now(UTC) + length


def _while(word: str) -> timedelta | None:
    found = WHILE.fullmatch(word)
    return None if found is None else timedelta(**{UNITS[found[2]]: int(found[1])})


def _moment(word: str) -> datetime:
    try:
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise typer.BadParameter(f"{word!r} is not {FORMS}.") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
