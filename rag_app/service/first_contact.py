"""Questions to begin with: three that the documents of a collection answer, tried out in the background.

A question is offered once a search has found its own page first, and quotations of that page answer it. That
takes seconds, so it is done in a thread, while nothing else is asked, and kept until documents change.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import PurePath

from ingestion.errors import RagError, UnknownName
from ingestion.library import Library
from ingestion.library_documents import documents_in
from ingestion.storage.catalogue.records import Document
from rag_app.answering.answers import Answer, AskOptions
from rag_app.answering.questions.first_questions import FirstQuestion, first_questions, is_about
from rag_app.llm.choice import EXTRACTIVE
from retrievers.search import SearchResult

# Questions that are offered.
OFFERED = 3
# Documents that questions come from, and what is tried of each in a round; three rounds are made.
_DOCUMENTS, _TRIED = 12, 12
# Answers that are tried in all: each reads passages for a second or more.
_ANSWERS = 12
# Seconds between two looks whether the application is busy.
_PAUSE_S = 0.5

_logger = logging.getLogger(__name__)


class FirstQuestions:
    """The questions of each collection of one library. Safe to use from several threads."""

    def __init__(
        self,
        library: Library,
        options: Callable[[], AskOptions],
        search: Callable[[str, AskOptions], SearchResult],
        answer: Callable[[str, AskOptions], Answer],
        is_busy: Callable[[], bool],
    ) -> None:
        """
        Args:
            options: Returns those of a usual question.
            answer: Answers without recording it.
            is_busy: Whether documents are read or questions answered; then this waits.
        """
        self._library, self._options = library, options
        self._search, self._answer, self._is_busy = search, answer, is_busy
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def of(self, collection: str) -> tuple[str, ...]:
        """Return the questions of a collection as far as they are known; begin to look for them where its
        documents have changed."""
        changes = self._library.catalogue.database.changes
        with self._lock:
            seen, questions = self._known.get(collection, (-1, ()))
            is_looking = self._thread is not None and self._thread.is_alive()
            if seen != changes and not is_looking and not self._closed.is_set() and not self._is_busy():
                self._thread = threading.Thread(target=self._look, args=(collection, changes), daemon=True)
                self._thread.start()
        return questions

    def close(self) -> None:
        """Look no further, and wait for the end of what is being tried."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self, collection: str, changes: int) -> None:
        found: list[str] = []
        with suppress(UnknownName):  # the collection is empty, or gone
            try:
                for question in islice(self._answered(collection, changes), OFFERED):
                    found.append(question)
                    self._keep(collection, -1, found)  # it is offered at once; the others follow
            except RagError as error:
                _logger.warning("questions to begin with could not be tried: %s", type(error).__name__)
        if not self._closed.is_set():
            self._keep(collection, changes, found)

    def _keep(self, collection: str, changes: int, found: list[str]) -> None:
        with self._lock:
            self._known[collection] = (changes, tuple(found))

    def _answered(self, collection: str, changes: int) -> Iterator[str]:
        """Yield questions that are answered, of one document after the other."""
        documents = sorted(documents_in(self._library, (collection,)), key=lambda one: (one.label, one.id))
        candidates = [self._candidates(one) for one in documents[:_DOCUMENTS]]
        left = _ANSWERS
        told: set[str] = set()  # a subject is asked for in several ways
        for _ in range(3):
            for made in candidates:
                for one in islice(made, _TRIED):
                    self._wait()
                    if not left or self._closed.is_set() or self._has_changed(changes):
                        return
                    subject = one.subject or one.question
                    if subject in told or not self._is_found(one, collection):
                        continue
                    left -= 1
                    if self._is_answered(one, collection):
                        told.add(subject)
                        yield one.question
                        break

    def _has_changed(self, changes: int) -> bool:
        return self._library.catalogue.database.changes != changes

    def _candidates(self, document: Document) -> Iterator[FirstQuestion]:
        parsed = self._library.catalogue.parsed(document)
        title = self._library.fields.of([document])[document.id].values.title
        name = title or PurePath(document.label).stem
        headings = self._library.catalogue.headings(document.id)
        return first_questions(document.id, name, document.language, parsed.pages, headings)

    def _wait(self) -> None:
        while self._is_busy() and not self._closed.wait(_PAUSE_S):
            pass

    def _is_found(self, one: FirstQuestion, collection: str) -> bool:
        hits = self._search(one.question, self._asked(collection)).hits
        return bool(hits) and (hits[0].chunk.document_id, hits[0].chunk.page) == (one.document_id, one.page)

    def _is_answered(self, one: FirstQuestion, collection: str) -> bool:
        answer = self._answer(one.question, self._asked(collection))
        if answer.abstained or not answer.citations:
            return False
        first = answer.citations[0]
        on_its_page = (first.document_id, first.page) == (one.document_id, one.page)
        return on_its_page and is_about(answer.text.partition("\n\n")[0], one.subject)

    def _asked(self, collection: str) -> AskOptions:
        return replace(self._options(), collections=(collection,), llm=EXTRACTIVE)
