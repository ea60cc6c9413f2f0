"""Writes docs/pictures/demo.svg: the output of `make demo` on a platform of its own."""

import asyncio
import io
import sys
from pathlib import Path

from rich.console import Console

from agentmessage.demo.run import DemoOptions, demo

TARGET = Path(__file__).parent.parent / "docs" / "pictures" / "demo.svg"
WIDTH = 136


def main() -> int:
    """Run the demo, and write the picture if it succeeds."""
    console = Console(record=True, force_terminal=True, width=WIDTH, file=io.StringIO(), highlight=False)
    status = asyncio.run(demo(DemoOptions(), console))
    if status == 0:
        TARGET.write_text(console.export_svg(title="make demo", unique_id="demo"))
        print(f"wrote {TARGET}")
    else:
        print(console.export_text())
    return status


if __name__ == "__main__":
    sys.exit(main())
