"""Evaluation data: questions, and what each question should find.

There are two forms. A BEIR folder (Thakur et al., 2021) has passages:

    corpus.jsonl    {"_id", "title", "text"}      queries.jsonl  {"_id", "text"}
    qrels/test.tsv  query-id, corpus-id, score, with a header line

A folder of documents has files, and questions with the pages that answer them:

    documents/      any files that can be ingested
    questions.jsonl {"id", "question", "answer", "evidence": [{"document", "page", "grade", "text"}], "kind",
                    "after"}

The default grade is 1; 0 marks a page that does not answer. `kind` sorts the questions, `after` is the id of
the question that a follow-up question follows. A question whose answer is null has none in the documents.
`metadata.answers` of a BEIR query lists its answers.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ingestion.errors import InvalidInput
from ingestion.regular_files import lines_of

Unit = Literal["passage", "page"]

# Question id → id of a passage or page → its relevance grade; 0 and below: not relevant.
Qrels = Mapping[str, Mapping[str, int]]

_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    Attributes:
        answer: The answer that reports show.
        answers: Answers of which each is right; they score what the application answers.
        kind: The sort of question; "" where the data set names none.
        after: The id of the question that this one follows in a conversation.
    """

    id: str
    text: str
    answer: str = ""
    answers: tuple[str, ...] = ()
    kind: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CorpusPassage:
    """A passage of a BEIR corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """Questions with judgements of passages or of pages; `page_id` makes the ids of pages.

    Attributes:
        questions: the questions with at least one relevant passage or page.
        unjudged: the number of questions without any, which are left out.
        unanswerable: those of the unjudged questions that no document answers, as the data set says.
        corpus: identifies the corpus: the hash of its passages, or the folder of its documents.
        folder: the data set's folder; None for judgements and lists.
    """

    name: str
    unit: Unit
    questions: tuple[Question, ...]
    qrels: Qrels
    unjudged: int
    corpus: str
    passages: tuple[CorpusPassage, ...] = ()
    documents: Path | None = None
    folder: Path | None = None
    unanswerable: tuple[Question, ...] = ()


def page_id(document: str, page: int) -> str:
    """Return the id of a page, counted from 1, in judgements and rankings."""
    return f"{document}#page={page}"


def document_of(page: str) -> str:
    """Return the document's name of a page's id."""
    return page.rpartition("#page=")[0]


def read_dataset(folder: Path) -> Dataset:
    """Read a folder of either form.

    Raises:
        InvalidInput: The folder has neither form, or a line is wrong; the message names file and line.
    """
    if not folder.is_dir():
        raise InvalidInput(
            f"there is no folder {folder}; name a folder with a BEIR corpus or with documents/"
        )
    if (folder / "questions.jsonl").is_file():
        return _documents(folder)
    if (folder / "corpus.jsonl").is_file():
        return _beir(folder)
    raise InvalidInput(
        f"{folder} has neither corpus.jsonl (a BEIR folder) nor questions.jsonl (a folder of documents); "
        "give the path of one that has"
    )


def _beir(folder: Path) -> Dataset:
    passages = [
        CorpusPassage(
            _text(line, "_id", where),
            " ".join(str(line.get("title") or "").split()),
            _text(line, "text", where, may_be_empty=True),
        )
        for line, where in json_lines(folder / "corpus.jsonl")
    ]
    questions = []
    for line, where in json_lines(folder / "queries.jsonl"):
        answers = _answers(line, where)
        questions.append(
            Question(_text(line, "_id", where), _asked(line, "text", where), "".join(answers[:1]), answers)
        )
    _check_unique(folder / "corpus.jsonl", (passage.id for passage in passages))
    _check_unique(folder / "queries.jsonl", (question.id for question in questions))
    qrels = read_qrels(_qrels_file(folder))
    with (folder / "corpus.jsonl").open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return judged(
        folder.resolve().name,
        "passage",
        questions,
        qrels,
        corpus=digest,
        passages=tuple(passages),
        folder=folder,
    )


def _documents(folder: Path) -> Dataset:
    documents = folder / "documents"
    if not documents.is_dir():
        raise InvalidInput(
            f"{folder} has no folder documents/ for the documents that questions.jsonl names; add it"
        )
    questions: list[Question] = []
    unanswerable: list[Question] = []
    qrels: dict[str, dict[str, int]] = {}
    for line, where in json_lines(folder / "questions.jsonl"):
        question = _question(line, where)
        questions.append(question)
        if "answer" in line and line["answer"] is None and not line.get("evidence"):
            unanswerable.append(question)
        for evidence in line.get("evidence") or ():
            name, page = _text(evidence, "document", where), evidence.get("page")
            if not isinstance(page, int) or page < 1:
                raise InvalidInput(f"{where}: the evidence's page is {page!r}; pages are counted from 1")
            if not (documents / name).is_file():
                raise InvalidInput(
                    f"{where}: there is no file {documents / name}; add the file or remove the evidence"
                )
            grade = evidence.get("grade", 1)
            if not isinstance(grade, int):
                raise InvalidInput(f"{where}: the evidence's grade is {grade!r}; 1 answers, 0 does not")
            qrels.setdefault(question.id, {})[page_id(name, page)] = grade
    _check_unique(folder / "questions.jsonl", (question.id for question in questions))
    _check_followed(folder / "questions.jsonl", questions)
    place = str(documents.resolve())
    found = judged(
        folder.resolve().name, "page", questions, qrels, corpus=place, documents=documents, folder=folder
    )
    return replace(found, unanswerable=tuple(unanswerable))


def _question(line: dict[str, Any], where: str) -> Question:
    answer = str(line.get("answer") or "")
    after = line.get("after")
    return Question(
        _text(line, "id", where),
        _asked(line, "question", where),
        answer,
        (answer,) if answer.strip() else (),
        str(line.get("kind") or ""),
        None if after is None else str(after),
    )


def _answers(line: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the answers in a query's metadata. Raises InvalidInput where they are not a list of texts."""
    metadata = line.get("metadata")
    answers = metadata.get("answers") if isinstance(metadata, dict) else None
    if answers is None:
        return ()
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        raise InvalidInput(f"{where}: 'answers' is {answers!r}; write a list of texts")
    return tuple(one for one in answers if one.strip())


