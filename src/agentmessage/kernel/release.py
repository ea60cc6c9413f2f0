"""Which release runs: its version, and the commit that it was built from or that is checked out."""

import functools
import subprocess
from importlib.resources import files
from pathlib import Path

from agentmessage import __version__

VERSION = __version__
BUILT_FROM = "COMMIT"
"""A file of the package that a release has and a checkout has not."""

CHECKOUT = Path(__file__).parents[3]
GIT_TIMEOUT_S = 2.0


@functools.cache
def commit() -> str | None:
    """The commit in full; None where neither the build nor git can say."""
    built_from = files("agentmessage").joinpath(BUILT_FROM)
    if built_from.is_file():
        return built_from.read_text().strip()
    if not (CHECKOUT / ".git").exists():
        return None
    try:
        asked = ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=GIT_TIMEOUT_S).stdout.strip()  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
