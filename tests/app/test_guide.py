"""The built documentation under `/docs/guide`: found, cached, and nothing else of the disk."""

import gzip
from pathlib import Path

import pytest

from agentmessage.app.guide import GUIDE_HEADERS, Guide
from agentmessage.kernel.errors import MethodNotAllowed, NotFound
from agentmessage.web.responses import HttpResponse
from tests.conftest import Client

PAGE = b"<!doctype html><title>Send</title>"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A small site, and next to it a file that is no part of it."""
    folder = tmp_path / "site"
    (folder / "guides").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<!doctype html>")
    (folder / "guides" / "send.html").write_bytes(PAGE)
    (folder / "guides" / "send.html.gz").write_bytes(gzip.compress(PAGE))
    (folder / "key.pem").write_text("of a type that a site has not")
    (tmp_path / "secret.html").write_text("secret")
    return folder


async def get(site: Path, path: str, method: str = "GET", **headers: str) -> HttpResponse:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, object]:
        raise AssertionError

    return await Guide(site).answer({"method": method, "path": path, "headers": raw}, receive)


async def test_a_page_is_served_with_its_type_and_the_policy_of_pages(site: Path) -> None:
    reply = await get(site, "/docs/guide/guides/send.html")

    assert (reply.status, reply.body, reply.content_type) == (200, PAGE, "text/html; charset=utf-8")
    assert {**reply.headers, **GUIDE_HEADERS} == reply.headers
    assert "script-src 'self';" in reply.headers["Content-Security-Policy"]
    assert "form-action 'self'" in reply.headers["Content-Security-Policy"]


async def test_the_compressed_copy_is_served_where_it_is_accepted(site: Path) -> None:
    reply = await get(site, "/docs/guide/guides/send.html", accept_encoding="gzip, br")

    assert gzip.decompress(reply.body) == PAGE
    assert (reply.headers["Content-Encoding"], reply.headers["Vary"]) == ("gzip", "Accept-Encoding")


async def test_a_page_that_the_caller_has_is_not_sent_again(site: Path) -> None:
    first = await get(site, "/docs/guide/guides/send.html")
    again = await get(site, "/docs/guide/guides/send.html", if_none_match=first.headers["ETag"])
    (site / "guides" / "send.html").write_bytes(b"another text")
    changed = await get(site, "/docs/guide/guides/send.html", if_none_match=first.headers["ETag"])

    assert (again.status, again.body, again.headers["Cache-Control"]) == (304, b"", "no-cache")
    assert (changed.status, changed.body) == (200, b"another text")


async def test_the_address_without_a_slash_leads_to_the_front_page(site: Path) -> None:
    assert (await get(site, "/docs/guide")).headers["Location"] == "guide/"
    assert (await get(site, "/docs/guide/")).body == b"<!doctype html>"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.html",
        "guides/../../secret.html",
        "./index.html",
        "/index.html",
        "//index.html",
        "guides//send.html",
        "guides\\..\\index.html",
        "index.html\x00.css",
        "guides/send.html.gz",
        "key.pem",
        "guides",
        "guides/",
        "none.html",
        ".hidden.html",
        "a" * 300 + ".html",
    ],
)
async def test_nothing_but_the_files_of_the_site_is_served(name: str, site: Path) -> None:
    with pytest.raises(NotFound):
        await get(site, f"/docs/guide/{name}")


async def test_a_path_that_only_begins_like_the_guide_is_not_the_guide(site: Path) -> None:
    with pytest.raises(NotFound):
        await get(site, "/docs/guidebook")


async def test_nothing_can_be_sent_to_the_guide(site: Path) -> None:
    with pytest.raises(MethodNotAllowed):
        await get(site, "/docs/guide/", "POST")


async def test_a_checkout_without_a_built_guide_says_how_to_build_it(tmp_path: Path) -> None:
    reply = await get(tmp_path, "/docs/guide/")

    assert reply.status == 404
    assert b"make docs" in reply.body


async def test_the_platform_serves_the_guide(api: Client) -> None:
    reply = await api.using(None).get("/docs/guide")

    assert (reply.status, reply.headers["location"]) == (308, "guide/")
    assert (await api.using(None).get("/docs/guide/")).status in (200, 404)
    assert (await api.using(None).get("/docs/guide/..%2f..%2fapi.py")).status == 404
