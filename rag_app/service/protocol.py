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
)
from rag_app.contract.search import CompareResponse, SearchResponse, StrategiesResponse
from rag_app.contract.status import HealthResponse
from rag_app.contract.tables import TablesResponse
from rag_app.contract.tasks import TaskResponse, TasksResponse
from rag_app.service.verbs import verb


class Service(AbstractContextManager["Service"], Protocol):
    """A library that this process has open, or another one serves.

    Every method may raise RagError and its kinds.

    Attributes:
        works_on: Whether jobs and tasks go on when this process ends.
    """

    works_on: bool

    @verb("GET", "/health", tag="library")
    def health(self) -> HealthResponse:
        """Who answers, and over which library."""

    # Documents

    @verb("GET", "/documents", tag="documents")
    def documents(self, request: Narrowing) -> DocumentsResponse:
        """List documents."""

    @verb("PATCH", "/documents/{document_id}/fields", tag="documents")
    def edit_fields(self, document_id: str, request: FieldsRequest) -> DocumentsResponse:
        """Write a document's title, organisation, period or type.

        What is written counts instead of what is recognised, also after the document is replaced. A question
        that names a document finds it by its title, its organisation and its period.
        """

    @verb("DELETE", "/documents", tag="documents")
    def delete(self, request: DeleteRequest) -> DeletedResponse:
        """Delete the document of a name, path or id."""

    @verb("GET", "/documents/{document_id}/pages/{number}", tag="documents")
    def page(self, document_id: str, number: int) -> PageResponse:
        """A page's text, from page 1."""

    @verb("GET", "/documents/{document_id}/tables", tag="documents")
    def tables(self, document_id: str, page: int | None = None) -> TablesResponse:
        """The tables of a document, or of one of its pages.

        Cells are as the document has them. `warnings` say which tables may be missing.
        """

    # Questions

    @verb("GET", "/strategies", tag="questions")
    def strategies(self) -> StrategiesResponse:
        """List the retrieval strategies: what each does, stores and costs."""

    @verb("POST", "/search", tag="questions")
    def search(self, request: SearchRequest) -> SearchResponse:
        """Find passages."""

    @verb("POST", "/compare", tag="questions")
    def compare(self, request: CompareRequest) -> CompareResponse:
        """Find passages by two to four strategies, side by side."""

    @verb("POST", "/ask", tag="questions", streams=AskResponse)
    def ask(self, request: AskRequest) -> Generator[AskEvent]:
        """Answer a question.

        Without `stream` the answer comes whole. With `stream: true` its events come as lines of JSON, with
        `stream: "sse"` or `Accept: text/event-stream` as server-sent events, named by their field `event`:
        found (the passages), waiting (for what, and how far it is), delta (more of the text), answer (all of
        it, with citations), error. Skip kinds of events that you do not know. Closing the connection stops
        the model.
        """

    @verb("POST", "/summarise", tag="questions", streams=AskResponse)
    def summarise(self, request: SummariseRequest) -> Generator[AskEvent]:
        """Say what documents are about.

        Answers as /ask does. The events waiting with the stage "read" count the passages that have been read.
        """

    # Conversations and receipts

    @verb("GET", "/conversations", tag="conversations")
    def conversations(self, request: ConversationsRequest) -> ConversationsResponse:
        """List the conversations, the one used last first, or those that have the words searched for."""

    @verb("GET", "/conversations/{identity}", tag="conversations")
    def conversation(self, identity: str) -> ConversationResponse:
        """Show a conversation with its questions and answers."""

    @verb("PATCH", "/conversations/{identity}", tag="conversations")
    def rename_conversation(self, identity: str, request: TitleRequest) -> ConversationsResponse:
        """Rename a conversation."""

    @verb("DELETE", "/conversations/{identity}", tag="conversations")
    def delete_conversation(self, identity: str) -> ConversationsResponse:
        """Forget a conversation and its receipts."""

    @verb("GET", "/receipts", tag="conversations")
    def receipts(self, request: ReceiptsRequest) -> ReceiptsResponse:
        """List the latest receipts."""

    @verb("GET", "/receipts/{identity}", tag="conversations")
    def receipt(self, identity: str) -> ReceiptResponse:
        """Show what an answer was made of."""

    @verb("POST", "/receipts/{identity}/replay", tag="conversations")
    def replay(self, identity: str) -> ReplayResponse:
        """Answer again, and say what is not the same."""

    # Jobs

    @verb("GET", "/jobs", tag="jobs")
    def jobs(self) -> JobsResponse:
        """List the newest jobs."""

    @verb("POST", "/jobs", tag="jobs")
    def submit(self, request: IngestRequest) -> JobResponse:
        """Ingest files and folders of the server's machine (not for programs of others)."""

    @verb("DELETE", "/jobs", tag="jobs")
    def clear(self) -> JobsResponse:
        """Forget the jobs that have ended."""

    @verb("GET", "/jobs/{identity}", tag="jobs")
    def job(self, identity: int) -> JobResponse:
        """A job and how far each of its files is."""

    @verb("POST", "/jobs/{identity}/resume", tag="jobs")
    def resume(self, identity: int) -> JobResponse:
        """Go on with a job that was interrupted."""

    @verb("POST", "/jobs/{identity}/retry", tag="jobs")
    def retry(self, identity: int, request: RetryRequest | None = None) -> JobResponse:
        """Do a job's failed files again, as a new job."""

    @verb("POST", "/jobs/{identity}/cancel", tag="jobs")
    def cancel(self, identity: int) -> JobResponse:
        """Stop a job; what is finished stays."""

    # Collections

    @verb("GET", "/collections", tag="collections")
    def collections(self) -> CollectionsResponse:
        """List the collections."""

    @verb("POST", "/collections", tag="collections")
    def create_collection(self, request: NameRequest) -> CollectionsResponse:
        """Create an empty collection."""

    @verb("PATCH", "/collections", tag="collections")
    def rename_collection(self, name: str, request: NameRequest) -> CollectionsResponse:
        """Rename a collection."""

    @verb("PATCH", "/collections/instructions", tag="collections")
    def instruct_collection(self, name: str, request: InstructionsRequest) -> CollectionsResponse:
        """Say how a language model's answers from a collection should read.

        Its prompt has the instructions below the application's own rules, which stay: answers come from the
        sources and name them. They count where a question is about this collection alone. Quotations and
        summaries do not use them. `GET /collections` shows them.
        """

    @verb("DELETE", "/collections", tag="collections")
    def delete_collection(self, name: str) -> CollectionsResponse:
        """Delete a collection with its documents."""

    # The whole library

    @verb("GET", "/stats", tag="library")
    def stats(self) -> StatsResponse:
        """What the library holds, and what that takes on the disk."""

    @verb("GET", "/tasks", tag="library")
    def tasks(self) -> TasksResponse:
        """List the tasks that are remembered."""

    @verb("POST", "/tasks", tag="library")
    def start(self, request: TaskRequest) -> TaskResponse:
        """Begin long work: verify, repair, compact, reindex, export, import, eval."""

    @verb("GET", "/tasks/{identity}", tag="library")
    def task(self, identity: str) -> TaskResponse:
        """A task as it is now."""

    @verb("POST", "/tasks/{identity}/cancel", tag="library")
    def cancel_task(self, identity: str) -> TaskResponse:
        """Stop a task at its next step."""
