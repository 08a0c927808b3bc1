"""Finding a port to serve on."""

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from ingestion.errors import InvalidInput, RagError

_TRIES = 100
_USUAL_PORTS = {"http": 80, "https": 443}


def free_port(host: str, port: int) -> int:
    """Return `port` if it is free on `host`, else the next free one; 0 means any.

    Raises:
        InvalidInput: The host is not an address of this machine.
        RagError: None of the hundred ports from `port` on is free.
    """
    last = min(port + _TRIES, 65536) - 1
    for candidate in range(port, last + 1):
        try:
            family, kind, *_, address = socket.getaddrinfo(host, candidate, type=socket.SOCK_STREAM)[0]
        except (socket.gaierror, UnicodeError) as error:  # UnicodeError: not a name under IDNA
            reason = getattr(error, "strerror", None) or "not a host name"
            raise InvalidInput(f"the host {host!r} cannot be found: {reason}; use 127.0.0.1") from error
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    raise InvalidInput(
                        f"the host {host!r} is not an address of this machine; use 127.0.0.1"
                    ) from error
                continue
            return int(probe.getsockname()[1])
    raise RagError(f"no port from {port} to {last} is free on {host}; choose another with --port")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin_of(url: str) -> str:
    """Return scheme, host and port of a page's address as browsers name its origin.

    Raises:
        ValueError: It is no address of http or https, or has more than these.
    """
    parts = urlsplit(url.strip())
    scheme, host = parts.scheme.lower(), parts.hostname
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if scheme not in _USUAL_PORTS or not host or more:
        raise ValueError(
            f"{url!r} is no page's address; write one like https://rag.example.org, without a path"
        )
    name = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _USUAL_PORTS[scheme]) else f":{parts.port}"
    return f"{scheme}://{name}{port}"


def url_of(host: str, port: int) -> str:
    """Return the URL for programs on this machine of a server that listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # addresses that only servers use
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
