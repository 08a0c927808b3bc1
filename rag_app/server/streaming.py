"""Events of an answer on their way to a client: as lines of JSON, or as server-sent events.

A client that goes away stops the answer, also before its first word.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from typing import Generic, TypeVar

from fastapi import Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response, StreamingResponse

from ingestion.errors import RagError
from rag_app.config.logging import report_unexpected
from rag_app.contract.answers import ErrorEvent, Event
from rag_app.contract.errors import ErrorFields
from rag_app.server.background_generator import BackgroundGenerator, ClientGone, StreamEnd
from rag_app.server.errors import count_error

E = TypeVar("E", bound=Event)

# Seconds without an event after which a comment shows that the connection lives: proxies give up after 30.
KEEP_ALIVE = 15.0
# nginx's status for "client closed request"; nobody reads it.
_CLIENT_GONE = 499

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
# Without these, proxies hold back events to compress them, and caches keep answers.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Events(Generic[E]):
    """A question's events, for as long as the client of the request listens."""

    def __init__(self, asked: Generator[E], request: Request) -> None:
        self._generator = BackgroundGenerator(asked)
        self._request = request
        self._watch = asyncio.create_task(self._until_gone(request))

    async def next(self, seconds: float | None = None) -> E | None:
        """See `BackgroundGenerator.next`. At the end, and after an error, this is closed."""
        try:
            return await self._generator.next(seconds)
        except BaseException:
            self.close()
            raise

    async def last(self, event: E | None = None) -> E:
        """Return the last event: `event` where no other comes."""
        while True:
            try:
                event = await self.next()
            except StreamEnd:
                assert event is not None
                return event

    def reported(self, error: Exception) -> ErrorFields:
        """Return an error's fields for a stream, and count it; log an unexpected one."""
        if not isinstance(error, RagError):
            report_unexpected(error)
        fields = ErrorFields.of_exception(error)
        count_error(self._request, fields)
        return fields

    def close(self) -> None:
        """Stop the work if it still goes on."""
        self._generator.leave()
        self._watch.cancel()

    async def _until_gone(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self._generator.leave()


def gone() -> Response:
    """Return the answer to a client that has gone."""
    return Response(status_code=_CLIENT_GONE)


def streamed(body: AsyncIterator[bytes], media_type: str) -> StreamingResponse:
    return StreamingResponse(body, media_type=media_type, headers=_HEADERS)


async def as_lines(first: E, events: Events[E]) -> AsyncIterator[bytes]:
    """Yield events as lines of JSON; after an error its event is the last one."""
    async for event in _and_error(first, events, seconds=None):
        if event is not None:
            yield _json(event).encode() + b"\n"


async def as_sse(first: E, events: Events[E]) -> AsyncIterator[bytes]:
    """Yield events under their names, with their fields as data; after an error its event is the last one."""
    async for event in _and_error(first, events, seconds=KEEP_ALIVE):
        if event is None:
            yield KEEPALIVE_COMMENT
        else:
            yield format_sse_event(event=event.event, data_str=_json(event))


def _json(event: Event) -> str:
    return json.dumps(event.model_dump())  # ASCII: some clients break lines at U+2028


async def _and_error(
    first: E, events: Events[E], *, seconds: float | None
) -> AsyncIterator[E | ErrorEvent | None]:
    yield first
    try:
        while True:
            yield await events.next(seconds)
    except (StreamEnd, ClientGone):
        pass
    except Exception as error:  # noqa: BLE001  # the status has been sent, so the stream tells it
        yield ErrorEvent(error=events.reported(error))
    finally:
        events.close()
