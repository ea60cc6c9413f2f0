"""Which database an admin command works on: DATABASE_URL, else the one of the `agentmessage up` that runs here."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from agentmessage.cli.errors import Failure

if TYPE_CHECKING:
    from agentmessage.kernel.db import Cells
    from agentmessage.settings import Settings

T = TypeVar("T")

POOL_SIZE = 2


def on_database(context: typer.Context, work: Callable[["Cells"], Awaitable[T]]) -> T:
    """Do one piece of work on the platform's database and answer its result. Raises Failure."""
    from agentmessage.kernel.db import DATABASE_UNAVAILABLE, Cells, NotMigratedHere  # noqa: PLC0415 - see the room's front page
    from agentmessage.settings import read_settings  # noqa: PLC0415

    url = read_settings().database_url or _local_database(context)

    async def connected() -> T:
        cells = Cells(url, pool_size=POOL_SIZE)
        try:
            return await work(cells)
        finally:
            await cells.close()

    try:
        return asyncio.run(connected())
    except NotMigratedHere as error:
        raise Failure(f"Nothing was done: {error}") from error
    except DATABASE_UNAVAILABLE as error:
        raise Failure(f"The database is unavailable ({error}); is it running?") from error


def _local_database(context: typer.Context) -> str:
    from agentmessage.embedded import known_dsn  # noqa: PLC0415
    from agentmessage.standalone.data_dir import DataDir  # noqa: PLC0415

    data_dir: Path = context.obj
    url = known_dsn(DataDir(data_dir).postgres)
    if url is None:
        raise Failure(f"DATABASE_URL is not set, and no `agentmessage up` has run with --data-dir {data_dir}")
    return url


def with_encryption_key(settings: "Settings", context: typer.Context) -> "Settings":
    """The settings with the encryption key of the `agentmessage up` that runs here, unless the environment has one.

    Raises Failure where there is neither.
    """
    import msgspec  # noqa: PLC0415

    from agentmessage.standalone.data_dir import DataDir  # noqa: PLC0415

    data_dir: Path = context.obj
    if settings.encryption_key:
        return settings
    if not data_dir.is_dir():
        raise Failure(
            f"AGENTMESSAGE_ENCRYPTION_KEY is not set, and no `agentmessage up` has run with --data-dir {data_dir}"
        )
    return msgspec.structs.replace(settings, encryption_key=DataDir(data_dir).encryption_key())
