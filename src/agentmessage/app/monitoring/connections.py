"""How a worker's line to a carrier of texts stands: what its heartbeat carries, for the operator and for /metrics."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

WORKER_SILENCE = timedelta(seconds=30)
"""A worker that has not beaten for so long is not alive."""


class LineState(Struct, frozen=True):
    """One line of one worker. `is_up` None: nothing stands between two requests. `room`: texts it would take now."""

    account: str
    carrier: str
    channels: Sequence[str]
    is_up: bool | None
    room: int
