"""BM25 over the index of words.

    score(q, d) = Σ over the query's words of idf · f · (k1 + 1) / (f + k1 · (1 - b + b · |d| / mean |d|))

(Robertson and Zaragoza, 2009; k1 = 1.2, b = 0.75), as FTS5 computes it. FTS5 scores every chunk that has any
of the words, 1.5 µs each, and nearly every chunk has one of a question's. So in a large library the words
that most chunks have are left out: these tell the least.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.storage.catalogue.database import Database, marks
from ingestion.storage.catalogue.records import Scope
from ingestion.text.spelling import ENGLISH_LETTERS, LETTERS, can_be_misspelt, neighbours
from ingestion.text.stopwords import is_stopword
from ingestion.text.terms import Analyser

# Chunks that are scored: 15 ms. A library of fewer is never cut short.
MOST_SCORED = 20_000
# Where another stage orders what is found, a twentieth of the library is scored, 5,000 chunks at least: of
# the library's best by MaxSim that lost 0.3 % nDCG@10 on COVID-QA and nothing on xquad and cranfield.
CANDIDATE_SHARE = 20
FEWEST_SCORED = 5_000
_ENGLISH = frozenset({"en", "und"})
_ROWS = "SELECT min(rowid) AS first, max(rowid) AS last FROM chunks WHERE document_id = ?"
# First so many times the wanted chunks are ranked before they are narrowed to the scope.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class WordHits:
    """(chunk id, BM25 score), best first. `exact`: all of the question's words counted."""

    hits: list[tuple[str, float]]
    exact: bool


