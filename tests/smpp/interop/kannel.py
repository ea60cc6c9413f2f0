"""Debian's Kannel: bearerbox and smsbox, bound to our server, and an HTTP server for their callbacks."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.smpp.lines import PATIENCE_S

BEARERBOX = shutil.which("bearerbox", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
SMSBOX = shutil.which("smsbox", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
DRIVE_SMPP = Path("/usr/lib/kannel/test/drive_smpp")
"""Kannel's own carrier, from its tests (package kannel-extras): takes and delivers texts, sends no receipts."""

CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = nobody-asks
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
dlr-storage = internal
sms-resend-freq = 1
log-level = 1

group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = esme
smsc-password = secret
system-type = VMA
address-range = ""
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
max-pending-submits = 10
enquire-link-interval = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
log-level = 1

group = sendsms-user
username = tester
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{submissions}/text?from=%p&to=%P&text=%a"
"""


class Kannel:
    """A running Kannel and what it has told: texts from handsets, and what became of texts to them."""

    def __init__(self, sendsms: int, submissions: int) -> None:
        self.sendsms = sendsms
        self.submissions = submissions
        self.texts: asyncio.Queue[Mapping[str, str]] = asyncio.Queue()
        self.receipts: asyncio.Queue[Mapping[str, str]] = asyncio.Queue()
        self.bearerbox: asyncio.subprocess.Process | None = None

    async def send(self, text: str, *, to: str = "12025550199") -> str:
        """Hands a text to smsbox over HTTP, as its users do, asking for every receipt; answers what smsbox says."""
        receipt_url = f"http://127.0.0.1:{self.submissions}/receipt?type=%d&to=%P&reply=%A"
        fields = {
            "username": "tester",
            "password": "secret",
            "from": "12025550100",
            "to": to,
            "text": text,
            "dlr-mask": "31",
            "dlr-url": receipt_url,
        }
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.sendsms}/cgi-bin/sendsms", params=fields) as answer,
        ):
            return await answer.text()

    async def stop(self) -> None:
        """Asks bearerbox to stop, and waits until it has."""
        if self.bearerbox is not None and self.bearerbox.returncode is None:
            self.bearerbox.terminate()
            await self.bearerbox.wait()


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


@asynccontextmanager
async def kannel_on(smpp_port: int, folder: Path) -> AsyncIterator[Kannel]:
    """Kannel bound to a port; its log files stay in the folder."""
    assert BEARERBOX is not None
    assert SMSBOX is not None
    admin, boxes, sendsms, submissions = free_ports(4)
    kannel = Kannel(sendsms, submissions)
    runner = await _serve_callbacks(kannel)
    configuration = folder / "kannel.conf"
    configuration.write_text(
        CONFIGURATION.format(admin=admin, boxes=boxes, sendsms=sendsms, smpp=smpp_port, submissions=submissions)
    )
    kannel.bearerbox = await _start(BEARERBOX, configuration)
    await listening(boxes)
    smsbox = await _start(SMSBOX, configuration)
    try:
        await listening(sendsms)
        yield kannel
    finally:
        await kannel.stop()
        if smsbox.returncode is None:
            smsbox.terminate()
        await smsbox.wait()
        await runner.cleanup()


async def _start(program: str, configuration: Path) -> asyncio.subprocess.Process:
    log = (configuration.parent / f"{Path(program).name}.log").open("wb")
    with log:
        return await asyncio.create_subprocess_exec(program, "-v", "1", str(configuration), stdout=log, stderr=log)


async def listening(port: int) -> None:
    """Waits until somebody listens there."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def _serve_callbacks(kannel: Kannel) -> web.AppRunner:
    async def text(request: web.Request) -> web.Response:
        kannel.texts.put_nowait(dict(request.query))
        return web.Response(text="")

    async def receipt(request: web.Request) -> web.Response:
        kannel.receipts.put_nowait(dict(request.query))
        return web.Response(text="")

    app = web.Application()
    app.router.add_get("/text", text)
    app.router.add_get("/receipt", receipt)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", kannel.submissions).start()
    return runner
