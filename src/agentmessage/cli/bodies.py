"""Resources with many fields: from a JSON file, from `--set field=value`, or from both."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

Filed = Annotated[
    Path | None, typer.Option("--file", help="JSON object with the fields; - is standard input.", metavar="PATH")
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="One more field; repeatable.", metavar="FIELD=VALUE")]


def body(file: Path | None, settings: Sequence[str] | None, **named: object) -> Mapping[str, Any]:
    """The fields of the file, then those that were set, then the named ones that were given. Raises BadParameter."""
    fields = _filed(file)
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{setting!r} is not of the form FIELD=VALUE.", param_hint="--set")
        fields[name] = _value(value)
    return {**fields, **{name: value for name, value in named.items() if value is not None}}


def _filed(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        read = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
        return msgspec.json.decode(read, type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{file} is not a file with a JSON object: {error}.", param_hint="--file") from error


def _value(word: str) -> Any:
    """Text as it stands; only `true`, `false`, `null` and lists are JSON: a postal code is not a number."""
    if word in {"true", "false", "null"} or word.startswith("["):
        try:
            return msgspec.json.decode(word)
        except msgspec.DecodeError as error:
            raise typer.BadParameter(f"{word!r} is not JSON: {error}.", param_hint="--set") from error
    return word
