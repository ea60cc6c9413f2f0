"""What somebody sees who opens the address of a platform, and how soon."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentmessage.app.routes import all_routes
from agentmessage.kernel.release import VERSION
from agentmessage.settings import Settings
from tests.conftest import Client
from tests.sdk.served import Served, served
from tests.web.browser import CHROMIUM, tab

LONGEST_MS = 10_000
"""It is one and a half on a machine with little else to do, and then this is never near."""

MOST_BYTES = 750_000
"""Of everything that the reference is made of, on its way."""


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "TEXT/HTML"])
async def test_the_front_page_tells_people_where_they_are(accept: str, api: Client) -> None:
    reply = await api.using(None).get("/", headers={"accept": accept})

    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "Accept" in reply.headers["vary"]
    for shown in (VERSION, 'href="docs"', 'href="openapi.json"', "/v1/organization"):
        assert shown in reply.body.decode()


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5"])
async def test_the_front_page_tells_programs_the_same(accept: str | None, api: Client) -> None:
    reply = await api.using(None).get("/", headers={} if accept is None else {"accept": accept})

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (reply.data["name"], reply.data["version"]) == ("AgentMessage", VERSION)
    for link in reply.data["links"].values():
        assert (await api.using(None).get(link)).status == 200


async def test_nothing_can_be_sent_to_the_front_page(api: Client) -> None:
    reply = await api.post("/")

    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/openapi.json", "/docs/swagger-ui-bundle.js", "/docs"])
async def test_what_is_large_is_sent_compressed_and_only_once(path: str, api: Client) -> None:
    plain = await api.get(path, headers={"accept-encoding": "gzip;q=0, br"})
    small = await api.get(path, headers={"accept-encoding": "br, GZIP;q=0.5"})
    again = await api.get(path, headers={"accept-encoding": "gzip", "if-none-match": f'"x", W/{small.headers["etag"]}'})
    other = await api.get(path, headers={"if-none-match": small.headers["etag"]})

    assert "content-encoding" not in plain.headers
    assert gzip.decompress(small.body) == plain.body if "content-encoding" in small.headers else len(plain.body) < 1024
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", small.headers["etag"])
    assert (other.status, other.body) == (200, plain.body) if path != "/docs" else True
    assert {reply.headers["vary"] for reply in (plain, small, again)} == {"Accept-Encoding"}


async def test_what_is_named_by_its_content_is_kept_for_good(api: Client) -> None:
    page = (await api.get("/docs")).body.decode()
    named = [part.split('"')[0] for part in page.split('"docs/')[1:]]

    assert len(named) == 4
    for name in named:
        assert "immutable" in (await api.get(f"/docs/{name}")).headers["cache-control"]
        assert (await api.get(f"/docs/{name}0")).headers["cache-control"] == "no-cache"
        assert (await api.get(f"/docs/{name.partition('?')[0]}")).headers["cache-control"] == "no-cache"


async def test_the_reference_is_small_on_its_way(api: Client) -> None:
    paths = ("/docs", "/openapi.json", "/docs/docs.js", "/docs/docs.css", "/docs/swagger-ui-bundle.js")
    sent = [await api.get(path, headers={"accept-encoding": "gzip"}) for path in (*paths, "/docs/swagger-ui.css")]

    assert sum(len(reply.body) for reply in sent) < MOST_BYTES


@pytest.fixture
def platform(settings: Settings) -> Iterator[Served]:
    """The platform on a socket."""
    with served(settings) as running:
        yield running


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)")
async def test_the_reference_is_soon_usable_in_a_browser(platform: Served, tmp_path: Path) -> None:
    """Every operation is there, one can be opened, and nothing came from elsewhere."""
    operations = len(all_routes())
    async with tab(tmp_path) as page:
        took_ms = await page.when(
            f"{platform.base_url}/docs", f"document.querySelectorAll('.opblock').length >= {operations}"
        )
        await page.value("document.querySelector('.opblock button').click()")
        await page.until("document.querySelector('.opblock .responses-table .response-col_status') !== null")
        origins = await page.value(
            "JSON.stringify([...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).origin))])"
        )

    assert took_ms < LONGEST_MS
    assert origins == f'["{platform.base_url}"]'
