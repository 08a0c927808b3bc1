"""An evaluation as JSON fields, and as a folder: report.md with pictures, results.json, failures.jsonl, and a
run file for trec_eval for each system."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.errors import InvalidInput
from ingestion.regular_files import private_file
from rag_app.evaluation.comparing import CONFIDENCE, RESAMPLES, Interval
from rag_app.evaluation.metrics import compared
from rag_app.evaluation.recommending import LEVEL
from rag_app.evaluation.runner import Evaluation, Lost, Result
from rag_app.evaluation.tables import markdown_table, markdown_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_FILE = "report.md"
_SHOWN = 10  # lost questions of a system in the report; failures.jsonl has all
_PREVIEW = 160

# Colours that colour-blind people can tell apart (Okabe and Ito, 2008).
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#777777"


def fields(evaluation: Evaluation) -> dict[str, Any]:
    """Return the fields that `rag-app eval --json` prints."""
    return {
        "dataset": evaluation.dataset.name,
        "unit": evaluation.dataset.unit,
        "queries": len(evaluation.dataset.questions),
        "unjudged": evaluation.dataset.unjudged,
        "chunks": evaluation.chunks,
        "metrics": list(evaluation.metrics),
        "compared_by": list(compared(evaluation.dataset)),
        "reference": evaluation.reference,
        "results": [_result_fields(result) for result in evaluation.results],
        "comparisons": [
            {
                "metric": one.metric,
                "a": one.a,
                "b": one.b,
                "difference": round(one.difference, 4),
                **_interval_fields(one.interval),
                "p": round(one.p, 4),
                "p_adjusted": round(one.p_adjusted, 4),
            }
            for one in evaluation.comparisons
        ],
        "recommendation": asdict(evaluation.recommendation),
    }


def _result_fields(result: Result) -> dict[str, Any]:
    return {
        "strategy": result.strategy,
        "reranker": result.reranker,
        **{name: round(value, 4) for name, value in result.means.items()},
        "intervals": {name: _interval_fields(one) for name, one in result.intervals.items()},
        "latency_ms_p50": round(result.latency_ms_p50, 2),
        "latency_ms_p95": round(result.latency_ms_p95, 2),
        "bytes": result.bytes,
        "lost": len(result.lost),
    }


def _interval_fields(one: Interval) -> dict[str, float]:
    return {"low": round(one.low, 4), "high": round(one.high, 4)}


def check_writable(folder: Path, name: str = REPORT_FILE) -> None:
    """Create a report's folder before the work begins. Raises InvalidInput where it cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / name).touch(mode=0o600)
    except OSError as error:
        raise InvalidInput(
            f"the report cannot be written to {folder}: {error}; name another folder"
        ) from error


def write(evaluation: Evaluation, folder: Path) -> None:
    """Write the report. Raises InvalidInput where the folder cannot be written."""
    check_writable(folder)
    try:
        runs = folder / "runs"
        runs.mkdir(mode=0o700, exist_ok=True)
        pictures = {"quality.svg": _quality(evaluation), "cost.svg": _cost(evaluation)}
        for name, picture in pictures.items():
            with private_file(folder / name) as stream:
                picture.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        with private_file(folder / "results.json") as stream:
            stream.write(json.dumps(fields(evaluation), indent=2) + "\n")
        with private_file(folder / "failures.jsonl") as stream:
            for result in evaluation.results:
                for lost in result.lost:
                    line = {"strategy": result.strategy, "reranker": result.reranker, **_lost_fields(lost)}
                    stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        for result in evaluation.results:
            _write_run(result, runs / f"{_file_name(result.name)}.run")
        with private_file(folder / REPORT_FILE) as stream:
            stream.write(_markdown(evaluation))
    except OSError as error:
        raise InvalidInput(f"the report cannot be written to {folder}: {error}; free some room") from error


def _lost_fields(lost: Lost) -> dict[str, Any]:
    return {
        "question_id": lost.question.id,
        "question": lost.question.text,
        "answer": lost.question.answer,
        "wanted": list(lost.wanted),
        "rank": lost.rank,
        "found": [{"id": unit, "text": text} for unit, text in zip(lost.found, lost.previews, strict=True)],
    }


def _write_run(result: Result, file: Path) -> None:
    """Write rankings in the format of trec_eval, with %20 for white space in ids."""
    tag = _file_name(result.name)
    with private_file(file) as stream:
        for question, units in result.rankings.items():
            for rank, unit in enumerate(units, start=1):
                asked, name = ("%20".join(one.split()) for one in (question, unit))
                stream.write(f"{asked} Q0 {name} {rank} {len(units) - rank} {tag}\n")


def _file_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.@" else "-" for c in name)


# Markdown


def _markdown(evaluation: Evaluation) -> str:
    dataset = evaluation.dataset
    left_out = f"; {dataset.unjudged} more have none and are left out" if dataset.unjudged else ""
    parts = [
        f"# {markdown_text(dataset.name)}\n",
        f"{len(dataset.questions)} questions with a relevant {dataset.unit}{left_out}; "
        f"{evaluation.chunks:,} chunks.\n",
        "![Quality by strategy, with 95% intervals, and the difference from "
        f"{markdown_text(evaluation.reference)}](quality.svg)\n",
        _table(evaluation),
        "Latency is of finding passages, one question at a time, with its encoding. Bytes are those of the "
        "stores that a strategy reads.\n",
        "![Quality against latency](cost.svg)\n",
        "## Which to use\n",
        f"{markdown_text(evaluation.recommendation.words)}\n",
        "## Differences\n",
        _differences(evaluation),
        "## Questions lost\n",
        f"No relevant {dataset.unit} among the first five. `failures.jsonl` has all of them.\n",
        *(_lost(result) for result in evaluation.results),
    ]
    return "\n".join(parts)


