"""OpenAI's protocol: any of its clients uses the library as a model, with citations in the message."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response

from ingestion.errors import UnknownName
from rag_app.contract.answers import (
    AnsweredEvent,
    AskEvent,
    CondensedEvent,
    DeltaEvent,
    FoundEvent,
    ThoughtEvent,
    WaitingEvent,
)
from rag_app.contract.errors import OpenAiErrorFields, OpenAiErrorResponse
from rag_app.contract.schema import Fields
from rag_app.server import errors
from rag_app.server.background_generator import ClientGone, StreamEnd
from rag_app.server.openai.chat_values import (
    MODEL,
    ChatRequest,
    ask_request,
    below,
    model_names,
    notes,
    side_task_in,
)
from rag_app.server.openai.completions import (
    AboutFields,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    DeltaFields,
    MessageFields,
    ModelFields,
    ModelList,
)
from rag_app.server.security.remote_access import check_request, may_name_servers
from rag_app.server.streaming import KEEP_ALIVE, SSE, Events, gone, streamed
from rag_app.service.local import LocalService

_DONE = format_sse_event(data_str="[DONE]")

_FAILED: dict[int | str, dict[str, Any]] = {"4XX": {"model": OpenAiErrorResponse, "description": "An error"}}

_COMPLETIONS = """Answer the last message of a conversation from the library's documents.

`model` is `rag-app` (the settings' strategy), `rag-app/STRATEGY`, or either with `/extractive` behind it,
which quotes. Programs of this machine may also choose the model of a server:
`rag-app/http://127.0.0.1:11434/v1#MODEL`; `GET /v1/models` lists those that are found here.

The message ends with the list of its sources; `citations` beside `content` has each with document, page,
characters and quotation, and `rag_app` beside `choices` what made the answer and how each sentence is
supported. System messages of up to 4,000 characters are honoured in what they say about the form of the
answer, below the application's own rules about sources and behind the collection's instructions; longer ones
are left out, with a note. Quotations and summaries do not use them. Tools and stop words are ignored.
`rag_app` in the request narrows the search: `collections`, `documents`, `folders`, `types`, `pages`,
`added_from`, `added_to`, `top_k`, `reranker`, `llm`. Token counts are the language model's; quotations have
none. Images, sounds and files are left out, and so is the beginning of a conversation of more than 1,000
messages; `flags` in `rag_app` say so. A chat program's own requests (a title, tags, what to ask next) are
answered without the documents, in JSON where they demand it.
"""


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["OpenAI"])

    @router.get("/models", summary="List the models: one for each strategy, and those of servers here")
    def models(http: Request) -> ModelList:
        return ModelList(data=tuple(_models(service, http)))

    @router.get("/models/{name:path}", summary="One model")
    def model(name: str, http: Request) -> ModelFields:
        found = {one.id: one for one in _models(service, http)}
        if name not in found:
            raise UnknownName("model", name, found)
        return found[name]

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses=_FAILED,
        summary="Answer a conversation",
        description=_COMPLETIONS,
    )
    async def completions(request: ChatRequest, http: Request) -> Response:
        side_task = side_task_in(request)
        question = ask_request(request, await run_in_threadpool(_strategies, service), side_task=side_task)
        check_request(http, service.assistant, question)
        asked = service.ask(question) if side_task is None else service.do_side_task(side_task, question)
        events: Events[AskEvent] = Events(asked, http)
        reply = Reply(request.model, request.wants_usage, notes(request))
        try:
            if not request.stream:
                return JSONResponse(reply.whole(await events.last()).model_dump())
            first = await events.next()
            while isinstance(first, CondensedEvent | FoundEvent):
                first = (
                    await events.next()
                )  # an error of the model that comes before its text sets the status
            assert first is not None
            return streamed(reply.chunks(first, events), SSE)
        except ClientGone:
            return gone()

    return router


def _strategies(service: LocalService) -> list[str]:
    return [one.strategy.name for one in service.assistant.strategies() if one.available]


def _models(service: LocalService, http: Request) -> list[ModelFields]:
    """Return the models that the sender of a request may choose."""
    names = [ModelFields(id=name) for name in model_names(_strategies(service))]
    if not may_name_servers(http):
        return names
    served = service.assistant.model_pool.served_models()
    return names + [ModelFields(id=f"{MODEL}/{one.url}", owned_by=one.kind) for one in served]


class Reply:
    """One completion, whole or in chunks, from an answer's events."""

    def __init__(self, model: str, wants_usage: bool, notes: Sequence[str] = ()) -> None:
        """`notes` say which parts of the conversation were not read."""
        self._model = model
        self._notes = notes
        self._wants_usage = wants_usage
        self._id = f"chatcmpl-{uuid4().hex}"
        self._created = int(time.time())

    def whole(self, answer: AskEvent) -> Completion:
        """Return the completion of a finished answer."""
        assert isinstance(answer, AnsweredEvent)
        message = MessageFields(
            content=answer.answer + below(answer, self._notes), citations=answer.citations
        )
        return Completion(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=(Choice(message=message, finish_reason=answer.finish_reason),),
            usage=answer.usage,
            rag_app=self._about(answer),
        )

    async def chunks(self, first: AskEvent, events: Events[AskEvent]) -> AsyncIterator[bytes]:
        """Yield the completion as server-sent events, from the first event after the passages."""
        event: AskEvent | None = first
        yield self._chunk(DeltaFields(role="assistant", content=""))
        try:
            while True:
                yield KEEPALIVE_COMMENT if event is None else self._sent(event)
                event = await events.next(KEEP_ALIVE)
        except StreamEnd:
            yield _DONE
        except ClientGone:
            pass
        except Exception as error:  # noqa: BLE001  # the status has been sent, so the stream tells it
            fields = OpenAiErrorFields.of_error(errors.status_of(error), events.reported(error))
            yield _event(OpenAiErrorResponse(error=fields))
        finally:
            events.close()

    def _sent(self, event: AskEvent) -> bytes:
        match event:
            case DeltaEvent(text=""):
                return KEEPALIVE_COMMENT  # a sign of life
            case DeltaEvent():
                return self._chunk(DeltaFields(content=event.text))
            case ThoughtEvent():
                return self._chunk(DeltaFields(reasoning_content=event.text))
            case WaitingEvent():
                return format_sse_event(comment=f"{event.stage} {event.done} {event.total}")
            case AnsweredEvent():
                return self._end(event)
            case _:
                return format_sse_event(comment=event.event)

    def _end(self, answer: AnsweredEvent) -> bytes:
        text = DeltaFields(content=below(answer, self._notes), citations=answer.citations)
        end = ChunkChoice(delta=DeltaFields(), finish_reason=answer.finish_reason)
        sent = self._chunk(text) + self._sent_chunk(choices=(end,), rag_app=self._about(answer))
        return sent + self._sent_chunk(usage=answer.usage) if self._wants_usage else sent

    def _chunk(self, delta: DeltaFields) -> bytes:
        return self._sent_chunk(choices=(ChunkChoice(delta=delta),))

    def _sent_chunk(self, **parts: Any) -> bytes:
        chunk = Chunk(id=self._id, created=self._created, model=self._model, **parts)
        return _event(chunk, without=set() if self._wants_usage else {"usage"})

    def _about(self, answer: AnsweredEvent) -> AboutFields:
        return AboutFields.of(answer.model_copy(update={"flags": (*answer.flags, *self._notes)}))


def _event(fields: Fields, *, without: set[str] | None = None) -> bytes:
    return format_sse_event(data_str=fields.model_dump_json(exclude=without, ensure_ascii=True))
