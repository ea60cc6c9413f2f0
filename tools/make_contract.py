"""Writes the snapshots of the contract after an intended change; read the difference, then commit.

`tests/contract/openapi.json` is the document; `tests/contract/events.json` shows one event of every type.
"""

import json
from pathlib import Path
from typing import Any

from agentmessage.app.event_schemas import BODIES
from agentmessage.app.routes import all_routes
from agentmessage.events.schemas import EventResource
from agentmessage.web.openapi.document import describe
from agentmessage.web.openapi.examples import example_of
from agentmessage.web.openapi.schemas import Schemas

FOLDER = Path(__file__).parent.parent / "tests" / "contract"


def events() -> dict[str, Any]:
    """One event of every type, as lists, streams and webhooks show it."""
    shapes = Schemas([EventResource, *BODIES.values()])
    envelope = example_of(shapes.of(EventResource), shapes)
    return {
        kind.value: envelope | {"type": kind.value, "data": example_of(shapes.of(body), shapes)}
        for kind, body in BODIES.items()
    }


def main() -> None:
    """Write the snapshots."""
    for name, content in (
        ("openapi.json", describe(all_routes(), {kind.value: body for kind, body in BODIES.items()})),
        ("events.json", events()),
    ):
        (FOLDER / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        print(f"wrote {FOLDER / name}")


if __name__ == "__main__":
    main()
