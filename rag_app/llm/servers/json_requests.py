"""Requests for JSON that end by a given moment, whatever the server does."""

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER = 2**20  # bytes; a model's description with its licence and template has some 100,000
_MOST_CONNECTIONS = 8


def open_client(headers: dict[str, str] | None = None) -> "httpx.AsyncClient":
    """Return a client that takes no proxy from the environment, and follows no redirect."""
    import httpx

    return httpx.AsyncClient(
        trust_env=False,
        follow_redirects=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # made without reading certificates, which takes long
        headers={"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})},
        # A server that sends head and body apart, as llama-server may, answers the later requests of a
        # connection 40 ms late (Nagle's algorithm and delayed acknowledgements), but not the first.
        limits=httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=0),
        timeout=None,  # JsonRequests limits the time of the whole
    )


class JsonRequests:
    """Requests to one server.

    Args:
        root: The server's address without a path.
        deadline: When the last of them ends, by the clock of the event loop.

    Attributes:
        root: The server's address without a path.
        late: Whether the deadline cut off an answer.
    """

    def __init__(self, client: "httpx.AsyncClient", root: str, deadline: float) -> None:
        self._client = client
        self._deadline = deadline
        self.root = root
        self.late = False

    async def get(self, path: str) -> Any:
        """Return the JSON at a path; None where there is none."""
        return await self._answer("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON that answers a JSON body; None where there is none."""
        return await self._answer("POST", path, json=body)

    async def _answer(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        try:
            async with (
                asyncio.timeout_at(self._deadline),
                self._client.stream(method, f"{self.root}{path}", **options) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    return None
                read = bytearray()
                async for piece in answer.aiter_raw():
                    read += piece
                    if len(read) > LARGEST_ANSWER:
                        return None
            return json.loads(read)
        except TimeoutError:
            self.late = True
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            pass  # no server, or no JSON
        return None
