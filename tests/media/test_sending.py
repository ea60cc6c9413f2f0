"""Texts with media: what the customer names becomes what the carrier can fetch, or is refused."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import structs

from agentmessage.app.api import Api
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.make.accounts import Account
from tests.make.texts import CONTACT, Sender, insert_consent, insert_sender
from tests.media.samples import PNG
from tests.media.test_routes import fetch, stored, upload

PICTURE = "https://customer.example/a.png"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return structs.replace(settings, media_dir=str(tmp_path / "media"))


@pytest.fixture
async def sender(db: CellDb, account: Account) -> Sender:
    """A number that may text the contact, as fast as it likes."""
    await db.run("UPDATE organizations SET throughput_per_sec = 100, throughput_per_min = 100")
    made = await insert_sender(db, account.tenant)
    await insert_consent(db, account.tenant, made)
    return made


@pytest.mark.covers("sendMessage", 202)
async def test_202_an_upload_is_sent_as_a_link_that_the_carrier_can_fetch(api: Client, sender: Sender) -> None:
    refs = [await stored(api), PICTURE]

    answer = await api.post("/v1/messages", {"from": sender.number, "to": CONTACT, "media": refs})

    assert answer.status == 202, answer.json
    assert (answer.data["channel"], answer.data["text"], answer.data["media"][1]) == ("mms", None, PICTURE)
    got = await fetch(api, answer.data["media"][0])
    assert (got.status, got.body) == (200, PNG)
    assert urlsplit(answer.data["media"][0]).path.endswith(refs[0])


@pytest.mark.covers("sendMessage", 422)
async def test_422_media_that_cannot_be_fetched_are_named_by_their_place(
    api: Client, sender: Sender, stranger: Account, db: CellDb
) -> None:
    refs = [PICTURE, (await upload(api))["media_id"], await stored(api.using(stranger.key))]

    answer = await api.post("/v1/messages", {"from": sender.number, "to": CONTACT, "media": refs})

    assert (answer.status, list(answer.error["details"])) == (422, ["media[1]", "media[2]"])
    assert await db.value("SELECT count(*) FROM messages") == 0


@pytest.mark.parametrize(
    "ref",
    [
        "https://user:secret@customer.example/a.png",
        "https://user@customer.example/a.png",
        "https://customer.example\\@10.0.0.1/a.png",
        "https://localhost/a.png",
        "https://127.0.0.1/a.png",
        "https://2130706433/a.png",
        "https://[::ffff:10.0.0.1]/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://metadata.google.internal/a.png",
        "https://intranet/a.png",
        "https://customer.example:99999/a.png",
        "https://customer.example/a.png#part",
        "http://customer.example/a.png",
        "https://bücher.example/a.png",
    ],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/batch"])
async def test_422_media_that_no_carrier_should_fetch_are_refused(
    api: Client, sender: Sender, db: CellDb, ref: str, path: str
) -> None:
    text = {"from": sender.number, "to": CONTACT, "media": [PICTURE, ref]}

    answer = await api.post(path, {"messages": [text]} if path.endswith("batch") else text)

    refusal = answer.error if answer.status == 422 else answer.data["results"][0]["error"]
    assert [field.partition("[")[0] for field in refusal["details"]] == ["media"]
    assert await db.value("SELECT count(*) FROM messages") == 0


@pytest.mark.covers("sendMessage", 503)
async def test_503_an_installation_without_mms_sends_none(
    settings: Settings, cells: Cells, account: Account, sender: Sender
) -> None:
    api = Client(Api(structs.replace(settings, mms_enabled=False), cells=cells), account.key)

    answer = await api.post("/v1/messages", {"from": sender.number, "to": CONTACT, "media": [PICTURE]})

    assert (answer.status, answer.error["code"]) == (503, "MMS_DISABLED")


async def test_in_a_batch_bad_media_fail_alone(api: Client, sender: Sender) -> None:
    text = {"from": sender.number, "to": CONTACT, "text": "Look"}
    bad = {**text, "media": [(await upload(api))["media_id"]]}

    answer = await api.post("/v1/messages/batch", {"messages": [bad, {**text, "media": [await stored(api)]}, text]})

    results = answer.data["results"]
    assert [result["status"] for result in results] == [422, 202, 202]
    assert list(results[0]["error"]["details"]) == ["media[0]"]
    assert [result["message"]["channel"] for result in results[1:]] == ["mms", "sms"]
