"""Chromium without a screen, spoken to in its own protocol: opens a page and tells when a condition came true."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ADDRESS = re.compile(rb"ws://127\.0\.0\.1:(\d+)/")
PATIENCE_S = 60.0
WATCH = """
const watch = setInterval(() => { if (%s) { clearInterval(watch); window.cameTrueAt = performance.now(); } }, 10);
"""


class Tab:
    """One page at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0

    async def when(self, url: str, condition: str) -> float:
        """Milliseconds from the navigation until a condition came true."""
        await self._call("Page.enable")
        await self._call("Page.addScriptToEvaluateOnNewDocument", source=WATCH % condition)
        await self._call("Page.navigate", url=url)
        return float(await self.until("window.cameTrueAt"))

    async def until(self, condition: str) -> Any:
        """Wait for a condition; answers what it was."""
        async with asyncio.timeout(PATIENCE_S):
            while not (came := await self.value(condition)):  # noqa: ASYNC110 - the page has no event for it
                await asyncio.sleep(0.05)
        return came

    async def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        answer = await self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def _call(self, method: str, **parameters: Any) -> Any:
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        while (answer := await self._socket.receive_json()).get("id") != self._calls:
            pass
        return answer["result"]


@asynccontextmanager
async def tab(folder: Path) -> AsyncGenerator[Tab]:
    """A fresh browser's tab."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # with all its helpers, which would outlive it
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := ADDRESS.search(await process.stderr.readline())) is None:
                pass
        async with aiohttp.ClientSession(f"http://127.0.0.1:{int(found[1])}") as session:
            async with session.get("/json") as listed:
                page = next(one for one in await listed.json() if one["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
