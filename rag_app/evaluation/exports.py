"""An evaluation as files for other programs: CSV by strategy and by question, and the judgements as qrels."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ingestion.errors import InvalidInput
from ingestion.regular_files import private_file
from rag_app.evaluation.datasets import Dataset
from rag_app.evaluation.runner import Evaluation, Result
from rag_app.evaluation.tables import csv_of, id_of, tsv_of


def write_exports(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write the files of `EXPORTS`; return them. Raises InvalidInput where the folder cannot be written."""
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text_of in EXPORTS.items():
            file = folder / name
            with private_file(file, newline="") as stream:
                stream.write(text_of(evaluation))
            files.append(file)
    except OSError as error:
        raise InvalidInput(f"the result cannot be written to {folder}: {error}; free some room") from error
    return files


def strategies_csv(evaluation: Evaluation) -> str:
    """Return a row for each strategy: metrics, ends of intervals, latencies, bytes, lost questions."""
    estimated = list(evaluation.results[0].intervals)
    head = ["strategy", "reranker", *evaluation.metrics]
    head += [f"{name} {end}" for name in estimated for end in ("low", "high")]
    head += ["latency_ms_p50", "latency_ms_p95", "bytes", "lost"]
    return csv_of(
        head, (_strategy_row(result, evaluation.metrics, estimated) for result in evaluation.results)
    )


def _strategy_row(result: Result, metrics: Iterable[str], estimated: Iterable[str]) -> list[object]:
    ends = [end for name in estimated for end in (result.intervals[name].low, result.intervals[name].high)]
    return [
        result.strategy,
        result.reranker or "",
        *(round(result.means[name], 4) for name in metrics),
        *(round(end, 4) for end in ends),
        round(result.latency_ms_p50, 2),
        round(result.latency_ms_p95, 2),
        result.bytes,
        len(result.lost),
    ]


def questions_csv(evaluation: Evaluation) -> str:
    """Return a row for each question and strategy: metrics, rank of the first relevant result, the first
    five results."""
    head = ["question_id", "question", "strategy", "reranker", *evaluation.metrics, "rank", "wanted", "found"]
    return csv_of(head, _question_rows(evaluation))


def _question_rows(evaluation: Evaluation) -> Iterator[list[object]]:
    ids = question_ids(evaluation.dataset)
    for place, question in enumerate(evaluation.dataset.questions):
        wanted = [unit for unit, grade in evaluation.dataset.qrels[question.id].items() if grade > 0]
        for result in evaluation.results:
            found = result.rankings[question.id]
            rank = next((rank for rank, unit in enumerate(found, start=1) if unit in wanted), "")
            values = [round(float(result.values[name][place]), 4) for name in evaluation.metrics]
            yield [
                ids[question.id],
                question.text,
                result.strategy,
                result.reranker or "",
                *values,
                rank,
                " ".join(map(id_of, wanted)),
                " ".join(map(id_of, found[:5])),
            ]


def qrels_tsv(evaluation: Evaluation) -> str:
    """Return BEIR's qrels: three columns with a header line."""
    return tsv_of([("query-id", "corpus-id", "score"), *_qrels(evaluation.dataset)])


def qrels_trec(evaluation: Evaluation) -> str:
    """Return trec_eval's qrels: four columns; white space in an id is %20."""
    return "".join(f"{question} 0 {unit} {grade}\n" for question, unit, grade in _qrels(evaluation.dataset))


def queries_tsv(evaluation: Evaluation) -> str:
    """Return the questions with their ids in the qrels."""
    ids = question_ids(evaluation.dataset)
    return tsv_of((ids[question.id], question.text) for question in evaluation.dataset.questions)


def question_ids(dataset: Dataset) -> Mapping[str, str]:
    """Return an id for each question: its own where tables can refer to it (`id_of`), else q1, q2, …"""
    own = [question.id for question in dataset.questions]
    if all(one == id_of(one) for one in own):
        return {one: one for one in own}
    return {one: f"q{number}" for number, one in enumerate(own, start=1)}


def _qrels(dataset: Dataset) -> Iterator[tuple[str, str, int]]:
    ids = question_ids(dataset)
    for question, units in dataset.qrels.items():
        for unit, grade in units.items():
            yield ids[question], id_of(unit), grade


EXPORTS: Mapping[str, Callable[[Evaluation], str]] = {
    "strategies.csv": strategies_csv,
    "questions.csv": questions_csv,
    "queries.tsv": queries_tsv,
    "qrels.tsv": qrels_tsv,
    "qrels.trec": qrels_trec,
}
