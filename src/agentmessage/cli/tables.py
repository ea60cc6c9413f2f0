"""How results are shown: tables for people, JSON for programs."""

import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.table import Table

SHOWN_LIST = 3
CENTS = "_cents"
UNSET_WORD = "-"

UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, which command a terminal, and those of direction, which make it show another text."""


def show(rows: Sequence[msgspec.Struct], *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print rows with all their fields as a JSON array, or the named columns as a table.

    A column may lie deeper (`opt_out.detected`); one of cents is shown in dollars.
    """
    if as_json:
        print_json(rows)
        return
    from rich.table import Column, Table  # noqa: PLC0415 - programs need only JSON
    from rich.text import Text  # noqa: PLC0415

    # A narrow window wraps an id; cut off, it would be useless.
    headings = [Column(_heading(column), overflow="fold") for column in columns]
    table = Table(*headings, title=showable(title), title_justify="left")
    for row in rows:
        # Text, because a customer's words are no markup.
        table.add_row(*(Text(showable(_cell(row, column))) for column in columns))
    _print(table)


def show_fields(row: msgspec.Struct, *, fields: Sequence[str], title: str, as_json: bool) -> None:
    """Print one result: as a JSON object, or the named fields, those that are set, one below the other."""
    if as_json:
        print_json(row)
        return
    from rich.table import Table  # noqa: PLC0415 - programs need only JSON
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=showable(title), title_justify="left", show_header=False)
    for field in fields:
        if (words := _cell(row, field)) != UNSET_WORD:
            table.add_row(_heading(field), Text(showable(words)))
    _print(table)


def show_one(row: msgspec.Struct, *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print one result: as a JSON object, or as a table with one row."""
    if as_json:
        print_json(row)
    else:
        show([row], columns=columns, title=title, as_json=False)


def say(words: str, *, is_harm: bool = False) -> None:
    """A line for people on standard output, or, of what went wrong, on standard error."""
    (sys.stderr if is_harm else sys.stdout).write(showable(words) + "\n")


def showable(words: str) -> str:
    """Words as a terminal may have them: with escapes spelled out, since whoever wrote them does not command it."""
    return UNSHOWABLE.sub(lambda found: ascii(found[0])[1:-1], words)


def print_json(value: object) -> None:
    """JSON for programs, indented, one value."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def print_json_line(value: object) -> None:
    """JSON for programs that read as it comes: one value a line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def in_words(value: Any) -> str:
    """A value as a cell of a table."""
    match value:
        case None:
            return UNSET_WORD
        case bool():
            return "yes" if value else "no"
        case date():
            return f"{value:%Y-%m-%d %H:%M:%S}Z" if isinstance(value, datetime) else value.isoformat()
        case list() | tuple():
            return _few([str(item) for item in value])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case Mapping():
            return _few([f"{name}: {item}" for name, item in value.items()])  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(words[:SHOWN_LIST]) or UNSET_WORD
    return f"{shown} and {len(words) - SHOWN_LIST} more" if len(words) > SHOWN_LIST else shown


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale says: texts hold any character, and programs that read us expect it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def dollars(cents: int) -> str:
    """Cents as people write them, `-$12.05`."""
    return f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def _cell(row: msgspec.Struct, column: str) -> str:
    value: Any = row
    for name in column.split("."):
        value = None if value is None else getattr(value, name)
    return dollars(value) if column.endswith(CENTS) and isinstance(value, int) else in_words(value)


def _heading(column: str) -> str:
    return column.removesuffix(CENTS).rstrip("_").replace("_", " ").replace(".", " ")


def _print(table: "Table") -> None:
    from rich.console import Console  # noqa: PLC0415 - programs need only JSON

    # A pipe has no width, and cutting an id in half makes it useless.
    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(table)
