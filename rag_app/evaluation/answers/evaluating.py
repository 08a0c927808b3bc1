"""An evaluation of answers: asks every system all questions, measures the answers, and writes the report."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ingestion.library import Library
from rag_app.answering.answers import AskOptions
from rag_app.evaluation.answers import report
from rag_app.evaluation.answers.asking import Ask, ask_all
from rag_app.evaluation.answers.earlier import EarlierAnswers, compared_with
from rag_app.evaluation.answers.measuring import AnswerEvaluation, compared, measured
from rag_app.evaluation.corpus import Corpus
from rag_app.evaluation.questions import Unusable
from rag_app.tasks import Control
from retrievers.strategies import DEFAULT_STRATEGY

# Opens the way that a person's questions take, over a library and with the options of each question.
OpenAsk = Callable[[Library, AskOptions], AbstractContextManager[Ask]]


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """How answers are evaluated.

    Attributes:
        systems: The options of each system's questions.
        without_gold: Each question that has an answer is asked again without its gold article.
        earlier: The answers of an earlier evaluation, to compare with.
        report: The folder that a report is written to.
    """

    systems: Sequence[AskOptions]
    without_gold: bool
    earlier: EarlierAnswers | None
    report: Path | None


def evaluate_answers(
    corpus: Corpus, plan: AnswerPlan, open_ask: OpenAsk, control: Control, left_out: Sequence[Unusable] = ()
) -> dict[str, Any]:
    """Return the fields of an evaluation. Raises what asking raises, and Cancelled."""
    results, llm = [], ""
    for options in plan.systems:
        reranker = options.reranker
        name = f"{options.strategy} + {reranker}" if reranker else options.strategy

        def tell(done: int, total: int, name: str = name) -> None:
            control.report(f"asking {name}", done, total)

        with open_ask(corpus.library, options) as ask:
            answers = list(
                ask_all(
                    corpus, ask, on_progress=tell, cancelled=control.cancelled, without_gold=plan.without_gold
                )
            )
        llm = answers[0].llm
        results.append(measured(name, options.strategy, reranker, answers))
    names = [result.name for result in results]
    reference = DEFAULT_STRATEGY if DEFAULT_STRATEGY in names else names[0]
    comparisons = compared(results, reference)
    if plan.earlier is not None:
        comparisons += tuple(one for result in results for one in compared_with(plan.earlier, result))
    done = AnswerEvaluation(corpus.dataset, llm, tuple(results), reference, comparisons)
    if plan.report:
        report.write(done, plan.report)
    return {
        **report.fields(done),
        "left_out": [asdict(one) for one in left_out],
        "report": str(plan.report) if plan.report else None,
    }
