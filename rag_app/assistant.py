"""The composition root: wires the library, the models and the chain, and holds no logic of its own.

The command line and the screen call this and nothing deeper.
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

from ingestion.documents import Page
from ingestion.encoders import builtin_encoder
from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.pipeline import IngestResult, Progress, ingest
from ingestion.stores.records import Document
from rag_app.answering import Answerer, AnswerSettings, build_chain
from rag_app.answers import Answer, AnswerEvent, AskOptions
from rag_app.llm import extractive
from rag_app.llm.chat import ChatAnswerer
from rag_app.llm.extractive import ExtractiveAnswerer
from rag_app.llm.llama import LlamaCpp
from rag_app.models import read_manifest, resolve
from rag_app.settings import Settings
from retrievers.rerank import CrossEncoderReranker, Reranker
from retrievers.search import SearchResult, search
from retrievers.strategies import STRATEGIES, Strategy, strategy_named

AUTO = "auto"
UPLOAD = "upload:"

# llama.cpp opens the first part of a split model and finds the others.
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$")


@dataclass(frozen=True, slots=True)
class StrategyState:
    """A strategy and whether it can be used on this library; if not, why and what to do."""

    strategy: Strategy
    available: bool
    reason: str | None = None


class Assistant:
    """Everything that a person can do, over one open library. Safe to use from several threads."""

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self._models = threading.Lock()
        self._llms: dict[Path, ChatAnswerer] = {}
        self._rerankers: dict[str, CrossEncoderReranker] = {}

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the library of the settings. Raises what `Library.open` raises."""
        return cls(settings, Library.open(settings.data_dir, builtin_encoder()))

    def close(self) -> None:
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

    def collections(self) -> list[str]:
        """Return the collections' names."""
        return list(self.library.catalogue.collections())

    def documents(self, collections: Sequence[str] = ()) -> list[Document]:
        """Return the documents of the named collections; of the settings' one, when none is named.

        Raises UnknownName for a collection that is not there.
        """
        return self.library.catalogue.documents(self._scope(collections))

    def delete(self, name: str, collections: Sequence[str] = ()) -> Document:
        """Delete the one document with that name or path in the collections, or with that id in any.

        Returns it. Raises UnknownName where there is none, InvalidInput where several have the name.
        """
        catalogue = self.library.catalogue
        found = [document for document in catalogue.documents() if document.id == name]
        found = found or catalogue.find(name, self._scope(collections))
        if len(found) > 1:
            choices = ", ".join(f"{document.id} ({document.path})" for document in found)
            raise InvalidInput(f"{len(found)} documents are named {name!r}; delete one by its id: {choices}")
        self.library.delete(found[0])
        return found[0]

    def _scope(self, collections: Sequence[str]) -> tuple[int, ...]:
        return self.library.catalogue.scope(collections or (self.settings.collection,)).collections

    def page(self, document_id: str, number: int) -> Page | None:
        """Return a page's text, or None where there is no such page."""
        return self.library.catalogue.page(document_id, number)

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
        """Return every strategy and whether it can be used."""
        damaged = next(iter(self.library.damaged.values()), None)
        return [
            StrategyState(strategy, False, str(damaged))
            if damaged and "tokens" in strategy.stores
            else StrategyState(strategy, True)
            for strategy in STRATEGIES.values()
        ]

    def rerankers(self) -> list[str]:
        """Return the names of the rerankers that the application knows, here or not."""
        return [entry.name for entry in read_manifest() if entry.role == "reranker"]

    def search(self, question: str, options: AskOptions) -> SearchResult:
        """Return the passages found. Raises InvalidInput and its kind for what cannot be asked."""
        return search(
            self.library,
            question,
            strategy_named(options.strategy),
            self.library.catalogue.scope(options.collections, options.documents),
            reranker=self._reranker(options.reranker),
            top_k=options.top_k,
        )

    def chain(self, options: AskOptions) -> Runnable[str, AnswerEvent]:
        """Return the chain from question to answer, a LangChain Runnable."""
        settings = self.settings
        return build_chain(
            self.library,
            options,
            answerer=self._answerer(options.llm),
            reranker=self._reranker(options.reranker),
            settings=AnswerSettings(settings.evidence_tokens, settings.answer_threshold),
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
            return resolve(name, role="llm")
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
        with self._models:
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
        with self._models:
            if name not in self._rerankers:
                self._rerankers[name] = CrossEncoderReranker(name, resolve(name, role="reranker"))
            return self._rerankers[name]
