"""The ceiling of webhooks: a bare aiohttp loop that signs the same bodies and posts them, and remembers nothing.

    python -m bench.webhook_loop URL BODIES_FILE IN_FLIGHT

BODIES_FILE has one body a line; each is sent once, and two figures are printed: how many a second, and
microseconds of processor time for each.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import uvloop

from agentmessage.webhooks.signing import signature_headers

SECRET = b"s" * 32


async def tell(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes]) -> None:
    """Send as long as there is something."""
    for body in bodies:
        headers = signature_headers((SECRET,), message_id=body[7:47].decode(), timestamp=int(time.time()), body=body)
        headers["content-type"] = "application/json"
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()


async def main(url: str, lines: Sequence[bytes], in_flight: int) -> None:
    """Send everything, so many at once."""
    bodies = iter(lines)
    started, begun = time.perf_counter(), time.process_time()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:
        await asyncio.gather(*(tell(session, url, bodies) for _ in range(in_flight)))
    print(len(lines) / (time.perf_counter() - started), (time.process_time() - begun) / len(lines) * 1e6)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes().splitlines(), int(sys.argv[3])))
