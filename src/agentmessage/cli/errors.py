"""What a person at the terminal sees when a command cannot do its work: one sentence, and an exit status."""

import contextlib
import os
import sys
from collections.abc import Generator
from typing import NoReturn

FAILED = 1
"""Rejected, not found, or a failed check."""
MISUSED = 2
"""Wrong options or settings, as in other command line tools."""
UNREACHABLE = 3
"""No response; the request may or may not have taken effect."""
UNAUTHORIZED = 4
"""No API key, an invalid one, or one without the scope."""
TIMED_OUT = 5
"""The wait timed out."""
FAULTY = 70
"""A bug of ours (EX_SOFTWARE of sysexits.h)."""
STOPPED = 130

PARTS = frozenset({"up", "serve", "work", "simulate"})
DEBUG_VARIABLE = "AGENTMESSAGE_DEBUG"
NOT_ALLOWED = frozenset({401, 403})


class Failure(Exception):
    """A command failed. The message is printed; `status` is the exit status."""

    def __init__(self, sentence: str, *, status: int = FAILED) -> None:
        super().__init__(sentence)
        self.status = status


@contextlib.contextmanager
def in_one_sentence() -> Generator[None]:
    """Print expected errors as one sentence on standard error. Other errors are bugs and keep their traceback."""
    from agentmessage.settings import BadSetting  # noqa: PLC0415 - see the room's front page

    try:
        yield
    except BadSetting as error:
        give_up(str(error), status=MISUSED)
    except KeyboardInterrupt:
        give_up("Stopped.", status=STOPPED)
    except Exception as error:
        if not is_expected(error):
            raise
        give_up(_in_terminal_words(error), status=_status(error))


@contextlib.contextmanager
def without_trace() -> Generator[None]:
    """For customer commands: bugs are one sentence, too, unless AGENTMESSAGE_DEBUG is set."""
    import typer  # noqa: PLC0415 - see the room's front page

    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:
        if is_expected(error) or os.environ.get(DEBUG_VARIABLE):
            raise
        words = f"This is a fault of ours: {type(error).__name__}: {_words(error)}; {DEBUG_VARIABLE}=1 shows where"
        raise Failure(words, status=FAULTY) from error


def give_up(sentence: str, *, status: int = FAILED) -> NoReturn:
    """Print the reason and exit with the status."""
    from agentmessage.cli.tables import say  # noqa: PLC0415 - see the room's front page

    if is_json_asked() and sys.argv[1:2] and sys.argv[1] in PARTS:
        import json  # noqa: PLC0415

        sys.stderr.write(json.dumps({"level": "critical", "event": sentence, "process": sys.argv[1]}) + "\n")
    else:
        say(f"agentmessage: {sentence}", is_harm=True)
    sys.exit(status)


def is_json_asked() -> bool:
    """True if logs are JSON; then the final error of a process is JSON, too."""
    from agentmessage.settings import PREFIX  # noqa: PLC0415 - see the room's front page

    return os.environ.get(f"{PREFIX}LOG_FORMAT") == "json"


def _words(error: Exception) -> str:
    """What an error says, in one line: a file by its name, and of Postgres what comes before the failing row."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"Cannot use {error.filename}: {error.strerror}"
    return str(error).partition("\n")[0] or type(error).__name__


def _in_terminal_words(error: Exception) -> str:
    """What an error says. A rejection names the operation that helps; here it is a command."""
    if "APIError" not in _kinds(error):
        return _words(error)
    from agentmessage.cli.advice import in_terminal_words  # noqa: PLC0415 - see the room's front page

    return in_terminal_words(_words(error))


def is_expected(error: Exception) -> bool:
    """Whether the error speaks to the person: it is one of ours, or the database or the network is away.

    Recognized by name, because importing every room for the sake of a message would slow down each command.
    """
    ours = {
        "Failure",
        "CannotStart",
        "EmbeddedPostgresError",
        "ChangedMigration",
        "NotUpgradable",
        "Impossible",
        "InvalidEncryptionKey",
        "ApiError",
        "AgentMessageError",
    }
    names = _kinds(error)
    return bool(names & ours) or isinstance(error, OSError) or "PostgresError" in names


def _status(error: Exception) -> int:
    """How the process ends for an expected error."""
    kinds = _kinds(error)
    if isinstance(error, Failure):
        return error.status
    if "CannotStart" in kinds:
        return getattr(error, "status", FAILED)
    if "ConfigurationError" in kinds:
        return MISUSED
    if "APIConnectionError" in kinds:
        return UNREACHABLE
    if "APIError" in kinds and getattr(error, "status", None) in NOT_ALLOWED:
        return UNAUTHORIZED
    return FAILED


def _kinds(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}
