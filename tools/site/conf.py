"""How Sphinx makes the site of `docs/`: sections in the sidebar, links as GitHub follows them, nothing from elsewhere.

The pages are plain Markdown that reads the same on GitHub. What only the site needs is here.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

from agentmessage import __version__
from tools.make_diagrams import DIAGRAM, THEMES, name_of, picture

logger = getLogger(__name__)
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

project = "AgentMessage"
release = __version__
html_title = "AgentMessage"

extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_block"]
myst_heading_anchors = 6
source_suffix = {".md": "markdown"}

nitpicky = True
suppress_warnings = [
    "misc.highlighting_failure",  # examples are shortened with an ellipsis, which is neither JSON nor Python
    "myst.header",  # the SDK's reference skips a level where a section has no groups
]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_use_index = False
html_last_updated_fmt = None
html_permalinks_icon = "#"
html_theme_options = {"navigation_with_keys": False, "top_of_page_buttons": []}
pygments_style = "default"
pygments_dark_style = "github-dark"
smartquotes = False

SECTIONS = {
    "": ["quickstart"],
    "Guides": [
        "guides/send",
        "guides/media",
        "guides/receive",
        "guides/consent",
        "guides/guardrails",
        "guides/register",
        "guides/lookups",
        "guides/numbers",
        "guides/webhooks",
        "guides/billing",
        "guides/metrics",
        "guides/retention",
        "guides/audit",
        "guides/sdk",
        "guides/cli",
    ],
    "Concepts": ["concepts/architecture", "concepts/messages", "concepts/bindings"],
    "Operations": [
        "operations/index",
        "operations/proxy",
        "operations/carriers",
        "operations/monitoring",
        "operations/troubleshooting",
        "operations/security",
        "operations/backups",
        "operations/billing",
        "operations/benchmarks",
    ],
    "Reference": [
        "reference/api",
        "reference/errors",
        "reference/settings",
        "reference/metrics",
        "reference/cli",
        "reference/sdk",
        "reference/simulator",
        "carriers/smpp",
        "carriers/bandwidth",
        "carriers/tcr",
    ],
    "Contributing": [
        "contributing/index",
        "contributing/adding-an-endpoint",
        "contributing/adding-a-carrier",
        "decisions/README",
    ],
}
"""The sidebar. A page that stands in none of these ends the build."""

LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?\)")


def add_sections(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the sidebar behind the text of the front page, and the decisions behind theirs."""
    del app
    if page == "index":
        source[0] += "\n".join(_toctree(caption, pages) for caption, pages in SECTIONS.items())
    elif page == "decisions/README":
        source[0] += _toctree("", sorted(file.stem for file in DOCS.glob("decisions/*.md") if file.stem != "README"))


def _toctree(caption: str, pages: list[str]) -> str:
    named = f":caption: {caption}\n" if caption else ""
    return f"\n\n```{{toctree}}\n:hidden:\n{named}\n" + "\n".join(pages) + "\n```\n"


def show_paths_of_source(app: Sphinx, page: str, source: list[str]) -> None:
    """A link to a file that is no page of the site becomes the file's words and its path."""
    del app
    folder = (DOCS / page).parent

    def shown(link: re.Match[str]) -> str:
        words, target, _ = link.groups()
        file = (folder / target).resolve()
        if file.is_relative_to(DOCS):
            return link[0]
        path = file.relative_to(ROOT).as_posix()
        return words if path in words else f"{words} (`{path}`)"

    source[0] = LINK.sub(shown, source[0])


def show_diagrams(app: Sphinx, page: str, source: list[str]) -> None:
    """A Mermaid diagram becomes its pictures, of which the theme shows the one for its colors."""
    del app
    depth = "../" * page.count("/")

    def pictures(diagram: re.Match[str]) -> str:
        name = name_of(diagram[1])
        lines: list[str] = []
        for theme in THEMES:
            if not picture(name, theme).exists():
                logger.warning("%s: a diagram has no picture: run tools/make_diagrams.py", page)
            path = picture(name, theme).relative_to(DOCS).as_posix()
            lines += [f"{{.only-{theme} .diagram}}", f"![Diagram]({depth}{path})", ""]
        return "\n".join(lines)

    source[0] = DIAGRAM.sub(pictures, source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", show_paths_of_source)
    app.connect("source-read", show_diagrams)
    app.connect("source-read", add_sections)
