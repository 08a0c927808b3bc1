"""The service: everything that can be asked of a library, by command line, HTTP, MCP and other processes.

A new verb is one method here with its route, one in `LocalService`, and one command.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import Protocol

from rag_app.contract.answers import AskEvent, AskResponse
from rag_app.contract.conversations import (
    ConversationResponse,
    ConversationsResponse,
    ReceiptResponse,
    ReceiptsResponse,
    ReplayResponse,
)
from rag_app.contract.documents import DeletedResponse, DocumentsResponse, PageResponse
from rag_app.contract.jobs import JobResponse, JobsResponse
from rag_app.contract.library import CollectionsResponse, StatsResponse
from rag_app.contract.requests import (
    AskRequest,
    CompareRequest,
    DeleteRequest,
    IngestRequest,
    NameRequest,
    Narrowing,
    ReceiptsRequest,
    RetryRequest,
    SearchRequest,
    SummariseRequest,
    TaskRequest,
    TitleRequest,
)
from rag_app.contract.search import CompareResponse, SearchResponse, StrategiesResponse
from rag_app.contract.status import HealthResponse
from rag_app.contract.tasks import TaskResponse, TasksResponse
from rag_app.service.verbs import verb


class Service(AbstractContextManager["Service"], Protocol):
    """A library that this process has open, or another one serves.

    Every method may raise RagError and its kinds.

    Attributes:
        works_on: Whether jobs and tasks go on when this process ends.
    """

    works_on: bool

    @verb("GET", "/health", tag="library", summary="Who answers, and over which library")
    def health(self) -> HealthResponse: ...

    # Documents

    @verb("GET", "/documents", tag="documents", summary="List documents")
    def documents(self, request: Narrowing) -> DocumentsResponse: ...

    @verb("DELETE", "/documents", tag="documents", summary="Delete the document of a name, path or id")
    def delete(self, request: DeleteRequest) -> DeletedResponse: ...

    @verb(
        "GET",
        "/documents/{document_id}/pages/{number}",
        tag="documents",
        summary="A page's text, from page 1",
    )
    def page(self, document_id: str, number: int) -> PageResponse: ...

    # Questions

    @verb(
        "GET",
        "/strategies",
        tag="questions",
        summary="List the retrieval strategies: what each does, stores and costs",
    )
    def strategies(self) -> StrategiesResponse: ...

    @verb("POST", "/search", tag="questions", summary="Find passages")
    def search(self, request: SearchRequest) -> SearchResponse: ...

    @verb(
        "POST",
        "/compare",
        tag="questions",
        summary="Find passages by two to four strategies, side by side",
    )
    def compare(self, request: CompareRequest) -> CompareResponse: ...

    @verb("POST", "/ask", tag="questions", summary="Answer a question", streams=AskResponse)
    def ask(self, request: AskRequest) -> Generator[AskEvent]:
        """Answer a question, with citations.

        Without `stream` the answer comes whole. With `stream: true` its events come as lines of JSON, with
        `stream: "sse"` or `Accept: text/event-stream` as server-sent events, named by their field `event`:
        found (the passages), waiting (for what, and how far it is), delta (more of the text), answer (all of
        it, with citations), error. Skip kinds of events that you do not know. Closing the connection stops
        the model.
        """
        ...

    @verb("POST", "/summarise", tag="questions", summary="Say what documents are about", streams=AskResponse)
    def summarise(self, request: SummariseRequest) -> Generator[AskEvent]:
        """Summarise documents, or a whole collection, with citations.

        Answers as /ask does. The events waiting with the stage "read" count the passages that have been read.
        """
        ...

    # Conversations and receipts

    @verb(
        "GET",
        "/conversations",
        tag="conversations",
        summary="List the conversations, the one used last first",
    )
    def conversations(self) -> ConversationsResponse: ...

    @verb(
        "GET",
        "/conversations/{identity}",
        tag="conversations",
        summary="Show a conversation with its questions and answers",
    )
    def conversation(self, identity: str) -> ConversationResponse: ...

    @verb("PATCH", "/conversations/{identity}", tag="conversations", summary="Rename a conversation")
    def rename_conversation(self, identity: str, request: TitleRequest) -> ConversationsResponse: ...

    @verb(
        "DELETE",
        "/conversations/{identity}",
        tag="conversations",
        summary="Forget a conversation and its receipts",
    )
    def delete_conversation(self, identity: str) -> ConversationsResponse: ...

    @verb("GET", "/receipts", tag="conversations", summary="List the latest receipts")
    def receipts(self, request: ReceiptsRequest) -> ReceiptsResponse: ...

    @verb("GET", "/receipts/{identity}", tag="conversations", summary="Show what an answer was made of")
    def receipt(self, identity: str) -> ReceiptResponse: ...

    @verb(
        "POST",
        "/receipts/{identity}/replay",
        tag="conversations",
        summary="Answer again, and say what is not the same",
    )
    def replay(self, identity: str) -> ReplayResponse: ...

    # Jobs

    @verb("GET", "/jobs", tag="jobs", summary="List the newest jobs")
    def jobs(self) -> JobsResponse: ...

    @verb(
        "POST",
        "/jobs",
        tag="jobs",
        summary="Ingest files and folders of the server's machine (not for programs of others)",
    )
    def submit(self, request: IngestRequest) -> JobResponse: ...

    @verb("DELETE", "/jobs", tag="jobs", summary="Forget the jobs that have ended")
    def clear(self) -> JobsResponse: ...

    @verb("GET", "/jobs/{identity}", tag="jobs", summary="A job and how far each of its files is")
    def job(self, identity: int) -> JobResponse: ...

    @verb("POST", "/jobs/{identity}/resume", tag="jobs", summary="Go on with a job that was interrupted")
    def resume(self, identity: int) -> JobResponse: ...

    @verb("POST", "/jobs/{identity}/retry", tag="jobs", summary="Do a job's failed files again, as a new job")
    def retry(self, identity: int, request: RetryRequest | None = None) -> JobResponse: ...

    @verb("POST", "/jobs/{identity}/cancel", tag="jobs", summary="Stop a job; what is finished stays")
    def cancel(self, identity: int) -> JobResponse: ...

    # Collections

    @verb("GET", "/collections", tag="collections", summary="List the collections")
    def collections(self) -> CollectionsResponse: ...

    @verb("POST", "/collections", tag="collections", summary="Create an empty collection")
    def create_collection(self, request: NameRequest) -> CollectionsResponse: ...

    @verb("PATCH", "/collections", tag="collections", summary="Rename a collection")
    def rename_collection(self, name: str, request: NameRequest) -> CollectionsResponse: ...

    @verb("DELETE", "/collections", tag="collections", summary="Delete a collection with its documents")
    def delete_collection(self, name: str) -> CollectionsResponse: ...

    # The whole library

    @verb(
        "GET",
        "/stats",
        tag="library",
        summary="What the library holds, and what that takes on the disk",
    )
    def stats(self) -> StatsResponse: ...

    @verb("GET", "/tasks", tag="library", summary="List the tasks that are remembered")
    def tasks(self) -> TasksResponse: ...

    @verb(
        "POST",
        "/tasks",
        tag="library",
        summary="Begin long work: verify, repair, compact, reindex, export, import, eval",
    )
    def start(self, request: TaskRequest) -> TaskResponse: ...

    @verb("GET", "/tasks/{identity}", tag="library", summary="A task as it is now")
    def task(self, identity: str) -> TaskResponse: ...

    @verb("POST", "/tasks/{identity}/cancel", tag="library", summary="Stop a task at its next step")
    def cancel_task(self, identity: str) -> TaskResponse: ...
