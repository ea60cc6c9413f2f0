"""Both stores keep the same promises: the directory, and a bucket of a real S3 server that checks every signature."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest

from agentmessage.kernel.ids import new_id
from agentmessage.media.s3 import Bucket, S3Store
from agentmessage.media.store import LocalStore, ObjectStore, StoreAway, key_of

BUCKET = "media-of-tests"


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    """An S3 server in a process of its own. After four calls (user, policy, key, bucket) it believes nobody."""
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "4"},
    )
    try:
        assert server.stderr is not None
        url = next(
            found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)) is not None
        )
        yield furnish(url)
    finally:
        server.terminate()
        server.communicate(timeout=10)


def furnish(url: str) -> Bucket:
    """A user who may do everything, a key of theirs, and a bucket: four calls."""
    anybody = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    iam = boto3.client("iam", **anybody)
    iam.create_user(UserName="media")
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    iam.put_user_policy(UserName="media", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName="media")["AccessKey"]
    boto3.client("s3", **anybody).create_bucket(Bucket=BUCKET)
    return Bucket(
        url=url, name=BUCKET, region="us-east-1", access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"]
    )


@pytest.fixture(params=["directory", "bucket"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    opened: ObjectStore
    opened = LocalStore(tmp_path) if request.param == "directory" else S3Store(request.getfixturevalue("s3"))
    yield opened
    await opened.close()


def a_key() -> str:
    return key_of(new_id(), new_id())


async def test_what_is_put_is_got_byte_for_byte(store: ObjectStore) -> None:
    key, content = a_key(), bytes(range(256)) * 4096
    await store.put(key, content, mime_type="image/png")

    assert await store.get(key) == content


async def test_what_was_never_put_is_none_and_can_be_deleted(store: ObjectStore) -> None:
    key = a_key()

    await store.delete(key)

    assert await store.get(key) is None


async def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    key, other = a_key(), a_key()
    await store.put(key, b"one", mime_type="image/png")
    await store.put(other, b"two", mime_type="image/png")

    await store.delete(key)

    assert (await store.get(key), await store.get(other)) == (None, b"two")


async def test_putting_again_replaces_the_whole(store: ObjectStore) -> None:
    key = a_key()
    await store.put(key, b"long" * 1000, mime_type="image/png")

    await store.put(key, b"short", mime_type="image/png")

    assert await store.get(key) == b"short"


SOME_ID = "019a0000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "key",
    ["", "../../etc/passwd", "a/b/c", f"{SOME_ID}/00/../x", f"/{SOME_ID}/00/{SOME_ID}", f"{SOME_ID}/00/{SOME_ID}\n"],
)
async def test_a_key_that_is_not_one_of_ours_is_never_used(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await store.get(key)


async def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    store, key = LocalStore(tmp_path), a_key()
    versions = {bytes([letter]) * 300_000 for letter in range(65, 73)}
    await store.put(key, min(versions), mime_type="image/png")

    seen, *_ = await asyncio.gather(
        _reads(store, key), *(store.put(key, one, mime_type="image/png") for one in versions)
    )

    assert seen <= versions


async def _reads(store: LocalStore, key: str) -> set[bytes | None]:
    return {await store.get(key) for _ in range(100)}


async def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    store, key = LocalStore(tmp_path), a_key()
    (tmp_path / key).mkdir(parents=True)

    with pytest.raises(StoreAway):
        await store.put(key, b"x", mime_type="image/png")

    assert files_below(tmp_path) == []


def files_below(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_a_bucket_that_does_not_believe_us_is_away(s3: Bucket) -> None:
    stranger = S3Store(Bucket(url=s3.url, name=s3.name, region=s3.region, access_key=s3.access_key, secret_key="wrong"))

    with pytest.raises(StoreAway, match="403"):
        await stranger.put(a_key(), b"x", mime_type="image/png")
    await stranger.close()


async def test_a_bucket_that_cannot_be_reached_is_away() -> None:
    nowhere = S3Store(Bucket(url="http://127.0.0.1:1", name="b", region="r", access_key="a", secret_key="s"))

    with pytest.raises(StoreAway):
        await nowhere.get(a_key())
    await nowhere.close()
