"""Advice names what the reader has at hand: an operation over HTTP, a method in Python, a command on a terminal."""

import ast
import re
from pathlib import Path

import pytest

import agentmessage
from agentmessage.cli.advice import COMMANDS, in_terminal_words
from agentmessage.sdk import errors
from agentmessage.sdk.advice import OPERATION, in_client_words
from agentmessage.sdk.operations import METHODS
from tests.cli.test_user_shape import COMMANDS as ALL_COMMANDS
from tools.reference.errors import every_error

SOURCE = Path(agentmessage.__file__).parent
ADVISING = (
    "brands",
    "campaigns",
    "billing",
    "guardrails",
    "law",
    "consent",
    "media",
    "messages",
    "numbers",
    "webhooks",
)


def spoken(file: Path) -> set[str]:
    """Texts of a module that somebody may read while it runs: all but docstrings."""
    tree = ast.parse(file.read_text())
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
    values = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    below = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return values - docstrings - {text for text in below if isinstance(text, str)}


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
ADVISED = sorted(
    {
        operation
        for room in ADVISING
        for file in (SOURCE / room).rglob("*.py")
        if not file.name.endswith("routes.py")
        for text in spoken(file)
        if " " in OPERATION.sub("", text).strip()
        for operation in OPERATION.findall(text)
    }
    | {operation for refusal in every_error() for operation in OPERATION.findall(refusal.fix)}
)


@pytest.mark.parametrize("operation", ADVISED)
def test_every_operation_that_is_advised_has_a_method_and_a_command(operation: str) -> None:
    assert operation in METHODS
    assert METHODS[operation] in COMMANDS
    assert "/v1" not in in_terminal_words(f"Use {operation}.")


@pytest.mark.parametrize("command", COMMANDS.values())
def test_the_commands_that_are_advised_are_there(command: str) -> None:
    assert tuple(command.split()) in ALL_COMMANDS


def test_the_same_advice_in_the_words_of_each_surface() -> None:
    (refusal,) = [one for one in every_error() if one.code == "CONSENT_REQUIRED"]

    assert "(POST /v1/consent)" in refusal.fix
    assert "(client.consent.record)" in errors.ConsentRequiredError.default_fix
    assert "(client.consent.record)" in in_client_words(refusal.fix)
    assert "(`agentmessage consent record`)" in in_terminal_words(refusal.fix)
    assert "(`agentmessage consent record`)" in in_terminal_words(errors.ConsentRequiredError.default_fix)


def test_what_is_no_operation_stays_as_it_is() -> None:
    advice = "Read https://x.example/v1/consent, or POST /v2/consent; a client.certificate helps."

    assert in_terminal_words(advice) == advice


def test_advice_speaks_of_operations_in_full() -> None:
    """Half a name, such as `PATCH active: true`, could not be put into other words."""
    half = [one for one in every_error() if re.search(r"\b(GET|POST|PUT|PATCH|DELETE)\b(?! /v1/)", one.fix)]

    assert half == []
