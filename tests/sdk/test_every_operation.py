"""Every operation once with its documented example: the platform understands the request, the client the answer."""

import json
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from agentmessage.sdk import APIError
from tests.sdk.conftest import Both, Clients
from tests.sdk.faults import Canned, Wire
from tools.sdk import names
from tools.sdk.contract import DOCUMENT, JSON, Contract, Operation

PATHS = json.loads(DOCUMENT.read_text())["paths"]
OPERATIONS = Contract.read().operations
MISUNDERSTOOD = {"METHOD_NOT_ALLOWED", "UNSUPPORTED_MEDIA_TYPE", "INTERNAL", "UNAUTHORIZED", "FORBIDDEN"}
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.operation_id)


def documented(operation: Operation) -> Any:
    """The operation's part of the document."""
    return PATHS[operation.path][operation.method.lower()]


def arguments(operation: Operation) -> tuple[list[Any], dict[str, Any]]:
    """What to call its method with: ids of nothing, and the documented examples."""
    ids = [uuid4() if one.schema.get("format") == "uuid" else "+14155550188" for one in operation.path_parameters]
    body = documented(operation).get("requestBody", {}).get("content", {}).get(JSON, {}).get("example") or {}
    query = {one.name: one.schema.get("enum", ["+14155550188"])[0] for one in operation.query if one.is_required}
    wait = {"timeout_s": 0} if any(one.wire == "timeout_s" for one in operation.query) else {}
    return ids, query | wait | {names.argument(name): value for name, value in body.items()}


def method(both: Both, operation: Operation) -> Any:
    """Its method."""
    found = both.client
    for name in [*operation.family.split("."), operation.name]:
        found = getattr(found, name)
    return found


@every_operation
async def test_the_platform_understands_the_request(both: Both, operation: Operation) -> None:
    """It is done, or refused for a reason of its own: what it is about does not exist here."""
    ids, given = arguments(operation)

    try:
        outcome = await both(method(both, operation)(*ids, **given))
    except APIError as refused:
        outcome = refused

    if isinstance(outcome, APIError):
        assert outcome.code not in MISUNDERSTOOD, outcome
        assert outcome.code in operation.refusals, outcome


@every_operation
async def test_the_client_reads_the_documented_answer(clients: Clients, line: Wire, operation: Operation) -> None:
    both, (ids, given) = clients(base_url=line.base_url, max_retries=0), arguments(operation)
    status, answer = next(
        (int(status), answer) for status, answer in documented(operation)["responses"].items() if status < "3"
    )
    example = answer.get("content", {}).get(JSON, {}).get("example")
    body = b"" if example is None else json.dumps(example).encode()
    line.faults.append(Canned.answer(status, body=body, Content_Type=JSON))

    outcome = await both(method(both, operation)(*ids, **given))

    assert told_again(outcome) == (example if operation.gives == "bare" else (example or {}).get("data"))


def told_again(outcome: Any) -> Any:
    """A result as JSON."""
    return json.loads(msgspec.json.encode(getattr(outcome, "data", outcome)))
