"""`docs/reference/sdk.md`: every method, every value and every exception of the client library."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from agentmessage.sdk import AgentMessage
from agentmessage.sdk.advice import in_client_words
from tools.reference.errors import cause
from tools.sdk import handwritten, names
from tools.sdk.contract import META, Contract, Operation, words
from tools.sdk.errors import refusals_by_code
from tools.sdk.kinds import Kinds
from tools.sdk.models import described
from tools.sdk.operations import methods
from tools.sdk.resources import SCOPE_LINE, refusal_classes, signature

HEAD = """\
# SDK

This page is generated (`make generate`). [The guide](../guides/sdk.md) says how to use the library; [the API](api.md)
lists the operations.

Methods are shown as `AgentMessage` has them; those of `AsyncAgentMessage` are the same, and awaited. `…` as a default
means that the parameter is not sent. Any method can also raise the exceptions of [all operations](#exceptions).

## Methods
"""


def page(contract: Contract) -> str:
    """The whole file."""
    parts = [
        HEAD,
        *_client(),
        *_methods(contract),
        *_returned(),
        *_webhooks(),
        *_values(contract),
        *_exceptions(contract),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _methods(contract: Contract) -> Iterator[str]:
    for family in sorted({operation.family for operation in contract.operations}):
        yield f"### client.{family}\n"
        for operation in contract.operations:
            if operation.family == family:
                yield from _method(contract, operation)
        operations = [operation.name for operation in contract.operations if operation.family == family]
        yield from _handwritten(handwritten.of_family(family, besides=operations))


def _client() -> Iterator[str]:
    yield "### client\n"
    yield f"{inspect.getdoc(AgentMessage)}\n"
    yield from _handwritten(handwritten.of_client())


def _returned() -> Iterator[str]:
    yield "## Pages, streams and exports\n"
    yield "Lists return a page, `events.stream` a stream, `billing.stream_usage` lines. All three are iterated.\n"
    yield from _handwritten(handwritten.of_returned())


def _webhooks() -> Iterator[str]:
    yield "## Webhooks\n"
    yield "In `agentmessage.sdk.webhooks`. They need no client.\n"
    yield from _handwritten(handwritten.of_webhooks())


def _handwritten(methods: Iterable[tuple[str, Callable[..., Any]]]) -> Iterator[str]:
    for name, function in methods:
        yield f"#### {name}\n"
        yield f"```python\n{handwritten.signature(name, function)}\n```\n"
        yield f"{inspect.getdoc(function)}\n"


def _method(contract: Contract, operation: Operation) -> Iterator[str]:
    yield f"#### {operation.family}.{operation.name}\n"
    yield f"```python\n{signature(contract, operation)}\n```\n"
    text = SCOPE_LINE.sub("", operation.description).strip()
    yield f"{operation.summary}. `{operation.method} {operation.path}`, scope `{operation.scope}`.\n"
    if text:
        yield f"{text}\n"
    limited = [
        parameter for parameter in operation.path_parameters + operation.query + operation.body if described(parameter)
    ]
    yield from (f"- `{parameter.name}`: {described(parameter)}" for parameter in limited)
    if limited:
        yield ""
    if refused := refusal_classes(operation):
        yield "Raises " + ", ".join(f"[`{name}`](#{name.lower()})" for name in refused) + ".\n"


def _values(contract: Contract) -> Iterator[str]:
    yield "## Values\n"
    yield "In `agentmessage.sdk.models`. Results are frozen; fields that a newer platform adds are ignored.\n"
    kinds = Kinds(contract)
    results = contract.results
    for schema in sorted(set(results) - {META}, key=names.model):
        shape = contract.schemas[schema]
        yield f"### {names.model(schema)}\n"
        yield f"{words(shape)}\n"
        if "enum" in shape:
            yield "One of " + ", ".join(f"`{word}`" for word in shape["enum"]) + ".\n"
            continue
        yield "| field | type |\n|---|---|"
        for field, inner in shape.get("properties", {}).items():
            kind = kinds.read(inner).replace("|", "\\|")
            yield f"| `{names.argument(field)}` | `{kind}` |"
        yield ""


def _exceptions(contract: Contract) -> Iterator[str]:
    yield "## Exceptions\n"
    yield "In `agentmessage.sdk.errors`, all of them `APIError`. `fix` of an exception says what to do.\n"
    known = methods(contract)
    for code, kinds in refusals_by_code().items():
        yield f"### {names.exception(code)}\n"
        for kind in kinds:
            yield f"`{code}`, {kind.status}. {cause(kind)} *{in_client_words(kind.fix, known)}*\n"
