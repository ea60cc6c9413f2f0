"""What people read is true: links lead somewhere, and the table of settings is the settings."""

import re
from pathlib import Path

import msgspec
import pytest

from agentmessage.app.monitoring.gauges import HELP
from agentmessage.settings import PREFIX, Settings
from tools.make_diagrams import PICTURES, THEMES, diagrams, picture

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
METRIC = re.compile(r"\bagentmessage_[a-z_]+")
COUNTER = re.compile(r"Counter\(\s*\"(agentmessage_[a-z_]+)\"")
SETTING = re.compile(r"^\| `([A-Z0-9_]+)` \| (\S+) \|", re.MULTILINE)


def broken_links(page: Path, text: str) -> list[str]:
    broken: list[str] = []
    for target, anchor in LINK.findall(text):
        file = (page.parent / target) if target else page
        is_there = file.exists() and (not anchor or anchor in anchors(file.read_text()))
        if not is_there:
            broken.append(f"{target}#{anchor}")
    return broken


def anchors(text: str) -> set[str]:
    """As GitHub makes them: lower case, without punctuation, dashes for spaces."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


def written_settings(text: str) -> dict[str, str]:
    return {name: default.strip("`") for name, default in SETTING.findall(text)}


def real_settings() -> dict[str, str]:
    return {
        "DATABASE_URL" if field.name == "database_url" else PREFIX + field.name.upper(): shown(field.default)
        for field in msgspec.structs.fields(Settings)
    }


def shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) or "-"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


def test_a_broken_link_is_noticed() -> None:
    page = ROOT / "README.md"

    assert broken_links(page, "[a](docs/none.md) [b](README.md#none) [c](#two-commands)\n# Two commands\n") == [
        "docs/none.md#",
        "README.md#none",
    ]


def test_the_table_of_settings_has_every_setting_with_its_default() -> None:
    assert written_settings((ROOT / "docs" / "operations" / "index.md").read_text()) == real_settings()


def test_a_setting_that_nobody_wrote_down_is_noticed() -> None:
    text = (
        (ROOT / "docs" / "operations" / "index.md")
        .read_text()
        .replace("`AGENTMESSAGE_PORT` | `8080`", "`AGENTMESSAGE_PORT` | `1`")
    )

    assert written_settings(text)["AGENTMESSAGE_PORT"] != real_settings()["AGENTMESSAGE_PORT"]


def test_every_diagram_has_its_pictures() -> None:
    """After a change: `tools/make_diagrams.py`."""
    assert {picture(name, theme) for name in diagrams() for theme in THEMES} == set(PICTURES.glob("*.svg"))


def test_the_guide_of_operations_names_the_metrics_that_there_are() -> None:
    written = set(METRIC.findall((ROOT / "docs" / "operations" / "index.md").read_text()))
    sources = [file.read_text() for file in (ROOT / "src" / "agentmessage").rglob("*.py")]
    counters = {f"{name}_total" for source in sources for name in COUNTER.findall(source)}
    gauges = {f"agentmessage_{name}" for name in HELP} | {
        "agentmessage_http_request_duration_seconds",
        "agentmessage_clock_skew_seconds",
    }

    assert written == counters | gauges
