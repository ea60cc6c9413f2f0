"""Finds words that the project has retired. Run as a script, with files or folders or nothing, it lists them."""

import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent.parent
READ = ("*.py", "*.sql", "*.md", "*.toml", "*.json", "*.txt", "*.html", "*.j2", "*.jinja", "Makefile", ".ci/*", "*.yml")
LEFT_OUT = re.compile(r"(^|/)(vendor/|CHANGELOG\.md$|requirements.*\.lock$|LICENSE)")


class Found(NamedTuple):
    """A retired word in a file."""

    file: str
    line: int
    word: str
    instead: str


def _load() -> tuple[re.Pattern[str], dict[str, str], list[tuple[re.Pattern[str], str]], dict[str, str]]:
    listed = tomllib.loads((Path(__file__).parent / "retired_words.toml").read_text())
    words: dict[str, str] = listed["words"]
    # A word stands alone in prose and snake_case, or begins with a capital in CamelCase and ends before the next one.
    lower = "|".join(sorted(words, key=len, reverse=True))
    title = "|".join(word.capitalize() for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(
        rf"(?<![A-Za-z])(?:{lower}|{lower.upper()})(?![A-Za-z])|(?<![A-Za-z])(?:{lower})(?=[A-Z])|(?:{title})(?![a-z])"
    )
    patterns = [(re.compile(found), instead) for found, instead in listed["patterns"].items()]
    return pattern, words, patterns, listed["allowed"]


PATTERN, WORDS, PATTERNS, ALLOWED = _load()


def find(file: str, content: str) -> Iterator[Found]:
    """The retired words of one file."""
    for number, line in enumerate(content.splitlines(), start=1):
        for match in PATTERN.finditer(line):
            yield Found(file, number, match.group(), WORDS[match.group().lower()])
        for pattern, instead in PATTERNS:
            for match in pattern.finditer(line):
                yield Found(file, number, match.group(), instead)


def find_all(below: Iterable[str] = ()) -> list[Found]:
    """The retired words of every file of the repository, or of those files and folders."""
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "--", *(below or READ)],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found: list[Found] = []
    for file in listed:
        if LEFT_OUT.search(file) or file in ALLOWED or not (HERE / file).is_file():
            continue
        try:
            content = (HERE / file).read_text()
        except UnicodeDecodeError:  # a picture
            continue
        found += find(file, content)
    return found


if __name__ == "__main__":
    all_found = find_all(sys.argv[1:])
    for found in all_found:
        sys.stdout.write(f"{found.file}:{found.line}: {found.word}: say {found.instead}\n")
    counted = Counter(found.word.lower() for found in all_found)
    sys.stdout.write(f"{len(all_found)} retired words: {', '.join(f'{n} {w}' for w, n in counted.most_common())}\n")
    sys.exit(bool(all_found))
