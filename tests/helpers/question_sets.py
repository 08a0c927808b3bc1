"""Small data sets on the disk, of both forms."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

PASSAGES = {
    "p1": ("Apples", "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch."),
    "p2": ("Pears", "The Conference pear ripens in October and keeps until January in a cool cellar."),
    "p3": ("Tides", "High water at the pier was 4.2 metres on 3 March 1987. The ferry sailed at noon."),
    "p4": ("Repairs", "The crane's cable was replaced after it broke on 9 May 1987. Nobody was hurt."),
}
QUERIES = {"q1": "When was the apple tree planted?", "q2": "How high was the water?", "q3": "Who was hurt?"}
QRELS = [("q1", "p1", 2), ("q1", "p2", 0), ("q2", "p3", 1)]


def write_lines(file: Path, lines: Sequence[Mapping[str, object] | str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    file.write_text("".join(f"{line}\n" for line in text), "utf-8")


def write_beir(
    folder: Path,
    passages: Mapping[str, tuple[str, str]] = PASSAGES,
    queries: Mapping[str, str] = QUERIES,
    qrels: Sequence[tuple[str, str, int]] = QRELS,
) -> Path:
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in passages.items()]
    write_lines(folder / "corpus.jsonl", corpus)
    write_lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, text in queries.items()])
    rows = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
    write_lines(folder / "qrels" / "test.tsv", rows)
    return folder


def write_answers(folder: Path) -> Path:
    """Write documents, a question with a follow-up question, and a question that nothing answers."""
    write_documents(folder)
    questions: list[Mapping[str, object]] = [
        {"id": "cable", "question": "When did the crane's cable break?", "answer": "9 May 1987",
         "kind": "fact", "evidence": [{"document": "harbour.txt", "page": 2}]},
        {"id": "hurt", "question": "Was anybody hurt by it?", "answer": "Nobody was hurt.",
         "kind": "follow-up", "after": "cable", "evidence": [{"document": "harbour.txt", "page": 2}]},
        {"id": "cup", "question": "Who won the football world cup in Brazil?", "answer": None, "evidence": [],
         "kind": "unanswerable"},
    ]  # fmt: skip
    write_lines(folder / "questions.jsonl", questions)
    return folder


def write_documents(folder: Path) -> Path:
    documents = folder / "documents"
    documents.mkdir(parents=True)
    (documents / "orchard.txt").write_text(PASSAGES["p1"][1] + "\f" + PASSAGES["p2"][1], "utf-8")
    (documents / "harbour.txt").write_text(PASSAGES["p3"][1] + "\f" + PASSAGES["p4"][1], "utf-8")
    questions: list[Mapping[str, object]] = [
        {"id": "a", "question": "When was the apple tree planted?", "answer": "1921",
         "evidence": [{"document": "orchard.txt", "page": 1, "text": "It was planted in 1921"}]},
        {"id": "b", "question": "When did the cable break?", "answer": "9 May",
         "evidence": [{"document": "harbour.txt", "page": 2, "text": "it broke on 9 May"}]},
        {"id": "c", "question": "What is not said?", "answer": "", "evidence": []},
    ]  # fmt: skip
    write_lines(folder / "questions.jsonl", questions)
    return folder
