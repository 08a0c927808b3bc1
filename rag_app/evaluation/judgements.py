"""What people said of passages: this page, or this stretch of it, answers that question, or does not.

They lie in an SQLite file of their own, beside the library, and name a page by its document's content
(SHA-256) and number: so they outlive reindexing, renaming, and deleting and adding again. As files they are
what evaluations read, one question a line:

    {"id", "question", "answer",
     "evidence": [{"document", "sha256", "page", "start", "end", "grade", "text"}]}

Evaluations are by page: a page's grade is the highest that it, or a stretch of it, was given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.timing import utc_now
from rag_app.evaluation.datasets import Dataset, Question, json_lines, judged, page_id, read_qrels
from rag_app.history.database import State

QUESTIONS_FILE = "questions.jsonl"

_LAST_PAGE = 10_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """A page and a question: `grade` 1 and above answers it, 0 does not. `document` is its name then.

    It is of characters `start` to `end` of the page's text, or of the whole page where both are 0.
    """

    question: str
    sha256: str
    page: int
    document: str
    grade: int
    start: int = 0
    end: int = 0


class HoldsJudgements(Protocol):
    """Where judgements come from: what was kept, or a list that was read."""

    def all(self) -> list[Judgement]: ...


class Judgements:
    """The judgements of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, judgements: Iterable[Judgement]) -> int:
        """Keep judgements, each in place of a former one of the same question and place; return their
        number."""
        now = utc_now()
        rows = [
            (
                one.question.strip(),
                one.sha256,
                one.page,
                one.start,
                one.end,
                one.document,
                one.grade,
                now,
            )
            for one in judgements
        ]
        with self._state.changing() as connection:
            connection.executemany("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return len(rows)

    def all(self) -> list[Judgement]:
        """Return all judgements, by question."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT question, sha256, page, document, grade, start, stop FROM judgements "
                "ORDER BY question, document, page, start, stop"
            ).fetchall()
        return [Judgement(*row) for row in rows]

    def of(self, question: str) -> list[Judgement]:
        """Return what was said of one question's passages."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT question, sha256, page, document, grade, start, stop FROM judgements "
                "WHERE question = ? ORDER BY document, page, start, stop",
                (question.strip(),),
            ).fetchall()
        return [Judgement(*row) for row in rows]

    def remove(self, question: str | None = None) -> int:
        """Forget what was said of a question, or everything; return how many judgements that were."""
        where, values = ("", ()) if question is None else ("WHERE question = ?", (question.strip(),))
        with self._state.changing() as connection:
            removed = connection.execute(f"DELETE FROM judgements {where}", values).rowcount
        self._state.forget()
        return removed


def judged_dataset(
    judgements: HoldsJudgements, library: Library, collections: Sequence[str] = ()
) -> tuple[Dataset, dict[str, str]]:
    """Return the judged questions as a data set over the library, and its documents' labels by id.

    What was said of documents that are not there counts as much as if they could not be found. Raises
    InvalidInput where nothing was judged.
    """
    wanted = set(library.catalogue.scope(tuple(collections)).collections)
    documents = [one for one in library.catalogue.documents() if one.collection_id in wanted]
    labels = {document.id: document.label for document in documents}
    by_content = {one.sha256: labels[one.id] for one in documents}
    labels = {one.id: by_content[one.sha256] for one in documents}  # copies count as one
    questions: dict[str, Question] = {}
    qrels: dict[str, dict[str, int]] = {}
    for one in judgements.all():
        questions.setdefault(one.question, Question(one.question, one.question))
        label = by_content.get(one.sha256, one.sha256)  # not by its name, which another may have now
        of_question = qrels.setdefault(one.question, {})
        unit = page_id(label, one.page)
        of_question[unit] = max(one.grade, of_question.get(unit, one.grade))
    if not questions:
        raise InvalidInput("nothing was judged yet; rag-app judge add QUESTION --document NAME --page N does")
    return judged("judgements", "page", list(questions.values()), qrels, corpus="library"), labels


