"""What the head of a request must be for us and a proxy in front to read the same request in it; pure.

Two that disagree about where a request ends let one caller write the beginning of another caller's request. So
nothing is guessed: what has more than one reading is refused, and the connection is closed (RFC 9112, section 11.2).
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from agentmessage.kernel.errors import MalformedRequest

ONCE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"idempotency-key",
        b"transfer-encoding",
    }
)
"""Headers that hold one value. Of two, a proxy may read the first and we the last."""

NEVER_TRAILERS = frozenset(
    {
        b"connection",
        b"content-length",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""What would change how the connection is read, and comes too late for it (RFC 9110, 6.5.1)."""

VERSIONS = frozenset({"1.0", "1.1"})
METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: |\Z)")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+;=-]+)(?::[0-9]{0,5})?")
ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)


def read_head(version: str, headers: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    """The headers by name. Raises MalformedRequest when a head has more than one reading.

    Of a header that is repeated and is not in `ONCE`, the last value.
    """
    if version not in VERSIONS:
        raise MalformedRequest("the version of HTTP must be 1.1 or 1.0")
    by_name = dict(headers)
    if len(by_name) != len(headers):
        _require_once(headers)
    host = by_name.get(b"host")
    if host is None and version == "1.1":
        raise MalformedRequest("header host is required")
    if host is not None and not _is_host(host):
        raise MalformedRequest("header host must be one name or address, and perhaps a port")
    if b"transfer-encoding" in by_name and (version != "1.1" or by_name[b"transfer-encoding"].lower() != b"chunked"):
        raise MalformedRequest("header transfer-encoding must be chunked, and the version of HTTP 1.1")
    if b"expect" in by_name and by_name[b"expect"].lower() != b"100-continue":
        raise MalformedRequest("header expect must be 100-continue")
    return by_name


def _require_once(headers: Sequence[tuple[bytes, bytes]]) -> None:
    known: set[bytes] = set()
    for name, _ in headers:
        if name in ONCE and name in known:
            raise MalformedRequest(f"header {name.decode()} must be given once")
        known.add(name)


@lru_cache(maxsize=64)
def _is_host(host: bytes) -> bool:
    """Remembered, since nearly all requests have one of few."""
    return HOST.fullmatch(host) is not None


def origin_form(target: bytes, method: bytes, host: bytes | None) -> bytes:
    """A request's target as path and query. Raises MalformedRequest when it names another host than the header does."""
    if b"#" in target:
        raise MalformedRequest("the request target must have no fragment")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target
    absolute = ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise MalformedRequest("the request target must be a path, or an http URL")
    authority, rest = absolute.groups()
    if not _is_host(authority) or (host is not None and authority.lower() != host.lower()):
        raise MalformedRequest("the request target must name the same host as the header host")
    return rest if rest.startswith(b"/") else b"/" + rest


def head_of_ignored_upgrade(once: Mapping[bytes, bytes]) -> bytes:
    """A head for a parser that is to read the body, and only the body, of a request whose Upgrade is ignored.

    Empty when there is no body.
    """
    if b"transfer-encoding" in once:
        framing = b"Transfer-Encoding: chunked"
    elif int(once.get(b"content-length", b"0")) > 0:
        framing = b"Content-Length: " + once[b"content-length"]
    else:
        return b""
    return b"POST / HTTP/1.1\r\nConnection: close\r\n" + framing + b"\r\n\r\n"
