"""Asks the questions of a data set as a person would, and keeps what a person would read."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from ingestion.errors import Cancelled, ModelError
from rag_app.answering.answers import Answer, Verdict
from rag_app.evaluation.answers.gold import GoldMatch, match_gold, without_markers
from rag_app.evaluation.corpus import Corpus, IsCancelled
from rag_app.evaluation.datasets import Dataset, Question

_logger = logging.getLogger(__name__)

# The kind of the questions whose gold article is taken out of the search.
WITHOUT_GOLD = "without gold"
UNANSWERABLE = "unanswerable"


class Ask(Protocol):
    """Answers a question by the way that every question of a person takes."""

    def __call__(self, question: str, *, conversation: str | None, documents: Sequence[str] = ()) -> Answer:
        """Return the answer.

        Args:
            conversation: The id of the conversation that the question belongs to; None begins one.
            documents: Ids of the documents to search; none: all.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question and what came of it.

    Attributes:
        wanted: The gold pages or passages; none for a question without an answer.
        text: The answer with its markers.
        cited: The pages or passages of its citations, in the order of reading; a page may come twice.
        signal: What decided whether the documents answer (`signal_of`).
        match: How it compares with the gold answer; None without one.
        standalone: What a follow-up question was understood as.
        llm: What writes the answers.
        markers: The numbers of the sources.
        unsupported: The share of its sentences that no source supports, 0 to 1.
    """

    question: Question
    wanted: tuple[str, ...]
    text: str
    refused: bool
    cited: tuple[str, ...]
    quotes: tuple[str, ...]
    signal: float
    seconds: float
    match: GoldMatch | None
    standalone: str | None
    llm: str
    markers: frozenset[int] = frozenset()
    unsupported: float = 0.0

    @property
    def is_answerable(self) -> bool:
        return bool(self.wanted)

    @property
    def words(self) -> int:
        return len(without_markers(self.text, self.markers).split())

    @property
    def cites_gold_first(self) -> bool:
        return not self.refused and bool(self.cited) and self.cited[0] in self.wanted

    @property
    def cites_gold(self) -> bool:
        return not self.refused and not set(self.wanted).isdisjoint(self.cited)

    @property
    def contains_gold(self) -> bool:
        return not self.refused and self.match is not None and self.match.contained

    @property
    def has_gold_text(self) -> bool:
        return not self.refused and self.match is not None and self.match.exact


def signal_of(answer: Answer) -> float:
    """Return what decides whether the documents answer; higher is more likely."""
    return answer.relevance if answer.answerability is None else answer.answerability


def questions_of(dataset: Dataset) -> list[Question]:
    """Return all questions to ask: those with an answer, and those that the data set says have none."""
    return [*dataset.questions, *dataset.unanswerable]


def ask_all(
    corpus: Corpus,
    ask: Ask,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: IsCancelled | None = None,
    without_gold: bool = False,
) -> Iterator[AnsweredQuestion]:
    """Ask each question of the corpus' data set; a follow-up question in the conversation that it follows.

    Args:
        without_gold: Ask each question that has an answer again, without its gold articles.

    Raises:
        Cancelled: `cancelled` returned true.
        ModelError: A model failed twice at the same question.
    """
    dataset = corpus.dataset
    total = len(questions_of(dataset)) + (len(dataset.questions) if without_gold else 0)
    timed = _Timed(ask, cancelled)
    ask("warm up", conversation=None)
    asked = [_in_conversations(corpus, timed), *([_without_gold(corpus, timed)] if without_gold else [])]
    for done, one in enumerate(chain(*asked), start=1):
        yield one
        if on_progress:
            on_progress(done, total)


class _Timed:
    """Asks one question at a time, with the seconds that it takes. Raises Cancelled between them.

    A model that fails is asked once more: its process is started again, and the answers of an hour are not
    lost for one process that the system killed.
    """

    def __init__(self, ask: Ask, cancelled: IsCancelled | None) -> None:
        self._ask = ask
        self._cancelled = cancelled

    def __call__(
        self, question: str, *, conversation: str | None = None, documents: Sequence[str] = ()
    ) -> tuple[Answer, float]:
        if self._cancelled and self._cancelled():
            raise Cancelled("the evaluation")
        for attempt in (1, 2):
            started = time.perf_counter()
            try:
                answer = self._ask(question, conversation=conversation, documents=documents)
                break
            except ModelError as error:
                if attempt == 2:
                    raise
                _logger.warning("a question is asked again: %s", error)
        return answer, time.perf_counter() - started


def _in_conversations(corpus: Corpus, timed: _Timed) -> Iterator[AnsweredQuestion]:
    """Ask all questions, each in the conversation of the question that it follows."""
    conversations: dict[str, str | None] = {}
    for question in _in_order(questions_of(corpus.dataset)):
        answer, seconds = timed(question.text, conversation=conversations.get(question.after or ""))
        conversations[question.id] = answer.conversation_id
        yield _answered(corpus, question, answer, seconds)


def _without_gold(corpus: Corpus, timed: _Timed) -> Iterator[AnsweredQuestion]:
    """Ask each question that has an answer, without its gold articles."""
    articles = _articles(corpus)
    for question in corpus.dataset.questions:
        gold = {articles[unit] for unit in _wanted(corpus.dataset, question)}
        left = tuple(dict.fromkeys(one for one in articles.values() if one not in gold))
        answer, seconds = timed(question.text, documents=left)
        asked = Question(f"{question.id} {WITHOUT_GOLD}", question.text, kind=WITHOUT_GOLD)
        yield _answered(corpus, asked, answer, seconds)


def _in_order(questions: Sequence[Question]) -> list[Question]:
    """Return the questions, each behind the question that it follows."""
    known = {question.id: question for question in questions}
    ordered: dict[str, Question] = {}
    for question in questions:
        followed = [question]
        while (after := followed[-1].after) is not None and after in known and after not in ordered:
            followed.append(known[after])
        ordered |= {one.id: one for one in reversed(followed)}
    return list(ordered.values())


def _answered(corpus: Corpus, question: Question, answer: Answer, seconds: float) -> AnsweredQuestion:
    cited = tuple(
        corpus.unit_of(citation.document_id, citation.document, citation.page)
        for citation in answer.citations
    )
    markers = frozenset(one.number for one in answer.evidence)
    match = match_gold(answer.text, question.answers, question.text, markers) if question.answers else None
    return AnsweredQuestion(
        question=question,
        wanted=_wanted(corpus.dataset, question),
        text=answer.text,
        refused=answer.abstained,
        cited=cited,
        quotes=tuple(citation.quote for citation in answer.citations),
        signal=signal_of(answer),
        seconds=seconds,
        match=match,
        standalone=answer.standalone_question,
        llm=answer.llm,
        markers=markers,
        unsupported=_unsupported(answer),
    )


def _unsupported(answer: Answer) -> float:
    wrong = sum(one.verdict is Verdict.UNSUPPORTED for one in answer.sentences)
    return wrong / len(answer.sentences) if answer.sentences else 0.0


def _wanted(dataset: Dataset, question: Question) -> tuple[str, ...]:
    return tuple(unit for unit, grade in dataset.qrels.get(question.id, {}).items() if grade > 0)


def _articles(corpus: Corpus) -> dict[str, str]:
    """Return the id of the document that holds each passage or page of the corpus."""
    return {
        corpus.unit_of(document.id, document.name, page): document.id
        for document in corpus.documents()
        for page in range(1, document.pages + 1)
    }
