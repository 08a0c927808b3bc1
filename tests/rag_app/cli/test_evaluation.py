"""rag-app eval and rag-app judge."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag_app.evaluation.judgements import Judgement, Judgements
from rag_app.history.database import STATE_FILE, StateDatabase
from retrievers.strategies import DEFAULT_STRATEGY
from tests.helpers.commands import Command
from tests.helpers.question_sets import QUERIES, write_answers, write_beir, write_documents, write_lines

pytestmark = pytest.mark.slow

APPLE = "When was the Bramley apple tree planted?"

RESULT = {
    "strategy", "reranker", "ndcg@10", "mrr@10", "recall@5", "recall@20", "recall@100", "success@1",
    "success@5", "intervals", "latency_ms_p50", "latency_ms_p95", "bytes", "lost",
}  # fmt: skip
PAGES = {"page@5", "page@10", "page@20", "document@5"}


def test_eval_prints_a_contract_and_a_table(run: Command, tmp_path: Path) -> None:
    folder, library = write_beir(tmp_path / "small"), ("--data-dir", tmp_path / "data")
    done = run(*library, "eval", folder, "--strategies", "mean, bm25,mean", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert (found["dataset"], found["queries"], found["unjudged"]) == ("small", 2, 1)
    assert [(one["strategy"], one["reranker"]) for one in found["results"]] == [
        ("mean", None),
        ("bm25", None),
    ]
    assert all(one.keys() == RESULT for one in found["results"])
    (comparison,) = found["comparisons"]
    assert (comparison["a"], comparison["b"], comparison["metric"]) == ("bm25", "mean", "ndcg@10")
    assert comparison.keys() == {"metric", "a", "b", "difference", "low", "high", "p", "p_adjusted"}
    assert found["report"] is None

    people = run(*library, "eval", folder, "--strategies", "all", "--report", tmp_path / "report")
    assert people.code == 0
    for name in ("cls", "mean", "colbert", "bm25", "hybrid", "cascade", "fusion"):
        assert name in people.out
    assert "2 questions, 1 more without a relevant one, 4 chunks" in people.out
    assert (tmp_path / "report" / "report.md").is_file()


def test_documents_are_judged_by_page(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_documents(tmp_path / "papers")
    monkeypatch.setenv("RAG_APP_STRATEGY", "bm25")
    found = run("--data-dir", tmp_path / "data", "eval", folder, "--json").json
    (result,) = found["results"]  # of the settings' strategy
    assert result.keys() == RESULT | PAGES
    assert (found["unit"], result["strategy"], result["page@5"]) == ("page", "bm25", 1.0)


def test_answers_are_measured_and_listed(run: Command, tmp_path: Path) -> None:
    folder, library = write_answers(tmp_path / "papers"), ("--data-dir", tmp_path / "data")
    done = run(*library, "eval", folder, "--answers", "--report", tmp_path / "report", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    (result,) = found["results"]
    assert (found["dataset"], found["llm"], result["strategy"]) == ("papers", "extractive", DEFAULT_STRATEGY)
    assert result["questions"] == 3
    assert result["unanswerable_refused"] == 1.0
    assert (result["refused"], result["first_citation_gold"], result["auc"]) == (0.0, 1.0, 1.0)
    assert result["gold_contained"] >= 0.5
    assert {one["kind"]: one["questions"] for one in result["kinds"]} == {
        "fact": 1, "follow-up": 1, "unanswerable": 1
    }  # fmt: skip
    answers = {one["id"]: one for one in result["answers"]}
    assert answers["cable"]["cited"][0] == "harbour.txt#page=2"
    # It was asked in the conversation of the question that it follows.
    assert "cable" in answers["hurt"]["standalone_question"]
    assert (answers["cup"]["refused"], answers["cup"]["gold_contained"]) == (True, None)

    report = (tmp_path / "report" / "answers.md").read_text("utf-8")
    for text in ("Was anybody hurt by it?", "gold: Nobody was hurt.", "harbour.txt#page=2", "- mark: "):
        assert text in report
    assert (
        json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))["results"] == found["results"]
    )

    people = run(*library, "eval", folder, "--answers", "--before", tmp_path / "report" / "results.json")
    assert people.code == 0
    for text in (
        "first_citation_gold",
        "words, median",
        "follow-up",
        "documents-first +0.000 to before",
        "3 questions",
    ):
        assert text in people.out


def test_gold_articles_are_taken_out(run: Command, tmp_path: Path) -> None:
    folder, library = write_beir(tmp_path / "small"), ("--data-dir", tmp_path / "data")
    queries = [{"_id": "q1", "text": QUERIES["q1"], "metadata": {"answers": ["1921"]}}]
    write_lines(folder / "queries.jsonl", queries)
    (result,) = run(*library, "eval", folder, "--answers", "--without-gold", "--json").json["results"]
    assert (result["first_citation_gold"], result["exact_span"]) == (1.0, 1.0)
    kept, taken = result["answers"]
    assert (kept["wanted"], kept["cited"][0]) == (["p1"], "p1")
    assert (taken["id"], taken["kind"], taken["wanted"]) == ("q1 without gold", "without gold", [])
    assert "p1" not in taken["cited"]
    assert taken["signal"] < kept["signal"]
    assert result["without_gold_auc"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "there is no folder"),
        (("small", "--strategies", "cosine"), "no strategy named 'cosine'"),
        (("small", "--strategies", "mean@big"), "no representation named 'big'"),
        (("small", "--top-k", "0"), "top-k is 0"),
        (("small", "--rerank", "nowhere/model"), "nowhere/model"),
        (("small", "--collection", "default"), "leave out --collection"),
        (("small", "--report", "small/corpus.jsonl/x"), "name another folder"),
        ((), "there are no judgements"),
        (("small", "--llm", "extractive"), "llm is about answers; add --answers"),
        (
            ("small", "--answers", "--before", "small/corpus.jsonl"),
            "is no result of an evaluation of answers",
        ),
        (("small", "--answers", "--before", "nowhere.json"), "nowhere.json cannot be read"),
        (("small", "--answers", "--llm", "nowhere.gguf"), "nowhere.gguf"),
        (("papers", "--answers", "--without-gold"), "leave out --without-gold"),
    ],
)
def test_wrong_use_is_told_before_the_work(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    write_beir(tmp_path / "small")
    write_documents(tmp_path / "papers")
    monkeypatch.chdir(tmp_path)
    done = run("--data-dir", tmp_path / "data", "eval", *arguments)
    assert done.code in (1, 2)
    assert message in done.err
    assert done.err.count("\n") == 1


def test_own_judgements_are_evaluated(run: Command, data: Path, tmp_path: Path) -> None:
    library = ("--data-dir", data)
    assert "Nothing was judged yet" in run(*library, "judge", "list").out
    added = run(*library, "judge", "add", APPLE, "--document", "orchard.md", "--page", 1, "--json").json
    assert added["judgements"] == [
        {"question": APPLE, "document": "orchard.md", "sha256": added["judgements"][0]["sha256"], "page": 1,
         "grade": 1}
    ]  # fmt: skip
    run(*library, "judge", "add", APPLE, "--document", "harbour.pdf", "--page", 2, "--does-not")
    assert (
        "2 judgements of 1 question"
        in run(*library, "judge", "add", APPLE, "--document", "orchard.md", "--page", 1).out
    )
    found = run(*library, "eval", "--strategies", "bm25,mean", "--json").json
    assert (found["dataset"], found["unit"], found["queries"]) == ("judgements", "page", 1)
    assert [one["page@5"] for one in found["results"]] == [1.0, 1.0]
    assert run(*library, "eval", "--strategies", "all").code == 0  # one question, and some differ

    assert run(*library, "judge", "export", tmp_path / "mine", "--json").json["questions"] == 1
    line = json.loads((tmp_path / "mine" / "questions.jsonl").read_text("utf-8"))
    assert {(one["document"], one["page"], one["grade"]) for one in line["evidence"]} == {
        ("orchard.md", 1, 1), ("harbour.pdf", 2, 0)
    }  # fmt: skip
    assert "harbour.pdf#page=2\t0" in (tmp_path / "mine" / "qrels" / "test.tsv").read_text("utf-8")
    before = run(*library, "judge", "list", "--json").json["judgements"]
    assert "2 forgotten; 0 judgements" in run(*library, "judge", "clear", "--yes").out
    for file in ("questions.jsonl", "queries.jsonl"):
        run(*library, "judge", "clear", "--yes")
        done = run(*library, "judge", "import", tmp_path / "mine", "--json")
        assert (done.code, done.json["imported"], done.json["judgements"]) == (0, 2, before)
        (tmp_path / "mine" / file).unlink()  # the second time from queries and qrels
    assert run(*library, "judge", "clear", "--question", APPLE).code == 0


def test_a_list_of_questions_is_evaluated(run: Command, data: Path, tmp_path: Path) -> None:
    questions = tmp_path / "mine.tsv"
    questions.write_text(
        f"{APPLE}\torchard.md\t1\nWhen was the lighthouse lit?\t1172\nWho?\tno.pdf\t1\n", "utf-8"
    )
    found = run("--data-dir", data, "eval", questions, "--strategies", "bm25,mean", "--json").json
    assert (found["dataset"], found["unit"], found["queries"]) == ("mine.tsv", "page", 2)
    assert [one["page@5"] for one in found["results"]] == [1.0, 1.0]
    (left_out,) = found["left_out"]
    assert (left_out["line"], left_out["text"]) == (3, "Who? no.pdf 1")
    assert found["recommendation"]["use"] is None

    people = run("--data-dir", data, "eval", questions, "--strategies", "bm25,mean")
    assert "line 3 was left out: no searched document is named 'no.pdf'" in people.out
    assert "2 questions are too few to recommend anything" in " ".join(people.out.split())
    elsewhere = run("--data-dir", data, "eval", questions, "--collection", "harbour", "--json").json
    assert [one["line"] for one in elsewhere["left_out"]] == [1, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "?!", "--document", "orchard.md", "--page", "1"), "the question is empty"),
        (("add", APPLE, "--document", "no.pdf", "--page", "1"), "no document named 'no.pdf'; there are:"),
        (("add", APPLE, "--document", "orchard.md", "--page", "9"), "orchard.md has 1 pages and no page 9"),
        (("add", APPLE, "--document", "orchard.md", "--page", "0"), "--page"),
        (("import", "nowhere"), "has neither questions.jsonl"),
        (("import", "wrong"), "questions.jsonl, line 1: there is no document named 'gone.pdf'"),
        (("import", "page"), "questions.jsonl, line 1: there is no page 0"),
        (("import", "empty"), "questions.jsonl, line 1: '?' is not a question"),
    ],
)
def test_wrong_judgements_say_what_is_wrong(
    run: Command, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    message: str,
) -> None:  # fmt: skip
    line = {"question": APPLE, "evidence": [{"document": "gone.pdf", "page": 1}]}
    write_lines(tmp_path / "wrong" / "questions.jsonl", [line])
    evidence = {"document": "orchard.md", "page": 0}
    write_lines(tmp_path / "page" / "questions.jsonl", [{"question": APPLE, "evidence": [evidence]}])
    write_lines(tmp_path / "empty" / "questions.jsonl", [{"question": "?", "evidence": []}])
    monkeypatch.chdir(tmp_path)
    done = run("--data-dir", data, "judge", *arguments)
    assert done.code == 2
    assert message in done.err
    assert run("--data-dir", data, "judge", "list", "--json").json["judgements"] == []


def test_what_was_said_of_a_document_is_not_said_of_its_successor(run: Command, tmp_path: Path) -> None:
    library, note = ("--data-dir", tmp_path / "data"), tmp_path / "note.txt"
    note.write_text("The gate opens at seven in the morning.", "utf-8")
    run(*library, "ingest", note)
    run(*library, "judge", "add", "When does the gate open?", "--document", "note.txt", "--page", 1)
    assert run(*library, "eval", "--json").json["results"][0]["page@5"] == 1.0
    note.write_text("The gate opens at nine in the morning.", "utf-8")
    run(*library, "ingest", note)
    assert run(*library, "eval", "--json").json["results"][0]["page@5"] == 0.0


def test_the_judgements_may_be_opened_by_several_at_once(tmp_path: Path) -> None:
    def add(number: int) -> int:
        judgements = Judgements(StateDatabase(tmp_path / STATE_FILE))
        return judgements.add([Judgement("Why?", "content", number, "a.pdf", 1)])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(add, range(1, 33))) == [1] * 32
    judgements = Judgements(StateDatabase(tmp_path / STATE_FILE))
    assert len(judgements.all()) == 32


def test_a_file_that_holds_no_judgements_is_named(run: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / STATE_FILE).write_text("no database at all, but long enough to be read as one")
    done = run("--data-dir", tmp_path / "data", "judge", "list")
    assert done.code == 1
    assert "state.sqlite3 cannot be used" in done.err
