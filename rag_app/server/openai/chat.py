"""OpenAI's protocol: any of its clients uses the library as a model, with citations in the message."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response

from ingestion.errors import UnknownName
from rag_app.contract import output
from rag_app.server import errors
from rag_app.server.background_generator import Ended, Left
from rag_app.server.openai.chat_values import ChatRequest, ask_request, below, chore_in, model_names, notes
from rag_app.server.security.remote_access import check_models
from rag_app.server.streaming import KEEP_ALIVE, SSE, Events, gone, streamed, told
from rag_app.service.local import LocalService

Fields = dict[str, Any]

_DONE = format_sse_event(data_str="[DONE]")
# What an answer says of itself beside its text.
_ABOUT = (
    "answer", "abstained", "strategy", "reranker", "llm", "sentences", "flags", "standalone_question",
    "receipt_id", "timings_ms",
)  # fmt: skip

_COMPLETIONS = """Answer the last message of a conversation from the library's documents.

`model` is `rag-app` (the settings' strategy), `rag-app/STRATEGY`, or either with `/extractive` behind it,
which quotes. The message ends with the list of its sources; `citations` beside `content` has each with
document, page, characters and quotation, and `rag_app` beside `choices` what made the answer and how each
sentence is supported. System messages, tools and stop words are ignored: the instructions that keep citations
right are the application's own. `rag_app` in the request narrows the search: `collections`, `documents`,
`folders`, `types`, `pages`, `added_from`, `added_to`, `top_k`, `reranker`, `llm`. Token counts are the
language model's; quotations have none. Images, sounds and files are left out, and so is the beginning of a
conversation of more than 1,000 messages; `flags` in `rag_app` say so. A chat program's own requests (a title,
tags, what to ask next) are answered without the documents, in JSON where they demand it.
"""


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["OpenAI"])

    @router.get("/models", summary="List the models: one for each strategy")
    def models() -> Fields:
        return {"object": "list", "data": [_model(name) for name in model_names(_strategies(service))]}

    @router.get("/models/{name:path}", summary="One model")
    def model(name: str) -> Fields:
        names = model_names(_strategies(service))
        if name not in names:
            raise UnknownName("model", name, names)
        return _model(name)

    @router.post(
        "/chat/completions", response_model=None, summary="Answer a conversation", description=_COMPLETIONS
    )
    async def completions(request: ChatRequest, http: Request) -> Response:
        chore = chore_in(request)
        question = ask_request(request, await run_in_threadpool(_strategies, service), chore=chore)
        check_models(http, service.assistant, llm=question.llm, rerankers=[question.reranker])
        asked = service.ask(question) if chore is None else service.do_chore(chore, question)
        events = Events(asked, http)
        reply = Reply(request.model, request.wants_usage, notes(request))
        try:
            if not request.stream:
                return JSONResponse(reply.whole(await events.last()))
            first = await events.next()
            while first is not None and first["event"] in ("condensed", "found"):
                first = await events.next()  # whether the model takes the question sets the status
            assert first is not None
            return streamed(reply.chunks(first, events), SSE)
        except Left:
            return gone()

    return router


def _strategies(service: LocalService) -> list[str]:
    return [one.strategy.name for one in service.assistant.strategies() if one.available]


def _model(name: str) -> Fields:
    return {"id": name, "object": "model", "created": 0, "owned_by": "rag-app"}


@dataclass(frozen=True, slots=True)
class _Named:
    id: str
    created: int


class Reply:
    """One completion, whole or in chunks, from an answer's events."""

    def __init__(self, model: str, wants_usage: bool, notes: Sequence[str] = ()) -> None:
        """`notes` say what of the conversation was not read."""
        self._model = model
        self._notes = notes
        self._wants_usage = wants_usage
        self._named = _Named(f"chatcmpl-{uuid4().hex}", int(time.time()))

    def whole(self, answer: Fields) -> Fields:
        """Return the completion of a finished answer."""
        message = {
            "role": "assistant",
            "content": answer["answer"] + below(answer, self._notes),
            "refusal": None,
            "citations": answer["citations"],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer["finish_reason"]}
        return {
            **self._head("chat.completion"), "choices": [choice], "usage": answer["usage"],
            "rag_app": self._about(answer),
        }  # fmt: skip

    async def chunks(self, first: Fields, events: Events) -> AsyncIterator[bytes]:
        """Yield the completion as server-sent events, from the first event after the passages."""
        event: Fields | None = first
        yield self._chunk({"role": "assistant", "content": ""})
        try:
            while True:
                yield KEEPALIVE_COMMENT if event is None else self._told(event)
                event = await events.next(KEEP_ALIVE)
        except Ended:
            yield _DONE
        except Left:
            pass
        except Exception as error:  # noqa: BLE001  # the status has been sent: it is told in the stream
            fields = output.openai_error_fields(errors.status_of(error), told(error))
            yield format_sse_event(data_str=json.dumps({"error": fields}))
        finally:
            events.close()

    def _told(self, event: Fields) -> bytes:
        match event["event"]:
            case "delta" if not event["text"]:
                return KEEPALIVE_COMMENT  # a sign of life
            case "delta":
                return self._chunk({"content": event["text"]})
            case "thought":
                return self._chunk({"reasoning_content": event["text"]})
            case "waiting":
                return format_sse_event(comment=f"{event['stage']} {event['done']} {event['total']}")
            case "answer":
                return self._end(event)
            case kind:
                return format_sse_event(comment=str(kind))

    def _end(self, answer: Fields) -> bytes:
        listed = self._chunk({"content": below(answer, self._notes), "citations": answer["citations"]})
        end = self._chunk({}, finish_reason=answer["finish_reason"], rag_app=self._about(answer))
        if not self._wants_usage:
            return listed + end
        usage = {**self._head("chat.completion.chunk"), "choices": [], "usage": answer["usage"]}
        return listed + end + format_sse_event(data_str=json.dumps(usage))

    def _chunk(self, delta: Fields, *, finish_reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        fields = {**self._head("chat.completion.chunk"), "choices": [choice], **more}
        if self._wants_usage:
            fields["usage"] = None
        return format_sse_event(data_str=json.dumps(fields))

    def _head(self, kind: str) -> Fields:
        return {
            "id": self._named.id, "object": kind, "created": self._named.created, "model": self._model,
            "system_fingerprint": None,
        }  # fmt: skip

    def _about(self, answer: Fields) -> Fields:
        about = {name: answer[name] for name in _ABOUT}
        return {**about, "flags": [*about["flags"], *self._notes]}
