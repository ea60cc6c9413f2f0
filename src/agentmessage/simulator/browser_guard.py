"""Who may speak to the simulator: programs, and no page in a browser.

The control plane asks for no credentials and the carrier's are well known, so a page that a developer happens to visit
could otherwise drive the simulator: with a form from anywhere, or, once its name resolves to the loopback (DNS
rebinding), as its own origin. Browsers say where a request comes from, and they cannot be made to name another host.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence

from agentmessage.simulator.core.http_types import Reply, json_reply

Header = tuple[bytes, bytes]

FROM_A_PAGE = (b"origin", b"sec-fetch-site")
"""What a browser adds to what a page asks for. `Sec-Fetch-Site: none` is a person who typed the address."""

READ_AS_JSON = frozenset({"", "application/json", "application/x-www-form-urlencoded"})
"""Types of a body for the control plane; the last is what `curl -d` says. A form of a page has an Origin beside it."""

CONTROL = "/_control/"

_PLAIN = re.compile(r"[a-z0-9_-]+", re.ASCII)
_BRACKETED = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]*)?")


def refuse(path: str, headers: Sequence[Header], hosts: Collection[str]) -> Reply | None:
    """What a request is refused with that did not come from a program of this machine; None: it may pass.

    `hosts` are names that are allowed beside addresses, localhost and names without a dot, which nobody can rebind.
    """
    named = [value for name, value in headers if name == b"host"]
    if len(named) != 1:
        return _refused(400, "exactly one Host is needed")
    if not _is_ours(named[0].decode("latin-1"), hosts):
        return _refused(421, "this host is not the simulator's: use its address, or start it with --allow-host")
    if any(name in FROM_A_PAGE and value != b"none" for name, value in headers):
        return _refused(403, "the simulator does not answer pages in a browser")
    if path.startswith(CONTROL) and _has_body(headers) and not _types(headers) <= READ_AS_JSON:
        return _refused(415, "the body must be application/json")
    return None


def _is_ours(host: str, hosts: Collection[str]) -> bool:
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
    """Client libraries name a type beside a body of no length, too."""
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers)


def _types(headers: Sequence[Header]) -> set[str]:
    given = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    return {value.partition(";")[0].strip().lower() for value in given}


def _refused(status: int, message: str) -> Reply:
    return json_reply(status, {"error": {"message": message}})
