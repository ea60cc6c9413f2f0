"""Resources with many fields: from a JSON file, from `--set field=text` and `--set field:=JSON`, or from both."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

Filed = Annotated[
    Path | None, typer.Option("--file", help="JSON object with the fields; - reads standard input.", metavar="PATH")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Set a field; repeatable. FIELD:=JSON for numbers.", metavar="FIELD=TEXT"),
]


def body(file: Path | None, settings: Sequence[str] | None, **named: object) -> Mapping[str, Any]:
    """The fields of the file, then those that were set, then the named ones that were given. Raises BadParameter."""
    fields = _filed(file)
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{setting!r} is not of the form FIELD=TEXT or FIELD:=JSON.", param_hint="--set")
        fields[name.removesuffix(":")] = _json(value) if name.endswith(":") else _value(value)
    return {**fields, **{name: value for name, value in named.items() if value is not None}}


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The objects of a file: a JSON array, or one object a line. Raises BadParameter."""
    try:
        read = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
        if read.lstrip().startswith(b"["):
            return msgspec.json.decode(read, type=list[dict[str, Any]])
        return [msgspec.json.decode(line, type=dict[str, Any]) for line in read.split(b"\n") if line.strip()]
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{file} is not a JSON array or one JSON object per line: {error}.") from error


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
    return _json(word) if word in {"true", "false", "null"} or word.startswith("[") else word


def _json(word: str) -> Any:
    try:
        return msgspec.json.decode(word)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"{word!r} is not JSON: {error}.", param_hint="--set") from error
