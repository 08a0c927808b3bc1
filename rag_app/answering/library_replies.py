"""Answers without a search: to small talk, and to questions about the library itself."""

import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, Scope
from ingestion.text.sentences import sentence_spans
from rag_app.answering.answers import (
    REPLY,
    Answer,
    AnswerEvent,
    AskOptions,
    Delta,
    Evidence,
    EvidenceSentence,
    Outcome,
    PassagesFound,
    PromptContext,
    QuestionRewritten,
)
from rag_app.answering.citations import citation_of
from rag_app.answering.evidence.mentions import Mentions, mentions, words_of
from rag_app.answering.questions.follow_ups import is_follow_up
from rag_app.answering.questions.query_rewriting import carried_over
from rag_app.answering.questions.question_kinds import AppQuestion, QuestionKind, is_aside, kind_of
from rag_app.answering.questions.summary_questions import documents_called, is_document_at_hand
from rag_app.answering.replies.library import CATALOGUE, LANGUAGES, OF_LIBRARY
from rag_app.answering.replies.small_talk import SMALL_TALK
from rag_app.llm.choice import EXTRACTIVE
from retrievers.hits import Hit, Query
from retrievers.preambles import core
from retrievers.search import SearchResult

# The longest list of documents in an answer; the library's page has all.
_MOST_NAMED = 50
# Documents that an answer cites.
_MOST_CITED = 12
_FILE_ENDINGS = 6
# Words of a name or subject; a longer one is a question to the documents.
_LONGEST_TOPIC = 6
# Without a passage that mentions it, only a short subject is sure to be a name.
_LONGEST_UNKNOWN = 3
_IT = re.compile(r"\b(?:it|that|this)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
# "Which documents describe how to change a fuse?" asks for the way.
_ASKS = re.compile(r"(?:how|what|when|where|why|who|whom|whose|which|whether|if|that)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer's text, and the passages that it cites.

    Attributes:
        standalone: The question with what it refers to; None: as it was asked.
    """

    text: str
    cited: tuple[Mentions, ...] = ()
    standalone: str | None = None


def reply_to(
    question: str, options: AskOptions, documents: Callable[[], Sequence[Document]], library: Library
) -> Reply | None:
    """Return the reply to small talk or to a question about the library; None for other questions.

    Args:
        documents: Returns the documents in the scope of the options; only questions about the library call
        it.
    """
    text = options.standalone or question
    asked = kind_of(text)
    if asked is not None and asked.kind.is_small_talk:
        return Reply(SMALL_TALK[asked.language][asked.kind.value])
    if asked is not None:
        return _of_library(asked, text, documents(), library)
    # "How many pages does it have?"
    history = [one for one in options.history if not is_aside(one.question)]
    if not history or options.standalone is not None or not is_follow_up(core(question)):
        return None
    before = kind_of(history[-1].question)
    if before is not None:
        standalone = _IT.sub(lambda _: before.name, question, count=1)
    else:
        standalone = carried_over(question, history)
    asked = kind_of(standalone)
    if asked is None or not asked.name:
        return None
    reply = _of_library(asked, standalone, documents(), library)
    return None if reply is None else Reply(reply.text, reply.cited, standalone)


def reply_events(
    question: str, reply: Reply, encoder: Encoder, *, llm: str | None = None, flags: tuple[str, ...] = ()
) -> Generator[AnswerEvent]:
    """Yield PassagesFound with the cited passages, a Delta and the Answer: nothing is searched.

    Args:
        llm: Name of the model that wrote the text; None where no model did.
    """
    started = time.perf_counter()
    if reply.standalone is not None:
        yield QuestionRewritten(reply.standalone)
    evidence = tuple(_evidence(number, one) for number, one in enumerate(reply.cited, start=1))
    hits = tuple(one.hit for one in evidence)
    result = SearchResult(Query(question, encoder), REPLY, None, True, hits, {"total": 0.0})
    yield PassagesFound(result, PromptContext(evidence, 0.0))
    yield Delta(reply.text)
    yield Answer(
        question=question,
        text=reply.text,
        outcome=Outcome.ANSWERED,
        strategy=REPLY,
        reranker=None,
        llm=llm or EXTRACTIVE,
        citations=tuple(citation_of(one, one.sentences[0]) for one in evidence),
        sentences=(),
        nearest=hits,
        evidence=evidence,
        relevance=0.0,
        timings_ms={"total": 1000 * (time.perf_counter() - started)},
        flags=flags,
        standalone_question=reply.standalone,
    )


def _evidence(number: int, mentioned: Mentions) -> Evidence:
    """Return the passage, with the sentence that mentions what was asked for."""
    chunk = mentioned.best
    start, end = mentioned.spans[0]
    spans = [(one.start, one.end) for one in sentence_spans(chunk.text)] or [(0, len(chunk.text))]
    first, last = next(((a, b) for a, b in spans if a <= start < b), (start, end))
    sentence = EvidenceSentence(chunk.start + first, chunk.start + last, chunk.text[first:last], 1.0)
    return Evidence(number, Hit(number, chunk, float(mentioned.passages), {}), (sentence,))


def _of_library(
    asked: AppQuestion, question: str, documents: Sequence[Document], library: Library
) -> Reply | None:
    if not documents and not asked.name:
        return Reply(OF_LIBRARY[asked.language][0])
    match asked.kind:
        case QuestionKind.MENTIONS | QuestionKind.ABOUT:
            return _mentioned(asked, documents, library)
        case QuestionKind.LIST | QuestionKind.COUNT:
            text: str | None = _listed(asked, question, documents)
        case QuestionKind.NEWEST | QuestionKind.OLDEST | QuestionKind.LONGEST:
            text = _extreme(asked, documents)
        case QuestionKind.SIZE:
            text = _sentence(asked, "size", **_totals(asked, documents))
        case QuestionKind.PAGES if not asked.name:
            text = _sentence(asked, "of all", **_totals(asked, documents))
        case _:
            text = _of_document(asked, documents)
    return None if text is None else Reply(text)


def _listed(asked: AppQuestion, question: str, documents: Sequence[Document]) -> str:
    _, one, several, more, *_ = OF_LIBRARY[asked.language]
    kind = ""
    if "pdf" in question.casefold():
        documents = [one for one in documents if one.name.casefold().endswith(".pdf")]
        kind = " (PDF)"
    counted = (one if len(documents) == 1 else several.format(count=len(documents))) + kind
    if asked.kind is QuestionKind.COUNT or not documents:
        return f"{counted}."
    names = _names(documents)
    lines = [f"{counted}:", "", *(f"- {name}" for name in names[:_MOST_NAMED])]
    if len(names) > _MOST_NAMED:
        lines += ["", more.format(count=len(names) - _MOST_NAMED)]
    return "\n".join(lines)


def _extreme(asked: AppQuestion, documents: Sequence[Document]) -> str:
    if asked.kind is QuestionKind.LONGEST:
        longest = max(documents, key=lambda one: one.pages)
        return _sentence(asked, "longest", name=longest.name, pages=_counted(asked, "page", longest.pages))
    if asked.kind is QuestionKind.OLDEST:
        oldest = min(documents, key=lambda one: one.added)
        return _sentence(asked, "oldest", name=oldest.name, day=_day(oldest))
    latest = max(documents, key=lambda one: one.added)
    return OF_LIBRARY[asked.language][5].format(name=latest.name, day=_day(latest))


def _of_document(asked: AppQuestion, documents: Sequence[Document]) -> str | None:
    """Return a document's pages, language or day; None without a document of that name.

    "When was fluoride added?" is for the documents, and so is "Do you have a dog?".
    """
    name = asked.name.strip()
    found = list(documents) if is_document_at_hand(name, documents) else documents_called(name, documents)
    if asked.kind is QuestionKind.ADDED and len(name.split()) < 2 and not _has_ending(name):
        return None
    if not found:
        told = asked.kind is QuestionKind.EXISTS and _has_ending(name)
        return _sentence(asked, "missing", name=name) if told else None
    return "\n".join(_of_one(asked, one) for one in found[:_MOST_NAMED])


def _of_one(asked: AppQuestion, document: Document) -> str:
    pages, day = _counted(asked, "page", document.pages), _day(document)
    match asked.kind:
        case QuestionKind.ADDED:
            return OF_LIBRARY[asked.language][4].format(name=document.name, day=day)
        case QuestionKind.EXISTS:
            return _sentence(asked, "exists", name=document.name, pages=pages, day=day)
        case QuestionKind.LANGUAGE:
            known = LANGUAGES[asked.language]
            language = known.get(document.language, document.language)
            return _sentence(asked, "language", name=document.name, language=language)
        case _:
            return _sentence(asked, "of one", name=document.name, pages=pages)


def _mentioned(asked: AppQuestion, documents: Sequence[Document], library: Library) -> Reply | None:
    """Return the documents that mention a subject; None for a subject that is a question of its own."""
    topic = _ARTICLE.sub("", asked.name)
    words = words_of(topic)
    if not 0 < len(words) <= _LONGEST_TOPIC or _ASKS.match(topic) or not documents:
        return None
    collections = tuple({one.collection_id for one in documents})
    scope = Scope(collections, frozenset(one.id for one in documents))
    found = mentions(library, topic, scope)
    if not found:
        if asked.kind is QuestionKind.ABOUT or len(words) > _LONGEST_UNKNOWN:
            return None
        if len(documents) == 1:
            return Reply(_sentence(asked, "unmentioned by one", name=documents[0].name, topic=topic))
        return Reply(
            _sentence(
                asked, "unmentioned", documents=_counted(asked, "document", len(documents)), topic=topic
            )
        )
    cited = tuple(found[:_MOST_CITED])
    lines = [
        _sentence(asked, "mentioned", topic=topic, documents=_counted(asked, "document", len(found))),
        "",
        *(f"- {_line(asked, one)} [{number}]" for number, one in enumerate(cited, start=1)),
    ]
    if len(found) > len(cited):
        left = _counted(asked, "document", len(found) - len(cited))
        lines += ["", _sentence(asked, "more", documents=left)]
    return Reply("\n".join(lines), cited)


def _line(asked: AppQuestion, mentioned: Mentions) -> str:
    best = mentioned.best
    if mentioned.passages == 1:
        return _sentence(asked, "line of one", name=best.document, page=best.page)
    passages = _counted(asked, "passage", mentioned.passages)
    return _sentence(asked, "line", name=best.document, passages=passages, page=best.page)


def _totals(asked: AppQuestion, documents: Sequence[Document]) -> dict[str, str]:
    return {
        "documents": _counted(asked, "document", len(documents)),
        "pages": _counted(asked, "page", sum(one.pages for one in documents)),
        "passages": _counted(asked, "passage", sum(one.chunks for one in documents)),
    }


def _counted(asked: AppQuestion, what: str, count: int) -> str:
    """Return "1 page", "2 pages" in the question's language."""
    told = CATALOGUE[asked.language]
    return (
        told[what]
        if count == 1
        else told[f"{what}s"].format(count=f"{count:,}" if asked.language == "en" else count)
    )


def _sentence(asked: AppQuestion, which: str, /, **values: object) -> str:
    return CATALOGUE[asked.language][which].format(**values)


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
