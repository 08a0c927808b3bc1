"""The service of the library that this process has open."""

import os
import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from ingestion.errors import RagError, UnknownName
from ingestion.pipeline.queue import Job
from rag_app.answering import answers
from rag_app.answering.side_tasks import SideTask
from rag_app.contract.answers import (
    AnsweredEvent,
    AskEvent,
    CondensedEvent,
    DeltaEvent,
    FoundEvent,
    ThoughtEvent,
    WaitingEvent,
)
from rag_app.contract.conversations import (
    ConversationResponse,
    ConversationsResponse,
    ReceiptResponse,
    ReceiptsResponse,
    ReplayResponse,
)
from rag_app.contract.documents import DeletedResponse, DocumentsResponse, PageResponse
from rag_app.contract.jobs import JobFields, JobResponse, JobsResponse
from rag_app.contract.library import CollectionsResponse, StatsResponse
from rag_app.contract.requests import (
    AskRequest,
    CompareRequest,
    ConversationsRequest,
    DeleteRequest,
    FieldsRequest,
    IngestRequest,
    InstructionsRequest,
    NameRequest,
    Narrowing,
    ReceiptsRequest,
    RetryRequest,
    SearchRequest,
    SummariseRequest,
    TaskRequest,
    TitleRequest,
    UploadRequest,
)
from rag_app.contract.search import CompareResponse, ExplainedHitFields, SearchResponse, StrategiesResponse
from rag_app.contract.status import HealthResponse
from rag_app.contract.tables import TablesResponse
from rag_app.contract.tasks import TaskResponse, TasksResponse
from rag_app.history.replay import call_of, differences, options_of
from rag_app.history.serialization import recorded_answers
from rag_app.llm.usage import CallOptions, UsageTracker, call_config
from rag_app.service.composition import Assistant
from rag_app.service.maintenance import work_of
from rag_app.service.protocol import Service
from rag_app.service.question_options import (
    ask_options,
    compare_options,
    filters_of,
    search_options,
    summary_options,
)


