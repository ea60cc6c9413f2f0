"""Builds a release: both distributions, twice and byte for byte the same, tried in an environment of their own.

`make release` runs it. It writes `dist/`, and moves `changelog.d/` into `CHANGELOG.md` when `--changelog` is given.
What it builds carries the commit's time, so that anybody who builds that commit gets the same.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from agentmessage import __version__

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
PROJECTS = (ROOT / "packages" / "sdk", ROOT)
COMMIT_VARIABLE = "AGENTMESSAGE_BUILD_COMMIT"


def main() -> None:
    """Build, compare, try; then, if asked, write the changelog."""
    parser = argparse.ArgumentParser(description="Build and try both distributions.")
    parser.add_argument("--changelog", action="store_true", help="move changelog.d into CHANGELOG.md as this version")
    parser.add_argument("--skip-demo", action="store_true", help="install and import, but run no platform")
    options = parser.parse_args()
    require_one_version()
    run(sys.executable, "tools/make_site.py", PYTHONPATH=str(ROOT))
    shutil.rmtree(DIST, ignore_errors=True)
    build(DIST)
    with tempfile.TemporaryDirectory(prefix="agentmessage-again-") as again:
        build(Path(again))
        require_same(DIST, Path(again))
    with tempfile.TemporaryDirectory(prefix="agentmessage-release-") as place:
        try_client(Path(place) / "client")
        try_server(Path(place) / "server", with_demo=not options.skip_demo)
    if options.changelog:
        run(sys.executable, "-m", "towncrier", "build", "--yes", "--version", __version__)
    print(f"built {', '.join(sorted(file.name for file in DIST.iterdir()))}")


def require_one_version() -> None:
    """The package, both distributions and the pin between them say the same version."""
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    client = tomllib.loads((ROOT / "packages" / "sdk" / "pyproject.toml").read_text())["project"]
    said = {server["version"], client["version"], __version__}
    if len(said) > 1 or f"agentmessage-sdk=={__version__}" not in server["dependencies"]:
        sys.exit(f"the versions differ: {', '.join(sorted(said))}")


def build(target: Path) -> None:
    """An sdist and a wheel of each distribution, dated by the commit."""
    commit = output("git", "rev-parse", "HEAD")
    environment = {"SOURCE_DATE_EPOCH": output("git", "log", "-1", "--format=%ct"), COMMIT_VARIABLE: commit}
    for project in PROJECTS:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(project), **environment)


def require_same(first: Path, second: Path) -> None:
    """Ends the program when two builds of one commit differ."""
    names = sorted(file.name for file in first.iterdir())
    _, different, missing = filecmp.cmpfiles(first, second, names, shallow=False)
    if different or missing:
        sys.exit(f"two builds differ: {', '.join([*different, *missing])}")


def try_client(place: Path) -> None:
    """The client alone imports, and brings nothing of the platform."""
    python = environment_at(place)
    run(python, "-m", "pip", "install", "--quiet", str(wheel("agentmessage_sdk")))
    run(python, "-c", "import agentmessage.sdk as sdk; sdk.AgentMessage(api_key='am_live_x').close()")
    installed = output(python, "-m", "pip", "list", "--format=freeze")
    if "postgres" in installed.lower() or "agentmessage-server" in installed.lower():
        sys.exit(f"the client brings the platform:\n{installed}")


def try_server(place: Path, *, with_demo: bool) -> None:
    """From the wheels alone: the command answers, and the demo runs through."""
    python = environment_at(place)
    run(python, "-m", "pip", "install", "--quiet", str(wheel("agentmessage_sdk")), str(wheel("agentmessage_server")))
    command = str(Path(python).with_name("agentmessage"))
    run(command, "--version")
    run(python, "-c", "from agentmessage.app.guide import SITE; assert (SITE / 'search.html').exists(), SITE")
    if with_demo:
        run(command, "demo", "--profile", "instant")


def environment_at(place: Path) -> str:
    """The Python of a new environment with nothing in it."""
    venv.create(place, with_pip=True)
    return str(place / "bin" / "python")


def wheel(name: str) -> Path:
    """The wheel of a distribution."""
    (found,) = DIST.glob(f"{name}-*.whl")
    return found


def run(*command: str, **environment: str) -> None:
    """A command whose failure ends the program."""
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **environment})  # noqa: S603 - ours


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout.strip()  # noqa: S603 - ours


if __name__ == "__main__":
    main()
