"""What the Evaluate page shows of values that one can check by eye."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from ingestion.errors import InvalidInput
from rag_app.evaluation.comparing import Comparison, Interval
from rag_app.evaluation.datasets import Dataset, Question
from rag_app.evaluation.evaluations import Finished
from rag_app.evaluation.judgements import Judgement
from rag_app.evaluation.questions import QuestionList, Unusable
from rag_app.evaluation.recommending import Recommendation
from rag_app.evaluation.runner import Evaluation, Lost, Result
from rag_app.tasks import Task, TaskState
from ui.components.text import INTERNAL_ERROR
from ui.evaluate.charts import CostPoint, IntervalBar, cost_chart, interval_chart
from ui.evaluate.render import (
    render_list,
    render_progress,
    render_result,
    render_summary,
    render_unused,
)

EVIL = "<script>alert(1)</script>"


def task(state: TaskState = TaskState.RUNNING, stage: str = "", done: int = 0, total: int = 0) -> Task:
    return Task("t", "eval", state, "now", stage=stage, done=done, total=total)


@pytest.mark.parametrize(
    ("running", "words", "share"),
    [
        (task(), "reading questions and documents", None),
        (task(stage="colbert", done=120, total=400), "colbert: 120 of 400 questions", "0.650"),
        (task(stage="colbert", done=400, total=400), "colbert: computing intervals", "1.000"),
        (task(stage="encoding passages", done=5, total=10), "encoding passages: 5 of 10", "0.500"),
        (task(stage="ingesting documents, percent", done=45, total=100), "ingesting documents: 45%", "0.450"),
    ],
)
def test_progress_is_in_words(running: Task, words: str, share: str | None) -> None:
    html = render_progress(running, ("mean", "colbert"))
    assert f"<p>{words}</p>" in html
    assert ("value=" in html) is (share is not None)
    assert share is None or f'value="{share}"' in html
    assert ("2 of 2" in html) is (running.stage == "colbert")


def test_an_end_without_a_result_is_told() -> None:
    assert render_progress(None, ()) == ""
    assert render_progress(task(TaskState.DONE), ()) == ""
    assert "Cancelled" in render_progress(task(TaskState.CANCELLED), ())
    failed = task(TaskState.FAILED)
    assert "&lt;x&gt;" in render_progress(replace(failed, error=InvalidInput("no <x>")), ())
    assert f">{INTERNAL_ERROR}<" in render_progress(replace(failed, error=KeyError("secret")), ())


def test_a_list_says_what_cannot_be_used() -> None:
    judged = (Judgement(question="Why?", sha256="s", page=1, document="a.pdf", grade=1),)
    unusable = tuple(Unusable(number, EVIL, "no page says it") for number in range(1, 31))
    html = render_list(QuestionList(judged, {}, unusable))
    assert "<b>1 question</b> can be used, with 1 page that answers." in html
    assert "30 lines cannot be used" in html
    assert "and 5 more" in html
    assert "<script>" not in html
    assert "to evaluate the 1 question that can" in render_unused(QuestionList(judged, {}, unusable))


def result(name: str, mean: float, *, lost: tuple[Lost, ...] = ()) -> Result:
    metrics = ("ndcg@10", "mrr@10", "recall@5", "recall@20")
    spread = Interval(max(0.0, mean - 0.1), min(1.0, mean + 0.1))
    return Result(
        strategy=name, reranker=None, name=name, means=dict.fromkeys(metrics, mean),
        intervals=dict.fromkeys(metrics, spread), values=dict.fromkeys(metrics, np.full(2, mean)),
        latency_ms_p50=4.0, latency_ms_p95=9.0, bytes=2_000_000, lost=lost, rankings={},
    )  # fmt: skip


def finished(words: str = "No.") -> Finished:
    lost = Lost(Question("q", EVIL), ("a.pdf#page=2",), None, (f"{EVIL}#page=3",), (EVIL,))
    dataset = Dataset("judgements", "page", (Question("q", EVIL),), {"q": {"a.pdf#page=2": 1}}, 3, "library")
    said = Recommendation("ndcg@10", 1, "fusion", None, ("fusion", EVIL), (), None, words)
    differences = (
        Comparison("ndcg@10", EVIL, "fusion", -0.3, Interval(-0.4, -0.2), 0.0002, 0.0004),
        Comparison("ndcg@10", "same", "fusion", 0.0, Interval(0.0, 0.0), 1.0, 1.0),
    )
    evaluation = Evaluation(
        dataset, 1234, ("ndcg@10",), (result(EVIL, 0.5, lost=(lost,)), result("fusion", 0.8)), "fusion",
        differences, said,
    )  # fmt: skip
    return Finished(evaluation, (Unusable(7, EVIL, EVIL),), "2026-01-31T10:00:00+00:00")


def test_a_result_has_tables_charts_and_what_was_lost() -> None:
    html = render_result(finished())
    assert html.count("<svg") == 5
    assert html.index(">fusion</th>") < html.index(
        "&lt;script&gt;alert(1)&lt;/script&gt;</th>"
    )  # the best first
    assert "<b>0.800</b> <small>0.70&ndash;0.90</small>" in html
    assert "&lt; .001</td><td>worse</td>" in html
    assert "<td>the same</td>" in html
    assert "Wanted: <bdi>a.pdf, page 2</bdi> (not found)" in html
    assert "fusion: none." in html
    assert "line 7" in html
    assert "<script" not in html


def test_a_summary_says_what_was_evaluated() -> None:
    html = render_summary(finished(EVIL))
    assert "Your judgements" in html
    assert "1 question, 4 left out · 1,234 chunks · 2026-01-31 10:00:00 UTC" in html
    assert "<script" not in html


@pytest.mark.parametrize("means", [[1.0, 1.0], [0.0, 0.0], [0.02, 0.98], [0.5]])
def test_intervals_lie_within_the_picture(means: list[float]) -> None:
    bars = [IntervalBar(EVIL * 3, mean, max(0, mean - 0.2), min(1, mean + 0.2), False) for mean in means]
    svg = ET.fromstring(interval_chart("nDCG@10", bars))
    width = float(svg.attrib["viewBox"].split()[2])
    ends = [float(line.attrib[name]) for line in svg.iter("line") for name in ("x1", "x2")]
    assert all(0 < end < width for end in ends)
    assert len(list(svg.iter("circle"))) == len(means)


def test_names_beside_dots_do_not_lie_on_each_other() -> None:
    dots = [CostPoint(f"strategy{n}", 5.0 + n / 10, 0.6 + n / 1000, n == 0) for n in range(6)]
    svg = ET.fromstring(cost_chart("nDCG@10", dots))
    names = [text for text in svg.iter("text") if text.attrib["class"] == "name"]
    places = {(text.attrib["x"], text.attrib["y"]) for text in names}
    assert len(places) == len(dots)
    for circle in svg.iter("circle"):
        assert 0 < float(circle.attrib["cx"]) < 560
        assert 0 < float(circle.attrib["cy"]) < 300
