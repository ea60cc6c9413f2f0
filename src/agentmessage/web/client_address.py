"""Where a request comes from."""

import ipaddress

from agentmessage.web.request import RawHeaders
from agentmessage.web.responses import Scope

IPV6_NETWORK_BITS = 64
"""What one customer of a network is given: within it addresses cost nothing."""


def address_of(scope: Scope, trusted_proxy_count: int) -> str | None:
    """Where a request comes from: the connection, or what the outermost proxy of ours saw.

    Each proxy adds to X-Forwarded-For on the right; what stands further left anybody may have written.
    """
    connection = scope.get("client")
    direct: str | None = connection[0] if connection else None
    if trusted_proxy_count == 0:
        return direct
    raw: RawHeaders = scope["headers"]
    seen = ",".join(value.decode("latin-1") for name, value in raw if name == b"x-forwarded-for").split(",")
    if len(seen) < trusted_proxy_count:
        return direct
    try:
        return str(ipaddress.ip_address(seen[-trusted_proxy_count].strip()))
    except ValueError:
        return direct


def network_of(address: str) -> str:
    """What is limited as one: an IPv4 address, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_NETWORK_BITS), strict=False))
