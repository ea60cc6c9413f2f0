"""docs/quickstart.md and the README, pasted block by block into a shell next to a running platform."""

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

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "docs" / "quickstart.md", ROOT / "README.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
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
def directory() -> Iterator[Path]:
    """A directory in whose `var` a platform runs."""
    with tempfile.TemporaryDirectory(prefix="agentmessage-test-quickstart-") as name:
        directory = Path(name)
        ready_file = directory / "var" / "ready.json"
        command = [sys.executable, "-m", "agentmessage", "up", "--data-dir", str(directory / "var"), "--port", "0"]
        command += ["--profile", "instant"]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("AGENTMESSAGE_")}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not ready_file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline, "it did not start"
                time.sleep(0.05)
            yield directory
            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0


def paste(directory: Path, *blocks: str) -> "subprocess.CompletedProcess[str]":
    """Run blocks in one shell that ends at the first command that fails."""
    script = "set -eu -o pipefail\n" + "\n".join(blocks)
    return subprocess.run(
        ["bash", "-c", script], cwd=directory, capture_output=True, text=True, timeout=90, check=False
    )


def test_a_block_that_is_pasted_twice_or_rejected_says_so_and_ends(directory: Path) -> None:
    """Nothing loops for ever, and the reason is on the screen."""
    first, _, _, brand, *_ = BLOCK.findall(PAGE.read_text())

    twice = paste(directory, first, brand, brand, 'echo "BRAND $BRAND"')
    rejected = paste(directory, first, brand.replace("my-first-brand", "another"))

    assert twice.returncode == 0, twice.stderr
    assert "BRAND 0" in twice.stdout
    assert rejected.returncode != 0
    assert 'Rejected: {"code": "RESELLER_REQUIRED"' in rejected.stderr


def test_no_block_states_an_address_of_its_own() -> None:
    """Ports may be taken; a block that states one would speak with the program that has it."""
    assert not re.search(r"127\.0\.0\.1|localhost|80[89]0", "".join(BLOCK.findall(PAGE.read_text())))


def test_the_quickstart_works_as_it_is_written(directory: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 12

    done = paste(directory, *blocks)

    assert done.returncode == 0, done.stdout + done.stderr
    refusals = [json.loads(line)["error"]["code"] for line in done.stdout.splitlines() if '"success":false' in line]
    assert refusals == ["RECIPIENT_OPTED_OUT"], "the one that the page announces"
    told = [line for line in done.stdout.splitlines() if line in EVENTS]
    assert list(dict.fromkeys(told)) == EVENTS, "a STOP is confirmed by a text of its own, hence more of them"


def test_the_readme_sends_a_message_and_receives_a_reply(directory: Path) -> None:
    (block,) = BLOCK.findall(README.read_text())

    done = paste(directory, block)

    assert done.returncode == 0, done.stderr
    assert '"status":"queued"' in done.stdout
    assert '"body":"C, see you on Monday"' in done.stdout
