"""What people may look at: the front page, the contract as a document and as a page, and what these are made of.

Everything is rendered once in a process, and compressed when it is first asked for. The pages work without any other
host: the viewer is vendored, and the policy they are served with refuses whatever would be fetched from elsewhere.
"""

import gzip
import hashlib
import html
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path

import msgspec

from agentmessage.app.event_schemas import BODIES
from agentmessage.app.llms import llms_txt
from agentmessage.app.routes import all_routes
from agentmessage.kernel.errors import NotFound
from agentmessage.kernel.release import VERSION
from agentmessage.web.negotiation import accepts, preferred
from agentmessage.web.openapi.document import render
from agentmessage.web.request import RawHeaders, read_headers
from agentmessage.web.responses import JSON, HttpResponse
from agentmessage.web.types import Enveloped

HERE = Path(__file__).parent
PAGES, VIEWER = HERE / "pages", HERE / "vendor" / "swagger-ui"
HTML = "text/html; charset=utf-8"
ASSETS = {
    "/docs/docs.css": (PAGES / "docs.css", "text/css; charset=utf-8"),
    "/docs/home.css": (PAGES / "home.css", "text/css; charset=utf-8"),
    "/docs/docs.js": (PAGES / "docs.js", "text/javascript; charset=utf-8"),
    "/docs/swagger-ui.css": (VIEWER / "swagger-ui.css", "text/css; charset=utf-8"),
    "/docs/swagger-ui-bundle.js": (VIEWER / "swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    "/docs/LICENSE.txt": (VIEWER / "LICENSE.txt", "text/plain; charset=utf-8"),
    "/docs/NOTICE.txt": (VIEWER / "NOTICE.txt", "text/plain; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The viewer puts styles into its elements, so inline styles are allowed; scripts are not."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
ASK_AGAIN = "no-cache"
FOR_GOOD = "public, max-age=31536000, immutable"
"""For what is named with its fingerprint: other bytes have another name."""

SMALLEST_COMPRESSED = 1024


class Page:
    """One thing to look at, as it is and compressed."""

    def __init__(self, content: bytes, content_type: str, headers: Mapping[str, str] = {}) -> None:
        self.content = content
        self.fingerprint = hashlib.sha256(content).hexdigest()[:16]
        self._content_type = content_type
        self._headers = headers

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self.content, 6, mtime=0)

    def answer(self, headers: Mapping[str, str], *, lasts: bool, varies: str = "Accept-Encoding") -> HttpResponse:
        """The page, compressed where that is accepted; 304 where the caller has it already."""
        is_small = len(self.content) < SMALLEST_COMPRESSED
        is_compressed = not is_small and accepts(headers.get("accept-encoding"), "gzip")
        tag = f'"{self.fingerprint}-gzip"' if is_compressed else f'"{self.fingerprint}"'
        cached = {"ETag": tag, "Cache-Control": FOR_GOOD if lasts else ASK_AGAIN, "Vary": varies}
        if is_known(headers, tag):
            return HttpResponse(304, b"", cached)
        coded = {"Content-Encoding": "gzip"} if is_compressed else {}
        content = self._compressed if is_compressed else self.content
        return HttpResponse(200, content, {**self._headers, **cached, **coded}, self._content_type)


def is_known(headers: Mapping[str, str], tag: str) -> bool:
    """Whether the caller has the content of a tag."""
    known = {part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(",")}
    return tag in known or "*" in known


class Reference:
    """The pages of a platform that is reached at `public_url`."""

    def __init__(self, public_url: str) -> None:
        self._pages = _pages()
        self._for_people = Page(_home(public_url), HTML, HEADERS)
        self._for_programs = Page(_told(), JSON)

    def page(self, path: str, raw_headers: RawHeaders, query_string: bytes) -> HttpResponse:
        """One page or asset. Raises NotFound."""
        headers = read_headers(raw_headers)
        if path == "/":
            is_person = preferred(headers.get("accept"), (JSON, "text/html")) == "text/html"
            chosen = self._for_people if is_person else self._for_programs
            return chosen.answer(headers, lasts=False, varies="Accept, Accept-Encoding")
        page = self._pages.get(path)
        if page is None:
            raise NotFound
        return page.answer(headers, lasts=query_string == f"v={page.fingerprint}".encode())


@cache
def _pages() -> Mapping[str, Page]:
    """Every page by its path; kept, because describing all operations takes a tenth of a second."""
    pages = {path: Page(file.read_bytes(), kind, HEADERS) for path, (file, kind) in ASSETS.items()}
    reference = (PAGES / "docs.html").read_text()
    for path, page in pages.items():
        name = path.removeprefix("/")
        reference = reference.replace(f'"{name}"', f'"{name}?v={page.fingerprint}"')
    pages["/docs"] = Page(reference.encode(), HTML, HEADERS)
    pages["/openapi.json"] = Page(render(all_routes(), {kind.value: body for kind, body in BODIES.items()}), JSON)
    pages["/llms.txt"] = Page(llms_txt(all_routes()), "text/plain; charset=utf-8")
    return pages


def _home(public_url: str) -> bytes:
    text = (PAGES / "home.html").read_text()
    text = text.replace("{version}", html.escape(VERSION))
    return text.replace("{origin}", html.escape(public_url)).encode()


def _told() -> bytes:
    """The front page as programs read it."""
    links = {"reference": "/docs", "openapi": "/openapi.json", "llms": "/llms.txt", "health": "/healthz"}
    told = {"name": "AgentMessage", "version": VERSION, "links": links}
    return msgspec.json.encode(Enveloped(success=True, data=told))
