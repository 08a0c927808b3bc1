"""How much of a request is read at all."""

from starlette.types import ASGIApp, Receive, Scope, Send

from rag_app.server.errors import error_response

# Bytes of a request: ten thousand paths of a usual length, and nothing that fills the memory.
_LARGEST_REQUEST = 4_000_000


class Bounded:
    """ASGI middleware that refuses bodies of an unknown or too large size before reading them.

    Files sent to the path `uploads` are bounded one by one, where they are received.
    """

    def __init__(self, app: ASGIApp, *, uploads: str) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        length = headers.get(b"content-length", b"0")
        message = None
        if scope.get("method") == "POST" and scope["path"] == self._uploads:
            pass
        elif b"transfer-encoding" in headers or not length.isdigit():
            message, status = "say how long the body is, with Content-Length", 411
        elif int(length) > _LARGEST_REQUEST:
            message, status = f"the request is longer than {_LARGEST_REQUEST} bytes", 413
        if message:
            response = error_response(scope["path"], status, {"type": "InvalidInput", "message": message})
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
