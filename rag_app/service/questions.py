"""A question's way to its answer: a reply, a summary, or the chain; recorded where the options say so.

QuestionRouter.stream ─▶ history.recorder ─▶ answering.library_replies   small talk, the library itself
                                          ├▶ summarizing.summary         what documents are about
                                          └▶ answering.chain             everything else
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from langchain_core.runnables import Runnable, RunnableConfig

from ingestion.collections import single_instructions
from ingestion.errors import Cancelled, EmptyQuestion, InvalidInput, ModelError, RagError
from ingestion.library import Library
from ingestion.library_documents import documents_in
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION
from ingestion.storage.catalogue.filters import Filters, resolve
from rag_app.answering.answers import Answer, AnswerEvent, AnswerInstructions, AskOptions
from rag_app.answering.chain import AnswerChain, AnswerSettings
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.answering.library_replies import reply_events, reply_to
from rag_app.answering.model_pool import ModelPool
from rag_app.answering.questions.question_kinds import is_small_talk
from rag_app.answering.questions.summary_questions import to_summarise
from rag_app.answering.side_tasks import SideTask, side_task_events
from rag_app.config.settings import Settings
from rag_app.contract.requests import LONGEST_QUESTION
from rag_app.evaluation.answers.asking import Ask
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.receipts import Receipts
from rag_app.history.recorder import NEW, ConversationRecorder
from rag_app.history.records import ReceiptRecord
from rag_app.history.serialization import receipt_record
from rag_app.llm.usage import UsageTracker, counted_by
from rag_app.metrics import Metrics
from rag_app.summarizing.summary import summarise


class QuestionRouter:
    """Decides what answers a question, and streams it. Safe to use from several threads."""

    def __init__(
        self,
        library: Library,
        models: ModelPool,
        recorder: ConversationRecorder,
        settings: Settings,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._library = library
        self._models = models
        self._recorder = recorder
        self._settings = settings

    def stream(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Yield the events of an answer, and record question and answer. Counts it.

        Closing the iterator stops the model.

        Raises:
            RagError: The options are wrong; then nothing is recorded, unless the question is already. Or a
                store or a model fails.
        """
        outcome, strategy = "stopped", ""
        self._metrics.began()
        try:
            with closing(self._recorded(question, options, config)) as events:
                for event in events:
                    if isinstance(event, Answer):
                        outcome, strategy = event.outcome, event.strategy
                        self._metrics.timed(event.timings_ms)
                    yield event
        except Exception as error:
            outcome = "stopped" if isinstance(error, Cancelled) else "failed"
            raise
        finally:
            self._metrics.ended(outcome, strategy)

    def _recorded(
        self, question: str, options: AskOptions, config: RunnableConfig | None
    ) -> Generator[AnswerEvent]:
        usage = UsageTracker()
        config = counted_by(usage, config)
        try:
            events = self._events(question, options, config)
            if options.conversation is not None:
                options = self._recorder.in_conversation(options)
                events = self._events(question, options, config)
        except RagError as fault:
            self._recorder.refuse(options, fault)
            raise
        generator = partial(self._models.generator_info, options.llm, config)
        yield from self._recorder.follow(events, question, options, generator, usage)

    def repeat(
        self, question: str, options: AskOptions, config: RunnableConfig | None = None
    ) -> tuple[Answer, ReceiptRecord]:
        """Return an answer without recording it, and the record that its receipt would have."""
        answer = last_answer(self._events(question, options, config))
        generator = self._models.generator_info(options.llm, config)
        return answer, receipt_record(answer, options, self._library, generator)

    def chain(self, options: AskOptions) -> Runnable[str, AnswerEvent]:
        """Return the chain from question to answer. Raises InvalidInput or ModelError for wrong options."""
        settings = self._settings
        answerer = self._models.answerer(options.llm)
        asked, notes = AnswerInstructions(), self._notes(options.llm)
        if isinstance(answerer, ChatAnswerer):
            asked, notes = answerer.usable(self._instructions(options))
        return AnswerChain(
            self._library,
            options,
            answerer=answerer,
            rewrite=answerer.rewrite if isinstance(answerer, ChatAnswerer) else None,
            reranker=self._models.reranker(options.reranker),
            reader=self._models.reader,
            fallback=ExtractiveAnswerer(self._library.encoder)
            if isinstance(answerer, ChatAnswerer)
            else None,
            settings=AnswerSettings(
                settings.evidence_tokens, settings.answer_threshold, settings.rerank_limits
            ),
            instructions=asked,
            notes=notes,
        ).runnable()

    def _notes(self, llm: str) -> tuple[str, ...]:
        """Return a flag where a language model was chosen that cannot be used here."""
        note = self._models.resolve(llm).note
        return (note,) if note else ()

    def _instructions(self, options: AskOptions) -> AnswerInstructions:
        """Return what is asked about the form of the answer; by a collection, where it alone is asked."""
        names = options.collections or (self._settings.collection,)
        known = options.collection_instructions
        return AnswerInstructions(
            single_instructions(self._library, names) if known is None else known, options.instructions
        )

    def summarise(
        self, options: AskOptions, config: RunnableConfig | None = None, *, question: str | None = None
    ) -> Generator[AnswerEvent]:
        """Return the events of a summary of the documents that the options narrow to.

        Strategy and reranker play no part. Closing the iterator stops the model.
        """
        return summarise(
            self._library,
            resolve(self._library.catalogue, options.collections, options.filters),
            self._models.answerer(options.llm),
            question=question,
            passages=self._settings.summary_passages,
            config=config,
            notes=self._notes(options.llm),
        )

    def side_task(
        self, task: SideTask, llm: str, config: RunnableConfig | None = None
    ) -> Generator[AnswerEvent]:
        """Return the events of a chat program's side task, such as a title. Nothing is recorded."""
        return side_task_events(task, self._models.answerer(llm), self._library.encoder, config)

    def _events(
        self, question: str, options: AskOptions, config: RunnableConfig | None
    ) -> Generator[AnswerEvent]:
        """Return an answer's events. Raises at once what is wrong with the options."""
        collections = options.collections or (self._settings.collection,)
        documents = partial(documents_in, self._library, collections, options.filters)
        reply = reply_to(question, options, documents, self._library)
        if reply is not None:
            return reply_events(question, reply, self._library.encoder)
        narrowed = to_summarise(question, options, documents)
        if narrowed is not None:
            return self.summarise(narrowed, config, question=question)
        return cast("Generator[AnswerEvent]", self.chain(options).stream(question, config))


