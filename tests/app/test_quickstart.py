"""docs/quickstart.md, pasted block by block into a shell beside a running platform."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# ruff: noqa: S603, S607 - commands are our own

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("demo")]

PAGE = Path(__file__).parents[2] / "docs" / "quickstart.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
STATED_ADDRESS, STATED_SIMULATOR = "http://127.0.0.1:8080", "http://127.0.0.1:8090"
EVENTS = [
    "phone_number.ordered",
    "brand.created",
    "brand.vetted",
    "campaign.created",
    "campaign.approved",
    "phone_number.campaign.attached",
    "phone_number.campaign.assigned",
    "contact.opted_in",
    "message.sent",
    "message.delivered",
    "inbound_message.received",
    "contact.opted_out",
    "phone_number.campaign.detached",
    "phone_number.campaign.unassigned",
]


@pytest.fixture
def beside() -> Iterator[tuple[Path, str, str]]:
    """A directory in whose `var` a platform runs, the platform's address, and its simulator's."""
    with tempfile.TemporaryDirectory(prefix="agentmessage-test-quickstart-") as name:
        directory = Path(name)
        ready_file = directory / "ready.json"
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(directory / "var"), "--port", "0"]
        command += ["--profile", "instant", "--ready-file", str(ready_file)]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not ready_file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline, "it did not start"
                time.sleep(0.05)
            ready = json.loads(ready_file.read_bytes())
            yield directory, ready["base_url"], ready["simulator_url"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0


def test_the_quickstart_works_as_it_is_written(beside: tuple[Path, str, str]) -> None:
    directory, address, simulator = beside
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 11
    script = "set -eu -o pipefail\n" + "\n".join(blocks).replace(STATED_ADDRESS, address).replace(
        STATED_SIMULATOR, simulator
    )

    done = subprocess.run(
        ["bash", "-c", script], cwd=directory, capture_output=True, text=True, timeout=90, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    refusals = [json.loads(line)["error"]["code"] for line in done.stdout.splitlines() if '"success":false' in line]
    assert refusals == ["RECIPIENT_OPTED_OUT"], "the one that the page announces"
    told = [line for line in done.stdout.splitlines() if line in EVENTS]
    assert list(dict.fromkeys(told)) == EVENTS, "a STOP is confirmed by a text of its own, hence more of them"
