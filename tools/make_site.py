"""Builds the pages of `docs/` into the site that a running platform serves under `/docs/guide`.

`make docs` runs it. It ends with status 1 when a page has a dead link or stands in no section, and when the site would
load anything from another host. Two builds of one commit are the same, byte for byte.
"""

import gzip
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sphinx.cmd.build import build_main

ROOT = Path(__file__).parent.parent
SITE = ROOT / "src" / "agentmessage" / "app" / "site"
CONFIGURATION = ROOT / "tools" / "site"
COMPRESSED = {".html", ".css", ".js", ".svg"}
LEFT_OUT = ("_sources", "objects.inv", ".buildinfo", ".doctrees")
THEME_SCRIPT = re.compile(r"<script>\s*document\.body\.dataset\.theme = .*?;\s*</script>")
CONTENT_ROOT = re.compile(r'data-content_root="([./]*)"')
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE)
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b(?![^>]*rel=[\"']?(?:canonical|license))[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|url\(\s*[\"']?(?:https?:)?//|@import\s+[\"'](?:https?:)?//",
    re.IGNORECASE,
)


def main() -> int:
    """Build next to the old site, check, and only then replace it."""
    with tempfile.TemporaryDirectory(prefix="agentmessage-site-") as folder:
        made = Path(folder, "site")
        status = build(made, Path(folder, "doctrees"))
        faults = [] if status else list(foreign(made))
        for fault in faults:
            print(fault, file=sys.stderr)
        if status or faults:
            return 1
        compress(made)
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.copytree(made, SITE)
    pages = sum(1 for _ in SITE.rglob("*.html"))
    print(f"built {pages} pages into {SITE.relative_to(ROOT)}")
    return 0


def build(target: Path, doctrees: Path) -> int:
    """Run Sphinx in strict mode. Returns its exit status."""
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(CONFIGURATION), "-d", str(doctrees)]
    status = build_main([*options, str(ROOT / "docs"), str(target)])
    for name in LEFT_OUT:
        path = target / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for page in target.rglob("*.html"):
        page.write_text(without_inline_script(page.read_text()))
    return status


def without_inline_script(page: str) -> str:
    """The theme's one inline script as a file: the policy that the pages are served with allows no inline script."""
    root = CONTENT_ROOT.search(page)
    return THEME_SCRIPT.sub(f'<script src="{root[1] if root else "./"}_static/theme.js"></script>', page)


def foreign(site: Path) -> Iterator[str]:
    """Everything that the policy of the pages would block: inline scripts, and files of other hosts."""
    for file in sorted(site.rglob("*")):
        if file.suffix in {".html", ".css"}:
            text = file.read_text()
            faults = (
                [*INLINE_SCRIPT.findall(text), *LOADED.findall(text)]
                if file.suffix == ".html"
                else LOADED.findall(text)
            )
            yield from (f"{file.relative_to(site)}: the policy of the guide blocks {fault!r}" for fault in faults)


def compress(site: Path) -> None:
    """A compressed copy next to each text file, so that no process compresses while it serves."""
    for file in sorted(site.rglob("*")):
        if file.suffix in COMPRESSED:
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))


if __name__ == "__main__":
    sys.exit(main())
