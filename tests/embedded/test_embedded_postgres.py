"""The Postgres that comes along starts everywhere, keeps what it was given, and leaves nothing behind."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from agentmessage.embedded import EmbeddedPostgres, EmbeddedPostgresError
from agentmessage.embedded import account as accounts
from agentmessage.embedded import binaries as programs

# ruff: noqa: ASYNC220, ASYNC240, S603 - these tests wait for processes and have nothing else to do meanwhile

pytestmark = pytest.mark.processes
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give itself up")


@pytest.fixture
def private_dir() -> Iterator[Path]:
    """A directory that nobody but its owner can enter, like root's home."""
    path = Path(tempfile.mkdtemp())
    yield path / "data"
    shutil.rmtree(path)


async def value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def write(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def until(condition: Callable[[], Awaitable[bool] | bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_private_directory_is_private(private_dir: Path) -> None:
    """The other tests mean something only if this holds."""
    assert private_dir.parent.stat().st_mode & 0o777 == 0o700


async def test_what_was_written_survives_a_stop_and_the_address_stays_the_same(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir) as postgres:
        first = postgres.dsn()
        await write(first, "CREATE TABLE kept AS SELECT 42 AS answer")

    async with EmbeddedPostgres(private_dir) as postgres:
        assert postgres.dsn() == first
        assert await value(first, "SELECT answer FROM kept") == 42
        assert await value(first, "SHOW fsync") == "on"
        assert await value(first, "SHOW server_encoding") == "UTF8"


async def test_the_password_is_needed_and_only_the_owner_can_read_it(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await value(postgres.dsn().replace("agentmessage:", "agentmessage:x"), "SELECT 1")

    assert (private_dir / "password").stat().st_mode & 0o777 == 0o600


async def test_databases_are_made_from_templates_and_dropped_under_their_users(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
        await write(await postgres.create_database("model"), "CREATE TABLE t AS SELECT 7 AS n")
        copy = await postgres.create_database('a "copy"', template="model")
        user = await asyncpg.connect(copy)

        assert await user.fetchval("SELECT n FROM t") == 7

        await postgres.drop_database('a "copy"')
        await postgres.drop_database('a "copy"')
        assert await value(postgres.dsn(), "SELECT count(*) FROM pg_database WHERE datname LIKE '%copy%'") == 0
        user.terminate()


async def test_a_killed_server_comes_back_on_the_same_port_with_its_data(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir) as postgres:
        dsn = postgres.dsn()
        await write(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        busy = await asyncpg.connect(dsn)
        assert postgres.pid is not None
        os.kill(postgres.pid, signal.SIGKILL)

        assert await postgres.wait() == -signal.SIGKILL
        assert await postgres.start() == dsn

        assert await value(dsn, "SELECT answer FROM kept") == 42
        busy.terminate()


async def test_a_second_server_on_the_same_directory_is_refused_in_one_sentence(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir, is_durable=False):
        with pytest.raises(EmbeddedPostgresError, match=f"in use by process {os.getpid()};"):
            await EmbeddedPostgres(private_dir).start()


async def test_a_cluster_of_another_major_version_is_refused_and_left_alone(private_dir: Path) -> None:
    async with EmbeddedPostgres(private_dir, is_durable=False):
        pass
    (private_dir / "cluster" / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedPostgresError, match="written by Postgres 9 and this is Postgres"):
        await EmbeddedPostgres(private_dir).start()

    assert (private_dir / "cluster" / "base").is_dir()


async def test_a_stale_pid_file_that_names_a_stranger_does_not_hinder_the_start(private_dir: Path) -> None:
    """After a crash and a reboot the number belongs to anybody; the stranger must live."""
    async with EmbeddedPostgres(private_dir, is_durable=False):
        pass
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        (private_dir / "cluster" / "postmaster.pid").write_text(f"{stranger.pid}\n/nowhere\n0\n1\n\n\n\n\n")

        async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
            assert await value(postgres.dsn(), "SELECT 1") == 1

        assert stranger.poll() is None
        stranger.kill()


OWNER = """
import asyncio, sys
from agentmessage.embedded import EmbeddedPostgres
async def main():
    async with EmbeddedPostgres(sys.argv[1]) as postgres:
        print(postgres.pid, postgres.dsn(), flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


UNTIED = """
from agentmessage.embedded.account import Account
tied = Account.command
Account.command = lambda self, *arguments, death_signal: tied(self, *arguments, death_signal=0)
"""


async def test_the_server_does_not_outlive_a_killed_owner(private_dir: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(private_dir)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline().split()[0])
        assert is_alive(pid)

        owner.kill()

        await until(lambda: not is_alive(pid))


async def test_an_orphaned_server_is_stopped_before_a_new_one_starts(private_dir: Path) -> None:
    """Where the kernel cannot pass on the owner's death, the next start finds the orphan by its directory."""
    script = UNTIED + OWNER
    with subprocess.Popen([sys.executable, "-c", script, str(private_dir)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, dsn = owner.stdout.readline().split()
        await write(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        owner.kill()
    assert is_alive(int(pid))

    async with EmbeddedPostgres(private_dir) as postgres:
        assert not is_alive(int(pid))
        assert await value(postgres.dsn(), "SELECT answer FROM kept") == 42


async def test_a_half_made_cluster_is_thrown_away(private_dir: Path) -> None:
    draft = private_dir / "cluster.draft-abc"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
        assert await value(postgres.dsn(), "SELECT 1") == 1

    assert not draft.exists()


@needs_root
@pytest.mark.parametrize("name", ["postgres", "nobody"])
async def test_root_gives_the_server_to_an_unprivileged_account(
    private_dir: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PREFERRED_NAMES", (name, "nobody"))

    async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
        status = Path("/proc", str(postgres.pid), "status").read_text()
        owner = (private_dir / "cluster").stat().st_uid

    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    groups = next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]
    assert set(uids) == {str(owner)}
    assert owner != 0
    assert groups == []


@needs_root
async def test_programs_out_of_reach_are_copied_once_and_foreign_copies_are_refused(
    private_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment below root's home cannot be entered by the account that runs Postgres."""
    copies = Path(tempfile.mkdtemp())
    copies.chmod(0o755)
    hidden = tmp_path / "hidden"
    shutil.copytree(programs._installed()[0] / programs.INSTALLATION, hidden / programs.INSTALLATION)
    shutil.copytree(programs._installed()[0] / programs.LIBRARIES, hidden / programs.LIBRARIES)
    hidden.chmod(0o700)
    monkeypatch.setattr(programs, "COPY_PARENT", copies)
    monkeypatch.setattr(programs, "_installed", lambda: (hidden, "1-x"))

    async with EmbeddedPostgres(private_dir, is_durable=False) as postgres:
        ran_from = Path("/proc", str(postgres.pid), "exe").readlink()
    made = [path.name for path in copies.iterdir()]
    (copies / made[0]).chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="only this user can write"):
        await EmbeddedPostgres(private_dir).start()

    assert made == ["agentmessage-postgres-1-x"]
    assert ran_from.is_relative_to(copies)
    shutil.rmtree(copies)


def run_as_nobody(*command: str | Path) -> subprocess.CompletedProcess[str]:
    nobody = pwd.getpwnam("nobody")
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PATH": os.defpath}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd="/", env=environment,
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
    )  # fmt: skip


def interpreter_for_nobody() -> str | None:
    """An interpreter that an ordinary user can reach: the one of the tests may lie below root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            if run_as_nobody(candidate, "-c", "import asyncpg, agentmessage").returncode == 0:
                return candidate
        except OSError:
            continue
    return None


@needs_root
def test_an_ordinary_user_needs_nothing_special() -> None:
    interpreter = interpreter_for_nobody()
    if interpreter is None:
        pytest.skip("no interpreter that an ordinary user can reach")
    home = Path(tempfile.mkdtemp())
    shutil.chown(home, "nobody")
    script = OWNER.replace("await asyncio.sleep(3600)", "print('up')")

    result = run_as_nobody(interpreter, "-c", script, home / "data")

    assert "up" in result.stdout, result.stderr
    shutil.rmtree(home)
