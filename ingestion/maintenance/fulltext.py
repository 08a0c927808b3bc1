"""Whether the index of words holds exactly the terms of the stored text, and a way to make it writable."""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from ingestion.errors import LibraryError
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.database import Database
from ingestion.storage.catalogue.rows import chunk_terms

Entry = tuple[object, ...]

_COLUMNS = ("context", "body")
_MASK = (1 << 64) - 1
_BATCH = 10_000


def words_fault(catalogue: Catalogue, check: Callable[[], None]) -> str | None:
    """Return what is wrong with the index of words, or None. No document may change meanwhile.

    FTS5's own check finds whether the index can be searched, but of one that keeps no text not whether
    it is right. So every (term, chunk, column, place) in it is compared with those of the text, too, by
    a sum that does not depend on order.
    Documents whose text cannot be read are left out of it. `check` may raise to stop the work.
    """
    database = catalogue.database
    try:
        stored = {row[0] for row in database.rows("SELECT id FROM chunk_index_docsize")}
        chunks = {row[0] for row in database.rows("SELECT rowid FROM chunks")}
        if stored != chunks:
            return (
                f"{len(chunks - stored)} chunks are missing from the index of words and "
                f"{len(stored - chunks)} are too many"
            )
        database.rows("INSERT INTO chunk_index (chunk_index) VALUES ('integrity-check')")
        unreadable: set[object] = set()
        expected = _sum(_in_text(catalogue, unreadable), check)
        with closing(_indexed(database)) as entries:
            held = _sum((entry for entry in entries if entry[1] not in unreadable), check)
        averages = _averages(database)
    except LibraryError as error:
        return f"the index of words cannot be read: {error}"
    if held != expected:
        return "the index of words does not hold the words of the text"
    if not unreadable and averages != (len(chunks), *expected[0]):
        return "the index of words has wrong averages, by which BM25 scores"
    return None


def rebuild_words(catalogue: Catalogue) -> None:
    """Make the index anew from the text. Raises LibraryError where this cannot be done, ValueError for
    text that cannot be read; then it is as it was, or empty if it was ruined."""
    try:
        catalogue.rebuild_words()
    except LibraryError:
        reset_words(catalogue)
        catalogue.rebuild_words()


def reset_words(catalogue: Catalogue) -> None:
    """Empty the tables beneath the index of words, so that even a ruined one can be dropped."""
    with catalogue.transaction() as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.fresh USING fts5 (context, body, content='')")
        for table in ("data", "idx", "docsize", "config"):
            connection.execute(f"DELETE FROM main.chunk_index_{table}")
            connection.execute(f"INSERT INTO main.chunk_index_{table} SELECT * FROM temp.fresh_{table}")
        connection.execute("DROP TABLE temp.fresh")


def _in_text(catalogue: Catalogue, unreadable: set[object]) -> Iterator[Entry]:
    """Yield what the index should hold; add the rows of chunks that cannot be read to `unreadable`."""
    # Also of documents that wait to be erased.
    for identity, language in catalogue.database.rows("SELECT id, language FROM documents"):
        try:
            with catalogue.database.reading() as connection:
                chunks = list(chunk_terms(connection, identity, language, catalogue.terms))
        except (LibraryError, ValueError):
            sql = "SELECT rowid FROM chunks WHERE document_id = ?"
            unreadable |= {row[0] for row in catalogue.database.rows(sql, (identity,))}
            continue
        for row, *texts in chunks:
            for column, text in zip(_COLUMNS, texts, strict=True):
                for place, term in enumerate(text.split()):
                    yield term, row, column, place


def _indexed(database: Database) -> Generator[Entry, None, None]:
    """Yield what the index holds, some at a time, so that searches come between."""
    database.rows(
        "CREATE VIRTUAL TABLE temp.indexed_words USING fts5vocab('main', 'chunk_index', 'instance')"
    )
    try:
        with database.reading() as connection:
            cursor = connection.execute('SELECT term, doc, col, "offset" FROM temp.indexed_words')
        with closing(cursor):
            while rows := _next(database, cursor):
                yield from map(tuple, rows)
    finally:
        database.rows("DROP TABLE temp.indexed_words")


def _next(database: Database, cursor: sqlite3.Cursor) -> list[sqlite3.Row]:
    with database.reading():
        return cursor.fetchmany(_BATCH)


def _averages(database: Database) -> tuple[int, ...]:
    """Return FTS5's own count of the rows, and of the terms in each column."""
    rows = database.rows("SELECT block FROM chunk_index_data WHERE id = 1")
    values, value = [], 0
    for byte in rows[0]["block"] if rows else b"":  # SQLite's varints: seven bits a byte, high ones first
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            values.append(value)
            value = 0
    return tuple(values) or (0,) * (1 + len(_COLUMNS))


def _sum(entries: Iterable[Entry], check: Callable[[], None]) -> tuple[tuple[int, ...], int]:
    """Return the number of entries in each column, and the sum of their hashes (this process's own)."""
    counts = dict.fromkeys(_COLUMNS, 0)
    total = 0
    for number, entry in enumerate(entries):
        if number % _BATCH == 0:
            check()
        total = (total + hash(entry)) & _MASK
        if entry[2] in counts:  # a damaged one may be in none
            counts[str(entry[2])] += 1
    return tuple(counts.values()), total
