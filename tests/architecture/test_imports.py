"""The import contracts hold, and each of them was seen to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent.parent
LINT = Path(sys.executable).parent / "lint-imports"

BREAKS = [
    ("The stack is one order", "brands/rules.py", "import agentmessage.numbers.model"),
    ("The stack is one order", "kernel/ids.py", "import agentmessage.web.types"),
    ("The stack is one order", "attic/__init__.py", '"""A room without a place in the stack."""'),
    ("Inside a room", "brands/model.py", "import agentmessage.brands.errors"),
    ("Inside a room", "brands/operations.py", "import agentmessage.brands.routes"),
    ("Inside a room", "campaigns/queries.py", "import agentmessage.campaigns.rules"),
    ("Rules and models are arithmetic", "brands/rules.py", "import random"),
    ("Rules and models are arithmetic", "campaigns/model.py", "import agentmessage.kernel.db"),
    ("Rules and models are arithmetic", "sms/segments.py", "import random"),
    ("Operations and queries never reach a carrier", "brands/operations.py", "import aiohttp"),
    ("Operations and queries never reach a carrier", "numbers/operations.py", "import agentmessage.carriers.http"),
    ("hold the database driver", "brands/queries.py", "import asyncpg"),
    ("Only the wiring names a concrete carrier", "numbers/operations.py", "import agentmessage.carriers.tcr"),
    ("The simulator knows no room", "simulator/core/entities.py", "import agentmessage.brands.model"),
    ("The client library needs none of the platform", "sdk/_request.py", "import agentmessage.kernel.ids"),
    ("The client library needs none of the platform", "sdk/_request.py", "import aiohttp"),
    ("Only the surfaces speak through the client library", "demo/run.py", "import agentmessage.sdk._request"),
    ("Commands of customers know the platform only", "cli/doctor_checks.py", "import agentmessage.compliance.rules"),
    ("Commands of customers know the platform only", "cli/numbers.py", "import agentmessage.cli.database"),
    ("No circles", "web/types.py", "import agentmessage.web.asgi"),
]


def lint(root: Path) -> tuple[int, str]:
    """Exit code and the lines that tell what became of each contract."""
    done = subprocess.run(  # noqa: S603 - the linter of this environment
        [LINT, "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_import_contract_is_kept() -> None:
    code, said = lint(HERE)

    assert code == 0, said


@pytest.mark.parametrize(("contract", "file", "line"), BREAKS)
def test_a_broken_import_contract_is_seen(contract: str, file: str, line: str, tmp_path: Path) -> None:
    shutil.copytree(HERE / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "vendor", "*.sql"))
    shutil.copy(HERE / ".importlinter", tmp_path)
    broken = tmp_path / "src" / "agentmessage" / file
    broken.parent.mkdir(exist_ok=True)
    with broken.open("a") as text:
        text.write(f"\n{line}\n")

    code, said = lint(tmp_path)

    assert code == 1
    assert contract in "\n".join(
        row for row in said.splitlines() if "BROKEN" in row or "not allowed" in row or "missing" in row
    ), said