def judged(
    name: str,
    unit: Unit,
    questions: list[Question],
    qrels: Qrels,
    *,
    corpus: str,
    passages: tuple[CorpusPassage, ...] = (),
    documents: Path | None = None,
    folder: Path | None = None,
) -> Dataset:
    """Return a data set of the questions with a relevant unit. Raises InvalidInput where there is none."""
    kept = tuple(q for q in questions if any(grade > 0 for grade in qrels.get(q.id, {}).values()))
    if not kept:
        raise InvalidInput(f"no question of {name} has a relevant {unit}; check its ids against the qrels")
    return Dataset(
        name,
        unit,
        kept,
        {question.id: qrels[question.id] for question in kept},
        len(questions) - len(kept),
        corpus,
        passages,
        documents,
        folder,
    )


def _qrels_file(folder: Path) -> Path:
    files = sorted((folder / "qrels").glob("*.tsv"))
    named = [file for file in files if file.stem == _SPLIT]
    if len(named or files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise InvalidInput(
            f"{folder / 'qrels'} needs one file, or one named {_SPLIT}.tsv; there are: {found}"
        )
    return (named or files)[0]


def read_qrels(file: Path) -> dict[str, dict[str, int]]:
    """Read judgements: BEIR's three columns with a header line, or TREC's four without.

    Raises InvalidInput for any other line.
    """
    qrels: dict[str, dict[str, int]] = {}
    try:
        rows = [line.rstrip("\r\n") for line in lines_of(file)]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}; check that the file exists and is UTF-8"
        ) from error
    for number, row in enumerate(rows, start=1):
        cells = row.split("\t") if "\t" in row else row.split()
        if not cells or (number == 1 and cells[0] == "query-id"):
            continue
        if len(cells) == 4:
            del cells[1]  # TREC's iteration, which nothing uses
        try:
            question, unit, grade = cells
            qrels.setdefault(question, {})[unit] = int(float(grade))
        except (ValueError, OverflowError) as error:
            raise InvalidInput(
                f"{file}, line {number}: {row!r} is not a judgement; write a query's id, a passage's id "
                "and a number, separated by tabs"
            ) from error
    return qrels


def json_lines(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each line's object with its place for messages. Raises InvalidInput."""
    try:
        for number, line in enumerate(lines_of(file), start=1):
            if not line.strip():
                continue
            where = f"{file}, line {number}"
            try:
                found = json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"{where}: the line is not JSON ({error}); correct it") from error
            if not isinstance(found, dict):
                raise InvalidInput(f"{where}: the line is not a JSON object; correct it")
            yield found, where
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}; check that the file exists and is UTF-8"
        ) from error


def _asked(fields: Any, name: str, where: str) -> str:
    """Return a question. Raises InvalidInput for text without a word."""
    text = _text(fields, name, where)
    if not any(map(str.isalnum, text)):
        raise InvalidInput(f"{where}: {name!r} is {text!r}, which has no word; write a question")
    return text


def _text(fields: Any, name: str, where: str, *, may_be_empty: bool = False) -> str:
    value = fields.get(name) if isinstance(fields, dict) else None
    value = str(value) if isinstance(value, int) else value
    if not isinstance(value, str) or not (may_be_empty or value.strip()):
        raise InvalidInput(f"{where}: {name!r} is {value!r}; write text")
    return value


def _check_followed(file: Path, questions: list[Question]) -> None:
    """Raise InvalidInput where a follow-up question follows none of the questions before it."""
    before: set[str] = set()
    for question in questions:
        if question.after is not None and question.after not in before:
            raise InvalidInput(
                f"{file}: question {question.id!r} follows {question.after!r}, which is no question before "
                "it; correct 'after'"
            )
        before.add(question.id)


def _check_unique(file: Path, ids: Iterator[str]) -> None:
    known: set[str] = set()
    for identity in ids:
        if identity in known:
            raise InvalidInput(f"{file}: the id {identity!r} occurs twice; make the ids unique")
        known.add(identity)
