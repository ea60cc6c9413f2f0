"""Upgrades a schema that was made by the numbered files which the baseline replaced (decision 0027).

recorded for the schema     what happens
├── nothing                 the baseline runs
├── the baseline            nothing
├── all the old files       upgrade/<part>.sql runs, and the baseline is recorded in the place of the old files
└── anything else           NotUpgradable
"""

from pathlib import Path
from typing import Protocol

import asyncpg

FILES = Path(__file__).parent / "upgrade"
NAME = "upgrade_to_baseline"

LAST = {
    "directory": (4, "0004_watch", "b6d54da450d2353b16f24bd589a0909ae82b4827901eeeaab14cee5c80a44627"),
    "cell": (27, "0027_topup_ceiling", "9fe5bb69865d8b70464f2cca18596bc8cee8a0575265310d227ea7f7318c5f9e"),
}
"""For each part the last old file: its number, its name and its checksum."""


class NotUpgradable(Exception):
    """The schema has another history than the one that the upgrade begins at."""


class Baseline(Protocol):
    """The first migration of a part."""

    @property
    def number(self) -> int:
        """1."""
        ...

    @property
    def name(self) -> str:
        """The file's name."""
        ...

    @property
    def checksum(self) -> str:
        """SHA-256 of the file."""
        ...


async def is_before_baseline(connection: asyncpg.Connection, schema: str, baseline: Baseline) -> bool:
    """True if files ran in the schema, and the first of them was not the baseline."""
    first = await connection.fetchval(
        "SELECT name FROM directory.migrations WHERE schema = $1 ORDER BY number LIMIT 1", schema
    )
    return first is not None and first != baseline.name


async def upgrade(connection: asyncpg.Connection, schema: str, part: str, baseline: Baseline) -> str:
    """Upgrade the schema and record the baseline, in one transaction; returns what to show as applied.

    `schema` is a name that the caller checked. Raises NotUpgradable.
    """
    await _require_last(connection, schema, part)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '5s'; SET LOCAL search_path = \"{schema}\"")
        await connection.execute((FILES / f"{part}.sql").read_text())
        await connection.execute("DELETE FROM directory.migrations WHERE schema = $1", schema)
        await connection.execute(
            "INSERT INTO directory.migrations (schema, number, name, checksum) VALUES ($1, $2, $3, $4)",
            schema,
            baseline.number,
            baseline.name,
            baseline.checksum,
        )
    return f"{schema}/{NAME}"


async def _require_last(connection: asyncpg.Connection, schema: str, part: str) -> None:
    ran = await connection.fetch(
        "SELECT number, name, checksum FROM directory.migrations WHERE schema = $1 ORDER BY number", schema
    )
    count, name, _ = LAST[part]
    if len(ran) != count or tuple(ran[-1]) != LAST[part]:
        raise NotUpgradable(
            f"the schema {schema} is at {ran[-1]['name']}, and this release upgrades from {name} only:"
            " run `agentmessage migrate` of the last 0.1 version first"
        )
