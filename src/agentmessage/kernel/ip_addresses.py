"""What is an address of the public internet, and what is one of somebody's own network; pure."""

import ipaddress

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that a gateway turns into IPv4 ones (RFC 6052)."""

UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is given out of IPv6 to be reached from everywhere (RFC 4291, section 2.4); the rest has some other use."""

UNLIKELY = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # Azure's own services for a machine, metadata among them
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocols (RFC 6890), and Oracle's metadata
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays from IPv6 to IPv4 (RFC 7526)
    ipaddress.IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
"""What Python's `is_global` lets pass and nobody's server has."""


def is_public(host: str) -> bool:
    """Whether an IP address is one of the public internet; what an IPv6 address carries within is judged too."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if any(address in network for network in UNLIKELY):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        within = _carried(address)
        if within is not None:
            return is_public(str(within))
        if address not in UNICAST:
            return False
    return address.is_global and not address.is_multicast


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, whose traffic ends there."""
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
