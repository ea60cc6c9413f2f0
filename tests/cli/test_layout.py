"""Tables fit the terminal: numbers, ids and states stay whole, so that they can be copied; only prose is cut."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agentmessage.cli.layout import Column, laid_out
from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.make.texts import CONTACT

WORD = st.text(alphabet="abc+0123456789-🦷ü", min_size=1, max_size=40)
TABLES = st.integers(1, 7).flatmap(
    lambda count: st.tuples(
        st.lists(st.builds(Column, WORD, st.booleans()), min_size=count, max_size=count),
        st.lists(st.lists(WORD, min_size=count, max_size=count), max_size=4),
    )
)


def on_a_terminal(terminal: Terminal, *words: str, columns: int) -> str:
    """What a command writes on a terminal so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**terminal.environment, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "agentmessage", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the last writer has left
                break
        os.close(ours)
        assert process.wait(30) == 0
    return said.decode().replace("\r\n", "\n")


@given(TABLES, st.integers(10, 200))
def test_what_is_no_prose_is_whole_in_one_line(table: tuple[list[Column], list[list[str]]], width: int) -> None:
    columns, rows = table

    lines = laid_out(columns, rows, width=width)

    assert len(lines.of_rows) == len(rows) * len(lines.of_headings)
    for index, row in enumerate(rows):
        shown = lines.of_rows[index * len(lines.of_headings) : (index + 1) * len(lines.of_headings)]
        whole = [cell for column, cell in zip(columns, row, strict=True) if not column.is_prose]
        assert all(any(cell in line for line in shown) for cell in whole)


@given(TABLES, st.integers(10, 200))
def test_only_a_value_wider_than_the_terminal_makes_a_longer_line(
    table: tuple[list[Column], list[list[str]]], width: int
) -> None:
    columns, rows = table

    lines = laid_out(columns, rows, width=width)

    cells = [*(column.heading for column in columns), *(cell for row in rows for cell in row)]
    longest = max(width, 2 + max(map(cell_len, cells)))
    assert all(cell_len(line) <= longest for line in [*lines.of_headings, *lines.of_rows])


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_ids_numbers_and_states_can_be_copied_from_a_terminal(
    terminal: Terminal, customer: Customer, columns: int
) -> None:
    sender = customer.number(f"+1415555{columns:04}")
    customer.run(
        "UPDATE phone_numbers SET label = $2 WHERE id = $1", sender.id, "A label longer than any list needs " * 3
    )
    customer.consents(sender)
    words = ["messages", "send", "--from", sender.number, "--to", CONTACT, "--text", "Long words, " * 20, "--json"]
    sent = terminal(*words).json

    messages = on_a_terminal(terminal, "messages", "list", columns=columns)
    numbers = on_a_terminal(terminal, "numbers", "list", columns=columns)
    events = on_a_terminal(terminal, "events", "list", columns=columns)

    assert all(word in messages for word in (sent["id"], sender.number, CONTACT, "queued"))
    assert all(word in numbers for word in (str(sender.id), sender.number, "propagated"))
    plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in (messages + numbers + events).split("\n")]
    assert max(map(cell_len, plain)) <= columns
    assert "\x1b[1m" in messages


def test_a_line_break_in_a_customers_words_breaks_no_row(terminal: Terminal, customer: Customer) -> None:
    sender = customer.number("+14155550177")
    customer.consents(sender)
    terminal("messages", "send", "--from", sender.number, "--to", CONTACT, "--text", "one\ntwo\tthree")

    title, heading, row = terminal("messages", "list").out.splitlines()

    assert (title, heading.split()[0]) == ("Messages", "created")
    assert row.endswith("one↵two three")


def test_an_empty_list_says_what_would_fill_it(terminal: Terminal) -> None:
    lists = [("messages",), ("inbound",), ("numbers",), ("brands",), ("campaigns",), ("consent",), ("webhooks",)]

    said = [terminal(*words, "list").out for words in lists]

    assert all("none. " in line and "`agentmessage " in line for line in said)
    assert all(before != after for before, after in pairwise(said))
