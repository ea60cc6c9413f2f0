"""From the announcement of a file to the carrier that fetches it: every status, every misuse of a link."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from msgspec import structs

from agentmessage.app.api import Api
from agentmessage.app.providers.media import media_links
from agentmessage.kernel.db import CellDb, Cells
from agentmessage.kernel.errors import ValidationFailed
from agentmessage.media import operations as media
from agentmessage.media import queries as media_queries
from agentmessage.media.errors import MmsDisabled
from agentmessage.media.store import LocalStore, StoreAway
from agentmessage.settings import Settings
from tests.conftest import Client, Reply
from tests.make.accounts import Account
from tests.media.samples import PNG

UPLOADS = "/v1/messages/media-upload"
ANNOUNCED = {"mime_type": "image/png", "byte_size": 1000}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return structs.replace(settings, media_dir=str(tmp_path / "media"), public_url="https://sms.example")


async def upload(api: Client, **changes: Any) -> dict[str, Any]:
    """What an announcement answers."""
    answer = await api.post("/v1/messages/media-upload", ANNOUNCED | changes)
    assert answer.status == 201, answer.json
    return answer.data


async def put(api: Client, url: str, content: bytes = PNG, headers: Mapping[str, str] | None = None) -> Reply:
    return await api.using(None).request("PUT", urlsplit(url).path, content=content, headers=headers)


async def fetch(api: Client, url: str, method: str = "GET") -> Reply:
    split = urlsplit(url)
    return await api.using(None).request(method, f"{split.path}?{split.query}")


async def stored(api: Client, content: bytes = PNG) -> str:
    """The id of a file that was uploaded."""
    made = await upload(api)
    assert (await put(api, made["upload_url"], content)).status == 200
    return made["media_id"]


async def link(db: CellDb, account: Account, settings: Settings, ref: str, *, hours: float = 28) -> str:
    """Where a carrier fetches a file."""
    until = db.now + timedelta(hours=hours)
    [url] = await media.resolve(db, account.tenant, [ref], links=media_links(settings), until=until)
    return url


@pytest.mark.covers("createMessageMediaUpload", 201)
async def test_201_an_announcement_answers_where_to_put_the_file_for_half_an_hour(api: Client, db: CellDb) -> None:
    before = db.now

    made = await upload(api)

    assert set(made) == {"media_id", "upload_url", "expires_at", "max_byte_size"}
    assert made["max_byte_size"] == 1_048_576
    assert made["upload_url"].startswith("https://sms.example/media/cell_00/")
    left = datetime.fromisoformat(made["expires_at"]) - before
    assert timedelta(minutes=30) <= left <= timedelta(minutes=31)


@pytest.mark.covers("createMessageMediaUpload", 201)
async def test_201_the_same_key_gets_the_same_link_and_the_link_lies_nowhere_in_plain(api: Client, db: CellDb) -> None:
    headers = {"idempotency-key": "one"}

    first, again = [await api.post("/v1/messages/media-upload", ANNOUNCED, headers=headers) for _ in range(2)]

    assert first.data == again.data
    assert await db.value("SELECT count(*) FROM media") == 1
    token = first.data["upload_url"].rpartition("/")[2].encode()
    kept: bytes = await db.value("SELECT body FROM idempotency_keys")
    hashed: bytes = await db.value("SELECT upload_token_hash FROM media")
    assert token not in kept
    assert token not in hashed


@pytest.mark.covers("createMessageMediaUpload", 422)
@pytest.mark.parametrize("limits", [{"media_max_files": 2}, {"media_max_bytes": 2 * 1_048_576}])
async def test_422_an_organization_keeps_no_more_than_its_quota_until_files_are_gone(
    db: CellDb, cells: Cells, settings: Settings, account: Account, stranger: Account, *, limits: dict[str, int]
) -> None:
    app = Api(structs.replace(settings, **limits), cells=cells)
    await app.start()
    ours, theirs = Client(app, account.key), Client(app, stranger.key)
    asked = {"mime_type": "image/png", "byte_size": 1_048_576}

    statuses = [one.status for one in await asyncio.gather(*(ours.post(UPLOADS, asked) for _ in range(4)))]
    refused, other = await ours.post(UPLOADS, asked), await theirs.post(UPLOADS, asked)
    await db.run("UPDATE media SET expires_at = $1 WHERE org_id = $2", db.now, account.org_id)
    later = await ours.post(UPLOADS, asked)
    await app.stop()

    assert sorted(statuses) == [201, 201, 422, 422]
    assert refused.error["code"] == "MEDIA_QUOTA_EXCEEDED"
    assert set(refused.error["details"]) == {"max_files", "max_bytes"}
    assert (other.status, later.status) == (201, 201)


@pytest.mark.covers("createMessageMediaUpload", 422)
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["mime_type", "byte_size"]),
        ({**ANNOUNCED, "mime_type": "text/html"}, ["mime_type"]),
        ({**ANNOUNCED, "mime_type": "image/svg+xml"}, ["mime_type"]),
        ({**ANNOUNCED, "byte_size": 0}, ["byte_size"]),
        ({**ANNOUNCED, "byte_size": 1_048_577}, ["byte_size"]),
        ({**ANNOUNCED, "byte_size": "1"}, ["byte_size"]),
    ],
)
async def test_422_a_file_that_cannot_be_sent_is_refused_beforehand(api: Client, body: Any, fields: list[str]) -> None:
    answer = await api.post("/v1/messages/media-upload", body)

    assert (answer.status, sorted(answer.error["details"])) == (422, sorted(fields))


@pytest.mark.covers("createMessageMediaUpload", 429)
async def test_429_sixty_a_minute(api: Client, account: Account, db: CellDb) -> None:
    await db.run(
        "INSERT INTO api_rate_buckets (org_id, bucket, tokens, refilled_at) VALUES ($1, 'media_uploads', 0, $2)",
        account.org_id,
        db.now,
    )

    answer = await api.post("/v1/messages/media-upload", ANNOUNCED)

    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (429, "RATE_LIMITED", "1")


@pytest.mark.covers("createMessageMediaUpload", 503)
async def test_503_an_installation_without_mms(settings: Settings, cells: Cells, db: CellDb, account: Account) -> None:
    without = structs.replace(settings, mms_enabled=False)

    answer = await Client(Api(without, cells=cells), account.key).post("/v1/messages/media-upload", ANNOUNCED)

    assert (answer.status, answer.error["code"]) == (503, "MMS_DISABLED")
    with pytest.raises(MmsDisabled):
        await media.resolve(db, account.tenant, ["https://a.example/b"], links=media_links(without), until=db.now)


async def test_a_file_that_was_put_is_fetched_byte_for_byte(
    api: Client, db: CellDb, account: Account, settings: Settings
) -> None:
    content = PNG + bytes(range(256))
    url = await link(db, account, settings, await stored(api, content))

    got, head = await fetch(api, url), await fetch(api, url, "HEAD")

    assert (got.status, got.body, got.headers["content-type"]) == (200, content, "image/png")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(content)))


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 422), (b"<html>", 422), (b"\xff\xd8\xff\xe0", 422), (PNG + b"\0" * 1000, 413)]
)
async def test_a_file_that_is_not_what_was_announced_is_refused_and_the_link_still_works(
    api: Client, content: bytes, status: int
) -> None:
    made = await upload(api)

    refused = await put(api, made["upload_url"], content)
    then = await put(api, made["upload_url"])

    assert (refused.status, then.status) == (status, 200)
    assert then.data == {"media_id": made["media_id"], "mime_type": "image/png", "byte_size": len(PNG)}


async def test_a_file_that_says_it_is_too_large_is_refused_before_it_is_read(api: Client) -> None:
    made = await upload(api)

    refused = await put(api, made["upload_url"], b"", {"content-length": "1001"})

    assert (refused.status, refused.error["code"]) == (413, "PAYLOAD_TOO_LARGE")


async def test_an_endless_file_is_cut_off_at_the_first_byte_too_many(app: Any, api: Client) -> None:
    made = await upload(api)
    taken = 0

    async def receive() -> Any:
        nonlocal taken
        taken += 500
        return {"type": "http.request", "body": b"\x89" * 500, "more_body": True}

    answered: list[Any] = []

    async def send(message: Any) -> None:
        answered.append(message)

    path = urlsplit(made["upload_url"]).path
    await app({"type": "http", "method": "PUT", "path": path, "query_string": b"", "headers": []}, receive, send)

    assert (answered[0]["status"], taken) == (413, 1500)


async def test_an_upload_that_breaks_off_stores_nothing_and_can_be_repeated(app: Any, api: Client) -> None:
    made = await upload(api)
    pending = [
        {"type": "http.request", "body": PNG[:20], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return pending.pop(0)

    async def send(message: Any) -> None:
        del message

    path = urlsplit(made["upload_url"]).path
    await app({"type": "http", "method": "PUT", "path": path, "query_string": b"", "headers": []}, receive, send)

    assert (await put(api, made["upload_url"])).status == 200


async def test_a_link_works_once_also_for_many_at_the_same_time(api: Client) -> None:
    made = await upload(api)

    answers = await asyncio.gather(*(put(api, made["upload_url"], PNG + bytes([n])) for n in range(8)))
    later = await put(api, made["upload_url"])

    assert sorted(answer.status for answer in answers) == [200] + [404] * 7
    assert later.status == 404


async def test_a_link_that_is_over_or_never_was_is_nothing(api: Client, db: CellDb) -> None:
    made = await upload(api)
    await db.run("UPDATE media SET expires_at = $1", db.now)

    answers = [
        await put(api, url)
        for url in (
            made["upload_url"],
            made["upload_url"][:-1],
            made["upload_url"].replace("cell_00", "cell_99"),
            "/media/cell_00/",
            "/media/cell_00",
            "/media/",
            "/media/cell_00/a/b",
        )
    ]

    assert {answer.status for answer in answers} == {404}


async def test_other_methods_are_told_which_there_are(api: Client) -> None:
    made = await upload(api)

    answer = await api.using(None).request("DELETE", urlsplit(made["upload_url"]).path)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, PUT")


async def test_nobody_fetches_a_file_without_a_good_link(
    api: Client, db: CellDb, account: Account, settings: Settings
) -> None:
    url = await link(db, account, settings, await stored(api))
    over = await link(db, account, settings, await stored(api), hours=-1)
    bare, _, signature = url.partition("&sig=")

    answers = [
        await fetch(api, some)
        for some in (
            over,
            bare,
            f"{bare}&sig=",
            f"{bare}&sig={'0' * len(signature)}",
            url.partition("?")[0],
            url.replace("cell_00", "cell_01"),
            url.replace(url.split("/")[5][:36], "x"),
        )
    ]

    assert {answer.status for answer in answers} == {404}


async def test_a_file_that_is_announced_only_is_not_handed_out(api: Client, db: CellDb, settings: Settings) -> None:
    made = await upload(api)
    url = media_links(settings).download("cell_00", UUID(made["media_id"]), until=db.now + timedelta(hours=1))

    assert (await fetch(api, url)).status == 404


async def test_the_media_of_a_text_become_links_in_their_order(
    api: Client, db: CellDb, account: Account, settings: Settings
) -> None:
    first, second = await stored(api), await stored(api)
    refs = [second, "HTTPS://customer.example/a.png", first.upper()]

    urls = await media.resolve(db, account.tenant, refs, links=media_links(settings), until=db.now + timedelta(hours=1))

    assert urls[1] == "HTTPS://customer.example/a.png"
    assert [urlsplit(urls[0]).path, urlsplit(urls[2]).path] == [f"/media/cell_00/{second}", f"/media/cell_00/{first}"]


async def test_what_is_not_uploaded_or_not_ones_own_is_named_by_its_place(
    api: Client, db: CellDb, account: Account, stranger: Account, settings: Settings
) -> None:
    theirs, announced, own = await stored(api.using(stranger.key)), (await upload(api))["media_id"], await stored(api)
    refs = [own, theirs, announced, "00000000-0000-7000-8000-000000000000", "https://a.example/b", "-" * 36]

    with pytest.raises(ValidationFailed) as refused:
        await media.resolve(db, account.tenant, refs, links=media_links(settings), until=db.now)

    assert list(refused.value.details or {}) == ["media[1]", "media[2]", "media[3]", "media[5]"]
    assert len(set((refused.value.details or {}).values())) == 1


async def test_a_file_is_kept_as_long_as_a_text_may_need_it(
    api: Client, db: CellDb, account: Account, settings: Settings
) -> None:
    needed, forgotten = await stored(api), await stored(api)
    await link(db, account, settings, needed, hours=24 * 40)
    await link(db, account, settings, needed, hours=1)

    over = await media_queries.list_expired(db, db.now + timedelta(days=39), limit=10)
    later = await media_queries.list_expired(db, db.now + timedelta(days=41), limit=10)

    assert [str(one.id) for one in over] == [forgotten]
    assert {str(one.id) for one in later} == {needed, forgotten}


class Away(LocalStore):
    """A disk that is full, once."""

    is_full = True

    async def put(self, key: str, content: bytes, *, mime_type: str) -> None:
        if self.is_full:
            self.is_full = False
            raise StoreAway("no space left on device")
        await super().put(key, content, mime_type=mime_type)


@pytest.fixture
async def full(settings: Settings, cells: Cells, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setattr("agentmessage.app.api.media_store", lambda settings: Away(Path(settings.media_dir)))
    api = Api(settings, cells=cells)
    await api.start()
    yield api
    await api.stop()


async def test_a_store_that_is_away_gives_the_link_back(full: Api, account: Account, db: CellDb) -> None:
    api = Client(full, account.key)
    made = await upload(api)

    away, then = await put(api, made["upload_url"]), await put(api, made["upload_url"])

    assert (away.status, away.error["code"], then.status) == (503, "UNAVAILABLE", 200)
    assert len(await media_queries.list_expired(db, db.now + timedelta(days=31), limit=10)) == 1


@pytest.mark.parametrize("written", ["IMAGE/PNG", "Image/Png; charset=binary", ' image/png;name="a;b.png"'])
async def test_a_media_type_is_read_in_any_case_and_without_its_parameters(written: str, api: Client) -> None:
    made = await upload(api, mime_type=written)

    assert (await put(api, made["upload_url"])).data["mime_type"] == "image/png"


async def test_a_compressed_file_is_refused_as_such(api: Client) -> None:
    made = await upload(api)

    reply = await put(api, made["upload_url"], headers={"content-encoding": "gzip"})

    assert (reply.status, reply.error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (await put(api, made["upload_url"])).status == 200, "the link is as it was"
