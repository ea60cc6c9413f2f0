"""Every status of every operation has a test: those a room declares a test of their own, the edge's a generated one."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from agentmessage.app.routes import all_routes
from agentmessage.web.openapi.common_errors import errors_by_status
from agentmessage.web.route import Route

HERE = Path(__file__).parent.parent.parent
GENERATED = "tests/contract/"


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, str, str]]:
    """Operation, status, file and function of every test that covers a status, over the whole suite."""
    file = tmp_path_factory.mktemp("covers") / "covers.json"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "tests.architecture.coverage_plugin", "tests"],
        cwd=HERE,
        env=os.environ | {"COVERS_FILE": str(file), "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [tuple(row) for row in json.loads(file.read_text())]


def missing(covered: list[tuple[str, int, str, str]]) -> dict[str, list[int]]:
    """Statuses without a test, by operation."""
    own: dict[str, set[int]] = defaultdict(set)
    generated: dict[str, set[int]] = defaultdict(set)
    for operation, status, file, _ in covered:
        (generated if GENERATED in file else own)[operation].add(status)
    gaps = {route.name: sorted(wanted(route, own[route.name], generated[route.name])) for route in all_routes()}
    return {name: statuses for name, statuses in gaps.items() if statuses}


def wanted(route: Route, own: set[int], generated: set[int]) -> set[int]:
    """What a room declares needs a test in the room; what the edge answers for it may be covered by either."""
    declared = {*route.answers, *(error.status for error in route.refuses)}
    return (declared - own) | (set(errors_by_status(route)) - own - generated)


def test_every_status_of_every_operation_has_a_test(covered: list[tuple[str, int, str, str]]) -> None:
    assert missing(covered) == {}


def test_a_missing_test_is_noticed(covered: list[tuple[str, int, str, str]]) -> None:
    route = next(route for route in all_routes() if route.method == "DELETE")
    less = [row for row in covered if row[:2] != (route.name, 404)]

    assert 404 in missing(less)[route.name]


def test_covers_names_operations_and_statuses_that_exist(covered: list[tuple[str, int, str, str]]) -> None:
    known = {route.name: {*route.answers, *errors_by_status(route)} for route in all_routes()}
    strange = {(operation, status) for operation, status, *_ in covered if status not in known.get(operation, set())}

    assert strange == set()


def test_a_test_that_covers_one_status_says_so_in_its_name(covered: list[tuple[str, int, str, str]]) -> None:
    statuses: dict[tuple[str, str], set[int]] = defaultdict(set)
    for _, status, file, function in covered:
        statuses[file, function].add(status)

    assert {
        function
        for (_, function), covers in statuses.items()
        if len(covers) == 1 and not function.startswith(f"test_{next(iter(covers))}_")
    } == set()
