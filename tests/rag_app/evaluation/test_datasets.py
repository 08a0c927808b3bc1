"""Both forms of evaluation data, and what is said of those that are wrong."""

from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from rag_app.evaluation.datasets import document_of, page_id, read_dataset, read_qrels
from tests.helpers.question_sets import QUERIES, write_answers, write_beir, write_documents, write_lines


def test_a_beir_folder(tmp_path: Path) -> None:
    dataset = read_dataset(write_beir(tmp_path / "small"))
    assert (dataset.name, dataset.unit, len(dataset.passages)) == ("small", "passage", 4)
    assert [question.id for question in dataset.questions] == ["q1", "q2"]  # q3 has nothing relevant
    assert dataset.unjudged == 1
    assert dataset.qrels == {"q1": {"p1": 2, "p2": 0}, "q2": {"p3": 1}}


def test_a_folder_of_documents(tmp_path: Path) -> None:
    dataset = read_dataset(write_documents(tmp_path / "papers"))
    assert (dataset.unit, dataset.unjudged) == ("page", 1)
    assert dataset.qrels == {"a": {"orchard.txt#page=1": 1}, "b": {"harbour.txt#page=2": 1}}
    assert dataset.questions[0].answer == "1921"


def test_questions_say_what_they_follow_and_that_nothing_answers_them(tmp_path: Path) -> None:
    folder = write_answers(tmp_path / "papers")
    dataset = read_dataset(folder)
    assert [(one.id, one.kind, one.after) for one in dataset.questions] == [
        ("cable", "fact", None), ("hurt", "follow-up", "cable")
    ]  # fmt: skip
    assert [one.id for one in dataset.unanswerable] == ["cup"]
    assert (dataset.unjudged, dataset.questions[0].answers) == (1, ("9 May 1987",))
    line = {"id": "late", "question": "And then?", "answer": "x", "after": "gone", "evidence": []}
    write_lines(folder / "questions.jsonl", [line])
    with pytest.raises(InvalidInput, match="follows 'gone', which is no question before it"):
        read_dataset(folder)


def test_a_beir_query_has_its_answers_in_its_metadata(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "small")
    query = {"_id": "q1", "text": QUERIES["q1"], "metadata": {"answers": ["1921", " ", "in 1921"]}}
    write_lines(folder / "queries.jsonl", [query])
    assert read_dataset(folder).questions[0].answers == ("1921", "in 1921")
    write_lines(folder / "queries.jsonl", [{**query, "metadata": {"answers": "1921"}}])
    with pytest.raises(InvalidInput, match="'answers' is '1921'; write a list of texts"):
        read_dataset(folder)


def test_a_grade_of_0_is_no_evidence(tmp_path: Path) -> None:
    folder = write_documents(tmp_path / "papers")
    evidence = [{"document": "orchard.txt", "page": 1, "grade": 0}, {"document": "harbour.txt", "page": 1}]
    lines = [
        {"id": "x", "question": "Why?", "evidence": evidence[:1]},
        {"id": "y", "question": "Why?", "evidence": evidence},
    ]
    write_lines(folder / "questions.jsonl", lines)
    dataset = read_dataset(folder)
    assert [question.id for question in dataset.questions] == ["y"]
    assert dataset.qrels["y"] == {"orchard.txt#page=1": 0, "harbour.txt#page=1": 1}


def test_files_that_are_no_text_are_named(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "small")
    for file in ("corpus.jsonl", "qrels/test.tsv"):
        kept = (folder / file).read_bytes()
        (folder / file).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(InvalidInput, match=r"cannot be read: .*is UTF-8"):
            read_dataset(folder)
        (folder / file).write_bytes(kept)


def test_a_corpus_is_known_by_its_content(tmp_path: Path) -> None:
    first, second = read_dataset(write_beir(tmp_path / "a")), read_dataset(write_beir(tmp_path / "b"))
    assert first.corpus == second.corpus
    other = write_beir(tmp_path / "c", {"p1": ("", "Other."), "p3": ("", "Text.")})
    assert read_dataset(other).corpus != first.corpus


@pytest.mark.parametrize("name", ["report.pdf", "a#page=3.pdf", "with space.pdf"])
def test_a_pages_id_names_its_document(name: str) -> None:
    assert document_of(page_id(name, 12)) == name


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["query-id\tcorpus-id\tscore", "q\tp 1\t1"], {"q": {"p 1": 1}}),
        (["q\tp\t1", "q\tr\t0"], {"q": {"p": 1, "r": 0}}),
        (["q 0 p 2", "", "q 0 r -1"], {"q": {"p": 2, "r": -1}}),
        (["q\tp\t1.0"], {"q": {"p": 1}}),
        (['q\t"quoted" name\t1', "r\tp\t1"], {"q": {'"quoted" name': 1}, "r": {"p": 1}}),
    ],
)
def test_judgements_as_beir_and_as_trec_write_them(
    tmp_path: Path, rows: list[str], expected: dict[str, dict[str, int]]
) -> None:
    write_lines(tmp_path / "qrels.tsv", rows)
    assert read_qrels(tmp_path / "qrels.tsv") == expected


def test_wrong_folders_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no folder .*nowhere"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="has neither"):
        read_dataset(tmp_path)
    folder = write_beir(tmp_path / "small")
    write_lines(folder / "qrels" / "dev.tsv", ["q1\tp1\t1"])
    assert len(read_dataset(folder).questions) == 2  # test.tsv before others
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "train.tsv")
    with pytest.raises(InvalidInput, match=r"dev.tsv, train.tsv"):
        read_dataset(folder)
    folder = write_beir(tmp_path / "other", qrels=[("nobody", "p1", 1)])
    with pytest.raises(InvalidInput, match="no question of other has a relevant passage"):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("corpus.jsonl", "{broken", "corpus.jsonl, line 5: the line is not JSON"),
        ("corpus.jsonl", "[1]", "corpus.jsonl, line 5: the line is not a JSON object"),
        ("corpus.jsonl", '{"text": "x"}', "line 5: '_id' is None"),
        ("corpus.jsonl", '{"_id": "p1", "text": "again"}', "'p1' occurs twice"),
        ("queries.jsonl", '{"_id": "q9", "text": " "}', "line 4: 'text' is ' '"),
        ("queries.jsonl", '{"_id": "q9", "text": "???"}', "line 4: 'text' is '[?]{3}', which has no word"),
        ("qrels/test.tsv", "q1\tp1\tinf", "test.tsv, line 5: .* is not a judgement"),
        ("qrels/test.tsv", "q1\tp1\tmuch", "test.tsv, line 5: .* is not a judgement"),
        ("qrels/test.tsv", "q1\tp1", "test.tsv, line 5: .* is not a judgement"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, file: str, line: str, message: str) -> None:
    folder = write_beir(tmp_path / "small")
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    with pytest.raises(InvalidInput, match=message):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({"document": "missing.txt", "page": 1}, "there is no file .*missing.txt"),
        ({"document": "orchard.txt", "page": 0}, "page is 0"),
        ({"document": "orchard.txt", "page": "one"}, "page is 'one'"),
        ({"document": "orchard.txt", "page": 1, "grade": "high"}, "grade is 'high'"),
        ({"page": 1}, "'document' is None"),
        ("orchard.txt", "'document' is None"),
    ],
)
def test_wrong_evidence_is_named(tmp_path: Path, evidence: object, message: str) -> None:
    folder = write_documents(tmp_path / "papers")
    write_lines(folder / "questions.jsonl", [{"id": 1, "question": QUERIES["q1"], "evidence": [evidence]}])
    with pytest.raises(InvalidInput, match=message):
        read_dataset(folder)
