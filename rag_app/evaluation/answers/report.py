"""An evaluation of answers as JSON fields, and as a folder: answers.md with every answer, results.json."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ingestion.errors import InvalidInput
from ingestion.regular_files import private_file
from rag_app.evaluation.answers.asking import AnsweredQuestion
from rag_app.evaluation.answers.measuring import (
    METRICS,
    AnswerEvaluation,
    AnswerResult,
    kind_of,
)
from rag_app.evaluation.comparing import CONFIDENCE, RESAMPLES, Comparison, Interval
from rag_app.evaluation.tables import markdown_table, markdown_text

REPORT_FILE = "answers.md"
# What a person writes behind each answer of the report.
MARKS = "right, buried, wrong, rightly refused, wrongly refused"
_KIND_COLUMNS = (
    "refused",
    "first_citation_gold",
    "any_citation_gold",
    "gold_contained",
    "words",
    "citations",
)


def fields(evaluation: AnswerEvaluation) -> dict[str, Any]:
    """Return the fields that `rag-app eval --answers --json` prints."""
    return {
        "dataset": evaluation.dataset.name,
        "unit": evaluation.dataset.unit,
        "llm": evaluation.llm,
        "reference": evaluation.reference,
        "metrics": {name: METRICS[name].what for name in METRICS if name in evaluation.results[0].means},
        "results": [_result(one) for one in evaluation.results],
        "comparisons": [_comparison(one) for one in evaluation.comparisons],
    }


def _result(result: AnswerResult) -> dict[str, Any]:
    return {
        "strategy": result.strategy,
        "reranker": result.reranker,
        "name": result.name,
        "questions": len(result.answers),
        **{name: round(value, 4) for name, value in result.means.items()},
        "words_median": result.words_median,
        "seconds_median": round(result.seconds_median, 3),
        "intervals": {name: _interval(one) for name, one in result.intervals.items()},
        "kinds": [
            {
                "kind": one.kind,
                "questions": one.questions,
                "means": {name: round(value, 4) for name, value in one.means.items()},
            }
            for one in result.kinds
        ],
        "answers": [_answer(one) for one in result.answers],
    }


def _answer(one: AnsweredQuestion) -> dict[str, Any]:
    return {
        "id": one.question.id,
        "question": one.question.text,
        "kind": one.question.kind,
        "after": one.question.after,
        "standalone_question": one.standalone,
        "gold": list(one.question.answers),
        "wanted": list(one.wanted),
        "answer": one.text,
        "refused": one.refused,
        "cited": list(one.cited),
        "signal": round(one.signal, 4),
        "first_citation_gold": one.cites_gold_first,
        "any_citation_gold": one.cites_gold,
        "gold_contained": one.contains_gold if one.match else None,
        "exact_span": one.has_gold_text if one.match else None,
        "recall": round(one.match.recall, 4) if one.match else None,
        "unsupported_sentences": round(one.unsupported, 4),
        "words": one.words,
        "seconds": round(one.seconds, 3),
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "a": one.a,
        "b": one.b,
        "difference": round(one.difference, 4),
        **_interval(one.interval),
        "p": round(one.p, 4),
        "p_adjusted": round(one.p_adjusted, 4),
    }


def _interval(one: Interval) -> dict[str, float]:
    return {"low": round(one.low, 4), "high": round(one.high, 4)}


def write(evaluation: AnswerEvaluation, folder: Path) -> None:
    """Write the report. Raises InvalidInput where the folder cannot be written."""
    try:
        with private_file(folder / "results.json") as stream:
            stream.write(json.dumps(fields(evaluation), indent=2, ensure_ascii=False) + "\n")
        with private_file(folder / REPORT_FILE) as stream:
            stream.write("\n".join(_markdown(evaluation)))
    except OSError as error:
        raise InvalidInput(f"the report cannot be written to {folder}: {error}; free some room") from error


def _markdown(evaluation: AnswerEvaluation) -> Iterator[str]:
    dataset = evaluation.dataset
    yield f"# Answers to {markdown_text(dataset.name)}\n"
    without = len(dataset.unanswerable)
    asked = f"{len(dataset.questions)} questions with an answer, {without} without"
    yield f"{asked}; answered by {markdown_text(evaluation.llm)}.\n"
    yield _figures(evaluation)
    yield (
        f"Intervals: {CONFIDENCE:.0%}, {RESAMPLES:,} bootstrap resamples of the questions; auc (the area "
        "under the curve of refusals) by DeLong. Words and citations are those of answerable questions.\n"
    )
    if evaluation.comparisons:
        yield "## Differences\n"
        yield _differences(evaluation.comparisons)
    for result in evaluation.results:
        if result.kinds:
            yield f"## {markdown_text(result.name)}, by kind\n"
            yield _kinds(result)
        yield f"## {markdown_text(result.name)}, every answer, worst first\n"
        yield f"To mark each: {MARKS}.\n"
        for number, one in enumerate(sorted(result.answers, key=badness), start=1):
            yield _one(number, one)


def badness(one: AnsweredQuestion) -> tuple[int, float]:
    """Return an order in which the worst answer comes first.

    An answer where there is none, a wrong page, a wrong refusal, a right page without the gold answer, the
    gold answer from another page, behind others, and first; at the same rank the longest answer.
    """
    if not one.is_answerable:
        rank = 7 if one.refused else 0
    elif one.refused:
        rank = 2
    elif not one.contains_gold:
        rank = 3 if one.cites_gold else 1
    else:
        rank = 6 if one.cites_gold_first else 5 if one.cites_gold else 4
    return rank, -float(one.words)


def _figures(evaluation: AnswerEvaluation) -> str:
    results = evaluation.results
    names = list(dict.fromkeys(name for result in results for name in result.means))
    table = []
    for name in names:
        figures = [
            f"{result.means[name]:.3f} ({spread.low:.3f} to {spread.high:.3f})"
            for result in results
            if (spread := result.intervals.get(name))
        ]
        table.append([name, *figures])
    table.append(["words, median", *(f"{result.words_median:g}" for result in results)])
    table.append(["seconds, median", *(f"{result.seconds_median:.2f}" for result in results)])
    return markdown_table(["", *(markdown_text(result.name) for result in results)], table)


def _differences(comparisons: Sequence[Comparison]) -> str:
    table = [
        [
            one.metric, markdown_text(one.a), markdown_text(one.b), f"{one.difference:+.3f}",
            f"{one.interval.low:+.3f} to {one.interval.high:+.3f}", f"{one.p_adjusted:.3f}",
        ]
        for one in comparisons
    ]  # fmt: skip
    return markdown_table(["metric", "a", "b", "a − b", "interval", "p"], table)


def _kinds(result: AnswerResult) -> str:
    table = []
    for one in result.kinds:
        means: Mapping[str, float] = {"refused": one.means.get("unanswerable_refused", 0.0), **one.means}
        shown = [f"{means[name]:.2f}" if name in means else "" for name in _KIND_COLUMNS]
        table.append([markdown_text(one.kind), str(one.questions), *shown])
    return markdown_table(["kind", "questions", *_KIND_COLUMNS], table)


def _one(number: int, one: AnsweredQuestion) -> str:
    question = one.question
    understood = f" → *{markdown_text(one.standalone)}*" if one.standalone else ""
    kind = f" ({markdown_text(kind_of(one))})" if kind_of(one) else ""
    said = ["refused" if one.refused else f"{one.words} words"]
    if one.is_answerable and not one.refused:
        said.append("first citation gold" if one.cites_gold_first else
                    "gold cited later" if one.cites_gold else "no gold page cited")  # fmt: skip
        if one.match:
            said.append(
                "gold answer in it"
                if one.contains_gold
                else f"gold answer not in it, recall {one.match.recall:.2f}"
            )
    gold = " / ".join(map(markdown_text, question.answers)) or "none"
    return "\n".join([
        f"### {number}. {markdown_text(question.text)}{understood}{kind}\n",
        f"- id: {markdown_text(question.id)}; {'; '.join(said)}; signal {one.signal:.3f}",
        f"- gold: {gold}",
        f"- gold pages: {markdown_text(', '.join(one.wanted)) or 'none'}",
        f"- cited: {markdown_text(', '.join(one.cited)) or 'none'}",
        "- mark: ",
        "",
        *(f"> {markdown_text(part)}\n>" for part in one.text.split("\n") if part.strip()),
        "",
    ])  # fmt: skip
