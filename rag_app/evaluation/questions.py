"""Lists of questions about documents in the library, with what answers them. One question a line:

    question <TAB> document <TAB> page      this page answers; several lines can have the same question
    question <TAB> answer                   every page with the answer's text is relevant
    {"question", "evidence": [{"document", "sha256", "page", "grade"}], "answer"}

A line of the last form (questions.jsonl) without evidence is read like the second. Columns can also be
separated by " | ", because text fields of browsers do not accept tabs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.regular_files import read_regular
from ingestion.storage.catalogue.records import Document
from rag_app.evaluation.datasets import Dataset, json_lines, read_qrels
from rag_app.evaluation.judgements import Judgement, judged_dataset
from rag_app.evaluation.matching import AnswerPattern, PlainText

LIST_SUFFIXES = (".tsv", ".txt", ".jsonl")

# First cells of header lines.
_HEADS = ("question", "query")
_LARGEST_LIST = 100_000_000
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Unusable:
    """A line that cannot be used: its number from 1, its text, and the reason."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class QuestionList:
    """The usable part of a list, and its unusable lines. `answers` has the answers by question."""

    judgements: tuple[Judgement, ...]
    answers: Mapping[str, str]
    unusable: tuple[Unusable, ...]

    @property
    def questions(self) -> int:
        """The number of questions with a page that answers."""
        return len({one.question for one in self.judgements if one.grade > 0})

    @property
    def pages(self) -> int:
        """The number of pages that answer, over all questions."""
        return sum(one.grade > 0 for one in self.judgements)

    def all(self) -> list[Judgement]:
        return list(self.judgements)

    def dataset(
        self, name: str, library: Library, collections: Sequence[str]
    ) -> tuple[Dataset, dict[str, str]]:
        """Return the list as a data set, and the documents' labels by id. Raises InvalidInput for a list
        without a usable line."""
        if not self.questions:
            first = self.unusable[0] if self.unusable else None
            why = f"line {first.line}: {first.reason}" if first else "it is empty"
            raise InvalidInput(f"no question of {name} can be used; {why}")
        found, labels = judged_dataset(self, library, collections)
        questions = tuple(replace(one, answer=self.answers.get(one.text, "")) for one in found.questions)
        return replace(found, name=name, questions=questions), labels


class _Refused(Exception):
    """A line cannot be used; the message gives the reason."""


def read_list(text: str, library: Library, collections: Sequence[str]) -> QuestionList:
    """Read a list of questions about the documents of the collections. Unusable lines are part of the result.

    Raises UnknownName for an unknown collection.
    """
    documents = _Documents(library, collections)
    judgements: dict[tuple[str, str, int], Judgement] = {}
    answers: dict[str, str] = {}
    unusable: list[Unusable] = []
    # Not splitlines, which also splits at characters that questions may contain.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip() or (number == 1 and _is_head(line)):
            continue
        try:
            question, answer, found = _read_line(line.rstrip("\r"), documents)
        except _Refused as refused:
            unusable.append(Unusable(number, " ".join(line.split())[:_LONGEST_SHOWN], str(refused)))
            continue
        judgements |= {(one.question, one.sha256, one.page): one for one in found}
        if answer:
            answers[question] = answer
    return QuestionList(tuple(judgements.values()), answers, tuple(unusable))


def read_list_file(file: Path, library: Library, collections: Sequence[str]) -> QuestionList:
    """Read a list from a file. Raises InvalidInput for an unreadable file, and what `read_list` raises."""
    try:
        text = read_regular(file, _LARGEST_LIST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}; check that the file exists and is UTF-8"
        ) from error
    return read_list(text, library, collections)


