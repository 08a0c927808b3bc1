"""Whether this machine can reach the hub, without sending anything."""

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from rag_app.config.ports import is_loopback
from rag_app.model_store.puller import endpoint

# Addresses for documentation (RFC 5737 and 3849): no host has them, and nothing is sent to them.
_REMOTE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_DISCARD = 9


def hub_host() -> str:
    """Return the hub's host name."""
    return urlsplit(endpoint()).hostname or endpoint()


def has_network() -> bool:
    """Return whether this machine has a route to others, a proxy, or the hub on itself."""
    if is_loopback(hub_host()) or {"http", "https", "all"} & getproxies().keys():
        return True
    return any(_has_route(family, address) for family, address in _REMOTE)


def _has_route(family: socket.AddressFamily, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, _DISCARD))  # UDP: looks up the route, and sends nothing
    except OSError:
        return False
    return True