def export(judgements: Sequence[Judgement], folder: Path) -> int:
    """Write judgements as questions.jsonl, and as queries.jsonl with qrels/test.tsv for other programs;
    return the number of questions. Raises InvalidInput where the folder cannot be written."""
    by_question: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_question.setdefault(one.question, []).append(one)
    ids = {question: f"q{number}" for number, question in enumerate(by_question, start=1)}
    try:
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        with (folder / QUESTIONS_FILE).open("w", encoding="utf-8") as stream:
            for question, some in by_question.items():
                evidence = [
                    {
                        "document": one.document,
                        "sha256": one.sha256,
                        "page": one.page,
                        **({"start": one.start, "end": one.end} if one.end else {}),
                        "grade": one.grade,
                    }
                    for one in some
                ]
                line = {"id": ids[question], "question": question, "evidence": evidence}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        with (folder / "queries.jsonl").open("w", encoding="utf-8") as stream:
            for question, identity in ids.items():
                stream.write(json.dumps({"_id": identity, "text": question}, ensure_ascii=False) + "\n")
        grades: dict[tuple[str, str], int] = {}
        for one in judgements:
            key = ids[one.question], page_id(one.document, one.page)
            grades[key] = max(one.grade, grades.get(key, one.grade))
        rows = [f"{question}\t{page}\t{grade}\n" for (question, page), grade in grades.items()]
        (folder / "qrels" / "test.tsv").write_text(
            "query-id\tcorpus-id\tscore\n" + "".join(rows), encoding="utf-8"
        )
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error}; name another folder") from error
    return len(by_question)


def read(folder: Path, documents: Sequence[Mapping[str, Any]]) -> list[Judgement]:
    """Read judgements that `export` or somebody else wrote: questions.jsonl, or queries.jsonl with qrels.

    A page is found by the content of its document, or by its name among `documents` (fields with name and
    sha256). Raises InvalidInput for a line that is wrong or a document that is not there.
    """
    by_name: dict[str, set[str]] = {}
    for document in documents:
        by_name.setdefault(document["name"], set()).add(document["sha256"])
    if (folder / QUESTIONS_FILE).is_file():
        return list(_from_questions(folder / QUESTIONS_FILE, by_name))
    files = sorted((folder / "qrels").glob("*.tsv"))
    if len(files) != 1 or not (folder / "queries.jsonl").is_file():
        raise InvalidInput(
            f"{folder} has neither {QUESTIONS_FILE} nor queries.jsonl with one file in qrels/; "
            "rag-app judge export shows what they look like"
        )
    texts = {}
    for line, where in json_lines(folder / "queries.jsonl"):
        if "_id" not in line or "text" not in line:
            raise InvalidInput(f"{where}: a line has _id and text")
        texts[str(line["_id"])] = _question(line["text"], where)
    found = []
    for question, units in read_qrels(files[0]).items():
        if question not in texts:
            raise InvalidInput(f"{files[0]}: queries.jsonl has no query {question!r}; add it there")
        for unit, grade in units.items():
            name, _, page = unit.rpartition("#page=")
            if not name or not page.isdigit():
                raise InvalidInput(f"{files[0]}: {unit!r} is no page; they look like report.pdf#page=7")
            sha256 = _content(name, by_name, str(files[0]))
            number = _page(int(page), str(files[0]))
            found.append(Judgement(texts[question], sha256, number, name, grade))
    return found


def _from_questions(file: Path, by_name: Mapping[str, set[str]]) -> Iterable[Judgement]:
    for line, where in json_lines(file):
        try:
            question = _question(line["question"], where)
            for one in line["evidence"]:
                name, page = str(one["document"]), _page(int(one["page"]), where)
                sha256 = str(one.get("sha256") or _content(name, by_name, where))
                start, end = int(one.get("start", 0)), int(one.get("end", 0))
                if not 0 <= start <= end:
                    raise InvalidInput(f"{where}: there are no characters {start} to {end}")
                yield Judgement(question, sha256, page, name, int(one.get("grade", 1)), start, end)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{where}: {error!r}; a line has question and evidence") from error


def _question(text: Any, where: str) -> str:
    if not isinstance(text, str) or not any(map(str.isalnum, text)):
        raise InvalidInput(f"{where}: {text!r} is no question; it has words")
    return text


def _page(number: int, where: str) -> int:
    if not 1 <= number <= _LAST_PAGE:
        raise InvalidInput(f"{where}: there is no page {number}; pages are counted from 1")
    return number


def _content(name: str, by_name: Mapping[str, set[str]], where: str) -> str:
    found = by_name.get(name, set())
    if len(found) == 1:
        return next(iter(found))
    what = f"{len(found)} documents are named" if found else "there is no document named"
    raise InvalidInput(f"{where}: {what} {name!r}; ingest it first, or give its sha256")
