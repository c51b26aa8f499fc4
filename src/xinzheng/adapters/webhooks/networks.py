"""Which network addresses may be called (公网地址): whoever names an address must not reach into our own networks.

``ipaddress.is_global`` alone is not enough: it takes 64:ff9b::7f00:1 and 2002:7f00:1::, which lead to 127.0.0.1 where
there is a translator or a tunnel, for public, and so it does addresses that nobody was given.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address

# What is not one body's address on the public Internet, beside what ``is_global`` knows (RFC 6890 and later).
APART = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3", "2001::/23", "3fff::/20", "2620:4f:8000::/48")
)
GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
# ISATAP: the lower half is 0000:5efe or 0200:5efe, then the IPv4 address.
TUNNELLED_WITHIN = (0x00005EFE, 0x02005EFE)


def is_public(text: str) -> bool:
    """Whether an address as a name server gives it is one of the public Internet, and all that lie within it are."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public(address)
    if address.scope_id is not None:
        return False
    within = embedded(address)
    return all(_is_public(one) for one in within) if within else address in GIVEN_OUT and _is_public(address)


def is_loopback(text: str) -> bool:
    """Whether an address is this machine itself."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that what is sent to an IPv6 address may end at: mapped, NAT64, 6to4, Teredo, ISATAP."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in TRANSLATED:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if int(address) >> 32 & 0xFFFFFFFF in TUNNELLED_WITHIN and address in GIVEN_OUT:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _is_public(address: Address) -> bool:
    is_one_body = address.is_global and not address.is_multicast and not address.is_reserved
    return is_one_body and not any(address in apart for apart in APART if apart.version == address.version)
