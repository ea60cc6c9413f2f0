"""Addresses: the socket that API processes accept from, and the URL under which it is reached."""

import socket

BACKLOG = 2048
"""Callers that may wait while nobody accepts, as during the restart of an API process."""

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not bound
"""The hosts that mean every address of the machine, and the address under which it reaches itself."""


class CannotStart(Exception):
    """A process cannot do its work from the start; the message is one sentence for the person at the terminal.

    `status` is how the process ends.
    """

    def __init__(self, sentence: str, *, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Raises CannotStart when the address cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        message = f"Cannot listen on {host}:{port} ({reason}); stop whoever does, or choose another --port"
        raise CannotStart(message) from error
    return listener


def listen_near(host: str, preferred: int) -> socket.socket:
    """A listening socket on the preferred port, or on any free one when somebody has that."""
    try:
        return listen(host, preferred)
    except CannotStart:
        return listen(host, 0)


def reached_at(host: str) -> str:
    """The host under which this machine reaches a server that listens on `host`."""
    return EVERYWHERE.get(host, host)


def url_of(host: str, port: int) -> str:
    """The URL under which this machine reaches a server that listens there."""
    reached = reached_at(host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
