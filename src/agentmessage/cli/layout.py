"""Tables as lines of text: one line a row where the width allows it, else several, with prose cut and nothing else."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

GAP = "  "
INDENT = "  "
MIN_PROSE = 12
"""Columns of a terminal below which prose says nothing."""


class Column(NamedTuple):
    """One column. Prose may be cut; everything else stays whole, so that it can be copied."""

    heading: str
    is_prose: bool


class Lines(NamedTuple):
    """The lines of a table."""

    of_headings: list[str]
    of_rows: list[str]


def laid_out(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int | None) -> Lines:
    """The table in lines of at most `width` cells; without one, each row is one line.

    Only a value that is by itself wider than the terminal makes a longer line.
    """
    widths = [max(map(cell_len, cells)) for cells in zip((column.heading for column in columns), *rows, strict=True)]
    lines = [list(range(len(columns)))]
    if width is not None and _total(widths) > width:
        least = [
            min(MIN_PROSE, wide) if column.is_prose else wide for column, wide in zip(columns, widths, strict=True)
        ]
        lines = list(_packed(least, width))
        for number, line in enumerate(lines):
            _widen(
                line,
                columns,
                least,
                widths,
                spare=width - len(INDENT) * (number > 0) - _total([least[i] for i in line]),
            )
        widths = least
    headings = [column.heading for column in columns]
    return Lines(_written(headings, lines, widths), [text for row in rows for text in _written(row, lines, widths)])


def _packed(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """The columns in their order, as many in each line as fit."""
    line: list[int] = []
    used = 0
    for index, wide in enumerate(widths):
        if line and used + len(GAP) + wide > width:
            yield line
            line, used = [], len(INDENT)
        used += wide + (len(GAP) if line else 0)
        line.append(index)
    yield line


def _widen(
    line: Sequence[int], columns: Sequence[Column], widths: list[int], wanted: Sequence[int], *, spare: int
) -> None:
    """Give what a line has left to its prose."""
    for index in line:
        if columns[index].is_prose:
            more = max(0, min(spare, wanted[index] - widths[index]))
            widths[index] += more
            spare -= more


def _written(cells: Sequence[str], lines: Sequence[Sequence[int]], widths: Sequence[int]) -> list[str]:
    return [
        INDENT * (number > 0) + GAP.join(_fitted(cells[index], widths[index]) for index in line).rstrip()
        for number, line in enumerate(lines)
    ]


def _fitted(text: str, width: int) -> str:
    """The text in exactly so many cells; the end of a longer one is replaced by an ellipsis."""
    return set_cell_size(text, width) if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)
