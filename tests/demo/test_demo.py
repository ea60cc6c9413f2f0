"""`agentmessage demo`: it runs to the end on real platforms, and fails with a fix at any unexpected state."""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from agentmessage.demo.client import Client, DemoFailed, DemoTarget, account_of
from agentmessage.demo.console import Screen
from agentmessage.demo.messages import MessageSteps
from agentmessage.demo.numbers import NumberSteps, require_fiction
from agentmessage.demo.steps import StepRunner

# ruff: noqa: S310, S603 - addresses and commands are our own

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("demo")]

TITLES = (
    "Search for numbers",
    "Order both",
    "File a brand",
    "The registry verifies it",
    "File a campaign",
    "Carrier and operators approve it",
    "Change a binding in the carrier portal",
    "Attach the campaign",
    "The carrier accepts the order",
    "Every operator has it",
    "Read the carrier line option",
    "Check a message with preflight",
    "Ask the contact for consent",
    "The handset replies YES",
    "Send a message",
    "The contact replies",
    "Read the conversation",
    "Drop the SMPP connection",
    "An operator filters a message",
    "Schedule a message for tomorrow",
    "The contact says STOP",
    "Send to them anyway",
    "The contact says START",
    "Read the history of the message",
    "Detach the campaign",
    "Detach it again",
    "The carrier accepts the unbind order",
    "No operator has the number",
    "The changed binding is repaired",
    "Read the events",
)
TIMEOUT_S = 2.0


class DemoRun:
    """One finished run of the demo."""

    def __init__(self, *options: str) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "agentmessage", "demo", *options],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env=clean_environment(),
        )
        self.status = ended.returncode
        self.lines = ended.stdout.splitlines()
        self.errors = ended.stderr

    def titles(self) -> list[str]:
        return [line.split("  ok  ")[1].partition(":")[0] for line in self.lines if "  ok  " in line]


def clean_environment(**more: str) -> dict[str, str]:
    return {**{name: text for name, text in os.environ.items() if not name.startswith("AGENTMESSAGE_")}, **more}


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.05)


def control(ready: dict[str, Any], path: str, body: dict[str, Any]) -> None:
    url = f"{ready['simulator_url']}/_control/{path}"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()), timeout=10) as response:
        assert response.status == 200


@pytest.fixture(scope="module")
def ready_file() -> Iterator[Path]:
    """A running platform whose simulator has no delays."""
    with tempfile.TemporaryDirectory(prefix="agentmessage-test-demo-") as directory:
        file = Path(directory) / "ready.json"
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", f"{directory}/data", "--port", "0"]
        command += ["--profile", "instant", "--ready-file", str(file)]
        with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL) as process:
            until(lambda: file.exists() or process.poll() is not None)
            yield file
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0


@pytest.fixture
def ready(ready_file: Path) -> Iterator[dict[str, Any]]:
    note = json.loads(ready_file.read_bytes())
    yield note
    control(note, "reset", {})


def test_on_a_platform_of_its_own_every_state_is_reached_and_nothing_is_left(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agentmessage", "demo", "--profile", "instant"]
    environment = clean_environment(TMPDIR=str(tmp_path), AGENTMESSAGE_BANDWIDTH_USERNAME="real")

    run = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, env=environment)

    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line for line in run.stdout.splitlines() if "  ok  " in line]
    assert [line.split("  ok  ")[1].partition(":")[0] for line in lines] == ["Start a platform", *TITLES]
    assert "\x1b" not in run.stdout, "a pipe gets plain lines"
    assert list(tmp_path.glob("agentmessage-demo-*")) == []
    assert still_running(tmp_path) == []


