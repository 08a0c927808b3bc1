"""The chain, a LangChain Runnable: rewrite | retrieve | pack | answer.

Its input is a question (str). Its output is a stream of events: `QuestionRewritten` for a follow-up question,
`PassagesFound`, `AnswerProgress` and `ReasoningDelta` from a language model, `Delta`s, one `Answer`.
A model that rewrites the question sends its `AnswerProgress` events first. Events add up to the last of them,
so `invoke` returns the `Answer`. Callbacks see each step, and the chat model within the last step.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator

from ingestion.library import Library
from ingestion.storage.catalogue.filters import resolve
from rag_app.answering.answerer import Answerer
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerInstructions,
    AnswerProgress,
    AskOptions,
    CitedAnswer,
    Delta,
    Exchange,
    Outcome,
    PassagesFound,
    PromptContext,
    QuestionRewritten,
)
from rag_app.answering.evidence.answerability import answerability, lacking_sides
from rag_app.answering.evidence.literal_matches import partly_missing
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.prompt_injection import flags
from rag_app.answering.questions.asked_values import AskedValue
from rag_app.answering.questions.follow_ups import is_follow_up, names_subject
from rag_app.answering.questions.query_rewriting import carried_over
from rag_app.answering.questions.question_kinds import is_aside
from rag_app.answering.quoting.values.held_values import lacking_value
from rag_app.answering.refusals.refusal import Refusal, must_refuse, refusal
from rag_app.answering.refusals.unseen_names import has_unseen_name
from rag_app.answering.written.reply import Reply, reply
from retrievers.fusion import fused_hits
from retrievers.preambles import core
from retrievers.reader.reading import Reader
from retrievers.reranking import Reranker, RerankLimits
from retrievers.search import SearchResult, search
from retrievers.shares import shared_hits
from retrievers.strategies import strategy_named

T = TypeVar("T")
U = TypeVar("U")

# In tokens of the answerer. Below this budget only the best sentence is packed; the model itself refuses a
# prompt that has no room even for that.
_LEAST_EVIDENCE = 50


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How the chain answers.

    Attributes:
        evidence_tokens: Evidence budget in tokens of the answerer; None: the answerer chooses it.
        threshold: Answerability below which the chain abstains.
    """

    evidence_tokens: int | None
    threshold: float
    rerank_limits: RerankLimits = RerankLimits()


# Writes a follow-up question as a standalone question; returns None where it cannot. It yields its progress.
Rewriter = Callable[[str, Sequence[Exchange]], Generator[AnswerProgress, None, str | None]]


@dataclass(frozen=True, slots=True)
class _Question:
    """A question and its standalone form."""

    text: str
    standalone: str
    milliseconds: float
    was_sent: bool  # to a model, with the history

    @property
    def is_rewritten(self) -> bool:
        return self.standalone != self.text


