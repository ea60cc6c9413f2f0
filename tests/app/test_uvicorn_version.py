"""The server extends private parts of uvicorn, so the installed version is the one that it was tested with."""

import tomllib
from importlib.metadata import version
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_installed_uvicorn_is_the_version_that_pyproject_pins() -> None:
    required = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]

    (pinned,) = [requirement for requirement in required if requirement.startswith("uvicorn")]

    assert pinned == f"uvicorn=={version('uvicorn')}"
