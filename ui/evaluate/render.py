"""An evaluation as HTML: its progress, its results, the questions that each strategy lost."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.filesize import decimal

from rag_app.tasks import Task, TaskState
from ui.components.text import escape, milliseconds, plural, progress_bar, render_failure
from ui.evaluate.charts import CostPoint, IntervalBar, cost_chart, interval_chart

if TYPE_CHECKING:
    from rag_app.evaluation.comparing import Comparison
    from rag_app.evaluation.evaluations import Finished
    from rag_app.evaluation.questions import QuestionList, Unusable
    from rag_app.evaluation.runner import Evaluation, Lost, Result

EMPTY = (
    '<div class="empty"><b>Nothing was evaluated yet.</b> Choose the questions and the strategies, then Run. '
    "Each strategy answers every question; what it finds is compared with the pages that are known to answer."
    "</div>"
)
NOTHING_JUDGED = (
    '<div class="empty"><b>Nothing was judged yet.</b> Ask something under '
    '<a href="?tab=chat" data-tab="chat">Chat</a> or <a href="?tab=compare" data-tab="compare">Compare</a> '
    "and say which passages answer it. Or bring questions whose answers you know: choose Question list.</div>"
)
FORMATS = (
    "<p>One question a line, from a sheet or by hand, with a tab or &ldquo; | &rdquo; between:</p>"
    "<ul><li>question, document, page: the page that answers</li>"
    "<li>question, answer: every page that says the answer</li></ul>"
    "<p>Lines of questions.jsonl work too, and so does queries.jsonl together with its qrels.</p>"
)

_LEVEL = 0.05
_NAMES = {
    "recall@5": "Recall@5",
    "recall@20": "Recall@20",
    "mrr@10": "MRR@10",
    "ndcg@10": "nDCG@10",
    "page@5": "Page@5",
}
_CHARTED = ("ndcg@10", "mrr@10", "recall@5", "recall@20")
# Lost questions and unusable lines that are shown; the downloads have all.
_SHOWN = 25
_PREVIEW = 200


def render_judged(questions: int, judgements: int) -> str:
    """Return the number of judgements."""
    if not questions:
        return NOTHING_JUDGED
    return (
        f"<p>{plural(questions, 'question')} with a page that answers, "
        f"{plural(judgements, 'judgement')} in all.</p>"
    )


def render_list(found: "QuestionList") -> str:
    """Return how many questions of a list are usable, and the lines that are not."""
    can = f"<b>{plural(found.questions, 'question')}</b> can be used, with {plural(found.pages, 'page')}"
    answering = "answers" if found.pages == 1 else "answer"
    return f'<p class="usable">{can} that {answering}.</p>{render_unusable(found.unusable)}'


def render_unused(found: "QuestionList") -> str:
    """Return the note that Run, pressed again, evaluates a list without its unusable lines."""
    lines = plural(len(found.unusable), "line")
    return (
        f'<p class="ask-again" role="alert">{lines} of the list cannot be used; the reasons stand beside it. '
        f"<b>Run again</b> to evaluate the {plural(found.questions, 'question')} that can.</p>"
    )


def render_unusable(lines: "Sequence[Unusable]") -> str:
    """Return the unusable lines with the reasons; nothing for none."""
    if not lines:
        return ""
    rows = "".join(
        f"<li><b>line {one.line}</b> <bdi>{escape(one.text)}</bdi><span>{escape(one.reason)}</span></li>"
        for one in lines[:_SHOWN]
    )
    more = f"<li>and {len(lines) - _SHOWN:,} more</li>" if len(lines) > _SHOWN else ""
    verb = "cannot be used" if len(lines) != 1 else "cannot be used and is left out"
    return f'<div class="unusable"><p>{plural(len(lines), "line")} {verb}:</p><ul>{rows}{more}</ul></div>'


def render_progress(task: Task | None, contenders: Sequence[str]) -> str:
    """Return how far an evaluation is, or why it ended without a result; nothing once it is done."""
    if task is None or task.state is TaskState.DONE:
        return ""
    if task.state is TaskState.CANCELLED:
        return '<p class="note">Cancelled. Documents encoded so far are kept for the next run.</p>'
    if task.state is TaskState.FAILED:
        return render_failure(task.error)
    words, share, behind = _stage(task, contenders)
    return (
        f'<div class="working" role="status"><p>{escape(words)}</p>'
        f'{progress_bar(share, words)}<p class="note">{escape(behind)}</p></div>'
    )


def _stage(task: Task, contenders: Sequence[str]) -> tuple[str, float | None, str]:
    share = task.done / task.total if task.total else None
    if task.stage in contenders:
        place = contenders.index(task.stage) + 1
        whole = (place - 1 + (share or 0)) / len(contenders)
        behind = f"{place} of {len(contenders)}"
        if task.done == task.total:
            return f"{task.stage}: computing intervals", whole, behind
        return f"{task.stage}: {task.done:,} of {plural(task.total, 'question')}", whole, behind
    if task.stage.endswith(", percent"):
        return f"{task.stage.removesuffix(', percent')}: {task.done}%", share, ""
    if task.stage:
        return f"{task.stage}: {task.done:,} of {task.total:,}", share, ""
    return "reading questions and documents", None, ""


def render_summary(finished: "Finished") -> str:
    """Return the data set that was evaluated, and the recommendation."""
    evaluation = finished.evaluation
    dataset, said = evaluation.dataset, evaluation.recommendation
    name = {"judgements": "Your judgements"}.get(dataset.name, dataset.name)
    left_out = len(finished.left_out) + dataset.unjudged
    without = f", {left_out} left out" if left_out else ""
    kind = "clear" if said.use == said.best and len(said.tied) == 1 else "open"
    when = finished.finished.replace("T", " ").replace("+00:00", " UTC")
    return (
        f"<h2><bdi>{escape(name[:1].upper() + name[1:])}</bdi></h2>"
        f'<p class="note">{plural(len(dataset.questions), "question")}{without} · '
        f"{plural(evaluation.chunks, 'chunk')} · {escape(when)}</p>"
        f'<div class="said {kind}"><p>{escape(said.words)}</p></div>'
    )


def render_result(finished: "Finished") -> str:
    """Return charts, tables and the lost questions."""
    evaluation = finished.evaluation
    return (
        "<h3>Quality, with 95% confidence intervals</h3>"
        f'<div class="charts">{"".join(_chart(evaluation, metric) for metric in _CHARTED)}</div>'
        f"{_results(evaluation)}{_differences(evaluation)}"
        "<h3>Quality against latency</h3>"
        f'<div class="chart cost">{_cost(evaluation)}</div>'
        f"{_all_lost(evaluation)}{render_unusable(finished.left_out)}"
    )


def _chart(evaluation: "Evaluation", metric: str) -> str:
    reference = evaluation.reference
    bars = [
        IntervalBar(one.name, one.means[metric], spread.low, spread.high, one.name == reference)
        for one in _ordered(evaluation)
        for spread in [one.intervals[metric]]
    ]
    name = _NAMES[metric]
    return f'<figure class="chart"><figcaption>{name}</figcaption>{interval_chart(name, bars)}</figure>'


def _cost(evaluation: "Evaluation") -> str:
    dots = [
        CostPoint(one.name, one.latency_ms_p50, one.means["ndcg@10"], one.name == evaluation.reference)
        for one in _ordered(evaluation)
    ]
    return cost_chart(_NAMES["ndcg@10"], dots)


def _table(label: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table that scrolls by itself on a narrow page."""
    head = "".join(f'<th scope="col">{words}</th>' for words in heads)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _results(evaluation: "Evaluation") -> str:
    metrics = [name for name in (*_CHARTED, "page@5") if name in evaluation.results[0].intervals]
    best = {name: max(one.means[name] for one in evaluation.results) for name in metrics}
    rows = (_row(one, metrics, best) for one in _ordered(evaluation))
    unit = evaluation.dataset.unit
    page = "Page@5: a relevant page is among the first five. " if unit == "page" else ""
    costs = ("Time p50", "Time p95", "Stored", "Lost")
    return (
        f"{_table('Results by strategy', ['Strategy', *(_NAMES[name] for name in metrics), *costs], rows)}"
        f'<p class="note">{page}Recall@k: the share of the relevant {unit}s among the first k. '
        "Time is that of finding passages, with the encoding of the question. Stored: the bytes that the "
        f"strategy reads from. Lost: no relevant {unit} among the first five.</p>"
    )


