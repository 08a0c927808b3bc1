"""Events of an answer on their way to a client: as lines of JSON, or as server-sent events.

A client that goes away stops the answer, also before its first word.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Generator, Mapping
from typing import Any

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response, StreamingResponse

from ingestion.errors import RagError
from rag_app.config.logging import report_unexpected
from rag_app.contract import output
from rag_app.server.background_generator import Ended, Left, Working

Fields = dict[str, Any]

# Seconds without an event after which a comment shows that the connection lives: proxies give up after 30.
KEEP_ALIVE = 15.0
# What the server of nginx knows as "client closed request"; nobody reads it.
_CLIENT_GONE = 499

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
# Proxies would hold back events to compress them, and caches would keep answers.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Events:
    """A question's events, for as long as the client of the request listens."""

    def __init__(self, asked: Generator[Fields], request: Request) -> None:
        self._working = Working(asked)
        self._watch = asyncio.create_task(self._until_gone(request))

    async def next(self, seconds: float | None = None) -> Fields | None:
        """See `Working.next`; at the end, however it comes, nothing is left behind."""
        try:
            return await self._working.next(seconds)
        except BaseException:
            self.close()
            raise

    async def last(self, event: Fields | None = None) -> Fields:
        """Return the last event, which is `event` where no other comes."""
        while True:
            try:
                event = await self.next()
            except Ended:
                assert event is not None
                return event

    def close(self) -> None:
        """Stop the work if it still goes on."""
        self._working.leave()
        self._watch.cancel()

    async def _until_gone(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self._working.leave()


def gone() -> Response:
    """Return the answer to a client that does not wait for it any more."""
    return Response(status_code=_CLIENT_GONE)


def streamed(body: AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    return StreamingResponse(body, media_type=media_type, headers=_HEADERS)


async def as_lines(first: Fields, events: Events) -> AsyncIterator[bytes]:
    """Yield events as lines of JSON; an error on the way is the last one."""
    async for event in _and_error(first, events, seconds=None):
        yield json.dumps(event).encode() + b"\n"


async def as_sse(first: Fields, events: Events) -> AsyncIterator[bytes]:
    """Yield events under their names, with all their fields as data; an error on the way is the last one."""
    async for event in _and_error(first, events, seconds=KEEP_ALIVE):
        if event is None:
            yield KEEPALIVE_COMMENT
        else:
            yield format_sse_event(event=event["event"], data_str=json.dumps(event))


async def _and_error(first: Fields, events: Events, *, seconds: float | None) -> AsyncIterator[Fields | None]:
    yield first
    try:
        while True:
            yield await events.next(seconds)
    except (Ended, Left):
        pass
    except Exception as error:  # noqa: BLE001  # the status has been sent: it is told in the stream
        yield {"event": "error", "error": told(error)}
    finally:
        events.close()


def told(error: Exception) -> Mapping[str, Any]:
    """Return an error's fields for a stream, and log an unexpected error."""
    if not isinstance(error, RagError):
        report_unexpected(error)
    return output.error_fields(error)
