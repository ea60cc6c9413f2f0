"""Writes the generated parts of the client library, and its reference, from the committed contract.

`make generate` runs it, after `tools/make_contract.py`. `tests/sdk` sees that what is committed is what
this makes. Names of new operations come by rule; `tools/sdk/names.py` holds those that read better otherwise.
"""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.sdk import errors, models, operations, reference, resources, sync
from tools.sdk.contract import Contract

ROOT = Path(__file__).parent.parent
SDK = ROOT / "src" / "agentmessage" / "sdk"
REFERENCE = ROOT / "docs" / "reference" / "sdk.md"
GENERATED_FOLDERS = ("models", "aio/resources", "sync")


def everything() -> dict[Path, str]:
    """Every generated file and what it says."""
    contract = Contract.read()
    made = {
        **models.modules(contract),
        **resources.modules(contract),
        **errors.module(contract),
        **operations.module(contract),
    }
    made = _formatted(made)
    by_hand = {
        path.relative_to(SDK / "aio").as_posix(): path.read_text()
        for path in sorted((SDK / "aio").rglob("*.py"))
        if path.relative_to(SDK).as_posix() not in made and path.parent.name != "resources"
    }
    generated = {path.removeprefix("aio/"): text for path, text in made.items() if path.startswith("aio/")}
    made |= _formatted(sync.modules(by_hand | generated))
    return {SDK / path: text for path, text in made.items()} | {REFERENCE: reference.page(contract)}


def left_over(made: Mapping[Path, str]) -> set[Path]:
    """Files in the generated folders that nothing makes any more."""
    return {path for folder in GENERATED_FOLDERS for path in (SDK / folder).rglob("*.py")} - set(made)


def _formatted(files: Mapping[str, str]) -> dict[str, str]:
    """As the formatter and the order of imports leave them."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            at = Path(folder, path)
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)
        ours = "lint.isort.known-first-party=['agentmessage']"
        for command in (("check", "--quiet", "--select", "I", "--fix", "--config", ours), ("format", "--quiet")):
            config = ROOT / "pyproject.toml"
            subprocess.run(  # noqa: S603 - the formatter of this environment
                [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", str(config), folder], check=True
            )
        return {path: Path(folder, path).read_text() for path in files}


def main() -> None:
    """Write what changed, and remove what is no longer made."""
    made = everything()
    for path in left_over(made):
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    for path, text in made.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
