"""What is generated is current, and no operation of the contract is left out."""

import inspect
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from agentmessage import sdk
from agentmessage.sdk import AgentMessage, AsyncAgentMessage, errors
from agentmessage.sdk.advice import in_client_words
from agentmessage.sdk.exceptions import APIError
from tools import make_sdk
from tools.reference.errors import every_error
from tools.sdk.contract import Contract, Operation
from tools.sdk.sync import without_async

CONTRACT = Contract.read()


@pytest.fixture(scope="module")
def made() -> dict[Path, str]:
    return make_sdk.everything()


def test_what_is_committed_is_what_is_generated(made: dict[Path, str]) -> None:
    """After a change: `PYTHONPATH=. python tools/make_sdk.py`."""
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]

    assert stale == []


def test_nothing_generated_is_left_over(made: dict[Path, str]) -> None:
    assert make_sdk.left_over(made) == set()


@cache
def client_of(kind: type[Any]) -> Any:
    """A client that speaks to nobody."""
    return kind(api_key="am_test_x", base_url="http://127.0.0.1:1")


def method(client: type[Any], operation: Operation) -> Any:
    """The method of an operation, None where there is none."""
    found: Any = client_of(client)
    for name in [*operation.family.split("."), operation.name]:
        found = getattr(found, name, None)
    return found


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda one: one.operation_id)
@pytest.mark.parametrize("client", [AgentMessage, AsyncAgentMessage])
def test_every_operation_has_a_method_that_takes_all_it_takes(client: type[Any], operation: Operation) -> None:
    found = method(client, operation)

    assert inspect.isroutine(found), f"{operation.operation_id} has no method"
    assert inspect.iscoroutinefunction(found) is (client is AsyncAgentMessage)
    taken = set(inspect.signature(found).parameters)
    wanted = {one.name for one in operation.path_parameters + operation.query}
    wanted |= {"fields"} if "fields" in taken else {one.name for one in operation.body}
    assert wanted <= taken
    assert ("idempotency_key" in taken) is (operation.method == "POST")


def test_no_two_operations_have_one_method() -> None:
    places = [(one.family, one.name) for one in CONTRACT.operations]

    assert len(set(places)) == len(places)


def test_an_operation_without_a_method_is_noticed() -> None:
    unheard_of = CONTRACT.operations[0]._replace(name="unheard_of")

    assert method(AgentMessage, unheard_of) is None


@pytest.mark.parametrize("refusal", every_error(), ids=lambda kind: kind.__name__)
def test_every_refusal_has_an_exception_with_its_way_out(refusal: Any) -> None:
    kind = errors.BY_CODE[refusal.code]

    raised = kind(refusal.status, refusal.code, refusal.message)

    assert isinstance(raised, APIError)
    assert in_client_words(refusal.fix) in raised.fix
    assert raised.fix in str(raised)


def test_two_codes_never_share_an_exception() -> None:
    assert len(set(errors.BY_CODE.values())) == len(errors.BY_CODE)
    assert {kind.code for kind in errors.BY_CODE.values()} == set(errors.BY_CODE)


def test_every_public_exception_is_named_an_error() -> None:
    exported = [getattr(sdk, name) for name in sdk.__all__]
    exceptions = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, Exception)]

    assert len(exceptions) > 5
    assert {kind.__name__[-5:] for kind in [*exceptions, *errors.BY_CODE.values()]} == {"Error"}


def test_generated_files_are_marked_for_reviewers(made: dict[Path, str]) -> None:
    command = ["git", "check-attr", "linguist-generated", "--", *(str(path) for path in made)]

    shown = subprocess.run(command, cwd=make_sdk.ROOT, capture_output=True, text=True, check=True)  # noqa: S603

    assert [line for line in shown.stdout.splitlines() if not line.endswith(": set")] == []


def test_the_sync_client_is_the_async_one_without_waiting() -> None:
    source = (
        "async def read(self) -> AsyncPage[T]:\n    async with self._http as one:\n"
        "        return await one.aread(  # AsyncPage\n            await anext(self), b'await'\n        )\n"
    )

    assert without_async(source) == (
        "def read(self) -> Page[T]:\n    with self._http as one:\n"
        "        return one.read(  # AsyncPage\n            next(self), b'await'\n        )\n"
    )
