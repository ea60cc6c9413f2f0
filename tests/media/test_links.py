"""Download links: nobody can make one, and none holds longer than it says."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec
import pytest

from agentmessage.app.providers.media import media_links
from agentmessage.kernel.ids import new_id
from agentmessage.media.model import MediaLinks
from agentmessage.settings import Settings
from tests.conftest import ENCRYPTION_KEY, NOWHERE, Client

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OTHER_KEY = "b3RoZXItc2VhbGluZy1rZXktb2YtMzItYnl0ZXMhISE="
LINKS = MediaLinks(base_url="https://sms.example", keys=[b"k" * 32])


def parts(url: str) -> tuple[str, UUID, str, str]:
    split = urlsplit(url)
    _, _, cell, some_id = split.path.split("/")
    query = parse_qs(split.query)
    return cell, UUID(some_id), query["until"][0], query["sig"][0]


def is_good(links: MediaLinks, url: str, *, now: datetime = NOW) -> bool:
    cell, media_id, until, signature = parts(url)
    return links.is_good(cell, media_id, until=until, signature=signature, now=now)


def test_a_link_holds_until_its_instant_and_not_a_second_longer() -> None:
    until = NOW + timedelta(hours=28, milliseconds=500)
    url = LINKS.download("cell_00", new_id(), until=until)

    assert url.startswith("https://sms.example/media/cell_00/")
    assert is_good(LINKS, url)
    assert is_good(LINKS, url, now=until)
    assert not is_good(LINKS, url, now=until + timedelta(seconds=1))


def test_a_link_is_for_one_file_of_one_cell_and_one_instant() -> None:
    cell, media_id, until, signature = parts(LINKS.download("cell_00", new_id(), until=NOW + timedelta(hours=1)))

    for changed in (
        {"cell": "cell_01"},
        {"media_id": new_id()},
        {"until": str(int(until) + 1)},
        {"signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")},
        {"signature": signature.upper()},
        {"signature": ""},
        {"signature": "é"},
        {"until": "-1"},
        {"until": "٣"},
        {"until": "9" * 400},
        {"until": ""},
    ):
        given = {"cell": cell, "media_id": media_id, "until": until, "signature": signature} | changed
        assert not LINKS.is_good(
            given["cell"], given["media_id"], until=given["until"], signature=given["signature"], now=NOW
        ), changed


def test_a_link_made_before_a_key_was_added_still_holds_and_one_of_a_dropped_key_does_not() -> None:
    settings = Settings(encryption_key=ENCRYPTION_KEY)
    url = media_links(settings).download("cell_00", new_id(), until=NOW + timedelta(hours=1))
    rotated = media_links(msgspec.structs.replace(settings, encryption_key=f"{OTHER_KEY},{ENCRYPTION_KEY}"))
    dropped = media_links(msgspec.structs.replace(settings, encryption_key=OTHER_KEY))

    assert is_good(rotated, url)
    assert not is_good(dropped, url)


@pytest.mark.parametrize(
    ("public_url", "begins"), [("", "http://127.0.0.1:8080/media/"), ("https://a.example/", "https://a.example/media/")]
)
def test_links_begin_where_carriers_reach_us(public_url: str, begins: str) -> None:
    links = media_links(Settings(encryption_key=ENCRYPTION_KEY, public_url=public_url))

    assert links.upload("cell_00", "token") == f"{begins}cell_00/token"


async def test_404_a_query_of_too_many_parts(api: Client) -> None:
    reply = await api.get(f"/media/cell_00/{NOWHERE}?" + "&".join("a=1" for _ in range(50)))

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