@contextmanager
def open_ask(models: ModelPool, settings: Settings, library: Library, options: AskOptions) -> Iterator[Ask]:
    """Yield a function that answers questions over a library as the application does, each in a conversation.

    The conversations are removed at the end.

    Args:
        options: The options of every question; the function adds conversation and documents.

    Raises:
        ModelError: The options name a file, and llama.cpp is not installed; quotations are no measure of it.
    """
    if note := models.resolve(options.llm).note:
        raise ModelError(note)
    with TemporaryDirectory(prefix="rag-app-eval-") as folder:
        state = StateDatabase(Path(folder) / STATE_FILE)
        recorder = ConversationRecorder(Conversations(state), Receipts(state), library, keeps_receipts=True)
        router = QuestionRouter(library, models, recorder, settings)
        collections = options.collections or (DEFAULT_COLLECTION,)

        def ask(question: str, *, conversation: str | None, documents: Sequence[str] = ()) -> Answer:
            asked = replace(
                options,
                conversation=conversation or NEW,
                collections=collections,
                filters=Filters(documents=tuple(documents)),
            )
            return last_answer(router.stream(question, asked))

        yield ask


def check_question(question: str) -> None:
    """Raise EmptyQuestion for a question without a letter or digit, unless it is small talk; InvalidInput for
    one that is too long."""
    if len(question) > LONGEST_QUESTION:
        raise InvalidInput(
            f"the question has {len(question):,} characters; shorten it to {LONGEST_QUESTION:,} at most"
        )
    if not any(map(str.isalnum, question)) and not is_small_talk(question):
        raise EmptyQuestion


def last_answer(events: Generator[AnswerEvent]) -> Answer:
    """Return the answer that events end with, and close them."""
    with closing(events):
        *_, answer = events
    assert isinstance(answer, Answer)
    return answer
