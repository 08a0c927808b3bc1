"""Evaluations and judgements as people read them in a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.filesize import decimal

from rag_app.cli.terminal.lines import count, line, shown, table_of
from rag_app.contract.evaluation import (
    AnswerEvaluationFields,
    AnswerResultFields,
    DifferenceFields,
    EvaluationFields,
    JudgementsResponse,
)

# The metrics that fit into a terminal's line; --json and the report have all.
_EVALUATED = ("page@5", "page@20", "document@5", "ndcg@10", "recall@20", "success@5")
_SURE = 0.05
# Metrics of answers that are no shares.
_COUNTED = ("words", "citations")


def print_evaluation(console: Console, found: EvaluationFields) -> None:
    """Print each strategy's results, the best by the first metric on top, and the differences."""
    first, *_ = found.compared_by
    names = [name for name in found.metrics if name in _EVALUATED]
    columns = ["strategy", *names, "p50 ms", "bytes", "lost"]
    columns.insert(1 + names.index(first) + 1, "95%")
    table = table_of(*columns)
    for column in table.columns:
        column.no_wrap = True
    for one in sorted(found.results, key=lambda one: -one.metrics[first]):
        name = one.strategy + (f" + {one.reranker}" if one.reranker else "")
        spread = one.intervals[first]
        cells = [_share(one.metrics[metric]) for metric in names]
        cells.insert(names.index(first) + 1, f"[dim]{_share(spread.low)}-{_share(spread.high)}[/]")
        table.add_row(
            shown(name), *cells, f"{one.latency_ms_p50:.1f}", decimal(one.bytes), str(one.lost),
        )  # fmt: skip
    console.print(table)
    for difference in found.comparisons:
        if difference.metric == first:
            _print_difference(console, difference)
    if len(found.results) > 1:
        line(console, shown(found.recommendation.words))
    left_out = f", {found.unjudged} more without a relevant one" if found.unjudged else ""
    line(
        console,
        f"[dim]{shown(found.dataset)}: {count(found.queries, 'question')}{left_out}, "
        f"{count(found.chunks, 'chunk')}; {first} with its 95% interval; lost: none among the first "
        "five[/]",
    )
    for left in found.left_out:
        line(console, f"line {left.line} was left out: {shown(left.reason)} [dim]{shown(left.text)}[/]")
    if found.report:
        line(console, f"report: {shown(found.report)}/report.md")


# The metrics of the columns.
_OF_KIND = ("refused", "unanswerable_refused", "first_citation_gold", "gold_contained", "words")


def print_answers(console: Console, found: AnswerEvaluationFields) -> None:
    """Print each metric of the answers with its interval, the figures by kind, and the differences."""
    table = table_of("metric", *(shown(one.name) for one in found.results))
    for metric in dict.fromkeys(name for one in found.results for name in one.metrics):
        table.add_row(shown(metric), *(_with_interval(one, metric) for one in found.results))
    table.add_row("words, median", *(f"{one.words_median:g}" for one in found.results))
    table.add_row("seconds, median", *(f"{one.seconds_median:.2f}" for one in found.results))
    console.print(table)
    for one in found.results:
        if one.kinds:
            kinds = table_of(f"{shown(one.name)}, by kind", "questions", *_OF_KIND)
            for kind in one.kinds:
                cells = [_figure(kind.means, metric) for metric in _OF_KIND]
                kinds.add_row(shown(kind.kind), str(kind.questions), *cells)
            console.print(kinds)
    for difference in found.comparisons:
        line(console, f"{shown(difference.metric)}:")
        _print_difference(console, difference)
    questions = count(max(one.questions for one in found.results), "question")
    line(
        console, f"[dim]{shown(found.dataset)}: {questions}, answered by {shown(found.llm)}; 95% intervals[/]"
    )
    for left in found.left_out:
        line(console, f"line {left.line} was left out: {shown(left.reason)} [dim]{shown(left.text)}[/]")
    if found.report:
        line(console, f"every answer, worst first: {shown(found.report)}/answers.md")


def _with_interval(one: AnswerResultFields, metric: str) -> str:
    if metric not in one.metrics:
        return ""
    if metric in _COUNTED:
        return f"{one.metrics[metric]:.1f}"
    spread = one.intervals[metric]
    return f"{_share(one.metrics[metric])} [dim]{_share(spread.low)}-{_share(spread.high)}[/]"


def _figure(means: Mapping[str, float], metric: str) -> str:
    if metric not in means:
        return ""
    return f"{means[metric]:.1f}" if metric in _COUNTED else _share(means[metric])


def _print_difference(console: Console, one: DifferenceFields) -> None:
    said = "differs" if one.p_adjusted < _SURE else "may be chance"
    line(
        console,
        f"{shown(one.a)} {one.difference:+.3f} to {shown(one.b)} "
        f"[dim]({one.low:+.3f} to {one.high:+.3f}, p {one.p_adjusted:.3f}: {said})[/]",
    )


def _share(value: float) -> str:
    """Return .987, which leaves room for another column."""
    return f"{value:.3f}".removeprefix("0")


def print_judgements(console: Console, response: JudgementsResponse) -> None:
    if not response.judgements:
        console.print(
            "Nothing was judged yet. Begin with: rag-app judge add QUESTION --document NAME --page N"
        )
        return
    table = table_of("question", "document", "page", "answers it")
    for one in response.judgements:
        answers = "yes" if one.grade > 0 else "no"
        table.add_row(shown(one.question), shown(one.document), str(one.page), answers)
    console.print(table)
