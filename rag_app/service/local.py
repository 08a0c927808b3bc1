"""The library that this process has open."""

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ingestion.errors import RagError, UnknownName
from ingestion.pipeline.queue import Job
from ingestion.storage.catalogue.filters import Filters, parse_pages
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerProgress,
    AskOptions,
    Delta,
    Exchange,
    PassagesFound,
    QuestionRewritten,
    ReasoningDelta,
)
from rag_app.contract import output
from rag_app.contract.requests import AskRequest
from rag_app.history.replay import call_of, differences, options_of
from rag_app.history.serialization import recorded_answer
from rag_app.llm.usage import CallOptions, UsageTracker, call_config
from rag_app.service.composition import Assistant
from rag_app.service.maintenance import stats_fields, work_of

if TYPE_CHECKING:
    from types import TracebackType

    from rag_app.answering.side_tasks import SideTask
    from rag_app.contract.requests import (
        CompareRequest,
        IngestRequest,
        Narrowing,
        QuestionRequest,
        RetryRequest,
        SearchRequest,
        SummariseRequest,
        TaskRequest,
        UploadRequest,
    )

Fields = dict[str, Any]

NO_RERANKER = "none"


class LocalService:
    """See `protocol.Service`. Leaving it closes the assistant; what is under way is stopped first.

    `serving`: jobs are worked on by the assistant's own threads; otherwise each one by a thread of this
    service, from when it is asked for.
    """

    works_on = False

    def __init__(self, assistant: Assistant, *, serving: bool = False) -> None:
        self.assistant = assistant
        self._serving = serving
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._timings_ms: dict[str, dict[str, float]] = {}
        self._faults: dict[int, Exception] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        self.assistant.jobs.stop()  # first, so that what is left of a job stays in the queue
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.assistant.close()

    def health(self) -> Fields:
        settings = self.assistant.settings
        return {
            "application": "rag-app",
            "version": version("rag-app"),
            "pid": os.getpid(),
            "data_dir": str(settings.data_dir),
            "collection": settings.collection,
        }

    # Documents

    def documents(self, request: "Narrowing") -> Fields:
        found = self.assistant.documents(request.collections, filters_of(request))
        return output.document_fields(found)

    def delete(self, name: str, collections: Sequence[str]) -> Fields:
        return output.deleted_fields(self.assistant.delete(name, collections))

    def page(self, document_id: str, number: int) -> Fields:
        page = self.assistant.library.catalogue.page(document_id, number)
        if page is None:
            raise UnknownName("page", f"{document_id}:{number}", (), advice="rag-app documents lists the ids")
        return output.page_fields(document_id, page)

    # Questions

    def strategies(self) -> Fields:
        return output.strategy_fields(self.assistant.strategies())

    def search(self, request: "SearchRequest") -> Fields:
        found = self.assistant.search(request.question, self._options(request))
        reasons = None
        if request.explain:
            reasons = {hit.rank: self.assistant.passages.explain(found, hit) for hit in found.hits}
        return {**output.search_fields(found, reasons), "warnings": self._warnings()}

    def compare(self, request: "CompareRequest") -> Fields:
        defaults = self.assistant.options()
        options = [
            replace(
                defaults,
                strategy=column.strategy,
                reranker=None if column.reranker == NO_RERANKER else column.reranker,
                top_k=defaults.top_k if request.top_k is None else request.top_k,
                collections=request.collections or defaults.collections,
                filters=filters_of(request),
            )
            for column in request.columns
        ]
        found = self.assistant.compare(request.question, options)
        return {**output.comparison_fields(found), "warnings": self._warnings()}

    def ask(self, request: AskRequest) -> Generator[Fields]:
        options = replace(
            self._options(request),
            history=tuple(Exchange(one.question, one.answer) for one in request.history),
            conversation=request.conversation,
            standalone=request.standalone,
        )
        if request.llm is not None:
            options = replace(options, llm=request.llm)
        meter = UsageTracker()
        config = call_config(meter, CallOptions(request.max_tokens, request.temperature, request.seed))
        yield from self._told(self.assistant.stream(request.question, options, config), meter)

    def do_chore(self, chore: "SideTask", request: AskRequest) -> Generator[Fields]:
        """Yield what `ask` yields, for what a chat program asks beside a person's questions."""
        meter = UsageTracker()
        config = call_config(meter, CallOptions(request.max_tokens, request.temperature, request.seed))
        llm = request.llm or self.assistant.options().llm
        yield from self._told(self.assistant.questions.side_task(chore, llm, config), meter)

    def summarise(self, request: "SummariseRequest") -> Generator[Fields]:
        usual = self.assistant.options()
        options = replace(
            usual,
            collections=request.collections or usual.collections,
            filters=filters_of(request),
            llm=request.llm or usual.llm,
        )
        meter = UsageTracker()
        yield from self._told(self.assistant.summarise(options, call_config(meter, CallOptions())), meter)

    def _told(self, stream: Generator[AnswerEvent], meter: UsageTracker) -> Generator[Fields]:
        """Yield an answer's events as fields."""
        with closing(stream) as events:
            for event in events:
                match event:
                    case QuestionRewritten():
                        yield {"event": "condensed", "question": event.question}
                    case PassagesFound():
                        yield {"event": "found", **output.search_fields(event.result)}
                    case Delta():
                        yield {"event": "delta", "text": event.text}
                    case ReasoningDelta():
                        yield {"event": "thought", "text": event.text}
                    case AnswerProgress():
                        yield {
                            "event": "waiting", "stage": event.stage, "done": event.done, "total": event.total
                        }  # fmt: skip
                    case Answer():
                        yield {
                            "event": "answer", **output.answer_fields(event), **meter.fields(),
                            "warnings": self._warnings(),
                        }  # fmt: skip

    def _warnings(self) -> list[str]:
        """Return what was found damaged while searching, and how to mend it."""
        return [str(fault) for fault in self.assistant.library.damaged()]

    def _options(self, request: "QuestionRequest") -> AskOptions:
        given: dict[str, Any] = {
            "collections": request.collections or None,
            "strategy": request.strategy,
            "reranker": request.reranker,
            "top_k": request.top_k,
        }
        options = replace(
            self.assistant.options(),
            filters=filters_of(request),
            **{name: value for name, value in given.items() if value is not None},
        )
        return replace(options, reranker=None) if options.reranker == NO_RERANKER else options

    # Conversations and receipts

    def conversations(self) -> Fields:
        return output.conversation_fields(self.assistant.conversations.list())

    def conversation(self, identity: str) -> Fields:
        library = self.assistant.library
        found = self.assistant.conversations.get(identity)
        turns = [
            (turn, recorded_answer(turn, library)) for turn in self.assistant.conversations.turns(identity)
        ]
        return output.turn_fields(found, turns)

    def rename_conversation(self, identity: str, title: str) -> Fields:
        return output.conversation_fields([self.assistant.conversations.rename(identity, title)])

    def delete_conversation(self, identity: str) -> Fields:
        return output.conversation_fields([self.assistant.conversations.delete(identity)])

    def receipts(self, limit: int) -> Fields:
        return {"receipts": [output.receipt_line(one) for one in self.assistant.receipts.list(limit)]}

    def receipt(self, identity: str) -> Fields:
        return output.receipt_fields(self.assistant.receipts.get(identity))

    def replay(self, identity: str) -> Fields:
        before = self.assistant.receipts.get(identity).record
        config = call_config(UsageTracker(), call_of(before))
        answer, after = self.assistant.questions.repeat(before.question, options_of(before), config)
        changed = differences(before, after)
        return {
            "receipt_id": identity,
            "same": not changed,
            "differences": changed,
            "before": before.answer,
            "after": answer.text,
        }

    # Jobs

    def submit(self, request: "IngestRequest") -> Fields:
        job = self.assistant.jobs.submit(
            [Path(path) for path in request.paths],
            collection=request.collection or self.assistant.settings.collection,
            sync=request.sync,
            passwords=dict(request.passwords),
            encoding=request.encoding,
        )
        return self._taken_up(job)

    def upload(self, files: "Sequence[Path]", request: "UploadRequest") -> Fields:
        """Move files into the library's own folder and queue them; return the job."""
        job = self.assistant.jobs.submit(
            files,
            collection=request.collection or self.assistant.settings.collection,
            uploaded=True,
            passwords={file.name: request.password for file in files} if request.password else None,
            encoding=request.encoding,
        )
        return self._taken_up(job)

    def jobs(self) -> Fields:
        return {"jobs": [self._fields(job) for job in self.assistant.jobs.list()]}

    def job(self, identity: int) -> Fields:
        if identity in self._faults:
            raise self._faults[identity]
        return self._fields(self.assistant.jobs.get(identity))

    def resume(self, identity: int) -> Fields:
        if identity in self._faults:
            raise self._faults[identity]
        return self._taken_up(self.assistant.jobs.get(identity))

    def _taken_up(self, job: Job) -> Fields:
        """Return a job as it is told, worked on from now where nothing else does."""
        if not self._serving and not job.finished:
            thread = threading.Thread(target=self._work_on, args=(job.id,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._fields(job)

    def retry(self, identity: int, request: "RetryRequest | None" = None) -> Fields:
        passwords = request.passwords if request is not None else None
        return self._taken_up(self.assistant.jobs.retry(identity, passwords))

    def cancel(self, identity: int) -> Fields:
        return self._fields(self.assistant.jobs.cancel(identity))

    def clear(self) -> Fields:
        self.assistant.jobs.clear()
        return self.jobs()

    def _fields(self, job: Job) -> Fields:
        return output.job_fields(job, self._timings_ms)

    def _work_on(self, identity: int) -> None:
        try:
            for result in self.assistant.jobs.run(identity, cancelled=self._stop.is_set):
                self._timings_ms[result.path] = dict(result.timings_ms)
        except RagError:
            pass  # it is in the job's state
        except Exception as error:  # noqa: BLE001  # raised where the job is asked for
            self._faults[identity] = error

    # Collections

    def collections(self) -> Fields:
        return output.collection_fields(self.assistant.list_collections())

    def create_collection(self, name: str) -> Fields:
        return output.collection_fields([self.assistant.create_collection(name)])

    def rename_collection(self, name: str, new: str) -> Fields:
        return output.collection_fields([self.assistant.rename_collection(name, new)])

    def delete_collection(self, name: str) -> Fields:
        return output.collection_fields([self.assistant.delete_collection(name)])

    # The whole library

    def stats(self) -> Fields:
        return stats_fields(self.assistant.library)

    def start(self, request: "TaskRequest") -> Fields:
        assistant = self.assistant
        work = work_of(assistant.library, request, assistant.settings, assistant.evaluations)
        return output.task_fields(self.assistant.tasks.start(request.kind, work))

    def tasks(self) -> Fields:
        return {"tasks": [output.task_fields(task) for task in self.assistant.tasks.all()]}

    def task(self, identity: str) -> Fields:
        task = self.assistant.tasks.get(identity)
        if task.error and not self._serving and not isinstance(task.error, RagError):
            raise task.error
        return output.task_fields(task)

    def cancel_task(self, identity: str) -> Fields:
        return output.task_fields(self.assistant.tasks.cancel(identity))


def filters_of(request: "Narrowing") -> Filters:
    """Return what a request is narrowed to. Raises InvalidInput for pages that are no range."""
    return Filters(
        documents=request.documents,
        folders=request.folders,
        types=request.types,
        added_from=request.added_from,
        added_to=request.added_to,
        pages=None if request.pages is None else parse_pages(request.pages),
    )