def _table(evaluation: Evaluation) -> str:
    head = ["strategy", *evaluation.metrics, "p50 ms", "p95 ms", "MB", "lost"]
    best = {name: max(result.means[name] for result in evaluation.results) for name in evaluation.metrics}
    rows = []
    for result in evaluation.results:
        figures = [
            f"**{result.means[name]:.3f}**"
            if result.means[name] == best[name]
            else f"{result.means[name]:.3f}"
            for name in evaluation.metrics
        ]
        rows.append(
            [
                markdown_text(result.name),
                *figures,
                f"{result.latency_ms_p50:.1f}",
                f"{result.latency_ms_p95:.1f}",
                f"{result.bytes / 1e6:.1f}",
                str(len(result.lost)),
            ]
        )
    return markdown_table(head, rows)


def _differences(evaluation: Evaluation) -> str:
    if not evaluation.comparisons:
        return "There was nothing to compare with.\n"
    rows = [
        [
            one.metric,
            markdown_text(one.a),
            markdown_text(one.b),
            f"{one.difference:+.3f}",
            f"{one.interval.low:+.3f} to {one.interval.high:+.3f}",
            f"{one.p_adjusted:.3f}",
            "yes" if one.p_adjusted < LEVEL else "not shown",
        ]
        for one in evaluation.comparisons
    ]
    said = (
        f"Intervals: {CONFIDENCE:.0%}, {RESAMPLES:,} bootstrap resamples of the questions. p: paired "
        "randomisation test, adjusted for the number of comparisons (Holm).\n"
    )
    return markdown_table(["metric", "a", "b", "a − b", "interval", "p", "differs"], rows) + "\n" + said


def _lost(result: Result) -> str:
    lines = [f"### {markdown_text(result.name)}: {len(result.lost)}\n"]
    for lost in result.lost[:_SHOWN]:
        rank = f"rank {lost.rank}" if lost.rank else "not found"
        lines.append(
            f"- {markdown_text(lost.question.text)}  \n"
            f"  wanted {markdown_text(', '.join(lost.wanted))} ({rank})"
        )
        for unit, text in zip(lost.found, lost.previews, strict=True):
            lines.append(f"  - {markdown_text(unit)}: {markdown_text(text[:_PREVIEW])}")
    return "\n".join(lines) + "\n"


# Pictures


def _quality(evaluation: Evaluation) -> "Figure":
    """Draw each system's mean of the main metric, and its difference from the reference."""
    from matplotlib.figure import Figure

    metric = compared(evaluation.dataset)[0]
    results = sorted(evaluation.results, key=lambda result: result.means[metric])
    places = range(len(results))
    differences = {one.a: one for one in evaluation.comparisons if one.metric == metric}
    figure = Figure(figsize=(9, 0.9 + 0.42 * len(results)))
    left, right = figure.subplots(1, 2, sharey=True)
    for place, result in zip(places, results, strict=True):
        is_reference = result.name == evaluation.reference
        mean, spread = result.means[metric], result.intervals[metric]
        colour = _ORANGE if is_reference else _BLUE
        left.plot([spread.low, spread.high], [place, place], color=colour, linewidth=2)
        left.plot([mean], [place], "o", color=colour)
        left.annotate(
            f"{mean:.3f}", (mean, place), (0, 5), textcoords="offset points", ha="center", fontsize=8
        )
        if result.name in differences:
            one = differences[result.name]
            sure = one.p_adjusted < LEVEL
            colour = _BLUE if sure else _GREY
            right.plot([one.interval.low, one.interval.high], [place, place], color=colour, linewidth=2)
            right.plot([one.difference], [place], "o", color=colour, fillstyle="full" if sure else "none")
    right.axvline(0, color=_ORANGE, linewidth=1)
    left.set_yticks(list(places), [result.name for result in results])
    left.set_ylim(-0.6, len(results) - 0.2)
    left.set_xlabel(f"{metric}, 95% interval")
    right.set_xlabel(f"difference from {evaluation.reference}\n(hollow: may be chance)")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{evaluation.dataset.name}: {len(evaluation.dataset.questions)} questions", fontsize=11)
    return figure


def _cost(evaluation: Evaluation) -> "Figure":
    """Draw quality against latency."""
    from matplotlib.figure import Figure

    metric = compared(evaluation.dataset)[0]
    figure = Figure(figsize=(6.5, 4))
    axes = figure.subplots()
    for number, result in enumerate(sorted(evaluation.results, key=lambda one: one.latency_ms_p50)):
        colour = _ORANGE if result.name == evaluation.reference else _BLUE
        place = (result.latency_ms_p50, result.means[metric])
        axes.plot(*[[value] for value in place], "o", color=colour)
        above = number % 2 == 0
        axes.annotate(
            result.name,
            place,
            (0, 8 if above else -8),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            va="bottom" if above else "top",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="x", which="minor", labelsize=8)
    axes.set_xlabel("milliseconds a question, median")
    axes.set_ylabel(metric)
    axes.margins(0.15)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
