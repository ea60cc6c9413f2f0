"""How results are shown: tables for people, JSON for programs."""

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import TextIOWrapper
from typing import Any

import msgspec

SHOWN_LIST = 3
CENTS = "_cents"
UNSET_WORD = "-"
ADVICE = frozenset({"suggested_fix", "last_error.fix"})
"""Columns that say what to do."""

PROSE = frozenset(
    {"text", "body", "description", "label", "title", "display_name", "events", "scopes", "payload", "fault", "what"}
    | {"message", "detail", "note", "labels", "reason"}
)
"""Columns of words. In a narrow terminal they are cut; ids, numbers, states and addresses never are."""

UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, which command a terminal, and those of direction, which make it show another text."""


def show(rows: Sequence[msgspec.Struct], *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print rows with all their fields as a JSON array, or the named columns as a table.

    A column may lie deeper (`opt_out.detected`); one of cents is shown in dollars. A terminal gets lines of its width,
    and a pipe one line for each row.
    """
    if as_json:
        print_json(rows)
        return
    from agentmessage.cli.layout import Column, laid_out  # noqa: PLC0415 - programs need only JSON

    shown = [Column(_heading(column), is_prose=column.rpartition(".")[2] in PROSE) for column in columns]
    # A customer's line breaks would break the table.
    cells = [[showable(_cell(row, column)).replace("\n", "↵").replace("\t", " ") for column in columns] for row in rows]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = laid_out(shown, cells, width=width)
    print_lines([showable(title), *lines.of_headings, *lines.of_rows], emphasized=1 + len(lines.of_headings))


def show_fields(row: msgspec.Struct, *, fields: Sequence[str], title: str, as_json: bool) -> None:
    """Print one result: as a JSON object, or the named fields, those that are set, one below the other."""
    if as_json:
        print_json(row)
        return
    found = {_heading(field): showable(words) for field in fields if (words := _cell(row, field)) != UNSET_WORD}
    margin = max(map(len, found), default=0) + 2
    # Lines of a value are indented to its column; long lines are wrapped by the terminal, so that they can be copied.
    lines = [f"{name:<{margin}}" + words.replace("\n", "\n" + " " * margin) for name, words in found.items()]
    print_lines([showable(title), *lines], emphasized=1)


def show_one(row: msgspec.Struct, *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print one result: as a JSON object, or as a table with one row."""
    if as_json:
        print_json(row)
    else:
        show([row], columns=columns, title=title, as_json=False)


def say(words: str, *, is_harm: bool = False) -> None:
    """Print a line on standard output, or on standard error for failures."""
    (sys.stderr if is_harm else sys.stdout).write(showable(words) + "\n")


def showable(words: str) -> str:
    """Text that is safe for a terminal: control characters are printed as escapes."""
    return UNSHOWABLE.sub(lambda found: ascii(found[0])[1:-1], words)


def print_json(value: object) -> None:
    """JSON for programs, indented, one value."""
    sys.stdout.write(_harmless_json(msgspec.json.format(msgspec.json.encode(value), indent=2)) + "\n")


def print_json_line(value: object) -> None:
    """JSON lines for streaming programs: one value per line."""
    sys.stdout.write(_harmless_json(msgspec.json.encode(value)) + "\n")
    sys.stdout.flush()


def _harmless_json(encoded: bytes) -> str:
    """The same values; control characters are escaped, since people look at JSON, too."""
    return UNSHOWABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode())


def in_words(value: Any) -> str:
    """A value as a cell of a table."""
    match value:
        case None | bool():
            return {None: UNSET_WORD, True: "yes", False: "no"}[value]
        case date():
            return f"{value:%Y-%m-%d %H:%M:%S}Z" if isinstance(value, datetime) else value.isoformat()
        case list() | tuple():
            return _few([in_words(item) for item in value])  # pyright: ignore[reportUnknownVariableType]
        case msgspec.Struct():
            return " ".join(in_words(getattr(value, name)) for name in value.__struct_fields__)
        case Mapping():
            return _few([f"{name}: {item}" for name, item in value.items()])  # pyright: ignore[reportUnknownVariableType]
        case _:
            return str(value)


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(words[:SHOWN_LIST]) or UNSET_WORD
    return f"{shown} and {len(words) - SHOWN_LIST} more" if len(words) > SHOWN_LIST else shown


def speak_utf8() -> None:
    """Write UTF-8 in any locale: messages contain any character, and programs expect UTF-8."""
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
    if column in ADVICE and isinstance(value, str):
        from agentmessage.cli.advice import in_terminal_words  # noqa: PLC0415 - few tables advise

        return in_terminal_words(value)
    return dollars(value) if column.endswith(CENTS) and isinstance(value, int) else in_words(value)


def _heading(column: str) -> str:
    return column.removesuffix(CENTS).rstrip("_").replace("_", " ").replace(".", " ")


def print_lines(lines: Sequence[str], *, emphasized: int) -> None:
    """Write lines as they are; on a terminal that shows colors, the first few are bold."""
    from rich.console import Console  # noqa: PLC0415 - programs need only JSON
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    for index, line in enumerate(lines):
        # A customer's words are no markup. What the terminal wraps by itself can be copied whole.
        console.print(Text(line, style="bold" if index < emphasized else ""), soft_wrap=True)
