"""Writes tests/contract/openapi.json anew after a wanted change of the contract; read the difference, then commit."""

import json
from pathlib import Path

from agentmessage.app.wiring import all_routes
from agentmessage.web.openapi.document import describe

TARGET = Path(__file__).parent.parent / "tests" / "contract" / "openapi.json"


def main() -> None:
    """Write the snapshot."""
    TARGET.write_text(json.dumps(describe(all_routes()), indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
