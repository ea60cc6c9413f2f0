"""The proxies of the operating guide, as they are printed there; only addresses and certificates are ours."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from agentmessage.settings import Settings
from tests.proxies.running import Configure, documented, found, in_front, run_caddy, run_nginx
from tests.sdk.served import Served, served


def nginx(folder: Path, port: int, behind: int) -> list[str]:
    """The guide's block, without its certificate."""
    lines = [line for line in documented("nginx").splitlines() if "ssl_certificate" not in line]
    block = "\n".join(lines).replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    return list(run_nginx(folder, block.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")))


def caddy(folder: Path, port: int, behind: int) -> list[str]:
    """The guide's block, without TLS."""
    block = documented("caddy").replace("sms.example.com {", f"http://127.0.0.1:{port} {{\n\tbind 127.0.0.1")
    return list(run_caddy(folder, block.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")))


DOCUMENTED: dict[str, Configure] = {"nginx": nginx, "caddy": caddy}


@pytest.fixture
def platform(settings: Settings) -> Iterator[Served]:
    """The platform on a socket."""
    with served(settings) as running:
        yield running


@pytest.mark.parametrize("proxy", DOCUMENTED)
async def test_a_documented_proxy_lets_through_what_it_should(proxy: str, platform: Served, tmp_path: Path) -> None:
    if found(proxy) is None:
        pytest.skip(f"{proxy} is not installed (Debian: apt-get install {proxy})")
    behind = int(platform.base_url.rpartition(":")[2])
    bearer = {"authorization": f"Bearer {platform.account.key}"}
    async with (
        in_front(DOCUMENTED[proxy], tmp_path, behind) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=bearer) as client,
        asyncio.timeout(30),
    ):
        statuses = {
            path: await _status(client, path) for path in ("/v1/organization", "/healthz", "/metrics", "/readyz")
        }
        async with client.put("/media/cell_00/none", data=io.BytesIO(b"x" * 7_000_000)) as refused:
            file = await refused.json()
        async with client.get("/v1/events", headers={"accept": "text/event-stream"}) as stream:
            await stream.content.readuntil(b"\n\n")  # the opening comes at once
            patched = await client.patch("/v1/organization", json={"name": "Renamed"})
            while b"event: organization.updated" not in await stream.content.readuntil(b"\n\n"):
                pass
        async with client.get("/v1/inbound-messages/wait?timeout_s=1") as wait:
            waited = await wait.json()

    assert statuses == {"/v1/organization": 200, "/healthz": 200, "/metrics": 404, "/readyz": 404}
    assert file["error"]["code"] == "NOT_FOUND", "the platform's own answer, not the proxy's"
    assert (patched.status, waited["data"]) == (200, None)


async def _status(client: aiohttp.ClientSession, path: str) -> int:
    async with client.get(path) as answer:
        return answer.status
