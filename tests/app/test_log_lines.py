"""What a process prints is one JSON object a line, whoever says it; and little is said that nobody needs."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentmessage.embedded import EmbeddedPostgres
from agentmessage.kernel.db import CellDb
from tests.cli.test_parts import environment, free_port, run, status, until
from tests.conftest import ENCRYPTION_KEY

# ruff: noqa: S603 - commands are our own

pytestmark = pytest.mark.processes

EVERYTHING = """
import asyncio, logging, threading, warnings
from agentmessage.app.logging import configure_log
configure_log("info", process="test", form="json")
warnings.warn("a warning\\nof two lines")
logging.getLogger("uvicorn.error").error("a library", exc_info=ValueError("its cause"))
logging.getLogger("uvicorn.error").info("chatter")
logging.getLogger("somebody").info("%d things", "not a number")

class Ends:
    def __del__(self):
        raise ValueError("while it was collected")

Ends()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start(); thread.join()

async def fails():
    raise ValueError("nobody asked")

async def main():
    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    del task
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)

asyncio.run(main())
raise RuntimeError("the end\\nof it")
"""


def lines_of(printed: str) -> list[Mapping[str, Any]]:
    """Every line as the object that it is."""
    return [json.loads(line) for line in printed.splitlines()]


LOCALS = """
import structlog
from agentmessage.app.logging import configure_log
configure_log("info", process="test", form=FORM)

def send(body):
    raise ValueError("no carrier")

try:
    send("Your code is 123" + str(456))
except ValueError:
    structlog.get_logger().exception("job failed")
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_error_is_logged_without_the_variables_of_its_functions(form: str) -> None:
    program = LOCALS.replace("FORM", repr(form))

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr

    assert "ValueError: no carrier" in printed
    assert "123456" not in printed


def test_warnings_libraries_and_uncaught_errors_are_objects_too() -> None:
    done = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=False, timeout=60)

    lines = lines_of(done.stderr)

    told = json.dumps(lines)
    for words in ("a warning", "a library", "its cause", "while it was collected", "nobody asked", "the end"):
        assert words in told
    assert told.count("ZeroDivisionError: division by zero") == 2
    assert "chatter" not in told
    assert lines[-1]["event"] == "uncaught"
    assert (done.returncode, done.stdout) == (1, "")


class Part:
    """One process of the platform and what it printed."""

    def __init__(self, words: tuple[str, ...], changes: Mapping[str, str], directory: Path) -> None:
        self._out = directory / f"{words[0]}.printed"
        with self._out.open("wb") as out:
            command = [sys.executable, "-m", "agentmessage", *words]
            self.process = subprocess.Popen(command, env=environment(**changes), stdout=out, stderr=out)

    @property
    def lines(self) -> list[Mapping[str, Any]]:
        return lines_of(self._out.read_text())

    def has(self, event: str, **words: str) -> bool:
        return any(line["event"] == event and words.items() <= line.items() for line in self.lines)

    def stop_twice(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Part]]:
    """Starts parts whose log is JSON."""
    parts: list[Part] = []

    def begin(*words: str, **changes: str) -> Part:
        settings = {"AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY, "AGENTMESSAGE_LOG_FORMAT": "json", **changes}
        parts.append(Part(words, settings, tmp_path))
        return parts[-1]

    yield begin
    for part in parts:
        part.process.kill()
        part.process.wait()


async def test_a_part_says_when_it_starts_stops_and_loses_something(
    dsn: str, db: CellDb, start: Callable[..., Part], tmp_path: Path
) -> None:
    """No more than that, even when the database is gone for a while and the second SIGTERM comes at once."""
    port, smpp, http = free_port(), free_port(), free_port()
    settings = {
        "DATABASE_URL": dsn,
        "AGENTMESSAGE_SIMULATOR_URL": f"http://127.0.0.1:{http}",
        "AGENTMESSAGE_SIMULATOR_SMPP_PORT": str(smpp),
        "AGENTMESSAGE_ACCESS_LOG": "true",
    }
    api = start("serve", "--port", str(port), **settings)
    worker = start("work", **settings)
    simulator = start("simulate", "--port", str(http), "--smpp-port", str(smpp), "--data-dir", str(tmp_path / "sim"))
    base = f"http://127.0.0.1:{port}"
    await asyncio.to_thread(until, lambda: status(f"{base}/readyz") == 200)
    await asyncio.to_thread(until, lambda: worker.has("process started"))

    await db.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()"
    )
    await asyncio.to_thread(until, lambda: status(f"{base}/readyz") == 200)
    codes = [part.stop_twice() for part in (api, worker)]
    simulator.stop_twice()

    assert codes == [0, 0]
    name = dsn.rpartition("/")[2]
    (started,) = [line for line in api.lines if line["event"] == "process started"]
    assert started["address"] == f"127.0.0.1:{port}"
    assert started["database"].endswith(f"/{name}")
    assert "agentmessage:" not in started["database"]
    assert started["cells"] == ["cell_00"]
    assert started["carriers"]["live"] == {
        "numbers": "simulator",
        "messages": ["bandwidth", "smpp"],
        "is_simulated": True,
    }
    assert started["version"]
    assert worker.has("process started")
    assert api.lines[-1]["event"] == worker.lines[-1]["event"] == "process stopped"
    assert "exception" not in json.dumps([*api.lines, *worker.lines, *simulator.lines])
    asked = [line for line in api.lines if line["event"] == "request completed"]
    assert {"GET /readyz"} == {f"{line['method']} {line['path']}" for line in asked}
    assert all(line["request_id"] and line["duration_ms"] >= 0 for line in asked)
    assert simulator.lines[0]["event"].startswith(f"simulator ready on http://127.0.0.1:{http} ")


@pytest.mark.parametrize("command", ["serve", "work"])
async def test_an_unmigrated_database_is_one_sentence_and_status_2(postgres: EmbeddedPostgres, command: str) -> None:
    url = await postgres.create_database(f"unmigrated_{command}", template="template1")
    given = {"DATABASE_URL": url, "AGENTMESSAGE_ENCRYPTION_KEY": ENCRYPTION_KEY}

    plain = await asyncio.to_thread(run, command, **given)
    as_json = await asyncio.to_thread(run, command, **given, AGENTMESSAGE_LOG_FORMAT="json")
    await postgres.drop_database(f"unmigrated_{command}")

    assert (plain.returncode, as_json.returncode) == (2, 2)
    assert plain.stderr.startswith("agentmessage: The database at 127.0.0.1:")
    assert "run `agentmessage migrate`" in plain.stderr
    assert len(plain.stderr.splitlines()) == 1
    (line,) = lines_of(as_json.stderr)
    assert "run `agentmessage migrate`" in line["event"]


async def test_queries_and_the_tokens_of_links_are_in_no_access_line(dsn: str, start: Callable[..., Part]) -> None:
    port = free_port()
    api = start("serve", "--port", str(port), DATABASE_URL=dsn, AGENTMESSAGE_ACCESS_LOG="true")
    base = f"http://127.0.0.1:{port}"
    await asyncio.to_thread(until, lambda: status(f"{base}/healthz") == 200)

    for path in ("/v1/messages?to=%2B12125550188", "/consent/SECRET", "/media/cell_00/SECRET?x=SECRET"):
        await asyncio.to_thread(status, f"{base}{path}")

    assert api.stop_twice() == 0
    shown = json.dumps([line for line in api.lines if line["event"] == "request completed"])
    assert "/v1/messages" in shown
    assert "SECRET" not in shown
    assert "2125550188" not in shown