class WordIndex:
    """Finds chunks by words. `most_scored` is how many chunks a question may cost, unless its rarest word
    alone is in more."""

    def __init__(self, database: Database, analyser: Analyser, most_scored: int = MOST_SCORED) -> None:
        self._database = database
        self._analyser = analyser
        self._most_scored = most_scored
        self._lock = threading.Lock()
        self._as_of = -1
        self._languages: dict[tuple[int, ...], list[str]] = {}
        self._counts: dict[str, int] = {}
        database.rows("CREATE VIRTUAL TABLE temp.word_counts USING fts5vocab ('main', 'chunk_index', 'row')")

    def search(self, question: str, scope: Scope, limit: int, *, candidates: bool = False) -> WordHits:
        """Return the best chunks of the scope for a question's words. Scores are positive, higher is better;
        the context column counts as much as the text. As `candidates`, of a large library, fewer are scored.
        """
        if not scope.collections:
            return WordHits([], True)
        words = self._analyser.query(question, self.languages(scope.collections))
        kept = self._affordable(words, candidates=candidates)
        if not kept:
            return WordHits([], True)
        match = " OR ".join(term for word in kept for term in sorted(word))
        return WordHits(self._best(match, scope, limit), len(kept) == len(words))

    def holding(self, texts: Sequence[str], scope: Scope, limit: int) -> list[str]:
        """Return chunks of the scope that have every word of one of the texts, by BM25; of a text that is
        one word, that word."""
        languages = self.languages(scope.collections) if scope.collections else []
        asked = [self._analyser.query(text, languages) for text in texts]
        wholes = [self._analyser.whole(text, languages) for text in texts]
        asked += [[whole] for whole in wholes if whole]
        expressions = [
            " AND ".join(f"({' OR '.join(sorted(word))})" for word in words) for words in asked if words
        ]
        if not expressions or not languages:
            return []
        match = " OR ".join(f"({one})" for one in dict.fromkeys(expressions))
        return [chunk for chunk, _ in self._best(match, scope, limit)]

    def near(self, word: str, scope: Scope) -> list[str]:
        """Return the spellings at one typing error from a word that chunks of the library have, those that
        most have first; none for a word that is short, or that a chunk has as it is.

        Terms are stems: a spelling that is no word may stand for one.
        """
        languages = self.languages(scope.collections) if scope.collections else []
        plain = word.casefold()
        if not can_be_misspelt(plain) or is_stopword(plain) or self._chunks_with([plain], languages):
            return []
        letters = ENGLISH_LETTERS if plain.isascii() and _ENGLISH.issuperset(languages) else LETTERS
        counts = self._chunks_with(dict.fromkeys(neighbours(plain, letters)), languages)
        return sorted(counts, key=lambda one: (-counts[one], one))

    def known(self, words: Iterable[str], scope: Scope) -> set[str]:
        """Return those of some words that chunks of the library have, by their stems."""
        languages = self.languages(scope.collections) if scope.collections else []
        return set(self._chunks_with(dict.fromkeys(words), languages))

    def _chunks_with(self, words: Iterable[str], languages: Sequence[str]) -> dict[str, int]:
        """Return how many chunks have each of some words in lower case, without those that none has."""
        terms = {word: self._analyser.whole(word, languages) for word in words}
        every = sorted({term for some in terms.values() for term in some})
        rows = self._database.rows(
            "SELECT term, doc FROM temp.word_counts WHERE term IN (SELECT value FROM json_each(?))",
            (json.dumps(every),),
        )
        counts = {row["term"]: int(row["doc"]) for row in rows}
        totals = {word: sum(counts.get(term, 0) for term in some) for word, some in terms.items()}
        return {word: total for word, total in totals.items() if total}

    def _best(self, match: str, scope: Scope, limit: int) -> list[tuple[str, float]]:
        """Return the best chunks of the scope for a query of FTS5.

        To look up every scored chunk's document takes as long as the scores. So the best of the whole index
        are looked up first, and all only if the scope has too few of these. Of a single document, whose
        chunks lie beside each other, no others are scored.
        """
        where, parameters = within(scope)
        ranked = "SELECT rowid, -bm25(chunk_index) AS score FROM chunk_index WHERE chunk_index MATCH ? "
        ahead = _AHEAD * limit
        with self._database.reading() as connection:
            if scope.documents is not None and len(scope.documents) == 1:
                (row,) = connection.execute(_ROWS, [*scope.documents]).fetchall()
                if row["first"] is None:
                    return []
                ranked += f"AND rowid BETWEEN {row['first']:d} AND {row['last']:d} "
            best = connection.execute(
                f"{ranked} ORDER BY score DESC, rowid LIMIT ?", (match, ahead)
            ).fetchall()
            inside = dict(
                connection.execute(
                    # In this order: SQLite would rather look through all chunks of the collections.
                    "SELECT c.rowid, c.id FROM json_each(?) best CROSS JOIN chunks c ON c.rowid = best.value "
                    f"CROSS JOIN documents d ON d.id = c.document_id WHERE {where}",
                    [json.dumps([row["rowid"] for row in best]), *parameters],
                ).fetchall()
            )
            hits = [(inside[row["rowid"]], float(row["score"])) for row in best if row["rowid"] in inside]
            if len(hits) >= limit or len(best) < ahead:
                return hits[:limit]
            rows = connection.execute(
                f"SELECT c.id, scored.score FROM ({ranked}) scored JOIN chunks c ON c.rowid = scored.rowid "
                f"JOIN documents d ON d.id = c.document_id WHERE {where} "
                "ORDER BY scored.score DESC, c.rowid LIMIT ?",
                [match, *parameters, limit],
            ).fetchall()
        return [(row["id"], float(row["score"])) for row in rows]

    def languages(self, collections: Sequence[int]) -> list[str]:
        """Return the languages of the documents in the collections."""
        key = tuple(collections)
        with self._lock:
            self._forget_old()
            if key not in self._languages:
                rows = self._database.rows(
                    f"SELECT DISTINCT language FROM documents WHERE collection_id IN ({marks(key)})",
                    key,
                )
                self._languages[key] = [row["language"] for row in rows]
            return self._languages[key]

    def _affordable(self, words: Sequence[frozenset[str]], *, candidates: bool) -> list[frozenset[str]]:
        """Return the words, without the most frequent ones if all would cost too much."""
        (row,) = self._database.rows("SELECT coalesce(max(rowid), 0) AS most FROM chunks")
        if row["most"] <= self._most_scored:
            return list(words)
        most_scored = self._most_scored
        if candidates:
            most_scored = min(max(row["most"] // CANDIDATE_SHARE, FEWEST_SCORED), most_scored)
        counts = {word: sum(map(self._count, word)) for word in words}
        kept: set[frozenset[str]] = set()
        total = 0
        for word in sorted(counts, key=lambda word: (counts[word], sorted(word))):
            total += counts[word]
            if total > most_scored and any(counts[one] for one in kept):
                break
            kept.add(word)
        return [word for word in words if word in kept]

    def _count(self, term: str) -> int:
        """Return how many chunks have a term."""
        with self._lock:
            self._forget_old()
            if term not in self._counts:
                rows = self._database.rows("SELECT doc FROM temp.word_counts WHERE term = ?", (term,))
                self._counts[term] = int(rows[0]["doc"]) if rows else 0
            return self._counts[term]

    def _forget_old(self) -> None:
        if self._as_of != self._database.changes:
            self._as_of = self._database.changes
            self._languages.clear()
            self._counts.clear()


def within(scope: Scope) -> tuple[str, list[Any]]:
    """Return a scope as a condition of SQL on documents d and chunks c, and its parameters."""
    where = [f"d.collection_id IN ({marks(scope.collections)})"]
    parameters: list[Any] = [*scope.collections]
    if scope.documents is not None:
        where.append("d.id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(sorted(scope.documents)))
    if scope.pages is not None:
        where.append("c.page BETWEEN ? AND ?")
        parameters.extend(scope.pages)
    return " AND ".join(where), parameters
