"""Rejects requests of web pages in a browser; programs pass.

The control plane needs no credentials and the carrier's are well known. A page that a developer visits could otherwise
control the simulator: with a form from any origin, or as its own origin after its name was rebound to the loopback
address (DNS rebinding). A browser sends the origin of a request, and a page cannot make it send another Host.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence

from agentmessage.simulator.core.http_types import HttpResponse, json_response

Header = tuple[bytes, bytes]

BROWSER_HEADERS = (b"origin", b"sec-fetch-site")
"""Headers that a browser adds to requests of a page. `Sec-Fetch-Site: none` is a URL that a person typed."""

JSON_TYPES = frozenset({"", "application/json", "application/x-www-form-urlencoded"})
"""Content types accepted by the control plane; the last is the default of `curl -d`. A form also has an Origin."""

CONTROL_PREFIX = "/_control/"

_PLAIN = re.compile(r"[a-z0-9_-]+", re.ASCII)
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]*)?")


def reject(path: str, headers: Sequence[Header], hosts: Collection[str]) -> HttpResponse | None:
    """The error response for a request that a page could have caused; None: the request passes.

    `hosts` are names that are allowed in addition to addresses, localhost and names without a dot, which cannot be
    rebound.
    """
    profile_named = [value for name, value in headers if name == b"host"]
    if len(profile_named) != 1:
        return _rejected(400, "exactly one Host is needed")
    if not _is_allowed_host(profile_named[0].decode("latin-1"), hosts):
        return _rejected(421, "this host is not the simulator's: use its address, or start it with --allow-host")
    if any(name in BROWSER_HEADERS and value != b"none" for name, value in headers):
        return _rejected(403, "the simulator rejects requests of web pages")
    if path.startswith(CONTROL_PREFIX) and _has_body(headers) and not _types(headers) <= JSON_TYPES:
        return _rejected(415, "the body must be application/json")
    return None


def _is_allowed_host(host: str, hosts: Collection[str]) -> bool:
    name = _without_port(host).rstrip(".").lower()
    if name in hosts or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _PLAIN.fullmatch(name) is not None
    return True


def _without_port(host: str) -> str:
    bracketed = _BRACKETED.fullmatch(host)
    return bracketed[1] if bracketed else host.partition(":")[0]


def _has_body(headers: Sequence[Header]) -> bool:
    """Whether there is a body. Client libraries send a content type with an empty body, too."""
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


def _types(headers: Sequence[Header]) -> set[str]:
    values = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    return {value.partition(";")[0].strip().lower() for value in values}


def _rejected(status: int, message: str) -> HttpResponse:
    return json_response(status, {"error": {"message": message}})
