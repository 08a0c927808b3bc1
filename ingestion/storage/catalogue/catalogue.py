"""The catalogue: one SQLite file that is the truth about the documents of a library.

Chroma and the token store follow it: a document that the catalogue does not list is not there, even if
they still hold its vectors. Every visible change is one transaction. The journal names the versions
whose vectors may lie in the other stores without belonging there; they are erased on opening.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from ingestion.documents import Heading, Page, PageFailure, ParsedDocument, Status
from ingestion.encoders import BLOCK_CHUNKS
from ingestion.errors import InvalidInput, UnknownName
from ingestion.storage.catalogue.database import Database, marks, storable
from ingestion.storage.catalogue.fulltext import WordIndex, within
from ingestion.storage.catalogue.journal import Journal
from ingestion.storage.catalogue.labels import Labels
from ingestion.storage.catalogue.records import Document, Scope, StoredChunk
from ingestion.storage.catalogue.rows import heading_from, layout_from, rebuild_words
from ingestion.storage.catalogue.schema import ensure_schema
from ingestion.storage.catalogue.sources import Sources
from ingestion.storage.catalogue.texts import Slice, read_slices, slice_in
from ingestion.storage.timing import utc_now
from ingestion.text.names import composed
from ingestion.text.terms import ANALYSER, Analyser

DEFAULT_COLLECTION = "default"
_COLLECTION_NAME = re.compile(r"[\w][\w .-]{0,62}")


class Catalogue:
    """Documents, pages, chunks and words. Safe to use from several threads; statements take turns."""

    def __init__(self, path: Path) -> None:
        """Open or create the catalogue.

        Raises LibraryDamaged where the file is no SQLite database, LibraryError where it cannot be
        opened or has the schema of another version of the application.
        """
        self.database = Database(path, ensure_schema)
        self.journal = Journal(self.database)
        self.sources = Sources(self.database)
        self.labels = Labels(self.database)
        try:
            (row,) = self.database.rows("SELECT value FROM facts WHERE name = 'words key'")
            self._key: bytes = row["value"]
            self.analyser = Analyser(self._key)
            if self._fact("analyser") != ANALYSER:
                self.rebuild_words()
            self.words = WordIndex(self.database, self.analyser)
        except BaseException:
            self.database.close()
            raise

    def close(self) -> None:
        self.database.close()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """See `Database.transaction`; searches notice the change."""
        return self.database.transaction(changes_documents=True)

    def terms(self, text: str, language: str) -> str:
        """Return a text's terms as the index gets them."""
        return " ".join(self.analyser.terms(text, language))

    def nonce(self, text: str) -> str:
        """Return eight characters that nobody without this library can guess; the same for the same text."""
        keyed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=4)
        return keyed.hexdigest()

    def rebuild_words(self) -> None:
        """Fill the index of words anew from the text: after a change of the analyser, or to repair it."""
        documents = self.documents()
        with self.transaction() as connection:
            rebuild_words(connection, documents, self.terms)
            connection.execute(
                "INSERT OR REPLACE INTO facts (name, value) VALUES ('analyser', ?)", (ANALYSER,)
            )

    def _fact(self, name: str) -> Any:
        rows = self.database.rows("SELECT value FROM facts WHERE name = ?", (name,))
        return rows[0]["value"] if rows else None

    # Collections

    def collections(self) -> dict[str, int]:
        """Return every collection's id by name."""
        rows = self.database.rows("SELECT id, name FROM collections ORDER BY name")
        return {row["name"]: row["id"] for row in rows}

    def ensure_collection(self, name: str) -> int:
        """Return the id of the collection, creating it. Raises InvalidInput for an unusable name."""
        identity, _ = self.find_or_create_collection(name)
        return identity

    def find_or_create_collection(self, name: str) -> tuple[int, bool]:
        """Return the collection's id, and whether this call made it. Raises InvalidInput for a bad name."""
        known = self.collections()
        if name in known:
            return known[name], False
        check_collection_name(name)
        with self.database.transaction() as connection:
            made = connection.execute(
                "INSERT OR IGNORE INTO collections (name, created) VALUES (?, ?)", (name, utc_now())
            )
            (row,) = connection.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchall()
            return int(row["id"]), made.rowcount == 1

    def collection_ids(self, names: Sequence[str] = ()) -> tuple[int, ...]:
        """Return the ids of collections; of the default one when none is named. Raises UnknownName."""
        known = self.collections()
        for name in names:
            if name not in known:
                raise UnknownName("collection", name, known)
        return tuple(dict.fromkeys(known[name] for name in names or [DEFAULT_COLLECTION]))

    def scope(self, collections: Sequence[str] = (), documents: Sequence[str] = ()) -> Scope:
        """Return the scope for names as people give them.

        No collection means the default one. A document is named as for `find`. Raises UnknownName for a
        collection or document that is not there.
        """
        ids = self.collection_ids(collections)
        if not documents:
            return Scope(ids)
        return Scope(ids, frozenset(d.id for name in documents for d in self.find(name, ids)))

    # Documents

    def documents(self, collections: Sequence[int] | None = None) -> list[Document]:
        """Return the visible documents, ordered by collection and name."""
        where, parameters = "", list(collections or ())
        if collections is not None:
            where = f"WHERE d.collection_id IN ({marks(parameters)})"
        return self._labelled(self._documents(where, parameters))

    def document(self, document_id: str) -> Document | None:
        found = self._labelled(self._documents("WHERE d.id = ?", (document_id,)))
        return found[0] if found else None

    def find(self, name: str, collections: Sequence[int]) -> list[Document]:
        """Return the documents with that id, label, name or path, or whose path ends in that.

        A document that lies under several paths goes by the name of each. Raises UnknownName where there is
        none.
        """
        documents = self.documents(collections)
        wanted = composed(name)
        found = [document for document in documents if wanted in (document.id, document.label)]
        found = found or [one for one in documents if one.name == wanted or one.called(wanted)]
        if not found:
            raise UnknownName("document", name, {document.label for document in documents})
        return found

    def _labelled(self, documents: Sequence[Document]) -> list[Document]:
        labels = self.labels.of((document.id, document.name) for document in documents)
        return [replace(document, label=labels[document.id]) for document in documents]

    def by_source(self, collection_id: int, path: str) -> Document | None:
        where = "JOIN sources s ON s.document_id = d.id WHERE s.collection_id = ? AND s.path = ?"
        found = self._documents(where, (collection_id, path))
        return found[0] if found else None

    def by_content(self, sha256: str, collection_id: int | None = None) -> Document | None:
        """Return a document with these bytes, in the collection or in any."""
        where = "WHERE d.sha256 = ?1 AND d.collection_id = coalesce(?2, d.collection_id)"
        found = self._documents(where, (sha256, collection_id))
        return found[0] if found else None

    def without_sources(self, among: Collection[str]) -> list[Document]:
        """Return those of the documents with these ids that lie at no path any more."""
        unlinked = "NOT EXISTS (SELECT 1 FROM sources o WHERE o.document_id = d.id)"
        where = f"WHERE d.id IN (SELECT value FROM json_each(?)) AND {unlinked}"
        return self._documents(where, (json.dumps(sorted(among)),))

    def _documents(self, where: str, parameters: Sequence[Any]) -> list[Document]:
        with self.database.reading() as connection:
            rows = connection.execute(_DOCUMENTS.format(where=where), parameters).fetchall()
            titled = [row for row in rows if row["title_start"] is not None]
            titles = self._slices([(row["text_id"], slice_in(row, "title")) for row in titled])
        by_id = {row["id"]: title for row, title in zip(titled, titles, strict=True)}
        return [_document(row, by_id.get(row["id"])) for row in rows]

    def of_content(self, sha256: str) -> list[Document]:
        """Return all documents with these bytes, whatever their collection."""
        return self._documents("WHERE d.sha256 = ?", (sha256,))

    def has_documents(self) -> bool:
        """Whether there is a visible document."""
        return bool(self.database.rows("SELECT 1 FROM documents WHERE collection_id IS NOT NULL LIMIT 1"))

    # Pages and chunks

    def page(self, document_id: str, number: int) -> Page | None:
        pages = self._pages(document_id, "AND p.number = ?", (storable(number),))
        return pages[0] if pages else None

    def parsed(self, document: Document) -> ParsedDocument:
        """Return a document as it was parsed: what its chunks are made from."""
        with self.database.reading():
            pages = self._pages(document.id)
            headings = tuple(self.headings(document.id))
        failures = tuple(self.page_failures(document.id))
        state = document.status, document.error, document.title, document.pages
        return ParsedDocument(*state, tuple(pages), failures, headings, document.warnings)

    def headings(self, document_id: str, page: int | None = None) -> list[Heading]:
        """Return a document's headings in order; of one page, where that is given."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT h.*, d.text_id FROM headings h JOIN documents d ON d.id = h.document_id "
                "WHERE d.id = ?1 AND d.collection_id IS NOT NULL AND h.page = coalesce(?2, h.page) "
                "ORDER BY h.rowid",
                (document_id, page),
            ).fetchall()
            titles = self._slices([(row["text_id"], slice_in(row, "text")) for row in rows])
        return [heading_from(row, title) for row, title in zip(rows, titles, strict=True)]

    def _pages(self, document_id: str, where: str = "", parameters: Sequence[Any] = ()) -> list[Page]:
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT p.*, d.text_id FROM pages p JOIN documents d ON d.id = p.document_id "
                f"WHERE d.id = ? AND d.collection_id IS NOT NULL {where} ORDER BY p.number",
                (document_id, *parameters),
            ).fetchall()
            texts = self._slices([(row["text_id"], slice_in(row, "text")) for row in rows])
        return [
            Page(row["number"], text, row["label"], layout_from(row["layout"]))
            for row, text in zip(rows, texts, strict=True)
        ]

    def page_failures(self, document_id: str) -> list[PageFailure]:
        rows = self.database.rows(
            "SELECT f.number, f.reason FROM page_failures f JOIN documents d ON d.id = f.document_id "
            "WHERE d.id = ? AND d.collection_id IS NOT NULL ORDER BY f.number",
            (document_id,),
        )
        return [PageFailure(row["number"], row["reason"]) for row in rows]

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Return the chunks among `ids` that are visible, by id."""
        with self.database.reading() as connection:
            rows = connection.execute(_CHUNKS, (json.dumps(list(ids)),)).fetchall()
            texts = self._slices([(row["text_id"], slice_in(row, "text")) for row in rows])
            contexts = self._slices([(row["text_id"], slice_in(row, "context")) for row in rows])
            having = [row for row in rows if row["heading_start"] is not None]
            titles = self._slices([(row["text_id"], slice_in(row, "heading")) for row in having])
            labels = self.labels.of((row["document_id"], row["document"]) for row in rows)
        headings = {row["id"]: title for row, title in zip(having, titles, strict=True)}
        found: dict[str, StoredChunk] = {}
        for row, text, context in zip(rows, texts, contexts, strict=True):
            fields = {name: row[name] for name in _CHUNK_COLUMNS}
            label, heading = labels[row["document_id"]], headings.get(row["id"])
            found[row["id"]] = StoredChunk(
                **fields, document=label, heading=heading, context=context, text=text
            )
        return found

    def chunks_of(self, document: Document) -> Iterator[StoredChunk]:
        """Yield a document's chunks in order; fewer, where it was replaced or deleted meanwhile."""
        ids = document.chunk_ids()
        for first in range(0, len(ids), BLOCK_CHUNKS):
            some = ids[first : first + BLOCK_CHUNKS]
            found = self.chunks(some)
            yield from (found[one] for one in some if one in found)

    def _slices(self, places: Sequence[tuple[int, Slice]]) -> list[str]:
        wanted: dict[int, list[Slice]] = {}
        for text_id, place in places:
            wanted.setdefault(text_id, []).append(place)
        with self.database.reading() as connection:
            found = read_slices(connection, wanted)
        return [found[place] for place in places]

    def located(self, ids: Sequence[str], representation: int = 1) -> list[tuple[str, str]]:
        """Return (token segment, chunk id) for the chunks among `ids` that are visible."""
        rows = self.database.rows(
            "SELECT s.file, c.id FROM json_each(?) wanted JOIN chunks c ON c.id = wanted.value "
            "JOIN segments s ON s.document_id = c.document_id AND s.representation_id = ? "
            "ORDER BY wanted.key",
            (json.dumps(list(ids)), representation),
        )
        return [(row["file"], row["id"]) for row in rows]

    def allowed(self, scope: Scope) -> dict[str, list[int] | None] | None:
        """Return which chunks the scope narrows its collections to, as the token store wants it: by document
        id their ordinals, or None for all of them. None where it does not narrow."""
        if scope.pages is None:
            return None if scope.documents is None else dict.fromkeys(scope.documents)
        where, parameters = within(scope)
        rows = self.database.rows(
            "SELECT c.document_id, c.ordinal FROM chunks c JOIN documents d ON d.id = c.document_id "
            f"WHERE {where} ORDER BY c.document_id, c.ordinal",
            parameters,
        )
        found: dict[str, list[int] | None] = {}
        for document, ordinals in groupby(rows, key=lambda row: row["document_id"]):
            found[document] = [row["ordinal"] for row in ordinals]
        return found

    def chunk_pages(self, document_id: str) -> list[int]:
        """Return the page of each chunk of a document, in order."""
        rows = self.database.rows(
            "SELECT page FROM chunks WHERE document_id = ? ORDER BY ordinal", (document_id,)
        )
        return [row["page"] for row in rows]


