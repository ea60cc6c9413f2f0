"""The whole way on real sockets: announced, uploaded in pieces, fetched by a stranger; and a worker that forgets it."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from agentmessage.embedded.ports import free_port
from agentmessage.kernel.db import CellDb
from tests.conftest import ENCRYPTION_KEY
from tests.make.accounts import Account
from tests.make.said import Said, content, say
from tests.make.texts import CONTACT, insert_consent, insert_sender
from tests.media.samples import PNG
from tests.proofs.running import clean_environment, until

pytestmark = pytest.mark.processes


@pytest.fixture
def environment(dsn: str, tmp_path: Path) -> dict[str, str]:
    """What an API process and a worker process share."""
    return clean_environment(
        DATABASE_URL=dsn,
        AGENTMESSAGE_ENCRYPTION_KEY=ENCRYPTION_KEY,
        AGENTMESSAGE_PORT=str(free_port("127.0.0.1", None)),
        AGENTMESSAGE_MEDIA_DIR=str(tmp_path / "media"),
    )


@contextmanager
def running(part: str, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "agentmessage", part], env=environment)  # noqa: S603 - ours
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
async def base_url(environment: dict[str, str]) -> AsyncIterator[str]:
    """An API process."""
    url = f"http://127.0.0.1:{environment['AGENTMESSAGE_PORT']}"

    async def answers() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    with running("serve", environment):
        await until(answers)
        yield url


async def test_a_picture_goes_to_the_carrier_and_is_forgotten_in_the_end(
    base_url: str, environment: dict[str, str], account: Account, db: CellDb, tmp_path: Path
) -> None:
    sender = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, sender)
    picture = PNG + b"\x7f" * 900_000
    old = await say(db, account.org_id, sender.id, contact="+14155550177", age=timedelta(days=91))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(picture), 10_000):
            yield picture[start : start + 10_000]

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {account.key}"}) as customer:
        announced = {"mime_type": "image/png", "byte_size": len(picture)}
        async with customer.post(f"{base_url}/v1/messages/media-upload", json=announced) as answer:
            made = (await answer.json())["data"]
        async with aiohttp.ClientSession() as nobody, nobody.put(made["upload_url"], data=pieces()) as answer:
            assert answer.status == 200, await answer.text()
        text = {"from": sender.number, "to": CONTACT, "media": [made["media_id"]]}
        async with customer.post(f"{base_url}/v1/messages", json=text) as answer:
            [url] = (await answer.json())["data"]["media"]
    async with aiohttp.ClientSession() as carrier, carrier.get(url) as answer:
        fetched = await answer.read()

    assert fetched == picture
    await db.run("UPDATE media SET expires_at = $1, needed_until = NULL", db.now)
    with running("work", environment):
        await until(lambda: is_forgotten(db, old))
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


async def is_forgotten(db: CellDb, old: Said) -> bool:
    _, _, is_redacted = await content(db, old)
    return is_redacted and await db.value("SELECT count(*) FROM media") == 0
