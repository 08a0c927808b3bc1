"""The composition root: wires library, queue, tasks, models and chain, and holds no logic of its own.

The screen calls this and nothing deeper; command line and HTTP call it through `rag_app.service.protocol`.
"""

import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from langchain_core.runnables import Runnable, RunnableConfig

from ingestion import collections
from ingestion.collections import CollectionInfo
from ingestion.documents import Page
from ingestion.encoders import builtin_encoder
from ingestion.errors import EmptyQuestion, InvalidInput, LibraryError, ModelError, UnknownName
from ingestion.library import Library
from ingestion.parsing import SUPPORTED_SUFFIXES, known_names
from ingestion.pipeline.ingest import IngestProgress, IngestResult, ingest
from ingestion.pipeline.queue import Jobs
from ingestion.storage.catalogue.filters import Filters, resolve
from ingestion.storage.catalogue.records import Document
from ingestion.storage.lock import announce, withdraw
from ingestion.storage.open_representations import BUILTIN_NAME
from ingestion.text.names import UPLOAD, composed
from ingestion.timing import Stopwatch
from rag_app.answering.answers import Answer, AnswerEvent, AskOptions
from rag_app.answering.chain import Answerer, AnswerSettings, build_chain
from rag_app.answering.chat_answerer import ChatAnswerer, WritingModel
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.library_replies import replied, reply_to
from rag_app.answering.questions.question_kinds import is_small_talk
from rag_app.answering.questions.summary_questions import to_summarise
from rag_app.answering.side_tasks import Chore, done
from rag_app.config.settings import Settings
from rag_app.contract.output import turn_fields
from rag_app.evaluation.evaluations import Evaluations
from rag_app.evaluation.judgements import Judgements
from rag_app.evaluation.sizes import Sizes
from rag_app.evaluation.votes import Votes
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, State
from rag_app.history.markdown_export import as_markdown
from rag_app.history.receipts import GeneratorInfo, Receipts, receipt_fields
from rag_app.history.recorder import Memory
from rag_app.history.serialization import RestoredTurn, restored
from rag_app.llm.base import SAMPLING
from rag_app.llm.choice import EXTRACTIVE, Llm, Server
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.openai import ServerModel
from rag_app.llm.process.worker import available_processors
from rag_app.llm.speed import PrefillSpeed, PrefillSpeeds, Reader
from rag_app.llm.usage import model_options
from rag_app.model_store import all_entries, reranker_named
from rag_app.model_store import resolve as find_model
from rag_app.model_store.hashing import FileHashes
from rag_app.model_store.model_tasks import ModelTasks
from rag_app.model_store.network import has_network, hub_host
from rag_app.model_store.store import ModelStore, Presence, Used
from rag_app.service.document_browser import DocumentBrowser
from rag_app.service.inspector import Inspector
from rag_app.service.page_views import PageViewer
from rag_app.summarizing.summary import summarise
from rag_app.tasks import Tasks
from retrievers.comparison import StrategyComparison, check_columns, column_of, compare
from retrievers.explain import Explanation, TermReason, explain, matched_terms
from retrievers.hits import Hit, Query
from retrievers.reranking import Reranker
from retrievers.search import SearchResult, query_of, search
from retrievers.strategies import STRATEGIES, Strategy, strategy_named

AUTO = "auto"

