"""What holds for every command of those who text: it serves people and programs, and fails in one sentence."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import agentmessage
from agentmessage.cli import numbers
from agentmessage.cli.main import app
from tests.cli.conftest import Customer
from tests.cli.terminal import Terminal
from tests.proofs.running import clean_environment
from tools.sdk.contract import Contract

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "guides" / "cli.md"
REFERENCE = DOCS / "reference" / "cli.md"
OPERATORS = {"up", "demo", "serve", "work", "simulate", "migrate", "admin"}
OURS = "+14155550123"
SOURCE = Path(agentmessage.__file__).parent
NAMED = re.compile(r"`agentmessage ((?:[a-z]+(?:-[a-z]+)* ?){1,3})")
BY_ANOTHER_NAME = {"messages.create_media_upload", "inbound_messages.wait"}
"""Called by `messages.upload_media` (`messages send --media FILE`) and by `messages.wait_for_reply`."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of those who text, by the words that name it."""
    for name, command in group.commands.items():
        if not path and name in OPERATORS:
            continue
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_operation_of_the_contract_has_a_command() -> None:
    """All of it from a terminal: whatever a program can do, some command does by the client library."""
    called = {
        ast.unparse(call.func).removeprefix("client.").removeprefix("self._client.")
        for file in (SOURCE / "cli").glob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    }
    operations = {f"{one.family}.{one.name}" for one in Contract.read().operations}

    assert sorted(operations - called - BY_ANOTHER_NAME) == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_serves_programs_and_profiles(words: tuple[str, ...]) -> None:
    options = {name for parameter in COMMANDS[words].params for name in parameter.opts}

    assert {"--json", "--profile"} <= options


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_and_argument_is_explained(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]

    assert command.help
    assert [one.name for one in command.params if not getattr(one, "help", None)] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_reference(words: tuple[str, ...]) -> None:
    assert f"\n### {' '.join(words)}\n" in REFERENCE.read_text()


def test_the_guide_names_no_command_that_is_not_there() -> None:
    named = {tuple(words.split()) for words in NAMED.findall(GUIDE.read_text())}
    groups = {words[:depth] for words in COMMANDS for depth in (1, 2)}

    unknown = [
        words
        for words in named
        if words[0] not in OPERATORS and words not in groups and not any(words[:n] in COMMANDS for n in (1, 2, 3))
    ]

    assert unknown == []


def test_a_pipe_gets_plain_utf_8(terminal: Terminal, customer: Customer) -> None:
    """Also where the locale is not UTF-8, and where colors are asked for by a terminal's name."""
    sender = customer.number(OURS)
    customer.run("UPDATE phone_numbers SET label = 'Zahnärzte' WHERE id = $1", sender.id)

    ended = terminal.process("numbers", "list", LC_ALL="C", PYTHONIOENCODING="ascii", TERM="xterm-256color")

    assert (ended.status, ended.err) == (0, "")
    assert OURS in ended.out
    assert "\x1b" not in ended.out
    assert "Zahnärzte" in ended.out


def test_a_reader_that_leaves_early_is_no_failure_to_speak_of(terminal: Terminal) -> None:
    """As in `agentmessage wallet fees | head -1`."""
    with terminal.following("wallet", "fees", "--json") as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(30)
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("numbers", "list", "--json"), 0),
        (("numbers", "get", "+14155550199"), 1),
        (("numbers", "get"), 2),
        (("numbers", "list", "--limit", "many"), 2),
        (("numbers", "paint"), 2),
        (("numbers", "list", "--profile", "nobody"), 0),
    ],
)
def test_a_process_ends_as_it_is_written_down(terminal: Terminal, words: tuple[str, ...], status: int) -> None:
    """The environment wins over a profile, also over one that is not there."""
    ended = terminal.process(*words)

    assert ended.status == status
    assert "Traceback" not in ended.err


def test_nobody_answers_is_status_3_and_no_key_is_4(terminal: Terminal, bare: Terminal) -> None:
    away = terminal.process("numbers", "list", AGENTMESSAGE_BASE_URL="http://127.0.0.1:9")
    keyless = bare.process("numbers", "list")

    assert (away.status, len(away.err.splitlines())) == (3, 1)
    assert (keyless.status, len(keyless.err.splitlines())) == (4, 1)


def test_a_fault_of_ours_is_a_sentence_too_and_its_trace_is_there_for_the_asking(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "newest", lambda *_: [object()])

    ended = terminal("numbers", "list")

    assert ended.status == 70
    assert ended.err.startswith("agentmessage: This is a fault of ours: AttributeError: 'object' object has no")
    assert len(ended.err.splitlines()) == 1
    terminal.environment["AGENTMESSAGE_DEBUG"] = "1"
    with pytest.raises(AttributeError):
        terminal("numbers", "list")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete(bare: Terminal, shell: str) -> None:
    shown = bare.process("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert "_AGENTMESSAGE_COMPLETE" in shown.out


def test_completion_knows_the_commands() -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [Path(sys.executable).parent / "agentmessage"],
        env=clean_environment(
            _AGENTMESSAGE_COMPLETE="complete_bash", COMP_WORDS="agentmessage webhooks l", COMP_CWORD="2"
        ),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout.split() == ["list", "listen"]


def test_no_command_imports_the_platform() -> None:
    """Counted in modules, since seconds depend on the machine."""
    script = """
import sys
import agentmessage.cli.main, agentmessage.cli.doctor_checks, agentmessage.cli.webhook_forwarder
from agentmessage.sdk import AgentMessage
AgentMessage(api_key="am_live_x").close()
print(*(name for name in sys.modules if name.startswith("agentmessage.")), sep="\\n")
"""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )

    rooms = {name.split(".")[1] for name in done.stdout.split()}
    assert rooms == {"cli", "sdk"}


def test_help_imports_no_client() -> None:
    script = "import sys; import agentmessage.cli.main; print(*sys.modules, sep='\\n')"

    loaded = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()

    assert {"httpx2", "rich.table"}.isdisjoint(loaded)
    assert not any(name.startswith("agentmessage.sdk") for name in loaded)