_DOCUMENTS = """
SELECT d.id, d.text_id, d.title_start, d.title_length, n.name AS collection, d.collection_id, d.name,
       d.sha256, d.bytes, d.status, d.error,
       d.page_count AS pages, d.chunk_count AS chunks, d.version, d.chunker, d.language, d.added,
       d.warnings, d.reader, d.encoding,
       (SELECT json_group_array(path) FROM (SELECT path FROM sources o WHERE o.document_id = d.id
           ORDER BY o.rowid)) AS paths,
       (SELECT count(*) FROM page_failures f WHERE f.document_id = d.id) AS pages_failed
FROM documents d JOIN collections n ON n.id = d.collection_id
{where} ORDER BY n.name, d.name, d.id
"""

_CHUNK_COLUMNS = ("id", "document_id", "collection", "ordinal", "page", "start", "end")
_CHUNKS = """
SELECT c.*, d.text_id, d.name AS document, n.name AS collection
FROM chunks c JOIN documents d ON d.id = c.document_id JOIN collections n ON n.id = d.collection_id
WHERE c.id IN (SELECT value FROM json_each(?))
"""


def check_collection_name(name: str) -> None:
    """Raises InvalidInput for an unusable name."""
    if not _COLLECTION_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a collection; use 1 to 63 letters, digits, spaces, '.', '-' and '_'"
        )


def _document(row: sqlite3.Row, title: str | None) -> Document:
    fields: dict[str, Any] = {name: row[name] for name in Document.__slots__ if name in row.keys()}  # noqa: SIM118
    paths, warnings = tuple(json.loads(row["paths"])), tuple(json.loads(row["warnings"]))
    fields |= {"title": title, "status": Status(row["status"]), "warnings": warnings}
    return Document(**{**fields, "paths": paths, "path": paths[0] if paths else ""})
