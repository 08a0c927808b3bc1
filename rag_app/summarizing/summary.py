"""A summary of whole documents as an answer: with progress and citations."""

import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath

import numpy as np
from langchain_core.runnables import RunnableConfig

from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, Scope, document_of_chunk
from rag_app.answering.answerer import Answerer
from rag_app.answering.answers import (
    Answer,
    AnswerEvent,
    AnswerProgress,
    CitedAnswer,
    Delta,
    Evidence,
    EvidenceSentence,
    Outcome,
    PassagesFound,
    PromptContext,
)
from rag_app.answering.chain import sent_away
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.answering.citations import cite_quotations
from rag_app.answering.prompt_injection import flags
from rag_app.answering.written.answer_text import AnswerText
from rag_app.llm.choice import EXTRACTIVE
from rag_app.summarizing.facility import representatives
from rag_app.summarizing.mapreduce import MapReduce
from rag_app.summarizing.representative import MOST_CHUNKS, Budget, Quotation, quotations
from rag_app.summarizing.whole_documents import (
    Floats,
    ScopedDocuments,
    evenly,
    read_chunks,
    read_vectors,
    whole_of,
)
from retrievers.hits import Hit, Query
from retrievers.search import SearchResult

STRATEGY = "summary"
NOTHING = "There is no text here to summarise."

# The most documents in a summary of a library, and in its first line.
_MOST_DOCUMENTS = 12
_BUDGET = Budget()
# Passages and words for each of several documents; the words allow one sentence.
_PASSAGES, _LEAST_WORDS = 10, 45


def summarise(
    library: Library,
    scope: Scope,
    answerer: Answerer,
    *,
    question: str | None = None,
    passages: int = MOST_CHUNKS,
    config: RunnableConfig | None = None,
    notes: Sequence[str] = (),
) -> Generator[AnswerEvent]:
    """Yield AnswerProgress("read") as passages are read, PassagesFound, Deltas and the Answer.

    An LLM reads all passages and writes; without one, representative sentences are quoted. A scope without
    text gives an Answer that abstains. Closing the generator stops the model.

    Args:
        question: The question that asks for the summary; None: it is derived from the documents.
        passages: The most passages that an LLM reads; of more, that many at even distances.
        notes: Flags of a summary by quotations.

    Raises:
        RagError: A store or a model fails.
    """
    whole = whole_of(library, scope)
    writing = _SummaryWriter(library, question or f"Summarise {_named(whole.documents)}", time.perf_counter())
    if not whole.documents:
        yield from writing.abstain(answerer.name)
    elif isinstance(answerer, ChatAnswerer) and not answerer.completes:
        yield from _written(writing, whole, answerer, passages, config or {})
    else:
        yield from _quoted(writing, whole, notes)


@dataclass(frozen=True, slots=True)
class _SummaryWriter:
    """One summary: makes its events."""

    library: Library
    question: str
    started: float

    def elapsed_ms(self) -> float:
        return 1000 * (time.perf_counter() - self.started)

    def found(self, evidence: Sequence[Evidence], *, exact: bool) -> PassagesFound:
        """Return the event with the passages that the summary cites from."""
        read_ms = self.elapsed_ms()
        query = Query(self.question, self.library.encoder)
        hits = tuple(item.hit for item in evidence)
        timings = {"read": read_ms, "total": read_ms}
        return PassagesFound(
            SearchResult(query, STRATEGY, None, exact, hits, timings), PromptContext(tuple(evidence), 1.0)
        )

    def answer(self, found: PassagesFound, cited: CitedAnswer, llm: str, notes: Sequence[str]) -> Answer:
        """Return the finished summary. Its relevance is 1, because it covers the whole scope."""
        total = self.elapsed_ms()
        read = found.result.timings_ms["read"]
        return Answer(
            question=self.question,
            text=cited.text,
            outcome=Outcome.ANSWERED,
            strategy=STRATEGY,
            reranker=None,
            llm=llm,
            citations=cited.citations,
            sentences=cited.sentences,
            nearest=found.result.hits,
            evidence=found.packed.evidence,
            relevance=1.0,
            timings_ms={"read": read, "write": total - read, "total": total},
            flags=tuple(notes),
        )

    def abstain(self, llm: str) -> Iterator[AnswerEvent]:
        """Yield the answer for a scope without text."""
        found = self.found((), exact=True)
        yield found
        yield Delta(NOTHING)
        yield replace(self.answer(found, CitedAnswer(NOTHING, (), ()), llm, ()), outcome=Outcome.NOTHING)


def _quoted(writing: _SummaryWriter, whole: ScopedDocuments, notes: Sequence[str]) -> Iterator[AnswerEvent]:
    """Summarise without an LLM."""
    yield AnswerProgress("read", 0, whole.chunks)
    chosen = _covering(writing.library, whole)
    several = len(whole.documents) > 1
    found: list[Quotation] = []
    done = 0
    for document in chosen:
        if several:
            known = [each.text for each in found]
            budget = _share_of_budget(len(chosen))
            found += quotations(writing.library, whole, document, budget, passages=_PASSAGES, known=known)
        else:
            found += quotations(writing.library, whole, document, _BUDGET)
        done += whole.chunks_of(document)
        yield AnswerProgress("read", done, whole.chunks)
    yield AnswerProgress("read", whole.chunks, whole.chunks)
    if not found:
        yield from writing.abstain(EXTRACTIVE)
        return
    pairs = _evidence(found)
    evidence = list({item.number: item for item, _ in pairs}.values())
    result = writing.found(evidence, exact=whole.chunks <= MOST_CHUNKS)
    yield result
    pieces = [f"{overview(whole.documents)}\n\n"] if several else []
    before = None
    for item, sentence in pairs:
        chunk = item.hit.chunk
        begin = "\n\n" if before else ""
        name = f"{chunk.document}: " if several and chunk.document_id != before else ""
        pieces.append(f"{begin}{name}{' '.join(sentence.text.split())} [{item.number}]")
        before = chunk.document_id
    yield from map(Delta, pieces)
    cited = cite_quotations(pairs, "".join(pieces))
    yield writing.answer(result, cited, EXTRACTIVE, (*notes, *flags(evidence)))


