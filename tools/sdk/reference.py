"""`docs/sdk-reference.md`: every method, every value and every exception of the client library."""

from collections.abc import Iterator

from tools.make_docs import cause
from tools.sdk import names
from tools.sdk.contract import META, Contract, Operation, words
from tools.sdk.errors import refusals_by_code
from tools.sdk.kinds import Kinds
from tools.sdk.models import described
from tools.sdk.resources import SCOPE_LINE, refusal_classes, signature

HEAD = """\
# The client library: reference

This file is generated (`python tools/make_sdk.py`). How to use the library is told in [the guide](sdk.md); what an
operation does is the contract's, in [the API](api.md).

Methods are shown as `AgentMessage` has them; those of `AsyncAgentMessage` are the same, and awaited. `…` as a default
means: left out of the request. Any method raises the exceptions of [all operations](#exceptions) besides its own.

## Methods
"""


def page(contract: Contract) -> str:
    """The whole file."""
    return "\n".join([HEAD, *_methods(contract), *_values(contract), *_exceptions()]).rstrip() + "\n"


def _methods(contract: Contract) -> Iterator[str]:
    for family in sorted({operation.family for operation in contract.operations}):
        yield f"### client.{family}\n"
        for operation in contract.operations:
            if operation.family == family:
                yield from _method(contract, operation)


def _method(contract: Contract, operation: Operation) -> Iterator[str]:
    yield f"#### {operation.family}.{operation.name}\n"
    yield f"```python\n{signature(contract, operation)}\n```\n"
    told = SCOPE_LINE.sub("", operation.description).strip()
    yield f"{operation.summary}. `{operation.method} {operation.path}`, scope `{operation.scope}`.\n"
    if told:
        yield f"{told}\n"
    limited = [one for one in operation.path_parameters + operation.query + operation.body if described(one)]
    yield from (f"- `{one.name}`: {described(one)}" for one in limited)
    if limited:
        yield ""
    if refused := refusal_classes(operation):
        yield "Raises " + ", ".join(f"[`{name}`](#{name.lower()})" for name in refused) + ".\n"


def _values(contract: Contract) -> Iterator[str]:
    yield "## Values\n"
    yield "In `agentmessage.sdk.models`. Results are frozen; what a newer platform adds is ignored.\n"
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


def _exceptions() -> Iterator[str]:
    yield "## Exceptions\n"
    yield "In `agentmessage.sdk.errors`, all of them `APIError`. `fix` of an exception says what to do.\n"
    for code, kinds in refusals_by_code().items():
        yield f"### {names.camel(code)}\n"
        for kind in kinds:
            yield f"`{code}`, {kind.status}. {cause(kind)} *{kind.fix}*\n"
