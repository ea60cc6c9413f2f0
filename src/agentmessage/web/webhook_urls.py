"""Addresses that a customer gives for us to call: what they may look like, before a name is resolved; pure.

What a name resolves to is judged where the socket is made, at every call (kernel/public_web). Here is refused what
could never be reached, so that the one who types it is told.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from agentmessage.kernel.errors import ValidationFailed
from agentmessage.kernel.ip_addresses import is_public
from agentmessage.web.types import END, error_text

MAX_URL_CHARS = 2048
MUST = f"must be an https URL of at most {MAX_URL_CHARS} characters, without user, password and fragment"
PUBLIC = "must name a host on the public internet"
MUST_BE_PUBLIC = (
    f"{PUBLIC}, over https; for development, AGENTMESSAGE_WEBHOOK_ALLOW_PRIVATE=1 of the platform allows private hosts"
)
MUST_BE_PAGE = "must be an http or https URL without user and password, as a browser shows it"

# The scheme ignores case (RFC 3986, section 3.1).
# One form only, that every parser reads alike: no user, no backslash, no percent sign and no other script in the host.
_REST = r"(?::[0-9]{1,5})?(?:[/?][!\"$-\[\]-~]*)?"
_HOST = r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?)"
URL_PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]?://{_HOST}{_REST}{END}"
PAGE_PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]?://{_HOST}{_REST}(?:#[!-~]*)?{END}"
HTTPS_PATTERN = rf"^[Hh][Tt][Tt][Pp][Ss]://{_HOST}{_REST}{END}"

WebhookUrl = Annotated[
    str,
    Meta(
        pattern=URL_PATTERN,
        max_length=MAX_URL_CHARS,
        examples=["https://customer.example/inbound"],
        extra=error_text(MUST),
        extra_json_schema={"pattern": HTTPS_PATTERN},
    ),
]
ClearableWebhookUrl = Annotated[
    str,
    Meta(
        pattern=rf"^{END}|{URL_PATTERN}",
        max_length=MAX_URL_CHARS,
        examples=["https://customer.example/inbound"],
        extra=error_text(f"{MUST}, or empty to clear"),
        extra_json_schema={"pattern": rf"^{END}|{HTTPS_PATTERN}"},
    ),
]

_URL = re.compile(URL_PATTERN)
_NUMERIC = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
MAX_LABEL_CHARS = 63
MAX_PORT = 65_535

OWN_NAMES = ("localhost", "local", "internal", "home.arpa")
"""Names that never leave a network: RFC 6761, RFC 6762, ICANN's reservation of 2024, RFC 8375."""


def require_callable_urls(urls: Mapping[str, object], *, allow_private: bool) -> None:
    """Refuse what cannot be called; `urls` by field, of which only texts that are not empty are judged.

    `allow_private` takes private addresses and plain http too: for development. Raises ValidationFailed naming every
    faulty field.
    """
    faults = {
        name: words
        for name, url in urls.items()
        if isinstance(url, str) and url and (words := url_error(url, allow_private=allow_private)) is not None
    }
    if faults:
        raise ValidationFailed(faults)


def url_error(url: str, *, allow_private: bool) -> str | None:
    """What is wrong with an address, in words for the caller; None when we would call it."""
    host = _host(url)
    if host is None:
        return MUST
    if allow_private:
        return None
    if not _is_out_there(host):
        return MUST_BE_PUBLIC
    return None if url[:6].lower() == "https:" else MUST


def file_url_error(url: str) -> str | None:
    """What is wrong with the address of a file that a carrier fetches, which never reaches a private host."""
    host = _host(url)
    if host is None or url[:6].lower() != "https:":
        return MUST
    return None if _is_out_there(host) else PUBLIC


def page_url_error(url: str, *, allow_private: bool) -> str | None:
    """What is wrong with the address of a page for people, which may have a fragment and be plain http."""
    host = _host(url.partition("#")[0])
    if host is None or not url.isascii():
        return MUST_BE_PAGE
    return None if allow_private or _is_out_there(host) else PUBLIC


def _host(url: str) -> str | None:
    """The host in lower case, without its last dot; None unless the URL is of the one form."""
    form = _URL.fullmatch(url) if len(url) <= MAX_URL_CHARS else None
    if form is None or not _has_port(url):
        return None
    host = form[1].lower().removesuffix(".")
    if host.startswith("["):
        return host
    return host if all(0 < len(label) <= MAX_LABEL_CHARS for label in host.split(".")) else None


def _has_port(url: str) -> bool:
    """Whether the port, if one is given, is one."""
    authority = re.split(r"[/?]", url.partition("://")[2], maxsplit=1)[0]
    port = re.search(r":([0-9]+)\Z", authority)
    return port is None or 0 < int(port[1]) <= MAX_PORT


def _is_out_there(host: str) -> bool:
    if host.startswith("["):
        return is_public(host[1:-1])
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]):  # resolvers read such a name as an IPv4 address, in many a notation
        return _is_plain_ipv4(host) and is_public(host)
    return len(labels) > 1 and not any(host == own or host.endswith(f".{own}") for own in OWN_NAMES)


def _is_plain_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False
