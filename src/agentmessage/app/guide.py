"""The documentation as a site, under `/docs/guide`. `make docs` builds it; a wheel of a release contains it.

Files are read from disk for each request, so a process holds none of the site in memory.
"""

import asyncio
import hashlib
import re
from pathlib import Path

from agentmessage.app.docs_pages import ASK_AGAIN, HEADERS, HTML, is_known
from agentmessage.kernel.errors import MethodNotAllowed, NotFound
from agentmessage.web.negotiation import accepts
from agentmessage.web.request import RawHeaders, read_headers
from agentmessage.web.responses import HttpResponse, Receive, Scope

PREFIX = "/docs/guide"
SITE = Path(__file__).parent / "site"
NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""No part begins with a dot or is empty, so a name cannot lead out of the site."""

CONTENT_TYPES = {
    ".html": HTML,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
GUIDE_HEADERS = {
    **HEADERS,
    # The search field is a form that leads to the guide's own search page.
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'"),
}
NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>AgentMessage guide</title>
<p>This checkout has no built guide. <code>make docs</code> builds it from the folder <code>docs</code>.</p>
"""


class Guide:
    """The site below a directory."""

    def __init__(self, site: Path = SITE) -> None:
        self._site = site

    async def answer(self, scope: Scope, receive: Receive) -> HttpResponse:
        """The file that a request names, or 304 if the caller has it. Raises NotFound, MethodNotAllowed."""
        del receive  # no request has a body
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("GET, HEAD")
        if path == PREFIX:
            return HttpResponse(308, b"", {"Location": "guide/"})
        if not path.startswith(f"{PREFIX}/"):
            raise NotFound
        return await asyncio.to_thread(self._read, path.removeprefix(f"{PREFIX}/") or "index.html", scope["headers"])

    def _read(self, name: str, raw_headers: RawHeaders) -> HttpResponse:
        content_type = CONTENT_TYPES.get(Path(name).suffix)
        if content_type is None or not NAME.fullmatch(name):
            raise NotFound
        headers = read_headers(raw_headers)
        compressed = self._content(f"{name}.gz") if accepts(headers.get("accept-encoding"), "gzip") else None
        content = compressed or self._content(name)
        if content is None:
            if (self._site / "index.html").exists():
                raise NotFound
            return HttpResponse(404, NOT_BUILT, GUIDE_HEADERS, HTML)
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        cached = {"ETag": tag, "Cache-Control": ASK_AGAIN, "Vary": "Accept-Encoding"}
        if is_known(headers, tag):
            return HttpResponse(304, b"", cached)
        coded = {"Content-Encoding": "gzip"} if compressed else {}
        return HttpResponse(200, content, {**GUIDE_HEADERS, **cached, **coded}, content_type)

    def _content(self, name: str) -> bytes | None:
        try:
            return (self._site / name).read_bytes()
        except OSError:
            return None
