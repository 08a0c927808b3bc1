"""Which document lies at which path: linked, moved and removed with the files inside it."""

import sqlite3

from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Document
from ingestion.storage.catalogue.rows import hide_document
from ingestion.storage.catalogue.sources import insert_source, remove_source, update_name
from ingestion.storage.document_fields import remove_edits
from ingestion.text.names import UPLOAD, is_gone, is_same


class SourceLinks:
    """Changes of paths within a transaction of the catalogue. A document that loses its last path is hidden.

    One whose paths are missing although nobody removed them stays: the catalogue is damaged.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._changed: set[str] = set()  # ids of documents that lost a path

    def link(self, connection: sqlite3.Connection, collection_id: int, path: str, document_id: str) -> None:
        """Record that a document lies at a path, and the one that lay there no longer does."""
        former = self._catalogue.by_source(collection_id, path)
        insert_source(connection, collection_id, path, document_id)
        if former and former.id != document_id:
            update_name(connection, former.id)
            self._changed.add(former.id)
        self.hide_unlinked(connection)

    def link_parts(
        self, connection: sqlite3.Connection, collection_id: int, known: str, path: str
    ) -> set[str]:
        """Record that the files inside the one at the path `known` also lie inside the one at `path`.

        Returns:
            The SHA-256 of these files.
        """
        contents: set[str] = set()
        for inside, document_id in self._catalogue.sources.inside(collection_id, known).items():
            moved = path + inside.removeprefix(known)
            former = self._catalogue.by_source(collection_id, moved)
            insert_source(connection, collection_id, moved, document_id)
            if former and former.id != document_id:
                self._changed.add(former.id)
            contents |= self._contents(document_id)
        return contents

    def unlink(self, connection: sqlite3.Connection, collection_id: int, path: str) -> set[str]:
        """Forget a path and the paths inside it. Returns the SHA-256 of the files that lay there."""
        contents: set[str] = set()
        document = self._catalogue.by_source(collection_id, path)
        here = {path: document.id} if document else {}
        for source, document_id in {**here, **self._catalogue.sources.inside(collection_id, path)}.items():
            contents |= self._contents(document_id)
            remove_source(connection, document_id, source)
            self._changed.add(document_id)
        return contents

    def unlink_document(self, connection: sqlite3.Connection, document: Document) -> set[str]:
        """Forget every path of a document, and hide it with the files inside it. Returns their SHA-256."""
        contents = {document.sha256}
        for path in self._catalogue.sources.of(document.id):
            contents |= self.unlink(connection, document.collection_id, path)
        self._changed.add(document.id)
        self.hide_unlinked(connection)
        return contents

    def hide_unlinked(self, connection: sqlite3.Connection) -> list[Document]:
        """Hide the documents whose last path was removed; return them."""
        unlinked = self._catalogue.without_sources(self._changed)
        self._changed.clear()
        for document in unlinked:
            hide_document(connection, document)
            remove_edits(connection, document.id)
        return unlinked

    def is_respelled(self, collection_id: int, path: str) -> bool:
        """Whether a file is known by another spelling of this path, and none by this one."""
        former = self._catalogue.sources.spelled(collection_id, path)
        return former is not None and self._catalogue.by_source(collection_id, path) is None

    def respell(self, collection_id: int, path: str) -> None:
        """Let a file that is known by another spelling of this path be known by this spelling.

        Where the disk keeps both spellings as two files, both stay.
        """
        former = self._catalogue.sources.spelled(collection_id, path)
        if former is None or self._catalogue.by_source(collection_id, path) is not None:
            return
        if former.startswith(UPLOAD) or is_gone(former) or is_same(former, path):
            with self._catalogue.transaction() as connection:
                for known in (former, *self._catalogue.sources.inside(collection_id, former)):
                    connection.execute(
                        "UPDATE sources SET path = ? WHERE collection_id = ? AND path = ?",
                        (path + known.removeprefix(former), collection_id, known),
                    )

    def _contents(self, document_id: str) -> set[str]:
        document = self._catalogue.document(document_id)
        return {document.sha256} if document else set()
