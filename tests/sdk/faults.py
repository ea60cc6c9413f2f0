"""A wire between client and platform that breaks on demand; what it lets through is the real platform's."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit


class Fault(Enum):
    """What becomes of one connection."""

    CUT_BEFORE = "closed before the request was read"
    CUT_AFTER = "closed when the platform has answered, before the client hears it"
    CUT_STREAM = "closed behind the first bytes of the body"


class Canned(bytes):
    """Bytes that are answered instead of the platform's."""

    @classmethod
    def answer(cls, status: int, *, body: bytes = b"", **headers: str) -> "Canned":
        """One HTTP answer that closes its connection."""
        fields = {"Content-Length": str(len(body)), "Connection": "close", **headers}
        lines = [f"HTTP/1.1 {status} Canned", *(f"{name.replace('_', '-')}: {text}" for name, text in fields.items())]
        return cls("\r\n".join([*lines, "", ""]).encode() + body)


class Wire:
    """Listens for the client. Each connection takes the next fault of `faults`, and none when there is none left."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._far = (parts.hostname or "", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.faults: deque[Fault | Canned] = deque()
        self.heads: list[bytes] = []
        """What the client sent first on each connection."""
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection that is open now."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more, and cut what is there."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        fault = self.faults.popleft() if self.faults else None
        self._open.add(near)
        with near, _hung_up(near), suppress(OSError):
            if fault is Fault.CUT_BEFORE:
                return
            first = near.recv(65536)
            self.heads.append(first)
            if isinstance(fault, Canned):
                near.sendall(fault)
            elif first:
                self._to_platform(near, first, fault)
        self._open.discard(near)

    def _to_platform(self, near: socket.socket, first: bytes, fault: Fault | None) -> None:
        with socket.create_connection(self._far) as far, _hung_up(far):
            self._open.add(far)
            far.sendall(first)
            sending = threading.Thread(target=_pump, args=(near, far), daemon=True)
            sending.start()
            if fault is Fault.CUT_AFTER:
                far.recv(65536)
                return
            _pump(far, near, until=_behind_body if fault is Fault.CUT_STREAM else None)
            self._open.discard(far)


@contextmanager
def _hung_up(one: socket.socket) -> Generator[None]:
    """Both ends hear that it is over, though another thread still reads."""
    try:
        yield
    finally:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _behind_body(sent: bytes) -> bool:
    return b"\ndata: " in sent and sent.rstrip(b"\r\n0").endswith(b"}")


def _pump(source: socket.socket, target: socket.socket, until: Callable[[bytes], bool] | None = None) -> None:
    sent = b""
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
            if until is not None and until(sent := sent + chunk):
                return


@contextmanager
def wire(base_url: str) -> Generator[Wire]:
    """A wire to a platform while the block runs."""
    one = Wire(base_url)
    try:
        yield one
    finally:
        one.close()
