"""The simulated carrier, instant and without limits, in its own process."""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

from typing_extensions import override

from bench.fixture import Server
from bench.load import free_ports


class Simulator(Server):
    """Takes texts from any sender over SMPP as `live` with the password `simulate`, and sends receipts at once."""

    def __init__(self, directory: Path, *, core: int | None = None) -> None:
        http_port, self.smpp_port = free_ports(2)
        command = [sys.executable, "-m", "agentmessage", "simulate", "--profile", "instant"]
        command += ["--port", str(http_port), "--smpp-port", str(self.smpp_port)]
        command += ["--data-dir", str(directory / "simulator")]
        super().__init__(command, http_port, {}, path="/_control/health", core=core)

    @override
    def __enter__(self) -> Self:
        super().__enter__()
        self.control("messages/settings", {"checks_senders": False})
        return self

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, body: object | None = None) -> Any:
        """A word with it."""
        raw = None if body is None else json.dumps(body).encode()
        url = f"{self.url}/_control/{path}"
        with urllib.request.urlopen(url, data=raw, timeout=60) as answer:  # noqa: S310 - loopback
            return json.load(answer)
