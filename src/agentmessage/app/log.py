"""One JSON line per log event, on standard error; a person at a terminal gets colors instead."""

import logging
import re
import sys

import msgspec
import structlog


def configure_log(level: str, *, process: str) -> None:
    """Set up structlog for this process; `level` is debug, info, warning or error."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    is_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer() if is_terminal else _render
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if not is_terminal else _unchanged,
            without_rows,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def without_rows(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What Postgres adds to an error can hold the row that it is about, and so the words of a text."""
    told = event.get("exception")
    if isinstance(told, str) and "\nDETAIL:" in told:
        event["exception"] = _DETAIL.sub("\nDETAIL: (left out)", told)
    return event


_DETAIL = re.compile(r"\nDETAIL:.*")


def _render(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def _unchanged(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
