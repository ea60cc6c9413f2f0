"""The oldest Postgres that is supported, as Debian packages it: migrations, an ordinary role, and the whole story.

The distribution's own cluster is never touched: the tests make theirs, in a directory of their own.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.embedded.account import account_for
from agentmessage.embedded.binaries import Binaries
from agentmessage.migrations.runner import migrate
from agentmessage.settings import Settings
from agentmessage.standalone.first_start import bootstrap
from tests.cli.test_parts import environment, free_port, status, until
from tests.conftest import ENCRYPTION_KEY
from tests.make import storage
from tests.proofs.catalog import read_catalog
from tests.proofs.test_upgrades import VERSION_0_1

# ruff: noqa: S603 - commands are our own

OLDEST, NEWEST = 15, 18
INSTALLED = sorted(
    int(found.group(1))
    for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
    if (found := re.search(r"/(\d+)/bin/", str(path)))
)

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("demo")]


@pytest.fixture(params=[version for version in INSTALLED if OLDEST <= version <= NEWEST] or [OLDEST])
async def packaged(request: pytest.FixtureRequest) -> AsyncIterator[EmbeddedPostgres]:
    """A server of a packaged version, made and started as the one that comes along is."""
    version: int = request.param
    if version not in INSTALLED:
        pytest.skip(f"postgresql-{version} is not installed: the oldest supported version is not tried here")
    with storage.directory("agentmessage-packaged-") as directory:
        server = EmbeddedPostgres(directory, is_durable=False)
        server._account = account_for(server.cluster)  # pyright: ignore[reportPrivateUsage]
        server._binaries = Binaries(Path(f"/usr/lib/postgresql/{version}/bin"), version)  # pyright: ignore[reportPrivateUsage]
        server._password = server._application_password = "packaged"  # pyright: ignore[reportPrivateUsage]
        async with server:
            yield server


@pytest.fixture
def start() -> Iterator[Callable[..., None]]:
    """Starts parts of the platform that end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, **settings: str) -> None:
        command = [sys.executable, "-m", "agentmessage", *words]
        started.append(subprocess.Popen(command, env=environment(**settings), stdout=subprocess.DEVNULL))

    yield begin
    for process in started:
        process.kill()
        process.wait()


async def test_a_database_of_version_0_1_gets_the_schema_of_a_new_one_on_it(packaged: EmbeddedPostgres) -> None:
    old, new = await packaged.create_database("old"), await packaged.create_database("new")
    connection = await asyncpg.connect(old)
    await connection.execute(VERSION_0_1.read_text())
    await connection.close()

    await migrate(old)

    await migrate(new)
    assert await read_catalog(old) == await read_catalog(new)


async def test_the_story_is_told_on_it(packaged: EmbeddedPostgres, start: Callable[..., None], tmp_path: Path) -> None:
    """From migrations to the last event, as the ordinary role that operators are told to use."""
    url = packaged.application_dsn
    assert await migrate(url) != []
    assert await migrate(url) == []
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    await connection.close()
    keys = await bootstrap(url, Settings(database_url=url, encryption_key=ENCRYPTION_KEY))
    http, smpp, port = free_port(), free_port(), free_port()
    settings = {
        "DATABASE_URL": url,
        "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY,
        "AGENTMESSAGE_PORT": str(port),
        "AGENTMESSAGE_SIMULATOR_URL": f"http://127.0.0.1:{http}",
        "AGENTMESSAGE_SIMULATOR_SMPP_PORT": str(smpp),
        "AGENTMESSAGE_RECONCILE_SWEEP_INTERVAL_SECONDS": "2",
        "AGENTMESSAGE_DRIFT_GRACE_SECONDS": "1",
    }
    simulated = ["--port", str(http), "--smpp-port", str(smpp), "--profile", "instant"]
    start("simulate", *simulated, "--data-dir", str(tmp_path))
    start("serve", **settings)
    start("work", **settings)
    base_url = f"http://127.0.0.1:{port}"
    await asyncio.to_thread(until, lambda: status(f"{base_url}/readyz") == 200)

    place = ["--base-url", base_url, "--api-key", keys.api_key, "--simulator-url", f"http://127.0.0.1:{http}"]
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "agentmessage", "demo", *place],
        env={**environment(), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert "Read the events" in told.stdout
