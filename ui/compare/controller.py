"""The actions of the Compare page, and its view of a comparison and the answers."""

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from rag_app.answering.answers import AskOptions
from rag_app.evaluation.votes import Contender, Vote
from rag_app.service.composition import Assistant
from rag_app.service.questions import check_question
from retrievers.hits import Hit
from ui.background import BackgroundJob, Workers
from ui.compare.render import ComparisonView, render_answers, render_tally
from ui.components.answering import answered, streaming
from ui.components.choices import check_offered, reranker_chosen
from ui.components.judgements import JudgementController
from ui.components.turns import ChatTurn

NO_COLUMN = "(no column)"


@dataclass(frozen=True, slots=True)
class AskedComparison:
    """A comparison of a session: each column's options, and what the page shows."""

    options: tuple[AskOptions, ...]
    view: ComparisonView

    def hit(self, chunk: str) -> Hit | None:
        """Return the passage with a chunk's id."""
        hits = (hit for column in self.view.columns for hit in column.hits)
        return next((hit for hit in hits if hit.chunk.id == chunk), None)


@dataclass(slots=True)
class AnswersView:
    """The answers to a comparison, as far as they are written.

    The handler that writes and the handler of a vote share it and change it in place, so that a vote names
    the columns of answers that are still being written.
    """

    comparison: ComparisonView
    turns: list[ChatTurn] = field(default_factory=list)

    def source(self, turn: str, number: str) -> Hit | None:
        """Return the passage that the marker `[number]` in an answer names."""
        for one in self.turns:
            if str(one.number) == turn:
                read = one.answer.evidence if one.answer else one.found.packed.evidence if one.found else ()
                return next((item.hit for item in read if str(item.number) == number), None)
        return None

    def render(self) -> str:
        """Return the answers as HTML."""
        return render_answers(self.comparison, self.turns)


class CompareController:
    """The actions of the page. One object serves all sessions."""

    def __init__(self, assistant: Assistant, workers: Workers) -> None:
        self.assistant = assistant
        self.workers = workers
        self.judgements = JudgementController(assistant)

    def compare(
        self,
        question: str,
        columns: Sequence[tuple[str | None, str | None]],
        *,
        collection: str | None,
        top: int,
        blind: bool,
    ) -> AskedComparison:
        """Return the passages that strategies find.

        Args:
            columns: A strategy and a reranker each.
            top: Passages a column.
            blind: Shuffle the columns and hide their names.

        Raises:
            RagError: The question or the columns cannot be compared.
        """
        check_question(question)
        usual = self.assistant.options()
        options = tuple(
            replace(
                usual,
                strategy=strategy,
                reranker=reranker_chosen(reranker),
                top_k=top,
                collections=(collection,) if collection else usual.collections,
            )
            for strategy, reranker in columns
            if strategy and strategy != NO_COLUMN
        )
        for one in options:
            check_offered(self.assistant, reranker=one.reranker)
        comparison = self.assistant.compare(question.strip(), options)
        order = list(range(len(options)))
        if blind:
            random.SystemRandom().shuffle(order)
        return AskedComparison(options, self._graded(ComparisonView(comparison, tuple(order), blind)))

    def vote(self, asked: AskedComparison, preferred: Sequence[int]) -> AskedComparison:
        """Keep a vote for the columns at these places, and show the names. Raises RagError."""
        view = asked.view
        contenders = tuple(Contender(one.strategy, one.reranker) for one in view.columns)
        self.assistant.votes.add(Vote(view.comparison.question, contenders, tuple(preferred), view.blind))
        return replace(asked, view=replace(view, blind=False, voted=tuple(preferred)))

    def judge(self, asked: AskedComparison, chunk: str, grade: int) -> AskedComparison:
        """Keep that a passage answers the question (1) or does not (0). Raises RagError."""
        hit = asked.hit(chunk)
        if hit is not None:
            self.judgements.judge(asked.view.comparison.question, [hit], grade)
        return replace(asked, view=self._graded(asked.view))

    def tally(self) -> str:
        """Return the votes so far as HTML."""
        votes = self.assistant.votes
        return render_tally(votes.tally(), len({vote.question for vote in votes.all()}))

    def answers(self, asked: AskedComparison, view: AnswersView, job: BackgroundJob) -> Generator[str]:
        """Write the columns' answers into the view, one after the other; yield it as HTML as they grow."""
        for place, column in enumerate(asked.view.order):
            turn = ChatTurn(place + 1, asked.view.comparison.question, asked.options[column])
            view.turns.append(turn)
            own = BackgroundJob()  # ends with its answer; `job` goes on to the next column
            work = streaming(self.assistant, turn, job)
            for current in answered(self.workers, own, turn, work):
                view.turns[place] = current
                if job.stopped:
                    own.stop()
                yield view.render()
            if job.stopped:
                return

    def _graded(self, view: ComparisonView) -> ComparisonView:
        hits = {hit.chunk.id: hit for column in view.comparison.columns for hit in column.hits}
        return replace(view, grades=self.judgements.grades(view.comparison.question, list(hits.values())))
