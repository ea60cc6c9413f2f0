"""`docs/reference/cli.md`: every command with its arguments and options, from the declarations that parse them."""

from collections.abc import Iterator
from typing import Any

import typer

from agentmessage.cli.main import app

HEAD = """\
# CLI

This page is generated (`make generate`). [The guide](../guides/cli.md) explains how the commands are used: logins,
output, exit statuses.

Every command has `--help`. Every command that speaks to a platform over its API also has `--profile NAME`, the login
to use, and `--json`, output for programs.
"""

COMMON = frozenset({"--help", "--profile", "--json"})
PLATFORM = ("up", "demo", "serve", "work", "simulate", "migrate")
"""The commands that run a platform, in the order in which an operator meets them."""


def page() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    commands: dict[str, Any] = root.commands
    sections = {
        "Platform": {name: commands[name] for name in PLATFORM},
        "Administration": {"admin": commands["admin"]},
        "Customers": {name: command for name, command in commands.items() if name not in {*PLATFORM, "admin"}},
    }
    lines = [HEAD]
    for title, members in sections.items():
        lines += [f"## {title}\n", *(line for name, command in members.items() for line in _command(command, (name,)))]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, member in command.commands.items():
            yield from _command(member, (*path, name))
        return
    context = command.context_class(command, info_name=" ".join(("agentmessage", *path)))
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"### {' '.join(path)}\n"
    yield f"`agentmessage {' '.join(path)} {usage}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    rows = list(_rows(command, context, is_customers=path[0] not in {*PLATFORM, "admin"}))
    if rows:
        yield "| parameter | description |"
        yield "|---|---|"
        yield from rows
        yield ""


def _rows(command: Any, context: Any, *, is_customers: bool) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None or (is_customers and COMMON & set(parameter.opts)):
            continue
        name, description = (" ".join(part.split()).replace("|", "\\|") for part in record)
        yield f"| `{name}` | {description} |"
