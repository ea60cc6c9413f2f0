"""Puts the commit that a release is built from into its wheel, when the builder names it."""

import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMIT_VARIABLE = "AGENTMESSAGE_BUILD_COMMIT"


class CommitFile(BuildHookInterface[Any]):
    """Adds the file that `agentmessage.kernel.release` reads."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is built."""
        del version
        commit = os.environ.get(COMMIT_VARIABLE, "")
        if commit:
            file = Path(tempfile.mkdtemp(prefix="agentmessage-build-"), "COMMIT")
            file.write_text(commit + "\n")
            build_data["force_include"][str(file)] = "agentmessage/COMMIT"