@dataclass(frozen=True, slots=True)
class _Retrieved:
    question: _Question
    result: SearchResult


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What was found; `whole` is all of it, of which a small budget leaves a part."""

    question: _Question
    found: PassagesFound
    whole: PromptContext


class AnswerChain:
    """The steps from question to answer, for one set of options.

    Args:
        rewrite: Has a model write what a follow-up question means; without it a rule does.
        reader: Reads the passages that were found, to say which of them answers and where.
        fallback: Quotes the passages where a language model's text is useless; None for other answerers.
        instructions: What the answerer is asked about the form of the answer.
        notes: Flags of each answer that it writes.

    Raises:
        UnknownName: The options name a strategy, collection or document that does not exist.
    """

    def __init__(
        self,
        library: Library,
        options: AskOptions,
        *,
        answerer: Answerer,
        reranker: Reranker | None,
        settings: AnswerSettings,
        rewrite: Rewriter | None = None,
        reader: Reader | None = None,
        fallback: Answerer | None = None,
        instructions: AnswerInstructions = AnswerInstructions(),
        notes: Sequence[str] = (),
    ) -> None:
        self._library = library
        self._options = options
        self._answerer = answerer
        self._reranker = reranker
        self._settings = settings
        self._rewriter = rewrite
        self._reader = reader
        self._fallback = fallback
        self._instructions = instructions
        self._notes = notes
        self._strategy = strategy_named(options.strategy)
        self._scope = resolve(library.catalogue, options.collections, options.filters)

    def runnable(self) -> Runnable[str, AnswerEvent]:
        """Return the chain as a LangChain Runnable."""
        # RunnableGenerator passes the config on to functions that take one; its types do not say so.
        answer = cast("Callable[[Iterator[AnswerProgress | _Gathered]], Iterator[AnswerEvent]]", self._answer)
        steps = (
            RunnableGenerator(self._rewrite, name="rewrite")
            | _step("retrieve", _Question, self._retrieve)
            | _step("pack", _Retrieved, self._pack)
            | RunnableGenerator(answer, name="answer")
        )
        return steps.with_config(run_name="ask")

    def _rewrite(self, texts: Iterator[str]) -> Iterator[AnswerProgress | _Question]:
        """Yield a model's progress, then the question with its standalone form."""
        question, options, started = "".join(texts), self._options, time.perf_counter()
        standalone, was_sent = options.standalone or question, False
        # No question follows up on small talk.
        history = [one for one in options.history if not is_aside(one.question)]
        if options.standalone is None and history and is_follow_up(core(question)):
            written = None
            if self._rewriter is not None:
                was_sent = True
                with closing(self._rewriter(question, history)) as rewriting:
                    written = yield from rewriting
            standalone = written or carried_over(question, history)
        yield _Question(question, standalone, 1000 * (time.perf_counter() - started), was_sent)

    def _retrieve(self, question: _Question) -> _Retrieved:
        found = search(
            self._library,
            question.standalone,
            self._strategy,
            self._scope,
            reranker=self._reranker,
            limits=self._settings.rerank_limits,
            top_k=self._options.top_k,
        )
        if question.is_rewritten and self._options.cited and not names_subject(question.text):
            found = self._with_cited(found, question.standalone)
        if not self._options.history:
            return _Retrieved(question, found)
        times = {"condense": question.milliseconds, **found.timings_ms}
        times["total"] += question.milliseconds
        return _Retrieved(question, replace(found, timings_ms=times))

    def _with_cited(self, found: SearchResult, question: str) -> SearchResult:
        """Return what was found, fused with what the documents have that the last answer cites."""
        started = time.perf_counter()
        scope, cited = self._scope, frozenset(self._options.cited)
        within = cited if scope.documents is None else cited & scope.documents
        near = search(
            self._library,
            question,
            self._strategy,
            replace(scope, documents=within),
            reranker=self._reranker,
            limits=self._settings.rerank_limits,
            top_k=self._options.top_k,
            query=found.query,
        )
        fused = shared_hits(fused_hits(found.hits, near.hits), found.sides)[: self._options.top_k]
        return replace(found, hits=fused, timings_ms=_with_stage(found.timings_ms, "cited", started))

    def _pack(self, retrieved: _Retrieved) -> _Gathered:
        """Pack evidence within the budget, or within the part of it that leaves room for an answer.

        The instructions are a part of the budget, but leave half of it to the evidence.
        """
        started, options, answerer = time.perf_counter(), self._options, self._answerer
        # A client that sends the history gets the nonce of its first question, so that prompts begin alike.
        first = options.history[0].question if options.history else retrieved.question.text
        nonce = options.nonce or self._library.catalogue.nonce(first)
        budget = options.evidence_tokens or self._settings.evidence_tokens or answerer.evidence_tokens()
        count_tokens = cache(answerer.count_tokens)
        question = retrieved.question.standalone
        asked = self._instructions
        left = budget if budget is None else max(budget - count_tokens(asked.text), budget // 2)

        def within(tokens: int | None) -> PromptContext:
            return pack(
                self._library,
                retrieved.result,
                budget=tokens,
                count_tokens=count_tokens,
                nonce=nonce,
                earlier=options.earlier,
                reader=self._reader,
            )

        while True:
            context = within(left)
            lacking = lacking_sides(self._library, context, self._settings.threshold)
            packed = replace(context, instructions=asked, lacking=lacking)
            if left is None or left <= 1 or answerer.fits(question, packed):
                break
            left = left * 3 // 4 if left > _LEAST_EVIDENCE else 1  # 1 leaves the best sentence
        result = replace(
            retrieved.result, timings_ms=_with_stage(retrieved.result.timings_ms, "pack", started)
        )
        found = PassagesFound(result, packed if budget is None else replace(packed, budget=budget))
        return _Gathered(retrieved.question, found, packed if left is None else within(None))

    def _answer(
        self, gathered: Iterator[AnswerProgress | _Gathered], config: RunnableConfig
    ) -> Iterator[AnswerEvent]:
        for item in gathered:
            if isinstance(item, AnswerProgress):
                yield item
                continue
            if item.question.is_rewritten:
                yield QuestionRewritten(item.question.standalone)
            yield item.found
            yield from self._written(item, config)

    def _written(self, gathered: _Gathered, config: RunnableConfig) -> Iterator[AnswerEvent]:
        started, answerer = time.perf_counter(), self._answerer
        question, result, packed = gathered.question, gathered.found.result, gathered.found.packed
        lacking = lacking_value(gathered.whole)
        unseen_name = has_unseen_name(self._library, self._scope, gathered.whole)
        likely = answerability(packed, lacks_value=lacking is not None, unseen_name=unseen_name)
        is_enough = likely >= self._settings.threshold
        refuses = must_refuse(self._library, question.standalone, packed, result.named, is_enough=is_enough)
        refused: Refusal | None = None
        if refuses:
            refused = self._refusal(gathered, lacking)
            written = Reply(refused.text, None)
            yield Delta(refused.text)
        else:
            # Closing this generator closes the writer, so that a person who stops the answer stops the model.
            written = yield from reply(answerer, self._fallback, question.standalone, packed, config)
            if written.cited is None:
                refused = self._refusal(gathered, lacking)
                details = f"\n\n{refused.details}" if refused.details else ""
                written = replace(written, text=f"{written.text}{details}")
                yield Delta(details)
        cited = written.cited or CitedAnswer(written.text, (), refused.citations if refused else ())
        was_sent = question.was_sent or not refuses
        yield Answer(
            question=question.text,
            text=cited.text,
            outcome=refused.outcome if refused else Outcome.ANSWERED,
            strategy=result.strategy,
            reranker=result.reranker,
            llm=answerer.name,
            citations=cited.citations,
            sentences=cited.sentences,
            nearest=result.hits,
            evidence=packed.evidence,
            relevance=packed.relevance,
            timings_ms=_with_stage(result.timings_ms, "answer", started),
            flags=(
                *(sent_away(answerer.leaves_machine) if was_sent else ()),
                *partly_missing(result.named),
                *flags(packed.evidence),
                *written.flags,
                *(() if refuses else self._notes),
            ),
            standalone_question=question.standalone if question.is_rewritten else None,
            nonce=packed.nonce,
            budget=packed.budget,
            answerability=likely,
            model_text=written.model_text,
            instructions=packed.instructions,
        )

    def _refusal(self, gathered: _Gathered, lacking: AskedValue | None) -> Refusal:
        question, found = gathered.question.standalone, gathered.found
        named = found.result.named
        return refusal(self._library, self._scope, question, found.packed, named, lacking=lacking)


def sent_away(host: str | None) -> tuple[str, ...]:
    """Return the flag of an answer whose question and evidence went to a remote host; none without a host."""
    return (f"leaves this machine: {host}",) if host else ()


def _step(
    name: str, takes: type[T], work: Callable[[T], U]
) -> Runnable[AnswerProgress | T, AnswerProgress | U]:
    """Return a step that works on the one item of type `takes`, and passes progress on."""

    def through(items: Iterator[AnswerProgress | T]) -> Iterator[AnswerProgress | U]:
        for item in items:
            yield work(item) if isinstance(item, takes) else cast("AnswerProgress", item)

    return RunnableGenerator(through, name=name)


def _with_stage(timings_ms: Mapping[str, float], stage: str, started: float) -> dict[str, float]:
    """Return the times with one more stage, added to the total."""
    elapsed = 1000 * (time.perf_counter() - started)
    return {**timings_ms, stage: elapsed, "total": timings_ms["total"] + elapsed}