def _row(result: "Result", metrics: Sequence[str], best: Mapping[str, float]) -> str:
    cells = []
    for name in metrics:
        spread = result.intervals[name]
        mean = f"{result.means[name]:.3f}"
        mean = f"<b>{mean}</b>" if result.means[name] == best[name] else mean
        cells.append(f"<td>{mean} <small>{spread.low:.2f}&ndash;{spread.high:.2f}</small></td>")
    return (
        f'<tr><th scope="row">{escape(result.name)}</th>{"".join(cells)}'
        f"<td>{milliseconds(result.latency_ms_p50)}</td><td>{milliseconds(result.latency_ms_p95)}</td>"
        f"<td>{decimal(result.bytes)}</td><td>{len(result.lost):,}</td></tr>"
    )


def _differences(evaluation: "Evaluation") -> str:
    if not evaluation.comparisons:
        return ""
    heads = ["Strategy", "Metric", "Difference", "95% interval", "p", ""]
    return (
        f"<h3>Differences from {escape(evaluation.reference)}</h3>"
        f"{_table('Differences', heads, map(_difference, evaluation.comparisons))}"
        '<p class="note">p: paired randomisation test over the questions, adjusted for the number of '
        "comparisons (Holm).</p>"
    )


def _difference(one: "Comparison") -> str:
    chance = "&lt; .001" if one.p_adjusted < 0.001 else f"{one.p_adjusted:.3f}".removeprefix("0")
    if one.p_adjusted < _LEVEL:
        kind, words = "sure", "better" if one.difference > 0 else "worse"
    else:
        same = one.interval.low == one.interval.high == 0
        kind, words = "chance", "the same" if same else "may be chance"
    return (
        f'<tr class="{kind}"><th scope="row">{escape(one.a)}</th><td>{_NAMES[one.metric]}</td>'
        f"<td>{one.difference:+.3f}</td><td>{one.interval.low:+.3f} to {one.interval.high:+.3f}</td>"
        f"<td>{chance}</td><td>{words}</td></tr>"
    )