def test_an_interrupted_demo_stops_its_platform(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agentmessage", "demo"]
    environment = clean_environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        until(lambda: "Search for numbers" in (process.stdout.readline() if process.stdout else ""))

        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 130
    assert list(tmp_path.glob("agentmessage-demo-*")) == []
    assert still_running(tmp_path) == []


def still_running(directory: Path) -> list[str]:
    """Command lines of running processes that name the directory."""
    found: list[str] = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in words:
            found.append(words)
    return found


def test_on_a_running_platform_it_can_run_again_and_again(ready_file: Path) -> None:
    """The second time the organization already has a brand, so it becomes a reseller to file another."""
    for extra in (set[str](), {"Become a reseller"}):
        run = DemoRun("--ready-file", str(ready_file), "--sandbox")

        assert run.status == 0, run.lines
        assert set(run.titles()) - set(TITLES) == extra
        assert [title for title in run.titles() if title not in extra] == list(TITLES)


def test_a_platform_can_be_named_by_its_address_and_a_key(ready: dict[str, Any]) -> None:
    options = ["--base-url", ready["base_url"], "--api-key", ready["second_org_api_key"]]

    run = DemoRun(*options, "--simulator-url", ready["simulator_url"])

    assert run.status == 0, run.lines


def test_a_state_that_does_not_come_ends_it_with_status_1_and_a_fix(ready: dict[str, Any], ready_file: Path) -> None:
    control(ready, "faults", {"probabilities": {"order_stuck": {"probability": 1, "operation": "lines."}}})

    run = DemoRun("--ready-file", str(ready_file), "--timeout", str(TIMEOUT_S))

    assert run.status == 1
    assert run.titles()[-1] == "Attach the campaign"
    assert f"After {TIMEOUT_S:g} s the carrier side is bind" in run.lines[-2]
    assert "POST /_control/reset" in run.lines[-1]


def test_an_error_ends_it_with_the_code_and_its_page(ready: dict[str, Any]) -> None:
    run = DemoRun("--base-url", ready["base_url"], "--api-key", "am_live_no", "--simulator-url", ready["simulator_url"])

    assert run.status == 1
    assert "401 instead of 200: UNAUTHORIZED" in run.lines[-2]
    assert "docs/reference/errors.md#unauthorized" in run.lines[-1]


def test_a_platform_that_does_not_respond_ends_it_with_status_1() -> None:
    options = ["--base-url", "http://127.0.0.1:1", "--api-key", "x", "--simulator-url", "http://127.0.0.1:1"]

    run = DemoRun(*options)

    assert run.status == 1
    assert "http://127.0.0.1:1 did not respond" in run.lines[-2]


def test_a_missing_ready_file_is_one_clear_sentence(tmp_path: Path) -> None:
    run = DemoRun("--ready-file", str(tmp_path / "none.json"))

    assert run.status == 1
    assert "is not the ready file of a running platform" in run.lines[0]
    assert "agentmessage up --ready-file" in run.lines[1]


def test_half_an_address_is_rejected(ready_file: Path) -> None:
    run = DemoRun("--base-url", "http://127.0.0.1:1", "--ready-file", str(ready_file))

    assert run.status == 1
    assert "together, without --ready-file" in run.errors


def test_a_message_without_a_final_status_ends_it(ready: dict[str, Any], ready_file: Path) -> None:
    control(ready, "faults", {"probabilities": {"receipt_lost": 1}})

    run = DemoRun("--ready-file", str(ready_file), "--sandbox", "--timeout", str(TIMEOUT_S))

    assert run.status == 1
    assert run.titles()[-1] == "The handset replies YES"
    assert f"After {TIMEOUT_S:g} s the message is sent" in run.lines[-2]
    assert "admin messages status" in run.lines[-1]


@pytest.fixture
async def steps(ready: dict[str, Any]) -> AsyncIterator[StepRunner]:
    """A step runner without output."""
    api, simulator = Client(ready["base_url"], api_key=ready["api_key"]), Client(ready["simulator_url"])
    target = DemoTarget(api, simulator, account_of(ready["api_key"]))
    yield StepRunner(target, Screen(Console(quiet=True)), timeout_s=1)
    await api.close()
    await simulator.close()


async def test_an_api_that_says_settled_is_not_believed_when_the_oracle_says_otherwise(
    ready: dict[str, Any], steps: StepRunner
) -> None:
    """The carrier has the number on a campaign; a check that it has none fails."""
    number = "+13055550150"
    control(ready, "campaigns/CORACLE", {"create": True, "status": "ACTIVE"})
    control(ready, "numbers", {"numbers": [number], "campaign": "CORACLE"})
    numbers = NumberSteps(steps)

    with steps.step("agree") as step:
        await numbers.agree(step, number, "CORACLE")
        with pytest.raises(DemoFailed, match="but the carrier has"):
            await numbers.agree(step, number, None)


async def test_an_api_that_says_delivered_is_not_believed_when_the_handset_has_nothing(steps: StepRunner) -> None:
    messages = MessageSteps(steps, {"id": "x", "number": "+13055550151"})

    with steps.step("arrive") as step, pytest.raises(DemoFailed, match="does not have “hello”"):
        await messages.arrived_once(step, "+13235550141", "hello")


async def test_a_request_is_retried_after_429() -> None:
    """A new organization may send one message a second; the demo must not fail at that."""
    asked_at: list[float] = []

    async def answer(_: web.Request) -> web.Response:
        asked_at.append(time.monotonic())
        if len(asked_at) == 1:
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"data": {"status": "queued"}}, status=202)

    app = web.Application()
    app.router.add_post("/v1/messages", answer)
    async with TestServer(app) as server:
        client = Client(str(server.make_url("")))

        exchange = await client.call("POST", "/v1/messages", {}, expect=202)

        await client.close()
    assert exchange.data == {"status": "queued"}
    assert asked_at[1] - asked_at[0] >= 1


def test_real_numbers_are_never_bought() -> None:
    require_fiction(["+14155550100", "+12125550199"])

    with pytest.raises(DemoFailed, match="spends no real money") as failed:
        require_fiction(["+14155550100", "+14155550200"])

    assert "--sandbox" in failed.value.fix


def test_a_terminal_gets_marks_and_the_exchange_below() -> None:
    console = Console(force_terminal=True, width=100, record=True, file=io.StringIO())
    screen = Screen(console)

    with screen.step("Attach the campaign") as step:
        step.says("carrier side pending")
    screen.print_failure("It failed", "Do this")

    shown = console.export_text()
    assert " ✓ Attach the campaign  carrier side pending" in shown
    assert " ✗  It failed" in shown
    assert "Do this" in shown
