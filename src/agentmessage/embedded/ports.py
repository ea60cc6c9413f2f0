"""A loopback port that is free now and will still be free after a crash."""

import random
import socket

from agentmessage.embedded.errors import EmbeddedPostgresError

PORTS = range(20_000, 30_000)
"""Below the ports that Linux hands to outgoing connections (32768 and up), which nobody can keep for us."""

TRIES = 50


def free_port(host: str, preferred: int | None) -> int:
    """The preferred port if it can be bound, else any other; somebody may still take it before we do.

    Raises EmbeddedPostgresError when none is free.
    """
    candidates = [] if preferred is None else [preferred]
    candidates += random.sample(PORTS, TRIES)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
        return port
    message = f"No free port on {host} between {PORTS.start} and {PORTS.stop}"
    raise EmbeddedPostgresError(message)
