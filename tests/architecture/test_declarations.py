"""What is declared is complete: scopes, refusals, events, migrations."""

import re
from collections import Counter
from pathlib import Path

import pytest
from tools import make_docs

import agentmessage
from agentmessage.app.wiring import all_routes
from agentmessage.kernel.errors import ApiError
from agentmessage.outbox.catalogue import LISTENERS, EventType
from agentmessage.web.scopes import ALL_SCOPES

SRC = Path(agentmessage.__file__).parent
TESTS = Path(__file__).parent.parent

SHARED_CODES = {
    "VALIDATION_FAILED": {"ValidationFailed", "MalformedPathId", "UnexpectedQuery"},
}
"""Codes that several refusals carry on purpose: the same cause with another status."""


REFUSALS = make_docs.every_refusal()


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


def test_every_listening_job_has_a_handler() -> None:
    from agentmessage.app.work import job_kinds  # noqa: PLC0415 - imports every room

    listening = {job for jobs in LISTENERS.values() for job in jobs}

    assert listening <= set(job_kinds())


def test_event_types_name_their_family_first() -> None:
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", kind.value) for kind in EventType)


@pytest.mark.parametrize("kind", ["directory", "cell"])
def test_migrations_are_numbered_without_gaps(kind: str) -> None:
    names = sorted(file.name for file in (SRC / "migrations" / kind).glob("*.sql"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names)
