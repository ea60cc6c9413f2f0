"""How results are shown: tables for people, JSON for programs."""

import sys
from collections.abc import Sequence
from datetime import datetime

import msgspec

SHOWN_LIST = 3


def show(rows: Sequence[msgspec.Struct], *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print rows with all their fields as a JSON array, or the named columns as a table."""
    if as_json:
        print_json(rows)
        return
    from rich.console import Console  # noqa: PLC0415 - programs need only JSON
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*(column.replace("_", " ") for column in columns), title=title, title_justify="left")
    for row in rows:
        # Text, because a customer's words are no markup.
        table.add_row(*(Text(in_words(getattr(row, column))) for column in columns))
    # A pipe has no width, and cutting an id in half makes it useless.
    console = Console() if sys.stdout.isatty() else Console(width=240)
    console.print(table)


def show_one(row: msgspec.Struct, *, columns: Sequence[str], title: str, as_json: bool) -> None:
    """Print one result: as a JSON object, or as a table with one row."""
    if as_json:
        print_json(row)
    else:
        show([row], columns=columns, title=title, as_json=False)


def print_json(value: object) -> None:
    """JSON for programs, indented, one value."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def in_words(value: object) -> str:
    """A value as a cell of a table."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case list() | tuple():
            return _few([str(item) for item in value])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return str(value)


def _few(words: Sequence[str]) -> str:
    shown = ", ".join(words[:SHOWN_LIST])
    return f"{shown} and {len(words) - SHOWN_LIST} more" if len(words) > SHOWN_LIST else shown
