"""Addresses and networks: of clients, and in settings."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode


def network_of(host: str) -> str:
    """Return a client's address; for IPv6 its /64 network, all of which one person may have."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _listed(addresses: Any) -> Any:
    """Split the form in a variable: 10.0.0.2,fd00::/8."""
    return tuple(filter(None, re.split(r"[,\s]+", addresses))) if isinstance(addresses, str) else addresses


def _usual(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_network(address) for address in addresses)


def _network(text: str) -> str:
    """Return an address or network in its usual form.

    Raises:
        ValueError: The text is neither, or names every address.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network; write one like 10.0.0.2 or fd00::/8") from error
    if not network.prefixlen:
        raise ValueError(f"{text!r} names every address; name those of the proxies")
    return str(network)


# A single address is the network of it alone: 10.0.0.2/32.
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_usual)]
