"""Answers without passages: to small talk, and to questions about the library itself."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from datetime import datetime

from ingestion.encoders import Encoder
from ingestion.storage.catalogue.records import Document
from rag_app.answering.answers import (
    REPLY,
    Answer,
    AnswerEvent,
    AskOptions,
    Delta,
    Outcome,
    PassagesFound,
    PromptContext,
)
from rag_app.answering.questions.question_kinds import AppQuestion, QuestionKind, kind_of
from rag_app.answering.questions.summary_questions import documents_called
from rag_app.answering.replies import OF_LIBRARY, SMALL_TALK
from rag_app.llm.choice import EXTRACTIVE
from retrievers.hits import Query
from retrievers.search import SearchResult

# The longest list of documents in an answer; the library's page has all.
_MOST_NAMED = 50
_FILE_ENDINGS = 6


def reply_to(question: str, options: AskOptions, documents: Callable[[], Sequence[Document]]) -> str | None:
    """Return the reply to small talk or to a question about the library; None for other questions.

    Args:
        documents: Returns the documents in the scope of the options; only questions about the library call
        it.
    """
    asked = kind_of(options.standalone or question)
    if asked is None:
        return None
    if asked.kind.is_small_talk:
        return SMALL_TALK[asked.language][asked.kind.value]
    return _of_library(asked, question, documents())


def reply_events(
    question: str, text: str, encoder: Encoder, *, llm: str | None = None, flags: tuple[str, ...] = ()
) -> Generator[AnswerEvent]:
    """Yield PassagesFound without a passage, a Delta and the Answer: nothing is searched or cited.

    Args:
        llm: Name of the model that wrote the text; None where no model did.
    """
    started = time.perf_counter()
    yield PassagesFound(
        SearchResult(Query(question, encoder), REPLY, None, True, (), {"total": 0.0}), PromptContext((), 0.0)
    )
    yield Delta(text)
    yield Answer(
        question=question,
        text=text,
        outcome=Outcome.ANSWERED,
        strategy=REPLY,
        reranker=None,
        llm=llm or EXTRACTIVE,
        citations=(),
        sentences=(),
        nearest=(),
        evidence=(),
        relevance=0.0,
        timings_ms={"total": 1000 * (time.perf_counter() - started)},
        flags=flags,
    )


def _of_library(asked: AppQuestion, question: str, documents: Sequence[Document]) -> str | None:
    if asked.kind is QuestionKind.ADDED:
        return _added(asked, documents)
    none, one, several, more, _, newest = OF_LIBRARY[asked.language]
    if not documents:
        return none
    kind = ""
    if "pdf" in question.casefold() and asked.kind is not QuestionKind.NEWEST:
        documents = [one for one in documents if one.name.casefold().endswith(".pdf")]
        kind = " (PDF)"
    if asked.kind is QuestionKind.NEWEST:
        latest = max(documents, key=lambda one: one.added)
        return newest.format(name=latest.name, day=_day(latest))
    counted = (one if len(documents) == 1 else several.format(count=len(documents))) + kind
    if asked.kind is QuestionKind.COUNT or not documents:
        return f"{counted}."
    names = _names(documents)
    lines = [f"{counted}:", "", *(f"- {name}" for name in names[:_MOST_NAMED])]
    if len(names) > _MOST_NAMED:
        lines += ["", more.format(count=len(names) - _MOST_NAMED)]
    return "\n".join(lines)


def _added(asked: AppQuestion, documents: Sequence[Document]) -> str | None:
    """Return when a document was added; None without a document of that name: "When was fluoride added?"."""
    name = asked.name.strip()
    if len(name.split()) < 2 and not _has_ending(name):
        return None
    found = documents_called(name, documents)
    if not found:
        return None
    told = OF_LIBRARY[asked.language][4]
    return "\n".join(told.format(name=one.name, day=_day(one)) for one in found[:_MOST_NAMED])


def _has_ending(name: str) -> bool:
    stem, point, ending = name.rpartition(".")
    return bool(stem and point) and ending.isalnum() and len(ending) <= _FILE_ENDINGS


def _names(documents: Sequence[Document]) -> list[str]:
    """Return the documents' names in order; shared names are followed by their paths."""
    taken = Counter(one.name for one in documents)
    return sorted(
        (one.name if taken[one.name] == 1 else f"{one.name} ({one.path})" for one in documents),
        key=str.casefold,
    )


def _day(document: Document) -> str:
    """Return the local date on which a document was added."""
    return datetime.fromisoformat(document.added).astimezone().date().isoformat()
