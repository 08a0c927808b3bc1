"""The limit on a request's body."""

from starlette.types import ASGIApp, Receive, Scope, Send

from rag_app.contract.errors import ErrorFields
from rag_app.server.errors import error_response

# Bytes of a request: ten thousand paths of a usual length fit.
_LARGEST_REQUEST = 4_000_000


class BodyLimit:
    """ASGI middleware that refuses bodies of an unknown or too large size before reading them.

    Uploads to the path `uploads` have limits of their own, file by file.
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
            message, status = "the request has no length; send Content-Length", 411
        elif int(length) > _LARGEST_REQUEST:
            message, status = f"the request is longer than {_LARGEST_REQUEST} bytes; send less", 413
        if message:
            response = error_response(
                scope["path"], status, ErrorFields(type="InvalidInput", message=message)
            )
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
