"""Evaluations and judgements as people read them in a terminal."""

from rich.console import Console
from rich.filesize import decimal

from rag_app.cli.terminal.lines import count, line, shown, table_of
from rag_app.contract.evaluation import DifferenceFields, EvaluationFields, JudgementsResponse

# The metrics that fit into a terminal's line; --json and the report have all.
_EVALUATED = ("page@5", "page@20", "document@5", "ndcg@10", "recall@20", "success@5")
_SURE = 0.05


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
