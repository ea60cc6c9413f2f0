"""Erasing a contact who was sent files: what nobody else was sent is out of reach at once, and its bytes go."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from agentmessage.app.providers.media import media_store
from agentmessage.kernel.db import CellDb
from agentmessage.messages import retention
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import Sender, insert_consent, insert_sender, set_throughput
from tests.media.test_routes import fetch, stored

ANN, BEN = "+14155550177", "+14155550178"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return structs.replace(settings, media_dir=str(tmp_path / "media"))


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text both."""
    made = await insert_sender(db, account.tenant)
    await set_throughput(db, account.tenant)
    for contact in (ANN, BEN):
        await insert_consent(db, account.tenant, made, contact)
    return made


async def send(api: Client, sender: Sender, to: str, media: Sequence[str], **more: Any) -> str:
    """Send files; answers the link of the first."""
    answer = await api.post("/v1/messages", {"from": sender.number, "to": to, "media": media, **more})
    assert answer.status == 202, answer.body
    return answer.data["media"][0]


async def erase(api: Client, contact: str) -> None:
    assert (await api.post(f"/v1/contacts/{contact}/erase")).status == 200


def files(settings: Settings) -> int:
    return sum(path.is_file() for path in Path(settings.media_dir).rglob("*"))


async def test_a_file_that_only_the_contact_was_sent_is_out_of_reach_at_once_and_deleted(
    api: Client, db: CellDb, settings: Settings, sender: Sender
) -> None:
    media_id = await stored(api)
    link = await send(api, sender, ANN, [media_id], metadata={"patient": "8841"}, tag="x-ray")
    assert (await fetch(api, link)).status == 200

    await erase(api, ANN)

    assert (await fetch(api, link)).status == 404
    again = await api.post("/v1/messages", {"from": sender.number, "to": BEN, "media": [media_id]})
    assert (again.status, list(again.error["details"])) == (422, ["media[0]"])
    assert files(settings) == 1
    await retention.sweep(db, media_store(settings))
    assert files(settings) == 0
    assert await db.value("SELECT count(*) FROM media") == 0


async def test_a_file_that_somebody_else_was_sent_stays_until_they_are_erased_too(api: Client, sender: Sender) -> None:
    media_id = await stored(api)
    await send(api, sender, ANN, [media_id])
    link = await send(api, sender, BEN, [media_id])

    await erase(api, ANN)
    assert (await fetch(api, link)).status == 200

    await erase(api, BEN)
    assert (await fetch(api, link)).status == 404


async def test_a_send_that_was_refused_is_nobody_s_file(api: Client, db: CellDb, sender: Sender) -> None:
    await db.run("DELETE FROM consents WHERE contact_number = $1", BEN)
    media_id = await stored(api)
    link = await send(api, sender, ANN, [media_id])
    refused = await api.post("/v1/messages", {"from": sender.number, "to": BEN, "media": [media_id]})
    assert refused.status == 453

    await erase(api, ANN)

    assert (await fetch(api, link)).status == 404


async def test_files_of_others_and_files_that_nobody_was_sent_stay(
    api: Client, db: CellDb, settings: Settings, sender: Sender
) -> None:
    spare, bens = await stored(api), await send(api, sender, BEN, [await stored(api)])
    await send(api, sender, ANN, [await stored(api)])

    await erase(api, ANN)
    await retention.sweep(db, media_store(settings))

    assert (await fetch(api, bens)).status == 200
    assert await send(api, sender, BEN, [spare])
    assert files(settings) == 2


async def test_a_scheduled_file_goes_with_the_message_that_was_to_carry_it(
    api: Client, db: CellDb, sender: Sender
) -> None:
    soon = (db.now + timedelta(hours=29)).isoformat()
    link = await send(api, sender, ANN, [await stored(api)], scheduled_at=soon)

    await erase(api, ANN)

    assert (await fetch(api, link)).status == 404
    assert await db.value("SELECT status FROM messages") == "canceled"
