"""Lists of questions over a real library: what is read, and what is said of lines that cannot be used."""

import json
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.evaluation.questions import QuestionList, joined, read_list, read_list_file

pytestmark = pytest.mark.slow

APPLE = "When was the apple tree planted?"
CABLE = "When did the cable break?"


def read(text: str, library: Library) -> QuestionList:
    return read_list(text, library, ())


def test_a_line_names_a_page_or_an_answer(stocked: Library) -> None:
    found = read(f"question\tdocument\tpage\r\n{APPLE}\torchard.md\t1\r\n\r\n{CABLE} | 9 may 1987\n", stocked)
    assert found.unusable == ()
    assert [(one.question, one.document, one.page, one.grade) for one in found.judgements] == [
        (APPLE, "orchard.md", 1, 1),
        (CABLE, "harbour.md", 1, 1),
    ]
    assert (found.questions, found.pages) == (2, 2)
    dataset, labels = found.dataset("list.tsv", stocked, ())
    assert (dataset.name, dataset.unit) == ("list.tsv", "page")
    assert [(one.text, one.answer) for one in dataset.questions] == [(APPLE, ""), (CABLE, "9 may 1987")]
    assert dataset.qrels[CABLE] == {"harbour.md#page=1": 1}
    assert set(labels.values()) == {"orchard.md", "harbour.md"}


def test_json_lines_are_read_too(stocked: Library) -> None:
    (orchard,) = [one for one in stocked.catalogue.documents() if one.name == "orchard.md"]
    lines = [
        {"id": "a", "question": APPLE, "evidence": [
            {"document": "renamed.md", "sha256": orchard.sha256, "page": 1},
            {"document": "harbour.md", "page": 1, "grade": 0},
        ]},
        {"question": CABLE, "answer": "9 May 1987"},
    ]  # fmt: skip
    found = read("\n".join(map(json.dumps, lines)), stocked)
    assert found.unusable == ()
    assert [(one.document, one.page, one.grade) for one in found.judgements] == [
        ("orchard.md", 1, 1),
        ("harbour.md", 1, 0),
        ("harbour.md", 1, 1),
    ]
    assert (found.questions, found.pages) == (2, 2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("What is alone?", "1 column; a line has a question, a tab"),
        ("a\tb\t1\tc", "4 columns"),
        ("?!\torchard.md\t1", "no word in the question"),
        ("Why?\tpears.md\t1", "no searched document is named 'pears.md'"),
        ("Why?\torchard.md\tone", "'one' is not a page"),
        ("Why?\torchard.md\t2", "orchard.md has no page 2; its pages are 1 to 1"),
        ("Why?\tThe Titanic", "no page has the text 'The Titanic'"),
        ("Why?\t...", "no word in the answer"),
        ('{"question": "Why?"', "not JSON"),
        ('{"question": "Why?"}', "neither evidence nor an answer"),
        (
            '{"question": "Why?", "evidence": [{"document": "x", "page": 1, "sha256": "0"}]}',
            "its content differs",
        ),
        ('{"question": "Why?", "evidence": [{"page": 1}]}', "no document is named"),
        ('{"question": "Why?", "evidence": [{"document": "orchard.md"}]}', "'None' is not a page"),
        ('{"question": "Why?", "evidence": [7]}', "evidence without a document"),
        (
            '{"question": "Why?", "evidence": [{"document": "orchard.md", "page": 1, "grade": "a"}]}',
            "the grade is 'a'",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_its_line(stocked: Library, line: str, reason: str) -> None:
    found = read(f"{APPLE}\torchard.md\t1\n\n{line}\n", stocked)
    assert found.questions == 1
    (one,) = found.unusable
    assert one.line == 3
    assert reason in one.reason
    with pytest.raises(InvalidInput, match=r"no question of list can be used; line 1: "):
        read(line, stocked).dataset("list", stocked, ())


def test_documents_of_one_name_are_told_apart_by_their_paths(stocked: Library, tmp_path: Path) -> None:
    other = tmp_path / "other" / "orchard.md"
    other.parent.mkdir()
    other.write_text("Plums are blue.", "utf-8")
    assert [result.status for result in ingest(stocked, [other])] == ["ok"]
    (one,) = read("Which are blue?\torchard.md\t1", stocked).unusable
    assert "2 documents are named 'orchard.md'" in one.reason
    found = read(f"Which are blue?\t{other}\t1", stocked)
    dataset, _ = found.dataset("list", stocked, ())
    assert dataset.qrels["Which are blue?"] == {"other/orchard.md#page=1": 1}


def test_queries_with_qrels_become_one_list(stocked: Library, tmp_path: Path) -> None:
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "test.tsv"
    queries.write_text(
        f"{json.dumps({'_id': 'q1', 'text': APPLE})}\n{json.dumps({'_id': 'q2', 'text': CABLE})}\n"
    )
    qrels.write_text("query-id\tcorpus-id\tscore\nq1\torchard.md#page=1\t1\nq2\tharbour\t1\n")
    found = read(joined(queries, qrels), stocked)
    assert [(one.question, one.document, one.page) for one in found.judgements] == [(APPLE, "orchard.md", 1)]
    assert "no searched document is named 'harbour'" in found.unusable[0].reason


def test_a_list_may_be_a_file(stocked: Library, tmp_path: Path) -> None:
    file = tmp_path / "list.tsv"
    file.write_text(f"\ufeff{APPLE}\torchard.md\t1\n", "utf-8")
    assert read_list_file(file, stocked, ()).judgements[0].question == APPLE
    file.write_bytes("Où?\torchard.md\t1".encode("latin-1"))
    with pytest.raises(InvalidInput, match="is UTF-8"):
        read_list_file(file, stocked, ())
    with pytest.raises(UnknownName):
        read_list("", stocked, ("nowhere",))
