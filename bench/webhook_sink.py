"""A receiver of webhooks that costs as little as one can: answers 200 to everything and remembers when it heard what.

    python -m bench.webhook_sink PORT

`GET /heard` answers how many requests came since the last `GET /forget`, when the first and the last did (seconds of
CLOCK_MONOTONIC, which all processes of a machine share), and when each event was heard first.
"""

import asyncio
import json
import sys
import time

import uvloop

HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
ID_AT = len(b'{"id":"evt_')
ID_LENGTH = 36


class Heard:
    """What came since it was last forgotten."""

    def __init__(self) -> None:
        self.count = 0
        self.first_at = 0.0
        self.last_at = 0.0
        self.events: dict[bytes, float] = {}

    def note(self, event_id: bytes, at: float) -> None:
        """One request."""
        self.count += 1
        self.first_at = self.first_at or at
        self.last_at = at
        self.events.setdefault(event_id, at)

    def told(self) -> bytes:
        """As JSON, in an answer."""
        body = json.dumps(
            {
                "count": self.count,
                "first_at": self.first_at,
                "last_at": self.last_at,
                "events": {key.decode(): at for key, at in self.events.items()},
            }
        ).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._buffer = b""
        self._begun_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        if not self._buffer:
            self._begun_at = time.monotonic()
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length: ")
            length = 0 if at < 0 else int(head[at + 16 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"post"):
            self._heard.note(body[ID_AT : ID_AT + ID_LENGTH], self._begun_at)
            self._transport.write(ANSWER)
        elif b"/heard" in head:
            self._transport.write(self._heard.told())
        else:
            self._heard.__init__()
            self._transport.write(ANSWER)


async def serve(port: int) -> None:
    """Until killed."""
    heard = Heard()
    server = await asyncio.get_running_loop().create_server(lambda: Sink(heard), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
