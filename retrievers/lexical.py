"""BM25 over SQLite's FTS5: the question's words, stemmed, any of them."""

import re

from ingestion.library import Library
from ingestion.stores.records import Scope
from retrievers.hits import Candidate, Query, Ranking
from retrievers.timing import Stopwatch

_WORD = re.compile(r"\w+")


class LexicalRetriever:
    """Robertson and Zaragoza's BM25, as FTS5 computes it (k1 = 1.2, b = 0.75): exact."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def rank(self, query: Query, scope: Scope, limit: int) -> Ranking:
        watch = Stopwatch()
        match = match_expression(query.text)
        with watch.stage("fts5"):
            found = self._library.catalogue.bm25(match, scope, limit) if match else []
        candidates = (Candidate(chunk, score, {"bm25": score}) for chunk, score in found)
        return Ranking(tuple(candidates), exact=True, timings_ms=watch.timings_ms)


def match_expression(text: str) -> str:
    """Return an FTS5 expression that matches any word of `text`; empty where it has none.

    Words are quoted, so that nothing a person types is read as FTS5 syntax.
    """
    words = dict.fromkeys(word.lower() for word in _WORD.findall(text))
    return " OR ".join(f'"{word}"' for word in words)
