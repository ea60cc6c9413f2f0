"""The public methods that are written by hand, as the reference shows them: read from the sync client's own classes."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from agentmessage.sdk import AgentMessage, Page, webhooks
from agentmessage.sdk.sync.event_stream import EventStream
from agentmessage.sdk.sync.ndjson import RowStream
from agentmessage.sdk.sync.resource_groups import ResourceGroups
from tools.sdk.resources import brief

RETURNED: dict[str, type] = {"page": Page, "stream": EventStream, "lines": RowStream}
"""What methods return that has methods of its own, by the name under which the reference shows it."""


def of_client() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of each method of the client itself."""
    yield from ((f"client.{name}", method) for name, method in _public(AgentMessage))


def of_family(family: str, *, besides: Iterable[str]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of each method of a family that no single operation of the contract is."""
    generated = set(besides)
    yield from ((f"{family}.{name}", method) for name, method in _public(_family(family)) if name not in generated)


def of_returned() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of each method of pages, streams and exports."""
    yield from ((f"{name}.{method}", found) for name, kind in RETURNED.items() for method, found in _public(kind))


def of_webhooks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of what reads the platform's webhooks."""
    yield from ((f"webhooks.{function.__name__}", function) for function in (webhooks.unwrap, webhooks.verify))


def signature(name: str, function: Callable[..., Any]) -> str:
    """`messages.upload_media(content: bytes, *, mime_type: MediaType) -> MediaUpload`; a property has no brackets."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"{name} is not a plain function")
    arguments = ast.unparse(tree.args).removeprefix("self").removeprefix(", ")
    is_property = any(
        isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in tree.decorator_list
    )
    returned = ast.unparse(tree.returns).replace("'", "") if tree.returns else "None"
    return brief(f"{name}{'' if is_property else f'({arguments})'} -> {returned}")


def _family(path: str) -> type:
    found: Any = ResourceGroups(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for name in path.split("."):
        found = getattr(found, name, None)  # None: this family is generated for the first time, and has none yet
    return type(found)


def _public(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, member in inspect.getmembers(kind):
        function = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and isinstance(function, FunctionType):
            yield name, function
