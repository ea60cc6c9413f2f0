"""A pytest plugin: instead of running the tests it writes down which statuses of which operations they cover."""

import json
import os
from pathlib import Path

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write `[operation, status, file, function]` for every `covers` of every collected test."""
    rows = [
        [marker.args[0], status, item.path.as_posix(), item.name.partition("[")[0]]
        for item in session.items
        for marker in item.iter_markers("covers")
        for status in marker.args[1:]
    ]
    Path(os.environ["COVERS_FILE"]).write_text(json.dumps(rows))