def _share_of_budget(documents: int) -> Budget:
    """Return the budget of one of several documents."""
    return Budget(max(1, _BUDGET.sentences // documents), max(_LEAST_WORDS, _BUDGET.words // documents))


def _evidence(found: Sequence[Quotation]) -> list[tuple[Evidence, EvidenceSentence]]:
    """Return the quotations with their passages, numbered in order."""
    by_chunk: dict[str, list[Quotation]] = {}
    for each in found:
        by_chunk.setdefault(each.chunk.id, []).append(each)
    pairs = []
    for number, group in enumerate(by_chunk.values(), start=1):
        sentences = tuple(EvidenceSentence(q.start, q.end, q.text, q.score) for q in group)
        best = max(each.score for each in group)
        item = Evidence(number, Hit(number, group[0].chunk, best, {"representative": best}), sentences)
        pairs += [(item, sentence) for sentence in sentences]
    return pairs


def _written(
    writing: _SummaryWriter,
    whole: ScopedDocuments,
    answerer: ChatAnswerer,
    passages: int,
    config: RunnableConfig,
) -> Iterator[AnswerEvent]:
    """Summarise with an LLM."""
    ids = _to_read(whole, passages)
    what = _named(whole.documents)
    nonce = writing.library.catalogue.nonce(what)
    model = MapReduce(answerer, what=what, nonce=nonce, config=config)
    with closing(model.read(read_chunks(writing.library, ids), len(ids))) as reading:
        last = yield from reading
    if last is None:
        yield from writing.abstain(answerer.name)
        return
    notes = [*sent_away(answerer.leaves_machine), *last.flags]
    if len(ids) < whole.chunks:
        notes.append(f"{len(ids):,} of {whole.chunks:,} passages were read, at even distances")
    result = writing.found(last.evidence, exact=len(ids) == whole.chunks)
    yield result
    head = f"{overview(whole.documents)}\n\n" if len(whole.documents) > 1 else ""
    if head:
        yield Delta(head)
    written = AnswerText("", {item.number for item in last.evidence})
    with closing(model.write(last)) as pieces:
        for piece in pieces:
            yield Delta(written.feed(piece)) if isinstance(piece, str) else piece
            if written.is_over:
                break
    if rest := written.finish():
        yield Delta(rest)
    cited = model.cite(written.text(), last.evidence)
    yield writing.answer(result, replace(cited, text=head + cited.text), answerer.name, notes)


def _to_read(whole: ScopedDocuments, limit: int) -> list[str]:
    """Return the chunks that an LLM reads, in reading order: all, or about `limit`, some of each document."""
    share = limit / max(1, whole.chunks)
    if share >= 1:
        return [each for document in whole.documents for each in whole.chunk_ids(document)]
    documents = [whole.documents[place] for place in evenly(len(whole.documents), limit)]
    return [
        each
        for document in documents
        for each in whole.chunk_ids(document, max(1, int(share * whole.chunks_of(document))))
    ]


def _covering(library: Library, whole: ScopedDocuments) -> list[Document]:
    """Return the documents that represent all, in their order; all of a few."""
    if len(whole.documents) <= _MOST_DOCUMENTS:
        return list(whole.documents)
    some = [whole.documents[place] for place in evenly(len(whole.documents), MOST_CHUNKS)]
    centres = _centres(library, whole, some)
    if not centres:
        return some[:_MOST_DOCUMENTS]
    places = sorted(centres)
    matrix = np.array([centres[place] for place in places], np.float32)
    chosen = islice(representatives(matrix @ matrix.T), _MOST_DOCUMENTS)
    return [some[places[column]] for column in sorted(column for column, _ in chosen)]


def _centres(library: Library, whole: ScopedDocuments, documents: Sequence[Document]) -> dict[int, Floats]:
    """Return a document's place → the mean direction of some of its chunks."""
    each = max(1, MOST_CHUNKS // len(documents))
    places = {document.id: place for place, document in enumerate(documents)}
    sums: dict[int, Floats] = {}
    for collection in {document.collection_id for document in documents}:
        ids = [
            chunk
            for document in documents
            if document.collection_id == collection
            for chunk in whole.chunk_ids(document, each)
        ]
        for chunk, vector in zip(*read_vectors(library, collection, ids), strict=True):
            place = places[document_of_chunk(chunk)]
            sums[place] = sums[place] + vector if place in sums else vector
    return {place: total / (np.linalg.norm(total) or 1) for place, total in sums.items()}


def overview(documents: Sequence[Document]) -> str:
    """Return a line with the numbers of documents and pages, the kinds, and the names."""
    kinds = Counter(PurePath(document.name).suffix.lstrip(".").lower() or "text" for document in documents)
    pages = sum(document.pages for document in documents)
    names = [document.label for document in documents[:_MOST_DOCUMENTS]]
    more = f" and {len(documents) - len(names)} more" if len(documents) > len(names) else ""
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    count = "1 document" if len(documents) == 1 else f"{len(documents):,} documents"
    return f"{count}, {pages:,} {'page' if pages == 1 else 'pages'} ({listed}): {', '.join(names)}{more}."


def _named(documents: Sequence[Document]) -> str:
    return documents[0].label if len(documents) == 1 else f"{len(documents):,} documents"
