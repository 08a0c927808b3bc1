"""The composition root: wires library, queue, tasks, models and chain, and holds no logic of its own.

The screen calls this and nothing deeper; command line and HTTP call it through `rag_app.service`.
"""

import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from langchain_core.runnables import Runnable, RunnableConfig

from ingestion import collections
from ingestion.collections import CollectionInfo
from ingestion.documents import Page
from ingestion.encoders import builtin_encoder
from ingestion.errors import InvalidInput
from ingestion.filters import Filters, resolve
from ingestion.index import BUILTIN_NAME
from ingestion.jobs import Jobs
from ingestion.library import Library
from ingestion.pipeline import IngestResult, Progress, ingest
from ingestion.stores.records import Document
from rag_app.answering import Answerer, AnswerSettings, build_chain
from rag_app.answers import Answer, AnswerEvent, AskOptions
from rag_app.llm import extractive
from rag_app.llm.chat import ChatAnswerer
from rag_app.llm.extractive import ExtractiveAnswerer
from rag_app.llm.llama import LlamaCpp
from rag_app.models import all_entries, reranker_named
from rag_app.models import resolve as find_model
from rag_app.models.store import ModelStore
from rag_app.settings import Settings
from rag_app.tasks import Tasks
from retrievers.explain import Explanation, explain
from retrievers.hits import Hit
from retrievers.rerank import Reranker
from retrievers.search import SearchResult, search
from retrievers.strategies import STRATEGIES, Strategy, strategy_named

AUTO = "auto"
UPLOAD = "upload:"

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


class Assistant:
    """Everything that a person can do, over one open library. Safe to use from several threads."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self.jobs = Jobs(library, limits=settings.limits, staging=library.folder / "uploads")
        self.tasks = Tasks()
        self.models = ModelStore(settings)
        self._loading = threading.Lock()
        self._llms: dict[Path, ChatAnswerer] = {}
        self._rerankers: dict[str, Reranker] = {}

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the library of the settings. Raises what `Library.open` raises."""
        return cls(settings, Library.open(settings.data_dir, builtin_encoder(settings.encoder_precision)))

    def close(self) -> None:
        """Stop what is under way, and give the library back."""
        self.tasks.close()
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
        on_progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[IngestResult]:
        """Ingest files and folders; see `ingestion.pipeline.ingest`.

        `uploaded` files are known by their names alone: uploading a file of the same name replaces it.
        """
        return ingest(
            self.library,
            paths,
            collection=collection or self.settings.collection,
            limits=self.settings.limits,
            source_path=(lambda file: UPLOAD + file.name) if uploaded else str,
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

    def delete(self, name: str, collections: Sequence[str] = ()) -> Document:
        """Delete the one document with that name or path in the collections, or with that id in any.

        Returns it. Raises UnknownName where there is none, InvalidInput where several have the name.
        """
        catalogue = self.library.catalogue
        found = [document for document in catalogue.documents() if document.id == name]
        scope = catalogue.scope(collections or (self.settings.collection,))
        found = found or catalogue.find(name, scope.collections)
        if len(found) > 1:
            choices = ", ".join(f"{document.id} ({document.path})" for document in found)
            raise InvalidInput(f"{len(found)} documents are named {name!r}; delete one by its id: {choices}")
        self.library.delete(found[0])
        return found[0]

    def page(self, document_id: str, number: int) -> Page | None:
        """Return a page's text, or None where there is no such page."""
        return self.library.catalogue.page(document_id, number)

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
        for index in self.library.indexes.ready():
            read = {*index.record.readings, "words"}
            for strategy in STRATEGIES.values():
                needed = set(strategy.representation.split("+"))
                if index.name != BUILTIN_NAME and needed != {"words"} and needed <= read:
                    yield strategy_named(f"{strategy.name}@{index.name}")

    def rerankers(self) -> list[str]:
        """Return the names of the rerankers that the application knows, here or not."""
        return [entry.name for entry in all_entries(self.settings.models_folder) if entry.role == "reranker"]

    def search(self, question: str, options: AskOptions) -> SearchResult:
        """Return the passages found. Raises InvalidInput and its kind for what cannot be asked."""
        return search(
            self.library,
            question,
            strategy_named(options.strategy),
            resolve(self.library.catalogue, options.collections, options.filters),
            reranker=self._reranker(options.reranker),
            limits=self.settings.rerank_limits,
            top_k=options.top_k,
        )

    def explain(self, found: SearchResult, hit: Hit) -> Explanation | None:
        """Return why a hit's token vectors match the question, whatever found it; None if it is gone.

        A strategy "NAME@REPRESENTATION" is explained by that one's vectors, where it has one a token.
        """
        _, _, named = found.strategy.partition("@")
        has_tokens = named and "tokens" in self.library.index(named).record.readings
        return explain(self.library, found.query, hit.chunk, named if has_tokens else BUILTIN_NAME)

    def chain(self, options: AskOptions) -> Runnable[str, AnswerEvent]:
        """Return the chain from question to answer, a LangChain Runnable."""
        settings = self.settings
        return build_chain(
            self.library,
            options,
            answerer=self._answerer(options.llm),
            reranker=self._reranker(options.reranker),
            settings=AnswerSettings(
                settings.evidence_tokens, settings.answer_threshold, settings.rerank_limits
            ),
        )

    def stream(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Yield Found, Deltas and the Answer. Closing the iterator stops the model."""
        yield from self.chain(options).stream(question, config)

    def ask(self, question: str, options: AskOptions, config: RunnableConfig | None = None) -> Answer:
        """Return the finished answer."""
        with closing(self.stream(question, options, config)) as events:
            *_, answer = events
        assert isinstance(answer, Answer)
        return answer

    def llm(self, name: str = AUTO) -> Path | None:
        """Return the GGUF file that a name stands for, None for the extractive answerer.

        "auto" is the one GGUF file in the models folder, if there is one. Raises InvalidInput where
        there are several, ModelError where a named file is missing.
        """
        if name == AUTO and self.settings.llm != AUTO:
            name = self.settings.llm
        if name == extractive.NAME:
            return None
        if name != AUTO:
            return find_model(name, role="llm", folder=self.settings.models_folder)
        files = self.settings.models_folder.glob("*.gguf")
        found = sorted(file for file in files if not _LATER_PART.search(file.name))
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise InvalidInput(
                f"several models lie in {self.settings.models_folder}: {names}; "
                "choose one with --llm PATH or RAG_APP_LLM"
            )
        return found[0] if found else None

    def _answerer(self, name: str) -> Answerer:
        path = self.llm(name)
        if path is None:
            return ExtractiveAnswerer(self.library.encoder)
        settings = self.settings
        with self._loading:
            if path not in self._llms:
                model = LlamaCpp(
                    model_path=path,
                    context_tokens=settings.llm_context_tokens,
                    max_tokens=settings.llm_max_tokens,
                    temperature=settings.llm_temperature,
                    seed=settings.llm_seed,
                )
                self._llms[path] = ChatAnswerer(model, self.library.encoder)
            return self._llms[path]

    def _reranker(self, name: str | None) -> Reranker | None:
        if not name:
            return None
        with self._loading:
            if name not in self._rerankers:
                self._rerankers[name] = reranker_named(name, self.settings.models_folder)
            return self._rerankers[name]
