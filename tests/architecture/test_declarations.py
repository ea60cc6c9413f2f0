"""What is declared is complete: scopes, refusals, events, migrations."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

import agentmessage
from agentmessage.app.job_handlers import job_handlers, limits
from agentmessage.app.providers.carriers import carrier_sets
from agentmessage.app.routes import all_routes
from agentmessage.kernel.db import CellDb
from agentmessage.kernel.errors import ApiError
from agentmessage.numbers.binding.call_budget import Budget
from agentmessage.outbox.event_types import EVENT_JOBS, EventType
from agentmessage.settings import Settings
from agentmessage.web.scopes import ALL_SCOPES
from tests.conftest import ENCRYPTION_KEY
from tools import house_rules
from tools.reference.errors import every_error

SRC = Path(agentmessage.__file__).parent
TESTS = Path(__file__).parent.parent

SHARED_CODES = {
    "ATTESTATION_REQUIRED": {"AttestationRequired", "LooseningNeedsAttestation"},
    "CONFLICT": {"AutoTopupIsOn", "ProfileInUse", "SlugTaken"},
    "FORBIDDEN": {"Forbidden", "IdempotencyKeyOfAnother", "ReturnIsForOperators", "ScopesExceeded"},
    "INVALID_INPUT": {"InvalidInput", "InvalidScopes", "MalformedRequest", "OtherQuestion"},
    "NOT_FOUND": {"NotFound", "PlanNotFound"},
    "VALIDATION_FAILED": {"ValidationFailed", "MalformedPathId"},
}
"""Codes that several refusals carry, because the reference prints one code for each of these causes."""


REFUSALS = every_error()


@pytest.mark.parametrize("route", all_routes(), ids=lambda route: route.name)
def test_every_route_has_a_scope(route) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert route.scope in ALL_SCOPES


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_says_what_it_is_and_what_to_do(refusal: type[ApiError]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z_]+[A-Z]", refusal.code)
    assert 400 <= refusal.status <= 599
    assert refusal.fix.endswith(".")
    assert refusal.__dict__.get("__doc__")


def test_every_code_belongs_to_one_refusal() -> None:
    by_code = Counter(refusal.code for refusal in REFUSALS)
    shared = {code: {r.__name__ for r in REFUSALS if r.code == code} for code, n in by_code.items() if n > 1}

    assert shared == SHARED_CODES


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_test_in_its_room(refusal: type[ApiError]) -> None:
    """Named in a test that is not generated: by its code or by its class."""
    named = re.compile(rf"\b({refusal.code}|{refusal.__name__})\b")
    texts = [file.read_text() for file in TESTS.rglob("test_*.py") if "architecture" not in file.parts]

    assert any(named.search(text) for text in texts)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda kind: kind.__name__)
def test_every_refusal_is_answered_by_an_operation_or_the_edge(refusal: type[ApiError]) -> None:
    by_routes = {error for route in all_routes() for error in route.refuses}

    assert refusal in by_routes or refusal.__module__ == "agentmessage.kernel.errors"


def named_jobs() -> set[str]:
    """Every job that the rooms name: `brands.file`. Acts in the audit log look the same and are none."""
    form = re.compile(rf"({'|'.join(house_rules.ROOMS)})\.[a-z_]+")
    return {
        node.value
        for file, source in house_rules.sources()
        if file.partition("/")[0] in {*house_rules.ROOMS, "outbox"}
        for node in constants_of(ast.parse(source))
        if isinstance(node.value, str) and form.fullmatch(node.value)
    }


def constants_of(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every constant that is not named as the `action` of an audit row."""
    acts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "action"}
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in acts)


def test_every_job_that_is_named_exists_and_every_job_is_reachable() -> None:
    settings = Settings(encryption_key=ENCRYPTION_KEY)
    carriers = carrier_sets(settings)
    budget = Budget(cast("CellDb", None), limits(carriers))  # nothing is asked of it here
    handled = set(job_handlers(settings, carriers, budget, lambda _cell, _bell: None, payments={}))

    assert {job for jobs in EVENT_JOBS.values() for job in jobs} <= handled
    assert named_jobs() == handled


def test_event_types_name_their_family_first() -> None:
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", kind.value) for kind in EventType)


@pytest.mark.parametrize("kind", ["directory", "cell"])
def test_migrations_are_numbered_without_gaps(kind: str) -> None:
    names = sorted(file.name for file in (SRC / "migrations" / kind).glob("*.sql"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)
