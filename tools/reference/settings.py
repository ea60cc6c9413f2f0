"""`docs/reference/settings.md`: every setting with its default, what it accepts and what it is for."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

import msgspec

from agentmessage.settings import PREFIX, Settings

HEAD = """\
# Settings

This page is generated (`make generate`) from `settings.py`. A process reads its settings once from the environment at
start. If a value cannot be used, or a name with the prefix is not a setting, the process ends with one sentence and
status 2. An empty variable counts as absent. Secrets are never shown.

The library and the command line read [other variables](../guides/cli.md#log-in); the platform ignores those.
"""

SECTIONS = {
    "database_url": "Processes",
    "cors_origin": "Security",
    "simulator_url": "Simulator",
    "bandwidth_url": "Bandwidth",
    "tcr_url": "The Campaign Registry",
    "live_message_carrier": "Message carriers",
    "smpp_host": "SMPP",
    "max_segments_per_second": "Sending",
    "callback_username": "Callbacks and carrier orders",
    "stripe_secret_key": "Stripe",
    "order_wait_seconds": "Numbers and accounts",
    "max_consent_captures_per_minute": "Consent",
    "trusted_proxy_count": "Behavior",
    "media_dir": "Media and billing floor",
    "webhook_allow_private": "Development",
}
"""The first setting of each section, in the order of the class."""


def page() -> str:
    """The whole page."""
    explained = descriptions()
    lines = [HEAD]
    for field in msgspec.structs.fields(Settings):
        if field.name in SECTIONS:
            lines.append(f"## {SECTIONS[field.name]}\n")
        lines += [f"### {variable(field.name)}\n", f"{explained[field.name]}\n"]
        lines.append(f"Default: {shown(field.default)}. Accepts: {accepts(field.type)}.\n")
    return "\n".join(lines).rstrip() + "\n"


def variable(name: str) -> str:
    """The environment name of a setting."""
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def descriptions() -> Mapping[str, str]:
    """The text under each setting in the class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Settings))).body[0]
    return dict(_described(tree.body)) if isinstance(tree, ast.ClassDef) else {}


def _described(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, " ".join(words.split())
            case _:
                pass


def shown(default: object) -> str:
    """A default as it is written in the environment."""
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`" if text else "none"


def accepts(kind: Any) -> str:
    """What a setting of this type accepts."""
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.BoolType():
            return "`true`, `false`"
        case msgspec.inspect.IntType(ge=None, le=None):
            return "a whole number"
        case msgspec.inspect.IntType(ge=lowest, le=highest):
            return f"{lowest:,}..{highest:,}"
        case msgspec.inspect.LiteralType():
            return ", ".join(f"`{word}`" for word in get_args(kind) if word)
        case msgspec.inspect.Metadata(extra={"expected": expected}):
            return str(expected).removeprefix("one of ")
        case _:
            return "text"
