"""The output of a customer command: rows, one resource, or a sentence, as text or JSON."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from agentmessage.cli.tables import print_json, say, show, show_fields


class Shown(Protocol):
    """A result that can be printed as text or JSON. `status` is the exit status."""

    @property
    def status(self) -> int:
        """The exit status."""
        ...

    def print(self, *, as_json: bool) -> None:
        """Print it on standard output."""
        ...


class Table(Struct, frozen=True, kw_only=True):
    """Resources of one type, possibly none."""

    rows: Sequence[msgspec.Struct]
    columns: Sequence[str]
    title: str
    filled_by: str = ""
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """All fields as a JSON array, or the columns as a table; a hint if there are no rows."""
        if not self.rows and not as_json:
            say(f"{self.title}: none. {self.filled_by}".rstrip())
            return
        show(self.rows, columns=self.columns, title=self.title, as_json=as_json)


class Card(Struct, frozen=True, kw_only=True):
    """One resource."""

    thing: msgspec.Struct
    fields: Sequence[str]
    title: str
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """All fields as a JSON object, or the named ones that are set."""
        show_fields(self.thing, fields=self.fields, title=self.title, as_json=as_json)


class Sentence(Struct, frozen=True, kw_only=True):
    """A sentence; as JSON, its value."""

    words: str
    value: object
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """The value as JSON, or the sentence."""
        if as_json:
            print_json(self.value)
        else:
            say(self.words)
