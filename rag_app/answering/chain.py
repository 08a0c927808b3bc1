"""The chain, a LangChain Runnable: rewrite | retrieve | pack | answer.

Its input is a question (str). Its output is a stream of events: `QuestionRewritten` for a follow-up question,
with `PassagesFound`, `AnswerProgress` and `ReasoningDelta` from a language model, `Delta`s, one `Answer`.
A model that rewrites the question sends its `AnswerProgress` events first. Events add up to the last of them,
so `invoke` returns the `Answer`. Callbacks see each step, and the chat model within the last step.
"""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, TypeVar, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator

from ingestion.library import Library
from ingestion.storage.catalogue.filters import resolve
from rag_app.answering.answers import (
    NO_ANSWER,
    Answer,
    AnswerEvent,
    AnswerProgress,
    AskOptions,
    CitedAnswer,
    Delta,
    EvidenceRef,
    Exchange,
    PassagesFound,
    PromptContext,
    QuestionRewritten,
    ReasoningDelta,
)
from rag_app.answering.evidence.literal_matches import missing, partly_missing
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.prompt_injection import flags
from rag_app.answering.questions.follow_ups import is_follow_up
from rag_app.answering.questions.query_rewriting import carried_over
from rag_app.answering.questions.question_kinds import kind_of
from retrievers.preambles import core
from retrievers.reranking import Reranker, RerankLimits
from retrievers.search import SearchResult, search
from retrievers.strategies import strategy_named

T = TypeVar("T")
U = TypeVar("U")

# In tokens of the answerer. A prompt that leaves less room than this gets one sentence of evidence; one
# that does not leave room even for that is refused by the model itself.
_LEAST_EVIDENCE = 50


class Answerer(Protocol):
    """Writes an answer from packed evidence and says which sentence rests on what."""

    @property
    def name(self) -> str: ...

    @property
    def leaves_machine(self) -> str | None:
        """The other machine that questions and evidence are sent to; None: they stay on this one."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def evidence_tokens(self) -> int:
        """Return how much evidence it reads in reasonable time, where the settings do not say."""
        ...

    def fits(self, question: str, packed: PromptContext) -> bool:
        """Return whether the whole prompt leaves room for an answer."""
        ...

    def write(
        self, question: str, packed: PromptContext, config: RunnableConfig
    ) -> Generator[str | AnswerProgress | ReasoningDelta]: ...

    def cite(self, text: str, packed: PromptContext) -> CitedAnswer: ...


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """`evidence_tokens` are counted by the answerer, which also chooses them where they are None; below
    `threshold` nothing is answered."""

    evidence_tokens: int | None
    threshold: float
    rerank_limits: RerankLimits = RerankLimits()


# Writes what a follow-up question means, given what was said before; None where it cannot tell. Meanwhile it
# yields what is waited for.
Condense = Callable[[str, Sequence[Exchange]], Generator[AnswerProgress, None, str | None]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, and as it is understood without what was said before."""

    question: str
    standalone: str
    milliseconds: float
    was_sent: bool = False  # to a model, with what was said before

    @property
    def is_condensed(self) -> bool:
        return self.standalone != self.question


@dataclass(frozen=True, slots=True)
class _Retrieved:
    asked: _Asked
    result: SearchResult


@dataclass(frozen=True, slots=True)
class _Gathered:
    asked: _Asked
    found: PassagesFound


def build_chain(
    library: Library,
    options: AskOptions,
    *,
    answerer: Answerer,
    reranker: Reranker | None,
    settings: AnswerSettings,
    condense: Condense | None = None,
) -> Runnable[str, AnswerEvent]:
    """Return the chain for these options. `condense` has a model write what a follow-up question means.

    Raises UnknownName for a strategy, collection or document.
    """
    strategy = strategy_named(options.strategy)
    scope = resolve(library.catalogue, options.collections, options.filters)

    def understand(asked: Iterator[str]) -> Iterator[AnswerProgress | _Asked]:
        yield from _understood("".join(asked), options, condense)

    def retrieve(asked: _Asked) -> _Retrieved:
        found = search(
            library,
            asked.standalone,
            strategy,
            scope,
            reranker=reranker,
            limits=settings.rerank_limits,
            top_k=options.top_k,
        )
        if not options.history:
            return _Retrieved(asked, found)
        times = {"condense": asked.milliseconds, **found.timings_ms}
        times["total"] += asked.milliseconds
        return _Retrieved(asked, replace(found, timings_ms=times))

    def gather(retrieved: _Retrieved) -> _Gathered:
        started = time.perf_counter()
        result = retrieved.result
        # Of a history that a client sends, the first question's: the prompt begins as the one before did.
        began = options.history[0].question if options.history else retrieved.asked.question
        nonce = options.nonce or library.catalogue.nonce(began)
        budget = options.evidence_tokens or settings.evidence_tokens or answerer.evidence_tokens()
        packed = _pack_to_fit(
            library, retrieved.asked.standalone, result, answerer, budget, nonce, options.earlier
        )
        timed = replace(result, timings_ms=_and(result.timings_ms, "pack", started))
        return _Gathered(retrieved.asked, PassagesFound(timed, packed))

    def answer(
        gathered: Iterator[AnswerProgress | _Gathered], config: RunnableConfig
    ) -> Iterator[AnswerEvent]:
        for item in gathered:
            if isinstance(item, AnswerProgress):
                yield item
                continue
            if item.asked.is_condensed:
                yield QuestionRewritten(item.asked.standalone)
            yield item.found
            yield from _answer(item, answerer, settings.threshold, config)

    # RunnableGenerator passes the config on to functions that take one, which its types leave out.
    writing = RunnableGenerator(
        cast("Callable[[Iterator[AnswerProgress | _Gathered]], Iterator[AnswerEvent]]", answer), name="answer"
    )
    steps = (
        RunnableGenerator(understand, name="condense")
        | _step("retrieve", _Asked, retrieve)
        | _step("pack", _Retrieved, gather)
        | writing
    )
    return steps.with_config(run_name="ask")


