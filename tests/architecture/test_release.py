"""Both distributions, the package and the command say one version, and the client's holds nothing of the platform."""

import subprocess
import sys
import tomllib
from pathlib import Path

from agentmessage import __version__
from agentmessage.app.monitoring.health import alive
from agentmessage.kernel.release import commit

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "packages" / "sdk"


def test_every_place_that_says_the_version_says_the_same() -> None:
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    client = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]

    assert server["version"] == client["version"] == __version__
    assert f"agentmessage-sdk=={__version__}" in server["dependencies"]
    own = CLIENT / "src" / "agentmessage" / "__init__.py"
    assert own.read_text() == (ROOT / "src" / "agentmessage" / "__init__.py").read_text()


def test_the_client_is_the_trees_own_and_needs_little() -> None:
    client = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]

    assert (CLIENT / "src" / "agentmessage" / "sdk").resolve() == ROOT / "src" / "agentmessage" / "sdk"
    assert {one.partition(">")[0] for one in client["dependencies"]} == {"httpx2", "msgspec", "typing-extensions"}


def test_the_command_and_the_health_page_say_which_release_runs() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "agentmessage", "--version"], capture_output=True, text=True, check=False, timeout=60
    )

    assert ended.returncode == 0
    assert ended.stdout.startswith(f"agentmessage {__version__}")
    assert f'"version":"{__version__}","commit":'.encode() in alive().body
    assert commit() is None or len(commit() or "") == 40
