"""What a person at the terminal sees when a command cannot do its work: one sentence, and an exit status."""

import contextlib
import sys
from collections.abc import Generator
from typing import NoReturn

FAILED = 1
MISUSED = 2
"""The status of the shell's own tools for a wrong option; also for a bad setting."""


EXPECTED = frozenset(
    {
        "ApiError",
        "BadSealKey",
        "CannotStart",
        "ChangedMigration",
        "EmbeddedPostgresError",
        "Failure",
        "Impossible",
        "PostgresError",
    }
)


class Failure(Exception):
    """A command cannot do its work; the message is the sentence to print."""


@contextlib.contextmanager
def in_one_sentence() -> Generator[None]:
    """Turn what is known to go wrong into a sentence on standard error; anything else is a bug and keeps its trace."""
    from agentmessage.settings import BadSetting  # noqa: PLC0415 - see the room's front page

    try:
        yield
    except BadSetting as error:
        give_up(str(error), status=MISUSED)
    except KeyboardInterrupt:
        give_up("Stopped.", status=130)
    except Exception as error:
        if not _is_expected(error):
            raise
        give_up(_words(error))


def give_up(sentence: str, *, status: int = FAILED) -> NoReturn:
    """Say why, and end with the status."""
    sys.stderr.write(f"agentmessage: {sentence}\n")
    sys.exit(status)


def _words(error: Exception) -> str:
    """What an error says, in one line: a file by its name, and of Postgres what comes before the failing row."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"Cannot use {error.filename}: {error.strerror}"
    return str(error).partition("\n")[0] or type(error).__name__


def _is_expected(error: Exception) -> bool:
    """Whether the error speaks to the person: it is one of ours, or the database or the network is away.

    Recognized by name, because importing every room for the sake of a message would slow down each command.
    """
    ours = {
        "Failure",
        "CannotStart",
        "EmbeddedPostgresError",
        "ChangedMigration",
        "Impossible",
        "BadSealKey",
        "ApiError",
    }
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & ours) or isinstance(error, OSError) or "PostgresError" in names
