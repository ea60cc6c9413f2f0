"""`sdk/aio/resources/` and `sdk/aio/resource_groups.py`: a class for each family, a method for each operation."""

import re
from collections.abc import Iterator

from tools.sdk import names
from tools.sdk.contract import Contract, Operation, Parameter
from tools.sdk.kinds import WORDS, Kinds
from tools.sdk.models import GENERATED, described, docstring, imports, wide_bodies

SCOPE_LINE = re.compile(r"\n*Requires the `[\w:]+` scope\.")
EVERYWHERE = {"UNAUTHORIZED", "FORBIDDEN", "INTERNAL", "UNAVAILABLE", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE"}
"""Refusals that any operation can give; not worth a line at each."""


def modules(contract: Contract) -> dict[str, str]:
    """Path below `sdk/` and text of every module of resources."""
    found = {
        f"aio/resources/{_file(family)}.py": _module(contract, family, children)
        for family, children in families(contract).items()
    }
    found["aio/resources/__init__.py"] = f'"""The families of operations, a class for each. {GENERATED}"""\n'
    found["aio/resource_groups.py"] = _families(contract)
    return found


def families(contract: Contract) -> dict[str, list[str]]:
    """Every family, each with those inside it; a family that only holds others too."""
    own = list(dict.fromkeys(operation.family for operation in contract.operations))
    tops = dict.fromkeys([*own, *(family.split(".")[0] for family in own)])
    return {family: [name for name in own if name.rpartition(".")[0] == family] for family in sorted(tops)}


def class_name(family: str) -> str:
    """`guardrails.pools` as `AsyncGuardrailPoolsOperations`: the values have the names without more."""
    *parents, last = family.split(".")
    return (
        "Async" + "".join(names.camel(names.singular(parent)) for parent in parents) + names.camel(last) + "Operations"
    )


def arguments(contract: Contract, kinds: Kinds, operation: Operation) -> list[str]:
    """The parameters of a method, as they are written in its signature."""
    positional = [
        f"{parameter.name}: {'Id' if parameter.schema.get('format') == 'uuid' else 'str'}"
        for parameter in operation.path_parameters
    ]
    kinds.used |= {"Id"} if any("Id" in argument for argument in positional) else set()
    keywords: list[str] = []
    is_wide = operation.body_schema in wide_bodies(contract)
    given = operation.query + ([] if is_wide else operation.body)
    keywords += [f"{parameter.name}: {kinds.written(parameter.schema)}" for parameter in given if parameter.is_required]
    for parameter in given:
        if not parameter.is_required:
            kinds.used.add("UNSET")
            keywords.append(f"{parameter.name}: {_or_unset(kinds.written(parameter.schema))} = UNSET")
    if operation.method == "POST":
        keywords.append("idempotency_key: str | None = None")
    fields = []
    if is_wide and operation.body_schema:
        kind = names.model(operation.body_schema)
        kinds.used |= {kind, "Unpack"}
        fields = [f"**fields: Unpack[{kind}]"]
    return ["self", *positional, *(["*", *keywords] if keywords else []), *fields]


def _or_unset(kind: str) -> str:
    plain = kind.removesuffix(" | None")
    return f"{plain} | UnsetType" + (" | None" if plain != kind else "")


def gives(kinds: Kinds, operation: Operation) -> tuple[str, str]:
    """What a method returns, and the expression of that kind for the one who reads it."""
    if operation.gives == "nothing":
        return "None", ""
    kind = kinds.read(operation.result)
    if operation.gives == "with_meta":
        meta = kinds.read(operation.meta)
        kinds.used.add("WithMeta")
        return f"WithMeta[{kind}, {meta}]", f"{kind}, {meta}, "
    returned = {"page": f"AsyncPage[{kind}]", "rows": f"Rows[{kind}]", "perhaps": f"{kind} | None"}.get(
        operation.gives, kind
    )
    kinds.used |= {"AsyncPage"} if operation.gives == "page" else {"Rows"} if operation.gives == "rows" else set()
    return returned, f"{kind}, "


def refusal_classes(operation: Operation) -> list[str]:
    """The exceptions that say something about this operation."""
    return [names.exception(code) for code in operation.refusals if code not in EVERYWHERE]


def _file(family: str) -> str:
    *parents, last = family.split(".")
    return "_".join([*(names.singular(parent) for parent in parents), last])


def _module(contract: Contract, family: str, children: list[str]) -> str:
    kinds = Kinds(contract)
    operations = [operation for operation in contract.operations if operation.family == family]
    methods = [text for operation in operations for text in _methods(contract, kinds, operation)]
    extra = names.EXTRAS.get(family)
    parent = extra[1] if extra else "AsyncResource"
    init = [_init(children)] if children else []
    title = f"The operations of `client.{family}`."
    body = "\n\n".join([f'class {class_name(family)}({parent}):\n    """{title}"""', *init, *methods])
    head = _head(contract, kinds, operations, children)
    head.append(
        f"from {extra[0]} import {extra[1]}" if extra else "from agentmessage.sdk.aio.resource import AsyncResource"
    )
    return f'"""{title} {GENERATED}"""\n\n' + "\n".join(head) + f"\n\n\n{body}\n"


def _head(contract: Contract, kinds: Kinds, operations: list[Operation], children: list[str]) -> list[str]:
    used = kinds.used
    calls = ["Request"] if operations else []
    calls += (
        ["given"] if any(operation.body_schema and not operation.is_body_required for operation in operations) else []
    )
    calls += ["segment"] if any(operation.path_parameters for operation in operations) else []
    calls += ["Id"] if "Id" in used else []
    head = imports(contract, used - {"Id"})
    head += [f"from agentmessage.sdk._request import {', '.join(calls)}"] if calls else []
    head += ["from agentmessage.sdk.aio.pages import AsyncPage"] if "AsyncPage" in used else []
    head += [f"from agentmessage.sdk._response import {name}" for name in ("Rows", "WithMeta") if name in used]
    head += ["from agentmessage.sdk.aio.ndjson import AsyncRowStream"] if "AsyncRowStream" in used else []
    head += ["from msgspec import UNSET, UnsetType"] if "UNSET" in used else []
    head += ["from typing import Unpack"] if "Unpack" in used else []
    if children:
        head += ["from agentmessage.sdk.aio.transport import AsyncTransport"]
        head += [f"from agentmessage.sdk.aio.resources.{_file(child)} import {class_name(child)}" for child in children]
    return head


def _init(children: list[str]) -> str:
    lines = [f"        self.{child.split('.')[-1]} = {class_name(child)}(transport)" for child in children]
    return (
        "    def __init__(self, transport: AsyncTransport) -> None:\n        super().__init__(transport)\n"
        + "\n".join(lines)
    )


def _methods(contract: Contract, kinds: Kinds, operation: Operation) -> Iterator[str]:
    returned, kind = gives(kinds, operation)
    signature = f"async def {operation.name}({', '.join(arguments(contract, kinds, operation))}) -> {returned}:"
    reading = "await " if operation.gives == "nothing" else "return await "
    yield "\n".join(
        [
            f"    {signature}",
            _docstring(contract, operation),
            f"        {reading}self._{operation.gives}({kind}{_call(contract, operation)})",
        ]
    )
    if operation.streams_rows:
        yield _stream(contract, kinds, operation)


def _stream(contract: Contract, kinds: Kinds, operation: Operation) -> str:
    """The same rows as lines of one answer, for those who want all of them."""
    kinds.used.add("AsyncRowStream")
    kind = kinds.read(operation.result)
    given = [argument for argument in arguments(contract, kinds, operation) if not argument.startswith("limit:")]
    call = _call(
        contract, operation._replace(query=[parameter for parameter in operation.query if parameter.wire != "limit"])
    )
    text = docstring(
        f"The rows of `{operation.name}`, all of them in one answer, as they come.\n\n"
        "Read it in a `with` block, or to its end.",
        8,
    )
    head = f"    def {names.streamed(operation.name)}({', '.join(given)}) -> AsyncRowStream[{kind}]:"
    return "\n".join([head, text, f"        return self._lines({kind}, {call})"])


def _call(contract: Contract, operation: Operation) -> str:
    path = operation.path
    for parameter in operation.path_parameters:
        path = path.replace(f"{{{parameter.wire}}}", f"{{segment({parameter.name})}}")
    parts = [repr(operation.method), f'f"{path}"' if operation.path_parameters else f'"{path}"']
    if operation.query:
        parts.append(f"query={_mapping(operation.query)}")
    if operation.body_schema:
        parts.append(f"body={_body(contract, operation)}")
    if operation.method == "POST":
        parts.append("idempotency_key=idempotency_key")
    return f"Request({', '.join(parts)})"


def _body(contract: Contract, operation: Operation) -> str:
    if operation.body_schema in wide_bodies(contract):
        return "fields"
    body = _mapping(operation.body)
    return body if operation.is_body_required else f"given({body})"


def _mapping(parameters: list[Parameter]) -> str:
    return "{" + ", ".join(f'"{parameter.wire}": {parameter.name}' for parameter in parameters) + "}"


def _docstring(contract: Contract, operation: Operation) -> str:
    text = SCOPE_LINE.sub("", operation.description).strip()
    lines = [f"{operation.summary}.", "", *([text, ""] if text else [])]
    shown = [] if operation.body_schema in wide_bodies(contract) else operation.body
    limited = [
        f"- `{parameter.name}`: {described(parameter)}"
        for parameter in operation.path_parameters + operation.query + shown
        if described(parameter)
    ]
    lines += [*limited, ""] if limited else []
    lines.append(f"Scope: `{operation.scope}`.")
    if refused := refusal_classes(operation):
        lines.append("Raises " + ", ".join(refused) + ".")
    return docstring("\n".join(lines), 8)


def _families(contract: Contract) -> str:
    tops = [family for family in families(contract) if "." not in family]
    lines = [f"        self.{family} = {class_name(family)}(transport)" for family in tops]
    head = [f"from agentmessage.sdk.aio.resources.{_file(family)} import {class_name(family)}" for family in tops]
    return "\n".join(
        [
            f'"""Every family of operations as an attribute of the client. {GENERATED}"""',
            "",
            *head,
            "from agentmessage.sdk.aio.transport import AsyncTransport",
            "",
            "",
            "class AsyncResourceGroups:",
            '    """What a client can do."""',
            "",
            "    def __init__(self, transport: AsyncTransport) -> None:",
            "        self._transport = transport",
            *lines,
            "",
        ]
    )


def signature(contract: Contract, operation: Operation) -> str:
    """A method as the reference shows it: `messages.get(message_id) -> Message`."""
    kinds = Kinds(contract)
    given = ", ".join(argument for argument in arguments(contract, kinds, operation) if argument != "self")
    returned, _ = gives(kinds, operation)
    return f"{operation.family}.{operation.name}({brief(given)}) -> {returned.removeprefix('Async')}"


def brief(signature: str) -> str:
    """A signature without the words that only a type checker needs; `…` as a default means: left out."""
    spaced = re.sub(r"(?<=[\w\]])=(?=\S)", " = ", signature)
    return re.sub(rf"(\w+) \| \1{WORDS}", r"\1", spaced).replace(" | UnsetType", "").replace(" = UNSET", " = …")