class LocalService(Service):
    """The service over an open library. Leaving it stops all work and closes the assistant."""

    works_on = False

    def __init__(self, assistant: Assistant, *, serving: bool = False) -> None:
        """Take over an assistant.

        Args:
            serving: The assistant's own threads work on jobs. Otherwise this service works on each job that
                is submitted or resumed, in a thread of its own.
        """
        self.assistant = assistant
        self._serving = serving
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._timings_ms: dict[str, dict[str, float]] = {}
        self._faults: dict[int, Exception] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.assistant.jobs.stop()  # first, so that the rest of a job stays in the queue
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.assistant.close()

    def health(self) -> HealthResponse:
        settings = self.assistant.settings
        return HealthResponse(
            application="rag-app",
            version=version("rag-app"),
            pid=os.getpid(),
            data_dir=str(settings.data_dir),
            collection=settings.collection,
            logins=bool(settings.logins),
        )

    # Documents

    def documents(self, request: Narrowing) -> DocumentsResponse:
        found = self.assistant.documents(request.collections, filters_of(request))
        return DocumentsResponse.of_documents(found, self.assistant.fields_of(found))

    def edit_fields(self, document_id: str, request: FieldsRequest) -> DocumentsResponse:
        edited = [self.assistant.edit_fields(document_id, request.written(), request.restore)]
        return DocumentsResponse.of_documents(edited, self.assistant.fields_of(edited))

    def delete(self, request: DeleteRequest) -> DeletedResponse:
        deleted = self.assistant.delete(request.name, request.collections)
        gone, told = deleted.document, {"deleted": deleted.paths, "kept": deleted.kept}
        return DeletedResponse.of_documents([gone], {gone.id: deleted.fields}, **told)

    def page(self, document_id: str, number: int) -> PageResponse:
        page = self.assistant.library.catalogue.page(document_id, number)
        if page is None:
            raise UnknownName("page", f"{document_id}:{number}", (), advice="rag-app documents lists the ids")
        return PageResponse.of(page, document_id=document_id)

    def tables(self, document_id: str, page: int | None = None) -> TablesResponse:
        return TablesResponse.of(self.assistant.tables(document_id, page))

    # Questions

    def strategies(self) -> StrategiesResponse:
        return StrategiesResponse.of(strategies=self.assistant.strategies())

    def search(self, request: SearchRequest) -> SearchResponse:
        found = self.assistant.search(request.question, search_options(request, self.assistant.options()))
        if not request.explain:
            return SearchResponse.of(found, warnings=self._warnings())
        explain = self.assistant.passages.explain
        hits = [ExplainedHitFields.of_hit(one, explain(found, one), found.query.text) for one in found.hits]
        return SearchResponse.of(found, hits=hits, warnings=self._warnings())

    def compare(self, request: CompareRequest) -> CompareResponse:
        options = compare_options(request, self.assistant.options())
        found = self.assistant.compare(request.question, options)
        return CompareResponse.of(found, warnings=self._warnings())

    def ask(self, request: AskRequest) -> Generator[AskEvent]:
        options = ask_options(request, self.assistant.options())
        usage = UsageTracker()
        config = call_config(usage, CallOptions(request.max_tokens, request.temperature, request.seed))
        yield from self._events(self.assistant.stream(request.question, options, config), usage)

    def do_side_task(self, task: SideTask, request: AskRequest) -> Generator[AskEvent]:
        """Yield the events of a chat program's own request, such as a title for the conversation."""
        usage = UsageTracker()
        config = call_config(usage, CallOptions(request.max_tokens, request.temperature, request.seed))
        llm = request.llm or self.assistant.options().llm
        yield from self._events(self.assistant.questions.side_task(task, llm, config), usage)

    def summarise(self, request: SummariseRequest) -> Generator[AskEvent]:
        options = summary_options(request, self.assistant.options())
        usage = UsageTracker()
        yield from self._events(self.assistant.summarise(options, call_config(usage, CallOptions())), usage)

    def _events(self, stream: Generator[answers.AnswerEvent], usage: UsageTracker) -> Generator[AskEvent]:
        """Yield an answer's events as the contract has them."""
        with closing(stream) as events:
            for event in events:
                match event:
                    case answers.QuestionRewritten():
                        yield CondensedEvent.of(event)
                    case answers.PassagesFound():
                        yield FoundEvent.of(event.result)
                    case answers.Delta():
                        yield DeltaEvent.of(event)
                    case answers.ReasoningDelta():
                        yield ThoughtEvent.of(event)
                    case answers.AnswerProgress():
                        yield WaitingEvent.of(event)
                    case answers.Answer():
                        yield AnsweredEvent.of(
                            event, usage=usage, finish_reason=usage.finish_reason, warnings=self._warnings()
                        )

    def _warnings(self) -> list[str]:
        """Return the damage that searches found, and how to repair it."""
        return [str(fault) for fault in self.assistant.library.damaged()]

    # Conversations and receipts

    def conversations(self, request: ConversationsRequest) -> ConversationsResponse:
        found = self.assistant.conversations.list(search=request.search)
        return ConversationsResponse.of(conversations=found)

    def conversation(self, identity: str) -> ConversationResponse:
        library, kept = self.assistant.library, self.assistant.conversations
        turns = recorded_answers(kept, identity, library)
        return ConversationResponse.of_turns(kept.get(identity), turns)

    def rename_conversation(self, identity: str, request: TitleRequest) -> ConversationsResponse:
        renamed = self.assistant.conversations.rename(identity, request.title)
        return ConversationsResponse.of(conversations=[renamed])

    def delete_conversation(self, identity: str) -> ConversationsResponse:
        return ConversationsResponse.of(conversations=[self.assistant.delete_conversation(identity)])

    def receipts(self, request: ReceiptsRequest) -> ReceiptsResponse:
        return ReceiptsResponse.of(receipts=self.assistant.receipts.list(request.limit))

    def receipt(self, identity: str) -> ReceiptResponse:
        return ReceiptResponse.of(self.assistant.receipts.get(identity))

    def replay(self, identity: str) -> ReplayResponse:
        before = self.assistant.receipts.get(identity).record
        config = call_config(UsageTracker(), call_of(before))
        answer, after = self.assistant.questions.repeat(before.question, options_of(before), config)
        changed = differences(before, after)
        return ReplayResponse(
            receipt_id=identity,
            same=not changed,
            differences=tuple(changed),
            before=before.answer,
            after=answer.text,
        )

    # Jobs

    def submit(self, request: IngestRequest) -> JobResponse:
        job = self.assistant.jobs.submit(
            [Path(path) for path in request.paths],
            collection=request.collection or self.assistant.settings.collection,
            sync=request.sync,
            passwords=dict(request.passwords),
            encoding=request.encoding,
        )
        return self._begun(job)

    def upload(self, files: Sequence[Path], request: UploadRequest) -> JobResponse:
        """Move files into the library's own folder and queue them; return the job."""
        job = self.assistant.jobs.submit(
            files,
            collection=request.collection or self.assistant.settings.collection,
            uploaded=True,
            passwords={file.name: request.password for file in files} if request.password else None,
            encoding=request.encoding,
        )
        return self._begun(job)

    def jobs(self) -> JobsResponse:
        jobs = self.assistant.jobs.list()
        return JobsResponse(
            jobs=tuple(JobFields.of_job(job, self._timings_ms) for job in jobs),
            warnings=tuple(self.assistant.jobs.warnings),
        )

    def job(self, identity: int) -> JobResponse:
        return self._response(self._job(identity))

    def resume(self, identity: int) -> JobResponse:
        return self._begun(self._job(identity))

    def retry(self, identity: int, request: RetryRequest | None = None) -> JobResponse:
        request = request or RetryRequest()
        files = self.assistant.jobs.get(identity).named(request.files) if request.files else None
        return self._begun(self.assistant.jobs.retry(identity, request.passwords, files=files))

    def cancel(self, identity: int) -> JobResponse:
        return self._response(self.assistant.jobs.cancel(identity))

    def clear(self) -> JobsResponse:
        self.assistant.jobs.clear()
        return self.jobs()

    def _job(self, identity: int) -> Job:
        """Return a job. Raises the unexpected error that ended the work on it."""
        if identity in self._faults:
            raise self._faults[identity]
        return self.assistant.jobs.get(identity)

    def _begun(self, job: Job) -> JobResponse:
        """Return a job; a thread begins to work on it where no server does."""
        if not self._serving and not job.finished:
            thread = threading.Thread(target=self._work_on, args=(job.id,), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self._response(job)

    def _response(self, job: Job) -> JobResponse:
        return JobResponse.of_job(job, self._timings_ms)

    def _work_on(self, identity: int) -> None:
        try:
            for result in self.assistant.jobs.run(identity, cancelled=self._stop.is_set):
                self._timings_ms[result.path] = dict(result.timings_ms)
        except RagError:
            pass  # the job's state holds it
        except Exception as error:  # noqa: BLE001  # logged by the queue, raised where the job is asked for
            self._faults[identity] = error

    # Collections

    def collections(self) -> CollectionsResponse:
        return CollectionsResponse.of(collections=self.assistant.list_collections())

    def create_collection(self, request: NameRequest) -> CollectionsResponse:
        return CollectionsResponse.of(collections=[self.assistant.create_collection(request.name)])

    def rename_collection(self, name: str, request: NameRequest) -> CollectionsResponse:
        return CollectionsResponse.of(collections=[self.assistant.rename_collection(name, request.name)])

    def instruct_collection(self, name: str, request: InstructionsRequest) -> CollectionsResponse:
        return CollectionsResponse.of(collections=[self.assistant.set_instructions(name, request.text)])

    def delete_collection(self, name: str) -> CollectionsResponse:
        return CollectionsResponse.of(collections=[self.assistant.delete_collection(name)])

    # The whole library

    def stats(self) -> StatsResponse:
        from ingestion.maintenance import stats  # imports chromadb

        return StatsResponse.of(stats(self.assistant.library))

    def start(self, request: TaskRequest) -> TaskResponse:
        assistant = self.assistant
        work = work_of(assistant.library, request, assistant.settings, assistant.evaluations)
        return TaskResponse.of(assistant.tasks.start(request.kind, work))

    def tasks(self) -> TasksResponse:
        return TasksResponse.of(tasks=self.assistant.tasks.all())

    def task(self, identity: str) -> TaskResponse:
        task = self.assistant.tasks.get(identity)
        if task.error and not self._serving and not isinstance(task.error, RagError):
            raise task.error
        return TaskResponse.of(task)

    def cancel_task(self, identity: str) -> TaskResponse:
        return TaskResponse.of(self.assistant.tasks.cancel(identity))