def joined(queries: Path, qrels: Path) -> str:
    """Return queries.jsonl and qrels, whose ids are pages like report.pdf#page=7, as one list.

    Raises InvalidInput for a wrong line.
    """
    judged = read_qrels(qrels)
    lines = []
    for query, where in json_lines(queries):
        if "_id" not in query or "text" not in query:
            raise InvalidInput(f"{where}: the line has no _id or no text; add them")
        evidence = []
        for unit, grade in judged.get(str(query["_id"]), {}).items():
            name, _, page = unit.rpartition("#page=")
            evidence.append({"document": name or unit, "page": page if name else None, "grade": grade})
        line = {"question": query["text"], "evidence": evidence}
        lines.append(json.dumps(line, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _is_head(line: str) -> bool:
    first, tab, _ = line.removeprefix("\ufeff").partition("\t")
    return bool(tab) and first.strip().casefold() in _HEADS


def _read_line(line: str, documents: "_Documents") -> tuple[str, str, list[Judgement]]:
    """Return the line's question, its answer if it has one, and its judgements."""
    if line.lstrip().startswith("{"):
        return _read_json(line, documents)
    cells = [cell.strip() for cell in line.strip("\t").split("\t" if "\t" in line else " | ")]
    question = _question(cells[0])
    if len(cells) == 2:
        return question, cells[1], documents.that_say(question, cells[1])
    if len(cells) == 3:
        return question, "", [documents.page(question, cells[1], cells[2])]
    raise _Refused(
        f"{'1 column' if len(cells) == 1 else f'{len(cells)} columns'}; a line has a question, a tab, then "
        "the answer, or the document, a tab and the page"
    )


def _read_json(line: str, documents: "_Documents") -> tuple[str, str, list[Judgement]]:
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise _Refused(f"not JSON: {error}") from error
    question = _question(fields.get("question"))
    answer = fields.get("answer")
    answer = answer if isinstance(answer, str) else ""
    evidence = fields.get("evidence") or []
    if not evidence and answer.strip():
        return question, answer, documents.that_say(question, answer)
    if not isinstance(evidence, list) or not evidence:
        raise _Refused("neither evidence nor an answer")
    return question, answer, [_evidence(question, one, documents) for one in evidence]


def _evidence(question: str, fields: Any, documents: "_Documents") -> Judgement:
    if not isinstance(fields, dict):
        raise _Refused("evidence without a document and a page")
    grade = fields.get("grade", 1)
    if not isinstance(grade, int):
        raise _Refused(f"the grade is {grade!r}; write 1 for a page that answers, 0 for a page that does not")
    sha256 = fields.get("sha256")
    name = str(fields.get("document") or "")
    one = documents.page(question, name, str(fields.get("page")), str(sha256) if sha256 else None)
    return replace(one, grade=grade)


def _question(text: Any) -> str:
    if not isinstance(text, str) or not any(map(str.isalnum, text)):
        raise _Refused("no word in the question")
    return " ".join(text.split())


class _Documents:
    """The documents that a list may name. Their pages are read when the first answer is looked for."""

    def __init__(self, library: Library, collections: Sequence[str]) -> None:
        catalogue = library.catalogue
        wanted = catalogue.scope(tuple(collections)).collections
        self._catalogue = catalogue
        self._documents = catalogue.documents(wanted)
        self._texts: list[tuple[Document, int, PlainText]] | None = None

    def page(self, question: str, name: str, page: str, sha256: str | None = None) -> Judgement:
        """Return the judgement that a page answers the question."""
        document = self._named(name, sha256)
        try:
            number = int(page)
        except ValueError:
            raise _Refused(f"{page!r} is not a page; write a number from 1") from None
        if not 1 <= number <= document.pages:
            raise _Refused(f"{document.name} has no page {number}; its pages are 1 to {document.pages}")
        return _judgement(question, document, number)

    def that_say(self, question: str, answer: str) -> list[Judgement]:
        """Return a judgement for each page with the text of the answer."""
        wanted = AnswerPattern.of(answer)
        if wanted.is_empty:
            raise _Refused("no word in the answer")
        found = [
            _judgement(question, document, number)
            for document, number, text in self._pages()
            if wanted.is_in(text)
        ]
        if not found:
            raise _Refused(f"no page has the text {answer[:_LONGEST_SHOWN]!r}")
        return found

    def _named(self, name: str, sha256: str | None) -> Document:
        if sha256:
            found = [one for one in self._documents if one.sha256 == sha256]
            if not found:
                raise _Refused(f"{name!r} is not among the searched documents, or its content differs")
            return found[0]
        if not name:
            raise _Refused("no document is named")
        found = [one for one in self._documents if name in (one.id, one.path)]
        found = found or [one for one in self._documents if one.name == name]
        if not found:
            raise _Refused(f"no searched document is named {name!r}")
        if len({one.sha256 for one in found}) > 1:
            paths = ", ".join(one.path for one in found)
            raise _Refused(f"{len(found)} documents are named {name!r}; write the path of one: {paths}")
        return found[0]

    def _pages(self) -> list[tuple[Document, int, PlainText]]:
        if self._texts is None:
            self._texts = list(self._read())
        return self._texts

    def _read(self) -> Iterator[tuple[Document, int, PlainText]]:
        for document in self._documents:
            for page in self._catalogue.parsed(document).pages:
                yield document, page.number, PlainText.of(page.text)


def _judgement(question: str, document: Document, page: int) -> Judgement:
    return Judgement(question=question, sha256=document.sha256, page=page, document=document.name, grade=1)
