"""The public pages as HTML: plain, without scripts, readable by every browser and by screen readers."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from agentmessage.web.responses import HttpResponse

FOLDER = Path(__file__).parent / "templates"
STYLE = (FOLDER / "page.css").read_text()
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""The address of the page is a secret: it is not cached, indexed, framed, or told to anybody."""

HTML = "text/html; charset=utf-8"

_environment = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
)
_page = _environment.get_template("page.html")


class Form(Struct, frozen=True):
    """What a contact is asked to agree to; `ending` is the end of the contact's own number."""

    organization: str
    number: str
    ending: str
    agreement: str


def page(
    status: int,
    title: str,
    *paragraphs: str,
    form: Form | None = None,
    problem: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """One page as an answer."""
    body = _page.render(**_shown(title, paragraphs, form, problem))
    return HttpResponse(status, body.encode(), {**HEADERS, **(headers or {})}, content_type=HTML)


def _shown(title: str, paragraphs: Sequence[str], form: Form | None, problem: str | None) -> Mapping[str, object]:
    style = Markup(STYLE)  # noqa: S704 - our own file, which the policy above names by its hash
    return {"title": title, "paragraphs": paragraphs, "form": form, "problem": problem, "style": style}