def _all_lost(evaluation: "Evaluation") -> str:
    unit = evaluation.dataset.unit
    ordered = _ordered(evaluation)
    parts = "".join(_lost(one, unit) for one in ordered if one.lost)
    none = ", ".join(one.name for one in ordered if not one.lost)
    none = f'<p class="note">{escape(none)}: none.</p>' if none else ""
    return f"<h3>Questions lost</h3>{parts}{none}"


def _lost(result: "Result", unit: str) -> str:
    rows = "".join(map(_lost_row, result.lost[:_SHOWN]))
    left = len(result.lost) - _SHOWN
    more = f'<li class="note">and {left:,} more; questions.csv has all</li>' if left > 0 else ""
    said = f"{plural(len(result.lost), 'question')} with no relevant {unit} among the first five"
    summary = f"<summary>{escape(result.name)}: {said}</summary>"
    return f'<details class="lost">{summary}<ol>{rows}{more}</ol></details>'


def _lost_row(lost: "Lost") -> str:
    wanted = ", ".join(f"<bdi>{escape(_unit(one))}</bdi>" for one in lost.wanted[:5])
    more = f" and {len(lost.wanted) - 5} more" if len(lost.wanted) > 5 else ""
    rank = f"rank {lost.rank}" if lost.rank else "not found"
    found = "".join(
        f"<li><bdi>{escape(_unit(unit))}</bdi> <span>{escape(text[:_PREVIEW])}</span></li>"
        for unit, text in zip(lost.found, lost.previews, strict=True)
    )
    instead = f"<p>Found instead:</p><ul>{found}</ul>" if found else "<p>Found nothing.</p>"
    asked = f'<p class="asked">{escape(lost.question.text)}</p>'
    return f"<li>{asked}<p>Wanted: {wanted}{more} ({rank})</p>{instead}</li>"


def _unit(name: str) -> str:
    document, mark, page = name.rpartition("#page=")
    return f"{document}, page {page}" if mark else name


def _ordered(evaluation: "Evaluation") -> "list[Result]":
    return sorted(evaluation.results, key=lambda one: -one.means["ndcg@10"])
