"""The pages are true: links lead somewhere, settings are explained, diagrams are drawn, alerts name metrics."""

import re
from pathlib import Path

import msgspec
import pytest

from agentmessage.settings import Settings
from tools.make_diagrams import PICTURES, THEMES, diagrams, picture
from tools.reference.metrics import every_metric
from tools.reference.settings import descriptions

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SOURCE_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|toml|sql))`")
METRIC = re.compile(r"\bagentmessage_[a-z_]+")


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


def test_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "concepts" / "architecture.md").read_text()
    source = ROOT / "src" / "agentmessage"
    rooms = {file.parent.name for file in source.glob("*/__init__.py")} | {"settings"}

    assert set(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) == rooms


def test_every_source_file_that_a_page_names_is_there() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for folder in ("src", "tests", "tools", "packages")
        for file in (ROOT / folder).rglob("*.*")
    }
    named = {(page.name, name) for page in PAGES for name in SOURCE_FILE.findall(page.read_text())}

    assert [
        (page, name) for page, name in sorted(named) if not any(f"/{file}".endswith(f"/{name}") for file in files)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


def test_a_broken_link_is_noticed() -> None:
    page = ROOT / "README.md"

    assert broken_links(page, "[a](docs/none.md) [b](README.md#none) [c](#two-commands)\n# Two commands\n") == [
        "docs/none.md#",
        "README.md#none",
    ]


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_explained(field: msgspec.structs.FieldInfo) -> None:
    assert descriptions()[field.name].endswith((".", ".**"))


def test_every_diagram_has_its_pictures() -> None:
    """After a change: `tools/make_diagrams.py`."""
    assert {picture(name, theme) for name in diagrams() for theme in THEMES} == set(PICTURES.glob("*.svg"))


def test_monitoring_says_for_each_metric_when_to_alert() -> None:
    written = set(METRIC.findall((ROOT / "docs" / "operations" / "monitoring.md").read_text()))

    assert written == {metric.name for metric in every_metric()}
