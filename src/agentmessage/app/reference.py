"""The contract as a document and as a page: `/openapi.json`, `/docs` and what that page is made of.

Everything is rendered once in a process, at its start. The page works without any other host: the viewer is vendored,
and the policy it is served with refuses whatever would be fetched from elsewhere.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from agentmessage.app.wiring import all_routes
from agentmessage.kernel.errors import NotFound
from agentmessage.web.openapi.document import render
from agentmessage.web.responses import Reply

HERE = Path(__file__).parent
ASSETS = {
    "/docs": (HERE / "pages" / "docs.html", "text/html; charset=utf-8"),
    "/docs/docs.css": (HERE / "pages" / "docs.css", "text/css; charset=utf-8"),
    "/docs/docs.js": (HERE / "pages" / "docs.js", "text/javascript; charset=utf-8"),
    "/docs/rapidoc-min.js": (HERE / "vendor" / "rapidoc" / "rapidoc-min.js", "text/javascript; charset=utf-8"),
    "/docs/LICENSE.txt": (HERE / "vendor" / "rapidoc" / "LICENSE.txt", "text/plain; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The viewer puts style elements into its shadow tree, so inline styles are allowed; scripts are not."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Reference:
    """The rendered document and page of all routes."""

    def __init__(self) -> None:
        self._pages = _pages()

    def page(self, path: str) -> Reply:
        """One page or asset. Raises NotFound."""
        page = self._pages.get(path)
        if page is None:
            raise NotFound
        return page


@cache
def _pages() -> Mapping[str, Reply]:
    """Every page by its path; kept, because describing all operations takes a tenth of a second."""
    files = {path: Reply(200, file.read_bytes(), HEADERS, kind) for path, (file, kind) in ASSETS.items()}
    return {**files, "/openapi.json": Reply(200, render(all_routes()), {"Cache-Control": "no-cache"})}