def _understood(
    question: str, options: AskOptions, condense: Condense | None
) -> Iterator[AnswerProgress | _Asked]:
    """Yield what is waited for, then the question as it is to be understood."""
    started = time.perf_counter()
    standalone, is_sent = options.standalone or question, False
    # "Thanks!" is nothing that a question can follow up on.
    history = [one for one in options.history if kind_of(one.question) is None]
    if options.standalone is None and history and is_follow_up(core(question)):
        written = None
        if condense is not None:
            is_sent = True
            with closing(condense(question, history)) as condensing:
                written = yield from condensing
        standalone = written or carried_over(question, history)
    yield _Asked(question, standalone, 1000 * (time.perf_counter() - started), is_sent)


def _step(
    name: str, takes: type[T], work: Callable[[T], U]
) -> Runnable[AnswerProgress | T, AnswerProgress | U]:
    """Return a step that does its work once, and passes on what is waited for meanwhile."""

    def through(items: Iterator[AnswerProgress | T]) -> Iterator[AnswerProgress | U]:
        for item in items:
            yield work(item) if isinstance(item, takes) else cast("AnswerProgress", item)

    return RunnableGenerator(through, name=name)


def _pack_to_fit(
    library: Library,
    question: str,
    result: SearchResult,
    answerer: Answerer,
    budget: int,
    nonce: str,
    earlier: Sequence[EvidenceRef],
) -> PromptContext:
    """Return evidence within the budget, or within as much of it as leaves the prompt room for an answer.
    Its `budget` is the one that was given."""
    count_tokens = cache(answerer.count_tokens)
    left = budget
    while True:
        packed = pack(library, result, budget=left, count_tokens=count_tokens, nonce=nonce, earlier=earlier)
        if left <= 1 or answerer.fits(question, packed):
            return replace(packed, budget=budget)
        left = left * 3 // 4 if left > _LEAST_EVIDENCE else 1  # 1 leaves the best sentence


def says_no_answer(text: str) -> bool:
    """Return whether a text is the sentence of abstention, with little around it.

    A long answer that holds the sentence quotes it.
    """
    return len(text) <= 3 * len(NO_ANSWER) and NO_ANSWER.rstrip(".").casefold() in text.casefold()


def _answer(
    gathered: _Gathered, answerer: Answerer, threshold: float, config: RunnableConfig
) -> Iterator[AnswerEvent]:
    started = time.perf_counter()
    asked, result, packed = gathered.asked, gathered.found.result, gathered.found.packed
    refusal = missing(result.named)
    abstains = not packed.evidence or packed.relevance < threshold or refusal is not None
    writes = not abstains
    pieces: list[str] = []
    if abstains:
        pieces.append(refusal or NO_ANSWER)
        yield Delta(refusal or NO_ANSWER)
    else:
        # Closed with this generator, so that a person who stops it stops the model.
        with closing(answerer.write(asked.standalone, packed, config)) as writing:
            for piece in writing:
                if isinstance(piece, str):
                    pieces.append(piece)
                yield Delta(piece) if isinstance(piece, str) else piece
    text = "".join(pieces).strip()
    abstains = abstains or says_no_answer(text)
    cited = CitedAnswer(text, (), ()) if abstains else answerer.cite(text, packed)
    yield Answer(
        question=asked.question,
        text=cited.text,
        abstained=abstains,
        strategy=result.strategy,
        reranker=result.reranker,
        llm=answerer.name,
        citations=cited.citations,
        sentences=cited.sentences,
        nearest=result.hits,
        evidence=packed.evidence,
        relevance=packed.relevance,
        timings_ms=_and(result.timings_ms, "answer", started),
        flags=(
            *_sent_to(answerer, writes or asked.was_sent),
            *partly_missing(result.named),
            *flags(packed.evidence),
        ),
        standalone_question=asked.standalone if asked.is_condensed else None,
        nonce=packed.nonce,
        budget=packed.budget,
    )


def _sent_to(answerer: Answerer, was_sent: bool) -> tuple[str, ...]:
    """Return the flag of an answerer that has question and evidence leave this machine."""
    where = answerer.leaves_machine
    return (f"leaves this machine: {where}",) if was_sent and where else ()


def _and(timings_ms: Mapping[str, float], stage: str, started: float) -> dict[str, float]:
    """Return the times with one more stage, and the total with it."""
    elapsed = 1000 * (time.perf_counter() - started)
    return {**timings_ms, stage: elapsed, "total": timings_ms["total"] + elapsed}
