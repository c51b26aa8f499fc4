"""From where somebody looked (大致位置): never the whole address, and no place but one that a table names."""

import ipaddress
from collections.abc import Iterable, Mapping

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNKNOWN = "未知网络"
HERE, INSIDE = "本机", "内部网络"
KEPT_BITS = {4: 24, 6: 48}


def read_network(text: str) -> Network:
    """A network as a table writes it, e.g. ``203.0.113.0/24``. Raises ValueError where it is none."""
    return ipaddress.ip_network(text.strip(), strict=False)


def coarse_place(address: str, places: Mapping[Network, str]) -> str:
    """The place of the longest network in the table that holds the address; else the network, cut to /24 or /48."""
    found = _address(address)
    if found is None:
        return UNKNOWN
    known = [network for network in places if network.version == found.version and found in network]
    if known:
        return places[max(known, key=lambda network: network.prefixlen)]
    if found.is_loopback:
        return HERE
    return INSIDE if found.is_private else f"网络 {_cut(found)}"


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; a text that is no address lies in none."""
    found = _address(address)
    return found is not None and any(found.version == one.version and found in one for one in networks)


def limit_network(address: str) -> str:
    """What counts as one visitor for a limit: the address itself, of IPv6 its /64."""
    found = _address(address)
    if found is None or found.version == 4:
        return str(found or address)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def _cut(address: Address) -> str:
    network = ipaddress.ip_network((address, KEPT_BITS[address.version]), strict=False)
    if address.version == 4:
        return str(network.network_address).rpartition(".")[0] + ".*"
    return str(network.network_address).rstrip(":") + ":*"
