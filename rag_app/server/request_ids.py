"""An id for each request: in the log's lines, and in the header X-Request-Id of the response."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_app.config.logging import report_unexpected, request

HEADER = "X-Request-Id"


class RequestIds:
    """ASGI middleware that gives requests ids, and logs errors that no code inside handled."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        responded = False

        async def send_with_id(message: Message) -> None:
            nonlocal responded
            if message["type"] == "http.response.start":
                responded = True
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        with request() as identity:
            try:
                await self.app(scope, receive, send_with_id)
            except Exception as error:
                report_unexpected(error)
                if not responded:
                    raise
