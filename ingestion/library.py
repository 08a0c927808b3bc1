"""The library: catalogue, Chroma and token store as one, with one way to commit.

    journal "add" → segments and original on disk → Chroma → one SQLite transaction makes the new
    version visible and journals the old one → the old one's vectors are erased → journal cleared

Opening a library erases what a crash left in the journal: an "add" that never became visible, or the
rest of a version that is no longer visible.
"""

from collections.abc import Collection, Sequence

from ingestion.additions import Additions
from ingestion.errors import DiskFull, LibraryError
from ingestion.storage.catalogue.records import Document
from ingestion.storage.disk_space import is_disk_full
from ingestion.storage.originals import Source

__all__ = ["Library", "Source"]


class Library(Additions):
    """Adds, replaces and deletes documents. Open with `Library.open`; close, or use as a context manager.

    Safe to use from several threads: changes take turns, and searching goes on meanwhile.
    """

    def link(
        self, collection_id: int, source: Source, document: Document, *, instead_of: Sequence[str] = ()
    ) -> None:
        """Record that the bytes of `document` also lie at the source's path, and no longer at `instead_of`.

        Raises:
            LibraryError: The document was deleted meanwhile.
        """
        with self.changing:
            if self.catalogue.document(document.id) is None:
                raise LibraryError(f"{document.name} was deleted meanwhile; ingest {source.name} again")
            with self.catalogue.transaction() as connection:
                known = self.catalogue.sources.of(document.id)[:1]
                changed = {document.sha256}
                self._links.link(connection, collection_id, source.path, document.id)
                for path in known:
                    changed |= self._links.link_parts(connection, collection_id, path, source.path)
                for path in instead_of:
                    changed |= self._links.unlink(connection, collection_id, path)
                self._links.hide_unlinked(connection)
            self._note(*changed)
            self._erase_soon()

    def respell(self, collection_id: int, path: str) -> None:
        """Let a file that is known by another spelling of this path be known by this spelling."""
        if not self._links.is_respelled(collection_id, path):
            return  # without waiting for a document that is being written
        with self.changing:
            self._links.respell(collection_id, path)

    def keep_parts(self, collection_id: int, path: str, kept: Collection[str]) -> None:
        """Forget the files that were once inside the one at `path`, and are not among `kept` now."""
        with self.changing:
            gone = self.catalogue.sources.inside(collection_id, path).keys() - set(kept)
            if gone:
                self.unlink(collection_id, *sorted(gone))

    def unlink(self, collection_id: int, *paths: str) -> Document | None:
        """Forget paths and the files inside them; a document that loses its last path is deleted.

        Returns:
            The first document that was deleted, or None.
        """
        return self.reserve.spend_on(lambda: self._unlink(collection_id, paths))

    def _unlink(self, collection_id: int, paths: Sequence[str]) -> Document | None:
        with self.changing:
            changed: set[str] = set()
            with self.catalogue.transaction() as connection:
                for path in paths:
                    changed |= self._links.unlink(connection, collection_id, path)
                gone = self._links.hide_unlinked(connection)
            self._note(*changed)
            self._erase_soon()
            return gone[0] if gone else None

    def delete(self, *documents: Document, collection_id: int | None = None) -> None:
        """Remove documents with all their paths and the files inside them: invisible at once, then erased
        from every store. A document that is gone already is passed over.

        Args:
            collection_id: A collection to remove with them; they must be all of its documents.

        Raises:
            LibraryError: A store cannot be written; what is left there is invisible, and erased with the
                next change or opening.
        """
        self.reserve.spend_on(lambda: self._delete(documents, collection_id))

    def _delete(self, documents: Sequence[Document], collection_id: int | None) -> None:
        with self.changing:
            current = [self.catalogue.document(document.id) for document in documents]  # or replaced since
            changed = {document.sha256 for document in filter(None, current)}
            with self.catalogue.transaction() as connection:
                for document in filter(None, current):
                    if self.catalogue.document(document.id) is None:
                        continue  # it went with the file that it was inside of
                    changed |= self._links.unlink_document(connection, document)
                if collection_id is not None:
                    connection.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
            self._note(*changed)
            self.merger.wake()
            try:
                if collection_id is not None:
                    self.vectors.drop(collection_id=collection_id)
                self.journal_cleaner.erase_journalled()
            except (LibraryError, OSError) as error:
                names = documents[0].name if len(documents) == 1 else f"{len(documents)} documents"
                kind = DiskFull if is_disk_full(error, self.folder) else LibraryError
                raise kind(
                    f"{names}: deleted, but not yet erased from the disk: {error}; "
                    "that is tried again with the next change and when the library is opened"
                ) from error
