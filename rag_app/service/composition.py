"""The composition root: builds the parts over one open library, and names the part behind each verb.

It holds no logic of its own. The page calls this; command line and HTTP call it through
`rag_app.service.protocol`.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

from langchain_core.runnables import RunnableConfig

from ingestion import collections
from ingestion.collections import CollectionInfo
from ingestion.encoders import ComputeDevice, builtin_encoder, load_encoder
from ingestion.errors import InvalidInput, LibraryError, ModelError
from ingestion.fields.values import DocumentFields, FieldName
from ingestion.library import Library
from ingestion.library_documents import DeletedDocument, delete_document, documents_in
from ingestion.pipeline.queue import Jobs
from ingestion.storage.catalogue.filters import Filters
from ingestion.storage.catalogue.records import Document
from ingestion.storage.lock import announce, withdraw
from rag_app.answering.answers import Answer, AnswerEvent, AskOptions
from rag_app.answering.model_pool import ModelPool
from rag_app.config.settings import Settings
from rag_app.contract.conversations import ConversationResponse
from rag_app.contract.html_export import as_html
from rag_app.contract.markdown_export import as_markdown
from rag_app.evaluation.evaluations import Evaluations
from rag_app.evaluation.judgements import Judgements
from rag_app.evaluation.votes import Votes
from rag_app.history.conversations import Conversation, Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.receipts import Receipts
from rag_app.history.recorder import ConversationRecorder
from rag_app.history.serialization import RestoredTurn, recorded_answers, restored
from rag_app.llm.choice import AUTO, Llm
from rag_app.llm.gguf_head import PromptForm, read_head
from rag_app.metrics import Metrics
from rag_app.model_store.model_tasks import ModelTasks
from rag_app.model_store.store import ModelStore
from rag_app.service.document_browser import DocumentBrowser
from rag_app.service.document_tables import DocumentTables, document_tables
from rag_app.service.first_contact import FirstQuestions
from rag_app.service.inspector import Inspector
from rag_app.service.page_views import PageViewer
from rag_app.service.passages import PassageSearch
from rag_app.service.questions import QuestionRouter, last_answer, open_ask
from rag_app.service.running_answers import RunningAnswers
from rag_app.tasks import Tasks
from retrievers.availability import StrategyState, strategy_states
from retrievers.comparison import StrategyComparison
from retrievers.search import SearchResult


class Assistant:
    """Everything that a person can do with one open library. Safe to use from several threads."""

    def __init__(self, settings: Settings, library: Library, compute: ComputeDevice | None = None) -> None:
        self.library = library
        self.compute = compute or ComputeDevice(settings.device)
        self.uploads = library.folder / "uploads"
        self.metrics = Metrics()
        self.jobs = Jobs(
            library,
            limits=settings.limits,
            staging=self.uploads,
            on_result=lambda result: self.metrics.ingested(result.status),
        )
        self.metrics.watch("files", lambda: sum(job.total - job.done for job in self.jobs.active))
        self.not_ready: str | None = "the encoder is being loaded"
        self.document_browser = DocumentBrowser(library)
        self.pages = PageViewer(library, settings.limits)
        self.tasks = Tasks()
        state = StateDatabase(library.folder / STATE_FILE)
        self.conversations, self.receipts = Conversations(state), Receipts(state)
        self.judgements, self.votes = Judgements(state), Votes(state)
        self.models = ModelStore(settings)
        self.model_tasks = ModelTasks(self.models)
        self.model_pool = ModelPool(self.models, library.encoder, self.compute)
        recorder = ConversationRecorder(self.conversations, self.receipts, library, settings.keep_receipts)
        self.questions = QuestionRouter(library, self.model_pool, recorder, settings, self.metrics)
        self.answers = RunningAnswers(self.conversations, self.questions.stream)
        self.first_questions = FirstQuestions(
            library,
            self.options,
            self.search,
            lambda question, options: self.questions.repeat(question, options)[0],
            lambda: bool(self.jobs.active) or self.answers.is_busy,
        )
        ask = partial(open_ask, self.model_pool, settings)
        self.evaluations = Evaluations(library, settings, self.tasks, self.judgements, ask)
        self.passages = PassageSearch(library, self.model_pool, settings.rerank_limits)
        self.inspector = Inspector(library, self.questions.chain, threshold=settings.answer_threshold)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the library of the settings. Raises what `Library.open` raises, and ModelError for a device
        that is not here."""
        compute = ComputeDevice(settings.device)
        compute.check(settings.encoder_precision)
        encoder = builtin_encoder(settings.encoder_precision, compute)
        load = partial(load_encoder, compute=compute)
        assistant = cls(settings, Library.open(settings.data_dir, encoder, load=load), compute)
        if (settings.data_dir / STATE_FILE).exists():
            with suppress(LibraryError):  # a damaged file is reported where conversations are used
                assistant.conversations.interrupt()
        return assistant

    def close(self) -> None:
        """Stop all work, and release the library."""
        self.not_ready = "the library is being closed"
        self.answers.close()
        self.first_questions.close()
        self.tasks.close()
        self.model_tasks.close()
        self.jobs.stop()
        self.model_pool.close()
        self.library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def settings(self) -> Settings:
        """The settings, with the model that `models.use` chose."""
        return self.models.settings

    # Documents and collections

    def documents(self, collections: Sequence[str] = (), filters: Filters | None = None) -> list[Document]:
        """Return documents of the named collections, or of the configured one; see `documents_in`."""
        return documents_in(self.library, collections or (self.settings.collection,), filters)

    def fields_of(self, documents: Sequence[Document]) -> dict[str, DocumentFields]:
        return self.document_browser.fields(documents)

    def edit_fields(
        self, document_id: str, written: Mapping[FieldName, str], restored: Collection[FieldName] = ()
    ) -> Document:
        return self.document_browser.edit_fields(document_id, written, restored)

    def delete(self, name: str, collections: Sequence[str] = ()) -> DeletedDocument:
        """Delete a document; see `delete_document`."""
        return delete_document(self.library, name, collections or (self.settings.collection,))

    def tables(self, document_id: str, page: int | None = None) -> DocumentTables:
        """Return the tables of a document, or of one page; see `document_tables`."""
        return document_tables(self.library, document_id, page)

    def document_pages(self, document_id: str) -> int:
        """Return how many pages a document has; 0 for a deleted one."""
        document = self.library.catalogue.document(document_id)
        return 0 if document is None else document.pages

    def content_of(self, document_id: str) -> str | None:
        """Return the SHA-256 of a document's bytes; None for a deleted one."""
        document = self.library.catalogue.document(document_id)
        return None if document is None else document.sha256

    def collections(self) -> list[str]:
        """Return the collections' names."""
        return list(self.library.catalogue.collections())

    def list_collections(self) -> list[CollectionInfo]:
        return collections.list_collections(self.library)

    def create_collection(self, name: str) -> CollectionInfo:
        return collections.create_collection(self.library, name)

    def rename_collection(self, old: str, new: str) -> CollectionInfo:
        return collections.rename_collection(self.library, old, new)

    def set_instructions(self, name: str, text: str) -> CollectionInfo:
        return collections.set_instructions(self.library, name, text)

    def delete_collection(self, name: str) -> CollectionInfo:
        return collections.delete_collection(self.library, name)

    # What else the page needs

    def announce(self, url: str, token: str) -> None:
        """Tell other commands on this machine where this process serves the API, and with which token."""
        self.model_pool.servers.leave_out(url)  # a server of models is another process
        announce(self.library.folder, url=url, token=token)

    def withdraw(self) -> None:
        """Take back what `announce` told."""
        withdraw(self.library.folder)

    def conversation_markdown(self, conversation: str) -> str:
        """Return a conversation as Markdown. Raises UnknownName."""
        return as_markdown(self._exported(conversation))

    def conversation_html(self, conversation: str) -> str:
        """Return a conversation as one web page, which loads nothing. Raises UnknownName."""
        return as_html(self._exported(conversation))

    def _exported(self, conversation: str) -> ConversationResponse:
        found = self.conversations.get(conversation)
        turns = recorded_answers(self.conversations, conversation, self.library)
        return ConversationResponse.of_turns(found, turns)

    def delete_conversation(self, conversation: str) -> Conversation:
        """Delete a conversation, and stop the answer that is being written for it. Raises UnknownName."""
        deleted = self.conversations.delete(conversation)
        self.answers.stop(conversation)
        return deleted

    # Questions

    def warm_up(self) -> None:
        """Load the encoder, so that the first question does not wait for it. Raises ModelError."""
        try:
            self.library.encoder.encode_query("warm up")
        except ModelError:
            self.not_ready = "the encoder cannot be loaded; rag-app doctor says why"
            raise
        self.not_ready = None

    def options(self) -> AskOptions:
        """Return the options that the settings choose."""
        now = self.settings
        return AskOptions(
            now.strategy, reranker=now.reranker, top_k=now.top_k, collections=(now.collection,), llm=now.llm
        )

    def strategies(self) -> list[StrategyState]:
        return strategy_states(self.library)

    def search(self, question: str, options: AskOptions) -> SearchResult:
        return self.passages.search(question, options)

    def compare(self, question: str, options: Sequence[AskOptions]) -> StrategyComparison:
        return self.passages.compare(question, options)

    def stream(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Yield the events of an answer, and record it; see `QuestionRouter.stream`."""
        return self.questions.stream(question, options, config)

    def ask(self, question: str, options: AskOptions, config: RunnableConfig | None = None) -> Answer:
        """Return the finished answer, and record it."""
        return last_answer(self.questions.stream(question, options, config))

    def summarise(self, options: AskOptions, config: RunnableConfig | None = None) -> Generator[AnswerEvent]:
        return self.questions.summarise(options, config)

    def restore(self, conversation: str) -> list[RestoredTurn]:
        """Return a conversation's turns as they were answered. Raises UnknownName."""
        turns = self.conversations.turns(conversation)
        return [restored(turn, self.receipts, self.library) for turn in turns]

    def restore_variants(self, conversation: str, number: int) -> list[RestoredTurn]:
        """Return a question once for each of its answers. Raises UnknownName."""
        turns = self.conversations.variants(conversation, number)
        return [restored(turn, self.receipts, self.library) for turn in turns]

    # Models

    def device(self) -> str:
        """Return one line: where encoders and rerankers run, and why. Raises ModelError."""
        return self.compute.describe(self.settings.encoder_precision)

    def follows_instructions(self, name: str) -> bool:
        """Return whether a language model of this machine has a form for chats."""
        try:
            file = self.model_pool.resolve(name).file
            head = read_head(file) if file else None
        except (InvalidInput, ModelError):
            return False
        return head is not None and head.form is PromptForm.CHAT

    def llm(self, name: str = AUTO) -> Llm:
        return self.model_pool.resolve(name)
