"""Writes the pages of `docs/reference` that are made from the code. `tests/architecture` sees that they are current."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools.reference import api, cli, errors, metrics, settings

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api.page,
    "errors.md": errors.page,
    "settings.md": settings.page,
    "metrics.md": metrics.page,
    "cli.md": cli.page,
}


def main() -> None:
    """Write what changed."""
    for name, page in PAGES.items():
        file, text = REFERENCE / name, page()
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(f"wrote {file}")


if __name__ == "__main__":
    main()
