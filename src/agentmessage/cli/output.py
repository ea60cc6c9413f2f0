"""What a command of the API's users answers with: rows, one thing, or a sentence, for people or programs."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from agentmessage.cli.tables import print_json, say, show, show_fields


class Shown(Protocol):
    """A result that can be printed either way. `status` is how the process ends."""

    @property
    def status(self) -> int:
        """The exit status."""
        ...

    def print(self, *, as_json: bool) -> None:
        """Print it on standard output."""
        ...


class Table(Struct, frozen=True, kw_only=True):
    """Many things of one kind, or none."""

    rows: Sequence[msgspec.Struct]
    columns: Sequence[str]
    title: str
    filled_by: str = ""
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """All fields as a JSON array, or the columns; of no rows, what would bring some."""
        if not self.rows and not as_json:
            say(f"{self.title}: none. {self.filled_by}".rstrip())
            return
        show(self.rows, columns=self.columns, title=self.title, as_json=as_json)


class Card(Struct, frozen=True, kw_only=True):
    """One thing."""

    thing: msgspec.Struct
    fields: Sequence[str]
    title: str
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """All fields as a JSON object, or the named ones that are set."""
        show_fields(self.thing, fields=self.fields, title=self.title, as_json=as_json)


class Sentence(Struct, frozen=True, kw_only=True):
    """That something is so; programs get the value."""

    words: str
    value: object
    status: int = 0

    def print(self, *, as_json: bool) -> None:
        """The value as JSON, or the sentence."""
        if as_json:
            print_json(self.value)
        else:
            say(self.words)
