"""One JSON line per log event, on standard error; a person at a terminal gets colors instead.

Whatever a process of ours has to say goes this way: also what libraries log, warnings, and errors that nobody caught.
"""

import logging
import re
import sys
import threading
from types import TracebackType

import msgspec
import structlog
from typing_extensions import override

log = structlog.get_logger("agentmessage")

QUIET = ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "aiohttp", "asyncpg")
"""What they say below a warning is of use only to their authors."""


def configure_log(level: str, *, process: str, form: str = "auto") -> None:
    """Set up the log of this process. `level`: debug, info, warning or error; `form`: auto, json or text."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default formatter prints local variables, which hold messages and keys.
            exception_formatter=structlog.dev.plain_traceback,
        )
        if is_text
        else _render
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_rows,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    _take_over(number)


def _take_over(level: int) -> None:
    """Have libraries, warnings and uncaught errors say in the same form what they have to say."""
    logging.raiseExceptions = False
    logging.basicConfig(handlers=[_Handler()], level=max(level, logging.INFO), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda found: _say_uncaught(found.exc_value, found.err_msg or "ignored")
    threading.excepthook = lambda found: _say_uncaught(found.exc_value, "a thread ended")


class _Handler(logging.Handler):
    """Hands what was logged by the standard library to ours."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            words = record.getMessage()
        except (TypeError, ValueError):  # whoever wrote it gave what does not fit
            words = str(record.msg)
        structlog.get_logger().log(record.levelno, words.strip(), logger=record.name, exc_info=record.exc_info or False)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del kind, trace
    _say_uncaught(error, "uncaught")


def _say_uncaught(error: BaseException | None, event: str) -> None:
    if not isinstance(error, KeyboardInterrupt):
        log.critical(event, exc_info=error)


def without_rows(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What Postgres adds to an error can hold the row that it is about, and so the words of a text."""
    told = event.get("exception")
    if isinstance(told, str) and "\nDETAIL:" in told:
        event["exception"] = _DETAIL.sub("\nDETAIL: (left out)", told)
    return event


_DETAIL = re.compile(r"\nDETAIL:.*")


def _render(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