# llama.cpp opens the first part of a split model and finds the others.
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True, slots=True)
class StrategyState:
    """A strategy and whether it can be used on this library.

    `reason` says why not and what to do; of one that can be used, what it has to do without meanwhile.
    """

    strategy: Strategy
    available: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A document that was deleted with all of its `paths`; where some are `kept`, it stays under these."""

    document: Document
    paths: tuple[str, ...]
    kept: tuple[str, ...]


class Assistant:
    """Everything that a person can do, over one open library. Safe to use from several threads."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self.uploads = library.folder / "uploads"
        self.jobs = Jobs(library, limits=settings.limits, staging=self.uploads)
        self.document_browser = DocumentBrowser(library)
        self.tasks = Tasks()
        self._sizes = Sizes(library)
        state = State(library.folder / STATE_FILE)
        self.conversations, self.receipts = Conversations(state), Receipts(state)
        self.judgements, self.votes = Judgements(state), Votes(state)
        self.pages = PageViewer(library, settings.limits)
        self.evaluations = Evaluations(library, settings, self.tasks, self.judgements)
        self._hashes = FileHashes()
        self.models = ModelStore(settings)
        self.model_tasks = ModelTasks(self.models)
        self.inspector = Inspector(library, self.chain, threshold=settings.answer_threshold)
        self._loading = threading.Lock()
        self._llms: dict[Llm, ChatAnswerer] = {}
        self._rerankers: dict[str, Reranker] = {}

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the library of the settings. Raises what `Library.open` raises."""
        assistant = cls(
            settings, Library.open(settings.data_dir, builtin_encoder(settings.encoder_precision))
        )
        if (settings.data_dir / STATE_FILE).exists():
            with suppress(LibraryError):  # told to whoever uses conversations
                assistant.conversations.interrupt()
        return assistant

    def close(self) -> None:
        """Stop what is under way, and give the library back."""
        self.tasks.close()
        self.model_tasks.close()
        self.jobs.stop()
        for answerer in self._llms.values():
            answerer.model.close()
        self.library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Documents

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        collection: str | None = None,
        uploaded: bool = False,
        on_progress: Callable[[IngestProgress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[IngestResult]:
        """Ingest files and folders; see `ingestion.pipeline.ingest.ingest`.

        `uploaded` files are known by their names alone: uploading a file of the same name replaces it.
        """
        return ingest(
            self.library,
            paths,
            collection=collection or self.settings.collection,
            limits=self.settings.limits,
            source_path=(lambda file: UPLOAD + composed(file.name)) if uploaded else str,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    def documents(self, collections: Sequence[str] = (), filters: Filters | None = None) -> list[Document]:
        """Return the documents of the named collections (none: the settings' one) that meet the filters.

        Raises UnknownName for a collection or document that is not there.
        """
        catalogue = self.library.catalogue
        scope = resolve(catalogue, collections or (self.settings.collection,), filters or Filters())
        return [
            document
            for document in catalogue.documents(scope.collections)
            if scope.documents is None or document.id in scope.documents
        ]

    def delete(self, name: str, collections: Sequence[str] = ()) -> Deleted:
        """Delete the one document with that name or path in the collections, or with that id in any.

        Of a document that lies under several paths, a name or path that some of these have is forgotten
        alone. Returns what was deleted. Raises UnknownName where there is no such document, InvalidInput
        where several have the name.
        """
        catalogue = self.library.catalogue
        found = [document for document in catalogue.documents() if document.id == name]
        scope = catalogue.scope(collections or (self.settings.collection,))
        found = found or catalogue.find(name, scope.collections)
        if len(found) > 1:
            choices = ", ".join(f"{document.id} ({document.path})" for document in found)
            raise InvalidInput(f"{len(found)} documents are named {name!r}; delete one by its id: {choices}")
        return self._forget(found[0], name)

    def _forget(self, document: Document, name: str) -> Deleted:
        gone = () if name == document.id else document.called(name)
        kept = tuple(path for path in document.paths if gone and path not in gone)
        if not kept:
            self.library.delete(document)
            return Deleted(document, document.paths, ())
        self.library.unlink(document.collection_id, *gone)
        return Deleted(self.library.catalogue.document(document.id) or document, gone, kept)

    def page(self, document_id: str, number: int) -> Page | None:
        """Return a page's text, or None where there is no such page."""
        return self.library.catalogue.page(document_id, number)

    def document_pages(self, document_id: str) -> int:
        """Return how many pages a document has; 0 where it is not there any more."""
        document = self.library.catalogue.document(document_id)
        return 0 if document is None else document.pages

    def content_of(self, document_id: str) -> str | None:
        """Return the SHA-256 of a document's bytes; None where it is not there any more."""
        document = self.library.catalogue.document(document_id)
        return None if document is None else document.sha256

    def original(self, document_id: str) -> tuple[Document, Path]:
        """Return a document and the file that has its own bytes.

        Raises UnknownName where there is no such document, or it came without them.
        """
        documents = {document.id: document for document in self.library.catalogue.documents()}
        if document_id not in documents:
            raise UnknownName("document", document_id, (), advice="rag-app documents lists the ids")
        document = documents[document_id]
        file = self.library.original(document.sha256)
        if not file.is_file():
            raise UnknownName(
                "original", document.name, (), advice="It came without its bytes; ingest the file itself"
            )
        return document, file

    # Collections

    def collections(self) -> list[str]:
        """Return the collections' names."""
        return list(self.library.catalogue.collections())

    def list_collections(self) -> list[CollectionInfo]:
        """Return the collections and what is in them."""
        return collections.list_collections(self.library)

    def create_collection(self, name: str) -> CollectionInfo:
        """Create an empty collection. Raises InvalidInput for a name that is taken or unusable."""
        return collections.create_collection(self.library, name)

    def rename_collection(self, old: str, new: str) -> CollectionInfo:
        """Rename a collection. Raises UnknownName, InvalidInput for the default one or a name taken."""
        return collections.rename_collection(self.library, old, new)

    def delete_collection(self, name: str) -> CollectionInfo:
        """Delete a collection with all of its documents; return what it held. Raises UnknownName."""
        return collections.delete_collection(self.library, name)

    # The page

    def announce(self, url: str, token: str) -> None:
        """Tell other commands on this machine where this process serves the API, and with which token."""
        announce(self.library.folder, url=url, token=token)

    def withdraw(self) -> None:
        """Take back what `announce` told."""
        withdraw(self.library.folder)

    @property
    def changes(self) -> int:
        """How often the library's documents have changed; a page compares two values of it."""
        return self.library.catalogue.changes

    @staticmethod
    def supported_suffixes() -> list[str]:
        """Return the suffixes of the files that can be ingested."""
        return sorted(SUPPORTED_SUFFIXES)

    @staticmethod
    def encodings() -> list[str]:
        """Return the encodings that text files may be in."""
        return known_names().split(", ")

    @staticmethod
    def check_question(question: str) -> None:
        """Raises EmptyQuestion for a question without a letter or digit, unless it is small talk."""
        if not any(map(str.isalnum, question)) and not is_small_talk(question):
            raise EmptyQuestion

    def llm_files(self) -> list[Path]:
        """Return the GGUF files in the models folder."""
        return sorted(self.settings.models_folder.glob("*.gguf"))

    @staticmethod
    def hub() -> tuple[str, bool]:
        """Return the host that models are pulled from, and whether this machine has a network."""
        return hub_host(), has_network()

    def conversation_markdown(self, conversation: str) -> str:
        """Return a conversation as Markdown. Raises UnknownName."""
        found = self.conversations.get(conversation)
        return as_markdown(turn_fields(found, self.conversations.turns(conversation)))

    # Questions

    def warm_up(self) -> None:
        """Load the encoder, which the first question would have to wait for."""
        self.library.encoder.encode_query("warm up")

    def options(self) -> AskOptions:
        """Return the options that the settings choose."""
        settings = self.settings
        return AskOptions(
            strategy=settings.strategy,
            reranker=settings.reranker,
            top_k=settings.top_k,
            collections=(settings.collection,),
            llm=settings.llm,
        )

    def strategies(self) -> list[StrategyState]:
        """Return every strategy and whether it can be used, over each representation that is ready."""
        damaged = next(iter(self.library.damaged()), None)
        return [
            StrategyState(strategy, True, str(damaged) if damaged and "tokens" in strategy.stores else None)
            for strategy in (*STRATEGIES.values(), *self._added_strategies())
        ]

    def _added_strategies(self) -> Iterator[Strategy]:
        """Yield the strategies over representations that were added, where these have what one reads."""
        for index in self.library.open_representations.ready():
            read = {*index.record.vector_kinds, "words"}
            for strategy in STRATEGIES.values():
                needed = set(strategy.representation.split("+"))
                if index.name != BUILTIN_NAME and needed != {"words"} and needed <= read:
                    yield strategy_named(f"{strategy.name}@{index.name}")

    def rerankers(self) -> list[str]:
        """Return the names of the rerankers that the application knows, here or not."""
        return [entry.name for entry in all_entries(self.settings.models_folder) if entry.role == "reranker"]

    def search(self, question: str, options: AskOptions, query: Query | None = None) -> SearchResult:
        """Return the passages found. Raises InvalidInput and its kind for what cannot be asked."""
        return search(
            self.library,
            question,
            strategy_named(options.strategy),
            resolve(self.library.catalogue, options.collections, options.filters),
            reranker=self._reranker(options.reranker),
            limits=self.settings.rerank_limits,
            top_k=options.top_k,
            query=query,
        )

    def compare(self, question: str, options: Sequence[AskOptions]) -> StrategyComparison:
        """Return what two to four strategies find for one question.

        It is encoded once, and a stage that several strategies have is run once. Raises InvalidInput for
        fewer, more, or the same twice, and what `search` raises.
        """
        check_columns([(one.strategy, one.reranker) for one in options])
        strategies = [strategy_named(one.strategy) for one in options]
        if not any(character.isalnum() for character in question):
            raise EmptyQuestion
        watch = Stopwatch()
        query = query_of(self.library, question)
        with watch.stage("encode"):
            query.encoded_by(self.library.encoder)
        columns = [
            column_of(self.search(question, one, query), self._sizes.of(strategy))
            for one, strategy in zip(options, strategies, strict=True)
        ]
        return compare(question, columns, watch.timings_ms["encode"])

    def explain(self, found: SearchResult, hit: Hit) -> Explanation | None:
        """Return why a hit's token vectors match the question, whatever found it; None if it is gone.

        A strategy "NAME@REPRESENTATION" is explained by that one's vectors, where it has one a token.
        """
        _, _, named = found.strategy.partition("@")
        has_tokens = named and "tokens" in self.library.representation(named).record.vector_kinds
        return explain(self.library, found.query, hit.chunk, named if has_tokens else BUILTIN_NAME)

    def explain_words(self, found: SearchResult, hit: Hit) -> tuple[TermReason, ...]:
        """Return which words of the question a hit has, in any form; none if its document is gone."""
        document = self.library.catalogue.document(hit.chunk.document_id)
        return () if document is None else matched_terms(found.query.text, hit.chunk, document.language)

    def restore(self, conversation: str) -> list[RestoredTurn]:
        """Return a conversation's turns as they were answered. Raises UnknownName."""
        return [
            restored(turn, self.receipts, self.library) for turn in self.conversations.turns(conversation)
        ]

    def chain(self, options: AskOptions) -> Runnable[str, AnswerEvent]:
        """Return the chain from question to answer, a LangChain Runnable."""
        settings = self.settings
        answerer = self._answerer(options.llm)
        return build_chain(
            self.library,
            options,
            answerer=answerer,
            condense=answerer.condense if isinstance(answerer, ChatAnswerer) else None,
            reranker=self._reranker(options.reranker),
            settings=AnswerSettings(
                settings.evidence_tokens, settings.answer_threshold, settings.rerank_limits
            ),
        )

    def stream(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Yield the events that `answering.chain` lists; remember question and answer as options and settings
        say. Closing the iterator stops the model.

        A question that asks what documents are about is answered by `summarise`, one that asks nothing of
        them by `rag_app.answering.library_replies`.
        """
        events = self._events(question, options, config)  # wrong options show before anything is kept
        keeps = self.settings.keep_receipts
        memory = Memory(self.conversations, self.receipts, self.library, keeps)
        if options.conversation is not None:
            options = memory.in_conversation(options)
            events = self._events(question, options, config)
        if keeps or options.conversation is not None:
            events = memory.follow(events, question, options, lambda: self._maker(options.llm, config))
        yield from events

    def repeat(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> tuple[Answer, dict[str, Any]]:
        """Return an answer that is not remembered, and what its receipt would say."""
        with closing(self._events(question, options, config)) as events:
            *_, answer = events
        assert isinstance(answer, Answer)
        return answer, receipt_fields(answer, options, self.library, self._maker(options.llm, config))

    def _events(
        self, question: str, options: AskOptions, config: RunnableConfig | None
    ) -> Generator[AnswerEvent]:
        """Return an answer's events. Raises at once what is wrong with the options."""

        def documents() -> list[Document]:
            return self.documents(options.collections, options.filters)

        reply = reply_to(question, options, documents)
        if reply is not None:
            return replied(question, reply, self.library.encoder)
        narrowed = to_summarise(question, options, documents)
        if narrowed is not None:
            return self.summarise(narrowed, config, question=question)
        return cast("Generator[AnswerEvent]", self.chain(options).stream(question, config))

    def summarise(
        self, options: AskOptions, config: RunnableConfig | None = None, *, question: str | None = None
    ) -> Generator[AnswerEvent]:
        """Yield the events of a summary of the documents that the options narrow to.

        Strategy and reranker play no part. Closing the iterator stops the model.
        """
        return summarise(
            self.library,
            resolve(self.library.catalogue, options.collections, options.filters),
            self._answerer(options.llm),
            question=question,
            passages=self.settings.summary_passages,
            config=config,
        )

    def do_chore(
        self, chore: Chore, llm: str, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Yield the events of what a chat program asks beside a person's questions; nothing is remembered."""
        return done(chore, self._answerer(llm), self.library.encoder, config)

    def ask(self, question: str, options: AskOptions, config: RunnableConfig | None = None) -> Answer:
        """Return the finished answer."""
        with closing(self.stream(question, options, config)) as events:
            *_, answer = events
        assert isinstance(answer, Answer)
        return answer

    def llm(self, name: str = AUTO) -> Llm:
        """Return who a name stands for.

        "auto" is the one GGUF file in the models folder, if there is one, else quotations. Raises
        InvalidInput where there are several, or a URL cannot be used, ModelError where a file is missing.
        """
        if name == AUTO and self.settings.llm != AUTO:
            name = self.settings.llm
        if name == EXTRACTIVE:
            return Llm()
        if server := Server.parse(name):
            return Llm(server=server)
        if name != AUTO:
            return Llm(file=find_model(name, role="llm", folder=self.settings.models_folder))
        files = self.settings.models_folder.glob("*.gguf")
        found = sorted(file for file in files if not _LATER_PART.search(file.name))
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise InvalidInput(
                f"several models lie in {self.settings.models_folder}: {names}; "
                "choose one with --llm PATH or RAG_APP_LLM"
            )
        return Llm(file=found[0]) if found else Llm()

    def llms(self) -> list[str]:
        """Return the names of the language models that were pulled or added, and can be used."""
        here = (Presence.VERIFIED, Presence.UNRECORDED)
        states = self.models.states()
        return [one.entry.name for one in states if one.entry.role == "llm" and one.presence in here]

    def use_model(self, name: str, *, role: str | None = None) -> Used:
        """Make a model the one that is used, now and in the settings file; see `ModelStore.use`."""
        used = self.models.use(name, role=role)
        if used.setting and not used.overridden_by:
            self.settings = self.settings.model_copy(update={used.setting: used.entry.name})
            self.models.settings = self.settings
        return used

    def reading_speed(self, file: Path) -> PrefillSpeed | None:
        """Return how fast a GGUF file's model reads on this machine, None where that is not known yet."""
        reader = Reader(file, available_processors())
        return PrefillSpeeds(self.settings.speed_file).get(reader)

    def _answerer(self, name: str) -> Answerer:
        llm = self.llm(name)
        if llm.quotes:
            return ExtractiveAnswerer(self.library.encoder)
        with self._loading:
            if llm not in self._llms:
                self._llms[llm] = ChatAnswerer(self._model(llm), self.library.encoder)
            return self._llms[llm]

    def _maker(self, name: str, config: RunnableConfig | None) -> GeneratorInfo:
        """Return who answers, for a receipt."""
        answerer = self._answerer(name)
        if not isinstance(answerer, ChatAnswerer):
            return GeneratorInfo(answerer.name)
        file, model, given = self.llm(name).file, answerer.model, model_options(config)
        words = {key: value for key, value in given.items() if key in SAMPLING}
        return GeneratorInfo(
            answerer.name,
            None if file is None else self._sha256(file),
            replace(model.sampling, **words),
            given.get("max_tokens", model.max_tokens),
            given.get("thinking", model.thinking),
        )

    def _sha256(self, file: Path) -> str | None:
        """Return a model file's hash: the recorded one, or one that may still be being computed (None)."""
        with suppress(ModelError, OSError):  # a damaged record, a file that has gone: nothing is known
            return self.models.lock.sha256(file) or self._hashes.of(file)
        return None

    def _model(self, llm: Llm) -> WritingModel:
        settings = self.settings
        options = {
            "context_tokens": settings.llm_context_tokens,
            "max_tokens": settings.llm_max_tokens,
            "thinking": settings.llm_thinking,
            **asdict(settings.sampling),
        }
        if llm.server is not None:
            configured = Server.parse(settings.llm)
            # A key is for the server that it was set for, not for any that a question names.
            trusted = configured is not None and configured.origin == llm.server.origin
            return ServerModel(
                server=llm.server, api_key=settings.llm_api_key if trusted else None, **options
            )
        assert llm.file is not None
        self._sha256(llm.file)  # a large file's is there by the time that its first answer is
        return LlamaCpp(
            model_path=llm.file,
            max_waiting=settings.llm_max_waiting,
            speed_file=settings.speed_file,
            **options,
        )

    def _reranker(self, name: str | None) -> Reranker | None:
        if not name:
            return None
        with self._loading:
            if name not in self._rerankers:
                self._rerankers[name] = reranker_named(name, self.settings.models_folder)
            return self._rerankers[name]
