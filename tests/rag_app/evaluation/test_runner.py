"""Data sets through real libraries: what is found, kept, reused and reported."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import Cancelled, InvalidInput
from rag_app.evaluation import report
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from rag_app.evaluation.exports import write_exports
from rag_app.evaluation.runner import Evaluation, evaluate, system_of
from retrievers.reranking import Reranker
from retrievers.strategies import DEFAULT_STRATEGY, STRATEGIES
from tests.helpers.question_sets import PASSAGES, write_beir, write_documents, write_lines

pytestmark = pytest.mark.slow


class Reverses:
    """A reranker that likes best what was last."""

    name = "reverses"
    first_stage_weight = 0.0

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        assert question
        return [float(number) for number in range(len(passages))]


def run(corpus: Corpus, *names: str, reranker: Reranker | None = None) -> Evaluation:
    some = [STRATEGIES[name] for name in names or STRATEGIES]
    return evaluate(corpus, [system_of(corpus, one, reranker, 100) for one in some])


def test_passages_are_found_by_every_strategy(tmp_path: Path, encoder: Encoder) -> None:
    dataset = read_dataset(write_beir(tmp_path / "small"))
    with open_corpus(dataset, tmp_path / "kept", encoder) as corpus:
        done = run(corpus)
    assert [result.name for result in done.results] == list(STRATEGIES)
    assert (done.chunks, done.reference) == (4, DEFAULT_STRATEGY)
    for result in done.results:
        # The grade of 0 is no finding; p2 may come before nothing.
        assert result.means["ndcg@10"] == pytest.approx(1.0), result.name
        assert result.rankings["q1"][0] == "p1"
        assert result.lost == ()
        assert result.latency_ms_p95 >= result.latency_ms_p50 > 0
        assert result.bytes > 0
    words, mean, cascade = (
        next(one.bytes for one in done.results if one.name == name) for name in ("bm25", "mean", "cascade")
    )
    assert cascade > words + mean


def test_a_corpus_is_encoded_once(tmp_path: Path, encoder: Encoder) -> None:
    folder, kept, said = write_beir(tmp_path / "small"), tmp_path / "kept", list[Any]()
    for _ in range(2):
        said.clear()
        with open_corpus(
            read_dataset(folder), kept, encoder, on_progress=lambda *one: said.append(one)
        ) as corpus:
            assert len(run(corpus, "mean").results) == 1
    assert said == []
    assert len(list(kept.iterdir())) == 1

    write_beir(folder, {**PASSAGES, "p5": ("", "A fifth passage.")})
    with open_corpus(read_dataset(folder), kept, encoder) as corpus:
        assert sum(document.pages for document in corpus.documents()) == 5
    assert len(list(kept.iterdir())) == 1  # nobody asks for the former one


def test_folders_of_one_name_keep_their_corpora(tmp_path: Path, encoder: Encoder) -> None:
    for parent in ("a", "b"):
        folder = write_beir(tmp_path / parent / "same", {"p1": ("", parent), "p3": ("", "x")})
        with open_corpus(read_dataset(folder), tmp_path / "kept", encoder):
            pass
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_passage_may_be_a_title_alone(tmp_path: Path, encoder: Encoder) -> None:
    passages = {"a": ("Comets and their tails", ""), "b": ("", "The plough was invented early.")}
    folder = write_beir(tmp_path / "titles", passages, {"q": "comets"}, [("q", "a", 1)])
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        assert run(corpus, "bm25").results[0].rankings["q"] == ("a",)


def test_a_long_passage_is_found_by_its_best_chunk(tmp_path: Path, encoder: Encoder) -> None:
    filler = "The harbour master writes of the weather and of ships that came and went. " * 60
    passages = {
        "long": ("", f"{filler} The comet was seen in 1910. {filler}"),
        "other": ("", "Pears are green."),
    }
    folder = write_beir(tmp_path / "long", passages, {"q": "When was the comet seen?"}, [("q", "long", 1)])
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        done = run(corpus, "colbert")
    assert done.chunks > 5
    assert done.results[0].rankings["q"] == ("long", "other")  # each passage once


def test_titles_are_context_unless_the_text_begins_with_them(tmp_path: Path, encoder: Encoder) -> None:
    passages = {
        "a": ("Comets", "They were seen in 1910."),
        "b": ("The plough", "The plough was invented early."),
        "c": ("Comets", "They came again in 1986."),  # what recurs is no running line here
    }
    folder = write_beir(tmp_path / "titles", passages, {"q": "comets"}, [("q", "a", 1)])
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        (document,) = corpus.documents()
        chunks = corpus.library.catalogue.chunks(document.chunk_ids())
        found = {corpus.unit(chunk): (chunk.context, chunk.text) for chunk in chunks.values()}
    assert found == {
        "a": ("Comets", "They were seen in 1910."),
        "b": ("", "The plough was invented early."),
        "c": ("Comets", "They came again in 1986."),
    }


def test_documents_are_followed(tmp_path: Path, encoder: Encoder) -> None:
    folder = write_documents(tmp_path / "papers")
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        done = run(corpus, "fusion", "bm25")
        assert [result.means["page@5"] for result in done.results] == [1.0, 1.0]
        assert done.metrics[:4] == ("page@5", "page@10", "page@20", "document@5")
        assert {one.metric for one in done.comparisons} == {"page@5", "ndcg@10"}
    extra = folder / "documents" / "extra.txt"
    extra.write_text("The lighthouse was lit in 1172.", "utf-8")
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        assert len(corpus.documents()) == 3
    extra.unlink()
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        assert len(corpus.documents()) == 2
    extra.with_suffix(".pdf").write_text("no PDF")
    with (
        pytest.raises(InvalidInput, match=r"extra.pdf cannot be evaluated"),
        open_corpus(read_dataset(folder), tmp_path / "kept", encoder),
    ):
        pass


def test_documents_in_folders_and_copies(tmp_path: Path, encoder: Encoder) -> None:
    folder = write_documents(tmp_path / "papers")
    documents = folder / "documents"
    for place, text in (("a", "The comet was seen in 1910."), ("b", "The plough was made in 1837.")):
        (documents / place).mkdir()
        (documents / place / "same.txt").write_text(text, "utf-8")
    (documents / "b" / "copy.txt").write_bytes((documents / "orchard.txt").read_bytes())
    (tmp_path / "elsewhere.txt").write_text("The wheel is older.", "utf-8")
    (documents / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    questions = [
        {"id": "w", "question": "When was the apple tree planted, again?",
         "evidence": [{"document": "orchard.txt", "page": 1}]},
        {"id": "z", "question": "What of the wheel?", "evidence": [{"document": "link.txt", "page": 1}]},
        {"id": "x", "question": "When was the comet seen?",
         "evidence": [{"document": "a/same.txt", "page": 1}]},
        {"id": "y", "question": "When was the apple tree planted?",
         "evidence": [{"document": "b/copy.txt", "page": 1}]},
    ]  # fmt: skip
    write_lines(folder / "questions.jsonl", questions)
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        (result,) = run(corpus, "bm25").results
    assert result.rankings["x"][0] == "a/same.txt#page=1"
    assert result.values["success@1"].tolist() == [1.0] * 4  # both files of the same bytes are found
    assert result.rankings["z"][0] == "link.txt#page=1"


def test_a_reranker_has_its_own_line(tmp_path: Path, encoder: Encoder) -> None:
    dataset = read_dataset(write_beir(tmp_path / "small"))
    with open_corpus(dataset, tmp_path / "kept", encoder) as corpus:
        plain, reranked = (run(corpus, "mean", reranker=one).results[0] for one in (None, Reverses()))
    assert (reranked.name, reranked.reranker) == ("mean + reverses", "reverses")
    assert set(reranked.rankings["q1"]) == set(plain.rankings["q1"])
    assert reranked.rankings["q1"] != plain.rankings["q1"]


def test_what_is_cancelled_goes_on_the_next_time(tmp_path: Path, encoder: Encoder) -> None:
    dataset = read_dataset(write_beir(tmp_path / "small"))
    stop = [False]
    with open_corpus(dataset, tmp_path / "kept", encoder) as corpus:
        with pytest.raises(Cancelled):
            evaluate(
                corpus, [system_of(corpus, STRATEGIES["bm25"], None, 10)],
                on_progress=lambda *_: stop.__setitem__(0, True), cancelled=lambda: stop[0],
            )  # fmt: skip
        assert len(run(corpus, "bm25").results) == 1
    with (
        pytest.raises(Cancelled),
        open_corpus(dataset, tmp_path / "fresh", encoder, cancelled=lambda: True),
    ):
        pass


def test_a_report_has_what_was_lost(tmp_path: Path, encoder: Encoder) -> None:
    passages = {
        f"n{number}": ("", f"Apples, apple trees and apples again, {number}.") for number in range(12)
    }
    passages["p|1"] = ("", "Nothing that the question says.")
    folder = write_beir(
        tmp_path / "lost", passages, {"q 1": "Which *apples*? <script>|"}, [("q 1", "p|1", 1)]
    )
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        done = run(corpus, "bm25", "mean", "fusion")
    report.write(done, tmp_path / "report")

    text = (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "\\*apples\\*? \\<script\\>\\|" in text
    assert "wanted p\\|1 (not found)" in text  # of bm25
    for name in ("quality.svg", "cost.svg"):
        assert f"]({name})" in text
        assert ET.parse(tmp_path / "report" / name).getroot().tag.endswith("svg")
    lines = [json.loads(line) for line in (tmp_path / "report" / "failures.jsonl").read_text().splitlines()]
    lost = next(line for line in lines if line["strategy"] == "bm25")
    assert (lost["question_id"], lost["wanted"], lost["rank"]) == ("q 1", ["p|1"], None)
    assert len(lost["found"]) == 3
    assert "apple" in lost["found"][0]["text"].lower()
    runs = (tmp_path / "report" / "runs" / "mean.run").read_text().splitlines()
    assert all(len(line.split()) == 6 for line in runs)
    results = json.loads((tmp_path / "report" / "results.json").read_text())
    assert results == json.loads(json.dumps(report.fields(done)))


def test_a_result_is_exported(tmp_path: Path, encoder: Encoder) -> None:
    folder = write_beir(
        tmp_path / "small", queries={"q 1": "=When was the apple tree planted?"}, qrels=[("q 1", "p1", 2)]
    )
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        done = run(corpus, "bm25", "mean")
    files = {file.name: file.read_text("utf-8") for file in write_exports(done, tmp_path / "out")}
    strategies = list(csv.DictReader(io.StringIO(files["strategies.csv"])))
    assert [(row["strategy"], row["ndcg@10"], row["recall@5 low"]) for row in strategies] == [
        ("bm25", "1.0", "1.0"),
        ("mean", "1.0", "1.0"),
    ]
    questions = list(csv.DictReader(io.StringIO(files["questions.csv"])))
    assert [(row["question_id"], row["strategy"], row["rank"], row["wanted"]) for row in questions] == [
        ("q1", "bm25", "1", "p1"),
        ("q1", "mean", "1", "p1"),
    ]
    assert questions[0]["question"] == "'=When was the apple tree planted?"  # no formula
    assert files["qrels.tsv"] == "query-id\tcorpus-id\tscore\nq1\tp1\t2\n"
    assert files["qrels.trec"] == "q1 0 p1 2\n"
    assert files["queries.tsv"] == "q1\t'=When was the apple tree planted?\n"
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="free some room"):
        write_exports(done, tmp_path / "file" / "out")


FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "|x", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＠x")


def test_no_cell_of_any_export_is_a_formula(tmp_path: Path, encoder: Encoder) -> None:
    ids = [start if start.split() == [start] else "=" for start in FORMULAS]
    folder = write_beir(
        tmp_path / "formulas",
        {f"{one}p{place}": ("", "The apple tree was planted.") for place, one in enumerate(ids)},
        {f"{one}q{place}": f"{FORMULAS[place]} apple tree?" for place, one in enumerate(ids)},
        [(f"{one}q{place}", f"{one}p{place}", 1) for place, one in enumerate(ids)],
    )
    with open_corpus(read_dataset(folder), tmp_path / "kept", encoder) as corpus:
        done = run(corpus, "bm25")
    (result,) = done.results
    odd = tuple(replace(result, strategy=start, reranker=start) for start in FORMULAS)
    for file in write_exports(replace(done, results=odd), tmp_path / "out"):
        assert file.stat().st_mode & 0o777 == 0o600
        text = file.read_bytes().decode()
        separator = {".csv": ",", ".tsv": "\t", ".trec": " "}[file.suffix]
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        assert len(rows) >= len(FORMULAS)
        for cell in (cell for row in rows for cell in row):
            numeric = cell.replace(".", "").isdigit()
            assert numeric or not cell.lstrip().startswith(tuple("=+-@|＝＋－＠")), (file.name, cell)
            assert not cell.startswith(("\t", "\r", "\n")), (file.name, cell)


def test_a_report_that_cannot_be_written_says_so_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="name another folder"):
        report.check_writable(tmp_path / "file" / "report")
