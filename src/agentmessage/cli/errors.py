"""What a person at the terminal sees when a command cannot do its work: one sentence, and an exit status."""

import contextlib
import os
import sys
from collections.abc import Generator
from typing import NoReturn

FAILED = 1
"""Refused, not found, or a check that does not hold."""
MISUSED = 2
"""The status of the shell's own tools for a wrong option; also for a bad setting."""
UNREACHABLE = 3
"""Nobody answered; what was asked may or may not have happened."""
UNAUTHORIZED = 4
"""No key, a wrong one, or one without the scope."""
TIMED_OUT = 5
"""What was waited for did not come."""
FAULTY = 70
"""A bug of ours (EX_SOFTWARE of sysexits.h)."""
STOPPED = 130

PARTS = frozenset({"up", "serve", "work", "simulate"})
DEBUG_VARIABLE = "AGENTMESSAGE_DEBUG"
NOT_ALLOWED = frozenset({401, 403})


class Failure(Exception):
    """A command cannot do its work; the message is the sentence to print, `status` how the process ends."""

    def __init__(self, sentence: str, *, status: int = FAILED) -> None:
        super().__init__(sentence)
        self.status = status


@contextlib.contextmanager
def in_one_sentence() -> Generator[None]:
    """Turn what is known to go wrong into a sentence on standard error; anything else is a bug and keeps its trace."""
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
    """For commands of customers: a bug becomes a sentence, too, unless AGENTMESSAGE_DEBUG asks for its trace."""
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
    """Say why, and end with the status."""
    from agentmessage.cli.tables import say  # noqa: PLC0415 - see the room's front page

    if is_json_asked() and sys.argv[1:2] and sys.argv[1] in PARTS:
        import json  # noqa: PLC0415

        sys.stderr.write(json.dumps({"level": "critical", "event": sentence, "process": sys.argv[1]}) + "\n")
    else:
        say(f"agentmessage: {sentence}", is_harm=True)
    sys.exit(status)


def is_json_asked() -> bool:
    """The log is to be JSON whoever reads it, so also the sentence that a part of the platform ends with."""
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
