"""Writes docs/pictures/diagrams: every Mermaid diagram of `docs/` as two SVG files, for light and for dark pages.

GitHub draws Mermaid by itself; the site shows these files, so that it needs no script to draw them. Needs Chromium and
Mermaid's bundle: `npm pack mermaid` and `python tools/make_diagrams.py package/dist/mermaid.min.js`. A test compares
the files with the diagrams.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = DOCS / "pictures" / "diagrams"
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
THEMES = {"light": "neutral", "dark": "dark"}
PAGE = """<!doctype html><meta charset="utf-8"><body><script>{bundle}</script><script>
mermaid.initialize({{startOnLoad: false, theme: "{theme}", htmlLabels: false, flowchart: {{htmlLabels: false}},
  fontFamily: "system-ui, sans-serif", deterministicIds: true}});
mermaid.render("diagram", {source})
  .then(({{svg}}) => {{ document.body.innerHTML = svg; }}, (error) => {{ document.body.textContent = String(error); }});
</script>"""
TIME_LIMIT_S = 60


def name_of(diagram: str) -> str:
    """The name of a diagram's pictures: another diagram has another name."""
    return hashlib.sha256(diagram.encode()).hexdigest()[:12]


def diagrams() -> Mapping[str, str]:
    """Every diagram of the pages by its name."""
    found = (diagram for page in sorted(DOCS.rglob("*.md")) for diagram in DIAGRAM.findall(page.read_text()))
    return {name_of(diagram): diagram for diagram in found}


def picture(name: str, theme: str) -> Path:
    """The file of a diagram."""
    return PICTURES / f"{name}-{theme}.svg"


def draw(diagram: str, theme: str, bundle: str) -> str:
    """A diagram as SVG, by Mermaid in a browser without a screen."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        sys.exit("Chromium is needed (Debian: apt-get install chromium)")
    page = PAGE.format(bundle=bundle.replace("</script", "<\\/script"), theme=THEMES[theme], source=repr_js(diagram))
    with tempfile.TemporaryDirectory(prefix="agentmessage-diagram-") as folder:
        file = Path(folder, "page.html")
        file.write_text(page)
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000", "--dump-dom"]
        done = subprocess.run(  # noqa: S603 - our own page
            [browser, *options, f"--user-data-dir={folder}/profile", file.as_uri()],
            check=True,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
        )
    found = re.search(r'<body><svg id="diagram".*</svg>', done.stdout, re.DOTALL)
    if found is None:
        sys.exit(f"Mermaid drew nothing: {done.stdout[-500:]}\n{diagram}")
    return with_size(found[0].removeprefix("<body>").replace("<br>", "<br/>").replace("&nbsp;", "&#160;")) + "\n"


def with_size(svg: str) -> str:
    """Its own size in place of the whole width of a page, and no more digits than a screen shows."""
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    if box is None:
        sys.exit("Mermaid gave no viewBox")
    size = f'width="{float(box[1]):.0f}" height="{float(box[2]):.0f}"'
    rounded = re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", svg)
    return rounded.replace('width="100%"', size, 1)


def repr_js(text: str) -> str:
    """A text as a literal of JavaScript."""
    escaped = text.replace("\\", "\\\\").replace("`", "\\`").replace("$", "\\$").replace("</", "<\\/")
    return f"`{escaped}`"


def main() -> None:
    """Draw what is missing and remove what is of no diagram."""
    bundle = Path(sys.argv[1]).read_text()
    PICTURES.mkdir(parents=True, exist_ok=True)
    wanted = diagrams()
    for name, diagram in wanted.items():
        for theme in THEMES:
            if not picture(name, theme).exists():
                picture(name, theme).write_text(draw(diagram, theme, bundle))
                print(f"wrote {picture(name, theme).relative_to(DOCS.parent)}")
    for file in PICTURES.glob("*.svg"):
        if file not in {picture(name, theme) for name in wanted for theme in THEMES}:
            file.unlink()
            print(f"removed {file.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
