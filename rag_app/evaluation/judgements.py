"""Judgements: a page, or a part of its text, answers a question, or does not.

They are stored beside the library and name a page by its document's content (SHA-256) and its number, so they
survive reindexing, renaming, and deleting and adding again. Exported, they are a file that evaluations read,
one question a line:

    {"id", "question", "answer",
     "evidence": [{"document", "sha256", "page", "start", "end", "grade", "text"}]}

Evaluations judge pages: a page's grade is the highest grade of the page and of its parts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.regular_files import private_file
from ingestion.storage.timing import utc_now
from rag_app.evaluation.datasets import Dataset, Question, json_lines, judged, page_id, read_qrels
from rag_app.evaluation.tables import id_of, tsv_of
from rag_app.history.database import StateDatabase

QUESTIONS_FILE = "questions.jsonl"

_LAST_PAGE = 10_000_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement of a page, or of characters `start` to `end` of its text where `end` is not 0.

    Attributes:
        document: the document's name when it was judged.
        grade: 1 and above answers the question, 0 does not.
    """

    question: str
    sha256: str
    page: int
    document: str
    grade: int
    start: int = 0
    end: int = 0


class HoldsJudgements(Protocol):
    """A source of judgements: the stored ones, or a list."""

    def all(self) -> list[Judgement]: ...


class Judgements:
    """The judgements of one data folder. Every method may raise LibraryError."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    def add(self, judgements: Iterable[Judgement]) -> int:
        """Store judgements and return their number. Each replaces an earlier one of the same question and
        place."""
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
        """Return the judgements of one question."""
        with self._state.reading() as connection:
            rows = connection.execute(
                "SELECT question, sha256, page, document, grade, start, stop FROM judgements "
                "WHERE question = ? ORDER BY document, page, start, stop",
                (question.strip(),),
            ).fetchall()
        return [Judgement(*row) for row in rows]

    def remove(self, question: str | None = None) -> int:
        """Delete the judgements of a question, or all of them; return their number."""
        where, values = ("", ()) if question is None else ("WHERE question = ?", (question.strip(),))
        with self._state.changing() as connection:
            removed = connection.execute(f"DELETE FROM judgements {where}", values).rowcount
        self._state.forget()
        return removed


def judged_dataset(
    judgements: HoldsJudgements, library: Library, collections: Sequence[str] = ()
) -> tuple[Dataset, dict[str, str]]:
    """Return the judged questions as a data set over the library, and its documents' labels by id.

    Judged documents that the library lacks count as relevant documents that no strategy finds. Raises
    InvalidInput where there are no judgements.
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
        raise InvalidInput(
            "there are no judgements; add one: rag-app judge add QUESTION --document NAME --page N"
        )
    return judged("judgements", "page", list(questions.values()), qrels, corpus="library"), labels


def export(judgements: Sequence[Judgement], folder: Path) -> int:
    """Write judgements as questions.jsonl, and as queries.jsonl with qrels/test.tsv for other programs.

    Returns the number of questions. Raises InvalidInput where the folder cannot be written.
    """
    by_question: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_question.setdefault(one.question, []).append(one)
    ids = {question: f"q{number}" for number, question in enumerate(by_question, start=1)}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "qrels").mkdir(mode=0o700, exist_ok=True)
        with private_file(folder / QUESTIONS_FILE) as stream:
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
        with private_file(folder / "queries.jsonl") as stream:
            for question, identity in ids.items():
                stream.write(json.dumps({"_id": identity, "text": question}, ensure_ascii=False) + "\n")
        grades: dict[tuple[str, str], int] = {}
        for one in judgements:
            key = ids[one.question], id_of(page_id(one.document, one.page))
            grades[key] = max(one.grade, grades.get(key, one.grade))
        rows = [(question, page, grade) for (question, page), grade in grades.items()]
        with private_file(folder / "qrels" / "test.tsv") as stream:
            stream.write(tsv_of([("query-id", "corpus-id", "score"), *rows]))
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error}; name another folder") from error
    return len(by_question)


def read(folder: Path, documents: Sequence[Mapping[str, Any]]) -> list[Judgement]:
    """Read judgements from questions.jsonl, or from queries.jsonl with qrels.

    Args:
        documents: fields with name and sha256. A document is found by its content, or by its name here.

    Raises:
        InvalidInput: A line is wrong, or a document is unknown.
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
            "rag-app judge export writes an example"
        )
    texts = {}
    for line, where in json_lines(folder / "queries.jsonl"):
        if "_id" not in line or "text" not in line:
            raise InvalidInput(f"{where}: the line has no _id or no text; add them")
        texts[str(line["_id"])] = _question(line["text"], where)
    found = []
    for question, units in read_qrels(files[0]).items():
        if question not in texts:
            raise InvalidInput(f"{files[0]}: queries.jsonl has no query {question!r}; add it there")
        for unit, grade in units.items():
            name, _, page = unit.rpartition("#page=")
            if not name or not page.isdigit():
                raise InvalidInput(f"{files[0]}: {unit!r} is not a page; write pages like report.pdf#page=7")
            name = name if name in by_name else unquote(name)  # as `id_of` has written it
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
                    raise InvalidInput(
                        f"{where}: there are no characters {start} to {end}; write 0 <= start <= end"
                    )
                yield Judgement(question, sha256, page, name, int(one.get("grade", 1)), start, end)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{where}: {error!r}; write a question and its evidence") from error


def _question(text: Any, where: str) -> str:
    if not isinstance(text, str) or not any(map(str.isalnum, text)):
        raise InvalidInput(f"{where}: {text!r} is not a question; write at least one word")
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
